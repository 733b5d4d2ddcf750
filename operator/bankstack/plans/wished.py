"""What the operator itself asks for on one target, and when it does not (pure).

A kind says which wishes its resource has (`Operation.wishes`); here it is told which of
them is answered, by which plan, and what is withdrawn:

    answered   a plan for the operation has not ended, whoever asked for it; or one was made
               for this very wish and people let it end otherwise: it is not asked for again
               by itself, as long as that plan is there
    withdrawn  a plan of the operator's own that has not begun, whose wish is gone

The plans that are listed are the memory, so nothing is asked for twice however often it is
looked at, and whoever deletes a plan has it asked for anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bankstack.engine.declared import Declared
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import annotation, digest
from bankstack.engine.operation import Operation, Wish
from bankstack.plans.plan import Plan, Unreadable, unreadable
from bankstack.plans.request import STEM_MOST, Request

#: On a plan: which wish it was made for.
WISH: Final = "bankstack.io/wish"
#: Long enough for people and for weekly windows, and less than a plan may be made ahead, whoever's clock is wrong.
VALID: Final = timedelta(days=28)
#: Where nothing is known of a wish.
UNTOLD: Final = Unknown("this version of the operator does not know it")


@dataclass(frozen=True)
class Asked:
    """One wish, and what would grant it."""

    operation: str
    cause: str
    wish: Wish

    @property
    def mark(self) -> str:
        """As a plan says what it is for."""
        return f"{self.cause} {self.wish.content}"


@dataclass(frozen=True)
class Wished:
    """The wishes of one target, by operation and cause; `us` is the operator's own user, without which none count."""

    us: str = ""
    wishes: Mapping[tuple[str, str], Wish | Unknown | None] = field(default_factory=dict)
    paused: bool = False

    @property
    def standing(self) -> tuple[Asked, ...]:
        """Those that are there."""
        return tuple(Asked(*key, wish) for key, wish in sorted(self.wishes.items()) if isinstance(wish, Wish))

    def withdraws(self, plan: Plan) -> bool:
        """Whether a plan was made for a wish that is gone. What nobody can tell now withdraws nothing."""
        cause, _, content = (annotation(plan.manifest, WISH) or "").partition(" ")
        if plan.spec.requested_by != self.us or not cause:
            return False
        wish = self.wishes.get((plan.spec.operation, cause), UNTOLD)
        return not isinstance(wish, Unknown) and (wish is None or wish.content != content)

    def answer(self, one: Asked, found: Iterable[Plan | Unreadable]) -> Plan | None:
        """The plan that a wish has; one that has not ended before any other."""
        plans = [plan for plan in found if isinstance(plan, Plan) and plan.spec.operation == one.operation]
        return min(
            (plan for plan in plans if self._is_open(plan) or self._let_end(plan, one)),
            key=lambda plan: (plan.finished, plan.created, plan.name),
            default=None,
        )

    def asks(self, found: Iterable[Plan | Unreadable]) -> tuple[Asked, ...]:
        """What is to be asked for now: a plan grants all wishes for its operation, so one of each is enough."""
        found = tuple(found)
        if self.paused or unreadable(found):
            return ()
        first: dict[str, Asked] = {}
        for one in self.standing:
            if self.answer(one, found) is None:
                first.setdefault(one.operation, one)
        return tuple(first.values())

    def told(self, found: Iterable[Plan | Unreadable]) -> Mapping[str, str]:
        """By cause, what became of the wish."""
        found = tuple(found)
        if broken := unreadable(found):
            return {one.cause: f"No ChangePlan is asked for: {broken}" for one in self.standing}
        return {one.cause: self._told(one, self.answer(one, found)) for one in self.standing}

    def _told(self, one: Asked, plan: Plan | None) -> str:
        if plan is None:
            return (
                f"A ChangePlan ({one.operation}) is asked for as soon as spec.paused is false"
                if self.paused
                else f"A ChangePlan ({one.operation}) is being asked for"
            )
        if not plan.finished:
            return f"ChangePlan {plan.name} does it once it is approved: kubectl bank plan show {plan.name}"
        return (
            f"ChangePlan {plan.name}, which was to do it, is {plan.status.state}, and it is not asked for again by "
            "itself. Delete that plan to have it asked for anew, or make one of your own: operation "
            f"{one.operation}, target {plan.target}"
        )

    def _is_open(self, plan: Plan) -> bool:
        return not plan.finished and not plan.spec.dry_run and (plan.runs or not self.withdraws(plan))

    def _let_end(self, plan: Plan, one: Asked) -> bool:
        """It was for this wish, and people, time or a rule ended it; neither was it withdrawn nor did it help."""
        if plan.spec.requested_by != self.us or annotation(plan.manifest, WISH) != one.mark:
            return False
        by_itself = plan.status.state == "Succeeded" or (plan.status.state == "Cancelled" and not plan.spec.cancelled)
        return plan.finished and not by_itself


def look(us: str, operations: Mapping[str, Operation], subject: Declared[Any, Any] | None, facts: Any) -> Wished:  # noqa: ANN401 - a kind's own facts
    """The wishes of a target now."""
    if not us or subject is None or subject.deleting:
        return Wished(us)
    wishes = {
        (name, cause): wish
        for name, operation in operations.items()
        for cause, wish in operation.wishes(subject, facts).items()
    }
    return Wished(us, wishes, subject.paused)


def request(one: Asked, us: str, kind: str, target: str, namespace: str, now: datetime) -> Request:  # noqa: PLR0913, PLR0917 - who asks whom for what
    """The plan that is asked for."""
    operation, cause = one.operation.lower(), digest([kind, target, one.mark])
    whole = f"{target}-{operation}-{cause}"
    return Request(
        stem=whole if len(whole) <= STEM_MOST else f"{operation}-{cause}",
        kind=kind,
        target=target,
        namespace=namespace,
        operation=one.operation,
        us=us,
        not_after=now + VALID,
        reason=one.wish.reason,
        event="AskedByOperator",
        annotations={WISH: one.mark},
    )
