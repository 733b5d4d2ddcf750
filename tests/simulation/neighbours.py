"""The controllers beside us, each as one pass over the API server: they see what is there and do their part."""

from collections.abc import Callable
from typing import Any

from bankstack.engine.objects import (
    CONFIG_MAP,
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    SECRET,
    Manifest,
    Ref,
)

from .apiserver import ApiServer, Key
from .workloads import deployments, jobs, stateful_sets, tell

Healthy = Callable[[Manifest], bool]
#: Phases of a pod that runs no more.
ENDED = ("Succeeded", "Failed")


def all_healthy(_pod: Manifest) -> bool:
    return True


def settle(server: ApiServer, healthy: Healthy = all_healthy) -> bool:
    """Let all of them work until none has anything to do; whether any had."""
    before = len(server.written)
    while True:
        written = len(server.written)
        for neighbour in (volumes, stateful_sets, deployments, jobs, garbage, namespaces):
            neighbour(server)
        kubelet(server, healthy)
        if len(server.written) == written:
            return len(server.written) > before


def kubelet(server: ApiServer, healthy: Healthy) -> None:
    for key in server.all("Pod"):
        pod = server.objects[key].manifest
        if pod["metadata"]["uid"] in server.cut_off:
            continue
        if "deletionTimestamp" in pod["metadata"]:
            _end(server, key, pod)
            continue
        missing = [str(one) for one in _needs(pod) if not _is_usable(server, key.namespace, one)]
        ready = not missing and healthy(pod)
        status = _status(pod, missing=missing, ready=ready)
        tell(server, key, status, "kubelet")


def _end(server: ApiServer, key: Key, pod: Manifest) -> None:
    """The processes end, which is told; then the object goes, where nothing holds it."""
    if pod.get("status", {}).get("phase") == "Running":
        ended = [
            one | {"state": {"terminated": {"exitCode": 0, "finishedAt": pod["metadata"]["deletionTimestamp"]}}}
            for one in pod["status"]["containerStatuses"]
        ]
        status = pod["status"] | {"phase": "Succeeded", "containerStatuses": ended}
        tell(server, key, status, "kubelet")
    elif not pod["metadata"].get("finalizers"):
        server.remove(key)


def _needs(pod: Manifest) -> list[Ref]:
    """What has to exist before a pod's containers start."""
    needs: list[Ref] = []
    for volume in pod["spec"].get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if "persistentVolumeClaim" in source:
                needs.append(Ref(PERSISTENT_VOLUME_CLAIM, source["persistentVolumeClaim"]["claimName"]))
            if "configMap" in source and not source["configMap"].get("optional"):
                needs.append(Ref(CONFIG_MAP, source["configMap"]["name"]))
            if "secret" in source and not source["secret"].get("optional"):
                needs.append(Ref(SECRET, source["secret"].get("secretName") or source["secret"]["name"]))
    containers = (*pod["spec"]["containers"], *pod["spec"].get("initContainers", []))
    entries = [entry.get("valueFrom", {}) for container in containers for entry in container.get("env", [])]
    keys = [one["secretKeyRef"] for one in entries if "secretKeyRef" in one]
    return [*needs, *(Ref(SECRET, key["name"]) for key in keys if not key.get("optional"))]


def _is_usable(server: ApiServer, namespace: str, need: Ref) -> bool:
    found = server.objects.get(Key(need.type, namespace, need.name))
    if found is None:
        return False
    return need.type != PERSISTENT_VOLUME_CLAIM or found.manifest.get("status", {}).get("phase") == "Bound"


def _status(pod: Manifest, *, missing: list[str], ready: bool) -> Manifest:
    last: Manifest = pod.get("status", {})
    if last.get("phase") in ENDED:
        return last
    # What started once runs on, also when a Secret it was started with is gone.
    runs = not missing or last.get("phase") == "Running"
    # What is to end has ended well as soon as it is well at all.
    if runs and ready and pod["spec"]["restartPolicy"] == "Never" and last.get("phase") == "Running":
        return {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]}
    state: Any = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
    if not runs:
        state = {"waiting": {"reason": "ContainerCreating", "message": ", ".join(missing)}}
    return {
        "phase": "Running" if runs else "Pending",
        "conditions": [{"type": "Ready", "status": str(ready or (runs and bool(missing)))}],
        "podIP": "10.244.0.10",
        "containerStatuses": [
            {
                "name": one["name"],
                "image": one["image"],
                "ready": ready,
                "started": runs,
                "restartCount": 0,
                "state": state,
            }
            for one in pod["spec"]["containers"]
        ],
    }


def volumes(server: ApiServer) -> None:
    """Binds claims; lets go of those that are deleted and that no pod uses."""
    in_use = {
        Key(need.type, key.namespace, need.name)
        for key in server.all("Pod")
        for need in _needs(server.objects[key].manifest)
    }
    for key in server.all("PersistentVolumeClaim"):
        claim = server.objects[key].manifest
        bound = {"phase": "Bound", "capacity": claim["spec"]["resources"]["requests"]}
        if "deletionTimestamp" not in claim["metadata"]:
            tell(server, key, bound, "kube-controller-manager")
        elif key not in in_use:
            server.edit(key, lambda one: one["metadata"].update(finalizers=[]), "kube-controller-manager")


def garbage(server: ApiServer) -> None:
    """Deletes what has owners, none of which lives."""
    alive = {stored.manifest["metadata"]["uid"] for stored in server.objects.values()}
    for key in server.all():
        owners = server.objects[key].manifest["metadata"].get("ownerReferences", []) if key in server.objects else []
        if owners and not any(owner["uid"] in alive for owner in owners):
            server.delete(key)


def namespaces(server: ApiServer) -> None:
    """Empties namespaces that are deleted, and removes them when they are empty."""
    for key in server.all("Namespace"):
        if "deletionTimestamp" not in server.objects[key].manifest["metadata"]:
            continue
        content = [one for one in server.all() if one.namespace == key.name]
        for one in content:
            server.delete(one)
        if not content:
            server.remove(key)


def namespace(server: ApiServer, name: str = "bank") -> Key:
    """Make one."""
    key = Key(NAMESPACE, "", name)
    server.create(key, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "kubectl")
    return key
