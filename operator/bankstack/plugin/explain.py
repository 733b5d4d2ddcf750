"""Why a resource is not Ready: what is wrong, which proof is missing, and what to do (pure).

The operator's messages say it already. Here they are put in order, said once where
several conditions repeat them, and completed by who has to act and where to read on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bankstack.engine.objects import Manifest
from bankstack.plans.catalog import OPERATIONS
from bankstack.plugin import plan as plans
from bankstack.plugin import standing
from bankstack.plugin.known import Known, written
from bankstack.plugin.page import Page, Tone
from bankstack.plugin.plan import Plan
from bankstack.plugin.standing import PROOFS, READY, RECONCILING, STALLED, Said, Standing

YOU: Final = "This needs a person: nothing is tried again until something changes."
PAUSED: Final = "spec.paused is true: nothing is done until a person sets it to false."
#: Where to read on where the operator has said nothing, or what is said of every kind.
EVERY_KIND: Final = "docs/kubectl-bank.md"
SHARED: Final = frozenset(
    {
        standing.NOT_LOOKED_AT, "ApiUnavailable", "NotFound", "Conflict", "Forbidden", "Unauthorized", "Denied",
        "Refused", "NamespaceTerminating", "InvalidSpec", "StatusUnreadable", "MacaroonRefused",
    }
)  # fmt: skip
#: A change that waits, and would do so after a Restart too, or could not be started.
NO_PLAN_HELPS: Final = frozenset({"DowngradeRefused", "VolumeCordoned"})
ITSELF: Final = "The operator is at it, and looks again by itself."


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be; several conditions may say it."""

    conditions: tuple[str, ...]
    reason: str
    message: str
    since: str
    #: What nobody can show while it is so.
    missing_proofs: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """All that is to say of one resource."""

    kind: str
    name: str
    namespace: str
    ready: str
    reason: str
    message: str
    who: str
    operator: str
    problems: tuple[Problem, ...]
    reasons: tuple[str, ...]
    plans: tuple[Plan, ...]
    next: tuple[str, ...]
    page: str

    @property
    def is_ready(self) -> bool:
        """Whether the resource is."""
        return self.ready == "True"

    @property
    def is_well(self) -> bool:
        """Whether that is also news."""
        return self.is_ready and not self.operator


def read(known: Known, manifest: Manifest, changes: Iterable[Manifest], silent: str = "") -> Explanation:
    """From the resource, and all plans of its namespace; `silent` where no operator is at work."""
    found, meta = standing.read(manifest), manifest["metadata"]
    target = {"kind": known.type.kind, "name": meta["name"]}
    ours = [one for one in map(plans.read, plans.by_age(changes)) if _is_open(one, target)]
    return Explanation(
        kind=known.type.kind,
        name=meta["name"],
        namespace=meta["namespace"],
        ready=found.ready,
        reason=found.reason,
        message=found.message,
        who="" if silent else _who(found),
        operator=silent,
        problems=tuple(_problems(found)),
        reasons=tuple((manifest.get("status") or {}).get("modeReasons") or ()),
        plans=tuple(ours),
        next=tuple(_next(found, known, manifest, ours)),
        page=EVERY_KIND if found.reason in SHARED else known.page,
    )


def _is_open(plan: Plan, target: dict[str, str]) -> bool:
    return not plan.finished and {"kind": plan.target_kind, "name": plan.target} == target


def _who(found: Standing) -> str:
    if (paused := found.find("Paused")) and not paused.is_well:
        return PAUSED
    if (stalled := found.find(STALLED)) and not stalled.is_well:
        return YOU
    return "" if found.is_ready or found.reason == standing.NOT_LOOKED_AT else ITSELF


def _problems(found: Standing) -> list[Problem]:
    """Said once each, the most important first."""
    bad = sorted((one for one in found.conditions if not one.is_well), key=_importance)
    messages = dict.fromkeys(one.message for one in bad)
    told = [_problem_of([one for one in bad if one.message == message]) for message in messages]
    return told if found.reason != standing.NOT_LOOKED_AT else [_silence(found), *told]


def _problem_of(some: list[Said]) -> Problem:
    first = some[0]
    proofs = tuple(PROOFS[one.type] for one in some if one.type in PROOFS)
    return Problem(tuple(map(str, some)), first.reason, first.message, first.since, proofs)


def _silence(found: Standing) -> Problem:
    return Problem((f"{READY}=Unknown",), found.reason, found.message, "", ())


def _importance(one: Said) -> tuple[int, str]:
    """What keeps it from being Ready, what is known to be wrong, what nobody knows, what waits for a person."""
    order = (one.type == READY, one.type in (STALLED, RECONCILING), one.status == "False", one.status == "Unknown")
    return (order.index(True) if True in order else len(order)), one.type


def _next(found: Standing, known: Known, manifest: Manifest, ours: list[Plan]) -> list[str]:
    """Commands that go on from here."""
    meta = manifest["metadata"]
    where, target = f"-n {meta['namespace']}", written(known.type.kind, meta["name"])
    if ours:
        return [f"kubectl bank explain plan/{one.name} {where}" for one in ours]
    pending = found.find("ChangePending")
    helps = pending is not None and not pending.is_well and pending.reason not in NO_PLAN_HELPS
    operations = OPERATIONS.get(known.type.kind, ()) if helps else ()
    return [f"kubectl bank plan create {target} {one} {where} --reason '...'" for one in operations[:1]]


# How it is shown


def lines(told: Explanation, page: Page) -> list[str]:
    """The whole answer."""
    return [
        *_title(told, page),
        *(line for one in told.problems for line in _problem(one, page)),
        *_reasons(told, page),
        *_plans(told, page),
        *_ending(told, page),
    ]


def _title(told: Explanation, page: Page) -> list[str]:
    stands = "Ready" if told.is_ready else "not Ready" if told.ready == "False" else "not known to be Ready"
    tone = Tone.GOOD if told.is_ready else Tone.BAD
    title = page.line(f"{told.kind} {told.name} in {told.namespace} is {stands}: {told.reason}", tone)
    said = [told.operator, told.message if not told.problems else "", told.who]
    return [title, *(line for one in said if one for line in page.paragraph(one, "  "))]


def _problem(one: Problem, page: Page) -> list[str]:
    since = f" since {one.since}" if one.since else ""
    title = page.line(f"{', '.join(one.conditions)}  {one.reason}{since}", Tone.WAITS)
    proofs = [line for proof in one.missing_proofs for line in page.paragraph(f"Proof that is missing: {proof}.", "  ")]
    return ["", title, *page.paragraph(one.message, "  "), *proofs]


def _reasons(told: Explanation, page: Page) -> list[str]:
    if not told.reasons:
        return []
    each = [line for one in told.reasons for line in page.paragraph(f"- {one}", "  ")]
    return ["", page.line("What keeps it from more:", Tone.HEAD), *each]


def _plans(told: Explanation, page: Page) -> list[str]:
    each = [
        line
        for one in told.plans
        for line in page.paragraph(f"- {one.name}, {one.operation}: {one.state}: {one.waits_for}", "  ")
    ]
    return ["", page.line("Plans for it that have not ended:", Tone.HEAD), *each] if each else []


def _ending(told: Explanation, page: Page) -> list[str]:
    commands = [page.line("Next:"), *(page.command(one) for one in told.next)] if told.next else []
    read = page.paragraph(f"Read on: {told.page}, {told.reason}") if told.problems else []
    return ["", *commands, *read] if commands or read else []
