"""What goes wrong, and when: decided by the number of the call, so that a story repeats exactly (pure).

Calls of the operator to the API server and to outside systems are counted together:
call 7 of a story is the same call in each run, until the fault itself changes what
comes after.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Crash(BaseException):
    """The process died here. No `except Exception` survives it, as none survives SIGKILL."""


def is_crash(error: BaseException) -> bool:
    """Whether it is the simulated death, also from within a group of tasks."""
    return isinstance(error, Crash) or (isinstance(error, BaseExceptionGroup) and any(map(is_crash, error.exceptions)))


class When(Enum):
    """On which side of the effect a fault strikes."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Fault:
    """`what` is crash, stale, or an HTTP code; 0 is a timeout. `behind` counts writes a stale read misses."""

    what: str | int
    when: When = When.BEFORE
    behind: int = 0


#: Given the number of a call (from 1) and its words, what befalls it.
Schedule: TypeAlias = Callable[[int, str], Fault | None]


def none(_number: int, _call: str) -> None:
    """A day without incidents."""


def at(number: int, fault: Fault) -> Schedule:
    """Exactly one fault."""
    return lambda call, _words: fault if call == number else None


def always(words: str, fault: Fault) -> Schedule:
    """Every call that begins with `words` fails."""
    return lambda _number, call: fault if call.startswith(words) else None


def some(seed: int, share: float, faults: tuple[Fault, ...], most: int) -> Schedule:
    """A share of the first `most` calls, the same ones for the same seed."""

    def schedule(number: int, _call: str) -> Fault | None:
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - a dice, not a key
        return dice.choice(faults) if number <= most and dice.random() < share else None

    return schedule


def every_first(fault: Fault, *but: str) -> Schedule:
    """Every call fails the first time that it is made."""
    made: set[str] = set()

    def schedule(_number: int, call: str) -> Fault | None:
        if call in made or (but and call.startswith(but)):
            return None
        made.add(call)
        return fault

    return schedule


class Calls:
    """Counts the calls of a story and lets the schedule strike."""

    def __init__(self, schedule: Schedule = none) -> None:
        self.schedule = schedule
        self.made: list[str] = []

    def next(self, words: str) -> Fault | None:
        """The fault that befalls the call that is made now."""
        self.made.append(words)
        return self.schedule(len(self.made), words)
