"""A bank of four resources: its API is started when all is there, and keeps running whatever goes away."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from demokit.outside import Outside
from tests.misoperations import sample

from .bank import Bank
from .conftest import Lab, Manifest, elapsed, eventually
from .operated import Operator

WHOLE = "whole"
API = "ApiDeployment/bank"
OTHERS = ("ColdWallet/vault", "LndNode/lnd1", "LedgerCluster/ledger")
SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"
#: As Redis' default user, whose password is the API's; commands one a line from standard input.
ASK = 'REDISCLI_AUTH=$(cat) exec redis-cli --no-auth-warning "$@"'


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "bitcoind", "mongo", "redis", "python")
    return Operator.deployed(lab, WHOLE)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    """A chain that moves: on one without blocks of today no Lightning node serves."""
    yield Outside.started(lab, f"vault-bitcoind-p2p.{WHOLE}.svc:18444")
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, outside: Outside) -> Iterator[Bank]:  # noqa: ARG001 - order
    """All four samples at once, in any order; Specter is another story's."""
    room = Bank.of(lab, WHOLE)
    vault = sample("vault")
    del vault["spec"]["specter"]
    room.apply(sample("bank"), sample("ledger"), sample("lnd1"), vault)
    room.await_resources(*OTHERS, API, within=420)
    yield room
    lab.kubectl("delete", "namespace", WHOLE, "--timeout=150s")


def mode(bank: Bank) -> str:
    return str(bank.resource("ApiDeployment", "bank").get("status", {}).get("mode"))


def password(bank: Bank) -> str:
    template = "{{index .data.password | base64decode}}"
    return bank.kubectl("get", "secret", "bank-redis-api", "-o", f"go-template={template}")


def redis(bank: Bank, member: str, *words: str, port: int = 6379) -> str:
    """What Redis answers to the bank's API; empty while it does not."""
    command = ("exec", "-i", member, "-c", "redis", "--", "sh", "-c", ASK, "ask", "-p", str(port), *words)
    return bank.lab.asks("-n", bank.name, *command, stdin=password(bank)).stdout.strip()


def master(bank: Bank) -> str:
    """The member that the Sentinels of the others name."""
    told = (redis(bank, f"bank-redis-{n}", *ADDRESS, port=26379) for n in range(3))
    return next((one.split(".")[0] for one in told if one), "")


ADDRESS = ("sentinel", "get-master-addr-by-name", "mymaster")


def lives(bank: Bank, component: str) -> dict[str, int]:
    """Pods of a component by uid, with their restarts."""
    labels = f"bankstack.io/owner=ApiDeployment.bank,app.kubernetes.io/name={component}"
    pods: list[Manifest] = bank.get("pods", "-l", labels)["items"]
    return {
        one["metadata"]["uid"]: sum(each["restartCount"] for each in one["status"].get("containerStatuses", []))
        for one in pods
        if "deletionTimestamp" not in one["metadata"]
    }


def test_four_files_become_a_bank(bank: Bank) -> None:
    assert mode(bank) == "Full"
    status = bank.resource("ApiDeployment", "bank")["status"]
    assert {one["name"]: one["ready"] for one in status["components"]} == {"api": 2, "trigger": 1, "history": 1}
    assert status["redis"]["members"] == 3
    (job,) = bank.get("jobs")["items"]
    assert job["status"]["succeeded"] == 1
    made = bank.get("deployment", "bank-api")["metadata"]["creationTimestamp"]
    assert job["status"]["completionTime"] <= made


def test_the_api_finds_its_ledger_its_redis_and_its_node_in_its_environment(bank: Bank) -> None:
    said = bank.kubectl(
        "exec", "deploy/bank-api", "--", "python", "-c", "import os, json; print(json.dumps(dict(os.environ)))"
    )
    found = json.loads(said)
    identity = bank.resource("LndNode", "lnd1")["status"]["identityPubkey"]
    assert found["LND1_PUBKEY"] == identity
    assert found["NETWORK"] == "regtest"
    assert found["MONGODB_CON"].startswith(f"mongodb://api:{found['MONGODB_PASSWORD']}@")
    assert found["REDIS_PASSWORD"] == password(bank)
    certificate = bank.kubectl("exec", "deploy/bank-api", "--", "cat", "/run/bankstack/ledger/ca.crt")
    assert "BEGIN CERTIFICATE" in certificate


def test_the_api_may_take_locks_and_may_not_empty_or_rule_redis(bank: Bank) -> None:
    at = master(bank)
    assert redis(bank, at, "set", "locks:wallet:1", "x", "NX", "PX", "180000") == "OK"
    for words in (("flushall",), ("config", "get", "dir"), ("keys", "*"), ("shutdown",), ("acl", "list")):
        assert redis(bank, at, *words).startswith("NOPERM"), words
    assert redis(bank, at, "sentinel", "failover", "mymaster", port=26379).startswith("NOPERM")


def test_a_quiet_api_causes_no_writes(bank: Bank, operator: Operator) -> None:
    eventually(lambda: bank.is_ready("ApiDeployment", "bank"), 60, "all is settled")
    before = len(operator.writes())
    looks = len(operator.requests())
    eventually(lambda: len(operator.requests()) > looks + 200, 120, "the operator has looked several times")
    assert [one for one in operator.writes()[before:] if "bank" in one] == []


def test_the_operator_is_not_needed_when_redis_loses_its_master_and_the_api_a_pod(
    bank: Bank, operator: Operator
) -> None:
    operator.scale(0)
    try:
        before = master(bank)
        redis(bank, before, "set", "kept", "yes")
        members = lives(bank, "redis").keys()
        api = lives(bank, "api")
        bank.kubectl("delete", "pod", before, "--grace-period=0", "--force")
        bank.kubectl("delete", "pod", "-l", "app.kubernetes.io/name=trigger", "--wait=false")
        # Whoever comes first: a new master, or the old one with its volume.
        eventually(lambda: lives(bank, "redis").keys() != members and _takes_locks(bank), 60, "a master takes locks")
        assert redis(bank, master(bank), "get", "kept") == "yes"
        eventually(lambda: lives(bank, "trigger"), 60, "the trigger is back")
        assert lives(bank, "api") == api
    finally:
        operator.scale(1)
    bank.await_resources(API)
    assert mode(bank) == "Full"


def _takes_locks(bank: Bank) -> bool:
    at = master(bank)
    return bool(at) and redis(bank, at, "set", "lock", "x", "PX", "1000") == "OK"


def test_a_master_that_lost_its_volume_empties_nobody(bank: Bank) -> None:
    before = master(bank)
    redis(bank, before, "set", "precious", "yes")
    bank.kubectl("delete", "pvc", f"data-{before}", "--wait=false")
    bank.kubectl("delete", "pod", before)
    eventually(lambda: master(bank) not in ("", before), 90, "another is master")
    bank.await_resources(API, within=120)
    assert redis(bank, master(bank), "get", "precious") == "yes"
    assert "waits for Sentinel to elect another" in bank.kubectl("logs", before, "-c", "redis")


def turns(bank: Bank, member: str) -> int:
    """How often its Sentinel wakes in a second."""
    told = redis(bank, member, "info", "stats", port=26379)
    return next(int(one.partition(":")[2]) for one in told.splitlines() if one.startswith(f"{TURNS}:"))


TURNS = "instantaneous_eventloop_cycles_per_sec"
#: At rest it is thirty; with an error on a link that it does not read, more than fifty thousand (redis#9956).
AT_REST = 1000


def test_no_sentinel_takes_a_processor_for_a_member_that_came_back(bank: Bank) -> None:
    for number in range(3):
        bank.kubectl("delete", "pod", f"bank-redis-{number}")
        bank.await_resources(API, within=120)
    # Until links are up, and each Sentinel has looked at itself, which it does every ten seconds.
    elapsed(15)
    eventually(lambda: max(turns(bank, f"bank-redis-{number}") for number in range(3)) < AT_REST, 45, "all are at rest")


def is_there(bank: Bank, child: str) -> bool:
    return child in bank.children("ApiDeployment.bank")


def test_every_child_deleted_by_hand_comes_back_and_redis_never_restarts(bank: Bank) -> None:
    before, running = bank.end_state(), lives(bank, "redis")
    for child in bank.children("ApiDeployment.bank"):
        if not child.startswith(("persistentvolumeclaim/", "statefulset/")):
            bank.kubectl("delete", child)
        if child.startswith("secret/"):
            # Each password is kept in two of them, and lost with both: RedisPasswordUnknown, a unit test's story.
            eventually(partial(is_there, bank, child), 60, f"{child} is back")
    bank.kubectl("delete", "deployment", "bank-trigger")
    bank.kubectl("delete", "cronjob", "bank-cron")
    eventually(lambda: bank.end_state() == before, 90, "all children are back")
    bank.await_resources(API, within=120)
    assert lives(bank, "redis") == running
    assert redis(bank, master(bank), "get", "precious") == "yes"


def test_a_new_credential_rolls_the_api_once(bank: Bank) -> None:
    before = bank.get("deployment", "bank-api")["metadata"]["generation"]
    bank.kubectl("delete", "secret", "lnd1-api")
    eventually(lambda: bank.get("deployment", "bank-api")["metadata"]["generation"] > before, 60, "it is rolled")
    # Ready may still be the word of before: the next story looks at which pods there are.
    bank.kubectl("rollout", "status", "deployment/bank-api", "--timeout=120s", timeout=150)
    bank.await_resources(API, within=120)
    assert bank.get("deployment", "bank-api")["metadata"]["generation"] == before + 1


def test_a_missing_node_leaves_the_api_its_intraledger_payments(bank: Bank, operator: Operator) -> None:
    api = lives(bank, "api")
    bank.kubectl("delete", "lndnode", "lnd1", "--wait=false")
    eventually(lambda: mode(bank) == "IntraledgerOnly", 90, "the API knows")
    path = "/run/bankstack/mode/mode"
    eventually(
        lambda: bank.kubectl("exec", "deploy/bank-api", "--", "cat", path) == "IntraledgerOnly", 20, "its pod too"
    )
    assert lives(bank, "api") == api
    served = operator.lab.kubectl("get", "--raw", f"{_service(operator)}/mode/{WHOLE}/bank")
    assert json.loads(served)["mode"] == "IntraledgerOnly"
    assert "lnd1" in json.loads(served)["reasons"][0]
    bank.await_resources(API)
    eventually(lambda: not bank.get("lndnodes")["items"], 120, "the node has left")
    bank.apply(sample("lnd1"))
    eventually(lambda: mode(bank) == "Full", 180, "the same node is back, and the API may do everything")


def _service(operator: Operator) -> str:
    return f"/api/v1/namespaces/{operator.room.name}/services/bankstack-operator-metrics:8080/proxy"


def test_a_migration_that_fails_leaves_the_former_revision_running(bank: Bank) -> None:
    api = lives(bank, "api")
    wrong = sample("bank")
    wrong["spec"]["components"][0]["command"] = ["python", "-c", "raise SystemExit('no such collection')"]
    wrong["spec"]["components"][1]["env"] = [{"name": "NEW", "value": "yes"}]
    bank.apply(wrong)
    told = bank.await_reason("ApiDeployment", "bank", "MigrationFailed", within=240)
    assert "the former revision keeps running" in told
    assert lives(bank, "api") == api
    bank.apply(sample("bank"))
    bank.await_resources(API)
    assert lives(bank, "api") == api


def test_a_reference_to_an_unknown_secret_rolls_nothing_and_says_which(bank: Bank) -> None:
    api = lives(bank, "api")
    wrong = sample("bank")
    wrong["spec"]["components"][1]["envFrom"] = [{"secretRef": {"name": "nowhere"}}]
    bank.apply(wrong)
    assert "Secret nowhere is not there" in bank.await_reason("ApiDeployment", "bank", "SecretMissing")
    assert lives(bank, "api") == api
    bank.apply(sample("bank"))
    bank.await_resources(API)


def test_a_deleted_api_leaves_its_volumes_and_the_same_one_takes_them_up(bank: Bank) -> None:
    at = master(bank)
    redis(bank, at, "set", "still", "there")
    bank.kubectl("delete", "apideployment", "bank", "--timeout=180s")
    left = bank.children("ApiDeployment.bank")
    assert {one.partition("/")[0] for one in left} == {"persistentvolumeclaim", "secret"}
    bank.apply(sample("bank"))
    bank.await_resources(API, within=240)
    assert redis(bank, master(bank), "get", "still") == "there"
