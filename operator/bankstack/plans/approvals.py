"""Who has agreed, and what is missing (pure).

That an approval is in its author's own name is the admission policy's word, proved by the
operator before it believes any. Here is counted which of them are of this plan, as it is
now, by different people, none of them the requester.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bankstack.engine.conditions import moment
from bankstack.engine.objects import Manifest
from bankstack.plans.model import PlanApprovalSpec
from bankstack.plans.risk import MOST, Needed

SERVICE_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True)
class Approval:
    """One PlanApproval as read."""

    name: str
    spec: PlanApprovalSpec
    leaving: bool = False


@dataclass(frozen=True)
class Asked:
    """What is to be agreed to: a plan, by whom it was asked for, and its hash now."""

    plan: str
    by: str
    hash: str


@dataclass(frozen=True)
class Tally:
    """Who counts, and a sentence for each that does not and for what is missing; none: it is granted."""

    by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read(manifest: Manifest) -> Approval | None:
    """An approval in types; None where an older CRD let nonsense through: it counts for nothing."""
    try:
        spec = PlanApprovalSpec.model_validate(manifest["spec"])
    except ValueError:
        return None
    return Approval(manifest["metadata"]["name"], spec, "deletionTimestamp" in manifest["metadata"])


def tally(asked: Asked, needed: Needed, given: Iterable[Approval], now: datetime) -> Tally:
    """Granted, or what is missing."""
    counts: dict[str, str] = {}
    sentences = [needed.doubt] if needed.doubt else []
    for one in sorted(given, key=lambda one: one.name):
        if one.spec.plan != asked.plan or one.leaving:
            continue
        against = _against(one, asked, counts, now)
        if against is None:
            counts[one.spec.approver] = one.name
        else:
            sentences.append(against)
    if len(counts) >= needed.count:
        return Tally(tuple(counts)[:MOST])
    return Tally(tuple(counts)[:MOST], (_lacking(asked, needed.count - len(counts), counts), *sentences))


def _against(one: Approval, asked: Asked, counts: dict[str, str], now: datetime) -> str | None:
    """Why this one does not count."""
    approver = one.spec.approver
    if approver.startswith(SERVICE_ACCOUNT):
        return (
            f"PlanApproval {one.name} is in the name of ServiceAccount {approver.removeprefix(SERVICE_ACCOUNT)}, and "
            "only people approve: a person has to make one"
        )
    if approver == asked.by:
        return f"PlanApproval {one.name} is by {approver}, who asked for this plan: another person has to approve it"
    if one.spec.hash != asked.hash:
        return (
            f"PlanApproval {one.name} by {approver} is for {short(one.spec.hash)}, and this plan is now "
            f"{short(asked.hash)}: read it and approve it again"
        )
    if one.spec.not_after is not None and now > moment(one.spec.not_after):
        return f"PlanApproval {one.name} by {approver} counted until {one.spec.not_after}: approve it again"
    if approver in counts:
        return (
            f"PlanApprovals {counts[approver]} and {one.name} are both by {approver}: the second has to be "
            "another person's"
        )
    return None


def _lacking(asked: Asked, count: int, counts: dict[str, str]) -> str:
    others = " or ".join((asked.by, *counts))
    many = "1 approval is" if count == 1 else f"{count} approvals are"
    return (
        f"{many} missing, by people other than {others}: a PlanApproval with plan {asked.plan}, hash {asked.hash} "
        "and the approver's own name"
    )


def short(text: str) -> str:
    """A hash as people compare it."""
    return text[: len("sha256:") + 8]
