"""Whether a person may still approve what they were shown (pure).

The operator counts approvals, and the admission policy sees to names: nothing here
protects anybody from them. It saves a person the round, and an approval that would not
count is not made.
"""

import re
from typing import Final

from bankstack.plugin.known import Usage
from bankstack.plugin.plan import SHORT, Plan

_ALGORITHM: Final = "sha256:"


def objection(plan: Plan, me: str) -> str | None:
    """Why this person's approval of it would not count now."""
    against = (
        (plan.finished, f"has ended ({plan.state}): there is nothing to approve. {plan.message}"),
        (plan.cancelled, "was cancelled: there is nothing to approve"),
        (plan.dry_run, "is a dry run and never runs: there is nothing to approve. Make it again without --dry-run"),
        (plan.state == "Running", "runs already: approvals counted until it began, and nothing was approved now"),
        (not plan.hash, f"has no hash yet, so nobody can approve it: {plan.message}"),
        (plan.requested_by == me, f"was asked for by you ({me}): another person has to approve it"),
    )
    return next((f"ChangePlan {plan.name} {told}" for holds, told in against if holds), None)


def moved_on(before: Plan, now: Plan, me: str) -> str | None:
    """Why what the person was shown is not what would be approved."""
    if told := objection(now, me):
        return told
    if before.hash == now.hash:
        return None
    why = f" ({now.replanned})" if now.replanned else ""
    return (
        f"ChangePlan {now.name} was planned anew while you read it{why}: you were shown {before.hash[:SHORT]}, and it "
        f"is {now.hash[:SHORT]} now. Nothing was approved: read it again"
    )


def is_named(plan: Plan, typed: str) -> bool:
    """Whether `typed` is this plan's hash. Raises Usage where it is only a part of one."""
    # Whoever asks for a plan can try until another one begins with the same few digits.
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{64}", typed):
        raise Usage(f"--hash {typed!r} is no whole hash: copy it from `kubectl bank plan show`, sha256: and 64 digits")
    return plan.hash.removeprefix(_ALGORITHM) == typed.removeprefix(_ALGORITHM)


def another(plan: Plan, typed: str) -> str:
    """Said where it is not."""
    why = f" ({plan.replanned})" if plan.replanned else ""
    return (
        f"ChangePlan {plan.name} is not the one of {typed}: its hash is {plan.hash} now{why}. Nothing was approved: "
        f"read it again (kubectl bank plan show {plan.name} -n {plan.namespace})"
    )
