"""What a pass sees beside its plans is never older than they are, and plans that cannot be read are told of."""

from dataclasses import replace
from typing import Any

from tests.simulation import toy
from tests.simulation.apiserver import Key
from tests.simulation.faults import Fault, always
from tests.simulation.world import NAMESPACE, World

from bankstack.engine.objects import CHANGE_PLAN, FINALIZER, Manifest
from bankstack.engine.objects import NAMESPACE as NAMESPACES
from bankstack.engine.operation import Wait
from bankstack.engine.ports import About, Docket, Sight
from bankstack.engine.reconcile import reconcile
from bankstack.plans.desk import Desk

from .test_desk import Answers, asks, status, world


def live(made: World) -> Manifest:
    return made.live(toy.TOY, "one") or {}


def ready(made: World) -> str:
    return next(str(one["status"]) for one in live(made)["status"]["conditions"] if one["type"] == "Ready")


async def test_a_target_whose_plans_cannot_be_listed_is_not_called_well() -> None:
    made = await world(Answers()).settle()
    assert ready(made) == "True"
    made.calls.schedule = always("list ChangePlan", Fault(403))
    cluster = made.operators[0].cluster
    outcome = await reconcile(made.operators[0].kinds[0], "one", NAMESPACE, cluster, lambda: made.now, plans=Desk())
    assert (ready(made), outcome.backoff) == ("False", True)


async def test_a_namespace_that_goes_with_its_definitions_is_not_held_up() -> None:
    made = await world(Answers()).settle()
    assert FINALIZER in live(made)["metadata"]["finalizers"]
    made.calls.schedule = always("list ChangePlan", Fault(404))
    made.server.delete(Key(NAMESPACES, "", NAMESPACE))
    await made.settle()
    assert made.live(toy.TOY, "one") is None


class Counted:
    """A kind that says how often a pass looked, and what was known of the plan each time."""

    def __init__(self, made: World) -> None:
        self.plans: list[str | None] = []
        self.made = made
        self.kind = replace(made.operators[0].kinds[0], observe=self.observe)

    async def observe(self, one: Any, sight: Sight) -> toy.Facts:  # noqa: ANN401 - of any kind
        plan = await sight.plan()
        self.plans.append(plan.name if plan else None)
        return await toy.observe(one, sight)

    async def passes(self, plans: Desk) -> list[str | None]:
        cluster = self.made.operators[0].cluster
        await reconcile(self.kind, "one", NAMESPACE, cluster, lambda: self.made.now, plans=plans)
        return self.plans


class Blind(Desk):
    """Whose list of plans is one from before there were any."""

    async def listed(self, _namespace: str, _cluster: object) -> tuple[Manifest, ...]:
        return ()


async def test_what_was_seen_beside_a_plan_that_was_not_listed_is_looked_at_again() -> None:
    """It was found by its name after other things were read, and may be steps further than they are."""
    answers = Answers()
    made = await world(answers).settle()
    answers.verdict = Wait("for the test")
    asks(made)
    await made.settle()
    assert status(made)["state"] == "Running"
    assert await Counted(made).passes(Desk()) == ["a"]
    assert await Counted(made).passes(Blind()) == ["a", "a"]


async def test_an_end_that_only_the_journal_knows_is_younger_than_the_list() -> None:
    made = await world(Answers()).settle()
    asks(made)
    await made.settle()
    ended = made.live(CHANGE_PLAN, "a") or {}
    running = ended | {"status": ended["status"] | {"state": "Running"}}
    about, cluster = About(made.operators[0].kinds[0], "one", NAMESPACE, ran=True), made.operators[0].cluster

    async def looked(listed: Manifest) -> Docket:
        return await Desk().look(about, (listed,), cluster, lambda _refs: None)

    assert not (await looked(ended)).outran
    assert (await looked(running)).outran
