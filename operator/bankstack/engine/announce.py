"""Which changes of a resource's conditions are worth an Event (pure).

An Event is told once, when a condition's status or reason changes; the message may
change as often as it likes without one. What nobody could tell yet, of a resource just
made, is no news.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bankstack.engine.conditions import READY, RECONCILING, STALLED
from bankstack.engine.model import Condition


@dataclass(frozen=True)
class Announcement:
    """One Event: `kind` is Normal or Warning."""

    kind: str
    reason: str
    message: str


def announcements(before: Iterable[Condition], after: Iterable[Condition]) -> tuple[Announcement, ...]:
    """Events for what changed, in the order of the conditions; what several say alike is told once, as the worst."""
    after = tuple(after)
    earlier = {one.type: (one.status, one.reason) for one in before}
    stalled = any(one.type == STALLED for one in after)
    told: dict[tuple[str, str], Announcement] = {}
    for one in after:
        if one.type not in (RECONCILING, STALLED) and _is_news(one, earlier.get(one.type)):
            said, bad = (one.reason, one.message), _is_bad(one, stalled=stalled)
            if bad or said not in told:
                told[said] = Announcement("Warning" if bad else "Normal", *said)
    return tuple(told.values())


def _is_news(condition: Condition, before: tuple[str, str] | None) -> bool:
    unknown_as_ever = before is None and condition.status == "Unknown"
    return not unknown_as_ever and before != (condition.status, condition.reason)


def _is_bad(condition: Condition, *, stalled: bool) -> bool:
    return stalled if condition.type == READY else condition.status == "Unknown"
