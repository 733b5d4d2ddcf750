"""Kubernetes objects as plain dicts, and the few words to name one (pure)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Manifest = dict[str, Any]

FIELD_MANAGER: Final = "bankstack"
#: Of every resource that people declare.
GROUP, VERSION = "bankstack.io", "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
OWNER_LABEL: Final = "bankstack.io/owner"
#: On everything that the operator makes.
MANAGED: Final = {"app.kubernetes.io/managed-by": FIELD_MANAGER}
#: On a StatefulSet that is stopped for good: how its emptiness was proven.
PROVED_EMPTY: Final = "bankstack.io/proved-empty"
FINALIZER: Final = "bankstack.io/proof-before-deletion"


@dataclass(frozen=True, order=True)
class Type:
    """A type of object as the API server's paths have it."""

    api_version: str
    kind: str
    plural: str


CONFIG_MAP: Final = Type("v1", "ConfigMap", "configmaps")
EVENT: Final = Type("v1", "Event", "events")
NAMESPACE: Final = Type("v1", "Namespace", "namespaces")
NODE: Final = Type("v1", "Node", "nodes")
PERSISTENT_VOLUME: Final = Type("v1", "PersistentVolume", "persistentvolumes")
PERSISTENT_VOLUME_CLAIM: Final = Type("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
POD: Final = Type("v1", "Pod", "pods")
SECRET: Final = Type("v1", "Secret", "secrets")
SERVICE: Final = Type("v1", "Service", "services")
DEPLOYMENT: Final = Type("apps/v1", "Deployment", "deployments")
STATEFUL_SET: Final = Type("apps/v1", "StatefulSet", "statefulsets")
JOB: Final = Type("batch/v1", "Job", "jobs")
CRON_JOB: Final = Type("batch/v1", "CronJob", "cronjobs")
LEASE: Final = Type("coordination.k8s.io/v1", "Lease", "leases")
NETWORK_POLICY: Final = Type("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
POD_DISRUPTION_BUDGET: Final = Type("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
CHANGE_PLAN: Final = Type("bankstack.io/v1alpha1", "ChangePlan", "changeplans")
PLAN_APPROVAL: Final = Type("bankstack.io/v1alpha1", "PlanApproval", "planapprovals")

#: What is made for anything that runs as a StatefulSet.
AROUND_A_STATEFUL_SET: Final = (
    CONFIG_MAP, NETWORK_POLICY, PERSISTENT_VOLUME_CLAIM, POD, POD_DISRUPTION_BUDGET, SECRET, SERVICE, STATEFUL_SET,
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Ref:
    """One object in the namespace of the resource at hand."""

    type: Type
    name: str

    def __str__(self) -> str:
        return f"{self.type.kind} {self.name}"


@dataclass(frozen=True, order=True)
class Key:
    """One declared resource, as the queue and the metrics know it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class FieldValue:
    """A value of one field by which the API server selects objects: `status.state`, Succeeded."""

    path: str
    value: str

    def matches(self, manifest: Manifest) -> bool:
        """As the API server compares it: a field that is not there has no value."""
        found: Any = manifest
        for word in self.path.split("."):
            found = found.get(word) if isinstance(found, dict) else None
        return bool(found == self.value)


def ref(manifest: Manifest) -> Ref:
    """Which object a manifest is of. ValueError where it is of a type unknown here."""
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    return Ref(_TYPES[api_version, kind], manifest["metadata"]["name"])


_TYPES = {
    (one.api_version, one.kind): one
    for one in (
        CONFIG_MAP, EVENT, NAMESPACE, NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, SECRET, SERVICE,
        DEPLOYMENT, STATEFUL_SET, JOB, CRON_JOB, LEASE, NETWORK_POLICY, POD_DISRUPTION_BUDGET, CHANGE_PLAN,
        PLAN_APPROVAL,
    )
}  # fmt: skip


def by_ref(manifests: Iterable[Manifest]) -> dict[Ref, Manifest]:
    """Live objects, findable."""
    return {ref(manifest): manifest for manifest in manifests}


def uid(manifest: Manifest) -> str:
    """Which life of an object: a name that comes back is another object."""
    return str(manifest["metadata"]["uid"])


def annotation(manifest: Manifest, key: str) -> str | None:
    """An annotation's value, None where it is absent."""
    value = manifest["metadata"].get("annotations", {}).get(key)
    return None if value is None else str(value)


def annotated(manifest: Manifest, more: Mapping[str, str]) -> Manifest:
    """The manifest with these annotations besides its own."""
    meta = manifest["metadata"]
    return manifest | {"metadata": meta | {"annotations": meta.get("annotations", {}) | more}}


def digest(value: object) -> str:
    """12 hex digits that change when `value` (JSON) does."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:12]


def canonical(value: object) -> str:
    """JSON that is the same text whenever `value` is the same."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
