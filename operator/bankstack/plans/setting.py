"""What is looked at beside a plan to say where it stands (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from bankstack.engine.declared import Declared
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import Operation
from bankstack.plans.approvals import Approval
from bankstack.plans.journal import Journal
from bankstack.plans.wished import Wished

#: Whether the admission policy is proved to be active.
Proof: TypeAlias = bool | Unknown


@dataclass(frozen=True)
class Setting:
    """One look, at one time. `subject` is None where there is no such target."""

    operations: Mapping[str, Operation]
    subject: Declared[Any, Any] | None
    facts: Any
    journal: Journal
    approvals: tuple[Approval, ...]
    #: Of the Namespace object.
    annotations: Mapping[str, str]
    proof: Proof
    now: datetime
    #: What the operator itself asks for on this target.
    wished: Wished = field(default_factory=Wished)
    #: Other targets on which plans run, as the journal names them.
    elsewhere: frozenset[str] = frozenset()
    #: Whether what these facts asked for has been done.
    carried_out: bool = False
