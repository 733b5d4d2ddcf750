"""The controllers beside us, each as one pass over the API server: they see what is there and do their part.

Reduced to what our pods are: one replica at most, replaced only when it is deleted.
"""

from collections.abc import Callable
from typing import Any

from bankstack.engine.objects import (
    CONFIG_MAP,
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    Manifest,
    Ref,
)

from .apiserver import ApiServer, Key, Stored
from .fieldsets import fresh

Healthy = Callable[[Manifest], bool]


def all_healthy(_pod: Manifest) -> bool:
    return True


def settle(server: ApiServer, healthy: Healthy = all_healthy) -> bool:
    """Let all of them work until none has anything to do; whether any had."""
    before = len(server.written)
    while True:
        written = len(server.written)
        for neighbour in (volumes, stateful_sets, deployments, garbage, namespaces):
            neighbour(server)
        kubelet(server, healthy)
        if len(server.written) == written:
            return len(server.written) > before


def stateful_sets(server: ApiServer) -> None:
    for key in server.all("StatefulSet"):
        stored = server.objects[key]
        live, pod = stored.manifest, Key(POD, key.namespace, f"{key.name}-0")
        dying = "deletionTimestamp" in live["metadata"]
        if live["spec"]["replicas"] and pod not in server.objects and not dying:
            server.create(pod, _pod(stored, pod.name), "kube-controller-manager")
        elif not live["spec"]["replicas"] and pod in server.objects:
            server.delete(pod)
        _report(server, key, pod)


def deployments(server: ApiServer) -> None:
    """A pod per Deployment, replaced whenever its template changes."""
    for key in server.all("Deployment"):
        stored = server.objects[key]
        live, pod = stored.manifest, Key(POD, key.namespace, f"{key.name}-{stored.revision}")
        wanted = {pod} if live["spec"].get("replicas", 1) else set()
        for other in server.all("Pod"):
            owners = server.objects[other].manifest["metadata"].get("ownerReferences", [])
            if other not in wanted and any(owner["uid"] == live["metadata"]["uid"] for owner in owners):
                server.delete(other)
        for missing in wanted - server.objects.keys():
            server.create(missing, _pod(stored, missing.name), "kube-controller-manager")
        _report(server, key, pod)


def _pod(stored: Stored, name: str) -> Manifest:
    owner = stored.manifest
    template = fresh(owner["spec"]["template"])
    meta = template.get("metadata", {})
    meta["name"] = name
    meta["labels"] = meta.get("labels", {}) | {"controller-revision-hash": stored.revision}
    meta["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": owner["kind"], "name": owner["metadata"]["name"],
         "uid": owner["metadata"]["uid"], "controller": True}
    ]  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def _report(server: ApiServer, key: Key, pod: Key) -> None:
    there = server.objects.get(pod)
    ready = there is not None and _is_ready(there.manifest)
    status = {
        "observedGeneration": server.objects[key].manifest["metadata"]["generation"],
        "replicas": int(there is not None),
        "readyReplicas": int(ready),
        "availableReplicas": int(ready),
        "updateRevision": server.objects[key].revision,
    }
    _tell(server, key, status, "kube-controller-manager")


def _tell(server: ApiServer, key: Key, status: Manifest, who: str) -> None:
    if server.objects[key].manifest.get("status") != status:
        server.edit(key, lambda one: one.update(status=status), who, status=True)


def _is_ready(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


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
        _tell(server, key, status, "kubelet")


def _end(server: ApiServer, key: Key, pod: Manifest) -> None:
    """The processes end, which is told; then the object goes, where nothing holds it."""
    if pod.get("status", {}).get("phase") == "Running":
        ended = [
            one | {"state": {"terminated": {"exitCode": 0, "finishedAt": pod["metadata"]["deletionTimestamp"]}}}
            for one in pod["status"]["containerStatuses"]
        ]
        status = pod["status"] | {"phase": "Succeeded", "containerStatuses": ended}
        _tell(server, key, status, "kubelet")
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
    # What started once runs on, also when a Secret it was started with is gone.
    runs = not missing or pod.get("status", {}).get("phase") == "Running"
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
            _tell(server, key, bound, "kube-controller-manager")
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
