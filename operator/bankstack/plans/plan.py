"""A ChangePlan as it was read (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from bankstack.engine.objects import Manifest
from bankstack.plans.model import FINISHED, ChangePlanSpec, ChangePlanStatus


@dataclass(frozen=True)
class Plan:
    """One plan, at one moment."""

    spec: ChangePlanSpec
    status: ChangePlanStatus
    manifest: Manifest

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.manifest["metadata"]["name"])

    @property
    def uid(self) -> str:
        """Which life of that name."""
        return str(self.manifest["metadata"]["uid"])

    @property
    def created(self) -> str:
        """When it was made, by the API server's clock."""
        return str(self.manifest["metadata"]["creationTimestamp"])

    @property
    def target(self) -> str:
        """What it is for, as the journal has it."""
        return f"{self.spec.target.kind} {self.spec.target.name}"

    @property
    def finished(self) -> bool:
        """Whether nothing more happens with it."""
        return self.status.state in FINISHED

    @property
    def runs(self) -> bool:
        """Whether it was begun and has not ended."""
        return self.status.state == "Running"

    @property
    def waits(self) -> bool:
        """Whether it has neither begun nor ended."""
        return not (self.finished or self.runs)

    @property
    def waits_for_people(self) -> bool:
        """Whether it would begin if it were approved."""
        return self.status.state == "AwaitingApproval" and not self.spec.dry_run

    @property
    def to_be_cancelled(self) -> bool:
        """Whether a person wants it to end."""
        return self.spec.cancelled or "deletionTimestamp" in self.manifest["metadata"]


@dataclass(frozen=True)
class Unreadable:
    """A plan that nobody can say of whether it runs: no other is begun beside it."""

    name: str
    fields: str

    def __str__(self) -> str:
        return (
            f"ChangePlan {self.name} was edited by hand and cannot be read ({self.fields}): nobody knows whether it "
            "runs, so no other begins. Put its former status back, or delete it"
        )


def read(manifest: Manifest) -> Plan | Unreadable:
    """The plan in types."""
    try:
        spec = ChangePlanSpec.model_validate(manifest["spec"])
        known = {field.alias or name for name, field in ChangePlanStatus.model_fields.items()}
        ours = {key: value for key, value in (manifest.get("status") or {}).items() if key in known}
        return Plan(spec, ChangePlanStatus.model_validate(ours), manifest)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
        return Unreadable(manifest["metadata"]["name"], fields)


def unreadable(plans: Iterable[Plan | Unreadable]) -> Unreadable | None:
    """The first that cannot be read: beside it nothing begins, is asked for, or is held to have gone."""
    return next((one for one in plans if isinstance(one, Unreadable)), None)


def may_have(plans: Collection[Plan | Unreadable], uid: str) -> bool:
    """Whether a plan is among them, or could be: one that cannot be read may be just that."""
    return unreadable(plans) is not None or any(isinstance(one, Plan) and one.uid == uid for one in plans)


def is_for(manifest: Manifest, kind: str, name: str) -> bool:
    """Whether a plan as it was listed is for this target."""
    return bool(manifest["spec"].get("target") == {"kind": kind, "name": name})
