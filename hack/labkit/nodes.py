"""Nodes as the engine and the API server see them: reads, and commands inside one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit import engine, paths, run
from labkit.partition import Command, Edge
from labkit.regions import LABEL, is_name

#: The lab's own network marks its nodes: no cluster on another is ever touched. Its
#: label says whose cache it belongs to, so two labs on one engine keep apart.
NETWORK = "bankstack-lab"
OWNER_LABEL = "io.bankstack.lab.cache"
_CLUSTER_LABEL = "io.x-k8s.kind.cluster"
_ROLE_LABEL = "io.x-k8s.kind.role"


@dataclass(frozen=True)
class Container:
    """One node's container."""

    name: str
    cluster: str
    role: str
    running: bool
    ours: bool
    """On the lab's network, and that is of this cache. On none at all but of our name: killed while it was moved."""
    ip: str
    image: str
    """Identity of the image it was made from."""


def containers() -> list[Container]:
    """All kind nodes of the engine in use, whoever made them."""
    env = engine.environment()
    ids = run.output("docker", "ps", "-aq", "--filter", f"label={_CLUSTER_LABEL}", env=env).split()
    if not ids:
        return []
    mine = network_owner() == str(paths.cache())
    return [_container(entry, mine=mine) for entry in json.loads(run.output("docker", "inspect", *ids, env=env))]


def network_owner() -> str:
    """The cache that the lab's network belongs to; empty where there is no such network."""
    template = f'{{{{index .Labels "{OWNER_LABEL}"}}}}'
    return run.output("docker", "network", "inspect", "-f", template, NETWORK, env=engine.environment(), check=False)


def of_cluster(name: str) -> list[Container]:
    """The nodes of one cluster, control plane first."""
    return sorted((node for node in containers() if node.cluster == name), key=lambda node: (node.role, node.name))


def inside(node: str, command: Sequence[str], stdin: str | None = None) -> str:
    """What a command prints inside a node; StepFailed where it fails."""
    return run.output("docker", "exec", "-i", node, *command, env=engine.environment(), stdin=stdin)


def succeeds_inside(node: str, command: Command) -> bool:
    """Whether a command ends well inside a node."""
    return run.works("docker", "exec", node, *command, env=engine.environment())


def kubectl(cluster: str, *words: str, stdin: str | None = None) -> str:
    """What kubectl prints for one cluster of the lab."""
    return run.output(paths.kubectl(), *_context(cluster), *words, stdin=stdin)


def listed(cluster: str, *words: str) -> list[dict[str, Any]]:
    """The items of a `kubectl get`."""
    return list(json.loads(kubectl(cluster, "get", *words, "-o", "json"))["items"])


def ready(cluster: str) -> dict[str, bool]:
    """Every node the API server knows, and whether it calls it Ready."""
    return {
        node["metadata"]["name"]: any(
            condition["type"] == "Ready" and condition["status"] == "True" for condition in node["status"]["conditions"]
        )
        for node in listed(cluster, "nodes")
    }


def edges(cluster: str) -> list[Edge]:
    """Addresses of every node of a cluster; the control plane's region is empty."""
    return [
        Edge(
            node=node["metadata"]["name"],
            region=node["metadata"].get("labels", {}).get(LABEL, ""),
            ip=next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"),
            pod_cidr=node["spec"].get("podCIDR", ""),
        )
        for node in listed(cluster, "nodes")
    ]


def _context(cluster: str) -> tuple[str, ...]:
    return ("--kubeconfig", str(paths.kubeconfig()), "--context", f"kind-{cluster}", "--request-timeout=15s")


def _container(entry: dict[str, Any], *, mine: bool) -> Container:
    networks = entry["NetworkSettings"]["Networks"]
    cluster = entry["Config"]["Labels"][_CLUSTER_LABEL]
    return Container(
        name=entry["Name"].lstrip("/"),
        cluster=cluster,
        role=entry["Config"]["Labels"].get(_ROLE_LABEL, ""),
        running=entry["State"]["Running"],
        ours=(NETWORK in networks and mine) or (not networks and is_name(cluster)),
        ip=networks.get(NETWORK, {}).get("IPAddress", ""),
        image=entry["Image"],
    )
