"""Clusters brought up, taken down and made anew; every step may be repeated.

A cluster is whole when its control plane carries our marker, every node runs under
the address the API server knows, and it answers. Whatever else is found of it is
the rest of a killed `up` or a stopped engine, and is made anew.
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labkit import engine, kindconfig, nodes, paths, regions, run
from labkit.errors import LabError, Refused, StepFailed
from labkit.leftovers import SUBNET
from labkit.nodes import NETWORK
from labkit.preflight import Host
from labkit.progress import Steps
from labkit.regions import ClusterPlan

_MARKER = "/kind/bankstack-lab"
READY_SECONDS = 180


@dataclass(frozen=True)
class Wanted:
    """What `up` was asked for."""

    regions: tuple[str, ...]
    clusters: int

    def plans(self) -> tuple[ClusterPlan, ...]:
        """One plan per cluster."""
        return regions.deal(self.regions, self.clusters)


def wanted() -> Wanted | None:
    """What the running or half-made lab was asked to be; None where there is none."""
    try:
        stored = json.loads(paths.wanted().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Wanted(tuple(stored["regions"]), stored["clusters"])


def decide_wanted(asked_regions: Sequence[str] | None, asked_clusters: int | None, before: Wanted | None) -> Wanted:
    """What to bring up: as asked, else as before, else the default. A running lab is not reshaped."""
    if before is None:
        return Wanted(tuple(asked_regions or regions.DEFAULT_REGIONS), asked_clusters or 1)
    asked = Wanted(tuple(asked_regions or before.regions), asked_clusters or before.clusters)
    if asked != before:
        raise Refused(
            f"The lab already runs {_words(before)}, not {_words(asked)}: "
            "`hack/lab down` first, or `up` without these options."
        )
    return before


def up(steps: Steps, kind: Path, image: str, asked: Wanted, host: Host) -> None:
    """Bring every cluster of the plan up; those that are whole are left alone."""
    plans = asked.plans()
    for plan in plans:
        refuse_foreign(plan.name)
    paths.wanted().parent.mkdir(parents=True, exist_ok=True)
    paths.wanted().write_text(json.dumps(asdict(asked)), encoding="utf-8")
    _ensure_network()
    for plan in plans:
        if not is_whole(plan, image):
            with steps.step(
                f"create cluster {plan.name}: {', '.join(plan.regions)}", f"cluster of {len(plan.regions)}"
            ):
                _create(kind, image, plan, host)
        with steps.step(f"nodes and system pods of {plan.name}", f"ready {len(plan.regions)}"):
            await_ready(plan.name)
            nodes.inside(f"{plan.name}-control-plane", ["touch", _MARKER])
    connect_clusters([plan.name for plan in plans])


def refuse_foreign(name: str) -> None:
    """A cluster of this name on any other network is somebody's."""
    if any(not node.ours for node in nodes.of_cluster(name)):
        raise Refused(
            f"There is a kind cluster {name!r} that this lab did not make: it stays untouched. "
            f"Remove it yourself (`kind delete cluster --name {name}`) if it is not needed."
        )


def is_whole(plan: ClusterPlan, image: str) -> bool:
    """Whether nothing has to be made: see the module's first lines."""
    found = nodes.of_cluster(plan.name)
    expected = {f"{plan.name}-control-plane", *(plan.node_of(region) for region in plan.regions)}
    identity = run.output("docker", "image", "inspect", "-f", "{{.Id}}", image, env=engine.environment())
    if {node.name for node in found} != expected or any(not n.running or n.image != identity for n in found):
        return False
    try:
        nodes.inside(f"{plan.name}-control-plane", ["test", "-e", _MARKER])
        known = {edge.node: edge.ip for edge in nodes.edges(plan.name)}
    except LabError:
        return False
    return known == {node.name: node.ip for node in found}


def delete(name: str) -> None:
    """Remove the nodes of one of our clusters and what belongs to them, volumes included."""
    if mine := [node.name for node in nodes.of_cluster(name) if node.ours]:
        run.do("docker", "rm", "--force", "--volumes", *mine, env=engine.environment())
    shutil.rmtree(paths.cluster(name), ignore_errors=True)


def down() -> list[str]:
    """Remove all clusters that are ours, and their network; names of what was removed."""
    names = sorted({node.cluster for node in nodes.containers() if node.ours})
    for name in names:
        delete(name)
    if nodes.network_owner() == str(paths.cache()):
        run.works("docker", "network", "rm", NETWORK, env=engine.environment())
    return names


def forget() -> None:
    """Drop what only a running lab needs."""
    shutil.rmtree(paths.cache() / "clusters", ignore_errors=True)
    paths.kubeconfig().unlink(missing_ok=True)
    free_kubeconfig()


def free_kubeconfig() -> None:
    """Kind marks a kubeconfig it writes with a file beside it, and killed there it never takes it away."""
    paths.kubeconfig().with_name("kubeconfig.lock").unlink(missing_ok=True)


def await_ready(name: str) -> None:
    """Until every node is Ready and every system pod runs and is ready."""
    expected = {node.name for node in nodes.of_cluster(name)}
    missing = ""

    def is_ready() -> bool:
        nonlocal missing
        try:
            missing = unready(name, expected)
        except LabError as error:
            missing = str(error)
        return not missing

    if not eventually(is_ready, READY_SECONDS):
        raise StepFailed(f"Cluster {name} is not ready after {READY_SECONDS} s: {missing}.")


def unready(name: str, expected: set[str]) -> str:
    """What still keeps the cluster from being ready, in words; empty when nothing does."""
    state = nodes.ready(name)
    if waiting := sorted(node for node in expected if not state.get(node)):
        return f"not Ready: {', '.join(waiting)}"
    pods = nodes.listed(name, "pods", "-n", "kube-system")
    waiting = sorted(pod["metadata"]["name"] for pod in pods if not _runs(pod))
    return f"not running: {', '.join(waiting)}" if waiting else ""


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` holds within `seconds`, asked twice a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def connect_clusters(names: Sequence[str]) -> None:
    """Routes between the pods of different clusters; within one the CNI keeps its own."""
    if len(names) < 2:  # noqa: PLR2004 - a cluster needs no route to itself
        return
    known = {name: nodes.edges(name) for name in names}
    for name in names:
        others = [edge for other in names if other != name for edge in known[other]]
        script = "\n".join(f"ip route replace {edge.pod_cidr} via {edge.ip}" for edge in others)
        for edge in known[name]:
            if nodes.succeeds_inside(edge.node, ("true",)):  # a node that is off gets them when it starts
                nodes.inside(edge.node, ["sh", "-e"], stdin=script)


def _create(kind: Path, image: str, plan: ClusterPlan, host: Host) -> None:
    delete(plan.name)
    folder = paths.cluster(plan.name)
    for part in ("audit", "policy"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    policy = folder / "policy" / "audit-policy.json"
    policy.write_text(json.dumps(kindconfig.AUDIT_POLICY), encoding="utf-8")
    config = kindconfig.config(
        plan, image, str(folder / "audit"), str(folder / "policy"), reduced=bool(host.missing_capabilities)
    )
    file = folder / "kind.json"
    file.write_text(json.dumps(config, indent=1), encoding="utf-8")
    command = ("create", "cluster", "--config", file, "--kubeconfig", paths.kubeconfig(), "--retain")
    run.do(kind, *command, env=_kind_environment(), timeout=600)
    _take_kubectl(plan)


def _ensure_network() -> None:
    env = engine.environment()
    if not run.works("docker", "network", "inspect", NETWORK, env=env):
        label = f"{nodes.OWNER_LABEL}={paths.cache()}"
        run.do("docker", "network", "create", "--subnet", SUBNET, "--label", label, NETWORK, env=env)
    elif nodes.network_owner() != str(paths.cache()):
        raise Refused(
            f"This engine already has a lab, of the cache {nodes.network_owner() or 'of nobody known'}: use it with "
            f"that XDG_CACHE_HOME, or take it down there (`docker network rm {NETWORK}` where nothing is left of it)."
        )


def _take_kubectl(plan: ClusterPlan) -> None:
    """Out of the node: the lab needs no kubectl on the machine, and versions agree."""
    target = paths.kubectl()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(".kubectl")
    node = f"{plan.name}-control-plane"
    run.do("docker", "cp", "-L", f"{node}:/usr/bin/kubectl", partial, env=engine.environment())
    partial.rename(target)


def _kind_environment() -> dict[str, str]:
    return engine.environment() | {"KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK, "KIND_EXPERIMENTAL_PROVIDER": "docker"}


def _runs(pod: dict[str, Any]) -> bool:
    status = pod["status"]
    conditions = status.get("conditions", ())
    return status.get("phase") == "Running" and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _words(wanted: Wanted) -> str:
    return f"{', '.join(wanted.regions)} in {wanted.clusters} cluster{'s' if wanted.clusters > 1 else ''}"
