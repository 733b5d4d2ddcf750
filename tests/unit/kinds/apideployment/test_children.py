"""The children as whole manifests: a difference in a golden file is a difference in a bank."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kinds.apideployment.given import (
    ALL,
    CONTENTS,
    LEDGER,
    NOW,
    PASSWORD,
    api,
    component,
    running,
    settled,
    well,
)
from tests.unit.kinds.golden import shipped

from bankstack.engine.objects import CONFIG_MAP, DEPLOYMENT, POD, SECRET, STATEFUL_SET, Manifest, Ref
from bankstack.kinds.apideployment import components, environment
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.facts import Content, Facts
from bankstack.kinds.apideployment.names import Api

GOLDEN = Path(__file__).parent / "golden"
TLS = replace(LEDGER, tls=True, authority="ledger-ca")
RICH: dict[str, Any] = {
    "command": ["node", "api.js"],
    "args": ["--verbose"],
    "replicas": 3,
    "intake": True,
    "ports": [{"name": "http", "port": 4002}, {"name": "admin", "port": 4001}],
    "probes": {
        "readiness": {"httpGet": {"path": "/healthz", "port": 4002}, "successThreshold": 2},
        "liveness": {"grpc": {"port": 6686, "service": "bank"}, "initialDelaySeconds": 60},
        "startup": {"exec": {"command": ["true"]}, "failureThreshold": 30},
    },
    "env": [
        {"name": "LOGLEVEL", "value": "debug"},
        {"name": "EMPTY", "value": ""},
        {"name": "SVIX", "valueFrom": {"secretKeyRef": {"name": "svix", "key": "token"}}},
    ],
    "envFrom": [{"configMapRef": {"name": "extra"}}],
    "volumes": [
        {"name": "data", "mountPath": "/data", "size": "1Gi", "className": "fast"},
        {"name": "conf", "mountPath": "/var/yaml", "secret": "custom"},
        {"name": "cache", "mountPath": "/cache", "scratch": True},
    ],
    "user": 1234,
    "rootFileSystem": "Writable",
    "stopSeconds": 5,
    "pod": {"resources": {"limits": {"memory": "1Gi"}}, "annotations": {"team": "bank"}},
}
MORE = CONTENTS | {
    Ref(SECRET, "svix"): Content("u/4", frozenset({"token"})),
    Ref(SECRET, "custom"): Content("u/5", frozenset({"custom.yaml"})),
    Ref(CONFIG_MAP, "extra"): Content("u/6", frozenset({"COLOR"})),
    Ref(CONFIG_MAP, "ledger-ca"): Content("u/7", frozenset({"ca.crt"})),
}
CASES = {"plain": (api(components=ALL), well()), "rich": (component(**RICH), well(ledger=TLS, contents=MORE))}


def made(bank: Api, facts: Facts) -> list[Manifest]:
    """Everything that is made, as the API server would be asked for it."""
    _, after = settled(bank, facts)
    found = [live for one, live in sorted(after.children.items()) if one.type != POD]
    return [_without_servers_part(one) for one in found]


def _without_servers_part(live: Manifest) -> Manifest:
    meta = {key: value for key, value in live["metadata"].items() if key not in ("uid", "generation", "managedFields")}
    return {key: value for key, value in live.items() if key != "status"} | {"metadata": meta}


@pytest.mark.parametrize("name", CASES)
def test_the_children_are_the_golden_ones(name: str) -> None:
    found = made(*CASES[name])
    assert found == shipped(GOLDEN / f"{name}.yaml", found)


def variables(bank: Api, facts: Facts) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in environment.variables(bank, facts)}


def test_the_environment_is_what_real_apis_expect() -> None:
    found = variables(api(), well())
    assert found["MONGODB_CON"] == {"secretKeyRef": {"name": "ledger-api", "key": "uri"}}
    assert found["LND1_TYPE"] == "onchain,offchain"
    assert found["LND2_TYPE"] == "offchain"
    assert found["LND1_DNS"] == "lnd1.bank.svc"
    assert found["LND2_MACAROON"]["secretKeyRef"] == {
        "name": "lnd2-api", "key": "admin_macaroon_base64", "optional": True
    }  # fmt: skip
    assert found["REDIS_2_DNS"] == "bank-redis-2.bank.svc"
    assert found["NETWORK"] == "regtest"


def test_a_ledger_with_an_authority_of_its_own_is_trusted_by_its_file() -> None:
    found = variables(api(), well(ledger=TLS))
    assert found["MONGODB_CON"] == (
        "mongodb://$(MONGODB_USER):$(MONGODB_PASSWORD)@ledger-0.ledger.bank.svc:27017/galoy"
        "?replicaSet=ledger&tls=true&tlsCAFile=/run/bankstack/ledger/ca.crt"
    )


def test_a_user_s_own_password_becomes_a_connection_string() -> None:
    only = CONTENTS | {Ref(SECRET, "ledger-api"): replace(PASSWORD, keys=frozenset({"password"}))}
    assert variables(api(), well(contents=only))["MONGODB_CON"].startswith("mongodb://$(MONGODB_USER):")


def test_an_external_redis_is_told_as_it_is() -> None:
    external = {
        "external": {"sentinels": [{"host": "s1", "port": 1}, {"host": "s2"}], "masterName": "m", "passwordSecret": "r"}
    }
    found = variables(api(redis=external), well())
    assert (found["REDIS_0_DNS"], found["REDIS_0_PORT"], found["REDIS_1_PORT"]) == ("s1", "1", "26379")
    assert found["REDIS_MASTER_NAME"] == "m"
    assert found["REDIS_PASSWORD"] == {"secretKeyRef": {"name": "r", "key": "password"}}


def test_a_volume_s_claim_stays_as_it_was_first_made() -> None:
    bank, facts = running(component(volumes=[{"name": "data", "mountPath": "/data", "size": "1Gi"}]))
    grown = component(volumes=[{"name": "data", "mountPath": "/data", "size": "2Gi"}])
    assert decide(replace(bank, spec=grown.spec), facts, NOW).actions == ()


def test_a_singleton_is_stopped_before_the_next_is_started() -> None:
    _, facts = running(api())
    strategy = facts.children[Ref(DEPLOYMENT, "bank-trigger")]["spec"]["strategy"]
    assert strategy == {"type": "Recreate"}


def test_the_door_leads_to_every_intake_by_the_name_of_its_port() -> None:
    bank = api(
        components=[
            {"name": "api", "image": "a", "intake": True, "ports": [{"name": "http", "port": 4002}]},
            {"name": "ws", "image": "b", "intake": True, "ports": [{"name": "ws", "port": 4000}]},
        ]
    )
    (door,) = components.door(bank)
    assert [(one["port"], one["targetPort"]) for one in door["spec"]["ports"]] == [(4002, "http"), (4000, "ws")]
    assert door["metadata"]["name"] == "bank"
    assert components.door(component()) == []


def test_a_changed_mode_changes_no_template() -> None:
    bank, facts = running(api())
    before = facts.children[Ref(DEPLOYMENT, "bank-api")]
    _, after = settled(bank, replace(facts, nodes={"lnd1": None, "lnd2": None}, chain=well().chain))
    assert after.children[Ref(DEPLOYMENT, "bank-api")] == before
    assert after.children[Ref(STATEFUL_SET, "bank-redis")] == facts.children[Ref(STATEFUL_SET, "bank-redis")]


def test_an_api_is_told_the_former_pubkeys_of_a_node_that_was_replaced() -> None:
    bank, known = running(api())
    told = {name: one and replace(one, retired=("02aa", "03bb")) for name, one in known.nodes.items()}
    names_ = {one["name"]: one.get("value") for one in environment.variables(bank, replace(known, nodes=told))}
    assert names_["LND1_HISTORICAL_PUBKEYS"] == "02aa,03bb"
    before = {one["name"] for one in environment.variables(bank, known)}
    assert "LND1_HISTORICAL_PUBKEYS" not in before, "a node that never was has the environment that it always had"
