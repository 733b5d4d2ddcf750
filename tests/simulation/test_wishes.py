"""A changed spec asks for its own Restart: one plan for one wish, whatever happens, and nothing without people."""

import asyncio
from typing import Any

import pytest

from bankstack.engine.objects import CHANGE_PLAN, NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, Manifest
from bankstack.kinds.lndnode import children
from bankstack.plans import journal
from bankstack.plans.desk import Desk

from .apiserver import Key
from .bank import WRITES, Bank
from .faults import Fault, When, at, every_first, none, some
from .oracle import laws_hold
from .test_bad_days import FAULTS
from .test_crash_anywhere import ALL
from .test_restart import CHANNELS, asked, book, image, looked_at, pods_made

US = "system:serviceaccount:bankstack-system:bankstack-operator"
CRASH = Fault("crash", When.AFTER)


async def open_bank(**world: Any) -> Bank:  # noqa: ANN401 - as World takes them
    """A bank whose operator asks for plans in its own name."""
    bank = await Bank(plans=Desk(US), **world).opens().settle(6000)
    bank.channels(*CHANNELS)
    return await looked_at(bank)


async def changed(bank: Bank, version: str = "v0.21.3-beta") -> Bank:
    bank.changes("lnd1", lambda spec: spec.update(version=version))
    return await bank.settle(6000)


def plans(bank: Bank) -> list[str]:
    return sorted(key.name for key in bank.server.all() if key.type == CHANGE_PLAN)


def states(bank: Bank) -> list[str]:
    return sorted(bank.plan(name).get("state", "") for name in plans(bank))


def only(bank: Bank) -> str:
    (name,) = plans(bank)
    return name


def pending(bank: Bank) -> str:
    return next((one["message"] for one in bank.status("lnd1")["conditions"] if one["type"] == "ChangePending"), "")


async def agreed(bank: Bank, name: str) -> Bank:
    bank.approves(name)
    return await bank.settle(6000)


def edits(bank: Bank, name: str, **spec: Any) -> None:  # noqa: ANN401 - of a ChangePlan
    bank.server.edit(bank.key(CHANGE_PLAN, name), lambda one: one["spec"].update(spec), "kubectl")


async def test_a_changed_spec_asks_for_a_restart_which_people_approve_and_then_nothing_is_pending() -> None:
    bank = await changed(await open_bank())
    name = only(bank)
    spec = (bank.live(CHANGE_PLAN, name) or {})["spec"]
    assert (spec["requestedBy"], spec["operation"], spec["target"]["name"]) == (US, "Restart", "lnd1")
    assert "spec of LndNode lnd1 was changed (version)" in spec["reason"]
    assert (bank.plan(name)["state"], pods_made(bank)) == ("AwaitingApproval", 1)
    assert f"ChangePlan {name} does it once it is approved" in pending(bank)
    assert "AskedByOperator" in [reason for _, reason, _ in bank.server.announced]
    await agreed(bank, name)
    assert (bank.plan(name)["state"], pods_made(bank), image(bank)) == (
        "Succeeded", 2, "lightninglabs/lnd:v0.21.3-beta",
    )  # fmt: skip
    assert (pending(bank), plans(bank)) == ("", [name])
    laws_hold(bank)


async def test_while_its_plan_waits_nothing_is_written() -> None:
    bank = await changed(await open_bank())
    written = len(bank.server.written)
    for _ in range(3):
        await looked_at(bank, later=30)
    assert bank.server.written[written:] == []


async def test_a_change_that_is_set_back_withdraws_its_plan_and_made_again_asks_again() -> None:
    bank = await changed(await open_bank())
    name = only(bank)
    await changed(bank, "v0.21.2-beta")
    assert (states(bank), pending(bank), pods_made(bank)) == (["Cancelled"], "", 1)
    assert "withdrawn by the operator before it began" in bank.plan(name)["message"]
    await changed(bank)
    assert states(bank) == ["AwaitingApproval", "Cancelled"]
    assert [one.removesuffix("-1") for one in plans(bank)] == [name[:-2], f"{name[:-2]}-2"]


async def test_another_change_is_another_plan_and_nobody_approves_the_former() -> None:
    bank = await changed(await open_bank())
    former = only(bank)
    await changed(bank, "v0.21.4-beta")
    (latter,) = [name for name in plans(bank) if name != former]
    assert (bank.plan(former)["state"], bank.plan(latter)["state"]) == ("Cancelled", "AwaitingApproval")
    assert latter in pending(bank)
    await agreed(bank, former)
    assert pods_made(bank) == 1


async def test_back_and_forth_with_restarts_each_change_has_its_plan() -> None:
    bank = await open_bank()
    for number, version in enumerate(("v0.21.3-beta", "v0.21.4-beta", "v0.21.5-beta"), 2):
        before = set(plans(await changed(bank, version)))
        (waiting,) = [name for name in before if bank.plan(name)["state"] == "AwaitingApproval"]
        await agreed(bank, waiting)
        assert (bank.plan(waiting)["state"], pods_made(bank)) == ("Succeeded", number)
    assert states(bank) == ["Succeeded"] * 3


@pytest.mark.parametrize("end", ["cancelled", "expired", "refused"])
async def test_a_plan_that_ended_otherwise_is_not_made_again_by_itself_but_once_it_is_deleted(end: str) -> None:
    bank = await open_bank()
    bank.server.guards_names = end != "refused"
    name = only(await changed(bank))
    if end == "cancelled":
        edits(bank, name, cancelled=True)
        await bank.settle(6000)
    if end == "expired":
        await looked_at(bank, later=29 * 86_400)
    bank.server.guards_names = True
    await looked_at(bank, later=60)
    assert (plans(bank), states(bank)) == ([name], [end.capitalize()])
    assert f"is {end.capitalize()}, and it is not asked for again by itself. Delete that plan" in pending(bank)
    bank.server.delete(bank.key(CHANGE_PLAN, name))
    await looked_at(bank, later=60)
    assert states(bank) == ["AwaitingApproval"]
    assert only(bank) in pending(bank)


async def test_a_plan_that_people_made_is_enough_and_the_operator_asks_for_none() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    await asked(bank)
    await changed(bank)
    assert "ChangePlan restart does it" in pending(bank)
    bank.changes("lnd1", lambda spec: spec.update(paused=False))
    await bank.settle(6000)
    assert plans(bank) == ["restart"]
    await agreed(bank, "restart")
    assert (states(bank), pending(bank)) == (["Succeeded"], "")


async def test_a_person_who_is_faster_leaves_the_operator_s_plan_with_nothing_to_do() -> None:
    bank = await changed(await open_bank())
    ours = only(bank)
    await agreed(await asked(bank), "restart")
    assert (bank.plan("restart")["state"], bank.plan(ours)["state"], pods_made(bank)) == ("Succeeded", "Cancelled", 2)


async def test_paused_nothing_is_asked_for_and_then_it_is() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    await changed(bank)
    assert plans(bank) == []
    assert "as soon as spec.paused is false" in pending(bank)
    bank.changes("lnd1", lambda spec: spec.update(paused=False))
    await bank.settle(6000)
    assert states(bank) == ["AwaitingApproval"]


async def test_a_node_that_is_being_deleted_asks_for_nothing() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(version="v0.21.3-beta"))
    bank.deletes("lnd1")
    await bank.settle(6000)
    assert plans(bank) == []


async def test_what_lnd_does_not_run_with_asks_for_nothing() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(recycle={"maxDowntimeBlocks": 9}, liquidity={"minInboundSat": 5}))
    await bank.settle(6000)
    assert (plans(bank), pending(bank)) == ([], "")


async def test_a_newer_operator_that_writes_it_otherwise_says_so_and_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = await open_bank()
    monkeypatch.setattr(children, "GRACE_SECONDS", 601)
    await looked_at(bank, later=60)
    assert (plans(bank), pods_made(bank)) == ([], 1)
    assert "Nothing in the spec changed" in pending(bank)
    await changed(bank)
    assert states(bank) == ["AwaitingApproval"]
    await changed(bank, "v0.21.2-beta")
    assert states(bank) == ["Cancelled"]


async def test_an_edited_journal_keeps_a_plan_from_being_made_and_nothing_else() -> None:
    bank = await open_bank()
    head: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": journal.NAME}}
    bank.server.create(bank.key(journal.REF.type, journal.NAME), {**head, "data": {"begun": "x"}}, "kubectl")
    await changed(bank)
    assert plans(bank) == []
    assert bank.conditions("lnd1")["Ready"] == ("True", "JournalUnreadable")


# A Kubernetes node that is to be emptied


def placed(bank: Bank, where: str, *, cordoned: bool = False) -> None:
    """LND's pod is on this node."""
    cluster_node = Key(NODE, "", where)
    if cluster_node not in bank.server.objects:
        bank.server.create(cluster_node, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": where}}, "kubelet")
    bank.server.edit(cluster_node, lambda one: one.update(spec={"unschedulable": cordoned}), "kubectl")
    bank.server.edit(bank.key(POD, "lnd1-0"), lambda one: one["spec"].update(nodeName=where), "scheduler")


async def cordoned(bank: Bank) -> Bank:
    placed(bank, "worker-1", cordoned=True)
    return await looked_at(bank, later=30)


async def test_a_cordon_asks_for_a_restart_and_elsewhere_nothing_is_pending() -> None:
    bank = await open_bank()
    placed(bank, "worker-1")
    assert plans(await looked_at(bank, later=30)) == []
    name = only(await cordoned(bank))
    assert bank.conditions("lnd1")["ChangePending"] == ("True", "NodeCordoned")
    assert f"ChangePlan {name} does it once it is approved" in pending(bank)
    await agreed(bank, name)
    placed(bank, "worker-2")
    await looked_at(bank, later=30)
    assert (states(bank), pending(bank), pods_made(bank), bank.is_ready("lnd1")) == (["Succeeded"], "", 2, True)


async def test_a_node_that_is_uncordoned_keeps_its_lnd() -> None:
    bank = await cordoned(await open_bank())
    placed(bank, "worker-1")
    await looked_at(bank, later=30)
    assert (states(bank), pending(bank), pods_made(bank)) == (["Cancelled"], "", 1)


async def test_an_lnd_whose_volume_is_on_the_cordoned_node_is_not_asked_away_from_it() -> None:
    bank = await open_bank()
    claim = bank.key(PERSISTENT_VOLUME_CLAIM, "lnd1-data")
    bank.server.edit(claim, lambda one: one["spec"].update(volumeName="pv-1"), "kube-controller-manager")
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-1"]}]}]
    volume: Manifest = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}}
    volume["spec"] = {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}
    bank.server.create(Key(PERSISTENT_VOLUME, "", "pv-1"), volume, "provisioner")
    await cordoned(bank)
    assert (plans(bank), bank.is_ready("lnd1")) == ([], True)
    assert "LND's volume is on that node only: stopped now, LND would stay down" in pending(bank)


@pytest.mark.parametrize("status", [403, 500, 0])
async def test_where_nodes_cannot_be_read_all_else_works_and_nothing_is_concluded(status: int) -> None:
    bank = await cordoned(await open_bank())
    bank.calls.schedule = lambda _, words: Fault(status) if words.startswith("get Node") else None
    await looked_at(bank, later=30)
    assert (states(bank), bank.is_ready("lnd1")) == (["AwaitingApproval"], True)
    bank.server.delete(bank.key(CHANGE_PLAN, only(bank)))
    await looked_at(bank, later=30)
    assert (plans(bank), pending(bank), bank.is_ready("lnd1")) == ([], "", True)


# Whatever befalls the operator


async def story(**world: Any) -> Bank:  # noqa: ANN401 - as World takes them
    """A change, set back, made again, approved."""
    bank = await changed(await changed(await open_bank(**world)), "v0.21.2-beta")
    await changed(bank)
    (name,) = [one for one in plans(bank) if bank.plan(one)["state"] == "AwaitingApproval"]
    return await agreed(bank, name)


def went_well(bank: Bank) -> None:
    assert (states(bank), pods_made(bank), pending(bank)) == (["Cancelled", "Succeeded"], 2, "")
    assert image(bank) == "lightninglabs/lnd:v0.21.3-beta"
    assert [entry.state for entry in book(bank).entries] == ["Cancelled", "Succeeded"]
    laws_hold(bank)


def points() -> list[int]:
    calls = list(enumerate(asyncio.run(story()).calls.made, 1))
    first = next(number for number, call in calls if call.startswith("create ChangePlan"))
    writes = [number for number, call in calls if number >= first and (ALL or call.startswith(WRITES))]
    return writes if ALL else writes[:12]


@pytest.mark.parametrize("point", points())
async def test_a_crash_after_this_call_changes_nothing_in_the_end(point: int) -> None:
    bank = await story(schedule=at(point, CRASH))
    assert bank.restarts == 1
    went_well(bank)


async def test_an_operator_that_dies_after_every_new_thing_it_does_still_gets_there() -> None:
    went_well(await story(schedule=every_first(CRASH)))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_every_call_fails_the_first_time(fault: Fault) -> None:
    went_well(await story(schedule=every_first(fault)))


@pytest.mark.parametrize("seed", range(4))
async def test_two_operators_at_once_ask_once(seed: int) -> None:
    bank = await open_bank(operators=2)
    bank.changes("lnd1", lambda spec: spec.update(version="v0.21.3-beta"))
    await bank.interleaved(seed, 6000)
    name = only(bank)
    bank.approves(name)
    await bank.interleaved(seed, 6000)
    assert (states(bank), plans(bank), pods_made(bank), pending(bank)) == (["Succeeded"], [name], 2, "")
    laws_hold(bank)


@pytest.mark.parametrize("behind", [1, 5])
async def test_reads_that_are_old_make_no_second_plan_that_anybody_could_approve(behind: int) -> None:
    bank = await open_bank()
    bank.calls.schedule = some(behind, 0.2, (Fault("stale", behind=behind),), len(bank.calls.made) + 400)
    await changed(bank)
    bank.calls.schedule = none
    await looked_at(bank, later=60)
    assert states(bank).count("AwaitingApproval") == 1
    assert set(states(bank)) <= {"AwaitingApproval", "Cancelled"}
    assert pods_made(bank) == 1
