"""Plans of one target, pass by pass: from asked to done, whose turn it is, and what is written first."""

from dataclasses import replace

import pytest

from bankstack.engine.conditions import moment
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import RUNNING, Abort, Do, Done, Impact, Proposal, Wait, Wish
from bankstack.plans import journal
from bankstack.plans.course import OTHERS_TURN, steer
from bankstack.plans.journal import Begun, Journal
from bankstack.plans.plan import Unreadable, read
from bankstack.plans.setting import Setting
from bankstack.plans.wished import Wished

from .given import NOW, OPERATIONS, TARGET, WAITING, Facts, Room, approval, plan, subject


def test_green_runs_at_once_and_its_evidence_is_written_before_its_end() -> None:
    room = Room([plan()])
    steered = room.passes()
    assert (room.state(), room.says()) == ("Running", "all steps are done, which is being recorded")
    assert [one.evidence for one in room.plan().status.steps or ()] == ["First is so", "Second is so"]
    assert steered.look_again is not None
    room.passes()
    assert room.state() == "Succeeded"
    (entry,) = room.journal.entries
    assert (entry.plan, entry.state, entry.record) == ("a", "Succeeded", room.plan().status.record)
    assert (room.journal.active, list(room.journal.begun)) == ({}, ["a"])


def test_a_plan_that_ran_ends_in_the_pass_that_sees_its_last_step_done() -> None:
    room = Room([plan()], WAITING)
    room.passes()
    room.facts = Facts()
    steered = room.passes()
    assert (room.state(), room.journal.entries[0].state) == ("Succeeded", "Succeeded")
    assert steered.evidence is not None
    of, first = steered.evidence
    assert (of.name, first.state, first.step) == ("a", "Running", "Second"), "what is written before the journal is"
    assert [one.evidence for one in first.steps or ()] == ["First is so", "Second is so"]


def test_a_step_that_waits_keeps_the_plan_and_says_why_and_the_target_knows() -> None:
    room = Room([plan()], WAITING)
    steered = room.passes(2)
    assert (room.state(), room.says(), steered.look_again) == ("Running", "the sea is rough", 7.0)
    assert steered.active is not None
    assert (steered.active.name, steered.active.step) == ("a", "First")
    assert room.journal.active == {TARGET: ("a", "uid-a")}
    assert [(one.type, one.reason) for one in steered.claims] == [(RUNNING, "Look")]


def test_what_a_step_does_is_handed_on_and_what_it_keeps_is_known_later() -> None:
    room = Room([plan()], Facts({"First": Do((Ask("act", "Plan"),))}))
    assert room.passes().actions == (Ask("act", "Plan"),)
    assert room.says() == "First is under way"
    room.facts = Facts({"Second": Wait("second")})
    steered = room.passes()
    assert (steered.actions, steered.active and steered.active.step) == ((), "Second")


def test_what_is_so_once_it_was_done_counts_only_then_and_is_looked_at_when_the_step_says() -> None:
    does = Do((Ask("act", "Plan"),), after=5.0, then=Done("seen to"))
    room = Room([plan()], Facts({"Second": does}))
    steered = room.passes()
    assert (steered.actions, steered.after, steered.concludes, room.state()) == (does.actions, 5.0, True, "Running")
    assert not Room([plan()], Facts({"First": does})).passes().concludes, "what comes next is judged by another look"
    ended = room.passes(carried_out=True)
    assert (room.state(), ended.concludes) == ("Succeeded", False)
    assert [one.evidence for one in room.plan().status.steps or ()] == ["First is so", "seen to"]


def test_a_step_that_cannot_be_ends_the_plan_with_its_sentence() -> None:
    room = Room([plan()], Facts({"Second": Abort("no way")}))
    room.passes()
    assert (room.state(), room.says()) == ("Failed", "no way")
    assert [one.state for one in room.plan().status.steps or ()] == ["Done", "Failed"]
    assert room.journal.entries[0].message == "no way"


def test_an_end_that_only_the_journal_has_is_completed_from_it() -> None:
    room = Room([plan()], Facts({"Second": Abort("no way")}))
    room.facts = Facts({"Second": Wait("on")})
    room.passes()
    before = room.plans
    room.facts = Facts({"Second": Abort("no way")})
    room.passes()
    # The journal was written, the plan was not.
    room.plans, room.facts = before, Facts()
    room.passes()
    assert (room.state(), room.says(), len(room.journal.entries)) == ("Failed", "no way", 1)
    assert [one.state for one in room.plan().status.steps or ()] == ["Done", "Failed"]


# Whose turn it is


def test_plans_run_in_the_order_in_which_they_were_made() -> None:
    second = plan("a2")
    second.manifest["metadata"]["creationTimestamp"] = "2026-03-01T11:00:01Z"
    room = Room([second, plan("b")], WAITING)
    room.passes(2)
    assert (room.state("b"), room.state("a2")) == ("Running", "Pending")
    assert room.says("a2") == "nothing is missing: it begins when ChangePlan b has ended"
    room.facts = Facts()
    room.passes()
    assert (room.state("b"), room.says("a2")) == ("Succeeded", "nothing is missing: it begins in a moment")
    room.passes(2)
    assert room.state("a2") == "Succeeded"
    assert journal.check(room.journal) == ()


def test_a_plan_that_lacks_an_approval_holds_up_nobody() -> None:
    room = Room([plan("a", operation="Change"), plan("b")])
    room.passes(2)
    assert (room.state("a"), room.state("b")) == ("AwaitingApproval", "Succeeded")


def test_of_two_that_say_they_run_the_journal_s_goes_on() -> None:
    room = Room([plan("a"), plan("b")], WAITING)
    room.passes(2)
    other = room.plan("a").status.model_dump(mode="json", by_alias=True, exclude_none=True)
    room.plans = [room.plan("a"), plan("b", status=other)]
    room.passes()
    assert room.says("b") == "by the journal's word ChangePlan a runs: this one goes on after it"


def test_what_cannot_be_beside_another_begins_after_it() -> None:
    room = Room([plan()])
    look = replace(OPERATIONS["Look"], beside=lambda _facts, _parameters, running: "after it" if running else None)
    setting = Setting({"Look": look}, subject(), Facts(), Journal(), (), {}, proof=True, now=NOW)
    for elsewhere, state in ((frozenset({"Toy two"}), "Pending"), (frozenset(), "Running")):
        steered = steer(TARGET, room.plans, replace(setting, elsewhere=elsewhere))
        (_, status), *_ = steered.statuses
        assert (status.state, steered.look_again == OTHERS_TURN) == (state, bool(elsewhere))
        assert (status.message == "after it") == bool(elsewhere)


def test_beside_a_plan_that_cannot_be_read_none_begins() -> None:
    broken = read(plan("x").manifest | {"status": {"state": "Dancing"}})
    assert isinstance(broken, Unreadable)
    room = Room([plan("a"), broken])
    room.passes()
    assert (room.state(), room.journal.active) == ("Pending", {})
    assert "ChangePlan x was edited by hand and cannot be read (state)" in room.says()


def test_beside_a_plan_that_cannot_be_read_nothing_is_asked_for_and_the_wish_says_which() -> None:
    own = Wished("us", {("Look", "Change"): Wish("c", "it is needed")})
    broken = read(plan("x").manifest | {"status": {"state": "Dancing"}})
    assert [one.operation for one in own.asks([])] == ["Look"]
    assert own.told([])["Change"] == "A ChangePlan (Look) is being asked for"
    assert own.asks([broken]) == ()
    assert own.told([plan("a"), broken])["Change"].startswith("No ChangePlan is asked for: ChangePlan x was edited")


def test_a_plan_that_was_to_begin_and_is_not_ready_any_more_gives_its_place_away() -> None:
    room = Room([plan("a", operation="Change")])
    room.journal = Journal().begin(TARGET, "a", Begun("uid-a", "2026-03-02T00:00:00Z"))
    room.passes()
    assert room.journal.active == {}


def test_one_that_was_deleted_while_it_ran_is_told_of() -> None:
    room = Room([plan()], WAITING)
    room.passes(2)
    room.plans = []
    room.passes()
    (entry,) = room.journal.entries
    assert (entry.plan, entry.state, entry.not_after) == ("a", "Cancelled", "2026-03-02T00:00:00Z")
    assert room.journal.active == {}
    room.plans = [plan()]
    room.plans[0].manifest["metadata"]["uid"] = "another"  # type: ignore[union-attr]
    room.passes()
    assert room.state() == "Refused"


def test_one_that_cannot_be_read_any_more_is_not_taken_for_deleted() -> None:
    room = Room([plan()], WAITING)
    room.passes(2)
    (running,) = room.plans
    room.plans = [read(running.manifest | {"status": {"state": "Dancing"}})]  # type: ignore[union-attr]
    room.passes()
    assert (room.journal.entries, TARGET in room.journal.active) == ((), True)


# Agreed to


def test_amber_waits_for_another_person_and_then_runs() -> None:
    room = Room([plan(operation="Change")])
    room.passes()
    assert (room.state(), room.journal) == ("AwaitingApproval", Journal())
    room.approvals = (approval(room.plan()),)
    room.passes(2)
    assert (room.state(), room.plan().status.approved_by) == ("Succeeded", ["bob"])
    assert room.journal.entries[0].approved_by == ("bob",)


@pytest.mark.parametrize(
    ("proof", "state", "words"),
    [(False, "Refused", "only Green plans run"), (Unknown("away"), "Pending", "cannot be told now (away)")],
)
def test_without_the_proof_of_names_no_approval_is_believed(proof: bool | Unknown, state: str, words: str) -> None:  # noqa: FBT001
    room = Room([plan(operation="Change")], proof=proof)
    room.passes()
    room.approvals = (approval(room.plan()),) if room.plan().status.hash else ()
    room.passes()
    assert room.state() == state
    assert words in room.says()
    green = Room([plan()], proof=proof)
    green.passes(2)
    assert green.state() == "Succeeded"


def test_once_it_runs_its_hash_stays_whatever_changes() -> None:
    room = Room([plan(operation="Change")])
    room.passes()
    room.approvals, room.facts = (approval(room.plan()),), WAITING
    room.passes(2)
    before = room.plan().status.hash
    room.facts = replace(WAITING, proposal=Proposal(steps=("Second",), uses={"word": "other"}))
    room.approvals = ()
    room.passes()
    assert (room.state(), room.plan().status.hash) == ("Running", before)


def test_a_plan_that_became_another_says_why() -> None:
    room = Room([plan(operation="Change")])
    room.passes()
    room.facts = Facts(proposal=Proposal(steps=("First",), impact={"sats": Impact(11, 20)}, uses={"word": "other"}))
    room.passes()
    said = room.plan().status.replanned or ""
    assert "the steps are now First" in said
    assert "word was hello and is other" in said
    assert "sats is 11, beyond the 10 that was shown" in said


# What ends it before it begins, and what is waited for


@pytest.mark.parametrize(
    ("spec", "state", "words"),
    [
        ({"operation": "Sing"}, "Refused", "cannot carry out Sing on a Toy (only Look, Change)"),
        ({"notAfter": "2026-02-01T00:00:00Z"}, "Refused", "an old plan is not carried out"),
        ({"notAfter": "2026-06-01T00:00:00Z"}, "Refused", "more than 31 days"),
        ({"cancelled": True}, "Cancelled", "nothing was done"),
        ({"leaving": True}, "Cancelled", "nothing was done"),
    ],
)
def test_a_plan_that_is_not_for_now_ends(spec: dict[str, object], state: str, words: str) -> None:
    room = Room([plan(**spec)])  # type: ignore[arg-type]
    room.passes()
    assert room.state() == state
    assert words in room.says()


def test_a_plan_that_nobody_approved_in_time_expires_with_what_it_lacked() -> None:
    room = Room([plan(operation="Change")])
    room.passes()
    room.later(days=1).passes()
    assert room.state() == "Expired"
    assert "It lacked: 1 approval is missing" in room.says()


def test_refusals_end_it_and_waits_do_not() -> None:
    room = Room([plan()], Facts(proposal=Proposal(refusals=("never",))))
    room.passes()
    assert (room.state(), room.says()) == ("Refused", "never")
    room = Room([plan()], Facts(proposal=Proposal(waits=("not yet",))))
    assert room.passes().look_again == 30.0
    assert (room.state(), room.says()) == ("Pending", "not yet")


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (Room([plan()], target=None), "there is no Toy one in this namespace"),
        (Room([plan()], target=subject(paused=True)), "spec.paused of Toy one is true"),
        (
            Room([plan()], journal=Journal(begun={str(n): Begun("u", "2026-03-02T00:00:00Z") for n in range(1000)})),
            "too many plans",
        ),
        (
            Room([plan()], Facts(proposal=Proposal(steps=("First",), windows=("Mon 02:00-03:00 UTC",)))),
            "which opens at 2026-03-02T02:00:00Z",
        ),
    ],
    ids=["no target", "paused", "a full journal", "no window"],
)
def test_what_is_waited_for_is_said(room: Room, words: str) -> None:
    room.passes()
    assert room.state() == "Pending"
    assert words in room.says()


def test_a_dry_run_shows_what_is_missing_and_never_runs() -> None:
    room = Room([plan(operation="Change", dryRun=True)], Facts(proposal=Proposal(steps=("First",), waits=("slow",))))
    room.passes(2)
    status = room.plan().status
    assert (status.state, status.missing) == ("Pending", ["slow"])
    room.facts = Facts()
    room.passes()
    assert "1 approval is missing" in (room.plan().status.missing or [""])[0]
    room.later(days=2).passes()
    assert (room.state(), room.journal.entries) == ("Expired", ())


# The target changes while it runs


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "there is no Toy one any more"),
        (subject(deleting=True), "Toy one is being deleted"),
        (subject(uid="t2"), "Toy one was deleted and made anew"),
    ],
)
def test_a_plan_ends_with_its_target(target: object, words: str) -> None:
    room = Room([plan()], WAITING)
    room.passes(2)
    room.target = target  # type: ignore[assignment]
    room.passes()
    assert room.state() == "Failed"
    assert f"{words}: the plan ends where it is, in step First" in room.says()


def test_a_paused_target_keeps_its_plan_where_it_is() -> None:
    room = Room([plan()], WAITING)
    room.passes()
    room.target, room.facts = subject(paused=True), Facts({"First": Do((Ask("act", "Plan"),))})
    assert room.passes().actions == ()
    assert "stays where it is, in step First" in room.says()


@pytest.mark.parametrize(("step", "state"), [("First", "Cancelled"), ("Second", "Running")])
def test_a_cancellation_takes_effect_where_the_step_allows_it(step: str, state: str) -> None:
    room = Room([plan()], Facts({step: Wait("on its way")}))
    room.passes(2)
    room.plan().manifest["spec"]["cancelled"] = True
    room.plans = [read(room.plan().manifest)]
    room.passes()
    assert room.state() == state


def test_a_step_that_another_version_began_is_waited_for_and_can_be_cancelled() -> None:
    room = Room([plan()], WAITING)
    room.passes(2)
    setting = Setting({}, subject(), Facts(), room.journal, (), {}, proof=True, now=NOW)
    steered = steer(TARGET, room.plans, setting)
    assert "does not know step First of Look" in (steered.statuses[0][1].message or "")
    room.plan().manifest["spec"]["cancelled"] = True
    steered = steer(TARGET, [read(room.plan().manifest)], setting)
    assert steered.statuses[0][1].state == "Cancelled"
    assert OPERATIONS


def test_since_when_people_are_asked_is_told_until_they_have_answered() -> None:
    room = Room([plan("b", operation="Change"), plan("a", operation="Change"), plan("c", dryRun=True)])
    assert room.passes().asked == moment(room.plan("a").created)
    room.approvals = (approval(room.plan("a")), approval(room.plan("b")))
    room.passes(8)
    assert (room.state("a"), room.state("b"), room.passes().asked) == ("Succeeded", "Succeeded", None)
