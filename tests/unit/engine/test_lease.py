"""The lease: two contenders in every order of their reads, writes, lost answers, pauses and restarts."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.lease import LOST, Election, Lease, Terms, Watchdog
from bankstack.engine.objects import Manifest, Ref

#: One tick of the story's clock is what these are counted in.
SHORT = Terms(duration=2, margin=1)


def stored(claim: Manifest, version: int) -> Manifest:
    return claim | {"metadata": {**claim["metadata"], "resourceVersion": str(version)}}


@dataclass(frozen=True)
class Contender:
    """Its election, and the one call it has under way: sent, done at the server, or answered."""

    election: Election
    call: tuple[Any, ...] = ()

    def known(self, now: float) -> tuple[Any, ...]:
        """All that its next steps depend on: ages instead of moments, no age beyond what is asked for."""
        e, old = self.election, self.election.terms.duration + 1
        call = tuple(min(now - part, old) if isinstance(part, int | float) else part for part in self.call)
        renewed = None if e.renewed_at is None else min(now - e.renewed_at, old)
        return (e.seen, min(now - e.seen_at, old), renewed, e.fresh, *call)


@dataclass(frozen=True)
class World:
    now: int
    lease: Manifest | None
    writes: int
    both: tuple[Contender, Contender]

    @property
    def trace(self) -> tuple[Any, ...]:
        """Two worlds of one trace go on alike: versions only count as same or other, and who is who does not."""
        versions: dict[str, int] = {}

        def named(part: Any) -> Any:  # noqa: ANN401 - any part of a state
            if not isinstance(part, dict):
                return part
            number, holder = version(part)
            return (versions.setdefault(number, len(versions)), holder)

        lease = named(self.lease)
        a, b = (tuple(map(named, one.known(self.now))) for one in self.both)
        return lease, a, b

    @property
    def leaders(self) -> int:
        return sum(one.election.leads(self.now) for one in self.both)


def version(lease: Manifest | None) -> tuple[str, str]:
    return (
        ("", "") if lease is None else (lease["metadata"].get("resourceVersion", ""), lease["spec"]["holderIdentity"])
    )


def begin(world: World, one: Contender) -> Contender:
    e = one.election
    if e.must_read(world.now):
        return replace(one, call=("read sent",))
    return replace(one, call=("write sent", e.claim(""), world.now))


def at_the_server(world: World, one: Contender) -> tuple[Contender, Manifest | None, int]:
    if one.call[0] == "read sent":
        return replace(one, call=("read done", world.lease)), world.lease, world.writes
    _, claim, asked_at = one.call
    if claim["metadata"].get("resourceVersion", "") != version(world.lease)[0]:
        return replace(one, call=("write done", None, asked_at)), world.lease, world.writes
    lease = stored(claim, world.writes + 1)
    return replace(one, call=("write done", lease, asked_at)), lease, world.writes + 1


def answered(world: World, one: Contender) -> Contender:
    e = one.election
    if one.call[0] == "read done":
        e = e.saw(one.call[1], world.now)
        call = ("write sent", e.claim(""), world.now) if e.may_try(world.now) else ()
        return Contender(e, call)
    _, lease, asked_at = one.call
    return Contender(e.missed() if lease is None else e.wrote(lease, asked_at, world.now))


def successors(world: World) -> Iterator[World]:
    yield replace(world, now=world.now + 1)
    for at, one in enumerate(world.both):
        lease, writes = world.lease, world.writes
        # Its container dies and starts again, under the same pod's name.
        followers = [Contender(Election(one.election.me, one.election.terms))]
        if not one.call:
            followers.append(begin(world, one))
        elif one.call[0].endswith("sent"):
            done, lease, writes = at_the_server(world, one)
            followers.append(done)
        else:
            followers.append(answered(world, one))
            # The answer is lost on its way: whatever was done stays done.
            yield _with(world, at, Contender(one.election.missed()))
        if one.call and one.call[0] == "write sent":
            yield _with(world, at, Contender(one.election.missed()))
        for follower in followers:
            yield _with(replace(world, lease=lease, writes=writes), at, follower)


def _with(world: World, at: int, one: Contender) -> World:
    both = list(world.both)
    both[at] = one
    return replace(world, both=(both[0], both[1]))


def worlds(terms: Terms) -> Iterator[World]:
    """Every world that two contenders can ever come to, the sooner ones first."""
    start = World(0, None, 0, (Contender(Election("a", terms)), Contender(Election("b", terms))))
    frontier, known = deque([start]), {start.trace}
    while frontier:
        world = frontier.popleft()
        yield world
        for follower in successors(world):
            if follower.trace not in known:
                known.add(follower.trace)
                frontier.append(follower)


def test_two_contenders_never_lead_at_once_in_any_order_of_events() -> None:
    led = set()
    for world in worlds(SHORT):
        assert world.leaders <= 1, world
        led |= {(world.writes, one.election.me) for one in world.both if one.election.leads(world.now)}
    assert {(2, "a"), (2, "b")} <= led, "the story never got to a change of leaders"


def test_the_search_finds_two_leaders_where_a_holder_gives_up_too_late() -> None:
    assert any(world.leaders > 1 for world in worlds(Terms(duration=2, margin=-2)))


class Store:
    """A lease in memory, that can be cut off for one or for all."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.writes = 0
        self.away = False
        self.loses_answers = False
        self.mute = False

    async def _mute(self) -> None:
        if self.mute:
            await asyncio.Event().wait()

    def _reach(self) -> None:
        if self.away:
            raise Interrupted(Finding("ApiUnavailable", "no answer", Transient()))

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        assert (ref.name, namespace) == ("bankstack-operator", "bankstack-system")
        await self._mute()
        self._reach()
        return self.lease

    async def create(self, manifest: Manifest, _namespace: str) -> Manifest | None:
        await self._mute()
        return self._write(manifest) if self.lease is None else None

    async def replace(self, manifest: Manifest, _namespace: str) -> Manifest | None:
        await self._mute()
        current = self.lease and self.lease["metadata"]["resourceVersion"] == manifest["metadata"]["resourceVersion"]
        return self._write(manifest) if current else None

    def _write(self, manifest: Manifest) -> Manifest:
        self._reach()
        self.writes += 1
        self.lease = stored(manifest, self.writes)
        if self.loses_answers:
            self.loses_answers = False
            raise Interrupted(Finding("ApiUnavailable", "no answer", Transient()))
        return self.lease


class Virtual(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to whatever is due next: seconds cost nothing, and no load changes a story."""

    jumped = 0.0

    def time(self) -> float:
        return super().time() + self.jumped

    def _run_once(self) -> None:
        due = [one.when() for one in self._scheduled if not one.cancelled()]  # type: ignore[attr-defined]
        if due and not self._ready:  # type: ignore[attr-defined]
            self.jumped += max(0.0, min(due) - self.time())
        super()._run_once()  # type: ignore[misc]


def in_virtual_time(story: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def told() -> None:
        with asyncio.Runner(loop_factory=Virtual) as runner:
            runner.run(story())

    return told


def now() -> float:
    return asyncio.get_running_loop().time()


TERMS = Terms()


def contender(store: Store, me: str) -> Lease:
    return Lease(store, "bankstack-system", "bankstack-operator", Election(me, TERMS), clock=now)


@in_virtual_time
async def test_a_standby_takes_over_at_once_when_the_leader_ends_in_order() -> None:
    store = Store()
    first, second = contender(store, "a"), contender(store, "b")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    keeping = asyncio.create_task(first.keep())
    await asyncio.sleep(TERMS.duration * 4)
    assert not waiting.done(), "a renewed lease was taken"
    keeping.cancel()
    began = now()
    await first.release()
    await waiting
    assert not first.is_held
    assert second.is_held
    assert now() - began <= TERMS.look * 1.01
    assert store.lease is not None
    assert store.lease["spec"]["leaseTransitions"] == 1


@in_virtual_time
async def test_a_standby_waits_out_a_leader_that_went_silent() -> None:
    store = Store()
    first, second = contender(store, "a"), contender(store, "b")
    await first.acquire()
    began = now()
    await second.acquire()
    assert TERMS.duration < now() - began < TERMS.duration + 2 * TERMS.look
    assert now() > first.deadline
    assert not first.is_held


@in_virtual_time
async def test_a_leader_that_cannot_renew_gives_up_before_it_may_be_followed() -> None:
    store = Store()
    lease = contender(store, "a")
    await lease.acquire()
    last = now()
    store.away = True
    await lease.keep()
    assert now() - last <= TERMS.duration - TERMS.margin + TERMS.look
    await lease.release()
    assert not lease.is_held


@in_virtual_time
async def test_an_answer_that_never_comes_is_not_waited_for() -> None:
    store = Store()
    lease = contender(store, "a")
    await lease.acquire()
    store.mute = True
    keeping = asyncio.create_task(lease.keep())
    await asyncio.sleep(TERMS.renew + TERMS.attempt + 0.1)
    assert lease.is_held
    store.mute = False
    await asyncio.sleep(TERMS.duration)
    assert lease.is_held
    assert not keeping.done()
    keeping.cancel()


@in_virtual_time
async def test_a_leader_whose_answer_is_lost_finds_itself_again() -> None:
    store = Store()
    lease = contender(store, "a")
    await lease.acquire()
    keeping = asyncio.create_task(lease.keep())
    store.loses_answers = True
    await asyncio.sleep(TERMS.duration * 2)
    assert not keeping.done()
    assert lease.is_held
    keeping.cancel()


@in_virtual_time
async def test_a_leader_whose_lease_was_taken_stops_leading() -> None:
    store = Store()
    lease = contender(store, "a")
    await lease.acquire()
    store.lease = stored({"metadata": {}, "spec": {"holderIdentity": "thief"}}, 99)
    began = now()
    await lease.keep()
    assert not lease.is_held
    assert now() - began <= TERMS.renew + TERMS.look


@in_virtual_time
async def test_a_leader_whose_lease_was_deleted_makes_it_again() -> None:
    store = Store()
    lease = contender(store, "a")
    await lease.acquire()
    store.lease = None
    keeping = asyncio.create_task(lease.keep())
    await asyncio.sleep(TERMS.duration)
    assert lease.is_held
    assert version(store.lease)[1] == "a"
    keeping.cancel()


@in_virtual_time
async def test_a_restarted_container_of_the_same_pod_need_not_wait() -> None:
    store = Store()
    await contender(store, "pod-1").acquire()
    began = now()
    await contender(store, "pod-1").acquire()
    assert now() - began < TERMS.look


@in_virtual_time
async def test_an_unreachable_store_is_waited_for() -> None:
    store = Store()
    store.away = True
    lease = contender(store, "a")
    acquiring = asyncio.create_task(lease.acquire())
    await asyncio.sleep(3600)
    assert not acquiring.done()
    store.away = False
    await acquiring
    assert lease.is_held


def test_the_watchdog_ends_the_process_when_the_deadline_passes_and_not_before() -> None:
    ended: list[int] = []
    gone = threading.Event()
    deadline = time.monotonic() + 0.1

    def end(code: int) -> None:
        ended.append(code)
        gone.set()

    dog = Watchdog(lambda: deadline, end, every=0.005)
    dog.start()
    assert gone.wait(5)
    assert time.monotonic() >= deadline
    assert ended == [LOST]


def test_a_watchdog_that_was_stopped_ends_nothing() -> None:
    ended: list[int] = []
    dog = Watchdog(lambda: 0.0, ended.append, every=0.05)
    dog.stop()
    dog.start()
    dog._thread.join(5)  # noqa: SLF001 - that it is over is the point
    assert ended == []
