"""Faults a person or a story makes: cut and heal regions, kill and start nodes, load images.

Each is idempotent, and says in one sentence when it has nothing to act on.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labkit import cluster, engine, node_image, nodes, partition, paths, run
from labkit.catalog import Image
from labkit.errors import LabError, Refused, StepFailed
from labkit.nodes import NETWORK
from labkit.partition import Command, Edge

_LOADED = "io.bankstack.lab.id"


def all_edges() -> dict[str, tuple[str, Edge]]:
    """Region → (cluster, edge) for every region of the running lab."""
    found = {
        edge.region: (plan.name, edge) for plan in running().plans() for edge in nodes.edges(plan.name) if edge.region
    }
    if not found:
        raise Refused("No lab is running: `hack/lab up` first.")
    return found


def edge_of(region: str, known: dict[str, tuple[str, Edge]]) -> Edge:
    """The edge of one region; refuses others, naming what there is."""
    if region not in known:
        raise Refused(f"{region!r} is no region of the lab; there are: {', '.join(sorted(known))}.")
    return known[region][1]


def cut(region: str, other: str | None = None) -> None:
    """Cut `region` off from everybody, or from the region `other` alone (both ways)."""
    known = all_edges()
    edge = edge_of(region, known)
    if other is None:
        _remember([*remembered(), (region, "")])
        _enforce(edge.node, partition.EVERYONE, partition.cut_all())
        return
    peer = edge_of(other, known)
    if peer == edge:
        raise Refused(f"--from {other}: a region cannot be cut off from itself; name another.")
    _remember([*remembered(), (region, other)])
    _enforce(edge.node, partition.chain_for(other), partition.cut_from(peer))
    _enforce(peer.node, partition.chain_for(region), partition.cut_from(edge))


def heal(region: str, other: str | None = None) -> None:
    """Undo every cut of `region`, or just the one between it and `other`."""
    known = all_edges()
    edge = edge_of(region, known)
    peers = [edge_of(other, known)] if other else [peer for _, peer in known.values() if peer != edge]
    mine = [partition.chain_for(peer.region) for peer in peers]
    _undo(edge.node, mine if other else [partition.EVERYONE, *mine])
    for peer in peers:
        _undo(peer.node, [partition.chain_for(region)])
    healed = [{region, other}] if other else [{region, ""}, *({region, peer.region} for peer in peers)]
    _remember([pair for pair in remembered() if set(pair) not in healed])


def remembered() -> list[tuple[str, str]]:
    """The cuts that were asked for and not healed, as (region, other or empty): they outlast a power cut."""
    try:
        return [(region, other) for region, other in json.loads(_cuts_file().read_text(encoding="utf-8"))]
    except (FileNotFoundError, ValueError):
        return []


def cut_regions() -> list[str]:
    """Regions that are cut off from everybody, for who wonders why their nodes are not Ready."""
    return sorted({region for region, other in remembered() if not other})


def cuts(node: str) -> list[str]:
    """The cuts in force at a node: `everybody` or names of regions."""
    if not nodes.succeeds_inside(node, ("true",)):
        return []
    # The last chain that a cut hooks in: seen here, it is whole.
    rules = nodes.inside(node, ["iptables", "-w", "-t", "mangle", "-S", "POSTROUTING"])
    chains = [line.split()[-1] for line in rules.splitlines() if "LAB-CUT-" in line]
    return ["everybody" if name == partition.EVERYONE else name.removeprefix("LAB-CUT-") for name in chains]


def kill_node(region: str) -> str:
    """Power off a region's node at once, as a lost machine; returns its name."""
    node = edge_of(region, all_edges()).node
    run.works("docker", "kill", node, env=engine.environment())
    return node


def start_node(region: str) -> str:
    """Power a killed node on under its old address and wait until it is Ready again."""
    known = all_edges()
    edge = edge_of(region, known)
    env = engine.environment()
    container = next((node for node in nodes.containers() if node.name == edge.node), None)
    if container is None:
        raise Refused(f"Node {edge.node} is gone, not just off: `hack/lab up` makes its cluster anew.")
    if not container.running:
        # Docker hands a stopped container's address to whoever asks next; a node that
        # came back under another would be a stranger to its own cluster.
        run.works("docker", "network", "disconnect", "--force", NETWORK, edge.node, env=env)
        run.output("docker", "network", "connect", "--ip", edge.ip, NETWORK, edge.node, env=env)
        run.output("docker", "start", edge.node, env=env)
        for one, other in remembered():
            if region in (one, other):
                cut(one, other or None)
    name = known[region][0]
    if region in cut_regions():
        return edge.node
    if not cluster.eventually(lambda: _is_ready(name, edge.node), cluster.READY_SECONDS):
        raise StepFailed(f"Node {edge.node} is not Ready {cluster.READY_SECONDS} s after it was started.")
    cluster.connect_clusters([plan.name for plan in running().plans()])
    return edge.node


def load(images: Sequence[Image], regions: Sequence[str] | None) -> int:
    """Put images into the nodes of `regions` (all when None); how many copies were made.

    Never into a control plane: no pod of a bank runs there.
    """
    known = all_edges()
    targets = [edge_of(region, known).node for region in regions or known]
    inspect = ("docker", "image", "inspect", "-f", "{{.Id}}")
    wanted = {
        canonical(image.reference): run.output(*inspect, image.reference, env=engine.environment()) for image in images
    }
    missing = {node: stale for node in targets if (stale := _stale(node, wanted))}
    if missing:
        _copy(sorted(set().union(*missing.values())), wanted, list(missing))
    return sum(map(len, missing.values()))


def canonical(reference: str) -> str:
    """A reference as containerd spells it: with its registry, and `library/` for Docker's own (pure)."""
    head, slash, _ = reference.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"


def _stale(node: str, wanted: Mapping[str, str]) -> set[str]:
    """References that the node does not have, or has of another build."""
    listing = nodes.inside(node, ["ctr", "-n", "k8s.io", "images", "ls"]).splitlines()
    return {
        reference
        for reference, identity in wanted.items()
        if not any(line.startswith(f"{reference} ") and f"{_LOADED}={identity}" in line for line in listing)
    }


def _copy(references: Sequence[str], wanted: Mapping[str, str], targets: Sequence[str]) -> None:
    """One archive for all: layers that images share are then written, sent and unpacked once."""
    labels = [
        ["ctr", "-n", "k8s.io", "images", "label", reference, f"{_LOADED}={wanted[reference]}"]
        for reference in references
    ]

    def feed(node: str) -> None:
        node_image.feed(node, archive)
        for command in labels:
            nodes.inside(node, command)

    with tempfile.TemporaryDirectory(prefix="lab-", dir=paths.scratch()) as folder:
        archive = Path(folder) / "images.tar"
        run.do("docker", "save", "-o", archive, *references, env=engine.environment())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(feed, targets))


def _enforce(node: str, chain: str, commands: Sequence[Command]) -> None:
    if chain.removeprefix("LAB-CUT-") in cuts(node) or (chain == partition.EVERYONE and "everybody" in cuts(node)):
        return
    _undo(node, [chain])  # what a killed `cut` left half-made
    for command in commands:
        nodes.inside(node, command)


def _undo(node: str, chains: Sequence[str]) -> None:
    script = "\n".join(f"{' '.join(command)} 2>/dev/null || true" for command in partition.heal(chains))
    if nodes.succeeds_inside(node, ("true",)):
        nodes.inside(node, ["sh"], stdin=script)


def _is_ready(name: str, node: str) -> bool:
    try:
        return nodes.ready(name).get(node, False)
    except LabError:
        return False


def running() -> cluster.Wanted:
    """What runs; refused where nothing does."""
    wanted = cluster.wanted()
    if wanted is None or not engine.answers():
        raise Refused("No lab is running: `hack/lab up` first.")
    return wanted


def _cuts_file() -> Path:
    return paths.cache() / "clusters" / "cuts.json"


def _remember(cuts: Sequence[tuple[str, str]]) -> None:
    _cuts_file().write_text(json.dumps(sorted(set(cuts))), encoding="utf-8")
