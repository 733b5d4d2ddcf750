"""The objects that people's words become: a ChangePlan, a PlanApproval (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from bankstack.engine.conditions import moment, stamp
from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Manifest
from bankstack.plans.catalog import OPERATIONS
from bankstack.plugin.known import PLAN, Usage, named

NAME_MOST: Final = 63
#: When nobody says until when.
USUAL: Final = "24h"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Wish:
    """What was asked for, as it was typed."""

    target: str
    operation: str
    reason: str
    not_after: str = USUAL
    name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    ignore_windows: bool = False


def plan(wish: Wish, by: str, now: datetime) -> Manifest:
    """The ChangePlan. Raises Usage."""
    known, target = named(wish.target)
    if known is PLAN:
        raise Usage("a plan is for a resource of the bank, not for another plan: write KIND/NAME, like lndnode/lnd1")
    operation = _operation(known.type.kind, wish.operation)
    flags = {"dryRun": wish.dry_run, "ignoreWindows": wish.ignore_windows}
    return {
        "apiVersion": CHANGE_PLAN.api_version,
        "kind": CHANGE_PLAN.kind,
        "metadata": {"name": wish.name or plan_name(operation, target.name, now)},
        "spec": {
            "target": {"kind": known.type.kind, "name": target.name},
            "operation": operation,
            "requestedBy": by,
            "notAfter": until(wish.not_after, now),
            "reason": wish.reason,
            **({"parameters": dict(wish.parameters)} if wish.parameters else {}),
            **{name: True for name, wanted in flags.items() if wanted},
        },
    }


def plan_name(operation: str, target: str, now: datetime) -> str:
    """What it is called when nobody names it."""
    when = f"{now:%Y%m%d-%H%M%S}"
    return f"{operation.lower()}-{target}"[: NAME_MOST - len(when) - 1].rstrip("-") + f"-{when}"


def _operation(kind: str, typed: str) -> str:
    """As the catalogue writes it; what it does not have is for the API server to refuse."""
    return next((one for one in OPERATIONS.get(kind, ()) if one.lower() == typed.lower()), typed)


def until(typed: str, now: datetime) -> str:
    """A moment, or so long from now. Raises Usage."""
    if found := re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", typed):
        return stamp(now + timedelta(**{_UNITS[found[2]]: int(found[1])}))
    try:
        moment(typed)
    except ValueError:
        raise Usage(
            f"--not-after {typed!r} is no time: write a moment in UTC, like 2026-11-21T00:00:00Z, or how long from "
            "now, like 90m, 8h or 2d"
        ) from None
    return typed


def parameters(typed: list[str]) -> dict[str, str]:
    """KEY=VALUE each. Raises Usage."""
    for one in typed:
        if not one.partition("=")[0] or "=" not in one:
            raise Usage(f"--parameter {one!r} is not KEY=VALUE")
    return {key: value for key, _, value in (one.partition("=") for one in typed)}


def approval(plan: str, of: str, by: str) -> Manifest:
    """One person's word for one plan as it was shown."""
    return {
        "apiVersion": PLAN_APPROVAL.api_version,
        "kind": PLAN_APPROVAL.kind,
        "metadata": {"name": approval_name(plan, of, by)},
        "spec": {"plan": plan, "hash": of, "approver": by},
    }


def approval_name(plan: str, of: str, by: str) -> str:
    """The same person's word for the same plan has the same name: said twice it is there once."""
    digest = sha256(f"{plan}\0{of}\0{by}".encode()).hexdigest()[:8]
    who = re.sub("[^a-z0-9]+", "-", by.lower()).strip("-")
    return f"{plan[:40]}-{who}"[: NAME_MOST - len(digest) - 1].rstrip("-") + f"-{digest}"
