"""A ChangePlan that the operator asks for in its own name, whatever made it do so (pure).

Its name is the next number after all that were ever seen of its stem: whoever saw the
same makes the same name, and the API server takes it once. So two operators, or one that
died in between, make one plan.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bankstack.engine.conditions import stamp
from bankstack.engine.objects import CHANGE_PLAN, MANAGED, Manifest
from bankstack.plans.journal import Journal

#: A plan's name has 63 letters: these leave room for its number.
STEM_MOST: Final = 56


@dataclass(frozen=True)
class Request:
    """All of it but its number."""

    stem: str
    kind: str
    target: str
    namespace: str
    operation: str
    us: str
    not_after: datetime
    reason: str
    #: Of the Event that tells of it.
    event: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def manifest(self, called: str) -> Manifest:
        """The plan under this name."""
        return {
            "apiVersion": CHANGE_PLAN.api_version,
            "kind": CHANGE_PLAN.kind,
            "metadata": {
                "name": called,
                "namespace": self.namespace,
                "labels": {**MANAGED, **self.labels},
                "annotations": dict(self.annotations),
            },
            "spec": {
                "target": {"kind": self.kind, "name": self.target},
                "operation": self.operation,
                "requestedBy": self.us,
                "notAfter": stamp(self.not_after),
                "reason": self.reason,
            },
        }


def taken(listed: Iterable[str], book: Journal) -> tuple[str, ...]:
    """Names that were seen, of plans that were deleted, too: one that was begun would be Refused as put back."""
    return (*listed, *book.begun, *(one.plan for one in book.entries))


def name(stem: str, seen: Iterable[str]) -> str:
    """The next one after all that were ever seen."""
    numbers = [found for one in seen if (found := number(stem, one)) is not None]
    return f"{stem}-{max(numbers, default=0) + 1}"


def number(stem: str, plan: str) -> int | None:
    """Which one of this stem a plan is; None where it is none."""
    found = re.fullmatch(rf"{re.escape(stem)}-([0-9]{{1,6}})", plan)
    return int(found[1]) if found else None
