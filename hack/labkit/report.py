"""What the lab tells a person, as aligned tables."""

from collections.abc import Iterable, Mapping, Sequence

from labkit import cluster, engine, faults, nodes
from labkit.catalog import Image
from labkit.errors import LabError
from labkit.progress import duration
from labkit.regions import ClusterPlan
from labkit.supply import Supply, labels_of

Row = Sequence[str]


def table(head: Row, rows: Sequence[Row]) -> str:
    """Columns as wide as their widest cell (pure)."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = (zip(row, widths, strict=True) for row in (head, *rows))
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines)


def after_up(plans: Sequence[ClusterPlan], seconds: float) -> str:
    """What a person wants to do next."""
    lines = [f"{plan.name}: {', '.join(plan.regions)}" for plan in plans]
    more = f" --context kind-{plans[0].name}" if len(plans) > 1 else ""
    return "\n".join([f"The lab is up after {duration(seconds)}.", *lines, f"Try: hack/lab kubectl{more} get nodes"])


def supplied(images: Iterable[Image], ways: Mapping[str, str]) -> str:
    """Which way each image took."""
    return table(
        ("IMAGE", "REFERENCE", "SUPPLY"), [(image.name, image.reference, ways[image.name]) for image in images]
    )


def status() -> str:
    """Engine, nodes with their cuts, images."""
    if not engine.answers():
        return "No container engine answers; no lab is running. `hack/lab up` starts both."
    engine_line = "engine: the lab's own" if engine.is_ours() else "engine: the one that was running"
    return f"{engine_line}\n\n{_nodes()}\n\n{_images()}"


def _nodes() -> str:
    wanted = cluster.wanted()
    if wanted is None:
        return "No lab is running: `hack/lab up` first."
    rows = [row for plan in wanted.plans() for row in _node_rows(plan)]
    return table(("NODE", "REGION", "CONTAINER", "READY", "CUT FROM"), rows)


def _node_rows(plan: ClusterPlan) -> list[Row]:
    try:
        ready = nodes.ready(plan.name)
    except LabError:
        ready = {}
    region = {plan.node_of(name): name for name in plan.regions}
    return [
        (
            node.name,
            region.get(node.name, "-"),
            "running" if node.running else "off",
            {True: "yes", False: "no"}[ready[node.name]] if node.name in ready else "unknown",
            ", ".join(faults.cuts(node.name)) if node.running else "",
        )
        for node in nodes.of_cluster(plan.name)
    ]


def _images() -> str:
    supply = Supply.standard()
    names = ["kind-node", *supply.of.bank]
    labels = labels_of([supply.images[name].reference for name in names])
    rows = [(name, supply.images[name].reference, _state(supply, supply.images[name], labels)) for name in names]
    return table(("IMAGE", "REFERENCE", "STATE"), rows)


def _state(supply: Supply, image: Image, labels: dict[str, dict[str, str]]) -> str:
    found = labels.get(image.reference)
    if found is None:
        return "absent"
    if supply.is_built_here(found):
        return "built" if supply.is_present(image) else "built from an older recipe"
    return "pulled"
