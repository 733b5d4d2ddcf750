"""Which of several operators acts: one Lease, one holder.

A lease is never a fence: it keeps two operators from doing everything twice, no more.
What must not happen twice is guarded where it happens, by uid and resourceVersion.

Nobody's clock but one's own is trusted. A holder counts from before it asked for its
last renewal; a rival counts from when it saw the lease change, which is later. So the
holder gives up before anybody may follow, however slow the answers are. Writes carry
the resourceVersion that was read: of two who try at once, one is refused.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import LEASE, Manifest, Ref

log = logging.getLogger(__name__)

#: Exit code of a process that lost its lease: its successor may be acting already.
LOST: Final = 70


@dataclass(frozen=True)
class Terms:
    """How long a silent holder is respected, how often it renews, when it gives up by itself."""

    duration: float = 15.0
    renew: float = 5.0
    #: Time between giving up and anybody following: what is under way must have ended by then.
    margin: float = 4.0
    #: How often a standby looks.
    look: float = 1.0
    #: How long one attempt may take: several fit between two renewals and giving up.
    attempt: float = 3.0


@dataclass(frozen=True)
class Election:
    """What one contender knows. All moments are of its own monotonic clock (pure)."""

    me: str
    terms: Terms = Terms()
    #: The lease as it was last seen, and when that version was first seen.
    seen: Manifest | None = None
    seen_at: float = 0.0
    #: When the renewal was asked for that was the last one to succeed.
    renewed_at: float | None = None
    #: Whether `seen` is what a write may be based on.
    fresh: bool = False

    def saw(self, lease: Manifest | None, now: float) -> "Election":
        """A read came back. Who is seen not to hold it any more has lost it."""
        return replace(
            self,
            seen=lease,
            seen_at=self.seen_at if lease is not None and _version(lease) == _version(self.seen) else now,
            renewed_at=self.renewed_at if _holder(lease) == self.me else None,
            fresh=True,
        )

    def wrote(self, lease: Manifest, asked_at: float, now: float) -> "Election":
        """A write was accepted: the lease as it is now."""
        return replace(self, seen=lease, seen_at=now, renewed_at=asked_at, fresh=True)

    def missed(self) -> "Election":
        """A write was refused or not answered: the lease has to be read before the next."""
        return replace(self, fresh=False)

    def must_read(self, now: float) -> bool:
        """Whether to look before writing: a holder that knows the version need not."""
        return not (self.fresh and self.leads(now))

    def leads(self, now: float) -> bool:
        """Whether it may act now."""
        return self.renewed_at is not None and now < self.deadline

    @property
    def deadline(self) -> float:
        """Until when it may act without another renewal."""
        return -1.0 if self.renewed_at is None else self.renewed_at + self.terms.duration - self.terms.margin

    def may_try(self, now: float) -> bool:
        """Whether the lease, as seen, is free, released, mine or expired."""
        holder = _holder(self.seen)
        return holder in ("", self.me) or now - self.seen_at > self.terms.duration

    def claim(self, stamp: str) -> Manifest:
        """The lease as it shall be with me as its holder."""
        before = (self.seen or {}).get("spec", {})
        mine = before.get("holderIdentity") == self.me
        meta = {} if self.seen is None else {"resourceVersion": _version(self.seen)}
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": meta,
            "spec": {
                "holderIdentity": self.me,
                "leaseDurationSeconds": int(self.terms.duration),
                "acquireTime": before.get("acquireTime", stamp) if mine else stamp,
                "renewTime": stamp,
                "leaseTransitions": before.get("leaseTransitions", 0) + (0 if mine or self.seen is None else 1),
            },
        }

    def release(self, stamp: str) -> Manifest:
        """The lease without a holder: whoever waits need not wait for it to expire."""
        lease = self.claim(stamp)
        return lease | {"spec": lease["spec"] | {"holderIdentity": "", "leaseDurationSeconds": 1}}


class Store(Protocol):
    """Where the lease is kept. Raises Interrupted where no answer came."""

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        """The lease now."""

    async def create(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """Make it; None where somebody was first."""

    async def replace(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """Write it at its resourceVersion; None where somebody was first."""


class Lease:
    """One contender, in touch with the store."""

    def __init__(
        self, store: Store, namespace: str, name: str, election: Election, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._namespace = namespace
        self._name = name
        self._election = election
        self._clock = clock

    @property
    def deadline(self) -> float:
        """Until when this process may act."""
        return self._election.deadline

    @property
    def is_held(self) -> bool:
        """Whether this process may act now."""
        return self._election.leads(self._clock())

    @property
    def holder(self) -> str:
        """Who holds it, as last seen; empty where nobody does."""
        return _holder(self._election.seen)

    async def acquire(self) -> None:
        """Return once it is held, however long that takes."""
        told = None
        while not await self._try():
            if self.holder != told:
                told = self.holder
                log.info("standing by: %s holds the lease", told or "nobody")
            await asyncio.sleep(self._election.terms.look)
        log.info("holding the lease: this operator acts")

    async def keep(self) -> None:
        """Renew until it is lost, then return: whoever called must be gone before anything else happens."""
        terms = self._election.terms
        while self.is_held:
            await asyncio.sleep(terms.renew if self._election.fresh else terms.look / 2)
            await self._try()

    async def release(self) -> None:
        """Give it up, so that a standby takes over at once. Failing to is only slower."""
        if self.is_held:
            lease = self._election.release(_stamp())
            self._election = replace(self._election, renewed_at=None)
            try:
                await self._store.replace(self._named(lease), self._namespace)
            except Interrupted as failed:
                log.warning("the lease is not released, it expires by itself: %s", failed.finding.message)

    async def _try(self) -> bool:
        """One attempt; whether it is held now."""
        try:
            async with asyncio.timeout(self._election.terms.attempt):
                return await self._attempt()
        except (Interrupted, TimeoutError) as failed:
            # A write nobody answered may have been done.
            self._election = self._election.missed()
            log.warning("no word of the lease, it is asked for again: %s", str(failed) or "no answer in time")
            return False

    async def _attempt(self) -> bool:
        if self._election.must_read(self._clock()):
            lease = await self._store.get(Ref(LEASE, self._name), self._namespace)
            self._election = self._election.saw(lease, self._clock())
        if not self._election.may_try(self._clock()):
            return False
        asked_at = self._clock()
        wanted = self._named(self._election.claim(_stamp()))
        put = self._store.create if self._election.seen is None else self._store.replace
        lease = await put(wanted, self._namespace)
        self._election = (
            self._election.missed() if lease is None else self._election.wrote(lease, asked_at, self._clock())
        )
        return self.is_held

    def _named(self, lease: Manifest) -> Manifest:
        return lease | {"metadata": lease["metadata"] | {"name": self._name, "namespace": self._namespace}}


class Watchdog:
    """Ends the process when its deadline passes, from a thread: a blocked event loop cannot keep it from that."""

    def __init__(
        self, deadline: Callable[[], float], end: Callable[[int], object] = os._exit, every: float = 0.5
    ) -> None:
        self._deadline = deadline
        self._end = end
        self._every = every
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lease watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """The process ends in order: nobody acts any more."""
        self._off.set()

    def _watch(self) -> None:
        while not self._off.wait(self._every):
            if time.monotonic() >= self._deadline():
                self._end(LOST)
                return


def _version(lease: Manifest | None) -> str:
    return "" if lease is None else str(lease["metadata"]["resourceVersion"])


def _holder(lease: Manifest | None) -> str:
    return "" if lease is None else str(lease.get("spec", {}).get("holderIdentity") or "")


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
