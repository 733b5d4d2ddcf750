"""The kind configuration of one cluster, as data (pure).

JSON is YAML, so what this returns is written with `json.dumps` and kind reads it.
"""

import json
from typing import Any

from labkit.regions import LABEL, ClusterPlan

Manifest = dict[str, Any]

AUDIT_POLICY: Manifest = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # Leases and events of the cluster's own parts would be nine lines in ten.
        {"level": "None", "users": ["system:kube-scheduler", "system:kube-controller-manager", "system:apiserver"]},
        {"level": "None", "userGroups": ["system:nodes"]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        # Metadata only: a request body could hold a Secret.
        {"level": "Metadata"},
    ],
}

#: Shorter than Kubernetes' defaults (50 s and 10 s), so a story about a lost region
#: takes half a minute; the order of things stays the same.
NODE_GRACE = "20s"
NODE_STATUS = "4s"

AUDIT_FOLDER = "/var/log/lab-audit"
_POLICY_FOLDER = "/etc/lab"


def config(plan: ClusterPlan, image: str, audit_folder: str, policy_folder: str, *, reduced: bool) -> Manifest:
    """One control plane and one worker per region.

    `reduced`: the host may not raise its own resource limits (no CAP_SYS_RESOURCE),
    so nothing may ask for a negative oom_score_adj.
    """
    control_plane: Manifest = {
        "role": "control-plane",
        "image": image,
        "extraMounts": [
            {"hostPath": audit_folder, "containerPath": AUDIT_FOLDER},
            {"hostPath": policy_folder, "containerPath": _POLICY_FOLDER, "readOnly": True},
        ],
        "kubeadmConfigPatches": [json.dumps(_audited_api_server())],
    }
    workers = [{"role": "worker", "image": image, "labels": {LABEL: region}} for region in plan.regions]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": plan.name,
        "networking": {"podSubnet": plan.pod_subnet, "serviceSubnet": plan.service_subnet},
        "kubeadmConfigPatches": [json.dumps(patch) for patch in _cluster_patches(reduced=reduced)],
        "nodes": [control_plane, *workers],
    }


def _audited_api_server() -> Manifest:
    flags = {
        "audit-policy-file": f"{_POLICY_FOLDER}/audit-policy.json",
        "audit-log-path": f"{AUDIT_FOLDER}/audit.log",
        "audit-log-maxsize": "200",
        "audit-log-maxbackup": "2",
    }
    volumes = [
        {"name": "lab-audit", "hostPath": AUDIT_FOLDER, "mountPath": AUDIT_FOLDER, "pathType": "DirectoryOrCreate"},
        {"name": "lab-policy", "hostPath": _POLICY_FOLDER, "mountPath": _POLICY_FOLDER, "readOnly": True},
    ]
    # Maps, not lists: kind writes kubeadm's v1beta3 for this line of Kubernetes.
    return {
        "kind": "ClusterConfiguration",
        "apiServer": {"extraArgs": flags, "extraVolumes": volumes},
        "controllerManager": {"extraArgs": {"node-monitor-grace-period": NODE_GRACE}},
    }


def _cluster_patches(*, reduced: bool) -> list[Manifest]:
    kubelet: Manifest = {"kind": "KubeletConfiguration", "nodeStatusUpdateFrequency": NODE_STATUS}
    if not reduced:
        return [kubelet]
    return [kubelet | {"oomScoreAdj": 0}, {"kind": "KubeProxyConfiguration", "oomScoreAdj": 0}]
