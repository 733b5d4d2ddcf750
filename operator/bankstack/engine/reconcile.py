"""One pass over one resource: observe, decide, execute, status. The same for every kind.

Everything is read anew; nothing is remembered from pass to pass. A pass may die
between any two calls: the next one reads the world and goes on.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bankstack.engine import conditions, declared, sight
from bankstack.engine.announce import announcements
from bankstack.engine.decision import Decision, soonest
from bankstack.engine.execute import execute
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient, Waiting
from bankstack.engine.model import Condition, Status
from bankstack.engine.objects import FINALIZER, NAMESPACE, Manifest, Ref
from bankstack.engine.operation import Course
from bankstack.engine.ports import About, Cluster, Docket, Kind, Plans, Subject
from bankstack.engine.sight import Desk, Seen, is_planned, see, unseen

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What the queue has to know: when to look again, or that the pass failed."""

    result: str
    look_again: float | None = None
    backoff: bool = False
    gauges: tuple[tuple[str, float], ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()
    #: When the oldest plan was made that waits for people.
    asked: float | None = None
    #: Whether its status says already how things are now that everything was done: nothing is to be looked at soon.
    settled: bool = False
    #: What the kind takes from each object that it waits for, as it was read.
    learned: Mapping[Ref, object] = field(default_factory=dict)


GONE = Outcome("gone")


async def reconcile(  # noqa: PLR0913 - what one pass needs, nothing of it grouped anywhere else
    kind: Kind,
    name: str,
    namespace: str,
    cluster: Cluster,
    now: Callable[[], datetime],
    *,
    refers: Callable[[tuple[Ref, ...]], None] = lambda _refs: None,
    plans: Plans | None = None,
) -> Outcome:
    """One pass. Raises Interrupted only where not even the resource itself could be read or written.

    `refers` is told what the resource waits for before anything of it is looked at: a
    change in between is then a wake-up, not a loss.
    """
    taken = plans if plans is not None and plans.takes(kind) else None
    manifest, listed = await asyncio.gather(
        cluster.get(Ref(kind.type, name), namespace), sight.listed(taken, namespace, cluster)
    )
    desk = Desk(About(kind, name, namespace), cluster, taken, listed, refers)
    if manifest is None:
        return await _without_target(desk, now)
    try:
        subject = declared.read(kind.resource, manifest)
    except Interrupted as stop:
        return await _tell_unreadable(kind, manifest, stop.finding, cluster, now())
    refers(kind.references(subject.spec))
    if subject.deleting and not subject.held:
        return GONE
    if subject.deleting and await _namespace_is_going(namespace, cluster):
        # Asked for nothing else: the Role may have gone before us, and every call would be one without a right.
        if is_planned(subject):
            await kind.farewell(subject, cluster)
        return await _release(kind, subject, cluster)
    # Side by side: it is the making, not the looking, that has to wait for the finalizer.
    subject, seen = await asyncio.gather(_held(kind, subject, cluster), see(kind, subject, desk))
    return await _pass(kind, subject, seen, cluster, now)


async def _without_target(desk: Desk, now: Callable[[], datetime]) -> Outcome:
    """Plans whose target is not there are told so; they are looked at again, for no other pass does it."""
    docket = await desk.look()
    if docket is None or not docket.unfinished:
        return GONE
    course = docket.steer(None, None, now())
    await docket.write(course, now(), acting=False)
    return Outcome("waiting", look_again=course.look_again)


async def _held(kind: Kind, subject: Subject, cluster: Cluster) -> Subject:
    """With our finalizer: the version that has it is the one that this pass is about, and its status bound to."""
    if subject.deleting or subject.held or subject.paused:
        return subject
    wanted = [*subject.manifest["metadata"].get("finalizers", []), FINALIZER]
    return replace(subject, manifest=await cluster.finalize(kind.type, subject.manifest, wanted))


async def _pass(
    kind: Kind, subject: Subject, seen: Seen | Interrupted, cluster: Cluster, now: Callable[[], datetime]
) -> Outcome:
    # Told also where nothing can be seen: an alert that is held to a bound must not end with it.
    gauges = tuple(kind.bounds(subject).items())
    asked: datetime | None = None
    try:
        if isinstance(seen, Interrupted):
            raise seen
        docket, facts = seen.docket, seen.facts
        gauges = (*gauges, *kind.gauges(facts).items())
        course = docket.steer(subject, facts, now()) if docket else Course()
        subject, asked = replace(subject, plan=course.active, told=course.told), course.asked
        decision = _restrained(subject, _together(kind.decide(subject, facts, now()), course))
        if docket:
            # Before anything is done: a crash in between finds the plan where it was meant to be.
            docket = await docket.write(course, now(), acting=course.active is not None and bool(decision.actions))
        if course.actions and decision.actions:
            # The target's own word as well: what a step does may have to be undone for its sake, and others who wait
            # for it get to work meanwhile.
            subject, decision = await _foretold(kind, subject, decision, cluster)
        decision = await _carried_out(kind, subject, decision, cluster)
        if docket and course.concludes and decision.actions:
            decision = _afterwards(decision, course, await _concluded(subject, docket, course, facts, now()))
        if docket:
            decision = await _asked(subject, docket, course, decision, now())
    except Interrupted as stop:
        log.warning("%s", stop.finding.message, extra=_about(subject, stop.finding.reason))
        claims = unseen(subject.status.conditions or (), stop.finding)
        decision = Decision(status=subject.status, finding=stop.finding, claims=claims)
    if decision.released:
        return await _release(kind, subject, cluster)
    subject = await _told(kind, subject, _once_done(decision), cluster, now())
    said = tuple((one.type, one.status) for one in subject.status.conditions or ())
    since = asked.timestamp() if asked else None
    learned = {} if isinstance(seen, Interrupted) else seen.learned
    return replace(_outcome(decision), gauges=gauges, conditions=said, asked=since, learned=learned)


def _together(decision: Decision, course: Course) -> Decision:
    """The resource's own care first, then the step of the plan that runs."""
    return replace(
        decision,
        actions=(*decision.actions, *(one for one in course.actions if one not in decision.actions)),
        claims=(*decision.claims, *course.claims),
        look_again=soonest(decision.look_again, course.look_again),
        after=decision.after if decision.asks else course.after,
    )


def _restrained(subject: Subject, decision: Decision) -> Decision:
    """A paused resource is looked at and told of; nothing is done to it."""
    if not subject.paused:
        return decision
    paused = conditions.Claim(
        "Paused", "True", "Paused", "spec.paused is true: the operator watches and changes nothing"
    )
    return replace(decision, actions=(), then=None, released=False, claims=(*decision.claims, paused))


async def _foretold(kind: Kind, subject: Subject, decision: Decision, cluster: Cluster) -> tuple[Subject, Decision]:
    """With the kind's own fields written; whether all is well is said when it is known what came of it."""
    last = subject.status
    kept = {"observed_generation": last.observed_generation, "conditions": last.conditions}
    try:
        return await _written(kind, subject, decision.status.model_copy(update=kept), cluster), decision
    except Interrupted as stop:
        return subject, _given_up(subject, decision, stop)


async def _carried_out(kind: Kind, subject: Subject, decision: Decision, cluster: Cluster) -> Decision:
    for action in decision.actions:
        log.info("%s", action, extra=_about(subject, action.reason))
    try:
        await execute(kind, subject, decision.actions, cluster)
    except Interrupted as stop:
        return _given_up(subject, decision, stop)
    return decision


def _given_up(subject: Subject, decision: Decision, stop: Interrupted) -> Decision:
    """Without its actions: what could not be done is not looked at as if it had been."""
    log.warning("%s", stop.finding.message, extra=_about(subject, stop.finding.reason))
    return replace(decision, actions=(), then=None, finding=stop.finding, released=False)


async def _concluded(subject: Subject, docket: Docket, course: Course, facts: Any, now: datetime) -> Course:  # noqa: ANN401 - a kind's own facts
    """The course once the last actions of a plan have seen to its end themselves; where others were faster, as it was.

    The next look sees that end as well.
    """
    try:
        after = docket.steer(subject, facts, now, carried_out=True)
        await docket.write(after, now, acting=False)
    except Interrupted as stop:
        log.warning("%s", stop.finding.message, extra=_about(subject, stop.finding.reason))
        return course
    return after


def _afterwards(decision: Decision, before: Course, after: Course) -> Decision:
    """What is said of the plans is what has become of them."""
    others = tuple(claim for claim in decision.claims if claim not in before.claims)
    return replace(decision, claims=(*others, *after.claims), look_again=soonest(decision.look_again, after.look_again))


async def _asked(subject: Subject, docket: Docket, course: Course, decision: Decision, now: datetime) -> Decision:
    """Last: a plan that cannot be made now keeps nothing else from being done."""
    try:
        await docket.ask(course, now)
    except Interrupted as stop:
        log.warning("%s", stop.finding.message, extra=_about(subject, stop.finding.reason))
        return replace(decision, finding=decision.finding or replace(stop.finding, stops=False))
    return decision


async def _release(kind: Kind, subject: Subject, cluster: Cluster) -> Outcome:
    others = [one for one in subject.manifest["metadata"].get("finalizers", []) if one != FINALIZER]
    # Read again: status writes of this pass moved the resourceVersion.
    latest = await cluster.get(Ref(kind.type, subject.name), subject.namespace)
    if latest is not None and latest["metadata"]["uid"] == subject.uid:
        await cluster.finalize(kind.type, latest, others)
        log.info("nothing is left to protect: released", extra=_about(subject, "Released"))
    return Outcome("released")


async def _namespace_is_going(namespace: str, cluster: Cluster) -> bool:
    """Kubernetes then deletes its volumes whatever we do: holding on would only hang it."""
    found = await cluster.get(Ref(NAMESPACE, namespace), "")
    return found is None or "deletionTimestamp" in found["metadata"]


async def _tell_unreadable(
    kind: Kind, manifest: Manifest, finding: Finding, cluster: Cluster, now: datetime
) -> Outcome:
    meta = manifest["metadata"]
    if "deletionTimestamp" in meta and await _namespace_is_going(meta["namespace"], cluster):
        await cluster.finalize(kind.type, manifest, [one for one in meta.get("finalizers", []) if one != FINALIZER])
        return Outcome("released")
    before = [
        Condition.model_validate(one)
        for one in manifest.get("status", {}).get("conditions", [])
        if one.keys() <= {"type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"}
    ]
    after = conditions.summarise(meta["generation"], before, finding, unseen(before, finding), now)
    # Every other field of the status is written back as it stands: it may hold a pinned identity.
    status = manifest.get("status", {}) | {
        "observedGeneration": meta["generation"],
        "conditions": [one.model_dump(by_alias=True) for one in after],
    }
    await _write_status(kind, manifest, status, cluster)
    return Outcome("stalled", conditions=tuple((one.type, one.status) for one in after))


def _once_done(decision: Decision) -> Decision:
    return replace(decision, status=decision.then or decision.status)


async def _told(kind: Kind, subject: Subject, decision: Decision, cluster: Cluster, now: datetime) -> Subject:
    """The resource as it is once its status says this."""
    before = tuple(subject.status.conditions or ())
    after = conditions.summarise(subject.generation, before, decision.finding, decision.claims, now)
    told = {"observed_generation": subject.generation, "conditions": list(after)}
    subject = await _written(kind, subject, decision.status.model_copy(update=told), cluster)
    # Not while deleting: a namespace that goes refuses new events.
    for event in announcements(before, after) if not subject.deleting else ():
        await cluster.announce(subject.manifest, event.kind, event.reason, event.message)
    return subject


async def _written(kind: Kind, subject: Subject, status: Status, cluster: Cluster) -> Subject:
    body = status.model_dump(by_alias=True, exclude_none=True)
    return replace(subject, status=status, manifest=await _write_status(kind, subject.manifest, body, cluster))


async def _write_status(kind: Kind, manifest: Manifest, status: Manifest, cluster: Cluster) -> Manifest:
    if status == manifest.get("status"):
        return manifest
    # Bound to the version that was looked at. The API server does not look at a status's uid: without this, what
    # was seen of one wallet could be pinned onto another that got its name in the meantime.
    meta = {key: manifest["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
    return await cluster.apply_status(
        kind.type,
        {"apiVersion": kind.type.api_version, "kind": kind.type.kind, "metadata": meta, "status": status},
    )


def _outcome(decision: Decision) -> Outcome:
    """When to look again: the soonest of what the finding and the decision ask for."""
    policy = decision.finding.policy if decision.finding else None
    wishes = [decision.look_again]
    if isinstance(policy, Waiting):
        wishes.append(policy.delay)
    if decision.asks and not decision.settled and not isinstance(policy, Transient | Stalled):
        wishes.append(decision.after)
    backoff = isinstance(policy, Transient)
    return Outcome(_result(decision), look_again=soonest(*wishes), backoff=backoff, settled=decision.settled)


def _result(decision: Decision) -> str:
    if decision.finding is None or not decision.finding.stops:
        return "changed" if decision.actions else "unchanged"
    return {Waiting: "waiting", Stalled: "stalled", Transient: "transient"}[type(decision.finding.policy)]


def _about(subject: Subject, reason: str) -> dict[str, str]:
    return {"kind": subject.kind, "resource": f"{subject.namespace}/{subject.name}", "reason": reason}
