"""A plan whose last action sees itself to what it is for ends in the pass that acted, and in no other way."""

from dataclasses import replace
from datetime import datetime

from tests.simulation import toy
from tests.simulation.faults import Fault
from tests.simulation.world import World

from bankstack.engine.decision import Ask, Decision
from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.objects import CHANGE_PLAN, CONFIG_MAP
from bankstack.engine.operation import RUNNING, Do, Done, Wait
from bankstack.engine.ports import Act, Cluster
from bankstack.plans import journal

from .test_desk import Answers, asks, often, status, world

SEES: Ask = Ask("See", "Plan")


async def seen_to(answers: Answers, see: Act) -> World:
    """Plan a, at its only step, whose action sees itself to what it is for: it will be carried out in the next pass.

    The target's status has a word on it then.
    """
    answers.verdict = Wait("the sea is rough", 3600.0)

    def telling(one: toy.Toy, facts: toy.Facts, now: datetime) -> Decision:
        usual, word = often(one, facts, now), "acting" if isinstance(answers.verdict, Do) else "hello"
        return replace(usual, status=usual.status.model_copy(update={"pinned": word}))

    made = world(answers)
    first = made.operators[0]
    first.kinds = tuple(replace(one, act={**one.act, "See": see}, decide=telling) for one in first.kinds)
    asks(await made.settle())
    await made.settle()
    answers.verdict = Do((SEES,), "it is seen to", then=Done("seen to"))
    first.wake(made.key(toy.TOY, "one"))
    return made


async def test_a_plan_whose_last_action_saw_to_it_ends_in_the_pass_that_acted() -> None:
    told: list[tuple[str, str | None, str]] = []

    async def see(one: toy.Toy, _ask: Ask, _cluster: Cluster) -> None:
        live = made.live(toy.TOY, "one") or {}
        told.append((status(made)["state"], one.status.pinned, live["status"]["pinned"]))

    made = await seen_to(Answers(), see)
    await made.operators[0].step(made.key(toy.TOY, "one"))
    assert told == [("Running", "acting", "acting")], "the target has said so before"
    assert (status(made)["state"], status(made)["steps"][0]["evidence"]) == ("Succeeded", "seen to")
    conditions = (made.live(toy.TOY, "one") or {})["status"]["conditions"]
    assert RUNNING not in [one["type"] for one in conditions]
    book = journal.read(made.live(CONFIG_MAP, journal.NAME))
    assert ([(entry.plan, entry.state) for entry in book.entries], book.active) == ([("a", "Succeeded")], {})
    assert journal.check(book, [made.live(CHANGE_PLAN, "a") or {}]) == ()


async def test_an_action_that_failed_has_seen_to_nothing() -> None:
    async def see(*_: object) -> None:
        raise Interrupted(Finding("Blind", "nothing to be seen", Transient()))

    made = await seen_to(Answers(), see)
    await made.operators[0].step(made.key(toy.TOY, "one"))
    assert (status(made)["state"], status(made)["message"]) == ("Running", "it is seen to")
    assert journal.read(made.live(CONFIG_MAP, journal.NAME)).entries == ()


async def test_without_the_target_s_own_word_nothing_is_done_and_what_was_seen_of_it_stands() -> None:
    acted: list[str] = []

    async def see(*_: object) -> None:
        acted.append("see")

    made = await seen_to(Answers(), see)
    failing = iter([Fault(500)])
    made.calls.schedule = lambda _number, call: next(failing, None) if call.startswith("status Toy one") else None
    await made.operators[0].step(made.key(toy.TOY, "one"))
    assert (acted, status(made)["state"]) == ([], "Running")
    conditions = {one["type"]: one["status"] for one in (made.live(toy.TOY, "one") or {})["status"]["conditions"]}
    assert (conditions["Kept"], conditions[RUNNING]) == ("True", "True")
    await made.settle()
    assert (acted, status(made)["state"]) == (["see"], "Succeeded")


async def test_where_others_were_faster_the_next_look_sees_the_end() -> None:
    async def see(*_: object) -> None:
        made.server.edit(made.key(CONFIG_MAP, journal.NAME), lambda one: one["metadata"].update(labels={}), "kubectl")

    answers = Answers()
    made = await seen_to(answers, see)
    await made.operators[0].step(made.key(toy.TOY, "one"))
    assert status(made)["state"] == "Running"
    conditions = {one["type"]: one["status"] for one in (made.live(toy.TOY, "one") or {})["status"]["conditions"]}
    assert (conditions["Ready"], conditions[RUNNING]) == ("True", "True"), "what was seen of the target is true"
    answers.verdict = Done("seen to")
    await made.settle()
    assert status(made)["state"] == "Succeeded"
