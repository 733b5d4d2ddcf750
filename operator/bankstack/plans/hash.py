"""What an approval is of (pure): everything that would make it another decision, as one hash.

The plan's own uid is in it: what was approved of a plan that was deleted and made again is
not approved of the new one. Of the impact only the bounds count: a number that moves
within what approvers were shown voids nothing and writes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bankstack.engine.operation import Impact, Proposal, Risk
from bankstack.plans.model import ImpactStatus


@dataclass(frozen=True)
class Basis:
    """What was hashed."""

    plan_uid: str
    operation: str
    risk: Risk
    target: str
    target_uid: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    uses: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """As approvals name it."""
        parts = {name: value.items() if isinstance(value, Mapping) else value for name, value in vars(self).items()}
        return of({name: sorted(value) if name in _MAPS else value for name, value in parts.items()})


_MAPS = frozenset({"parameters", "uses", "bounds"})


def of(value: object) -> str:
    """The hash of a JSON value, however its maps are ordered."""
    return "sha256:" + hashlib.sha256(canonical(value).encode()).hexdigest()


def canonical(value: object) -> str:
    """The one way to write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def shown(before: tuple[ImpactStatus, ...], now: Mapping[str, Impact]) -> tuple[ImpactStatus, ...]:
    """The impact to show: as it was shown, while all is within the bounds of then; else as it is now."""
    bounds = {one.name: one.most for one in before}
    if bounds.keys() == now.keys() and all(one.value <= bounds[name] for name, one in now.items()):
        return before
    return tuple(ImpactStatus(name=name, value=one.value, most=one.most) for name, one in sorted(now.items()))


def why_another(before: Basis, now: Basis, proposal: Proposal) -> str:
    """What made it another plan, for the people whose approvals no longer count."""
    changed = [
        *([f"{now.target} was made anew"] if before.target_uid != now.target_uid else []),
        *([f"the risk was {before.risk} and is {now.risk}"] if before.risk != now.risk else []),
        *([f"the steps are now {', '.join(now.steps)}"] if before.steps != now.steps else []),
        *(
            f"{name} was {before.uses.get(name, 'not there')} and is {now.uses.get(name, 'not there')}"
            for name in sorted(before.uses.keys() | now.uses.keys())
            if before.uses.get(name) != now.uses.get(name)
        ),
        *(
            f"{name} is {one.value}, beyond the {before.bounds[name]} that was shown"
            for name, one in sorted(proposal.impact.items())
            if name in before.bounds and one.value > before.bounds[name]
        ),
    ]
    return "; ".join(changed) or "what it would cost is counted otherwise"
