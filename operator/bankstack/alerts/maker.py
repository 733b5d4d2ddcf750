"""Reads what there is, and makes the plan that an alert asks for: this room's only reads and writes.

Any replica does, leading or standing by. A plan is only asked for here, as a person
would ask; the leader carries it out. So nothing is lost while the lease changes hands,
and Alertmanager need not know who leads. That two replicas make no two plans is the
name's doing (`asked`), not the lease's: a lease is no fence.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bankstack.alerts import asked
from bankstack.alerts.asked import Group
from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.objects import CHANGE_PLAN, Ref, Type
from bankstack.engine.ports import Cluster
from bankstack.plans import desk
from bankstack.plans import plan as plans

#: Others may make the same name at the same moment: it is looked at anew so often.
TRIES: Final = 3


@dataclass(frozen=True)
class Outcome:
    """What became of a wish: `result` for the metrics, a sentence for people."""

    result: str
    sentence: str


@dataclass
class Maker:
    """Makes plans in the name of `us`, the operator's own user."""

    cluster: Cluster
    us: str
    #: Kinds that plans may be for, by their name.
    types: Mapping[str, Type]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    #: One at a time: what the one before has made, the next one sees.
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self, group: Group) -> Outcome:
        """One plan, or the reason why there is none. Raises Interrupted where no answer came."""
        async with self._alone:
            for _ in range(TRIES):
                if outcome := await self._tried(group):
                    return outcome
        told = f"{group.wish} is being asked for by others at this very moment: it is seen at the next notification"
        raise Interrupted(Finding("ChangedMeanwhile", told, Transient()))

    async def _tried(self, group: Group) -> Outcome | None:
        wish = group.wish
        target = Ref(self.types[wish.rule.target.kind], wish.target)
        if await self.cluster.get(target, wish.namespace) is None:
            return Outcome("no_target", f"{wish}: there is no {target} in namespace {wish.namespace}")
        listed = await self.cluster.list(CHANGE_PLAN, wish.namespace, {})
        its_own = [plans.read(one) for one in listed if plans.is_for(one, target.type.kind, wish.target)]
        if answered := asked.answered(group, its_own, self.us, self.now()):
            return Outcome("answered", f"{wish}: {answered}")
        wanted = asked.request(group, self.us, self.now())
        called = await desk.ask(self.cluster, wanted, (one["metadata"]["name"] for one in listed))
        return Outcome("made", f"{wish}: ChangePlan {called} is made") if called else None
