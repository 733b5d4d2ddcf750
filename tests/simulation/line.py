"""What lies between one operator process and everything it talks to: it may be cut, and the process may die."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from .faults import Calls, Crash, Fault, When

T = TypeVar("T")
Pause = Callable[[], Awaitable[None]]


class Line:
    """Carries out calls one by one, as the schedule lets it. After a crash nothing more goes out."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.dead = False
        #: What lets others come first.
        self.pause: Pause | None = None

    async def call(self, words: str, effect: Callable[[int], T], failure: Callable[[int], Exception]) -> T:
        """`effect` is given how many writes behind to read; `failure` makes the error of a code (0: no answer)."""
        if self.pause is not None:
            await self.pause()
        if self.dead:
            raise Crash(words)
        fault = self.calls.next(words)
        if fault is not None and fault.when is When.BEFORE:
            self._strike(fault, words, failure)
        try:
            return effect(fault.behind if fault else 0)
        finally:
            # Also where the answer is a refusal.
            if fault is not None and fault.when is When.AFTER:
                self._strike(fault, words, failure)

    def _strike(self, fault: Fault, words: str, failure: Callable[[int], Exception]) -> None:
        if fault.what == "crash":
            self.dead = True
            raise Crash(words)
        if isinstance(fault.what, int):
            raise failure(fault.what)
