"""What the engine asks of the outside: a cluster. `kube` is one, the simulation another."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bankstack.engine.decision import Ask, Decision
from bankstack.engine.declared import Declared
from bankstack.engine.objects import API_VERSION, FieldValue, Manifest, Ref, Type
from bankstack.engine.operation import Active, Course, Operation
from bankstack.engine.schema import Resource


class Reader(Protocol):
    """Live reads. Every method raises Interrupted (Transient) where no answer came: unknown is not no."""

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        """The object now; None only where the API server says that there is none."""

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        """All objects with these labels, `without` those of a value in a field that the API server selects by."""


class Sight(Reader, Protocol):
    """What one pass may see: live reads, none of them older than the list of plans, and the plan itself."""

    async def plan(self) -> Active | None:
        """The plan that runs, or one that may begin: known once the approvals are read, beside other reads."""


class Cluster(Reader, Protocol):
    """Reads and writes. Raises Interrupted with the policy of the failure."""

    async def apply(self, manifest: Manifest, namespace: str) -> Manifest:
        """Server-side apply in our one name, forced: callers made sure that the object is ours."""

    async def apply_new(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """The same where nothing of that name is there; None where something is (it is left as it is)."""

    async def create(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """Make it; None where one of that name is there already (it is left as it is)."""

    async def delete(self, ref: Ref, namespace: str, uid: str) -> None:
        """Delete this life of it; nothing happens where it is gone or another."""

    async def apply_status(self, of: Type, manifest: Manifest) -> Manifest:
        """Write the status subresource in our name; the object as it is then.

        Where metadata.resourceVersion is given, only onto that version.
        """

    async def finalize(self, of: Type, manifest: Manifest, finalizers: list[str]) -> Manifest:
        """Replace metadata.finalizers, only at the manifest's resourceVersion; the object as it is then."""

    async def admission(self, manifest: Manifest, namespace: str) -> str | None:
        """A dry run of making it: None where it would be made, else what an admission policy says against it."""

    async def announce(self, about: Manifest, kind: str, reason: str, message: str) -> None:
        """An Event about a resource; `kind` is Normal or Warning. Nobody waits for it, and losing one is no failure."""


Observe = Callable[[Any, Sight], Awaitable[Any]]
Decide = Callable[[Any, Any, datetime], Decision]
Act = Callable[[Any, Ask, Cluster], Awaitable[None]]


async def nothing_to_undo(_subject: Any, _cluster: Cluster) -> None:  # noqa: ANN401 - any kind's
    """Most kinds hold up nothing but themselves."""


@dataclass(frozen=True)
class Kind:
    """One row of the table that the engine is handed: how a kind sees, decides and acts."""

    resource: Resource
    #: Types of the objects made for it: watched, by the owner label.
    children: tuple[Type, ...]
    observe: Observe
    decide: Decide
    #: The kind's own actions by the name that Ask has.
    act: Mapping[str, Act] = field(default_factory=dict)
    #: What a resource waits for, from its spec: a change of it wakes the resource.
    references: Callable[[Any], tuple[Ref, ...]] = lambda _spec: ()
    #: What it takes from an object that it waits for: a change that leaves this as it was does not wake it. None: all.
    learns: Callable[[Type, Manifest], object] = lambda _of, _manifest: None
    #: Who waits for what it says of itself without naming it (Kind.name), from its status as it was written.
    heard_by: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda _status: ()
    #: Numbers that change without anyone acting (heights, balances), by metric name.
    gauges: Callable[[Any], Mapping[str, float]] = lambda _facts: {}
    #: Numbers of its spec that alerts hold others' measures to, by metric name.
    bounds: Callable[[Any], Mapping[str, float]] = lambda _subject: {}
    #: What has to be undone before a resource is let go with its namespace, which would hang otherwise.
    farewell: Callable[[Any, Cluster], Awaitable[None]] = nothing_to_undo
    #: What a ChangePlan may ask of it, by name.
    operations: Mapping[str, Operation] = field(default_factory=dict)

    @property
    def type(self) -> Type:
        """The kind as an API type."""
        return resource_type(self.resource)


def resource_type(resource: Resource) -> Type:
    """A declared kind's API type."""
    return Type(API_VERSION, resource.kind, resource.plural)


Subject = Declared[Any, Any]


class Docket(Protocol):
    """The plans of one resource, as read in one pass."""

    @property
    def unfinished(self) -> bool:
        """Whether there is any that has not ended."""

    @property
    def outran(self) -> bool:
        """Whether it knows of a step or an end younger than the list of plans: what was seen beside it may be older."""

    @property
    def at_hand(self) -> Active | None:
        """The plan that runs, as it was last written, or else one that may begin: for `observe`."""

    def steer(self, subject: Subject | None, facts: Any, now: datetime, *, carried_out: bool = False) -> Course:  # noqa: ANN401 - a kind's own facts
        """What is to be done, and what has to be written before; `subject` is None where there is none (pure).

        `carried_out`: what these facts asked for has been done.
        """

    async def write(self, course: Course, now: datetime, *, acting: bool) -> "Docket":
        """Write how the plans stand, and give them as they are then.

        `acting`: something is done next. Raises Interrupted where others were faster.
        """

    async def ask(self, course: Course, now: datetime) -> None:
        """Make the plans that the resource itself needs."""


@dataclass(frozen=True)
class About:
    """Whose plans are looked at. `ran`: it said of itself that one runs, so the end of that one is to be written."""

    kind: Kind
    name: str
    namespace: str
    ran: bool = False

    @property
    def target(self) -> str:
        """As the journal of plans has it."""
        return f"{self.kind.resource.kind} {self.name}"


class Plans(Protocol):
    """Operations as objects, as the engine asks for them; the room `plans` is one."""

    def takes(self, kind: Kind) -> bool:
        """Whether plans for this kind are read at all."""

    async def listed(self, namespace: str, cluster: Reader) -> tuple[Manifest, ...]:
        """The plans of a namespace, without those that succeeded."""

    async def look(
        self, about: About, listed: tuple[Manifest, ...], cluster: Cluster, refers: Callable[[tuple[Ref, ...]], None]
    ) -> Docket:
        """The plans of a resource among those; `refers` is told their names before approvals of them are read."""
