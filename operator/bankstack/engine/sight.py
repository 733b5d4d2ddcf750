"""What one pass sees: the list of plans first, then all else at once, none of it older than that list.

Nothing is written here. What keeps a thing from being seen is handed on as it is, for the
status has to tell it: a target whose plans cannot be read is not called well.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bankstack.engine.conditions import DERIVED, Claim
from bankstack.engine.finding import Finding, Interrupted
from bankstack.engine.model import Condition
from bankstack.engine.objects import FieldValue, Manifest, Ref, Type
from bankstack.engine.operation import RUNNING, Active
from bankstack.engine.ports import About, Cluster, Docket, Kind, Plans, Subject


async def listed(plans: Plans | None, namespace: str, cluster: Cluster) -> tuple[Manifest, ...] | Interrupted:
    """The plans of the namespace that did not come to a good end, or what kept them from being listed."""
    try:
        return await plans.listed(namespace, cluster) if plans else ()
    except Interrupted as stop:
        return stop


@dataclass(frozen=True)
class Desk:
    """Where the plans of one resource are asked for; without `plans` there are none, and nothing is asked."""

    about: About
    cluster: Cluster
    plans: Plans | None
    listed: tuple[Manifest, ...] | Interrupted
    refers: Callable[[tuple[Ref, ...]], None]

    async def look(self, references: tuple[Ref, ...] = (), *, ran: bool = False) -> Docket | None:
        """The plans; what they refer to comes beside the resource's own references."""
        if isinstance(self.listed, Interrupted):
            raise Interrupted(self.listed.finding)
        if self.plans is None:
            return None
        about = replace(self.about, ran=ran)
        return await self.plans.look(about, self.listed, self.cluster, lambda refs: self.refers((*references, *refs)))


@dataclass(frozen=True)
class Seen:
    """What one pass found: the plans (None: the kind takes none) and the kind's own facts.

    `learned`: what the kind takes from each object that it waits for, as it was read.
    """

    docket: Docket | None
    facts: Any
    learned: Mapping[Ref, object]


@dataclass(frozen=True)
class _Sight:
    """`ports.Sight`: the plans are looked at while other things are read."""

    kind: Kind
    cluster: Cluster
    looking: asyncio.Future[Docket | None]
    learned: dict[Ref, object] = field(default_factory=dict)

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        found = await self.cluster.get(ref, namespace)
        if found is not None and (learned := self.kind.learns(ref.type, found)) is not None:
            self.learned[ref] = learned
        return found

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        return await self.cluster.list(of, namespace, selector, without)

    async def plan(self) -> Active | None:
        # Whoever gives up waiting for it takes it from nobody else.
        docket = await asyncio.shield(self.looking)
        return docket.at_hand if docket else None


def is_planned(subject: Subject) -> bool:
    """Whether a plan was running on it when it was last told of."""
    return any(one.type == RUNNING for one in subject.status.conditions or ())


def unseen(before: Iterable[Condition], finding: Finding) -> tuple[Claim, ...]:
    """What a pass that saw nothing says of a kind's own conditions.

    What was wrong is wrong until it is seen to be well, or its alert would end with the view of it; what was well is
    not known now. And a plan runs until it is seen to have ended.
    """
    own = (one for one in before if one.type not in DERIVED)
    return tuple(
        Claim(one.type, one.status, one.reason, one.message)
        if one.status == "False" or one.type == RUNNING
        else Claim(one.type, "Unknown", finding.reason, finding.message)
        for one in own
    )


async def see(kind: Kind, subject: Subject, desk: Desk) -> Seen | Interrupted:
    """What was found, or the Interrupted that kept it from being seen, which the status tells."""
    if isinstance(desk.listed, Interrupted):
        return desk.listed
    looking = asyncio.ensure_future(desk.look(kind.references(subject.spec), ran=is_planned(subject)))
    sight = _Sight(kind, desk.cluster, looking)
    try:
        docket, facts = await asyncio.gather(looking, kind.observe(subject, sight))
        if docket is not None and docket.outran:
            # Held against that step or end they might prove what was true before it.
            facts = await kind.observe(subject, sight)
    except Interrupted as stop:
        return stop
    return Seen(docket, facts, sight.learned)
