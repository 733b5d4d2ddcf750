"""Children as values: the parts every kind's manifests are put together from (pure).

Plain dicts, as the API server stores them: no empty values (it would drop them, and
we would never own what we asked for), no stringData, no defaults spelled out.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

from bankstack.engine.declared import Declared
from bankstack.engine.model import PodOverride
from bankstack.engine.objects import API_VERSION, GROUP, MANAGED, OWNER_LABEL, Manifest, annotated

#: Where a node of Kubernetes is, by its labels.
MACHINE, REGION = "kubernetes.io/hostname", "topology.kubernetes.io/region"
#: Labels of an object whose content is money: no owner reference, never swept.
RETAINED: Final = {"bankstack.io/retain": "true"}


def labels(subject: Declared[Any, Any], component: str) -> dict[str, str]:
    """Labels of everything made for a resource."""
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/instance": subject.name,
        **MANAGED,
        OWNER_LABEL: subject.owner,
    }


def selector(subject: Declared[Any, Any], component: str) -> dict[str, str]:
    """The labels that pods are found by: they can never change."""
    return {"app.kubernetes.io/name": component, OWNER_LABEL: subject.owner}


def owned(subject: Declared[Any, Any], component: str, name: str, **annotations: str) -> Manifest:
    """Metadata of a child that goes when its resource goes."""
    return retained(subject, component, name, **annotations) | {
        "labels": labels(subject, component),
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": subject.kind,
                "name": subject.name,
                "uid": subject.uid,
                "controller": True,
            }
        ],
    }


def retained(subject: Declared[Any, Any], component: str, name: str, **annotations: str) -> Manifest:
    """Metadata of a child that outlives its resource (law 4): it has no owner reference."""
    meta: Manifest = {"name": name, "namespace": subject.namespace, "labels": labels(subject, component) | RETAINED}
    if annotations:
        meta["annotations"] = {f"{GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return meta


def config_map(meta: Manifest, files: Mapping[str, str]) -> Manifest:
    """A ConfigMap that never changes: its name should hold the digest of its content."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "immutable": True, "data": dict(files)}


def secret(meta: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """A Secret with these keys."""
    encoded = {key: base64.b64encode(value).decode() for key, value in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": encoded}


def opened(secret_manifest: Manifest) -> dict[str, bytes]:
    """The keys and contents of a Secret as read."""
    return {key: base64.b64decode(value) for key, value in (secret_manifest.get("data") or {}).items()}


def service(meta: Manifest, pods: Mapping[str, str], ports: Mapping[str, int], **more: Any) -> Manifest:  # noqa: ANN401 - further fields of a Service's spec
    """A Service; ports by name, the same on both sides."""
    listed = [{"name": name, "port": port, "targetPort": port} for name, port in ports.items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": dict(pods), "ports": listed, **more},
    }


def claim(meta: Manifest, size: str, class_name: str | None, mode: str = "ReadWriteOncePod") -> Manifest:
    """A volume's claim. One pod only: a second one, wherever it came from, cannot mount it."""
    spec: Manifest = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    if class_name:
        spec["storageClassName"] = class_name
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def stateful_set(meta: Manifest, pods: Mapping[str, str], template: Manifest, service_name: str) -> Manifest:
    """One pod at most, replaced only when it is deleted (law 9)."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "serviceName": service_name,
            "selector": {"matchLabels": dict(pods)},
            "updateStrategy": {"type": "OnDelete"},
            "template": template,
        },
    }


def stopped(held: Manifest, said: Mapping[str, str] | None = None) -> Manifest:
    """A StatefulSet as it is but for its pods; what has to be remembered of them is said on it."""
    return annotated(held, said or {}) | {"spec": held["spec"] | {"replicas": 0}}


def disruption_budget(meta: Manifest, pods: Mapping[str, str], may_be_gone: int = 0) -> Manifest:
    """How many pods an eviction may take: none of a single writer, so draining its node waits for a person."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {"maxUnavailable": may_be_gone, "selector": {"matchLabels": dict(pods)}},
    }


def network_policy(meta: Manifest, pods: Mapping[str, str], ingress: list[Manifest]) -> Manifest:
    """Who may reach these pods; nobody else may."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": {"podSelector": {"matchLabels": dict(pods)}, "policyTypes": ["Ingress"], "ingress": ingress},
    }


#: A container under the restricted Pod Security standard, with a root file system nobody writes.
HARDENED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod_security(user: int) -> Manifest:
    """A pod under the restricted Pod Security standard, run as `user`, who owns its volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def pod_spec(user: int, stop_seconds: int, **content: Any) -> Manifest:  # noqa: ANN401 - further fields of a pod's spec
    """What every pod of ours has: no rights in Kubernetes, no neighbours in its environment, time to stop."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": stop_seconds,
        "securityContext": pod_security(user),
        **content,
    }


def spread(pods: Mapping[str, str]) -> list[Manifest]:
    """Over machines and regions; rather two in one place than one too few."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(pods)},
        }
        for key in (MACHINE, REGION)
    ]


def pod_template(labels_: Mapping[str, str], spec: Manifest, override: PodOverride | None) -> Manifest:
    """A pod template, with what the user said of the pods. Users add; they take nothing away."""
    meta: Manifest = {"labels": dict(labels_)}
    if override is None:
        return {"metadata": meta, "spec": spec}
    theirs = override.model_dump(by_alias=True, exclude_none=True)
    meta["labels"] = theirs.pop("labels", {}) | meta["labels"]
    if annotations := theirs.pop("annotations", None):
        meta["annotations"] = annotations
    if resources := theirs.pop("resources", None):
        main, *others = spec["containers"]
        spec = spec | {"containers": [main | {"resources": resources}, *others]}
    if secrets := theirs.pop("imagePullSecrets", None):
        spec = spec | {"imagePullSecrets": [{"name": name} for name in secrets]}
    return {"metadata": meta, "spec": spec | {key: value for key, value in theirs.items() if value}}
