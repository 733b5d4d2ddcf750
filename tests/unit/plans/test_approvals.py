"""Each reason for which an approval does not count, in its sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bankstack.plans.approvals import Approval, Asked, read, tally
from bankstack.plans.model import PlanApprovalSpec
from bankstack.plans.risk import Needed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASH, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ASKED = Asked("restart", "alice", HASH)


def approval(approver: str, name: str = "", **more: Any) -> Approval:  # noqa: ANN401 - what a user writes
    spec = {"plan": "restart", "hash": HASH, "approver": approver} | more
    return Approval(name or approver, PlanApprovalSpec.model_validate(spec))


def test_an_approval_by_somebody_else_grants_amber() -> None:
    assert tally(ASKED, Needed(1), [approval("bob")], NOW).missing == ()
    assert tally(ASKED, Needed(1), [approval("bob")], NOW).by == ("bob",)


def test_red_needs_two_different_people() -> None:
    assert tally(ASKED, Needed(2), [approval("bob"), approval("carol")], NOW).missing == ()


def test_green_needs_nobody() -> None:
    assert tally(ASKED, Needed(0), [], NOW).missing == ()


REFUSALS = {
    "the requester himself": (
        approval("alice", "x"),
        "PlanApproval x is by alice, who asked for this plan: another person has to approve it",
    ),
    "one person twice": (
        approval("bob", "x"),
        "PlanApprovals bob and x are both by bob: the second has to be another person's",
    ),
    "a stale hash": (
        approval("carol", "x", hash=OTHER),
        (
            "PlanApproval x by carol is for sha256:bbbbbbbb, and this plan is now sha256:aaaaaaaa: read it and "
            "approve it again"
        ),
    ),
    "an expired one": (
        approval("carol", "x", notAfter="2026-03-01T11:59:59Z"),
        "PlanApproval x by carol counted until 2026-03-01T11:59:59Z: approve it again",
    ),
    "a ServiceAccount's": (
        approval("system:serviceaccount:flux:kustomize", "x"),
        (
            "PlanApproval x is in the name of ServiceAccount flux:kustomize, and only people approve: a person has to "
            "make one"
        ),
    ),
}


@pytest.mark.parametrize(("given", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_what_does_not_count_says_why(given: Approval, sentence: str) -> None:
    found = tally(ASKED, Needed(2), [approval("bob"), given], NOW)
    assert found.by == ("bob",)
    assert found.missing == (
        (
            "1 approval is missing, by people other than alice or bob: a PlanApproval with plan restart, hash "
            f"{HASH} and the approver's own name"
        ),
        sentence,
    )


def test_an_approval_of_another_plan_or_one_taken_back_is_none() -> None:
    other = approval("bob", plan="another")
    leaving = Approval("bob", approval("bob").spec, leaving=True)
    assert tally(ASKED, Needed(1), [other, leaving], NOW).missing == tally(ASKED, Needed(1), [], NOW).missing


def test_a_doubtful_count_is_told_with_what_is_missing() -> None:
    found = tally(ASKED, Needed(2, "the annotation is wrong"), [], NOW)
    assert found.missing[0].startswith("2 approvals are missing")
    assert found.missing[1] == "the annotation is wrong"


def test_an_approval_counts_until_its_very_end() -> None:
    assert tally(ASKED, Needed(1), [approval("bob", notAfter="2026-03-01T12:00:00Z")], NOW).missing == ()


def test_nonsense_that_an_older_crd_let_through_is_no_approval() -> None:
    assert read({"metadata": {"name": "x"}, "spec": {"plan": "restart", "hash": "none", "approver": "bob"}}) is None
    good = {"plan": "restart", "hash": HASH, "approver": "bob"}
    assert read({"metadata": {"name": "x"}, "spec": good | {"notAfter": "2026-13-01T00:00:00Z"}}) is None
    assert read({"metadata": {"name": "x"}, "spec": good}) == approval("bob", "x")
