"""A bank's LND of an older release becomes the pinned one by a plan, with its money; and there is no way back."""

import json
from collections.abc import Iterator

import pytest

from bankstack.kinds.lndnode.names import LND_VERSION
from demokit.outside import Outside
from tests.misoperations import sample

from .bank import Bank
from .conftest import IMAGES, Lab, Manifest, eventually
from .operated import Operator
from .test_plans import approval, asked, await_state, eventually_asked, is_well, made, may, plan, restart, status

BANK = "upgraded"
OLDER, NEWER = (IMAGES[name].reference.rpartition(":")[2] for name in ("lnd-older", "lnd"))
MINOR = OLDER.removesuffix("-beta")
#: LND's own words, in its log.
MIGRATES = "Performing database schema migration"


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "lnd-older", "bitcoind", "specter")
    return Operator.deployed(lab, BANK)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    yield Outside.started(lab, f"vault-bitcoind-p2p.{BANK}.svc:18444")
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator, outside: Outside) -> Iterator[Bank]:  # noqa: ARG001 - order
    """lnd1 of the older release with a channel that paid each way, alice who runs the bank and bob who approves."""
    room, node = Bank.of(lab, BANK), sample("lnd1")
    node["spec"]["version"] = OLDER
    room.apply(sample("vault"), node)
    room.apply(may("alice", "bankstack-view"), may("alice", "bankstack-edit"), may("bob", "bankstack-approve"))
    room.await_resources("ColdWallet/vault", "LndNode/lnd1")
    outside.fund_lnd("1")
    outside.open_channel(status(room)["identityPubkey"], f"lnd1-p2p.{BANK}.svc:9735", 1_000_000)
    pay_each_way(room, outside)
    eventually(lambda: is_well(room), 60, "lnd1 has a channel, in a backup")
    yield room
    lab.kubectl("delete", "namespace", BANK, "--timeout=150s", timeout=180)


def pay_each_way(bank: Bank, outside: Outside) -> None:
    outside.await_channel(status(bank)["identityPubkey"])
    invoice = bank.as_api("addinvoice", "--amt=100000")["payment_request"]
    eventually(lambda: outside.pays(invoice), 60, "the bank is paid")
    invoice = outside.lncli("addinvoice", "--amt=10000")["payment_request"]
    eventually(lambda: pays(bank, invoice), 60, "the bank pays")


def pays(bank: Bank, invoice: str) -> bool:
    ended = bank.lncli("payinvoice", "--force", "--json", "--timeout=30s", invoice)
    return "SUCCEEDED" in ended.stdout or "already paid" in ended.stderr


def declares(bank: Bank, version: str) -> None:
    bank.kubectl("patch", "lndnode", "lnd1", "--type=merge", "-p", json.dumps({"spec": {"version": version}}))


def pending(bank: Bank) -> Manifest:
    return bank.condition("LndNode", "lnd1", "ChangePending")


def noted(bank: Bank) -> str:
    return str(bank.get("pvc", "lnd1-data")["metadata"]["annotations"][LND_VERSION])


def pod_uid(bank: Bank) -> str:
    return str(bank.get("pod", "lnd1-0")["metadata"]["uid"])


def holdings(bank: Bank) -> tuple[str, list[str], str]:
    """Whose money it is, where, and how much."""
    channels = bank.as_api("listchannels")["channels"]
    local = bank.as_api("channelbalance")["local_balance"]["sat"]
    return status(bank)["identityPubkey"], [one["channel_point"] for one in channels], local


def test_an_older_lnd_runs_until_a_person_approved_the_newer_one(bank: Bank, operator: Operator) -> None:
    before, pod = holdings(bank), pod_uid(bank)
    assert status(bank)["version"].startswith(MINOR.removeprefix("v"))
    assert noted(bank) == MINOR
    declares(bank, NEWER)
    name = eventually_asked(bank)
    shown = await_state(bank, name, "AwaitingApproval")
    uses = {one: told for one, told in shown["uses"].items() if one in ("version", "change", "migration")}
    print(uses)
    assert uses == {
        "version": NEWER,
        "change": "version",
        "migration": f"the database is changed from {MINOR} to {NEWER}: there is no way back",
    }
    eventually(lambda: name in pending(bank).get("message", ""), 30, "the plan is named")
    assert (bank.is_ready("LndNode", "lnd1"), pod_uid(bank)) == (True, pod)

    made(bank, "bob", approval(f"{name}-bob", name, "bob", shown["hash"]))
    ended = await_state(bank, name, "Succeeded", within=300)
    for step in ended["steps"]:
        print(f"{step['name']:10} {step['startedAt'][11:19]} {step['finishedAt'][11:19]} {step.get('evidence')}")
    eventually(lambda: is_well(bank), 60, "lnd1 is well")
    assert holdings(bank) == before
    assert status(bank)["version"].startswith(NEWER.removeprefix("v"))
    assert noted(bank) == NEWER.removesuffix("-beta")
    assert not pending(bank)
    assert operator.forbidden() == []


def test_its_log_has_the_migration_and_it_pays_as_before(bank: Bank, outside: Outside) -> None:
    log = bank.kubectl("logs", "lnd1-0")
    print("\n".join(line for line in log.splitlines() if "CHDB: " in line)[:2000])
    assert MIGRATES in log
    pay_each_way(bank, outside)


def test_the_way_back_is_refused_with_a_sentence_and_lnd_runs_on(bank: Bank) -> None:
    pod = pod_uid(bank)
    declares(bank, OLDER)
    eventually(lambda: pending(bank).get("reason") == "DowngradeRefused", 30, "it is refused")
    told = pending(bank)["message"]
    print(told)
    for words in (f"LND {NEWER.removesuffix('-beta')} was started on", "an older LND misreads it", "Set spec.version"):
        assert words in told
    assert asked(bank) == []
    made(bank, "alice", restart("back"))
    refused = await_state(bank, "back", "Refused")["message"]
    print(refused)
    assert "an older LND misreads it" in refused
    assert (bank.is_ready("LndNode", "lnd1"), pod_uid(bank)) == (True, pod)
    assert plan(bank, "back").get("approvedBy") is None


def test_no_older_lnd_is_started_where_nothing_is_left_but_the_volume(bank: Bank, outside: Outside) -> None:
    before = holdings(bank)
    bank.kubectl("delete", "statefulset", "lnd1", "--timeout=120s", timeout=150)
    told = bank.await_reason("LndNode", "lnd1", "DowngradeRefused", within=120)
    print(told)
    eventually(lambda: bank.condition("LndNode", "lnd1", "Stalled").get("status") == "True", 30, "a person is called")
    eventually(lambda: not there(bank, "pod/lnd1-0"), 120, "the pod is gone")
    assert not there(bank, "statefulset/lnd1")

    declares(bank, NEWER)
    bank.await_resources("LndNode/lnd1")
    assert holdings(bank) == before
    assert not pending(bank)
    pay_each_way(bank, outside)


def there(bank: Bank, what: str) -> bool:
    return bank.lab.asks("-n", BANK, "get", what).returncode == 0
