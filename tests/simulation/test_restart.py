"""A Restart plan on a bank in memory: it goes through with proof, or stays where it is and says what is missing."""

import asyncio
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Htlc
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, SECRET, STATEFUL_SET, Manifest
from bankstack.kinds.lndnode import stages
from bankstack.plans import journal
from bankstack.plans.desk import Desk

from .bank import LND_NODE, Bank
from .faults import Fault
from .oracle import laws_hold
from .test_children import lives as uids

CHANNELS = ("aa:0", "bb:1")


async def open_bank(**world: Any) -> Bank:  # noqa: ANN401 - as World takes them
    """A bank whose LND has channels, and whose operator knows of plans."""
    bank = await Bank(plans=Desk(), **world).opens().settle(6000)
    bank.channels(*CHANNELS)
    return await looked_at(bank)


async def looked_at(bank: Bank, *, later: float = 0) -> Bank:
    """Some time later every resource is looked at again."""
    bank.now += timedelta(seconds=later)
    for operator in bank.operators:
        operator.resync()
    return await bank.settle(6000)


async def asked(bank: Bank, **spec: Any) -> Bank:  # noqa: ANN401 - of a ChangePlan
    bank.asks(**spec)
    return await bank.settle(6000)


async def approved(bank: Bank) -> Bank:
    bank.approves()
    return await bank.settle(6000)


async def restarted(bank: Bank) -> Bank:
    return await approved(await asked(bank))


@cache
def reference() -> Bank:
    async def told() -> Bank:
        return await restarted(await open_bank())

    return asyncio.run(told())


def steps(bank: Bank, name: str = "restart") -> dict[str, str]:
    return {one["name"]: one["state"] for one in bank.plan(name).get("steps", [])}


def evidence(bank: Bank, step: str) -> str:
    return next(str(one["evidence"]) for one in bank.plan()["steps"] if one["name"] == step)


def book(bank: Bank) -> journal.Journal:
    return journal.read(bank.live(journal.REF.type, journal.NAME))


def pods_made(bank: Bank) -> int:
    return sum(line.startswith("create Pod lnd1-0") for line in bank.server.written)


def went_well(bank: Bank) -> None:
    """One restart, proved, and all is as it was."""
    plan, pod = bank.plan(), bank.live(POD, "lnd1-0")
    assert (plan["state"], set(steps(bank).values())) == ("Succeeded", {"Done"}), plan
    assert pod is not None
    assert not stages.is_held(pod)
    assert pods_made(bank) == 2, "LND was stopped once"
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    assert "traffic" not in bank.status("lnd1")
    assert (bank.disk.channels, bank.disk.disabled) == (set(CHANNELS), set())
    ended = [entry.state for entry in book(bank).entries]
    assert (ended, book(bank).active, journal.check(book(bank))) == (["Succeeded"], {}, ())
    laws_hold(bank)


def test_a_restart_goes_through_its_steps_and_says_what_it_saw() -> None:
    bank = reference()
    went_well(bank)
    evidence = {one["name"]: one["evidence"] for one in bank.plan()["steps"]}
    assert evidence["Drain"] == "0 pending HTLCs at height 100"
    assert "exit code 0" in evidence["Stop"]
    assert evidence["Renew"] == "nothing had to be changed"
    assert evidence["Reconcile"].startswith("same identity, 2 channels of which 2 active (before: 2), 1000000 sat")
    assert bank.plan()["approvedBy"] == ["bob"]


async def test_the_pass_that_begins_comes_as_far_as_an_api_s_word() -> None:
    """Each pass under load is half a second for which payments go elsewhere: none of them only asks."""
    bank = await asked(await open_bank())
    bank.approves()
    await bank.operators[0].step(bank.key(LND_NODE, "lnd1"))
    assert steps(bank)["Check"] == "Done"


def test_the_events_of_a_plan_are_its_states() -> None:
    told = [reason for _, reason, _ in reference().server.announced]
    assert [one for one in told if one in ("AwaitingApproval", "Running", "Succeeded")] == [
        "AwaitingApproval", "Running", "Succeeded",
    ]  # fmt: skip


async def test_a_change_that_waits_for_a_restart_is_applied_by_it_and_by_nothing_else() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(version="v0.21.3-beta"))
    await bank.settle(3000)
    assert bank.conditions("lnd1")["ChangePending"] == ("True", "NeedsRestart")
    await restarted(bank)
    went_well(bank)
    assert image(bank) == "lightninglabs/lnd:v0.21.3-beta"
    assert evidence(bank, "Renew") == "changed: version"
    assert "ChangePending" not in bank.conditions("lnd1")


def image(bank: Bank) -> str:
    pod = bank.live(POD, "lnd1-0")
    return str(pod["spec"]["containers"][0]["image"]) if pod else ""


async def test_what_was_not_approved_is_not_applied() -> None:
    """An edit between the approval and the start waits for a plan of its own."""
    bank = await open_bank()
    await asked(bank)
    bank.disk.htlcs.append(htlc(left=500))
    await approved(bank)
    assert steps(bank)["Drain"] == "Running"
    bank.changes("lnd1", lambda spec: spec.update(version="v0.21.3-beta"))
    bank.disk.htlcs.clear()
    await looked_at(bank)
    went_well(bank)
    assert image(bank) == "lightninglabs/lnd:v0.21.2-beta"
    assert "another than when the plan was approved" in evidence(bank, "Renew")
    assert bank.conditions("lnd1")["ChangePending"] == ("True", "NeedsRestart")


def htlc(left: int, *, incoming: bool = False) -> Htlc:
    """One that has so many blocks left."""
    return Htlc("aa:0", incoming, 1000, 100 + left + (16 if incoming else 0), "f" * 64)


# Payments on their way


@pytest.mark.parametrize("incoming", [False, True])
async def test_a_stuck_payment_without_room_refuses_the_stop_and_names_itself(incoming: bool) -> None:  # noqa: FBT001
    bank = await open_bank()
    bank.disk.htlcs.append(htlc(left=6, incoming=incoming))
    await restarted(bank)
    plan = bank.plan()
    assert (plan["state"], steps(bank)["Drain"]) == ("Failed", "Failed")
    assert "channel aa:0 has 6 blocks left at height 100, and a restart needs more than 6" in plan["message"]
    assert "make another plan" in plan["message"]
    assert pods_made(bank) == 1
    assert (bank.disk.disabled, bank.is_ready("lnd1"), "traffic" in bank.status("lnd1")) == (set(), True, False)
    laws_hold(bank)


async def test_a_stuck_payment_with_room_is_waited_for_and_then_outlasts_the_restart() -> None:
    bank = await open_bank()
    bank.disk.htlcs.append(htlc(left=7))
    await restarted(bank)
    assert (bank.plan()["state"], steps(bank)["Drain"]) == ("Running", "Running")
    assert "They are waited for until" in bank.plan()["message"]
    assert bank.status("lnd1")["traffic"] == "Draining"
    assert bank.disk.disabled == set(CHANNELS)
    assert pods_made(bank) == 1
    await looked_at(bank, later=1801)
    went_well(bank)
    assert "7 blocks left at height 100, more than the 6" in evidence(bank, "Drain")


async def test_a_margin_that_shrinks_while_it_is_waited_for_gives_the_restart_up() -> None:
    bank = await open_bank()
    bank.disk.htlcs.append(htlc(left=8))
    await restarted(bank)
    bank.disk.height += 2
    await looked_at(bank, later=60)
    assert bank.plan()["state"] == "Failed"
    assert "6 blocks left at height 102" in bank.plan()["message"]
    assert (bank.disk.disabled, pods_made(bank)) == (set(), 1)


async def test_a_payment_that_came_after_the_drain_is_seen_before_the_stop() -> None:
    """It arrives with the very call that holds the pod, the last one before LND would be stopped."""
    bank = await open_bank()
    await asked(bank)
    schedule = bank.calls.schedule

    def arrives(number: int, words: str) -> Fault | None:
        if words.startswith("finalize Pod") and not bank.disk.htlcs:
            bank.disk.htlcs.append(htlc(left=3))
        return schedule(number, words)

    bank.calls.schedule = arrives
    await approved(bank)
    assert (bank.plan()["state"], steps(bank)["Stop"]) == ("Failed", "Failed")
    assert "LND is not stopped" in bank.plan()["message"]
    pod = bank.live(POD, "lnd1-0")
    assert pod is not None
    assert not stages.is_held(pod)
    assert (bank.disk.disabled, pods_made(bank)) == (set(), 1)


async def test_a_channel_whose_peer_leaves_meanwhile_is_given_back_to_lnd() -> None:
    bank = await open_bank()
    bank.disk.htlcs.append(htlc(left=8))
    await restarted(bank)
    assert bank.disk.disabled == set(CHANNELS)
    bank.disk.inactive.add("bb:1")
    bank.disk.height += 2
    await looked_at(bank)
    assert bank.plan()["state"] == "Failed"
    told = {one for one in bank.calls.made if one.startswith("lnd Update")}
    assert told == {f"lnd UpdateChanStatus {one}" for one in ("DISABLE", "ENABLE", "AUTO")}
    assert bank.disk.disabled == {"bb:1"}
    assert "traffic" not in bank.status("lnd1")


# Proof


async def test_a_pod_that_was_deleted_by_force_on_a_node_nobody_reaches_is_not_gone() -> None:
    bank = await open_bank()
    await asked(bank)
    bank.is_cut_off()
    await approved(bank)
    assert steps(bank)["Stop"] == "Running"
    bank.force_deletes()
    for hour in range(3):
        await looked_at(bank, later=3600 * hour)
    assert (bank.plan()["state"], steps(bank)["Stop"], pods_made(bank)) == ("Running", "Running", 1)
    assert "two LNDs of one wallet lose its money" in bank.plan()["message"]
    # The node is back: its kubelet says that LND ended.
    bank.server.cut_off.clear()
    bank.lnds.haunted.clear()
    await looked_at(bank)
    went_well(bank)


async def test_a_pod_whose_end_nobody_saw_keeps_lnd_stopped() -> None:
    bank = await open_bank()
    await asked(bank)
    bank.is_cut_off()
    await approved(bank)
    bank.server.remove(bank.key(POD, "lnd1-0"))
    for hour in range(3):
        await looked_at(bank, later=3600 * hour)
    assert (bank.plan()["state"], pods_made(bank)) == ("Running", 1)
    assert "nobody saw its processes end" in bank.plan()["message"]
    laws_hold(bank)


async def test_without_the_proof_a_second_lnd_would_run() -> None:
    """The oracle sees what the finalizer prevents."""
    bank = await open_bank()
    bank.is_cut_off()
    bank.force_deletes()
    await looked_at(bank)
    with pytest.raises(AssertionError, match="two LNDs ran on one volume"):
        laws_hold(bank)


async def test_money_that_is_missing_keeps_the_plan_and_says_so() -> None:
    bank = await open_bank()
    await asked(bank)
    schedule = bank.calls.schedule

    def loses(number: int, words: str) -> Fault | None:
        if words.startswith("apply StatefulSet lnd1"):
            bank.disk.local_sat = 900_000
        return schedule(number, words)

    bank.calls.schedule = loses
    await approved(bank)
    assert (bank.plan()["state"], steps(bank)["Reconcile"]) == ("Running", "Running")
    assert "holds 99998 sat less than before" in bank.plan()["message"]
    bank.disk.sent_msat = 99_998_000
    await looked_at(bank)
    assert bank.plan()["state"] == "Succeeded"


async def test_a_forgotten_channel_keeps_the_plan_and_the_backup() -> None:
    bank = await open_bank()
    await asked(bank)
    schedule = bank.calls.schedule

    def forgets(number: int, words: str) -> Fault | None:
        if words.startswith("apply StatefulSet lnd1"):
            bank.disk.channels.discard("aa:0")
        return schedule(number, words)

    bank.calls.schedule = forgets
    await approved(bank)
    assert (bank.plan()["state"], steps(bank)["Reconcile"]) == ("Running", "Running")
    assert "LND no longer knows channel aa:0" in bank.plan()["message"]


# The resource goes meanwhile


@pytest.mark.parametrize("phase", ["Drain", "Stop"])
async def test_a_node_that_is_deleted_ends_its_plan_and_stops_with_its_data_kept(phase: str) -> None:
    bank = await open_bank()
    data = uids(bank, PERSISTENT_VOLUME_CLAIM, SECRET)
    await asked(bank)
    if phase == "Drain":
        bank.disk.htlcs.append(htlc(left=100))
    else:
        bank.is_cut_off()
    await approved(bank)
    assert steps(bank)[phase] == "Running"
    bank.deletes("lnd1")
    await bank.settle(6000)
    assert bank.plan()["state"] == "Failed"
    assert "is being deleted" in bank.plan()["message"]
    bank.server.cut_off.clear()
    bank.lnds.haunted.clear()
    await looked_at(bank)
    assert bank.live(POD, "lnd1-0") is None
    assert bank.live(STATEFUL_SET, "lnd1") is None
    assert uids(bank, PERSISTENT_VOLUME_CLAIM, SECRET) == data


async def test_a_namespace_that_goes_is_not_held_up_by_a_held_pod() -> None:
    bank = await open_bank()
    await asked(bank)
    bank.is_cut_off()
    await approved(bank)
    pod = bank.live(POD, "lnd1-0")
    assert stages.is_held(pod)
    namespace: Manifest = bank.server.objects[home(bank)].manifest
    bank.server.delete(home(bank))
    del namespace
    await looked_at(bank)
    bank.server.cut_off.clear()
    await looked_at(bank)
    assert [key for key in bank.server.all() if key.namespace == "bank"] == []


def home(bank: Bank) -> Any:  # noqa: ANN401 - a key
    return next(key for key in bank.server.all("Namespace") if key.name == "bank")


def test_a_step_is_never_held_against_what_was_seen_before_it_was_written() -> None:
    """The plans are listed before anything else of a pass, and LND is asked when the running one is known."""
    passes: list[list[str]] = []
    for call in reference().calls.made:
        if call == "get LndNode lnd1":
            passes.append([])
        elif passes:
            passes[-1].append(call)
    assert {one[0] for one in passes if one} == {"list ChangePlan"}
    planned = [one for one in passes if "get ConfigMap bankstack-journal" in one]
    assert len(planned) > 8
    for one in planned:
        asked_lnd = next((at for at, call in enumerate(one) if call.startswith("lnd ")), len(one))
        assert one.index("get ConfigMap bankstack-journal") < asked_lnd, one
    waiting = [one for one in planned if "list PlanApproval" in one]
    assert 0 < len(waiting) < len(planned), "approvals are read while it waits, and not any more when it has begun"
    assert all(one.index("list PlanApproval") < one.index("get ConfigMap bankstack-journal") for one in waiting)
