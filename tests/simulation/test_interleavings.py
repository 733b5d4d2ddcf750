"""Whatever people do while a Restart runs, and whenever: one LND at most, from its own data, stopped only by a plan.

The events below befall one Restart: each alone at any call that the operator makes, and
any two, in either order, at calls that are drawn. `SIMULATION=all` tries every call for one,
and many pairs of calls for two: all of them would take days.
"""

import random
from collections.abc import Callable
from itertools import permutations

import pytest

from bankstack.engine.objects import CHANGE_PLAN, POD, STATEFUL_SET
from bankstack.kinds.lndnode import stages
from bankstack.plans import journal

from .apiserver import Event
from .bank import Bank
from .faults import Fault
from .oracle import laws_hold
from .test_crash_anywhere import ALL
from .test_restart import book, looked_at, open_bank, reference
from .test_restart_anywhere import CRASH, first_call

#: Of all pairs of moments, so many for each pair of events; of all moments for one event, every so many-th.
DRAWN, APART = (60, 1) if ALL else (3, 40)
NEWER = "v0.21.3-beta"
FINISHED = {"Succeeded", "Failed", "Cancelled", "Refused", "Expired"}


def asks_again(bank: Bank) -> None:
    bank.asks("second")


def edits(bank: Bank) -> None:
    bank.changes("lnd1", lambda spec: spec.update(version=NEWER))


def cancels(bank: Bank) -> None:
    if bank.plan():
        key = bank.key(CHANGE_PLAN, "restart")
        bank.server.edit(key, lambda one: one["spec"].update(cancelled=True), "kubectl-edit")


def deletes_the_plan(bank: Bank) -> None:
    if bank.plan():
        bank.server.delete(bank.key(CHANGE_PLAN, "restart"))


def pauses(bank: Bank) -> None:
    bank.changes("lnd1", lambda spec: spec.update(paused=True))


def crashes(_bank: Bank) -> Fault:
    return CRASH


EVENTS: tuple[Callable[[Bank], Fault | None], ...] = (
    asks_again,
    edits,
    cancels,
    deletes_the_plan,
    pauses,
    crashes,
)


TWO = tuple(permutations(EVENTS, 2))


class Scaled:
    """Sees every time that LND is scaled to nothing: a plan has to be at the step that does it."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self.unplanned: list[str] = []
        self._before = 1
        bank.server.watchers.append(self.see)

    def see(self, event: Event) -> None:
        if event.key.type != STATEFUL_SET or event.key.name != "lnd1":
            return
        wanted = event.manifest["spec"]["replicas"]
        if wanted == 0 and self._before != 0 and not self._is_planned():
            self.unplanned.append(str({name: self._bank.plan(name) for name in ("restart", "second")}))
        self._before = wanted

    def _is_planned(self) -> bool:
        """By the plan, or where it was deleted between its last write and the act, by the journal."""
        plans = [self._bank.plan(name) for name in ("restart", "second")]
        running = (one["name"] for plan in plans for one in plan.get("steps", ()) if one["state"] == "Running")
        vanished = any(self._bank.live(CHANGE_PLAN, name) is None for name, _ in book(self._bank).active.values())
        return vanished or any(step in stages.AWAY for step in running)


def moments() -> tuple[int, int]:
    """The first call of a Restart, counted from when it was asked for, and the one after its last."""
    return first_call(reference()), len(reference().calls.made) + 1


def pairs(drawn: int) -> list[tuple[int, int]]:
    first, last = moments()
    every = [(one, other) for one in range(first, last) for other in range(one + 1, last)]
    return random.Random(6).sample(every, drawn)  # noqa: S311 - a dice, not a key


PAIRS = pairs(DRAWN * len(TWO))


async def lived_through(events: tuple[Callable[[Bank], Fault | None], ...], when: tuple[int, ...]) -> Bank:
    """A Restart, asked for and approved, with these events at these calls; then calm, and nobody pauses any more."""
    bank = await open_bank()
    scaled = Scaled(bank)
    due = dict(zip(when, events, strict=True))

    def schedule(number: int, _call: str) -> Fault | None:
        event = due.pop(number, None)
        return event(bank) if event else None

    bank.calls.schedule = schedule
    bank.asks()
    await bank.settle(6000)
    bank.approves()
    await bank.settle(6000)
    if pauses in events:
        bank.changes("lnd1", lambda spec: spec.pop("paused", None))
        await bank.settle(6000)
    if bank.plan("second").get("state") == "AwaitingApproval":
        bank.approves("second")
        await bank.settle(6000)
    await looked_at(bank, later=4000)
    assert len(due) < len(when), "nothing befell it"
    assert scaled.unplanned == []
    # One that was deleted in the moment of its beginning is forgotten by the next that is asked for.
    bank.asks("dry", dryRun=True)
    await bank.settle(6000)
    return bank


def is_whole(bank: Bank) -> None:
    """LND runs as it was; every plan that is there has ended or says what it waits for; the journal is one chain."""
    pod = bank.live(POD, "lnd1-0")
    assert pod is not None
    assert not stages.is_held(pod)
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    assert "traffic" not in bank.status("lnd1")
    assert bank.disk.disabled == set()
    assert book(bank).active == {}
    assert journal.check(book(bank)) == ()
    for name in ("restart", "second", "dry"):
        plan = bank.plan(name)
        assert not plan or plan["state"] in FINISHED or plan["message"], plan
    laws_hold(bank)


@pytest.mark.parametrize(
    "number", range(len(TWO)), ids=lambda number: " then ".join(one.__name__ for one in TWO[number])
)
async def test_two_events_at_any_moments_of_a_restart_keep_the_laws(number: int) -> None:
    for when in PAIRS[number * DRAWN : (number + 1) * DRAWN]:
        is_whole(await lived_through(TWO[number], when))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
async def test_an_event_at_any_moment_of_a_restart_keeps_the_laws(event: Callable[[Bank], Fault | None]) -> None:
    for moment in range(*moments(), APART):
        is_whole(await lived_through((event,), (moment,)))
