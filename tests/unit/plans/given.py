"""A target with two operations of one or two steps, plans for it, and everything that is looked at beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.toy import ToySpec, ToyStatus

from bankstack.engine.declared import Declared
from bankstack.engine.objects import Manifest
from bankstack.engine.operation import Cancel, Done, Impact, Operation, Proposal, Risk, Step, Verdict, Wait
from bankstack.plans.approvals import Approval
from bankstack.plans.course import Steered, steer
from bankstack.plans.journal import Journal
from bankstack.plans.model import ChangePlanStatus, PlanApprovalSpec
from bankstack.plans.plan import Plan, Unreadable, read
from bankstack.plans.setting import Proof, Setting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TARGET = "Toy one"


PROPOSAL = Proposal(steps=("First", "Second"), impact={"sats": Impact(5, 10)}, uses={"word": "hello"})
EMPTY = Journal()


@dataclass(frozen=True)
class Facts:
    """What each step answers, and what a proposal says."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    proposal: Proposal = PROPOSAL


def judged(name: str) -> Any:  # noqa: ANN401 - a judge
    return lambda _subject, facts, _now: facts.verdicts.get(name, Done(f"{name} is so"))


def operation(risk: Risk) -> Operation:
    steps = (Step("First", judged("First"), Cancel.DURING), Step("Second", judged("Second")))
    return Operation(risk, steps, lambda _subject, facts, _parameters: facts.proposal)


OPERATIONS = {"Look": operation(Risk.GREEN), "Change": operation(Risk.AMBER)}


def subject(**more: Any) -> Declared[ToySpec, ToyStatus]:  # noqa: ANN401 - of Declared
    meta: Manifest = {"metadata": {"name": "one", "namespace": "bank", "uid": "t1", "generation": 1}}
    made = Declared("Toy", "one", "bank", "t1", 1, ToySpec(), ToyStatus(), meta)
    return replace(made, **more)


def plan(name: str = "a", *, status: Manifest | None = None, leaving: bool = False, **spec: Any) -> Plan:  # noqa: ANN401
    asked = {
        "target": {"kind": "Toy", "name": "one"},
        "operation": "Look",
        "requestedBy": "alice",
        "notAfter": "2026-03-02T00:00:00Z",
        "reason": "a test",
    }
    meta: Manifest = {"name": name, "namespace": "bank", "uid": f"uid-{name}", "generation": 1, "resourceVersion": "1"}
    meta["creationTimestamp"] = "2026-03-01T11:00:00Z"
    meta |= {"deletionTimestamp": "2026-03-01T11:30:00Z"} if leaving else {}
    found = read({"metadata": meta, "spec": asked | spec, "status": status or {}})
    assert isinstance(found, Plan), found
    return found


def told(one: Plan, status: ChangePlanStatus) -> Plan:
    """The plan as it is read after this status was written."""
    found = read({**one.manifest, "status": status.model_dump(mode="json", by_alias=True, exclude_none=True)})
    assert isinstance(found, Plan), found
    return found


def approval(of: Plan, by: str = "bob") -> Approval:
    given = {"plan": of.name, "hash": of.status.hash, "approver": by}
    return Approval(f"{of.name}-{by}", PlanApprovalSpec.model_validate(given))


@dataclass
class Room:
    """Passes over plans: what one wrote is what the next one reads."""

    plans: list[Plan | Unreadable]
    facts: Facts = Facts()
    journal: Journal = EMPTY
    target: Declared[ToySpec, ToyStatus] | None = field(default_factory=subject)
    approvals: tuple[Approval, ...] = ()
    proof: Proof = True
    now: datetime = NOW
    annotations: Mapping[str, str] = field(default_factory=dict)

    def passes(self, number: int = 1, *, carried_out: bool = False) -> Steered:
        for _ in range(number):
            setting = Setting(
                OPERATIONS,
                self.target,
                self.facts,
                self.journal,
                self.approvals,
                self.annotations,
                self.proof,
                self.now,
                carried_out=carried_out,
            )
            steered = steer(TARGET, self.plans, setting)
            self.journal = replace(steered.journal, records=tuple(one.record for one in steered.journal.entries))
            written = {one.uid: status for one, status in steered.statuses}
            self.plans = [
                told(one, written[one.uid]) if isinstance(one, Plan) and one.uid in written else one
                for one in self.plans
            ]
        return steered

    def later(self, **time: float) -> "Room":
        self.now += timedelta(**time)
        return self

    def plan(self, name: str = "a") -> Plan:
        return next(one for one in self.plans if isinstance(one, Plan) and one.name == name)

    def state(self, name: str = "a") -> str:
        return str(self.plan(name).status.state)

    def says(self, name: str = "a") -> str:
        return self.plan(name).status.message or ""


WAITING = Facts({"First": Wait("the sea is rough", 7.0)})
