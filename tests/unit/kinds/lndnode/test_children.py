"""The children as whole manifests: a difference in a golden file is a difference in a bank."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.kinds.golden import shipped
from tests.unit.kinds.lndnode import given
from tests.unit.kinds.lndnode.given import BITCOIND, ME, node

from bankstack.engine.objects import Manifest
from bankstack.kinds.lndnode import children, conf, template
from bankstack.kinds.lndnode.model import LND_OWNS
from bankstack.kinds.lndnode.subject import LndNode

GOLDEN = Path(__file__).parent / "golden"

PLAIN = node()
RICH = node(
    network="mainnet",
    confirmMainnet=True,
    storage={"backend": "bbolt", "size": "20Gi", "className": "fast"},
    p2p={
        "service": {"type": "LoadBalancer", "annotations": {"cloud/static-ip": "yes"}},
        "addresses": ["bank.example:9735", "[2001:db8::1]:9735"],
    },
    config=[
        {"key": "alias", "value": "bank-1"},
        {"key": "addpeer", "value": "a@b"},
        {"key": "addpeer", "value": "c@d"},
    ],
    pod={
        "resources": {"requests": {"memory": "2Gi"}},
        "nodeSelector": {"disk": "nvme"},
        "labels": {"team": "treasury"},
        "annotations": {"note": "ours"},
        "imagePullSecrets": ["registry"],
        "priorityClassName": "bank",
    },
)


def made(lnd1: LndNode) -> list[Manifest]:
    text = conf.text(lnd1.spec, BITCOIND)
    return [
        children.volume(lnd1, ME, "v0.21.2"),
        children.config_map(lnd1, text),
        children.api_service(lnd1),
        children.p2p_service(lnd1),
        children.network_policy(lnd1),
        children.disruption_budget(lnd1),
        children.stateful_set(lnd1, text, BITCOIND),
    ]


@pytest.mark.parametrize(("name", "lnd1"), [("plain", PLAIN), ("rich", RICH)])
def test_the_children_are_as_they_were(name: str, lnd1: LndNode) -> None:
    assert made(lnd1) == shipped(GOLDEN / f"{name}.yaml", made(lnd1))


@pytest.mark.parametrize(
    "unrelated",
    [
        {"storage": {"backend": "sqlite", "size": "2Gi"}},
        {"deletionPolicy": "Delete"},
        {"wallet": {"secret": "lnd1-wallet"}},
        {"p2p": {"service": {"type": "NodePort"}}},
        {"tls": {"caSecret": "ours"}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_what_has_nothing_to_do_with_the_pod_leaves_its_template_alone(unrelated: Manifest) -> None:
    assert made(node(**unrelated))[-1] == made(PLAIN)[-1]


def _empty(value: object, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _empty(inner, f"{path}.{key}")]
    if isinstance(value, list):
        here = [] if value else [path]
        return here + [found for inner in value for found in _empty(inner, path)]
    return [path] if value in ("", None) else []


@pytest.mark.parametrize("lnd1", [PLAIN, RICH])
def test_no_manifest_has_an_empty_value_that_the_api_server_would_drop(lnd1: LndNode) -> None:
    assert [found for manifest in made(lnd1) for found in _empty(manifest)] == []


def test_no_secret_is_in_an_argument_or_in_lnd_conf() -> None:
    template = made(PLAIN)[-1]["spec"]["template"]["spec"]["containers"][0]
    assert template["args"] == ["--configfile=/etc/lnd/lnd.conf"]
    lines = dict(line.split("=", 1) for line in conf.text(PLAIN.spec, BITCOIND).splitlines())
    assert (lines["bitcoind.rpcuser"], lines["bitcoind.rpcpass"]) == (
        "${BITCOIND_RPC_USER}",
        "${BITCOIND_RPC_PASSWORD}",
    )


def test_the_seed_is_not_mounted() -> None:
    volumes = {one["name"]: one for one in made(PLAIN)[-1]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["wallet"]["secret"]["items"] == [{"key": "password", "path": "password"}]


def test_the_user_s_lines_come_last_and_may_repeat() -> None:
    lines = conf.text(RICH.spec, BITCOIND).splitlines()
    assert lines[-5:] == [
        "externalhosts=bank.example:9735",
        "externalip=[2001:db8::1]:9735",
        "alias=bank-1",
        "addpeer=a@b",
        "addpeer=c@d",
    ]


@pytest.mark.parametrize(
    ("address", "option"),
    [
        ("203.0.113.7", "externalip"),
        ("203.0.113.7:9735", "externalip"),
        ("[2001:db8::1]:9735", "externalip"),
        ("abc234.onion:9735", "externalip"),
        ("bank.example", "externalhosts"),
        ("bank.example:9736", "externalhosts"),
    ],
)
def test_a_name_that_dns_does_not_know_just_then_does_not_keep_lnd_from_starting(address: str, option: str) -> None:
    lines = conf.text(node(p2p={"addresses": [address]}).spec, BITCOIND).splitlines()
    assert f"{option}={address}" in lines


def test_a_user_cannot_set_what_identity_and_credentials_rest_on() -> None:
    """Every option we write that is not a mere preference is refused in spec.config."""
    preferences = {"db.bolt.auto-compact"}
    for lnd1 in (PLAIN, RICH):
        users = {line.key for line in lnd1.spec.config or ()}
        ours = {line.split("=", 1)[0] for line in conf.text(lnd1.spec, BITCOIND).splitlines()} - users
        assert ours - set(LND_OWNS) - preferences == set()


@pytest.mark.parametrize(
    ("host", "domain", "dialled"),
    [
        ("vault-bitcoind.bank.svc", "cluster.local", "vault-bitcoind.bank.svc.cluster.local."),
        ("b-0.b.elsewhere.svc", "corp.example", "b-0.b.elsewhere.svc.corp.example."),
        ("vault-bitcoind.bank.svc", None, "vault-bitcoind.bank.svc"),
        ("bitcoind.example", "cluster.local", "bitcoind.example"),
        ("192.0.2.7", "cluster.local", "192.0.2.7"),
    ],
)
def test_nobody_but_the_cluster_s_dns_is_asked_for_a_bitcoind_in_it(
    host: str, domain: str | None, dialled: str
) -> None:
    lines = conf.text(PLAIN.spec, replace(BITCOIND, host=host, domain=domain)).splitlines()
    assert f"bitcoind.rpchost={dialled}:18443" in lines
    assert f"bitcoind.zmqpubrawblock=tcp://{dialled}:28332" in lines
    assert f"bitcoind.zmqpubrawtx=tcp://{dialled}:28333" in lines


def test_the_domain_of_the_cluster_is_nothing_that_people_declare() -> None:
    known = replace(BITCOIND, domain="cluster.local")
    assert template.declared(PLAIN, known) == template.declared(PLAIN, BITCOIND)
    assert template.wish_digest(PLAIN, known) != template.wish_digest(PLAIN, BITCOIND)


def test_an_image_of_the_user_s_is_used_as_it_is() -> None:
    assert children.image(node(image="registry/lnd@sha256:00")) == "registry/lnd@sha256:00"


def test_an_unpinned_volume_says_nothing_of_an_identity() -> None:
    assert "annotations" not in children.volume(PLAIN, None, None)["metadata"]


def test_a_live_child_made_from_its_manifest_has_not_drifted() -> None:
    """The builder of these tests knows ownership as the API server writes it."""
    assert given.settled(node(), given.serving()) == given.serving()
