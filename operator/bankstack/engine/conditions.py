"""Conditions as kstatus, GitOps tools and people read them, derived in this one place (pure).

Ready is always there. Reconciling and Stalled are there only while they are true. A
change that waits for a person's approval leaves Ready as it is: that is ChangePending.
What was written before is used for one thing: a transition keeps its time until the
status of that condition changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bankstack.engine.finding import Finding, Stalled
from bankstack.engine.model import Condition

READY, RECONCILING, STALLED = "Ready", "Reconciling", "Stalled"
DERIVED = frozenset({READY, RECONCILING, STALLED})
MESSAGE_MOST = 2048


@dataclass(frozen=True)
class Claim:
    """A condition of a kind's own, before it has a time."""

    type: str
    status: str
    reason: str
    message: str


def summarise(
    generation: int, before: Iterable[Condition], finding: Finding | None, own: Iterable[Claim], now: datetime
) -> tuple[Condition, ...]:
    """All conditions of a resource: Ready first, then the kind's own by name."""
    kinds_own = sorted((claim for claim in own if claim.type not in DERIVED), key=lambda claim: claim.type)
    claims = (*_derived(finding), *kinds_own)
    earlier = {condition.type: condition for condition in before}
    return tuple(_dated(claim, earlier.get(claim.type), generation, now) for claim in claims)


def _derived(finding: Finding | None) -> tuple[Claim, ...]:
    if finding is None or not finding.stops:
        told = finding.message if finding else "all is as declared"
        return (Claim(READY, "True", finding.reason if finding else "AsDeclared", told),)
    cause = STALLED if isinstance(finding.policy, Stalled) else RECONCILING
    return (
        Claim(READY, "False", finding.reason, finding.message),
        Claim(cause, "True", finding.reason, finding.message),
    )


def _dated(claim: Claim, earlier: Condition | None, generation: int, now: datetime) -> Condition:
    unchanged = earlier is not None and earlier.status == claim.status
    return Condition(
        type=claim.type,
        status=claim.status,
        reason=claim.reason,
        message=claim.message[:MESSAGE_MOST],
        observed_generation=generation,
        last_transition_time=earlier.last_transition_time if earlier and unchanged else stamp(now),
    )


def stamp(moment: datetime) -> str:
    """A moment as the API server writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The moment that a stamp is of. ValueError where the calendar has none like it."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
