"""Wishes and plans in any order: one wish never has two plans that count, and none that nobody needs stays open."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest
from bankstack.engine.operation import Operation, Proposal, Risk, Wish
from bankstack.plans import request, wished
from bankstack.plans.plan import Plan, read
from tests.unit.plans.given import NOW, subject, told
from tests.unit.plans.given import plan as one_plan

US = "system:serviceaccount:bankstack-system:bankstack-operator"
CAUSES = ("Certificate", "Change")
SILENT = Unknown("nobody says")
wishes: st.SearchStrategy[Wish | Unknown | None] = st.sampled_from(
    [None, SILENT, Wish("a", "a is needed"), Wish("b", "b is needed")]
)
facts = st.fixed_dictionaries(dict.fromkeys(CAUSES, wishes))
#: What happens to the newest plan, or beside it.
HAPPENS = ("look", "look twice", "cancel", "expire", "refuse", "succeed", "delete", "a person asks", "pause", "go on")
ENDS = {"expire": "Expired", "refuse": "Refused", "succeed": "Succeeded"}
steps = st.lists(st.tuples(st.sampled_from(HAPPENS), facts), max_size=25)
OPERATIONS = {
    "Restart": Operation(Risk.AMBER, (), lambda _subject, _facts, _parameters: Proposal(), lambda _subject, now: now)
}


@dataclass
class Target:
    """Plans as the API server has them, and the pass of an operator over them."""

    plans: list[Plan] = field(default_factory=list)
    paused: bool = False
    made: int = 0

    def look(self, facts: object, listed: list[Plan]) -> None:
        """One operator's pass, from plans as it has listed them: it withdraws, and makes where the name is free."""
        own = wished.look(US, OPERATIONS, subject(paused=self.paused), facts)
        for plan in listed:
            if not plan.finished and own.withdraws(plan):
                self.ends(plan, "Cancelled")
        for one in own.asks(listed):
            wanted = wished.request(one, US, "Toy", "one", "bank", NOW)
            called = request.name(wanted.stem, [plan.name for plan in listed])
            if called not in {plan.name for plan in self.plans}:
                self.makes(wanted.manifest(called))

    def makes(self, manifest: Manifest) -> None:
        self.made += 1
        meta = manifest["metadata"] | {
            "uid": f"u{self.made}",
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": f"{NOW + timedelta(seconds=self.made):%Y-%m-%dT%H:%M:%SZ}",
        }
        found = read(manifest | {"metadata": meta})
        assert isinstance(found, Plan), found
        self.plans.append(found)

    def ends(self, plan: Plan, state: str, *, by_a_person: bool = False) -> None:
        ended = told(plan, plan.status.model_copy(update={"state": state}))
        if by_a_person:
            ended = replace(ended, spec=ended.spec.model_copy(update={"cancelled": True}))
        self.plans = [ended if one.uid == plan.uid else one for one in self.plans]

    def happens(self, what: str, facts: object) -> None:
        newest = self.plans[-1] if self.plans else None
        listed = [*self.plans]
        match what:
            case "look" | "look twice":
                # Two operators that listed the same: the second knows nothing of what the first has made.
                for _ in range(2 if what == "look twice" else 1):
                    self.look(facts, listed)
            case "pause" | "go on":
                self.paused = what == "pause"
            case "a person asks":
                self.makes(one_plan(f"person-{self.made}", operation="Restart").manifest)
            case "delete":
                self.plans = self.plans[:-1]
            case "cancel" if newest and not newest.finished:
                self.ends(newest, "Cancelled", by_a_person=True)
            case _ if newest and not newest.finished and what in ENDS:
                self.ends(newest, ENDS[what])


def ours(target: Target) -> list[Plan]:
    return [one for one in target.plans if one.spec.requested_by == US]


def mark(plan: Plan) -> str:
    return str(plan.manifest["metadata"]["annotations"][wished.WISH])


@given(steps)
def test_one_wish_never_has_two_plans_that_count(story: list[tuple[str, object]]) -> None:
    target = Target()
    for what, now in story:
        target.happens(what, now)
        assert len([one for one in ours(target) if not one.finished]) <= 1
        let_end = [
            mark(one)
            for one in ours(target)
            if not one.finished
            or one.status.state in ("Expired", "Refused")
            or (one.status.state == "Cancelled" and one.spec.cancelled)
        ]
        assert len(let_end) == len(set(let_end))


@given(steps, facts)
def test_however_it_came_to_this_a_second_look_asks_for_nothing_more(
    story: list[tuple[str, object]], now: object
) -> None:
    target = Target()
    for what, then in story:
        target.happens(what, then)
    target.look(now, [*target.plans])
    before = [*target.plans]
    target.look(now, [*target.plans])
    assert target.plans == before


@given(steps, facts)
def test_what_is_wished_is_asked_for_or_told_and_what_is_not_is_open_to_nobody(
    story: list[tuple[str, object]], now: dict[str, Wish | Unknown | None]
) -> None:
    target = Target()
    for what, then in story:
        target.happens(what, then)
    target.look(now, [*target.plans])
    own = wished.look(US, OPERATIONS, subject(paused=target.paused), now)
    wanted = {cause for cause, wish in now.items() if isinstance(wish, Wish)}
    assert own.told(target.plans).keys() == wanted
    assert own.asks(target.plans) == ()
    for one in ours(target):
        cause, _, content = mark(one).partition(" ")
        wish = now[cause]
        if not one.finished:
            assert isinstance(wish, Unknown) or (wish is not None and wish.content == content)


@given(steps, facts)
def test_without_a_name_of_its_own_the_operator_asks_for_nothing(story: list[tuple[str, object]], now: object) -> None:
    target = Target()
    for what, then in story:
        target.happens(what, then)
    assert wished.look("", OPERATIONS, subject(), now).asks(target.plans) == ()
    assert wished.look(US, OPERATIONS, subject(deleting=True), now).asks(target.plans) == ()
