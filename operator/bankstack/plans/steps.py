"""How a plan that runs goes on: one step after the other, each asked anew in every pass (pure).

Nothing is remembered but what the status says, and that is written before anything is
done, but for the end of a plan whose last actions see to it themselves. A step that had
ended when the process died says so again: doing it twice equals once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from bankstack.engine.conditions import moment, stamp
from bankstack.engine.decision import AT_ONCE, Action
from bankstack.engine.declared import Declared
from bankstack.engine.operation import Abort, Active, Cancel, Do, Done, Step, Wait
from bankstack.plans.lifecycle import said, sentence
from bankstack.plans.model import ChangePlanStatus, StepStatus
from bankstack.plans.plan import Plan
from bankstack.plans.setting import Setting

#: Seconds until the end of a plan is written that began and was done in one pass.
RECORDED: Final = 0.2


@dataclass(frozen=True)
class Walk:
    """How far it came in this pass; without `active` no step is under way, and with `ended` none will be."""

    status: ChangePlanStatus
    active: Active | None = None
    actions: tuple[Action, ...] = ()
    look_again: float | None = None
    after: float = AT_ONCE
    concludes: bool = False
    ended: bool = False
    #: Of one that ended: what its plan says before the journal has the end. A crash between the two loses no evidence.
    evidence: ChangePlanStatus | None = None


def begun(status: ChangePlanStatus, setting: Setting) -> ChangePlanStatus:
    """The status of a plan that begins now. Its hash is what was approved, and stays."""
    update = {"state": "Running", "missing": None, "replanned": None, "started_at": stamp(setting.now)}
    return status.model_copy(update=update)


def walk(plan: Plan, status: ChangePlanStatus, setting: Setting) -> Walk:
    """On from the first step that is not done, as far as the facts allow."""
    subject = setting.subject
    status = status.model_copy(update={"observed_generation": plan.manifest["metadata"]["generation"]})
    if subject is None or subject.deleting or subject.uid != status.target_uid:
        return _over(status, "Failed", f"{_lost(plan, subject)}: the plan ends where it is, {_where(status)}")
    while current := next((one for one in status.steps or () if one.state != "Done"), None):
        step = _step(plan, current, setting)
        if _is_cancelled(plan, step, current):
            return _cancelled(status)
        if subject.paused:
            told = f"spec.paused of {plan.target} is true: the plan stays where it is, {_where(status)}"
            return Walk(said(status, told), active(plan, status, current, setting.now))
        status, current = _entered(status, current, setting)
        now = active(plan, status, current, setting.now)
        verdict = step.judge(replace(subject, plan=now), setting.facts, setting.now)
        if setting.carried_out and isinstance(verdict, Do):
            verdict = verdict.then or verdict
        if not isinstance(verdict, Done):
            gives_up = plan.to_be_cancelled and isinstance(verdict, Wait) and verdict.nothing_done
            return _cancelled(status) if gives_up else _on_the_way(status, current, now, verdict, setting)
        status = _done(status, current, verdict, setting)
    done = said(status, "all steps are done, which is being recorded")
    if not plan.runs:
        # The journal has to have its beginning before its end.
        return Walk(done, look_again=RECORDED)
    return replace(_over(status, "Succeeded", f"all {len(status.steps or ())} steps are done"), evidence=done)


def _step(plan: Plan, current: StepStatus, setting: Setting) -> Step:
    operation = setting.operations.get(plan.spec.operation)
    return (operation.step(current.name) if operation else None) or Step(current.name, _nobody_knows, Cancel.DURING)


def _nobody_knows(subject: Declared[Any, Any], _facts: object, _now: datetime) -> Wait:
    """The judge of a step that another version of the operator began."""
    what = f"step {subject.plan.step} of {subject.plan.operation}" if subject.plan else "this step"
    return Wait(
        f"this version of the operator does not know {what}: the plan stays where it is. Go back to the version that "
        "began it, or cancel the plan",
        60.0,
    )


def _on_the_way(
    status: ChangePlanStatus, current: StepStatus, now: Active, verdict: Do | Wait | Abort, setting: Setting
) -> Walk:
    match verdict:
        case Do(actions=actions, told=told):
            under_way = said(status, told or f"{current.name} is under way")
            # After any other step come some that are judged by facts, and these are older than what was done.
            is_last = [one.name for one in status.steps or ()][-1:] == [current.name]
            concludes = is_last and verdict.then is not None
            return Walk(under_way, now, actions, after=verdict.after, concludes=concludes)
        case Wait(sentence=told, look_again=seconds):
            return Walk(said(status, told), now, look_again=seconds)
        case Abort(sentence=told):
            failed = _changed(status, current, state="Failed", finished_at=stamp(setting.now))
            return _over(failed, "Failed", told)


def active(plan: Plan, status: ChangePlanStatus, step: StepStatus, now: datetime) -> Active:
    """The plan as `decide` and its step are given it."""
    return Active(
        name=plan.name,
        uid=plan.uid,
        operation=plan.spec.operation,
        step=step.name,
        parameters=plan.spec.parameters or {},
        started=moment(status.started_at) if status.started_at else now,
        since=moment(step.started_at) if step.started_at else now,
        kept={one.name: one.kept for one in status.steps or () if one.kept},
        uses=status.uses or {},
    )


def _is_cancelled(plan: Plan, step: Step, current: StepStatus) -> bool:
    at_once = step.cancel is Cancel.DURING or (step.cancel is Cancel.BEFORE and current.state == "Pending")
    return plan.to_be_cancelled and at_once


def _entered(status: ChangePlanStatus, current: StepStatus, setting: Setting) -> tuple[ChangePlanStatus, StepStatus]:
    if current.state == "Running":
        return status, current
    entered = _changed(status, current, state="Running", started_at=stamp(setting.now))
    entered = entered.model_copy(update={"step": current.name})
    return entered, next(one for one in entered.steps or () if one.name == current.name)


def _done(status: ChangePlanStatus, current: StepStatus, verdict: Done, setting: Setting) -> ChangePlanStatus:
    evidence, kept = sentence(verdict.evidence), dict(verdict.kept) or None
    return _changed(status, current, state="Done", finished_at=stamp(setting.now), evidence=evidence, kept=kept)


def _changed(status: ChangePlanStatus, current: StepStatus, **update: Any) -> ChangePlanStatus:  # noqa: ANN401 - fields
    steps = [one.model_copy(update=update) if one.name == current.name else one for one in status.steps or ()]
    return status.model_copy(update={"steps": steps})


def _over(status: ChangePlanStatus, state: str, told: str) -> Walk:
    return Walk(status.model_copy(update={"state": state, "message": sentence(told)}), ended=True)


def _cancelled(status: ChangePlanStatus) -> Walk:
    return _over(status, "Cancelled", f"cancelled {_where(status)}: the target goes back to what is declared")


def _lost(plan: Plan, subject: Declared[Any, Any] | None) -> str:
    if subject is None:
        return f"there is no {plan.target} any more"
    return f"{plan.target} is being deleted" if subject.deleting else f"{plan.target} was deleted and made anew"


def _where(status: ChangePlanStatus) -> str:
    """After which step, or in which."""
    steps = status.steps or []
    if under_way := next((one for one in steps if one.state == "Running"), None):
        return f"in step {under_way.name}"
    done = [one.name for one in steps if one.state == "Done"]
    return f"after step {done[-1]}" if done else "before its first step"
