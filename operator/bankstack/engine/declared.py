"""A resource as it was read: what its user wants, and what we said of it last (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError

from bankstack.engine.finding import Finding, Interrupted, Stalled
from bankstack.engine.model import Part, Status
from bankstack.engine.objects import FINALIZER, Manifest
from bankstack.engine.operation import Active
from bankstack.engine.schema import Resource

Spec = TypeVar("Spec", bound=Part)
Told = TypeVar("Told", bound=Status)


@dataclass(frozen=True)
class Declared(Generic[Spec, Told]):
    """One resource of one kind, at one moment."""

    kind: str
    name: str
    namespace: str
    uid: str
    generation: int
    spec: Spec
    status: Told
    manifest: Manifest
    deleting: bool = False
    paused: bool = False
    #: The plan that runs on it. While there is one, `decide` may want another world than the spec's.
    plan: Active | None = None
    #: What became of its wishes for an operation, by their cause.
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether our finalizer keeps it."""
        return FINALIZER in self.manifest["metadata"].get("finalizers", [])

    @property
    def owner(self) -> str:
        """Value of the owner label on everything made for it."""
        return f"{self.kind}.{self.name}"


def read(resource: Resource, manifest: Manifest) -> Declared[Part, Status]:
    """The resource in types. Raises Interrupted (Stalled) where an older CRD let nonsense through."""
    meta = manifest["metadata"]
    return Declared(
        kind=resource.kind,
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        generation=meta["generation"],
        spec=_spec(resource, manifest),
        status=told(resource, manifest),
        manifest=manifest,
        deleting="deletionTimestamp" in meta,
        paused=bool(manifest["spec"].get("paused", False)),
    )


def _spec(resource: Resource, manifest: Manifest) -> Part:
    try:
        return resource.spec.model_validate(manifest["spec"])
    except ValidationError as error:
        # Only where and what rule: the value itself may be a key someone pasted.
        wrong = "; ".join(f"spec.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise Interrupted(
            Finding("InvalidSpec", f"{wrong}. What runs is left as it is. Correct the spec", Stalled())
        ) from None


def told(resource: Resource, manifest: Manifest) -> Status:
    """What our status says. A pinned identity that cannot be read must never look like none."""
    known = {field.alias or name for name, field in resource.status.model_fields.items()}
    ours = {key: value for key, value in manifest.get("status", {}).items() if key in known}
    try:
        return resource.status.model_validate(ours)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
        raise Interrupted(
            Finding(
                "StatusUnreadable",
                f"status has been edited by hand and cannot be read ({wrong}): what was pinned there is not "
                "guessed anew. Put the former values back",
                Stalled(),
            )
        ) from None
