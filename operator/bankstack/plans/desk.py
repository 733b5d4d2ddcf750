"""Reads the plans of a target and writes how they stand: the only part of this room that is not pure.

In steady state it costs one list, and nothing is written. Where something is to be done,
the journal and the running plan are written at the versions that were read, also where
nothing in them changes: an unchanged write at an old version is a conflict, so nobody
acts on a plan that was cancelled, ended or taken up by another operator meanwhile. A plan
that ends is written twice, the second time at the version that the first one made; where
its last actions see to its end themselves, both times after these.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from bankstack.engine.conditions import moment
from bankstack.engine.finding import UNSELECTABLE, Finding, Interrupted, Transient, Unknown
from bankstack.engine.objects import CHANGE_PLAN, NAMESPACE, PLAN_APPROVAL, FieldValue, Manifest, Ref
from bankstack.engine.operation import Active, Course, Operation, Risk
from bankstack.engine.ports import About, Cluster, Kind, Reader, Subject
from bankstack.plans import admission, approvals, journal, request, wished
from bankstack.plans import plan as plans
from bankstack.plans.approvals import Approval
from bankstack.plans.catalog import OPERATIONS
from bankstack.plans.course import Steered, steer
from bankstack.plans.journal import Journal
from bankstack.plans.model import ChangePlanStatus
from bankstack.plans.plan import Plan, Unreadable
from bankstack.plans.request import Request
from bankstack.plans.setting import Proof, Setting
from bankstack.plans.steps import active

#: A plan that came to one of these is not what its requester hoped for.
WORRYING: Final = frozenset({"Failed", "Expired", "Refused"})
#: Most plans, in the end: nothing is asked of one any more.
SUCCEEDED: Final = FieldValue("status.state", "Succeeded")
NOT_ASKED: Final = Unknown("it was not asked for")


@dataclass(frozen=True)
class Docket:
    """The plans of one target, as read in one pass."""

    about: About
    cluster: Cluster
    #: The operator's own user, which asks for what the target needs; nobody, and nothing is asked for.
    us: str
    found: tuple[Plan | Unreadable, ...] = ()
    approvals: tuple[Approval, ...] = ()
    journal: Journal = field(default_factory=Journal)
    #: Of the Namespace object.
    annotations: Mapping[str, str] = field(default_factory=dict)
    proof: Proof = NOT_ASKED
    #: Plans that were not listed, and were asked for by name.
    overlooked: tuple[Plan | Unreadable, ...] = ()
    #: Other targets on which plans run.
    elsewhere: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """As the journal has it."""
        return self.about.target

    @property
    def namespace(self) -> str:
        """Of the target and its plans."""
        return self.about.namespace

    @property
    def operations(self) -> Mapping[str, Operation]:
        """What plans may ask of it."""
        return self.about.kind.operations

    @property
    def unfinished(self) -> bool:
        """Whether there is any that has not ended."""
        return _any_unfinished(self.found)

    @property
    def outran(self) -> bool:
        """Whether it knows of a step or an end that is younger than the list of plans."""
        ended = (isinstance(one, Plan) and one.runs and self.journal.ended(one.uid) for one in self.found)
        return bool(self.overlooked) or any(ended)

    @property
    def running(self) -> Active | None:
        """The plan that runs, as it was last written."""
        for plan in self.found:
            if isinstance(plan, Plan) and plan.runs and self.journal.ended(plan.uid) is None:
                current = next((step for step in plan.status.steps or () if step.state != "Done"), None)
                return active(plan, plan.status, current, moment(plan.created)) if current else None
        return None

    @property
    def at_hand(self) -> Active | None:
        """The plan that runs, or one that may begin in this very pass: what its first step asks is then known."""
        return self.running or next(self._approved(), None)

    def _approved(self) -> Iterator[Active]:
        """Those that people approved of since they were last told of: `steer` says whether that is enough."""
        approved = {one.spec.plan for one in self.approvals}
        for plan in self.found:
            if isinstance(plan, Plan) and plan.name in approved and plan.waits_for_people and plan.status.steps:
                yield active(plan, plan.status, plan.status.steps[0], moment(plan.created))

    def steer(self, subject: Subject | None, facts: Any, now: datetime, *, carried_out: bool = False) -> Steered:  # noqa: ANN401 - a kind's own facts
        """What is to be done, and what has to be written before (pure)."""
        # Nothing is concluded from a target that is being changed.
        own = wished.look(self.us if self.running is None else "", self.operations, subject, facts)
        setting = Setting(
            self.operations,
            subject,
            facts,
            self.journal,
            self.approvals,
            self.annotations,
            self.proof,
            now,
            own,
            self.elsewhere,
            carried_out,
        )
        to_tell = self.unfinished or self.target in self.journal.active
        steered = steer(self.target, self.found, setting) if to_tell else Steered(journal=self.journal)
        return replace(steered, asks=own.asks(self.found), told=own.told(self.found))

    async def write(self, course: Course, now: datetime, *, acting: bool) -> "Docket":
        """The journal first, for it says which plan runs; then the plans. What the last step found out comes before."""
        assert isinstance(course, Steered)  # noqa: S101 - it is what `steer` gave
        newest: dict[str, Plan] = {}
        if course.evidence:
            newest[course.evidence[0].uid] = await self._write_status(*course.evidence, claims=False)
        book = course.journal
        if acting or book != self.journal:
            book = await self._write_journal(book, now)
        for plan, status in course.statuses:
            claims = acting and course.active is not None and plan.uid == course.active.uid
            newest[plan.uid] = await self._write_status(newest.get(plan.uid, plan), status, claims=claims)
        found = tuple(newest.get(one.uid, one) if isinstance(one, Plan) else one for one in self.found)
        return replace(self, found=found, journal=book)

    async def ask(self, course: Course, now: datetime) -> None:
        """The plans that the target itself needs, in the operator's own name; as a person would."""
        assert isinstance(course, Steered)  # noqa: S101 - it is what `steer` gave
        for one in course.asks:
            wanted = wished.request(one, self.us, self.about.kind.resource.kind, self.about.name, self.namespace, now)
            await ask(self.cluster, wanted, (plan.name for plan in self.found))

    async def _write_journal(self, book: Journal, now: datetime) -> Journal:
        """The journal as it is then."""
        made = journal.manifest(book, self.namespace, now)
        if book.version is not None:
            written: Manifest | None = await self.cluster.apply(made, self.namespace)
        else:
            written = await self.cluster.create(made, self.namespace)
        if written is None:
            raise Interrupted(
                Finding("ChangedMeanwhile", "another operator began the journal of plans: it is read anew", Transient())
            )
        return replace(book, version=written["metadata"]["resourceVersion"])

    async def _write_status(self, plan: Plan, status: ChangePlanStatus, *, claims: bool) -> Plan:
        """The plan as it is then."""
        body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        if body == plan.manifest.get("status") and not claims:
            return plan
        meta = {key: plan.manifest["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        head = {"apiVersion": CHANGE_PLAN.api_version, "kind": CHANGE_PLAN.kind}
        written = await self.cluster.apply_status(CHANGE_PLAN, {**head, "metadata": meta, "status": body})
        for kind, reason, message in news(plan.status, status):
            await self.cluster.announce({**plan.manifest, **head}, kind, reason, message)
        return replace(plan, status=status, manifest=written)


def news(before: ChangePlanStatus, after: ChangePlanStatus) -> tuple[tuple[str, str, str], ...]:
    """Events: kind, reason and message (pure)."""
    told = []
    if after.replanned and after.replanned != before.replanned:
        told.append(("Warning", "PlannedAnew", after.replanned))
    if after.state and after.state != before.state:
        message = f"begun with step {after.step}" if after.state == "Running" else after.message or ""
        told.append(("Warning" if after.state in WORRYING else "Normal", after.state, message))
    return tuple(told)


async def ask(cluster: Cluster, wanted: Request, listed: Iterable[str]) -> str | None:
    """Make the next plan of its stem; None where others made one of that stem meanwhile."""
    seen, namespace = tuple(listed), wanted.namespace
    book = journal.read(await cluster.get(journal.REF, namespace))
    begun = [
        one for one in book.active.values() if request.number(wanted.stem, one[0]) is not None and one[0] not in seen
    ]
    if any([await _alive(*one, namespace, cluster) for one in begun]):
        return None
    called = request.name(wanted.stem, request.taken(seen, book))
    while (made := await cluster.create(wanted.manifest(called), namespace)) is None:
        if not await _is_forgotten(called, namespace, cluster):
            return None
        called = request.name(wanted.stem, (called,))
    await cluster.announce(made, "Normal", wanted.event, wanted.reason)
    return called


async def _is_forgotten(called: str, namespace: str, cluster: Cluster) -> bool:
    """Whether a name is that of a plan which succeeded so long ago that the journal does not know it any more."""
    live = await cluster.get(Ref(CHANGE_PLAN, called), namespace)
    if live is None or not SUCCEEDED.matches(live):
        return False
    # Read anew: one that was made, begun and done while this was under way was for the same.
    book = journal.read(await cluster.get(journal.REF, namespace))
    return called not in request.taken((), book)


@dataclass(frozen=True)
class Desk:
    """`engine.ports.Plans`. `us` is the user that the operator has, in whose name it asks for plans itself."""

    us: str = ""

    def takes(self, kind: Kind) -> bool:
        """Whether plans for this kind are read at all."""
        return bool(kind.operations) or kind.resource.kind in OPERATIONS

    async def listed(self, namespace: str, cluster: Reader) -> tuple[Manifest, ...]:
        """The plans of a namespace, without those that came to a good end: they grow in number, and say no more."""
        try:
            return await cluster.list(CHANGE_PLAN, namespace, {}, SUCCEEDED)
        except Interrupted as stop:
            if stop.finding.reason != UNSELECTABLE:
                raise
        # An operator that is newer than its definitions goes on looking after everything, and reads more for it.
        return await cluster.list(CHANGE_PLAN, namespace, {})

    async def look(
        self, about: About, listed: tuple[Manifest, ...], cluster: Cluster, refers: Callable[[tuple[Ref, ...]], None]
    ) -> Docket:
        """The plans of a target, and where one has not ended, what it takes to say how it stands."""
        kind, name, namespace = about.kind, about.name, about.namespace
        found = [plans.read(one) for one in listed if plans.is_for(one, kind.resource.kind, name)]
        if not _any_unfinished(found) and not about.ran:
            return Docket(about, cluster, self.us, tuple(found))
        refers(tuple(Ref(CHANGE_PLAN, one.name) for one in found if isinstance(one, Unreadable) or not one.finished))
        # What has begun asks for no approvals any more, nor for the number of them, which the namespace says.
        waits = any(isinstance(one, Plan) and one.waits for one in found)
        given, written, home = await asyncio.gather(
            _approvals(namespace, cluster) if waits else _nothing(),
            cluster.get(journal.REF, namespace),
            cluster.get(Ref(NAMESPACE, namespace), "") if waits else _nothing(),
        )
        book = journal.read(written)
        overlooked = await _overlooked(about.target, found, book, namespace, cluster)
        return Docket(
            about,
            cluster,
            self.us,
            (*found, *overlooked),
            given or (),
            book,
            (home or {"metadata": {}})["metadata"].get("annotations", {}),
            # After the approvals were listed: whoever took the guard away before that is found out.
            await prove(namespace, cluster) if _needs_proof(found, kind.operations) else NOT_ASKED,
            overlooked,
            await _elsewhere(about.target, listed, book, namespace, cluster),
        )


async def prove(namespace: str, cluster: Cluster) -> Proof:
    """Whether nobody can ask for or approve a plan in another's name."""
    try:
        for manifest, sentence in admission.probes():
            said = await cluster.admission(manifest, namespace)
            if said is None:
                return False
            if sentence not in said:
                return Unknown(f"a dry run was refused for another reason: {said[:256]}")
    except Interrupted as stop:
        return Unknown(stop.finding.message)
    return True


async def _overlooked(
    target: str, found: list[Plan | Unreadable], book: Journal, namespace: str, cluster: Cluster
) -> tuple[Plan | Unreadable, ...]:
    """The plan that runs by the journal's word and was not listed: asked for by name before it is given up."""
    name, uid = book.active.get(target, ("", ""))
    if not name or plans.may_have(found, uid):
        return ()
    live = await _alive(name, uid, namespace, cluster)
    return (plans.read(live),) if live is not None else ()


async def _elsewhere(
    target: str, listed: Iterable[Manifest], book: Journal, namespace: str, cluster: Reader
) -> frozenset[str]:
    known = {one["metadata"]["uid"] for one in listed}
    running = [
        other
        for other, (name, uid) in book.active.items()
        if other != target and (uid in known or await _alive(name, uid, namespace, cluster))
    ]
    return frozenset(running)


async def _alive(name: str, uid: str, namespace: str, cluster: Reader) -> Manifest | None:
    """A plan that the journal has as running. One that was deleted as it began stays there until its target's next."""
    live = await cluster.get(Ref(CHANGE_PLAN, name), namespace)
    return live if live is not None and live["metadata"]["uid"] == uid else None


async def _approvals(namespace: str, cluster: Cluster) -> tuple[Approval, ...]:
    listed = await cluster.list(PLAN_APPROVAL, namespace, {})
    return tuple(one for approval in listed if (one := approvals.read(approval)) is not None)


async def _nothing() -> None:
    """What needs no question."""


def _any_unfinished(found: tuple[Plan | Unreadable, ...] | list[Plan | Unreadable]) -> bool:
    return any(isinstance(one, Plan) and not one.finished for one in found)


def _needs_proof(found: list[Plan | Unreadable], operations: Mapping[str, Operation]) -> bool:
    waiting = (one for one in found if isinstance(one, Plan) and one.waits and not one.spec.dry_run)
    asked = (operations.get(one.spec.operation) for one in waiting)
    return any(operation is not None and operation.risk is not Risk.GREEN for operation in asked)
