"""An LND is restarted with payments behind it and channels open: asked for by one person, approved by another."""

import json
import os
import random
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from bankstack.kinds.lndnode import stages
from bankstack.plans import journal
from bankstack.plans.admission import OWN_APPROVAL, OWN_PLAN
from bankstack.plans.model import FINISHED
from demokit.outside import Outside

from .bank import Bank
from .conftest import Lab, Manifest, elapsed, eventually
from .operated import Operator, is_killed
from .timeline import timeline

BANK = "plans"
API = "bankstack.io/v1alpha1"
#: LND passes on what it tells of its channels once in a minute and a half.
TRICKLE_SECONDS = 90
#: `hack/test soak` asks for more.
SEEDS = range(int(os.environ.get("BANK_PLAN_KILLS", "3")))
#: The operator as manifests/base has it.
OPERATOR = "system:serviceaccount:bankstack-system:bankstack-operator"


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "bitcoind", "specter")
    return Operator.deployed(lab, BANK)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    yield Outside.started(lab, f"vault-bitcoind-p2p.{BANK}.svc:18444")
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator, outside: Outside) -> Iterator[Bank]:  # noqa: ARG001 - order
    """Both samples Ready, a channel with coins on both sides, alice who runs the bank and bob who approves."""
    room = Bank.of(lab, BANK)
    room.apply_samples()
    room.apply(
        may("alice", "bankstack-view"), may("alice", "bankstack-edit"), may("alice", "bankstack-approve"),
        may("bob", "bankstack-approve"),
    )  # fmt: skip
    room.await_resources("ColdWallet/vault", "LndNode/lnd1")
    outside.fund_lnd("1")
    outside.open_channel(status(room)["identityPubkey"], f"lnd1-p2p.{BANK}.svc:9735", 1_000_000)
    assert outside.pays(room.as_api("addinvoice", "--amt=12345")["payment_request"])
    eventually(lambda: is_well(room), 60, "lnd1 has a channel, in a backup")
    yield room
    lab.kubectl("delete", "namespace", BANK, "--timeout=150s", timeout=180)


def may(user: str, role: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{user}-{role}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def status(bank: Bank) -> Manifest:
    return dict(bank.resource("LndNode", "lnd1")["status"])


def is_well(bank: Bank, channels: int = 1) -> bool:
    saved = bank.condition("LndNode", "lnd1", "ChannelBackup").get("reason") == "Current"
    return bank.is_ready("LndNode", "lnd1") and status(bank).get("channels") == channels and saved


def restart(name: str, **spec: Any) -> Manifest:  # noqa: ANN401 - of a ChangePlan
    asked = {
        "target": {"kind": "LndNode", "name": "lnd1"},
        "operation": "Restart",
        "requestedBy": "alice",
        "notAfter": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "reason": "a story",
    }
    return {"apiVersion": API, "kind": "ChangePlan", "metadata": {"name": name}, "spec": asked | spec}


def approval(name: str, plan: str, by: str, of: str) -> Manifest:
    spec = {"plan": plan, "hash": of, "approver": by}
    return {"apiVersion": API, "kind": "PlanApproval", "metadata": {"name": name}, "spec": spec}


def makes(bank: Bank, who: str, manifest: Manifest) -> subprocess.CompletedProcess[str]:
    return bank.lab.asks("-n", bank.name, "create", f"--as={who}", "-f", "-", stdin=json.dumps(manifest))


def made(bank: Bank, who: str, manifest: Manifest) -> None:
    ended = makes(bank, who, manifest)
    assert ended.returncode == 0, ended.stderr


def plan(bank: Bank, name: str) -> Manifest:
    return dict(bank.get("changeplan", name).get("status", {}))


def await_state(bank: Bank, name: str, state: str, within: float = 30) -> Manifest:
    eventually(lambda: plan(bank, name).get("state") == state, within, lambda: f"{name} is {state}; {plan(bank, name)}")
    return plan(bank, name)


def test_nobody_asks_in_another_s_name(bank: Bank) -> None:
    ended = makes(bank, "alice", restart("forged", requestedBy="carol"))
    assert ended.returncode != 0
    assert OWN_PLAN in ended.stderr


def test_what_cannot_be_done_is_refused_with_a_sentence(bank: Bank) -> None:
    ended = makes(bank, "alice", restart("failover", operation="Failover"))
    assert "operation of LndNode has to be one of Restart, Replace" in ended.stderr


def test_a_dry_run_shows_itself_and_never_runs(bank: Bank) -> None:
    made(bank, "alice", restart("dry", dryRun=True))
    shown = await_state(bank, "dry", "Pending")
    assert [one["name"] for one in shown["steps"]][:3] == ["Check", "Divert", "Disable"]
    assert {one["name"]: one["value"] for one in shown["impact"]}["channels"] == 1
    assert "1 approval is missing" in shown["missing"][0]
    bank.kubectl("delete", "changeplan", "dry")


def test_a_restart_approved_by_another_person_comes_back_as_it_was(
    bank: Bank, outside: Outside, operator: Operator
) -> None:
    before, money = status(bank), bank.as_api("channelbalance")
    pod = bank.get("pod", "lnd1-0")["metadata"]["uid"]
    # A change that waits for it: another alias.
    renames(bank, "renamed")
    eventually(lambda: bank.condition("LndNode", "lnd1", "ChangePending").get("status") == "True", 30, "it waits")

    made(bank, "alice", restart("restart-1"))
    with timeline(bank, "restart-1") as line:
        shown = line.until("AwaitingApproval", within=30)
        refusals(bank, shown["hash"])
        made(bank, "bob", approval("restart-1-bob", "restart-1", "bob", shown["hash"]))
        ended = line.until("Succeeded", within=240)
    for step in ended["steps"]:
        print(f"{step['name']:10} {step['startedAt'][11:19]} {step['finishedAt'][11:19]} {step.get('evidence')}")
    print(f"the operator's own time: {line.own_seconds():.1f} s")
    assert ended["approvedBy"] == ["bob"]

    eventually(lambda: is_well(bank), 30, "lnd1 is well")
    after, now = status(bank), bank.get("pod", "lnd1-0")
    print(f"downtime {after['lastDowntimeSeconds']} s")
    assert after["identityPubkey"] == before["identityPubkey"]
    assert bank.as_api("channelbalance")["local_balance"] == money["local_balance"]
    assert now["metadata"]["uid"] != pod
    assert stages.PROOF not in now["metadata"].get("finalizers", [])
    assert bank.as_api("getinfo")["alias"] == "renamed"
    assert not bank.condition("LndNode", "lnd1", "ChangePending")
    assert "traffic" not in after
    outside.await_channel(before["identityPubkey"])
    within = TRICKLE_SECONDS + 30
    eventually(lambda: is_announced(outside, before["identityPubkey"]), within, "the network may use the channel")
    assert outside.pays(bank.as_api("addinvoice", "--amt=777")["payment_request"])
    assert operator.forbidden() == []


def refusals(bank: Bank, shown: str) -> None:
    """Forged, by oneself, and of another plan: none counts, each with its sentence."""
    forged = makes(bank, "alice", approval("forged", "restart-1", "bob", shown))
    assert forged.returncode != 0
    assert OWN_APPROVAL in forged.stderr
    made(bank, "alice", approval("own", "restart-1", "alice", shown))
    made(bank, "bob", approval("stale", "restart-1", "bob", "sha256:" + "0" * 64))
    eventually(lambda: len(plan(bank, "restart-1")["missing"]) == 3, 30, "both are told of")
    missing = " ".join(plan(bank, "restart-1")["missing"])
    assert "is by alice, who asked for this plan: another person has to approve it" in missing
    assert "by bob is for sha256:00000000, and this plan is now" in missing
    edited = bank.lab.asks(
        "-n", BANK, "patch", "changeplan", "restart-1", "--type=merge", "-p", '{"spec":{"reason":"x"}}'
    )
    assert "reason is immutable" in edited.stderr
    assert plan(bank, "restart-1")["state"] == "AwaitingApproval"


def told(bank: Bank) -> str:
    return f"the plan ends; {plan(bank, 'restart-1')}"


def is_announced(outside: Outside, identity: str) -> bool:
    """Whether the outside node knows the bank's direction of the channel as usable."""
    edges = outside.lncli("describegraph", "--include_unannounced").get("edges", [])
    ours = [one["node1_policy" if one["node1_pub"] == identity else "node2_policy"] for one in edges]
    return bool(ours) and not any(policy is None or policy["disabled"] for policy in ours)


def approved(bank: Bank, name: str) -> None:
    """Asked for by alice, approved by bob as it is shown."""
    made(bank, "alice", restart(name))
    shown = await_state(bank, name, "AwaitingApproval", within=60)
    made(bank, "bob", approval(f"{name}-bob", name, "bob", shown["hash"]))


@contextmanager
def stuck_payment(bank: Bank, outside: Outside) -> Iterator[str]:
    """lnd1 pays an invoice that its receiver neither settles nor cancels before the end; its payment hash."""
    digest = sha256(secret := secrets.token_bytes(32)).hexdigest()
    invoice = outside.lncli("addholdinvoice", digest, "--amt=1000")["payment_request"]
    words = ("payinvoice", "--force", "--json", "--timeout=600s", invoice)
    paying = subprocess.Popen(bank.lncli_command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: len(htlcs(bank)) == 1, 30, "the payment is on its way")
        yield digest
    finally:
        outside.lncli("settleinvoice", secret.hex())
        eventually(lambda: not htlcs(bank), 60, "the payment has ended")
        paying.terminate()


def htlcs(bank: Bank) -> list[Manifest]:
    return [one for channel in bank.as_api("listchannels")["channels"] for one in channel["pending_htlcs"]]


def test_a_stuck_payment_that_would_not_outlast_a_restart_forbids_it(bank: Bank, outside: Outside) -> None:
    pod = bank.get("pod", "lnd1-0")["metadata"]["uid"]
    bank.kubectl("patch", "lndnode", "lnd1", "--type=merge", "-p", '{"spec":{"recycle":{"maxDowntimeBlocks":144}}}')
    with stuck_payment(bank, outside) as digest:
        approved(bank, "restart-short")
        told = await_state(bank, "restart-short", "Failed", within=60)["message"]
        print(told)
        for words in (f"the outgoing HTLC of 1000 sat of payment {digest[:16]}", "blocks left", "needs more than 144"):
            assert words in told
        assert "LND is not stopped. Wait until this payment is settled or failed" in told
        eventually(lambda: "traffic" not in status(bank), 30, "payments may come again")
    assert bank.get("pod", "lnd1-0")["metadata"]["uid"] == pod
    bank.kubectl("patch", "lndnode", "lnd1", "--type=json", "-p", '[{"op":"remove","path":"/spec/recycle"}]')


def test_a_stuck_payment_with_room_is_waited_for_and_lnd_stops_after_its_end(bank: Bank, outside: Outside) -> None:
    with stuck_payment(bank, outside):
        approved(bank, "restart-waits")
        waiting = "1 HTLCs are pending"
        eventually(
            lambda: waiting in plan(bank, "restart-waits")["message"], 60, lambda: str(plan(bank, "restart-waits"))
        )
        assert bank.get("pod", "lnd1-0")["metadata"].get("deletionTimestamp") is None
    ended = await_state(bank, "restart-waits", "Succeeded", within=240)
    assert "0 pending HTLCs" in next(one["evidence"] for one in ended["steps"] if one["name"] == stages.DRAIN)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_operator_that_is_killed_within_a_restart_ends_it_all_the_same(
    bank: Bank, operator: Operator, seed: int
) -> None:
    before, money, name = status(bank), bank.as_api("channelbalance"), f"restart-killed-{seed}"
    approved(bank, name)
    elapsed(random.Random(seed).uniform(0, 14))  # noqa: S311 - a seeded draw
    print(
        f"killed in {next((one['name'] for one in plan(bank, name)['steps'] if one['state'] == 'Running'), 'no step')}"
    )
    operator.kill()
    await_state(bank, name, "Succeeded", within=300)
    eventually(lambda: is_well(bank), 60, "lnd1 is well")
    assert status(bank)["identityPubkey"] == before["identityPubkey"]
    assert bank.as_api("channelbalance")["local_balance"] == money["local_balance"]
    assert stages.PROOF not in bank.get("pod", "lnd1-0")["metadata"].get("finalizers", [])
    # Another pod: one that has died often is let wait for minutes by its kubelet.
    operator.scale(0)
    operator.scale(1)


def test_an_lnd_that_is_killed_within_a_restart_is_the_same_afterwards(bank: Bank) -> None:
    before, money = status(bank), bank.as_api("channelbalance")
    approved(bank, "restart-lnd-killed")
    eventually(lambda: status(bank).get("traffic") == "Draining", 30, "it has begun")
    # Its plan stops it within a second: it may be the process after that.
    eventually(lambda: is_killed(bank, "lnd1-0"), 60, "an LND is killed")
    assert plan(bank, "restart-lnd-killed")["state"] == "Running"
    await_state(bank, "restart-lnd-killed", "Succeeded", within=300)
    eventually(lambda: is_well(bank), 60, "lnd1 is well")
    assert status(bank)["identityPubkey"] == before["identityPubkey"]
    assert bank.as_api("channelbalance")["local_balance"] == money["local_balance"]


def test_what_was_done_once_is_not_done_again_because_git_puts_it_back(bank: Bank) -> None:
    bank.kubectl("delete", "changeplan", "restart-1")
    made(bank, "alice", restart("restart-1"))
    refused = await_state(bank, "restart-1", "Refused")
    assert "what was done once is not done again" in refused["message"]


def test_the_journal_has_it_in_a_chain(bank: Bank) -> None:
    read = journal.read(bank.get("configmap", journal.NAME))
    assert [entry.plan for entry in read.entries][:1] == ["restart-1"]
    assert journal.check(read) == ()


def test_a_changed_spec_asks_for_its_own_restart_and_set_back_for_none(bank: Bank, operator: Operator) -> None:
    alias = bank.as_api("getinfo")["alias"]
    renames(bank, "asked-for")
    name = eventually_asked(bank)
    await_state(bank, name, "AwaitingApproval")
    eventually(lambda: name in bank.condition("LndNode", "lnd1", "ChangePending")["message"], 30, "it is named")
    renames(bank, alias)
    assert "withdrawn by the operator" in await_state(bank, name, "Cancelled")["message"]
    eventually(lambda: not bank.condition("LndNode", "lnd1", "ChangePending"), 30, "nothing waits")

    renames(bank, "asked-for")
    again = eventually_asked(bank)
    assert again != name
    shown = await_state(bank, again, "AwaitingApproval")
    made(bank, "bob", approval(f"{again}-bob", again, "bob", shown["hash"]))
    await_state(bank, again, "Succeeded", within=240)
    assert bank.as_api("getinfo")["alias"] == "asked-for"
    eventually(lambda: not bank.condition("LndNode", "lnd1", "ChangePending"), 30, "nothing waits")
    eventually(lambda: is_well(bank), 60, "lnd1 is well")
    assert asked(bank) == []
    assert operator.forbidden() == []


def renames(bank: Bank, alias: str) -> None:
    change = [{"op": "replace", "path": "/spec/config", "value": [{"key": "alias", "value": alias}]}]
    bank.kubectl("patch", "lndnode", "lnd1", "--type=json", "-p", json.dumps(change))


def asked(bank: Bank) -> list[str]:
    """Open plans that the operator itself asked for."""
    plans = [one for one in bank.get("changeplans")["items"] if one["spec"]["requestedBy"] == OPERATOR]
    return [one["metadata"]["name"] for one in plans if one.get("status", {}).get("state") not in FINISHED]


def eventually_asked(bank: Bank) -> str:
    eventually(lambda: len(asked(bank)) == 1, 30, lambda: f"the operator asks for one plan; {asked(bank)}")
    return asked(bank)[0]


def test_without_the_policy_nobody_s_approval_is_believed(bank: Bank, lab: Lab) -> None:
    lab.kubectl("delete", "validatingadmissionpolicybinding", "bankstack-approvals")
    try:
        made(bank, "alice", restart("restart-2"))
        refused = await_state(bank, "restart-2", "Refused", within=60)
        assert "bankstack-plans is not in force" in refused["message"]
    finally:
        Operator.deployed(lab, BANK)
