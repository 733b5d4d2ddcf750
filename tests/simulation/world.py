"""A bank in memory: an API server, its neighbours, operators that may die, and a clock that only stories move.

A story is: somebody does something, then `settle`. The same story with the same
schedule of faults takes the same course, to the call.
"""

import asyncio
import copy
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self, TypeAlias

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import OWNER_LABEL, Manifest, Ref, Type
from bankstack.engine.ports import Kind, Plans
from bankstack.engine.reconcile import Outcome, reconcile
from bankstack.engine.references import meant

from . import neighbours
from .apiserver import ApiServer, Event, Key
from .cluster import SimulatedCluster
from .faults import Calls, Schedule, is_crash, none
from .line import Line

NAMESPACE = "bank"
#: Passes of each resource that must find nothing to do before the world counts as settled.
CALM = 2
#: An operator looks at everything this often, whatever it was told.
RESYNC = timedelta(minutes=10)


#: A row of the table, or how a process makes itself one: over its own line, with a memory that dies with it.
KindOrFactory: TypeAlias = Kind | Callable[[Line], Kind]


class Outside(Protocol):
    """Software that runs in the pods: it goes on with what it does while time passes."""

    def tick(self, server: ApiServer) -> bool:
        """One step on; whether anything changed."""


class Operator:
    """One process: a queue of keys with times, and nothing else that a restart would lose."""

    def __init__(self, world: "World", name: str, made: tuple[KindOrFactory, ...]) -> None:
        self._world, self.name, self.made = world, name, made
        self.start()

    def start(self) -> None:
        """A new process: it lists everything, as a watch does first."""
        self.line = Line(self._world.calls)
        self.cluster = SimulatedCluster(self._world.server, self.line)
        self.kinds = tuple(one if isinstance(one, Kind) else one(self.line) for one in self.made)
        self.due: dict[Key, datetime] = {}
        self.calm: Counter[Key] = Counter()
        self._failures: Counter[Key] = Counter()
        self._waited_for: dict[Ref, set[Key]] = {}
        self.resync()

    def __deepcopy__(self, known: dict[int, Any]) -> Self:
        """The one of another world; it has to be started, for its connections are not copied."""
        other = object.__new__(type(self))
        other._world, other.name = copy.deepcopy(self._world, known), self.name
        other.made = copy.deepcopy(self.made, known)
        return other

    def remember(self, twin: Self) -> None:
        """What another one knows, of a world like this."""
        self.due, self.calm, self._failures = dict(twin.due), twin.calm.copy(), twin._failures.copy()
        self._waited_for = {ref: set(keys) for ref, keys in twin._waited_for.items()}

    def resync(self) -> None:
        """Every resource is looked at again: the net under lost events."""
        types = {kind.type for kind in self.kinds}
        self.wake(*(key for key in self._world.server.all() if key.type in types))

    def wake(self, *keys: Key) -> None:
        for key in keys:
            self.due[key] = min(self.due.get(key, self._world.now), self._world.now)
            self.calm[key] = 0

    def hear(self, event: Event) -> None:
        """What an edge does: an event becomes keys."""
        by_name = {kind.type.kind: kind.type for kind in self.kinds}
        if event.key.type in by_name.values():
            self.wake(event.key)
        about, name, targets = meant(event.key.type, event.key.name, event.manifest, self.kinds)
        for target in targets:
            kind, _, named = target.partition(".")
            self.wake(*([Key(by_name[kind], event.key.namespace, named)] if kind in by_name else []))
        self.wake(*self._waited_for.get(Ref(about, name), ()))
        for seen in filter(None, (event.manifest, event.before)):
            owner, _, name = seen["metadata"].get("labels", {}).get(OWNER_LABEL, "").partition(".")
            if owner in by_name:
                self.wake(Key(by_name[owner], event.key.namespace, name))

    async def step(self, key: Key) -> None:
        """One pass over one resource, and when to look again."""
        kind = next(kind for kind in self.kinds if kind.type == key.type)
        del self.due[key]
        line = self.line
        written = len(self._world.server.written)
        try:
            outcome = await reconcile(
                kind,
                key.name,
                key.namespace,
                self.cluster,
                lambda: self._world.now,
                refers=self._refers(key),
                plans=self._world.plans,
            )
        except Interrupted:
            outcome = Outcome("transient", backoff=True)
        except BaseException as error:
            if not is_crash(error):
                raise
        if line.dead:
            # Of several passes of one process the first to find out.
            if line is self.line:
                self._world.restarts += 1
                self.start()
            return
        self._world.outcomes.append((str(key), outcome))
        changed = len(self._world.server.written) != written
        self.calm[key] = 0 if changed or outcome.backoff else self.calm[key] + 1
        self._plan(key, outcome)

    def _refers(self, key: Key) -> Callable[[tuple[Ref, ...]], None]:
        def remember(refs: tuple[Ref, ...]) -> None:
            for ref in refs:
                self._waited_for.setdefault(ref, set()).add(key)

        return remember

    def _plan(self, key: Key, outcome: Outcome) -> None:
        self._failures[key] = self._failures[key] + 1 if outcome.backoff else 0
        delay = min(300.0, 2.0 ** self._failures[key]) if outcome.backoff else outcome.look_again
        if outcome.result == "gone" or (delay is None and self.calm[key] >= CALM):
            return
        when = self._world.now + timedelta(seconds=delay if delay is not None else 1.0)
        self.due[key] = min(when, self.due.get(key, when))

    def next(self) -> Key | None:
        """What is due now and first in line."""
        return next(iter(self.first(1)), None)

    def first(self, most: int) -> list[Key]:
        """As many of those that are due now."""
        return sorted(key for key, when in self.due.items() if when <= self._world.now)[:most]

    def is_calm(self) -> bool:
        """Whether nothing more is to be expected of it."""
        types = {kind.type for kind in self.kinds}
        return all(self.calm[key] >= CALM for key in self._world.server.all() if key.type in types)


class World:
    """Everything there is. `schedule` says which call of the operators fails, and how."""

    def __init__(
        self,
        *kinds: KindOrFactory,
        schedule: Schedule = none,
        operators: int = 1,
        outside: Outside | None = None,
        healthy: neighbours.Healthy = neighbours.all_healthy,
        plans: Plans | None = None,
    ) -> None:
        self.plans = plans
        self.now = self._resynced = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.server = ApiServer(self._clock)
        self.calls = Calls(schedule)
        self.outside, self.healthy = outside, healthy
        self.outcomes: list[tuple[str, Outcome]] = []
        self.restarts = 0
        #: What there was when the neighbours last had nothing to do.
        self._at_rest: tuple[int, frozenset[str]] | None = None
        self._events: list[Event] = []
        #: What becomes of the events on their way: all of them at once, in order, if nothing else is said.
        self.courier: Callable[[list[Event]], list[Event]] = lambda events: events
        neighbours.namespace(self.server, NAMESPACE)
        self.server.watchers.append(self._heard)
        self.operators = [Operator(self, f"operator-{number}", kinds) for number in range(operators)]

    def forked(self) -> Self:
        """The same world once more, to be told on from here: with operators that know what these know."""
        outcomes, self.outcomes = self.outcomes, []
        other = copy.deepcopy(self)
        self.outcomes = outcomes
        for operator, twin in zip(self.operators, other.operators, strict=True):
            twin.start()
            twin.remember(operator)
        return other

    def _clock(self) -> datetime:
        return self.now

    def _heard(self, event: Event) -> None:
        self._events.append(event)

    def key(self, of: Type, name: str) -> Key:
        return Key(of, NAMESPACE, name)

    def user_applies(self, of: Type, manifest: Manifest) -> None:
        """`kubectl apply --server-side`."""
        self.server.apply(self.key(of, manifest["metadata"]["name"]), manifest, "kubectl")

    def live(self, of: Type, name: str) -> Manifest | None:
        return self.server.get(self.key(of, name))

    async def settle(self, most: int = 400) -> Self:
        """Until nobody has anything to do any more; fails where that does not come."""
        for _ in range(most):
            moved = self._others_work()
            for operator in self.operators:
                if key := operator.next():
                    await operator.step(key)
                    moved = True
            if moved:
                continue
            if all(operator.is_calm() for operator in self.operators):
                return self
            self._let_time_pass()
        raise AssertionError(f"nothing settles: {self.outcomes[-6:]}; last calls {self.calls.made[-20:]}")

    async def interleaved(self, seed: int, most: int = 400, hands: int = 1) -> Self:
        """Until all is calm, with `hands` passes of each operator at once: any call may come before any other's."""
        dice = random.Random(seed)  # noqa: S311 - a dice, not a key

        async def pause() -> None:
            for _ in range(dice.randint(0, 3)):
                await asyncio.sleep(0)

        for _ in range(most):
            moved = self._others_work()
            for operator in self.operators:
                operator.line.pause = pause
            due = [operator.step(key) for operator in self.operators for key in operator.first(hands)]
            await asyncio.gather(*due)
            if not moved and not due:
                if all(operator.is_calm() for operator in self.operators):
                    return self
                self._let_time_pass()
        raise AssertionError(f"nothing settles: {self.outcomes[-6:]}; last calls {self.calls.made[-20:]}")

    def _others_work(self) -> bool:
        moved = self._at_rest != self._there() and neighbours.settle(self.server, self.healthy)
        self._at_rest = self._there()
        if self.outside is not None and self.outside.tick(self.server):
            # What runs may be well now, or not any more: its kubelet has to look.
            moved, self._at_rest = True, None
            for operator in self.operators:
                operator.calm.clear()
        events, self._events[:] = self.courier(list(self._events)), []
        for event in events:
            for operator in self.operators:
                operator.hear(event)
        return moved

    def _there(self) -> tuple[int, frozenset[str]]:
        return len(self.server.written), frozenset(self.server.cut_off)

    def _let_time_pass(self) -> None:
        times = [when for operator in self.operators for when in operator.due.values()]
        self.now = max(self.now, min(times)) if times else self.now + timedelta(seconds=60)
        if not times or self.now - self._resynced > RESYNC:
            # What finds what lost events and an old look did not tell.
            self._resynced = self.now
            for operator in self.operators:
                operator.resync()
