"""One good manifest of each type that the operator makes, with every field whose ownership could surprise."""

from typing import Any, Final

from bankstack.engine.objects import Manifest


def made(kind: str, api_version: str = "v1", **content: Any) -> Manifest:  # noqa: ANN401 - any object
    meta = {"name": "one", "labels": {"app": "x"}, **content.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **content}


CONFIG = made("ConfigMap", data={"a": "1", "b": "2"}, metadata={"annotations": {"example.com/why": "y"}})
SERVED = made(
    "Service",
    spec={"selector": {"app": "x", "tier": "y"}, "ports": [{"name": "rpc", "port": 8332}, {"name": "p", "port": 1}]},
)
CLAIM = made(
    "PersistentVolumeClaim",
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}, "storageClassName": "none"},
)
BUDGET = made("PodDisruptionBudget", "policy/v1", spec={"maxUnavailable": 0, "selector": {"matchLabels": {"app": "x"}}})
POLICY = made(
    "NetworkPolicy",
    "networking.k8s.io/v1",
    spec={
        "podSelector": {"matchLabels": {"app": "x"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 1}], "from": [{"podSelector": {"matchLabels": {"app": "y"}}}]}],
    },
)
KEPT = made("Secret", type="Opaque", data={"key": "c2VjcmV0"})
CONTAINER = {
    "name": "main",
    "image": "example.com/nothing:1",
    "args": ["-a", "-b"],
    "env": [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "one", "key": "key"}}},
        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ],
    "ports": [{"containerPort": 8332}, {"containerPort": 9735, "name": "p2p"}],
    "volumeMounts": [{"name": "tmp", "mountPath": "/cache"}, {"name": "conf", "mountPath": "/conf", "readOnly": True}],
    "readinessProbe": {"tcpSocket": {"port": 8332}, "periodSeconds": 5},
    "resources": {"requests": {"memory": "64Mi"}},
    "securityContext": {"capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
}
POD = {
    "automountServiceAccountToken": False,
    "nodeSelector": {"disk": "ssd"},
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
    "initContainers": [{"name": "first", "image": "example.com/nothing:1", "command": ["true"]}],
    "imagePullSecrets": [{"name": "registry"}],
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "volumes": [
        {"name": "tmp", "emptyDir": {}},
        {"name": "ram", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "conf", "configMap": {"name": "one", "items": [{"key": "a", "path": "a"}]}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "one"}},
        {"name": "sec", "secret": {"secretName": "one", "optional": True, "defaultMode": 0o440}},
    ],
}
STATEFUL = made(
    "StatefulSet",
    "apps/v1",
    spec={
        "replicas": 0,
        "serviceName": "one",
        "selector": {"matchLabels": {"app": "x"}},
        "updateStrategy": {"type": "OnDelete"},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": POD},
    },
)
ALL: Final = (CONFIG, SERVED, CLAIM, BUDGET, POLICY, KEPT, STATEFUL)
