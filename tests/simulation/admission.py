"""What the API server itself says of an object: refusals and defaults, for what occurs in our manifests (pure)."""

import re
from typing import Any, Final

from bankstack.engine.objects import Manifest

from .fieldsets import fresh

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
#: Fields of a StatefulSet's spec that may change.
_STATEFUL_MAY: Final = frozenset(
    {"replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}
)


class ApiError(Exception):
    """An answer that is no success: HTTP code and reason as in a Status object."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code, self.reason, self.message = code, reason, message


def invalid(message: str) -> ApiError:
    return ApiError(422, "Invalid", message)


def refuse_nonsense(manifest: Manifest, before: Manifest | None) -> None:
    """Raises ApiError where the real one would."""
    meta, kind = manifest["metadata"], manifest["kind"]
    if not _NAME.fullmatch(meta["name"]) or len(meta["name"]) > (63 if kind in ("Service", "StatefulSet") else 253):
        raise invalid(f"metadata.name {meta['name']}")
    for value in _labels(manifest):
        if len(value) > 63 or not _LABEL.fullmatch(value):
            raise invalid(f"label {value}")
    if before is not None:
        _refuse_changes(kind, before, manifest)


def _labels(manifest: Manifest) -> list[str]:
    template = manifest.get("spec", {}).get("template", {}).get("metadata", {})
    metas = (manifest["metadata"], template if isinstance(template, dict) else {})
    return [str(value) for meta in metas for value in meta.get("labels", {}).values()]


def _refuse_changes(kind: str, before: Manifest, after: Manifest) -> None:
    if kind in ("Secret", "ConfigMap") and before.get("immutable") and before.get("data") != after.get("data"):
        raise invalid("data: field is immutable when `immutable` is set")
    if kind == "Secret" and before.get("type") != after.get("type"):
        raise invalid("type: field is immutable")
    old, new = before.get("spec", {}), after.get("spec", {})
    if kind == "StatefulSet":
        changed = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key) and key not in _STATEFUL_MAY]
        if changed:
            raise invalid(f"spec: updates to statefulset spec for fields other than ... are forbidden: {changed}")
    if kind == "Deployment" and old.get("selector") != new.get("selector"):
        raise invalid("spec.selector: field is immutable")
    if kind == "Job" and old.get("template") != new.get("template"):
        raise invalid("spec.template: field is immutable")
    if kind == "PersistentVolumeClaim":
        fixed = [key for key in old.keys() | new.keys() if key not in ("resources", "volumeName")]
        if any(old.get(key) != new.get(key) for key in fixed):
            raise invalid("spec: is immutable after creation except resources.requests")


def with_defaults(manifest: Manifest) -> Manifest:
    """What nobody set and the server fills in: fields without an owner."""
    manifest = dict(fresh(manifest))
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Secret":
            manifest.setdefault("type", "Opaque")
        case "Service":
            _service(spec)
        case "PersistentVolumeClaim":
            spec.setdefault("volumeMode", "Filesystem")
            spec.setdefault("storageClassName", "standard")
        case "StatefulSet":
            spec.setdefault("podManagementPolicy", "OrderedReady")
            spec.setdefault("revisionHistoryLimit", 10)
            spec.setdefault("replicas", 1)
            spec.setdefault("updateStrategy", {}).setdefault("type", "RollingUpdate")
            for claim in spec.get("volumeClaimTemplates", []):
                claim["spec"].setdefault("volumeMode", "Filesystem")
            _pod(spec["template"].setdefault("spec", {}))
        case "Deployment":
            spec.setdefault("progressDeadlineSeconds", 600)
            spec.setdefault("replicas", 1)
            spec.setdefault("strategy", {}).setdefault("type", "RollingUpdate")
            _pod(spec["template"].setdefault("spec", {}))
        case "Job":
            spec.setdefault("completions", 1)
            _pod(spec["template"]["spec"])
        case "CronJob":
            spec.setdefault("suspend", False)
            _pod(spec["jobTemplate"]["spec"]["template"]["spec"])
        case "Pod":
            _pod(spec)
    return manifest


def _service(spec: Manifest) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("clusterIP", "10.96.0.10")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


def _pod(spec: Manifest) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    for container in (*spec.get("containers", []), *spec.get("initContainers", [])):
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        for port in container.get("ports", []):
            port.setdefault("protocol", "TCP")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if probe in container:
                _probe(container[probe])


def _probe(probe: dict[str, Any]) -> None:
    for key, value in (("periodSeconds", 10), ("timeoutSeconds", 1), ("successThreshold", 1), ("failureThreshold", 3)):
        probe.setdefault(key, value)
