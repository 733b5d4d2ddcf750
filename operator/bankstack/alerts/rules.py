"""The allow-list: which alert may ask for which operation on what (pure).

It is the only thing that is decided here, and administrators decide it beforehand. A
list with one mistake in it allows nothing: half a list would be another one than was
meant.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from bankstack.alerts.notice import Alert, told
from bankstack.engine.model import Duration, Name, Part, Word, seconds
from bankstack.engine.operation import Risk
from bankstack.plans.lifecycle import AHEAD_MOST
from bankstack.plans.model import UpperWord

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=128)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=30)]

#: The risk of a kind's operation, None where the kind has none of that name.
Risks: TypeAlias = Callable[[str, str], Risk | None]


class Aim(Part):
    """What the operation is done to."""

    kind: UpperWord = Field(description="Its kind, like LndNode.")
    name: Name | None = Field(default=None, description="Its name; or nameLabel.")
    name_label: LabelName | None = Field(
        default=None, description="The alert's label that has its name, like name; or name."
    )
    namespace: Name | None = Field(default=None, description="Its namespace; or namespaceLabel.")
    namespace_label: LabelName | None = Field(
        default=None, description="The alert's label that has its namespace, like namespace; or namespace."
    )


class Rule(Part):
    """One row: these alerts may ask for this."""

    name: RuleName = Field(description="Its name: plans it makes are called after it.")
    match: dict[LabelName, Word] = Field(
        min_length=1,
        max_length=16,
        description="Labels that the alert must have, each with exactly this value.",
    )
    target: Aim = Field(description="What the operation is done to.")
    operation: UpperWord = Field(description="Which operation, as a ChangePlan has it. Green or Amber, never Red.")
    every: Duration = Field(default="24h", description="No second plan of this rule for this target sooner than that.")
    valid: Duration = Field(default="24h", description="How long the plan may wait to begin: its notAfter.")


class AllowList(BaseModel):
    """The whole file."""

    model_config = Part.model_config

    rules: list[Rule] = Field(max_length=64, description="In this order: the first whose labels fit is followed.")


@dataclass(frozen=True)
class Wish:
    """What a rule asks for because of an alert."""

    rule: Rule
    namespace: str
    target: str

    def __str__(self) -> str:
        return f"{self.rule.operation} of {self.rule.target.kind} {self.namespace}/{self.target}"


@dataclass(frozen=True)
class Known:
    """What a list is held against: the operations there are, and the namespaces that are looked after."""

    risks: Risks
    namespaces: tuple[str, ...]


class Mistaken(Exception):
    """A list that allows nothing: a sentence for each mistake in it."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("; ".join(self.sentences))


def read(data: Any, known: Known) -> tuple[Rule, ...]:  # noqa: ANN401 - whatever the file holds
    """The rules. Raises Mistaken."""
    try:
        rules = AllowList.model_validate(data).rules
    except ValidationError as error:
        raise Mistaken(_sentence(one) for one in error.errors()[:20]) from None
    mistakes = [f"rules[{number}].{told}" for number, rule in enumerate(rules) for told in _mistakes(rule, known)]
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    mistakes += [f"rules: two are called {name}; plans are called after their rule. Rename one" for name in twice]
    if mistakes:
        raise Mistaken(mistakes)
    return tuple(rules)


def _sentence(error: Any) -> str:  # noqa: ANN401 - pydantic's own
    where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error["loc"]).lstrip(".")
    return f"{told(where, 200) or 'the file'}: {told(str(error['msg']), 200)}. Correct it"


def _mistakes(rule: Rule, known: Known) -> Iterable[str]:
    return chain.from_iterable(check(rule, known) for check in CHECKS)


def its_target_is_told_once(rule: Rule, _known: Known) -> Iterable[str]:
    """By its name or by a label, not both and not neither."""
    aim = rule.target
    if (aim.name is None) == (aim.name_label is None):
        yield "target: exactly one of name and nameLabel has to be there. Give one"
    if (aim.namespace is None) == (aim.namespace_label is None):
        yield "target: exactly one of namespace and namespaceLabel has to be there. Give one"


def its_namespace_is_looked_after(rule: Rule, known: Known) -> Iterable[str]:
    """A plan elsewhere would be looked at by nobody."""
    if rule.target.namespace is not None and rule.target.namespace not in known.namespaces:
        yield (
            f"target.namespace: {rule.target.namespace} is not looked after by this operator "
            f"({', '.join(known.namespaces)}). Correct it, or BANKSTACK_NAMESPACES"
        )


def its_operation_is_no_more_than_amber(rule: Rule, known: Known) -> Iterable[str]:
    """What an alert asks for must never be what two people have to answer for."""
    risk = known.risks(rule.target.kind, rule.operation)
    if risk is None:
        yield (
            f"operation: {rule.target.kind} has no operation {rule.operation} in this version. Correct it, or "
            "target.kind"
        )
    elif risk not in (Risk.GREEN, Risk.AMBER):
        yield (
            f"operation: {rule.operation} is {risk}, and an alert asks for nothing above Amber: people ask for that "
            "themselves. Remove the rule"
        )


def its_plans_are_for_now(rule: Rule, _known: Known) -> Iterable[str]:
    """As for every ChangePlan."""
    if timedelta(seconds=seconds(rule.valid)) > AHEAD_MOST:
        yield f"valid: {rule.valid} is more than {AHEAD_MOST.days} days. Shorten it"


CHECKS: Final[tuple[Callable[[Rule, Known], Iterable[str]], ...]] = (
    its_target_is_told_once,
    its_namespace_is_looked_after,
    its_operation_is_no_more_than_amber,
    its_plans_are_for_now,
)


def wish(rules: Iterable[Rule], alert: Alert, namespaces: Iterable[str]) -> Wish | None:
    """What the first rule whose labels fit asks for; None where no rule names this alert."""
    rule = next((one for one in rules if one.match.items() <= alert.labels.items()), None)
    if rule is None:
        return None
    namespace = _told(alert.labels, rule.target.namespace, rule.target.namespace_label)
    target = _told(alert.labels, rule.target.name, rule.target.name_label)
    if target is None or namespace is None or namespace not in namespaces:
        return None
    return Wish(rule, namespace, target)


def _told(labels: Mapping[str, str], given: str | None, label: str | None) -> str | None:
    if given is not None or label is None:
        return given
    try:
        return _NAME.validate_python(labels.get(label))
    except ValidationError:
        return None


_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)
