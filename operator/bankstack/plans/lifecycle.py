"""Where a plan stands that has not begun, and why (pure).

    Pending → AwaitingApproval → Running → Succeeded | Failed
       └──────────┴─ Refused | Expired | Cancelled ─┘ (of a running plan: Cancelled only)

Pending waits for something other than a person's approval, and says for what. Each rule
is a function and a sentence; the first that finds something is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeAlias

from bankstack.engine.conditions import moment, stamp
from bankstack.engine.decision import soonest
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import Operation, Proposal, Risk
from bankstack.engine.windows import opens
from bankstack.plans import admission
from bankstack.plans.approvals import Asked, Tally, short, tally
from bankstack.plans.hash import Basis, shown, why_another
from bankstack.plans.model import MISSING_MOST, SENTENCE_MOST, ChangePlanStatus, StepStatus
from bankstack.plans.plan import Plan
from bankstack.plans.risk import needed
from bankstack.plans.setting import Setting

#: How far ahead a plan may be made: its name has to be remembered that long once it was begun.
AHEAD_MOST: Final = timedelta(days=31)
#: Seconds until what was not known is asked for again.
UNKNOWN_AGAIN: Final = 30.0


@dataclass(frozen=True)
class Standing:
    """A plan's status now; `ready`: nothing but its turn keeps it from beginning."""

    status: ChangePlanStatus
    ready: bool = False
    #: Seconds until time itself changes where it stands.
    look_again: float | None = None


def stand(plan: Plan, setting: Setting) -> Standing:
    """Where a plan stands that has not begun."""
    if ending := next((found for rule in ENDINGS if (found := rule(plan, setting))), None):
        return _ended(plan, *ending)
    operation, subject = setting.operations[plan.spec.operation], setting.subject
    if subject is None:
        return _standing(plan, setting, plan.status, [_no_target(plan)], "Pending")
    proposal = operation.plan(subject, setting.facts, plan.spec.parameters or {})
    status = plan.status if proposal.refusals or proposal.waits else drafted(plan, operation, proposal, subject.uid)
    if plan.spec.dry_run:
        return _dry(plan, setting, operation, status, proposal)
    if proposal.refusals:
        return _ended(plan, "Refused", "; ".join(proposal.refusals))
    if proposal.waits:
        waits = _standing(plan, setting, status, [*proposal.waits], "Pending")
        return replace(waits, look_again=soonest(waits.look_again, UNKNOWN_AGAIN))
    return _approved(plan, setting, operation, status, proposal)


def _approved(
    plan: Plan, setting: Setting, operation: Operation, status: ChangePlanStatus, proposal: Proposal
) -> Standing:
    unproved = _unproved(operation, setting)
    if unproved and setting.proof is False:
        return _ended(plan, "Refused", unproved)
    if unproved:
        return replace(_standing(plan, setting, status, [unproved], "Pending"), look_again=UNKNOWN_AGAIN)
    agreed = _tally(plan, setting, operation, status)
    status = status.model_copy(update={"approved_by": list(agreed.by) or None})
    if agreed.missing:
        return _standing(plan, setting, status, [*agreed.missing], "AwaitingApproval")
    if held := _held(plan, setting, proposal):
        waits = _standing(plan, setting, status, [held], "Pending")
        opening = None if plan.spec.ignore_windows else opens(proposal.windows, setting.now)
        until = (opening - setting.now).total_seconds() if opening else None
        return replace(waits, look_again=soonest(waits.look_again, until))
    return replace(_standing(plan, setting, status, [], "Pending"), ready=True)


def _dry(plan: Plan, setting: Setting, operation: Operation, status: ChangePlanStatus, proposal: Proposal) -> Standing:
    """What it would do and what is missing, for as long as anybody wants to read it; it never runs."""
    approvals = _tally(plan, setting, operation, status).missing if status.hash else ()
    held = _held(plan, setting, proposal)
    missing = [*proposal.refusals, *proposal.waits, *approvals, *([held] if held else [])]
    found = _standing(plan, setting, status, missing, "Pending")
    return replace(
        found, status=found.status.model_copy(update={"message": "a dry run: it shows itself and never runs"})
    )


# What ends a plan before it has begun

Ending: TypeAlias = tuple[str, str]


def its_name_is_new(plan: Plan, setting: Setting) -> Ending | None:
    """Git, or a backup, may put back a plan that was done and deleted."""
    if not setting.journal.replayed(plan.name, plan.uid):
        return None
    return "Refused", (
        f"a plan of the name {plan.name} was begun before: what was done once is not done again because somebody "
        "put the plan back. To do it again, make a plan of another name"
    )


def its_time_makes_sense(plan: Plan, _setting: Setting) -> Ending | None:
    """An old plan is not for now, and a name cannot be remembered for ever."""
    made, end = moment(plan.created), moment(plan.spec.not_after)
    if end < made:
        return "Refused", (
            f"spec.notAfter was {plan.spec.not_after}, before the plan was made ({plan.created}): an old plan is not "
            "carried out. Make a new one with a notAfter to come"
        )
    if end > made + AHEAD_MOST:
        return "Refused", (
            f"spec.notAfter is {plan.spec.not_after}, more than {AHEAD_MOST.days} days after the plan was made: a "
            "plan is for now. Make it again with an earlier one"
        )
    return None


def nobody_cancelled_it(plan: Plan, _setting: Setting) -> Ending | None:
    """Before it has begun, a cancellation ends it at once."""
    return ("Cancelled", "cancelled before it began: nothing was done") if plan.to_be_cancelled else None


def its_wish_is_still_there(plan: Plan, setting: Setting) -> Ending | None:
    """What the operator asked for by itself and nothing needs any more is approved by nobody by mistake."""
    if not setting.wished.withdraws(plan):
        return None
    return "Cancelled", (
        f"withdrawn by the operator before it began: {plan.target} does not need what this plan was made for any more, "
        "or needs another one by now. Nothing was done"
    )


def its_time_is_not_over(plan: Plan, setting: Setting) -> Ending | None:
    """What was not begun by then is not begun."""
    if setting.now <= moment(plan.spec.not_after):
        return None
    missing = f" It lacked: {plan.status.missing[0]}" if plan.status.missing else ""
    return "Expired", f"it had not begun by {plan.spec.not_after}: nothing was done.{missing}"


def its_operation_is_known(plan: Plan, setting: Setting) -> Ending | None:
    """The CRD may be newer than the operator, or know a kind that cannot do it yet."""
    if plan.spec.operation in setting.operations:
        return None
    offered = ", ".join(setting.operations) or "none at all"
    return "Refused", (
        f"this version of the operator cannot carry out {plan.spec.operation} on a {plan.spec.target.kind} "
        f"(only {offered}): nothing was done. Choose another operation, or another version"
    )


def its_target_stays(plan: Plan, setting: Setting) -> Ending | None:
    """A deletion is a plan of its own kind, and goes first."""
    if setting.subject is None or not setting.subject.deleting:
        return None
    return "Refused", f"{plan.target} is being deleted: nothing else is done to it"


ENDINGS: Final[tuple[Callable[[Plan, Setting], Ending | None], ...]] = (
    its_name_is_new,
    its_time_makes_sense,
    nobody_cancelled_it,
    its_wish_is_still_there,
    its_time_is_not_over,
    its_operation_is_known,
    its_target_stays,
)


# What a plan waits for


def _no_target(plan: Plan) -> str:
    return f"there is no {plan.target} in this namespace: the plan waits for it until {plan.spec.not_after}"


def _unproved(operation: Operation, setting: Setting) -> str | None:
    if operation.risk is Risk.GREEN or setting.proof is True:
        return None
    if isinstance(setting.proof, Unknown):
        return (
            "whether approvals can be made in another's name cannot be told now "
            f"({setting.proof.reason}): the plan waits until it can"
        )
    return admission.CURE


def _tally(plan: Plan, setting: Setting, operation: Operation, status: ChangePlanStatus) -> Tally:
    asked = Asked(plan.name, plan.spec.requested_by, str(status.hash))
    return tally(asked, needed(operation.risk, setting.annotations), setting.approvals, setting.now)


def _held(plan: Plan, setting: Setting, proposal: Proposal) -> str | None:
    """What else keeps it from beginning."""
    if setting.subject is not None and setting.subject.paused:
        return f"spec.paused of {plan.target} is true: nothing is done to it. Set it to false to go on"
    if setting.journal.full(setting.now):
        return "too many plans of this namespace were begun of late: this one waits until a notAfter has passed"
    opening = None if plan.spec.ignore_windows else opens(proposal.windows, setting.now)
    if opening is not None:
        return (
            f"it waits for its window ({', '.join(proposal.windows)}), which opens at {stamp(opening)}. A plan with "
            "ignoreWindows: true would not"
        )
    return None


# How it is said


def drafted(plan: Plan, operation: Operation, proposal: Proposal, target_uid: str) -> ChangePlanStatus:
    """The status with what approvers have to see, and why it is another than they saw."""
    impact = shown(tuple(plan.status.impact or ()), proposal.impact)
    basis = Basis(
        plan_uid=plan.uid,
        operation=plan.spec.operation,
        risk=operation.risk,
        target=plan.target,
        target_uid=target_uid,
        parameters=plan.spec.parameters or {},
        steps=proposal.steps,
        uses=proposal.uses,
        bounds={one.name: one.most for one in impact},
    )
    update: dict[str, Any] = {
        "risk": operation.risk,
        "hash": basis.hash,
        "impact": list(impact) or None,
        "uses": dict(proposal.uses) or None,
        "target_uid": target_uid,
        "steps": [StepStatus(name=name, state="Pending") for name in proposal.steps],
    }
    if plan.status.hash not in (None, basis.hash):
        why = why_another(_drawn_before(plan, basis), basis, proposal)
        update["replanned"] = sentence(
            f"planned anew, because {why}: approvals of {short(str(plan.status.hash))} no longer count"
        )
    return plan.status.model_copy(update=update)


def _drawn_before(plan: Plan, now: Basis) -> Basis:
    last = plan.status
    return replace(
        now,
        risk=last.risk or now.risk,
        target_uid=last.target_uid or now.target_uid,
        steps=tuple(step.name for step in last.steps or ()),
        uses=last.uses or {},
        bounds={one.name: one.most for one in last.impact or ()},
    )


def _standing(plan: Plan, setting: Setting, status: ChangePlanStatus, missing: list[str], state: str) -> Standing:
    told = [sentence(one) for one in missing[:MISSING_MOST]]
    update = {
        "state": state,
        "message": told[0] if told else "nothing is missing: it begins at its turn",
        "missing": told or None,
        "observed_generation": plan.manifest["metadata"]["generation"],
    }
    left = (moment(plan.spec.not_after) - setting.now).total_seconds()
    return Standing(status.model_copy(update=update), look_again=max(left, 0.0) + 1.0)


def _ended(plan: Plan, state: str, why: str) -> Standing:
    update = {
        "state": state,
        "message": sentence(why),
        "missing": None,
        "observed_generation": plan.manifest["metadata"]["generation"],
    }
    return Standing(plan.status.model_copy(update=update))


def said(status: ChangePlanStatus, told: str) -> ChangePlanStatus:
    """The same status, with another message."""
    return status.model_copy(update={"message": sentence(told)})


def sentence(text: str) -> str:
    """What a status has room for."""
    return text[:SENTENCE_MOST]
