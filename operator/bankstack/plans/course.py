"""What all plans of one target come to in one pass (pure).

One runs at a time; the others wait in the order in which they were made, and whoever is
ready first begins: a plan that lacks an approval holds up nobody. Which one runs is the
journal's word, not the plans': it is one object, so two operators cannot begin two.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from bankstack.engine.conditions import Claim, moment, stamp
from bankstack.engine.decision import soonest
from bankstack.engine.operation import RUNNING, Course
from bankstack.plans import lifecycle
from bankstack.plans.journal import Begun, Entry, Journal
from bankstack.plans.model import FINISHED, ChangePlanStatus
from bankstack.plans.plan import Plan, Unreadable, may_have, unreadable
from bankstack.plans.setting import Setting
from bankstack.plans.steps import begun, walk
from bankstack.plans.wished import Asked

#: Seconds until the next plan's turn.
NEXT_TURN = 0.5
#: Seconds until it is looked whether a plan elsewhere has ended: nobody is woken by that.
OTHERS_TURN = 5.0


@dataclass(frozen=True)
class Steered(Course):
    """The course, and what has to be written before anything of it is done."""

    journal: Journal = field(default_factory=Journal)
    #: Of the plan whose last step was done in this pass: written before the journal has its end.
    evidence: tuple[Plan, ChangePlanStatus] | None = None
    statuses: tuple[tuple[Plan, ChangePlanStatus], ...] = ()
    #: Plans that the target itself needs, to be made.
    asks: tuple[Asked, ...] = ()


def steer(target: str, plans: Iterable[Plan | Unreadable], setting: Setting) -> Steered:
    """Everything about the plans of a target: who goes on, who begins, who waits for what."""
    found = tuple(plans)
    ours = [one for one in found if isinstance(one, Plan)]
    opened = sorted((one for one in ours if not one.finished), key=lambda one: (one.created, one.name))
    book = _without_a_vanished_one(target, found, setting)
    steered = Steered(journal=book)
    blocker = unreadable(found)
    for plan in _runner_first(opened, book, target):
        steered = _with(steered, plan, setting, str(blocker) if blocker else None)
    return _asked(_claimed(_tidied(steered, target, found)))


def _with(steered: Steered, plan: Plan, setting: Setting, blocker: str | None) -> Steered:
    if (entry := steered.journal.ended(plan.uid)) is not None:
        return _noted(steered, plan, _adopted(plan, entry))
    if plan.runs:
        return _gone_on(steered, plan, setting)
    standing = lifecycle.stand(plan, setting)
    steered = replace(steered, look_again=soonest(steered.look_again, standing.look_again))
    if standing.status.state in FINISHED:
        return _ended(steered, plan, standing.status, setting)
    if not standing.ready:
        return _noted(steered, plan, standing.status)
    if ahead := blocker or _ahead(steered, plan):
        return _noted(steered, plan, lifecycle.said(standing.status, ahead))
    return _begun(steered, plan, standing.status, setting)


def _begun(steered: Steered, plan: Plan, status: ChangePlanStatus, setting: Setting) -> Steered:
    if other := _beside(plan, setting):
        waits = replace(steered, look_again=soonest(steered.look_again, OTHERS_TURN))
        return _noted(waits, plan, lifecycle.said(status, other))
    return _walked(_begin(steered, plan), plan, begun(status, setting), setting)


def _gone_on(steered: Steered, plan: Plan, setting: Setting) -> Steered:
    name, uid = steered.journal.active.get(plan.target, (plan.name, plan.uid))
    if uid == plan.uid:
        return _walked(_begin(steered, plan), plan, plan.status, setting)
    told = f"by the journal's word ChangePlan {name} runs: this one goes on after it"
    return _noted(steered, plan, lifecycle.said(plan.status, told))


def _ahead(steered: Steered, plan: Plan) -> str | None:
    holder = steered.journal.active.get(plan.target)
    if holder is not None and holder[1] != plan.uid:
        return f"nothing is missing: it begins when ChangePlan {holder[0]} has ended"
    turn = any(status.state in FINISHED and other.runs for other, status in steered.statuses)
    return "nothing is missing: it begins in a moment" if turn else None


def _beside(plan: Plan, setting: Setting) -> str | None:
    """Why it does not begin while others run elsewhere.

    By the journal they came first: of two that would begin at once, one finds it changed, and reads it anew.
    """
    operation = setting.operations[plan.spec.operation]
    return operation.beside(setting.facts, plan.spec.parameters or {}, setting.elsewhere)


def _begin(steered: Steered, plan: Plan) -> Steered:
    """The target is this plan's, by the journal."""
    held = steered.journal.active.get(plan.target)
    if held == (plan.name, plan.uid):
        return steered
    return replace(steered, journal=steered.journal.begin(plan.target, plan.name, Begun(plan.uid, plan.spec.not_after)))


def _walked(steered: Steered, plan: Plan, status: ChangePlanStatus, setting: Setting) -> Steered:
    went = walk(plan, status, setting)
    if went.ended:
        ended = _ended(steered, plan, went.status, setting)
        evidence = (plan, went.evidence) if went.evidence else steered.evidence
        return replace(ended, evidence=evidence, look_again=soonest(ended.look_again, NEXT_TURN))
    on = replace(
        steered,
        active=went.active,
        actions=went.actions,
        look_again=soonest(steered.look_again, went.look_again),
        after=went.after,
        concludes=went.concludes,
    )
    return _noted(on, plan, went.status)


def _ended(steered: Steered, plan: Plan, status: ChangePlanStatus, setting: Setting) -> Steered:
    """Written to the journal, where it is not a dry run that never could have run, and to the plan."""
    status = status.model_copy(update={"finished_at": stamp(setting.now)})
    if plan.spec.dry_run:
        return _noted(steered, plan, status)
    book = steered.journal.end(_entry(plan, status))
    return _noted(replace(steered, journal=book), plan, _adopted(plan, book.entries[-1], status))


def _entry(plan: Plan, status: ChangePlanStatus) -> Entry:
    return Entry(
        plan=plan.name,
        uid=plan.uid,
        target=plan.target,
        operation=plan.spec.operation,
        hash=status.hash or "",
        requested_by=plan.spec.requested_by,
        approved_by=tuple(status.approved_by or ()),
        state=str(status.state),
        message=status.message or "",
        created_at=plan.created,
        started_at=status.started_at or "",
        finished_at=str(status.finished_at),
        not_after=plan.spec.not_after,
    )


def _adopted(plan: Plan, entry: Entry, status: ChangePlanStatus | None = None) -> ChangePlanStatus:
    """The status as the journal has the end; one that died between the two writes is completed from it."""
    update = {
        "state": entry.state,
        "finished_at": entry.finished_at,
        "previous": entry.previous,
        "record": entry.record,
        "missing": None,
    }
    if status is not None:
        return status.model_copy(update=update)
    steps = [
        one.model_copy(update={"state": "Failed", "finished_at": entry.finished_at}) if one.state == "Running" else one
        for one in plan.status.steps or ()
    ]
    failed = {"steps": steps} if entry.state == "Failed" else {}
    return plan.status.model_copy(update=update | failed | {"message": entry.message})


def _without_a_vanished_one(target: str, plans: Collection[Plan | Unreadable], setting: Setting) -> Journal:
    """The journal, with the end of a plan that was deleted while it ran."""
    book = setting.journal
    name, uid = book.active.get(target, ("", ""))
    if not name or may_have(plans, uid):
        return book
    until = book.begun[name].not_after if name in book.begun else stamp(setting.now)
    told = "the plan was deleted while it ran: the target goes back to what is declared"
    now = stamp(setting.now)
    return book.end(Entry(name, uid, target, "", "", "", (), "Cancelled", told, "", "", now, until))


def _tidied(steered: Steered, target: str, plans: Collection[Plan | Unreadable]) -> Steered:
    """A plan that was to begin, and is not ready any more, gives its place away."""
    holder = steered.journal.active.get(target)
    if holder is None or steered.active is not None:
        return steered
    if unreadable(plans) or any(isinstance(plan, Plan) and plan.runs and plan.uid == holder[1] for plan in plans):
        return steered
    return replace(steered, journal=steered.journal.let_go(target))


def _runner_first(plans: list[Plan], book: Journal, target: str) -> list[Plan]:
    holder = book.active.get(target, ("", ""))[1]
    return sorted(plans, key=lambda plan: (plan.uid != holder, not plan.runs))


def _claimed(steered: Steered) -> Steered:
    if steered.active is None:
        return steered
    # Without the step, which the plan itself tells: the target's status, and all who wait for it, would follow each.
    told = f"ChangePlan {steered.active.name} runs: until it ends, what is declared comes second"
    return replace(steered, claims=(Claim(RUNNING, "True", steered.active.operation, told),))


def _asked(steered: Steered) -> Steered:
    waiting = (moment(plan.created) for plan, status in steered.statuses if status.state == "AwaitingApproval")
    return replace(steered, asked=min(waiting, default=None))


def _noted(steered: Steered, plan: Plan, status: ChangePlanStatus) -> Steered:
    return replace(steered, statuses=(*steered.statuses, (plan, status)))
