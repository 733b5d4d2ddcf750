"""What is read and written for the plans of a target, in one pass of the engine over an API server in memory."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.simulation import toy
from tests.simulation.cluster import SimulatedCluster
from tests.simulation.faults import Fault
from tests.simulation.line import Line
from tests.simulation.world import World

from bankstack.engine.decision import Ask, Decision
from bankstack.engine.finding import Interrupted, Unknown
from bankstack.engine.objects import CHANGE_PLAN, CONFIG_MAP, PLAN_APPROVAL, Manifest, Ref
from bankstack.engine.operation import Abort, Cancel, Do, Done, Operation, Proposal, Risk, Step, Verdict, Wait
from bankstack.engine.ports import About
from bankstack.plans import admission, journal
from bankstack.plans.desk import Desk, Docket, ask, news, prove
from bankstack.plans.model import ChangePlanStatus
from bankstack.plans.plan import Plan
from bankstack.plans.request import Request

from .given import NOW, plan

API = {"apiVersion": CHANGE_PLAN.api_version}


class Answers:
    """What the only step says; changed by the tests."""

    verdict: Verdict = Done("it is so")


def world(answers: Answers, risk: Risk = Risk.GREEN, **more: Any) -> World:  # noqa: ANN401 - as World takes them
    proposal = Proposal(steps=("Only",))
    only = Step("Only", lambda _subject, _facts, _now: answers.verdict, Cancel.DURING)
    look = Operation(risk, (only,), lambda _subject, _facts, _parameters: proposal)
    kind = replace(toy.KIND, operations={"Look": look}, decide=often)
    made = World(kind, plans=Desk(), **more)
    made.user_applies(toy.TOY, toy.manifest())
    return made


def often(one: toy.Toy, facts: toy.Facts, now: datetime) -> Decision:
    """A kind that looks again by itself, as those do that money moves through."""
    return replace(toy.decide(one, facts, now), look_again=30.0)


def asks(made: World, name: str = "a", **spec: Any) -> None:  # noqa: ANN401 - of a ChangePlan
    wanted = plan(name, **spec).manifest["spec"]
    made.user_applies(CHANGE_PLAN, {**API, "kind": "ChangePlan", "metadata": {"name": name}, "spec": wanted})


def status(made: World, name: str = "a") -> Manifest:
    return dict((made.live(CHANGE_PLAN, name) or {}).get("status", {}))


def approves(made: World) -> None:
    """Bob, of what is shown of plan a."""
    given = {"plan": "a", "hash": status(made)["hash"], "approver": "bob"}
    made.user_applies(PLAN_APPROVAL, {**API, "kind": "PlanApproval", "metadata": {"name": "b"}, "spec": given})


async def docket(made: World, name: str = "one") -> Docket:
    """As an operator reads it now; of another one as if a plan had run on it."""
    first = made.operators[0]
    listed = await Desk().listed("bank", first.cluster)
    return await Desk().look(
        About(first.kinds[0], name, "bank", name != "one"), listed, first.cluster, lambda _refs: None
    )


def wish(stem: str) -> Request:
    return Request(stem, "Toy", "one", "bank", "Look", "us", NOW + timedelta(days=1), "wished", "Asked")


async def test_a_plan_goes_through_the_engine() -> None:
    made = await world(Answers()).settle()
    asks(made)
    await made.settle()
    assert (status(made)["state"], status(made)["steps"][0]["evidence"]) == ("Succeeded", "it is so")
    book = journal.read(made.live(CONFIG_MAP, journal.NAME))
    assert ([entry.plan for entry in book.entries], book.active) == (["a"], {})
    assert [one[1] for one in made.server.announced if one[1] in ("Running", "Succeeded")] == ["Running", "Succeeded"]


async def test_what_the_last_step_found_out_is_written_before_the_end_is() -> None:
    answers = Answers()
    answers.verdict = Wait("the sea is rough", 7.0)
    made = await world(answers).settle()
    asks(made)
    await made.settle()
    answers.verdict = Done("it is so")
    written: list[tuple[str, str]] = []
    apply, apply_status = SimulatedCluster.apply, SimulatedCluster.apply_status

    async def note(cluster: Any, manifest: Manifest, namespace: str) -> Manifest:  # noqa: ANN401 - a cluster
        written.append((manifest["kind"], ""))
        return await apply(cluster, manifest, namespace)

    async def note_status(cluster: Any, of: Any, manifest: Manifest) -> Manifest:  # noqa: ANN401 - as it is given
        written.append((of.kind, manifest["status"].get("state", "")))
        return await apply_status(cluster, of, manifest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimulatedCluster, "apply", note)
        patch.setattr(SimulatedCluster, "apply_status", note_status)
        made.user_applies(toy.TOY, toy.manifest(word="wakes"))
        await made.settle()
    assert [one for one in written if one[0] in ("ChangePlan", "ConfigMap")] == [
        ("ChangePlan", "Running"),
        ("ConfigMap", ""),
        ("ChangePlan", "Succeeded"),
    ]
    assert status(made)["steps"][0]["evidence"] == "it is so"


async def test_an_approval_wakes_the_target_of_its_plan() -> None:
    made = await world(Answers(), Risk.AMBER).settle()
    asks(made)
    await made.settle()
    assert status(made)["state"] == "AwaitingApproval"
    approves(made)
    await made.settle()
    assert status(made)["state"] == "Succeeded"


async def test_what_the_first_step_asks_is_known_in_the_pass_that_begins() -> None:
    made = await world(Answers(), Risk.AMBER).settle()
    asks(made)
    await made.settle()
    assert (await docket(made)).at_hand is None, "nobody approved of it"
    approves(made)
    found = await docket(made)
    assert found.at_hand is not None
    assert (found.running, found.at_hand.name, found.at_hand.step) == (None, "a", "Only")
    await made.settle()
    assert (await docket(made)).at_hand is None, "it has ended"


async def test_what_runs_asks_for_no_approvals_and_what_waits_does() -> None:
    answers = Answers()
    answers.verdict = Wait("not yet")
    made = await world(answers, Risk.AMBER).settle()
    asks(made)
    await made.settle()
    approves(made)
    assert len((await docket(made)).approvals) == 1
    await made.settle()
    assert status(made)["state"] == "Running"
    assert ((await docket(made)).approvals, (await docket(made)).annotations) == ((), {})
    asks(made, "second")
    await made.settle()
    assert len((await docket(made)).approvals) == 1, "read for the one that waits"


async def test_plans_that_succeeded_are_not_even_listed_and_others_are() -> None:
    answers = Answers()
    made = await world(answers).settle()
    asks(made)
    await made.settle()
    answers.verdict = Abort("no way")
    asks(made, "second")
    await made.settle()
    assert (status(made)["state"], status(made, "second")["state"]) == ("Succeeded", "Failed")
    assert [one.name for one in (await docket(made)).found if isinstance(one, Plan)] == ["second"]


async def test_beside_older_definitions_everything_is_listed_and_goes_on() -> None:
    made = await world(Answers()).settle()
    made.server.selectable.clear()
    asks(made)
    await made.settle()
    assert status(made)["state"] == "Succeeded"
    assert [one.name for one in (await docket(made)).found if isinstance(one, Plan)] == ["a"]


async def test_beside_one_of_its_stem_that_was_made_and_begun_meanwhile_none_is_made() -> None:
    answers = Answers()
    answers.verdict = Wait("not yet")
    made = await world(answers).settle()
    asks(made, "one-look-1")
    await made.settle()
    assert status(made, "one-look-1")["state"] == "Running"
    wanted, cluster = wish("one-look"), made.operators[0].cluster
    assert await ask(cluster, wanted, ()) is None
    assert await ask(cluster, wanted, ("one-look-1",)) == "one-look-2", "whoever listed it knows what it does"


async def test_one_that_was_deleted_as_it_began_keeps_nobody_from_asking_nor_from_beginning() -> None:
    answers = Answers()
    answers.verdict = Wait("not yet")
    made = await world(answers).settle()
    asks(made, "one-look-1")
    await made.settle()
    made.server.delete(made.key(CHANGE_PLAN, "one-look-1"))
    cluster = made.operators[0].cluster
    assert "Toy one" in journal.read(made.live(CONFIG_MAP, journal.NAME)).active
    assert (await docket(made, "two")).elsewhere == frozenset()
    assert await ask(cluster, wish("one-look"), ()) == "one-look-2"


async def test_who_begins_knows_of_the_plans_that_run_elsewhere() -> None:
    answers = Answers()
    answers.verdict = Wait("not yet")
    made = await world(answers).settle()
    asks(made)
    await made.settle()
    assert (await docket(made, "two")).elsewhere == frozenset({"Toy one"})
    assert (await docket(made)).elsewhere == frozenset()


async def test_a_name_that_even_the_journal_forgot_is_passed_over_and_never_one_that_is_open() -> None:
    made = await world(Answers()).settle()
    for number in (1, 2):
        asks(made, f"one-look-{number}")
    await made.settle()
    journal_at = made.key(CONFIG_MAP, journal.NAME)
    made.server.delete(journal_at)
    wanted, cluster = wish("one-look"), made.operators[0].cluster
    assert await ask(cluster, wanted, ()) == "one-look-3"
    assert await ask(cluster, wanted, ()) is None, "others made it meanwhile: it is seen in the next pass"


async def test_a_plan_that_never_begins_asks_nothing_for_its_steps() -> None:
    made = await world(Answers(), Risk.AMBER).settle()
    asks(made, dryRun=True)
    await made.settle()
    approves(made)
    assert (await docket(made)).at_hand is None


@pytest.mark.parametrize(("state", "waits"), [("AwaitingApproval", True), ("Pending", False), ("Running", False)])
def test_one_that_waits_for_its_window_does_not_wait_for_people(state: str, waits: bool) -> None:  # noqa: FBT001
    assert plan("a", status={"state": state}).waits_for_people == waits


async def test_a_plan_for_nothing_is_told_so() -> None:
    made = await world(Answers()).settle()
    made.server.delete(made.key(toy.TOY, "one"))
    await made.settle()
    asks(made)
    await made.settle()
    assert "there is no Toy one in this namespace" in status(made)["message"]
    made.user_applies(toy.TOY, toy.manifest())
    await made.settle()
    assert status(made)["state"] == "Succeeded"


async def test_nothing_is_done_for_a_plan_that_was_changed_since_it_was_read() -> None:
    """Cancelled between the look and the act: what would be done meets a conflict first."""
    answers = Answers()
    made = await world(answers).settle()
    answers.verdict = Wait("on its way", 5.0)
    asks(made)
    await made.settle()
    acted = len([call for call in made.calls.made if call.startswith("create Secret")])
    # The same words: nothing in its status would change.
    answers.verdict = Do((Ask("MakeKey", "Plan"),), "on its way")

    def cancelled(_number: int, words: str) -> Fault | None:
        # Behind the pass that has read the plan, and before it writes how it stands.
        if words.startswith("list Pod") and not (made.live(CHANGE_PLAN, "a") or {})["spec"].get("cancelled"):
            made.server.edit(made.key(CHANGE_PLAN, "a"), lambda one: one["spec"].update(cancelled=True), "kubectl")
        return None

    made.calls.schedule = cancelled
    made.operators[0].resync()
    await made.settle()
    assert len([call for call in made.calls.made if call.startswith("create Secret")]) == acted
    assert status(made)["state"] == "Cancelled"


async def test_two_who_begin_the_journal_are_told_apart() -> None:
    made = await world(Answers()).settle()
    asks(made)
    found = await docket(made)
    course = found.steer(None, None, made.now)
    begun = replace(course, journal=course.journal.begin("Toy one", "a", journal.Begun("u", "2026-03-02T00:00:00Z")))
    await found.write(begun, made.now, acting=False)
    with pytest.raises(Interrupted, match="another operator began the journal"):
        await found.write(begun, made.now, acting=False)


# The proof


async def test_both_names_have_to_be_refused_with_the_policy_s_own_words() -> None:
    made = World()
    cluster = _cluster(made)
    assert await prove("bank", cluster) is True
    made.server.guards_names = False
    assert await prove("bank", cluster) is False


async def test_silence_and_other_refusals_are_unknown() -> None:
    made = World(schedule=lambda _, words: Fault(0) if words.startswith("dry run") else None)
    assert isinstance(await prove("bank", _cluster(made)), Unknown)
    assert [sentence for _, sentence in admission.probes()] == [admission.OWN_PLAN, admission.OWN_APPROVAL]

    class Strange:
        async def admission(self, _manifest: Manifest, _namespace: str) -> str:
            return "ValidatingAdmissionPolicy 'theirs' denied request: not on a Sunday"

    found = await prove("bank", Strange())  # type: ignore[arg-type]
    assert isinstance(found, Unknown)
    assert "not on a Sunday" in found.reason


def _cluster(made: World) -> Any:  # noqa: ANN401 - a cluster
    return SimulatedCluster(made.server, Line(made.calls))


def test_the_manifests_that_are_tried_are_in_nobody_s_name_and_never_valid_for_long() -> None:
    (asked, _), (approved, _) = admission.probes()
    assert asked["spec"]["requestedBy"] == approved["spec"]["approver"] == admission.NOBODY
    assert asked["spec"]["dryRun"] is True
    assert Ref(CHANGE_PLAN, admission.NAME).name == asked["metadata"]["name"]


def test_news_are_changes_of_state_and_new_plans() -> None:
    before = ChangePlanStatus(state="AwaitingApproval")
    after = ChangePlanStatus(state="Failed", message="no way", replanned="another")
    assert news(before, after) == (("Warning", "PlannedAnew", "another"), ("Warning", "Failed", "no way"))
    assert news(after, after) == ()
    assert news(before, ChangePlanStatus(state="Running", step="Stop")) == (
        ("Normal", "Running", "begun with step Stop"),
    )
