import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bankstack.engine import loop as loop_module
from bankstack.engine import queue
from bankstack.engine.decision import AT_ONCE
from bankstack.engine.finding import Finding, Interrupted, Policy, Stalled, Transient, Waiting
from bankstack.engine.loop import Loop, Pace, trace
from bankstack.engine.metrics import Metrics
from bankstack.engine.model import Part, Status
from bankstack.engine.objects import CHANGE_PLAN, SECRET, STATEFUL_SET, Key, Ref, Type
from bankstack.engine.ports import Kind
from bankstack.engine.reconcile import GONE, Outcome
from bankstack.engine.schema import Resource

LND_NODE = Type("bankstack.io/v1alpha1", "LndNode", "lndnodes")
VAULT = Type("bankstack.io/v1alpha1", "ColdWallet", "coldwallets")
LND1 = Key("LndNode", "bank", "lnd1")
LND2 = Key("LndNode", "bank", "lnd2")
VAULT_KEY = Key("ColdWallet", "bank", "vault")
Pass = Callable[..., Any]


def kind(name: str, plural: str) -> Kind:
    """One that takes from a ColdWallet what it says, and from every other object all of it."""
    resource = Resource(name, plural, "x", Part, Status, "A kind of the story.")
    return Kind(
        resource,
        (STATEFUL_SET,),
        observe=None,  # type: ignore[arg-type]
        decide=None,  # type: ignore[arg-type]
        learns=lambda of, live: live.get("status") if of == VAULT else None,
    )


class World:
    """A loop whose passes are the story's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes: list[Key] = []
        self.metrics = Metrics()
        self.loop = Loop(
            (kind("ColdWallet", "coldwallets"), kind("LndNode", "lndnodes")),
            None,  # type: ignore[arg-type]
            self.metrics,
            Pace(workers=2, resync=3600, jitter=lambda: 1.0),
        )
        self.does: Pass = lambda **_: Outcome("unchanged")
        monkeypatch.setattr(loop_module, "reconcile", self._reconcile)
        monkeypatch.setattr(queue, "BACKOFF_FIRST", 0.01)

    async def _reconcile(
        self, kind: Kind, name: str, namespace: str, *_: object, refers: Pass, plans: object
    ) -> Outcome:
        assert plans is None
        key = Key(kind.resource.kind, namespace, name)
        self.passes.append(key)
        result = self.does(key=key, refers=refers)
        outcome: Outcome = await result if asyncio.iscoroutine(result) else result
        return outcome

    async def passes_are(self, *wanted: Key) -> None:
        async with asyncio.timeout(5):
            while self.passes != list(wanted):  # noqa: ASYNC110 - any number of yields may pass
                await asyncio.sleep(0.001)

    def metric(self, series: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(series, labels)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    world = World(monkeypatch)
    world.loop.start()
    yield world
    await world.loop.stop(grace=0)


def lnd_event(world: World, name: str = "lnd1") -> None:
    world.loop.changed(Type("bankstack.io/v1alpha1", "LndNode", "lndnodes"), "bank", name)


async def test_an_event_of_a_resource_and_one_of_its_child_are_each_a_pass_over_it(world: World) -> None:
    lnd_event(world)
    await world.passes_are(LND1)
    world.loop.changed(STATEFUL_SET, "bank", "lnd1", ["LndNode.lnd1"])
    await world.passes_are(LND1, LND1)


async def test_what_is_not_ours_wakes_nobody(world: World) -> None:
    world.loop.changed(SECRET, "bank", "s")
    world.loop.changed(SECRET, "bank", "s", ["Stranger.s"])
    world.loop.changed(Type("other.io/v1", "LndNode", "lndnodes"), "bank", "lnd9")
    lnd_event(world)
    await world.passes_are(LND1)


async def test_a_secret_that_comes_later_wakes_who_waits_for_it_until_nobody_does(world: World) -> None:
    world.does = lambda refers, **_: refers((Ref(SECRET, "lnd1-wallet"),)) or Outcome("waiting", look_again=3600)
    lnd_event(world)
    await world.passes_are(LND1)
    world.does = lambda refers, **_: refers(()) or Outcome("unchanged")
    world.loop.changed(SECRET, "bank", "lnd1-wallet")
    await world.passes_are(LND1, LND1)
    world.loop.changed(SECRET, "elsewhere", "lnd1-wallet")
    world.loop.changed(SECRET, "bank", "lnd1-wallet")
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, LND1, LND2)


async def test_a_change_that_tells_nothing_wakes_nobody_and_an_end_always_does(world: World) -> None:
    vault = Ref(VAULT, "vault")

    def looks(refers: Pass, key: Key, **_: object) -> Outcome:
        refers((vault,) if key == LND1 else ())
        return Outcome("waiting", look_again=3600, learned={vault: "serves"} if key == LND1 else {})

    world.does = looks
    lnd_event(world)
    await world.passes_are(LND1)
    world.loop.changed(VAULT, "bank", "vault", (), {"status": "serves", "height": 2})
    await world.passes_are(LND1, VAULT_KEY)
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, VAULT_KEY, LND2)
    world.loop.changed(VAULT, "bank", "vault", (), {"status": "gone mad"})
    await world.passes_are(LND1, VAULT_KEY, LND2, LND1)
    world.loop.changed(VAULT, "bank", "vault")
    await world.passes_are(LND1, VAULT_KEY, LND2, LND1, LND1)


@pytest.mark.parametrize(
    "fails", [Outcome("transient", backoff=True), Interrupted(Finding("Refused", "refused", Stalled()))], ids=str
)
async def test_a_look_that_failed_has_learned_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, fails: Outcome | Interrupted
) -> None:
    monkeypatch.setattr(queue, "BACKOFF_FIRST", 3600)
    vault = Ref(VAULT, "vault")
    world.does = lambda refers, **_: refers((vault,)) or Outcome("waiting", look_again=3600, learned={vault: "serves"})
    lnd_event(world)
    await world.passes_are(LND1)

    async def fail(**_: object) -> Outcome:
        world.does = lambda **_: Outcome("waiting", look_again=3600)
        if isinstance(fails, Interrupted):
            raise fails
        return fails

    world.does = fail
    lnd_event(world)
    await world.passes_are(LND1, LND1)
    world.loop.changed(VAULT, "bank", "vault", (), {"status": "serves"})
    await world.passes_are(LND1, LND1, VAULT_KEY, LND1)


async def test_who_has_given_its_word_rests_and_is_then_woken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "SETTLED_SECONDS", 3600)
    world.does = lambda **_: Outcome("changed", look_again=3600, settled=True)
    lnd_event(world)
    await world.passes_are(LND1)
    monkeypatch.setattr(loop_module, "SETTLED_SECONDS", 0.3)
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, LND2)
    for name in ("lnd1", "lnd2"):
        world.loop.changed(STATEFUL_SET, "bank", name, [f"LndNode.{name}"])
    await world.passes_are(LND1, LND2, LND2)


async def test_who_wants_another_look_at_once_does_not_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.loop.queue, "_rest", 3600)
    looks = iter((AT_ONCE, 3600))
    world.does = lambda **_: Outcome("changed", look_again=next(looks))
    lnd_event(world)
    await world.passes_are(LND1, LND1)
    lnd_event(world)
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, LND1, LND2)


async def test_a_reference_that_changes_during_the_pass_is_not_missed(world: World) -> None:
    async def changes_meanwhile(refers: Pass, **_: object) -> Outcome:
        refers((Ref(VAULT, "vault"),))
        world.does = lambda **_: Outcome("unchanged")
        world.loop.changed(VAULT, "bank", "vault")
        return Outcome("waiting", look_again=3600)

    world.does = changes_meanwhile
    lnd_event(world)
    await world.passes_are(LND1, Key("ColdWallet", "bank", "vault"), LND1)


PLAN = (CHANGE_PLAN, "bank", "restart", ["LndNode.lnd1"])
KEY = (SECRET, "bank", "lnd1-key", ["LndNode.lnd1"])


@pytest.mark.parametrize("written", [(LND_NODE, "bank", "lnd1"), PLAN, KEY], ids=["its status", "its plan", "its key"])
async def test_what_a_pass_wrote_is_looked_at_later_and_what_others_say_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, written: tuple[Any, ...]
) -> None:
    monkeypatch.setattr(loop_module, "ECHO_SECONDS", 3600)

    def writes(refers: Pass, **_: object) -> Outcome:
        refers((Ref(CHANGE_PLAN, "restart"),))
        world.loop.changed(*written)
        return Outcome("changed", look_again=3600)

    world.does = writes
    lnd_event(world)
    await world.passes_are(LND1)
    # The other one's pass writes nothing, and waits for no plan.
    world.does = lambda **_: Outcome("unchanged")
    world.loop.changed(*written)
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, LND2)
    # Once more after its rest, and so after that of the first, which would have come before it.
    world.loop.changed(STATEFUL_SET, "bank", "lnd2", ["LndNode.lnd2"])
    await world.passes_are(LND1, LND2, LND2)
    world.loop.changed(STATEFUL_SET, "bank", "lnd1", ["LndNode.lnd1"])
    await world.passes_are(LND1, LND2, LND2, LND1)


async def test_an_approval_is_nobody_s_echo(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "ECHO_SECONDS", 3600)
    world.does = lambda refers, **_: refers((Ref(CHANGE_PLAN, "restart"),)) or Outcome("waiting", look_again=3600)
    lnd_event(world)
    await world.passes_are(LND1)
    world.loop.changed(CHANGE_PLAN, "bank", "restart")
    await world.passes_are(LND1, LND1)


async def test_an_echo_is_looked_at_in_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "ECHO_SECONDS", 0.05)
    lnd_event(world)
    await world.passes_are(LND1)
    lnd_event(world)
    await world.passes_are(LND1, LND1)


async def test_a_defect_is_told_without_values_counted_and_tried_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(**_: object) -> Outcome:
        raise KeyError("s33d words")

    world.does = breaks
    with caplog.at_level(logging.ERROR):
        lnd_event(world)
        await world.passes_are(LND1, LND1)
    assert "KeyError in breaks (test_loop.py:" in caplog.text
    assert "s33d" not in caplog.text
    assert world.metric("bankstack_crashes_total", kind="LndNode") == 2
    assert world.loop.is_whole


@pytest.mark.parametrize(("policy", "again"), [(Transient(), True), (Waiting(0.01), True), (Stalled(), False)])
async def test_a_failure_is_tried_again_as_its_policy_says(world: World, policy: Policy, *, again: bool) -> None:
    def fails(**_: object) -> Outcome:
        world.does = lambda **_: Outcome("unchanged")
        raise Interrupted(Finding("Why", "told", policy))

    world.does = fails
    lnd_event(world)
    await world.passes_are(LND1)
    if again:
        await world.passes_are(LND1, LND1)
    else:
        lnd_event(world, "lnd2")
        await world.passes_are(LND1, LND2)


async def test_a_pass_says_itself_when_to_look_again(world: World) -> None:
    outcomes = iter([Outcome("waiting", look_again=0.01), Outcome("transient", backoff=True), Outcome("unchanged")])
    world.does = lambda **_: next(outcomes)
    lnd_event(world)
    await world.passes_are(LND1, LND1, LND1)


async def test_nothing_is_looked_at_later_than_everything_is(world: World) -> None:
    world.loop._pace = Pace(resync=0.01, jitter=lambda: 1.0)  # noqa: SLF001
    outcomes = iter([Outcome("waiting", look_again=86_400.0), Outcome("unchanged", look_again=86_400.0)])
    world.does = lambda **_: next(outcomes)
    lnd_event(world)
    await world.passes_are(LND1, LND1)


async def test_a_hanging_pass_lets_go_of_its_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "PASS_SECONDS", 0.01)
    world.does = lambda **_: asyncio.sleep(3600)
    lnd_event(world)
    await world.passes_are(LND1, LND1)


async def test_a_resource_that_is_gone_leaves_no_series(world: World) -> None:
    told = Outcome("unchanged", gauges=(("bankstack_lndnode_channels", 3.0),), conditions=(("Ready", "True"),))
    world.does = lambda **_: told
    lnd_event(world)
    lnd_event(world, "lnd2")
    await world.passes_are(LND1, LND2)
    assert world.metric("bankstack_lndnode_channels", namespace="bank", name="lnd1") == 3
    assert world.metric("bankstack_resources", kind="LndNode", condition="Ready", status="True") == 2
    world.does = lambda **_: GONE
    lnd_event(world)
    await world.passes_are(LND1, LND2, LND1)
    assert world.metric("bankstack_lndnode_channels", namespace="bank", name="lnd1") is None
    assert world.metric("bankstack_resources", kind="LndNode", condition="Ready", status="True") == 1


async def test_each_condition_and_who_waits_for_people_are_told_by_name(world: World) -> None:
    told = (("Ready", "True"), ("Synced", "False"), ("ChannelBackup", "Unknown"))
    world.does = lambda **_: Outcome("unchanged", conditions=told, asked=17.0)
    lnd_event(world)
    await world.passes_are(LND1)
    whose = {"kind": "LndNode", "namespace": "bank", "name": "lnd1"}
    values = [world.metric("bankstack_condition", condition=condition, **whose) for condition, _ in told]
    assert values == [1, 0, -1]
    assert world.metric("bankstack_plan_asked_timestamp_seconds", **whose) == 17
    assert world.metric("bankstack_crashes_total", kind="LndNode") == 0


async def test_a_stop_lets_passes_finish_and_takes_up_no_more(world: World) -> None:
    finished: list[Key] = []
    may_finish = asyncio.Event()

    async def slow(key: Key, **_: object) -> Outcome:
        await may_finish.wait()
        finished.append(key)
        return Outcome("unchanged")

    world.does = slow
    for name in ("lnd1", "lnd2", "lnd3"):
        lnd_event(world, name)
    await world.passes_are(LND1, LND2)
    stopping = asyncio.create_task(world.loop.stop(grace=5))
    await asyncio.sleep(0)
    may_finish.set()
    await stopping
    assert finished == [LND1, LND2]
    assert world.passes == [LND1, LND2]
    assert not world.loop.is_whole


async def test_a_stop_does_not_wait_for_ever(world: World) -> None:
    world.does = lambda **_: asyncio.sleep(3600)
    lnd_event(world)
    await world.passes_are(LND1)
    async with asyncio.timeout(2):
        await world.loop.stop(grace=0.01)


def test_a_group_of_errors_shows_each_place() -> None:
    def deep() -> None:
        raise ValueError("p4ssword")

    try:
        deep()
    except ValueError as error:
        text = trace(ExceptionGroup("p4ssword", [error]))
    assert "ExceptionGroup" in text
    assert "ValueError in deep (test_loop.py:" in text
    assert "p4ssword" not in text
