"""The loop, the same for every kind: what changed becomes a key, a worker makes one pass over it.

A pass decides nothing here and remembers nothing. What it returns says when to look
again; what it raises is either a failure with a policy (tried again, later each time)
or a defect: told with its place in the code, counted, and tried again too, because
one resource's defect must not keep the others from being looked after.
"""

import asyncio
import logging
import math
import random
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bankstack.engine.decision import AT_ONCE
from bankstack.engine.finding import Interrupted, Policy, Stalled, Transient, Waiting
from bankstack.engine.metrics import Metrics, Seen
from bankstack.engine.objects import CHANGE_PLAN, SECRET, Key, Manifest, Ref, Type
from bankstack.engine.ports import Cluster, Kind, Plans
from bankstack.engine.queue import KeyedQueue
from bankstack.engine.reconcile import Outcome, reconcile
from bankstack.engine.references import References

log = logging.getLogger(__name__)

#: Everything is looked at this often even where no event says so: a lost event is then only late.
RESYNC_SECONDS: Final = 600.0
#: Every call has a deadline of its own; a pass this long is a defect, and may hold its worker no longer.
PASS_SECONDS: Final = 300.0
#: A resource, or a plan or Secret of it, that changed so soon after a pass over it was most likely changed by that
#: pass, which knows, and says itself when it wants another look. This one is that much later, or it keeps a worker
#: busy just when those answer whom the pass told something: what others have to say is heard at once.
ECHO_SECONDS: Final = 2.0
#: A pass whose status tells already how things are after it will hear of little but its own writes, while those who
#: waited for its word get to work: it rests so long, and leaves them the processor. News of others wait as well.
SETTLED_SECONDS: Final = ECHO_SECONDS


@dataclass(frozen=True)
class Pace:
    """How the loop shares its time."""

    workers: int = 8
    resync: float = RESYNC_SECONDS
    #: Spreads what would come at once.
    jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2)  # noqa: S311 - spread


class Loop:
    """Keys in, passes out. For one event loop."""

    def __init__(
        self,
        kinds: Iterable[Kind],
        cluster: Cluster,
        metrics: Metrics,
        pace: Pace | None = None,
        plans: Plans | None = None,
    ) -> None:
        self._plans = plans
        self._pace = pace or Pace()
        self.queue: KeyedQueue[Key] = KeyedQueue(self._pace.jitter)
        self._kinds: Mapping[str, Kind] = {kind.resource.kind: kind for kind in kinds}
        self._cluster = cluster
        self._metrics = metrics
        self._references = References()
        self._stopping = False
        self._workers: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None]] = set()
        #: When the last pass over a resource ended; the end of time, while one is under way.
        self._looked: dict[Key, float] = {}
        metrics.watch_depth(lambda: len(self.queue))
        metrics.expect(self._kinds)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The table it was handed."""
        return tuple(self._kinds.values())

    def changed(
        self, of: Type, namespace: str, name: str, owners: Iterable[str] = (), live: Manifest | None = None
    ) -> None:
        """An event: an object appeared, changed (it is `live` now) or went.

        Wakes the resource itself, the one it was made for (`owners`, as the owner label
        names them: Kind.name) and those that wait for it and learn something by it.
        """
        named = [tuple(owner.partition(".")[::2]) for owner in owners]
        # Who may label an object may write any name there: only a kind of the table has a queue.
        theirs = {Key(kind, namespace, resource) for kind, resource in named if kind in self._kinds}
        itself = {Key(of.kind, namespace, name)} if _is_declared(self._kinds, of) else set()
        written = theirs if of in (CHANGE_PLAN, SECRET) else itself
        for key in itself | theirs:
            if key in written and self._just_looked_at(key):
                self.queue.add_after(key, ECHO_SECONDS)
            else:
                self.queue.add(key)
        for key in self._waiting_for(of, namespace, name, live) - written:
            self.queue.add(key)

    def _waiting_for(self, of: Type, namespace: str, name: str, live: Manifest | None) -> frozenset[Key]:
        def learns(key: Key) -> object:
            return None if live is None else self._kinds[key.kind].learns(of, live)

        return self._references.dependents((of, namespace, name), learns)

    def _just_looked_at(self, key: Key) -> bool:
        return time.monotonic() - self._looked.get(key, -math.inf) < ECHO_SECONDS

    def start(self) -> None:
        """Start the workers; they wait for the first key."""
        self._workers = [
            asyncio.create_task(self._work(), name=f"reconcile worker {number}") for number in range(self._pace.workers)
        ]

    async def stop(self, grace: float) -> None:
        """Take up nothing new; passes at work may finish within `grace` seconds, then they are cut off."""
        self._stopping = True
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    @property
    def is_whole(self) -> bool:
        """Whether every worker lives."""
        return bool(self._workers) and not any(worker.done() for worker in self._workers)

    async def _work(self) -> None:
        me = asyncio.current_task()
        while not self._stopping and me is not None:
            key = await self.queue.get()
            self._busy.add(me)
            began = time.monotonic()
            self._looked[key] = math.inf
            # What changes while it looks may be younger than what it reads.
            self._references.took(key, {})
            rest = None
            try:
                outcome = await self._pass(key)
                rest = _rest(outcome)
                self._metrics.reconciled(key, outcome.result, time.monotonic() - began)
            finally:
                self._looked[key] = time.monotonic()
                self.queue.done(key, rest)
                self._busy.discard(me)
            if outcome.result in GONE:
                del self._looked[key]

    async def _pass(self, key: Key) -> Outcome:
        def refers(refs: tuple[Ref, ...]) -> None:
            self._references.depends(key, ((ref.type, key.namespace, ref.name) for ref in refs))

        try:
            async with asyncio.timeout(PASS_SECONDS):
                outcome = await reconcile(
                    self._kinds[key.kind],
                    key.name,
                    key.namespace,
                    self._cluster,
                    _now,
                    refers=refers,
                    plans=self._plans,
                )
        except Interrupted as stop:
            finding = stop.finding
            log.warning("%s", finding.message, extra=_about(key, finding.reason))
            self._again(key, finding.policy)
            return Outcome("interrupted")
        except Exception as defect:  # noqa: BLE001 - the rim: one resource's defect must not stop the others
            log.error("a defect ended this pass, it is tried again: %s", trace(defect), extra=_about(key, "Defect"))  # noqa: TRY400 - an exception's text may hold values
            self._metrics.crashed(key)
            self.queue.retry(key)
            return Outcome("crashed")
        self._settle(key, outcome)
        return outcome

    def _settle(self, key: Key, outcome: Outcome) -> None:
        if outcome.result in GONE:
            self.queue.forgive(key)
            self._references.depends(key, ())
            self._metrics.forget(key)
            return
        self._metrics.saw(key, Seen(outcome.conditions, dict(outcome.gauges), outcome.asked))
        if outcome.backoff:
            self.queue.retry(key)
            return
        learned = outcome.learned.items()
        self._references.took(key, {(ref.type, key.namespace, ref.name): said for ref, said in learned})
        self.queue.forgive(key)
        self._later(key, outcome.look_again)

    def _again(self, key: Key, policy: Policy) -> None:
        match policy:
            case Transient():
                self.queue.retry(key)
            case Waiting(delay=delay):
                self._later(key, delay)
            case Stalled():
                self._later(key, None)

    def _later(self, key: Key, seconds: float | None) -> None:
        resync = self._pace.resync * self._pace.jitter()
        self.queue.add_after(key, resync if seconds is None else min(seconds, resync))


#: Outcomes after which there is nothing left to look at.
GONE: Final = frozenset({"gone", "released"})


def _rest(outcome: Outcome) -> float | None:
    """Who wants another look at once waits for nobody's news."""
    if outcome.settled:
        return SETTLED_SECONDS
    return AT_ONCE if outcome.look_again == AT_ONCE else None


def trace(error: BaseException) -> str:
    """Where an error came from: types and places, never its text, which may hold a secret."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    places = " < ".join(
        f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    return "; ".join((f"{type(error).__name__} in {places}", *map(trace, inner)))


def _is_declared(kinds: Mapping[str, Kind], of: Type) -> bool:
    return of.kind in kinds and kinds[of.kind].type == of


def _now() -> datetime:
    return datetime.now(UTC)


def _about(key: Key, reason: str) -> dict[str, str]:
    return {"kind": key.kind, "resource": f"{key.namespace}/{key.name}", "reason": reason}
