"""Keys waiting for a worker: each at most once, and never in two hands.

Events say only that something changed, so any number of them for one key are one
pass. A key that is added while a worker has it is handed out again soon after that
worker is done: what it read may have been older. The queue knows no resource and reads
nothing; lost with the process, it is refilled by the first listing.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")

#: Seconds that a key rests after a pass: what changes then is most often what the pass wrote, told in as many events.
REST = 0.1
BACKOFF_FIRST = 1.0
BACKOFF_MOST = 300.0


class KeyedQueue(Generic[Key]):
    """First in, first out, by key. For one event loop; not for threads.

    `jitter` spreads retries: it gives a factor for each delay. `rest`: seconds from the end
    of a pass to the next one of the same key, where `done` does not say otherwise.
    """

    def __init__(
        self,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),  # noqa: S311 - spread
        rest: float = REST,
    ) -> None:
        self._jitter = jitter
        self._rest = rest
        self._resting: dict[Key, asyncio.TimerHandle] = {}
        self._waiting: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._in_hand: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._arrival = asyncio.Event()

    def __len__(self) -> int:
        """Keys that wait for a worker now: neither in hand nor put off."""
        return len(self._waiting)

    def add(self, key: Key) -> None:
        """Something about `key` may have changed."""
        if timer := self._later.pop(key, None):
            timer.cancel()
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._in_hand and key not in self._resting:
            self._hand_over(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Look again at `key` in `seconds`, or earlier if it is added or was to be looked at earlier."""
        if key in self._dirty:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        if (timer := self._later.get(key)) is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._later[key] = loop.call_at(when, self.add, key)

    def retry(self, key: Key) -> float:
        """Look again at a key that failed, later each time; the seconds until then."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # Capped before it is raised: after a night of failures 2**n would be no float.
        seconds = min(BACKOFF_MOST, BACKOFF_FIRST * 2.0 ** min(failures, 16)) * self._jitter()
        self.add_after(key, seconds)
        return seconds

    def forgive(self, key: Key) -> None:
        """A pass went well: the next failure is a first one."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The next key, now in this worker's hand until `done`."""
        while not self._waiting:
            self._arrival.clear()
            await self._arrival.wait()
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._in_hand.add(key)
        return key

    def done(self, key: Key, rest: float | None = None) -> None:
        """The worker let go of `key`; if it changed meanwhile, or while it rests, it is in line again after that."""
        self._in_hand.discard(key)
        seconds = self._rest if rest is None else rest
        self._resting[key] = asyncio.get_running_loop().call_later(seconds, self._rested, key)

    def _rested(self, key: Key) -> None:
        del self._resting[key]
        if key in self._dirty:
            self._hand_over(key)

    def _hand_over(self, key: Key) -> None:
        self._waiting.append(key)
        self._arrival.set()
