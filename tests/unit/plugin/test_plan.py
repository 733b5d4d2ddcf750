"""A plan as approvers read it, and as whoever waits for it does."""

import pytest

from bankstack.plugin.access import Refused

from . import given
from .given import HASH, OTHER, Bank, Somebody, told

BLOCK = [
    "ChangePlan restart-1 in bank: AwaitingApproval",
    "  1 approval is missing, by people other than alice",
    "",
    "Operation     Restart of LndNode lnd1",
    "Asked for by  alice: channel database is 9.8 GiB",
    "Begins until  2026-11-22T00:00:00Z",
    "Risk          Amber: by an approval of another person",
    f"Hash          {HASH}",
]
STEPS = [
    "",
    "STEP   STATE    BEGAN  ENDED  EVIDENCE",
    "Check  Pending",
    "Drain  Pending",
    "Stop   Pending",
]


async def test_an_approver_is_shown_everything_that_is_agreed_to() -> None:
    of_another = given.approval("dave", plan="restart-2")
    bank = Bank([given.awaiting(), given.approval("carol", OTHER), of_another])
    answer = await told(bank, "plan show restart-1")
    assert answer.lines == [
        *BLOCK,
        "",
        "IMPACT       NOW        AGREED TO, AT MOST",
        "channelSats  1,000,000  2,250,000",
        "",
        "RELIES ON  AS IT IS",
        "change     lnd.conf (config)",
        "version    v0.21.2-beta",
        *STEPS,
        "",
        "APPROVAL BY  OF                            NAME",
        "carol        another one, sha256:fcde2b2e  restart-1-carol",
    ]
    assert answer.code == 0


async def test_who_waits_is_told_who_may_approve_and_the_very_commands() -> None:
    answer = await told(Bank([given.awaiting()]), "explain plan/restart-1")
    assert answer.lines == [
        *BLOCK,
        *STEPS,
        "",
        "To approve, by anybody but alice who has the ClusterRole bankstack-approve here:",
        f"  kubectl bank plan approve restart-1 -n bank --hash {HASH}",
        "To cancel:",
        "  kubectl bank plan cancel restart-1 -n bank",
    ]
    assert answer.code == 0


async def test_a_plan_that_runs_shows_its_evidence_so_far() -> None:
    answer = await told(Bank([given.running(), given.approval()]), "explain plan/restart-1")
    assert answer.lines[:2] == ["ChangePlan restart-1 in bank: Running", "  2 HTLCs are on their way"]
    assert answer.lines[8:] == [
        "",
        "STEP   STATE    BEGAN     ENDED     EVIDENCE",
        "Check  Done     11:49:34  11:49:35  synced at height 113, 1 channels",
        "Drain  Running  11:49:35",
        "Stop   Pending",
        "",
        "APPROVAL BY  OF         NAME",
        "bob          this plan  restart-1-bob",
        "Counted: bob.",
        "",
        "To cancel:",
        "  kubectl bank plan cancel restart-1 -n bank",
    ]


@pytest.mark.parametrize(
    ("state", "code"), [("Failed", 1), ("Refused", 1), ("Expired", 1), ("Succeeded", 0), ("Cancelled", 0)]
)
async def test_what_ended_badly_is_something_to_look_at(state: str, code: int) -> None:
    ended = given.plan(status={"state": state, "message": "HTLC 3 of channel 7 has 5 blocks left"})
    answer = await told(Bank([ended]), "explain plan/restart-1")
    assert answer.lines[1] == "  HTLC 3 of channel 7 has 5 blocks left"
    assert answer.lines[-1] == "Nothing more happens with it. To do it after all, make another plan."
    assert answer.code == code


async def test_what_is_unusual_about_a_plan_is_shown() -> None:
    odd = given.awaiting(
        replanned="planned anew, because channels is 9",
        dryRun=True,
        ignoreWindows=True,
        parameters={"b": "2", "a": "1"},
    )
    lines = (await told(Bank([odd]), "explain plan/restart-1")).lines
    assert "Parameters    a=1, b=2" in lines
    assert "Begins until  2026-11-22T00:00:00Z, also outside of its windows" in lines
    assert "Dry run       it shows itself and never runs" in lines
    assert "Changed       planned anew, because channels is 9" in lines
    assert not any("plan approve" in line for line in lines)


async def test_a_forged_reason_cannot_repaint_what_an_approver_reads() -> None:
    forged = given.awaiting(reason="routine\x1b[5A\x1b[2KRisk Green")
    lines = (await told(Bank([forged]), "plan show restart-1")).lines
    assert not [line for line in lines if "\x1b" in line]


async def test_a_running_plan_that_is_cancelled_says_where_it_is() -> None:
    bank = Bank([given.running()])
    answer = await told(bank, "plan cancel restart-1")
    assert bank.written == [{"one": "ChangePlan restart-1", "namespace": "bank", "spec": {"cancelled": True}}]
    assert answer.lines == [
        "ChangePlan restart-1 is cancelled. It is in step Drain, and ends where that one may be left."
    ]


async def test_what_has_ended_is_not_cancelled() -> None:
    bank = Bank([given.plan(status={"state": "Succeeded", "message": "all 10 steps are done"})])
    with pytest.raises(Refused, match=r"has ended already \(Succeeded\): there is nothing to cancel. all 10 steps"):
        await told(bank, "plan cancel restart-1")
    assert bank.written == []


@pytest.mark.parametrize("command", ["plan show", "plan approve", "plan cancel"])
async def test_a_plan_that_is_not_there(command: str) -> None:
    with pytest.raises(Refused, match="there is no ChangePlan gone in namespace bank"):
        await told(Bank(), f"{command} gone", Somebody("y"))
