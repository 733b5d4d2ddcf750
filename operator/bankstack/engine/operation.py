"""An operation on a resource, as data: what a plan is made of, and what each of its steps says (pure).

A kind offers operations by name. Each proposes steps and impact from the facts, and each
step, asked anew in every pass, answers from the facts with one of four words:

    Done    it is so, and this is the evidence
    Do      carry out these actions; doing them twice equals once
    Wait    something is on its way
    Abort   it cannot be: the plan ends here

While a plan runs, `Declared.plan` says so to `decide`, which may then want another world
than usual (no pod, no traffic). When the plan has ended, however it ended, `decide` wants
the usual one again: that is what brings a node back after an abort, and why a step needs
no undoing of its own.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Final, TypeAlias

from bankstack.engine.conditions import Claim
from bankstack.engine.decision import AT_ONCE, Action
from bankstack.engine.finding import Unknown

#: The condition of a resource on which a plan runs.
RUNNING: Final = "PlanRunning"


class Risk(StrEnum):
    """What an operation can cost, and so how many people have to agree."""

    GREEN = "Green"
    AMBER = "Amber"
    RED = "Red"


class Cancel(Enum):
    """When a person's cancellation takes effect."""

    NEVER = "never"
    BEFORE = "before"
    DURING = "during"


@dataclass(frozen=True)
class Done:
    """The step's end is a fact. `kept` is what later steps have to know of it: no secrets."""

    evidence: str
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Do:
    """What brings the step on. `told` is the sentence that the plan shows meanwhile.

    `after`: seconds until it is looked what came of it, more than at once where others tell. `then`, of an operation's
    last step: what is so once everything that the pass does is done, because the actions themselves saw to it.
    """

    actions: tuple[Action, ...]
    told: str = ""
    after: float = AT_ONCE
    then: Done | None = None


@dataclass(frozen=True)
class Wait:
    """Something is on its way; `look_again` in seconds.

    `nothing_done`: a cancellation ends the plan also where its step is not given up once begun.
    """

    sentence: str
    look_again: float = 5.0
    nothing_done: bool = False


@dataclass(frozen=True)
class Abort:
    """Why the plan ends here, and what that means for the money."""

    sentence: str


Verdict: TypeAlias = Done | Do | Wait | Abort


@dataclass(frozen=True)
class Active:
    """The plan that runs on a resource, at the step where it is: part of what `decide` and the step are given."""

    name: str
    uid: str
    operation: str
    step: str
    parameters: Mapping[str, str]
    started: datetime
    #: When this step began: what a deadline counts from.
    since: datetime
    #: Of the steps before: what they kept, by step.
    kept: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: What the operation relied on when it was approved, as its Proposal said.
    uses: Mapping[str, str] = field(default_factory=dict)


Judge: TypeAlias = Callable[[Any, Any, datetime], Verdict]


@dataclass(frozen=True)
class Step:
    """One step by its name. `judge` is given the resource (with its `plan`), the facts and the time."""

    name: str
    judge: Judge
    cancel: Cancel = Cancel.BEFORE


@dataclass(frozen=True)
class Impact:
    """A number that approvers are shown, its unit in its name, and the most they thereby agree to."""

    value: int
    most: int


@dataclass(frozen=True)
class Proposal:
    """What an operation would do now.

    `uses` are the fields of the target that it relies on, as text: a change of one is
    another plan. `refusals` end the plan; `waits` (what is not known, or not ready yet)
    only keep it from being shown for approval or started.
    """

    steps: tuple[str, ...] = ()
    impact: Mapping[str, Impact] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    #: When it may begin, as `engine.windows` has them; none: at any time.
    windows: tuple[str, ...] = ()


Propose: TypeAlias = Callable[[Any, Any, Mapping[str, str]], Proposal]


@dataclass(frozen=True)
class Wish:
    """Something that a resource needs and only an operation brings, so that the operator asks for it.

    `content` is a digest: another one is another wish, also where the cause is the same.
    """

    content: str
    reason: str


#: By cause, a word. None: there is no such wish. Unknown: nobody can tell, so nothing is asked for or withdrawn.
Wishes: TypeAlias = Mapping[str, Wish | Unknown | None]


#: From the resource's facts, the plan's parameters and the targets of the plans that run: why it may not begin beside
#: those.
Beside: TypeAlias = Callable[[Any, Mapping[str, str], Collection[str]], str | None]


def anything(_facts: Any, _parameters: Mapping[str, str], _running: Collection[str]) -> None:  # noqa: ANN401 - any kind's
    """Most operations may run beside any other of another resource."""


def none_at_all(_subject: Any, _facts: Any) -> Wishes:  # noqa: ANN401 - any kind's
    """Most operations are only for people to ask for."""
    return {}


@dataclass(frozen=True)
class Operation:
    """What a kind offers under a name."""

    risk: Risk
    steps: tuple[Step, ...]
    plan: Propose
    #: What the operator itself asks for it for, from the resource and the facts (pure).
    wishes: Callable[[Any, Any], Wishes] = none_at_all
    beside: Beside = anything

    def step(self, name: str) -> Step | None:
        """The step of this name; none where another version of the operator knew it."""
        return next((step for step in self.steps if step.name == name), None)


@dataclass(frozen=True)
class Course:
    """What the plans of one resource come to in one pass, apart from what is written about them."""

    active: Active | None = None
    actions: tuple[Action, ...] = ()
    claims: tuple[Claim, ...] = ()
    look_again: float | None = None
    #: Seconds until it is looked what came of these actions.
    after: float = AT_ONCE
    #: Whether there is more to write once everything was carried out: the docket is then asked again.
    concludes: bool = False
    #: When the oldest of those plans was made that wait for people to approve them.
    asked: datetime | None = None
    #: What became of each wish of the resource, by its cause: a sentence for `decide` to tell.
    told: Mapping[str, str] = field(default_factory=dict)
