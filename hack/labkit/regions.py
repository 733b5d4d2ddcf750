"""How regions are dealt over clusters and nodes (pure).

A region is one worker node of one cluster. With several clusters the regions are
dealt in turn, so that each name stays unique in the lab and `cut west` is plain.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.errors import Refused

DEFAULT_REGIONS = ("east", "west", "central")
BASE = "bankstack"
LABEL = "topology.kubernetes.io/region"
#: Twenty characters: an iptables chain is named after each region, and 28 is all it may have.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


@dataclass(frozen=True)
class ClusterPlan:
    """One kind cluster to be: its name, its regions in node order, its addresses."""

    name: str
    regions: tuple[str, ...]
    index: int

    @property
    def pod_subnet(self) -> str:
        """Apart per cluster, so that pods of two clusters can reach each other."""
        return f"10.{244 + self.index}.0.0/16"

    @property
    def service_subnet(self) -> str:
        """Services are local to a cluster, but distinct ranges make logs readable."""
        return f"10.{96 + self.index}.0.0/16"

    def node_of(self, region: str) -> str:
        """The worker's container name; kind numbers workers in the order of its config."""
        number = self.regions.index(region) + 1
        return f"{self.name}-worker{number if number > 1 else ''}"


def parse(text: str) -> tuple[str, ...]:
    """`east,west` as names; refuses what Kubernetes could not take as a label."""
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if not _NAME.fullmatch(name):
            raise Refused(
                f"--regions: {name!r} is no region name; use lower-case letters, digits and dashes, like east,west."
            )
    if len(set(names)) < len(names):
        raise Refused(f"--regions: {text!r} names a region twice; each is one node, so name it once.")
    return names


def deal(regions: Sequence[str], clusters: int) -> tuple[ClusterPlan, ...]:
    """Regions dealt over `clusters` clusters in turn; every cluster gets at least one."""
    if not 1 <= clusters <= len(regions):
        raise Refused(
            f"--clusters {clusters}: a cluster needs a region of its own, and there are {len(regions)}; "
            f"use 1 to {len(regions)}, or name more --regions."
        )
    return tuple(
        ClusterPlan(BASE if index == 0 else f"{BASE}-{index + 1}", tuple(regions[index::clusters]), index)
        for index in range(clusters)
    )


def is_name(cluster: str) -> bool:
    """Whether the lab may have given a cluster this name."""
    return re.fullmatch(rf"{BASE}(-[2-9]|-[1-9][0-9]+)?", cluster) is not None
