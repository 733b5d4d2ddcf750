"""What users write and read of ChangePlans and PlanApprovals (pure)."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints, field_validator

from bankstack.engine.conditions import moment
from bankstack.engine.model import Name, Part, Rule, Text, Timestamp, Word, immutable, keyed_by
from bankstack.engine.operation import Risk
from bankstack.engine.schema import AGE, Column, Shape
from bankstack.plans.catalog import OPERATIONS

State = Literal[
    "Pending", "AwaitingApproval", "Running", "Succeeded", "Failed", "Expired", "Refused", "Cancelled"
]  # fmt: skip
#: In these nothing more happens.
FINISHED: Final = frozenset({"Succeeded", "Failed", "Expired", "Refused", "Cancelled"})

User = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
UpperWord = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]*$", max_length=40)]
#: One sentence; what is longer was never meant to be read.
Sentence = Annotated[str, StringConstraints(max_length=1024)]
SENTENCE_MOST: Final = 1024
#: Sentences of one list.
MISSING_MOST: Final = 16

WHY: Final = "a plan is approved as it is. Cancel it (spec.cancelled: true) and make another"


def unchanged(field: str) -> Rule:
    """An optional field that neither comes, changes nor goes."""
    return Rule(
        rule=f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})",
        message=f"{field} is immutable: {WHY}",
    )


def _operations() -> tuple[Rule, ...]:
    kinds = ", ".join(OPERATIONS)
    known = Rule(
        rule=f"self.target.kind in {list(OPERATIONS)}",
        message=f"target.kind has to be {kinds}: no other kind takes plans in this version. Correct it",
    )
    return known, *(
        Rule(
            rule=f"self.target.kind != '{kind}' || self.operation in {list(names)}",
            message=f"operation of {kind} has to be one of {', '.join(names)}. Correct it, or target.kind",
        )
        for kind, names in OPERATIONS.items()
    )


def _real(text: str | None) -> str | None:
    if text is not None:
        moment(text)
    return text


class Target(Part):
    """What the operation is done to, in the plan's own namespace."""

    kind: UpperWord = Field(description="Its kind, like LndNode.")
    name: Name = Field(description="Its name.")


class ChangePlanSpec(Part):
    """One operation on one target. Immutable but for cancelled."""

    target: Target = Field(description="What the operation is done to.")
    operation: UpperWord = Field(
        description=" ".join(f"{kind}: {', '.join(names)}." for kind, names in OPERATIONS.items())
    )
    requested_by: User = Field(description="Who asks: your own user name, as `kubectl auth whoami` says it.")
    not_after: Timestamp = Field(
        description="The latest moment to begin (UTC, like 2026-11-21T00:00:00Z), at most 31 days after the plan is "
        "made. A plan made after it, as one replayed from Git, is Refused.",
        json_schema_extra={"format": "date-time"},
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        description="Why, for those who approve and for the journal. No secrets."
    )
    parameters: dict[Word, Text] | None = Field(
        default=None, description="What the operation has to know. No secrets.", json_schema_extra={"maxProperties": 16}
    )
    dry_run: bool = Field(
        default=False, description="true: shows steps, impact and what is missing, and never runs. For good."
    )
    ignore_windows: bool = Field(
        default=False, description="true: may begin outside of the target's windows. Approvers see it."
    )
    cancelled: bool = Field(
        default=False,
        description="true: ends the plan, also in the middle of a step, but of Stop and Retire. There is no way back.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *_operations(),
        *(immutable(one, WHY) for one in ("target", "operation", "requestedBy", "notAfter", "reason")),
        *(immutable(one, WHY) for one in ("dryRun", "ignoreWindows")),
        unchanged("parameters"),
        Rule(
            rule="self.cancelled || !oldSelf.cancelled",
            message="cancelled has no way back: a cancelled plan is not taken up again. Make another plan",
        ),
    )

    _not_after_is_a_date = field_validator("not_after")(_real)


class ImpactStatus(Part):
    """What it costs."""

    name: Word = Field(description="What is counted, with its unit, like channelSats.")
    value: int = Field(description="How many when the plan was shown.")
    most: int = Field(description="Approvals hold up to this many; with more, the plan is planned anew.")


class StepStatus(Part):
    """One step."""

    name: UpperWord = Field(description="Its name.")
    state: Literal["Pending", "Running", "Done", "Failed"] = Field(description="How far it is.")
    started_at: Timestamp | None = Field(default=None, description="When it began.")
    finished_at: Timestamp | None = Field(default=None, description="When it ended.")
    evidence: Sentence | None = Field(default=None, description="What shows that it is done.")
    kept: dict[Word, Text] | None = Field(
        default=None, description="What later steps have to know of it.", json_schema_extra={"maxProperties": 16}
    )


class ChangePlanStatus(Part):
    """How far a plan is. It has no conditions: a GitOps tool must not wait for people."""

    observed_generation: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="The generation of the spec that this status speaks of."
    )
    state: State | None = Field(
        default=None,
        description="Pending, AwaitingApproval, Running; and at the end Succeeded, Failed, Expired, Refused or "
        "Cancelled.",
    )
    message: Sentence | None = Field(default=None, description="Where it stands, and what it waits for.")
    missing: list[Sentence] | None = Field(
        default=None, max_length=MISSING_MOST, description="What has to come before it runs, a sentence each."
    )
    risk: Risk | None = Field(
        default=None, description="Green: runs at once. Amber: one approval. Red: two, by different people."
    )
    hash: Hash | None = Field(
        default=None, description="What approvals are of: this plan, its steps, bounds and what it relies on."
    )
    replanned: Sentence | None = Field(default=None, description="Why the hash is another than it was.")
    impact: list[ImpactStatus] | None = Field(
        default=None, max_length=16, description="What it costs.", json_schema_extra=keyed_by("name")
    )
    uses: dict[Word, Text] | None = Field(
        default=None, description="Fields of the target that it relies on.", json_schema_extra={"maxProperties": 16}
    )
    target_uid: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="Which life of the target it is for."
    )
    approved_by: list[User] | None = Field(default=None, max_length=9, description="Who agreed, when it began.")
    step: UpperWord | None = Field(default=None, description="The step where it is.")
    steps: list[StepStatus] | None = Field(
        default=None, max_length=32, description="All steps, in their order.", json_schema_extra=keyed_by("name")
    )
    started_at: Timestamp | None = Field(default=None, description="When it began to run.")
    finished_at: Timestamp | None = Field(default=None, description="When it ended.")
    previous: Hash | None = Field(default=None, description="Record of the plan of this namespace that ended before.")
    record: Hash | None = Field(default=None, description="Hash of its entry in the journal, previous included.")


class PlanApprovalSpec(Part):
    """One person's word. Delete it to take it back."""

    plan: Name = Field(description="The ChangePlan's name.")
    hash: Hash = Field(description="The plan's status.hash, as you have read it.")
    approver: User = Field(description="Who agrees: your own user name, as `kubectl auth whoami` says it.")
    not_after: Timestamp | None = Field(
        default=None,
        description="Until when it counts (UTC); as long as the plan when absent.",
        json_schema_extra={"format": "date-time"},
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self == oldSelf",
            message="spec is immutable: an approval is one person's word. Delete it to take it back, and make another",
        ),
    )

    _not_after_is_a_date = field_validator("not_after")(_real)


CHANGE_PLANS: Final = Shape(
    kind="ChangePlan",
    plural="changeplans",
    short="plan",
    spec=ChangePlanSpec,
    status=ChangePlanStatus,
    description="One operation on one target: asked for, approved, done step by step, with evidence.",
    columns=(
        Column("Target", ".spec.target.name"),
        Column("Operation", ".spec.operation"),
        Column("Risk", ".status.risk"),
        Column("State", ".status.state"),
        Column("Step", ".status.step"),
        Column("Requested by", ".spec.requestedBy", priority=1),
        Column("Message", ".status.message", priority=1),
    ),
    max_name=63,
    last_columns=(AGE,),
    selectable=(".status.state",),
)
PLAN_APPROVALS: Final = Shape(
    kind="PlanApproval",
    plural="planapprovals",
    short="approval",
    spec=PlanApprovalSpec,
    status=None,
    description="One person's word for one plan as it was then.",
    columns=(
        Column("Plan", ".spec.plan"),
        Column("Approver", ".spec.approver"),
        Column("Hash", ".spec.hash", priority=1),
    ),
    max_name=63,
    last_columns=(AGE,),
    categories=(),
)
SHAPES: Final = (CHANGE_PLANS, PLAN_APPROVALS)
