"""What all kinds share in what users write and read (pure).

Every string, list and map is bounded: the API server prices CEL rules by the worst
case and refuses a schema that could be expensive. `schema` checks it.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class Rule(BaseModel):
    """A CEL rule and the sentence a person reads when it is broken: field, rule, cure."""

    model_config = ConfigDict(frozen=True)

    rule: str
    message: str

    def schema_entry(self) -> dict[str, str]:
        """As `x-kubernetes-validations` has it."""
        return {"rule": self.rule, "message": self.message}


def immutable(field: str, why: str) -> Rule:
    """A required field that never changes; `why` says what to do instead."""
    return Rule(rule=f"self.{field} == oldSelf.{field}", message=f"{field} is immutable: {why}")


def immutable_once_set(field: str, why: str) -> Rule:
    """An optional field that, once there, neither changes nor goes.

    On the required parent: the API server runs no rule of a field that is absent.
    """
    return Rule(
        rule=f"!has(oldSelf.{field}) || (has(self.{field}) && self.{field} == oldSelf.{field})",
        message=f"{field} is immutable once set: {why}",
    )


class Part(BaseModel):
    """A piece of a spec or status: camelCase outside, nothing unknown, never changed in place."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    rules: ClassVar[tuple[Rule, ...]] = ()


def keyed_by(*keys: str) -> dict[str, Any]:
    """Schema of a list that is a map: two people may each apply their own entry."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9.:]*[A-Za-z0-9])?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=253)]
ImageReference = Annotated[str, StringConstraints(min_length=1, max_length=512)]
#: Whole binary or decimal multiples only: `1.5Gi` or `1e9` would have to be compared as
#: quantities to say whether a volume shrinks.
Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,14}(Ki|Mi|Gi|Ti|k|M|G|T)?$", max_length=18)]
#: Go's durations of one unit: `15s`, `30m`, `12h`.
Duration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}(s|m|h)$", max_length=7)]
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
#: RFC 3339 in UTC.
Timestamp = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", max_length=20)]


def seconds(duration: str) -> int:
    """Of a Duration."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def in_bytes(size: str) -> int:
    """Of a Size."""
    number = size.rstrip("KMGTki")
    return int(number) * _SUFFIXES[size[len(number) :]]


class Storage(Part):
    """A volume that the operator claims and never deletes by itself."""

    size: Size = Field(
        description="Size of the volume, like 20Gi. It may grow where the class allows it, never shrink."
    )
    class_name: Word | None = Field(
        default=None, description="StorageClass of the volume; the cluster's default when absent. Immutable."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0",
            message="storage.size cannot shrink: a volume never does. Set it back",
        ),
        Rule(
            rule="has(self.className) == has(oldSelf.className)"
            " && (!has(self.className) || self.className == oldSelf.className)",
            message="storage.className is immutable: a volume cannot change its class. Set it back",
        ),
    )


class ObjectStore(Part):
    """A bucket that the operator only ever adds to."""

    endpoint: Annotated[
        str,
        StringConstraints(pattern=r"^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$", max_length=253),
    ] = Field(description="Where the store is, like https://s3.example.com; http only on regtest.")
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", max_length=63)] = Field(
        description="The bucket. It has to be there; the operator puts, reads and lists, and never deletes."
    )
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=128)] | None = (
        Field(default=None, description="Folder in the bucket; none: its top.")
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", min_length=1, max_length=32)] = Field(
        default="us-east-1", description="Region that requests are signed for."
    )
    credentials_secret: Name = Field(description="Secret with keys accessKey and secretKey.")
    ca_secret: Name | None = Field(
        default=None, description="Secret whose ca.crt vouches for the store; the system's authorities when absent."
    )


class KeyValue(Part):
    """One line of a program's own configuration file; keys may repeat."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)] = Field(
        description="The option's name, without leading dashes."
    )
    value: Annotated[str, StringConstraints(pattern=r"^[^\n\r]*$", max_length=1024)] = Field(
        default="", description="The option's value, one line."
    )


class Resources(Part):
    """What the main container is promised and may take, as in a pod's spec."""

    requests: dict[Word, Word] | None = Field(
        default=None, description="Promised: cpu, memory.", json_schema_extra={"maxProperties": 8}
    )
    limits: dict[Word, Word] | None = Field(
        default=None, description="At most: cpu, memory.", json_schema_extra={"maxProperties": 8}
    )


class PodOverride(Part):
    """What a user may set on the pods of a resource, the same for every kind."""

    resources: Resources | None = Field(default=None, description="Requests and limits of the main container.")
    node_selector: dict[Word, Text] | None = Field(
        default=None, description="Labels a node must have.", json_schema_extra={"maxProperties": 32}
    )
    priority_class_name: Name | None = Field(default=None, description="PriorityClass of the pods.")
    image_pull_secrets: list[Name] | None = Field(
        default=None, max_length=8, description="Secrets with registry credentials, by name."
    )
    labels: dict[Word, Text] | None = Field(
        default=None, description="More labels for the pods.", json_schema_extra={"maxProperties": 32}
    )
    annotations: dict[Word, Text] | None = Field(
        default=None, description="More annotations for the pods.", json_schema_extra={"maxProperties": 32}
    )
    affinity: dict[str, Any] | None = Field(
        default=None,
        description="Affinity of the pods, as in a pod's spec.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    tolerations: list[dict[str, Any]] | None = Field(
        default=None,
        max_length=16,
        description="Tolerations of the pods, as in a pod's spec.",
        json_schema_extra={"items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    )
    topology_spread_constraints: list[dict[str, Any]] | None = Field(
        default=None,
        max_length=8,
        description="How the pods are spread, as in a pod's spec.",
        json_schema_extra={"items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    )


class Condition(Part):
    """One statement about the resource, as Kubernetes has it."""

    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]*$", max_length=64)]
    status: Annotated[str, StringConstraints(pattern=r"^(True|False|Unknown)$", max_length=7)]
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]*$", max_length=64)]
    message: Annotated[str, StringConstraints(max_length=2048)]
    observed_generation: Annotated[int, Field(ge=0)]
    last_transition_time: Timestamp


class Status(Part):
    """What every status begins with."""

    observed_generation: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="The generation of the spec that this status speaks of."
    )
    conditions: list[Condition] | None = Field(
        default=None, max_length=32, description="What is true of the resource.", json_schema_extra=keyed_by("type")
    )
