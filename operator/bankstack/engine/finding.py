"""What a look at the facts found, and the policy it carries (pure).

The loop never guesses what to do about a problem: the finding says it.

    Waiting     a known thing is on its way: look again after `delay`; nothing is wrong
    Stalled     a person must change something: no retry until something changes
    Transient   an answer did not come: unknown is not no; try again, later each time
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

#: The reason of a finding where the operator lacks a right.
FORBIDDEN: Final = "Forbidden"
#: The reason where lists cannot be asked for by a field: the definition of that type does not name it.
UNSELECTABLE: Final = "Unselectable"


@dataclass(frozen=True)
class Waiting:
    """Something is on its way; `delay` in seconds is when to look again."""

    delay: float = 10.0


@dataclass(frozen=True)
class Stalled:
    """Only a person can mend this."""


@dataclass(frozen=True)
class Transient:
    """Nothing is concluded from a missing answer."""


Policy: TypeAlias = Waiting | Stalled | Transient

#: What is waited for is watched, and wakes whoever waits: looked at again only in case its event was lost.
WATCHED: Final = Waiting(30.0)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `message` is read at 3 a.m.: what is wrong, what it means for the money, what to
    do. `stops` False lets the pass go on: worth telling, not worth waiting for.
    """

    reason: str
    message: str
    policy: Policy
    stops: bool = True


@dataclass(frozen=True)
class Unknown:
    """A probe's answer when none came, and why: never taken for a no (law 3)."""

    reason: str


class Interrupted(Exception):
    """A pass that cannot go on, raised where the cause was seen: in a client, in an action."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


Node = TypeVar("Node")
Facts = TypeVar("Facts")


def first(checks: Iterable[Callable[[Node, Facts], Finding | None]], node: Node, facts: Facts) -> Finding | None:
    """The first check that finds something: their order is the policy."""
    return next((finding for check in checks if (finding := check(node, facts))), None)
