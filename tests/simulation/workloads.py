"""The controllers that make pods, each as one pass over the API server: StatefulSets, Deployments, Jobs.

Reduced to what our pods are. A CronJob's time never comes here.
"""

from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, Manifest

from .apiserver import ApiServer, Key, Stored
from .fieldsets import fresh

WHO = "kube-controller-manager"
#: Of a Deployment: how many templates it has had.
REVISION = "deployment.kubernetes.io/revision"


def stateful_sets(server: ApiServer) -> None:
    """Pods by number, with their claims; replaced only when deleted, or one by one where it may roll them."""
    for key in server.all("StatefulSet"):
        stored = server.objects[key]
        spec = stored.manifest["spec"]
        if "deletionTimestamp" not in stored.manifest["metadata"]:
            wanted = [Key(POD, key.namespace, f"{key.name}-{number}") for number in range(spec["replicas"])]
            for pod in _pods_of(server, stored):
                if pod not in wanted:
                    server.delete(pod)
            for pod in wanted:
                if pod not in server.objects:
                    _claim(server, stored, pod)
                    server.create(pod, _numbered(stored, pod), WHO)
            if spec["updateStrategy"]["type"] == "RollingUpdate":
                _roll_one(server, stored, wanted)
        _report(server, key)


def _claim(server: ApiServer, stored: Stored, pod: Key) -> None:
    for template in stored.manifest["spec"].get("volumeClaimTemplates", []):
        key = Key(PERSISTENT_VOLUME_CLAIM, pod.namespace, f"{template['metadata']['name']}-{pod.name}")
        if key not in server.objects:
            made = fresh({"metadata": template["metadata"] | {"name": key.name}, "spec": template["spec"]})
            server.create(key, {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | made, WHO)


def _numbered(stored: Stored, pod: Key) -> Manifest:
    made = _pod(stored, pod.name)
    made["metadata"]["labels"] |= {"statefulset.kubernetes.io/pod-name": pod.name}
    claims = [
        {
            "name": one["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": f"{one['metadata']['name']}-{pod.name}"},
        }
        for one in stored.manifest["spec"].get("volumeClaimTemplates", [])
    ]
    made["spec"]["volumes"] = [*made["spec"].get("volumes", []), *claims]
    return made


def _roll_one(server: ApiServer, stored: Stored, pods: list[Key]) -> None:
    """The highest that is of a former template, once all others are ready."""
    former = [pod for pod in pods if not _is_of(server, pod, stored.revision)]
    if former and all(is_ready(server.objects[pod].manifest) for pod in pods if pod != former[-1]):
        server.delete(former[-1])


def deployments(server: ApiServer) -> None:
    """Pods of the newest template; those of a former one go when these are ready, or before, as its strategy says."""
    for key in server.all("Deployment"):
        number = _revision(server, key)
        stored = server.objects[key]
        spec = stored.manifest["spec"]
        wanted = [Key(POD, key.namespace, f"{key.name}-{number}-{place}") for place in range(spec["replicas"])]
        others = [pod for pod in _pods_of(server, stored) if pod not in wanted]
        first_out = spec["strategy"]["type"] == "Recreate"
        if not (first_out and others):
            for pod in wanted:
                if pod not in server.objects:
                    server.create(pod, _pod(stored, pod.name), WHO)
        if first_out or all(is_ready(server.objects[pod].manifest) for pod in wanted):
            for pod in others:
                server.delete(pod)
        _report(server, key)


def _revision(server: ApiServer, key: Key) -> int:
    """Pods are named by it: a name from the template itself would be another in every run."""
    stored = server.objects[key]
    number = int(stored.manifest["metadata"].get("annotations", {}).get(REVISION, "0"))
    if stored.manifest.get("status", {}).get("updateRevision") == stored.revision and number:
        return number

    def note(one: Manifest) -> None:
        one["metadata"].setdefault("annotations", {})[REVISION] = str(number + 1)

    server.edit(key, note, WHO)
    return number + 1


def jobs(server: ApiServer) -> None:
    """One pod until it has succeeded. One that fails is the end of it: nobody here counts on a second try."""
    for key in server.all("Job"):
        stored, pod = server.objects[key], Key(POD, key.namespace, f"{key.name}-0")
        if stored.manifest.get("status", {}).get("conditions"):
            continue
        if pod not in server.objects:
            made = _pod(stored, pod.name)
            made["metadata"]["labels"] |= {"batch.kubernetes.io/job-name": key.name}
            server.create(pod, made, WHO)
        phase = server.objects[pod].manifest.get("status", {}).get("phase")
        ended = {"Succeeded": "Complete", "Failed": "Failed"}.get(str(phase))
        if ended:
            tell(server, key, {"conditions": [{"type": ended, "status": "True"}]}, WHO)


def _pods_of(server: ApiServer, stored: Stored) -> list[Key]:
    life = stored.manifest["metadata"]["uid"]
    return [
        pod
        for pod in server.all("Pod")
        if any(one["uid"] == life for one in server.objects[pod].manifest["metadata"].get("ownerReferences", []))
    ]


def _is_of(server: ApiServer, pod: Key, revision: str) -> bool:
    return bool(server.objects[pod].manifest["metadata"]["labels"].get("controller-revision-hash") == revision)


def _pod(stored: Stored, name: str) -> Manifest:
    owner = stored.manifest
    template = fresh(owner["spec"]["template"])
    meta = template.get("metadata", {})
    meta["name"] = name
    meta["labels"] = meta.get("labels", {}) | {"controller-revision-hash": stored.revision}
    meta["ownerReferences"] = [
        {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
         "uid": owner["metadata"]["uid"], "controller": True}
    ]  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def _report(server: ApiServer, key: Key) -> None:
    stored = server.objects[key]
    pods = _pods_of(server, stored)
    ready = sum(is_ready(server.objects[pod].manifest) for pod in pods)
    status = {
        "observedGeneration": stored.manifest["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": sum(_is_of(server, pod, stored.revision) for pod in pods),
        "updateRevision": stored.revision,
    }
    tell(server, key, status, WHO)


def tell(server: ApiServer, key: Key, status: Manifest, who: str) -> None:
    """What a controller says of an object in its status."""
    if server.objects[key].manifest.get("status") != status:
        server.edit(key, lambda one: one.update(status=status), who, status=True)


def is_ready(pod: Manifest) -> bool:
    """Whether the kubelet says so."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
