"""One pass over a toy resource, on the simulated API server: what it may and may never do."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation import toy
from tests.simulation.apiserver import Key
from tests.simulation.faults import Fault, When, always
from tests.simulation.toy import TOY
from tests.simulation.world import NAMESPACE, World

from bankstack.engine.decision import AT_ONCE, Ask, Decision
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient, Waiting
from bankstack.engine.objects import (
    CONFIG_MAP,
    FINALIZER,
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    STATEFUL_SET,
    Manifest,
    Ref,
)
from bankstack.engine.objects import NAMESPACE as NAMESPACES
from bankstack.engine.operation import RUNNING
from bankstack.engine.ports import Cluster, Kind
from bankstack.engine.reconcile import Outcome, reconcile

WRITES = ("apply", "create", "delete", "status", "finalize")


def writes(world: World, since: int = 0) -> list[str]:
    return [call for call in world.calls.made[since:] if call.startswith(WRITES)]


async def one_pass(world: World, kind: Kind = toy.KIND) -> Outcome:
    return await reconcile(kind, "one", NAMESPACE, world.operators[0].cluster, lambda: world.now)


def conditions(world: World) -> dict[str, tuple[str, str]]:
    live = world.live(TOY, "one") or {}
    return {one["type"]: (one["status"], one["reason"]) for one in live["status"]["conditions"]}


def declared(**spec: Any) -> World:  # noqa: ANN401 - what a user writes
    world = World(toy.KIND)
    world.user_applies(TOY, toy.manifest(**spec))
    return world


def deciding(decision: Decision) -> Kind:
    return replace(toy.KIND, decide=lambda _subject, _facts, _now: decision)


async def test_the_finalizer_is_the_first_write() -> None:
    world = declared()
    await one_pass(world)
    assert writes(world)[0] == "finalize Toy one"
    assert (world.live(TOY, "one") or {})["metadata"]["finalizers"] == [FINALIZER]


async def test_no_child_is_made_when_the_finalizer_was_refused() -> None:
    world = declared()
    world.calls.schedule = always("finalize", Fault(409))
    with pytest.raises(Interrupted):
        await one_pass(world)
    assert writes(world) == ["finalize Toy one"]


async def test_a_resource_comes_to_be_as_declared_and_says_so() -> None:
    world = await declared().settle()
    assert conditions(world) == {"Ready": ("True", "AsDeclared"), "Kept": ("True", "Kept")}
    status = (world.live(TOY, "one") or {})["status"]
    assert (status["observedGeneration"], status["pinned"]) == (1, "hello")


async def test_a_settled_resource_is_never_written_again() -> None:
    world = await declared().settle()
    before = len(world.calls.made)
    outcome = await one_pass(world)
    assert writes(world, before) == []
    assert outcome.result == "unchanged"
    assert outcome.gauges == (("toys", 5.0),)


async def test_what_alerts_are_held_to_is_told_also_where_nothing_can_be_seen() -> None:
    async def blind(_one: toy.Toy, _reader: object) -> toy.Facts:
        raise Interrupted(Finding("Forbidden", "nothing may be read", Transient()))

    kind = replace(toy.KIND, observe=blind, bounds=lambda _subject: {"most": 8.0})
    assert (await one_pass(declared(), kind)).gauges == (("most", 8.0),)


async def test_a_resource_that_is_gone_is_nothing_to_do() -> None:
    world = World(toy.KIND)
    assert await one_pass(world) == Outcome("gone")
    assert writes(world) == []


async def test_a_deletion_stops_the_pod_then_lets_go_and_keeps_the_data() -> None:
    world = await declared().settle()
    world.server.delete(world.key(TOY, "one"))
    await world.settle()
    left = {str(key) for key in world.server.all() if key.namespace}
    assert left == {"PersistentVolumeClaim one-toy", "Secret one-key"}


async def test_nothing_is_released_while_the_pod_lives() -> None:
    world = await declared().settle()
    world.server.delete(world.key(TOY, "one"))
    outcome = await one_pass(world)
    assert (outcome.result, outcome.look_again) == ("waiting", 1.0)
    assert world.live(TOY, "one") is not None


async def test_somebody_elses_finalizer_stays() -> None:
    world = await declared().settle()
    key = world.key(TOY, "one")
    world.server.edit(key, lambda one: one["metadata"]["finalizers"].append("example.com/theirs"), "kubectl")
    world.server.delete(key)
    for _ in range(5):
        await world.operators[0].step(key) if world.operators[0].due.get(key) else world.operators[0].wake(key)
        world._others_work()  # noqa: SLF001 - time must not pass: it never settles
    assert (world.live(TOY, "one") or {})["metadata"]["finalizers"] == ["example.com/theirs"]


async def test_a_deleted_resource_without_our_finalizer_is_left_alone() -> None:
    world = declared()
    key = world.key(TOY, "one")
    world.server.edit(key, lambda one: one["metadata"].update(finalizers=["example.com/theirs"]), "kubectl")
    world.server.delete(key)
    assert await one_pass(world) == Outcome("gone")
    assert writes(world) == []


async def test_a_namespace_that_goes_takes_its_resources_along_without_waiting() -> None:
    world = await declared().settle()
    world.server.delete(Key(NAMESPACES, "", NAMESPACE))
    await world.settle()
    assert world.server.all() == []


def _planned(live: Manifest) -> None:
    told = live["status"]["conditions"]
    told.append(told[0] | {"type": RUNNING, "status": "True"})


@pytest.mark.parametrize("planned", [False, True])
async def test_what_a_plan_may_have_held_is_let_go_with_its_namespace_and_nothing_else_is_asked(planned: bool) -> None:  # noqa: FBT001
    asked: list[str] = []

    async def farewell(one: toy.Toy, _cluster: Cluster) -> None:
        asked.append(one.name)

    kind = replace(toy.KIND, farewell=farewell)
    world = await declared().settle()
    if planned:
        world.server.edit(world.key(TOY, "one"), _planned, "bankstack", status=True)
    world.server.delete(Key(NAMESPACES, "", NAMESPACE))
    world.server.delete(world.key(TOY, "one"))
    assert (await one_pass(world, kind)).result == "released"
    assert bool(asked) == planned


async def test_a_namespace_that_goes_is_not_held_up_by_an_unreadable_resource() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(word="NOT A WORD"), "kubectl")
    world.server.delete(Key(NAMESPACES, "", NAMESPACE))
    await world.settle()
    assert world.server.all() == []


async def test_a_paused_resource_is_looked_at_and_not_touched() -> None:
    world = declared(paused=True)
    await world.settle()
    assert {str(key) for key in world.server.all() if key.namespace} == {"Toy one"}
    assert conditions(world)["Paused"] == ("True", "Paused")
    assert "finalizers" not in (world.live(TOY, "one") or {})["metadata"]


async def test_a_paused_resource_is_not_repaired_until_it_is_resumed() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(paused=True), "kubectl")
    world.server.delete(world.key(STATEFUL_SET, "one-toy"))
    await world.settle()
    assert world.live(STATEFUL_SET, "one-toy") is None
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(paused=False), "kubectl")
    await world.settle()
    assert world.live(STATEFUL_SET, "one-toy") is not None
    assert "Paused" not in conditions(world)


async def test_a_paused_resource_that_is_deleted_waits_and_says_why() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(paused=True), "kubectl")
    world.server.delete(world.key(TOY, "one"))
    await one_pass(world)
    assert world.live(POD, "one-toy-0") is not None
    assert conditions(world)["Paused"] == ("True", "Paused")


async def test_a_spec_that_cannot_be_read_stalls_and_what_runs_is_left() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(word="S3CRET"), "kubectl")
    before = len(world.calls.made)
    outcome = await one_pass(world)
    assert outcome.result == "stalled"
    assert writes(world, before) == ["status Toy one"]
    status = (world.live(TOY, "one") or {})["status"]
    assert status["pinned"] == "hello"
    assert conditions(world)["Stalled"] == ("True", "InvalidSpec")
    assert "S3CRET" not in str(status), "the value may be a key that somebody pasted"


async def test_a_pinned_identity_that_somebody_garbled_is_neither_dropped_nor_pinned_anew() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["status"].update(pinned="GARBLED"), "kubectl", status=True)
    await world.settle()
    assert (world.live(TOY, "one") or {})["status"]["pinned"] == "GARBLED"
    assert conditions(world)["Stalled"] == ("True", "StatusUnreadable")


async def test_a_status_put_right_again_goes_on() -> None:
    world = await declared().settle()
    key = world.key(TOY, "one")
    world.server.edit(key, lambda one: one["status"].update(pinned="GARBLED"), "kubectl", status=True)
    await world.settle()
    world.server.edit(key, lambda one: one["status"].update(pinned="hello"), "kubectl", status=True)
    await world.settle()
    assert conditions(world)["Ready"] == ("True", "AsDeclared")
    assert "Stalled" not in conditions(world)


async def test_a_kind_that_cannot_look_concludes_nothing() -> None:
    world = await declared().settle()
    before = len(world.calls.made)
    world.calls.schedule = always("list Pod", Fault(0))
    outcome = await one_pass(world)
    assert (outcome.result, outcome.backoff) == ("transient", True)
    assert writes(world, before) == ["status Toy one", "create Event one.ApiUnavailable"]
    assert (world.live(TOY, "one") or {})["status"]["pinned"] == "hello"
    assert conditions(world)["Kept"] == ("Unknown", "ApiUnavailable")


async def test_the_first_action_that_fails_ends_the_pass_and_is_told() -> None:
    world = declared()
    world.calls.schedule = always("apply PersistentVolumeClaim", Fault(503, When.BEFORE))
    await one_pass(world)
    assert world.live(STATEFUL_SET, "one-toy") is None
    assert conditions(world)["Ready"] == ("False", "ApiUnavailable")


@pytest.mark.parametrize(
    ("spec", "fault", "told"),
    [({}, None, "after"), ({}, Fault(500), "before"), ({"paused": True}, None, "before")],
    ids=["all was done", "one failed", "paused"],
)
async def test_what_is_true_once_all_is_done_is_told_in_the_same_pass_and_only_then(
    spec: dict[str, Any], fault: Fault | None, told: str
) -> None:
    world = declared(**spec)
    world.calls.schedule = always("create Secret one-key", fault) if fault else world.calls.schedule
    before, after = toy.ToyStatus(pinned="before"), toy.ToyStatus(pinned="after")
    outcome = await one_pass(world, deciding(Decision(before, (Ask("MakeKey", "Missing"),), then=after)))
    assert (world.live(TOY, "one") or {})["status"]["pinned"] == told
    assert outcome.settled == (told == "after")


async def test_a_failure_before_release_keeps_the_finalizer() -> None:
    world = await declared().settle()
    world.server.delete(world.key(TOY, "one"))
    failing = deciding(Decision(toy.ToyStatus(), (Ask("MakeKey", "Missing"),), released=True))
    world.calls.schedule = always("create Secret", Fault(500))
    await one_pass(world, failing)
    assert world.live(TOY, "one") is not None


@pytest.mark.parametrize(
    ("finding", "actions", "result", "look_again", "backoff"),
    [
        (None, (), "unchanged", None, False),
        (Finding("Told", "told", Waiting(7.0), stops=False), (), "unchanged", 7.0, False),
        (Finding("Soon", "soon", Waiting(7.0)), (), "waiting", 7.0, False),
        (Finding("Never", "never", Stalled()), (), "stalled", None, False),
        (Finding("Maybe", "maybe", Transient()), (), "transient", None, True),
        (None, (Ask("MakeKey", "Missing"),), "changed", AT_ONCE, False),
        (Finding("Maybe", "maybe", Transient()), (Ask("MakeKey", "Missing"),), "transient", None, True),
    ],
)
async def test_a_finding_says_itself_when_to_look_again(
    finding: Finding | None,
    actions: tuple[Ask, ...],
    result: str,
    look_again: float | None,
    backoff: bool,  # noqa: FBT001
) -> None:
    outcome = await one_pass(declared(), deciding(Decision(toy.ToyStatus(), actions, finding)))
    assert (outcome.result, outcome.look_again, outcome.backoff) == (result, look_again, backoff)


async def test_a_word_that_is_given_at_once_is_not_looked_at_again_so_soon() -> None:
    said, then = toy.ToyStatus(), toy.ToyStatus(pinned="given")
    asks = (Ask("MakeKey", "Missing"),)
    outcome = await one_pass(declared(), deciding(Decision(said, asks, then=then)))
    assert (outcome.look_again, outcome.settled) == (None, True)
    for decision in (Decision(said, asks, then=said), Decision(said, then=then), Decision(said, asks)):
        assert not (await one_pass(declared(), deciding(decision))).settled


async def test_the_soonest_wish_counts() -> None:
    finding = Finding("Soon", "soon", Waiting(7.0))
    outcome = await one_pass(declared(), deciding(Decision(toy.ToyStatus(), finding=finding, look_again=3.0)))
    assert outcome.look_again == 3.0


async def test_what_it_waits_for_is_told_before_anything_is_looked_at() -> None:
    world = declared()
    kind = replace(toy.KIND, references=lambda spec: (Ref(SECRET, spec.word),))
    told: list[tuple[tuple[Ref, ...], int]] = []
    await reconcile(
        kind, "one", NAMESPACE, world.operators[0].cluster, lambda: world.now,
        refers=lambda refs: told.append((refs, len(world.calls.made))),
    )  # fmt: skip
    assert told == [((Ref(SECRET, "hello"),), 1)]


async def test_a_pass_over_another_life_of_the_name_writes_no_status_to_it() -> None:
    world = await declared().settle()
    key = world.key(TOY, "one")
    stale = world.live(TOY, "one") or {}
    world.server.remove(key)
    world.user_applies(TOY, toy.manifest(word="another"))

    class Stale:  # the look was before, the rest of the pass is after
        async def get(self, ref: Ref, namespace: str) -> Manifest | None:
            return (
                stale if ref.name == "one" and ref.type == TOY else await world.operators[0].cluster.get(ref, namespace)
            )

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the real one
            return getattr(world.operators[0].cluster, name)

    changed = deciding(Decision(toy.ToyStatus(pinned="old"), finding=Finding("Old", "old", Stalled())))
    with pytest.raises(Interrupted):
        await reconcile(changed, "one", NAMESPACE, Stale(), lambda: world.now)
    assert "status" not in (world.live(TOY, "one") or {})


async def test_a_new_life_of_a_name_takes_up_what_was_retained() -> None:
    world = await declared().settle()
    claim = (world.live(PERSISTENT_VOLUME_CLAIM, "one-toy") or {})["metadata"]["uid"]
    key = (world.live(SECRET, "one-key") or {})["metadata"]["uid"]
    world.server.delete(world.key(TOY, "one"))
    await world.settle()
    world.user_applies(TOY, toy.manifest())
    await world.settle()
    assert (world.live(PERSISTENT_VOLUME_CLAIM, "one-toy") or {})["metadata"]["uid"] == claim
    assert (world.live(SECRET, "one-key") or {})["metadata"]["uid"] == key
    assert conditions(world)["Ready"] == ("True", "AsDeclared")


async def test_every_action_and_its_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await one_pass(declared())
    told = [(record.getMessage(), record.__dict__["reason"], record.__dict__["resource"]) for record in caplog.records]
    assert told[0] == ("MakeKey (Missing)", "Missing", "bank/one")
    assert ("apply StatefulSet one-toy (Missing)", "Missing", "bank/one") in told


async def test_a_running_pod_keeps_its_template_and_the_wish_is_told() -> None:
    world = await declared().settle()
    before = world.live(STATEFUL_SET, "one-toy") or {}
    pod = world.live(POD, "one-toy-0") or {}
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(word="other"), "kubectl")
    await world.settle()
    after = world.live(STATEFUL_SET, "one-toy") or {}
    assert after["spec"] == before["spec"]
    assert (world.live(POD, "one-toy-0") or {})["metadata"]["uid"] == pod["metadata"]["uid"]
    assert conditions(world)["ChangePending"] == ("True", "NeedsRestart")
    assert conditions(world)["Ready"][0] == "True"
    made = world.server.select(CONFIG_MAP, NAMESPACE, {OWNER_LABEL: "Toy.one"})
    assert sorted(one["data"]["w"] for one in made) == ["hello", "other"]


async def test_a_wish_that_is_withdrawn_is_pending_no_more() -> None:
    world = await declared().settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(word="other"), "kubectl")
    await world.settle()
    world.server.edit(world.key(TOY, "one"), lambda one: one["spec"].update(word="hello"), "kubectl")
    await world.settle()
    assert "ChangePending" not in conditions(world)
