"""One ChangePlan as people read it: before they approve it, and while it runs (pure).

Everything an approver agrees to is shown, and nothing is reckoned anew here: what counts,
and what is missing, are the operator's own sentences.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bankstack.engine.objects import Manifest
from bankstack.plans.model import FINISHED
from bankstack.plugin.page import Cell, Page, Tone, pairs

#: An ending that somebody has to look at.
BAD_ENDS: Final = frozenset({"Failed", "Refused", "Expired"})
NOT_YET: Final = "the operator has said nothing of it yet: ask again in a moment. If this stays, see that it runs"
#: Of a hash, what people compare.
SHORT: Final = len("sha256:") + 8


@dataclass(frozen=True)
class Step:
    """One step, and what shows that it is done."""

    name: str
    state: str
    began: str
    ended: str
    evidence: str


@dataclass(frozen=True)
class Impact:
    """What it costs, and the most that approvers agree to."""

    name: str
    value: int
    most: int


@dataclass(frozen=True)
class Given:
    """One approval of it; `is_of_this` False: of the plan as it was before."""

    name: str
    approver: str
    hash: str
    not_after: str
    is_of_this: bool


@dataclass(frozen=True)
class Plan:
    """All of it."""

    name: str
    namespace: str
    target_kind: str
    target: str
    operation: str
    requested_by: str
    reason: str
    not_after: str
    dry_run: bool
    ignore_windows: bool
    cancelled: bool
    parameters: Mapping[str, str]
    state: str
    message: str
    risk: str
    hash: str
    replanned: str
    step: str
    missing: tuple[str, ...]
    approved_by: tuple[str, ...]
    impact: tuple[Impact, ...]
    uses: Mapping[str, str]
    steps: tuple[Step, ...]
    approvals: tuple[Given, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more happens with it."""
        return self.state in FINISHED

    @property
    def waits_for(self) -> str:
        """In the length of a table's row."""
        if self.state == "Running":
            return f"{self.step}: {self.message}"
        return (self.missing or (self.message,))[0]


def read(manifest: Manifest, approvals: Iterable[Manifest] = ()) -> Plan:
    """The plan, and the approvals that name it."""
    spec, status, meta = manifest["spec"], manifest.get("status") or {}, manifest["metadata"]
    own = str(status.get("hash", ""))
    return Plan(
        name=meta["name"],
        namespace=meta["namespace"],
        target_kind=spec["target"]["kind"],
        target=spec["target"]["name"],
        operation=spec["operation"],
        requested_by=spec["requestedBy"],
        reason=spec["reason"],
        not_after=spec["notAfter"],
        dry_run=bool(spec.get("dryRun")),
        ignore_windows=bool(spec.get("ignoreWindows")),
        cancelled=bool(spec.get("cancelled")),
        parameters=spec.get("parameters") or {},
        state=status.get("state", "Pending"),
        message=_said(status.get("message", NOT_YET)),
        risk=status.get("risk", ""),
        hash=own,
        replanned=status.get("replanned", ""),
        step=status.get("step", ""),
        missing=tuple(map(_said, status.get("missing") or ())),
        approved_by=tuple(status.get("approvedBy") or ()),
        impact=tuple(Impact(one["name"], one["value"], one["most"]) for one in status.get("impact") or ()),
        uses=status.get("uses") or {},
        steps=tuple(map(_step, status.get("steps") or ())),
        approvals=tuple(_given(one, own) for one in approvals if one["spec"]["plan"] == meta["name"]),
    )


def _said(sentence: str) -> str:
    """Without how to write the approval by hand: here there is a command for it."""
    return sentence.partition(": a PlanApproval with plan ")[0]


def _step(one: Mapping[str, Any]) -> Step:
    return Step(*(str(one.get(key, "")) for key in ("name", "state", "startedAt", "finishedAt", "evidence")))


def _given(one: Manifest, own: str) -> Given:
    spec = one["spec"]
    same = spec["hash"] == own
    return Given(one["metadata"]["name"], spec["approver"], spec["hash"], spec.get("notAfter", ""), same)


def by_age(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Oldest first, as they get their turn."""
    return sorted(manifests, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))


# How it is shown


def shown(plan: Plan, page: Page) -> list[str]:
    """All that an approver has to know."""
    return [*head(plan, page), *costs(plan, page), *relies(plan, page), *steps(plan, page), *agreed(plan, page)]


def explained(plan: Plan, page: Page) -> list[str]:
    """Why it is not done, and what to do."""
    return [*head(plan, page), *steps(plan, page), *agreed(plan, page), *what_to_do(plan, page)]


def head(plan: Plan, page: Page) -> list[str]:
    """Which plan, how far, and who wants it."""
    risk = f"{plan.risk}{_RISKS.get(plan.risk, '')}"
    facts = (
        ("Operation", f"{plan.operation} of {plan.target_kind} {plan.target}"),
        ("Parameters", ", ".join(f"{key}={value}" for key, value in sorted(plan.parameters.items()))),
        ("Asked for by", f"{plan.requested_by}: {plan.reason}"),
        ("Begins until", f"{plan.not_after}{', also outside of its windows' if plan.ignore_windows else ''}"),
        ("Dry run", "it shows itself and never runs" if plan.dry_run else ""),
        ("Risk", risk),
        ("Hash", plan.hash),
        ("Changed", plan.replanned),
    )
    title = page.line(f"ChangePlan {plan.name} in {plan.namespace}: {plan.state}", tone(plan.state))
    waits = [line for one in plan.missing or (plan.message,) for line in page.paragraph(one, "  ")]
    return [title, *waits, "", *pairs(page, facts)]


_RISKS: Final = {
    "Green": ": runs at once",
    "Amber": ": by an approval of another person",
    "Red": ": by approvals of different people, none of them the requester",
}


def costs(plan: Plan, page: Page) -> list[str]:
    """The impact."""
    rows = [(Cell(one.name), Cell(f"{one.value:,}"), Cell(f"{one.most:,}")) for one in plan.impact]
    return ["", *page.table(("IMPACT", "NOW", "AGREED TO, AT MOST"), rows)] if rows else []


def relies(plan: Plan, page: Page) -> list[str]:
    """Fields of the target that make it this plan."""
    rows = [(Cell(name), Cell(value)) for name, value in sorted(plan.uses.items())]
    return ["", *page.table(("RELIES ON", "AS IT IS"), rows)] if rows else []


def steps(plan: Plan, page: Page) -> list[str]:
    """Each step with its evidence so far."""
    rows = [
        (Cell(one.name), Cell(one.state, tone(one.state)), Cell(_time(one.began)), Cell(_time(one.ended)),
         Cell(one.evidence))
        for one in plan.steps
    ]  # fmt: skip
    return ["", *page.table(("STEP", "STATE", "BEGAN", "ENDED", "EVIDENCE"), rows)] if rows else []


def agreed(plan: Plan, page: Page) -> list[str]:
    """Who has agreed, and whose word is of another plan."""
    rows = [(Cell(one.approver), Cell(_what(one)), Cell(one.name)) for one in plan.approvals]
    given = page.table(("APPROVAL BY", "OF", "NAME"), rows) if rows else []
    counted = page.paragraph(f"Counted: {', '.join(plan.approved_by)}.") if plan.approved_by else []
    return ["", *given, *counted] if given or counted else []


def _what(given: Given) -> str:
    until = f", until {given.not_after}" if given.not_after else ""
    return ("this plan" if given.is_of_this else f"another one, {given.hash[:SHORT]}") + until


def what_to_do(plan: Plan, page: Page) -> list[str]:
    """The very commands."""
    if plan.finished:
        return ["", *page.paragraph("Nothing more happens with it. To do it after all, make another plan.")]
    approve = f"kubectl bank plan approve {plan.name} -n {plan.namespace} --hash {plan.hash}"
    cancel = f"kubectl bank plan cancel {plan.name} -n {plan.namespace}"
    able = plan.state == "AwaitingApproval" and not plan.dry_run
    who = f"To approve, by anybody but {plan.requested_by} who has the ClusterRole bankstack-approve here:"
    others = [*page.paragraph(who), page.command(approve)] if able else []
    return ["", *others, page.line("To cancel:"), page.command(cancel)]


def tone(state: str) -> Tone:
    """What a state means to a person."""
    if state in BAD_ENDS:
        return Tone.BAD
    return Tone.GOOD if state in ("Succeeded", "Done") else Tone.PLAIN if state in ("Pending", "") else Tone.WAITS


def _time(stamp: str) -> str:
    """Of the day: a plan's steps are minutes apart."""
    return stamp[11:19]
