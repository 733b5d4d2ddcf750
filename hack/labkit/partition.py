"""Cutting a region off, as iptables commands (pure).

A true partition: packets die at the node's edge while its pods keep running and
keep believing. The rules sit in `raw` and `mangle`, where kube-proxy and the
engine write nothing, so nobody reorders them; they hold for established flows too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Command = tuple[str, ...]

_TABLES = (("raw", "PREROUTING", "-i", "-s"), ("mangle", "POSTROUTING", "-o", "-d"))
EVERYONE = "LAB-CUT-ALL"


@dataclass(frozen=True)
class Edge:
    """Where one node meets the others: its addresses seen from outside."""

    node: str
    region: str
    ip: str
    pod_cidr: str

    @property
    def sources(self) -> tuple[str, str]:
        """Pods keep their own address between nodes, so both are the node's."""
        return (self.ip, self.pod_cidr)


def cut_all() -> list[Command]:
    """Nothing in, nothing out of the node this runs on, whoever it is from."""
    return [
        command
        for table, hook, direction, _ in _TABLES
        for command in _chain(table, hook, EVERYONE, [(direction, "eth0")])
    ]


def cut_from(other: Edge) -> list[Command]:
    """Nothing to or from the other node or its pods; run on both sides."""
    return [
        command
        for table, hook, _, peer in _TABLES
        for command in _chain(table, hook, chain_for(other.region), [(peer, source) for source in other.sources])
    ]


def heal(chains: Sequence[str]) -> list[Command]:
    """Undo, whichever of `chains` exist: each line may fail where there is nothing to undo."""
    return [
        command
        for chain in chains
        for table, hook, _, _ in _TABLES
        for command in (
            ("iptables", "-w", "-t", table, "-D", hook, "-j", chain),
            ("iptables", "-w", "-t", table, "-F", chain),
            ("iptables", "-w", "-t", table, "-X", chain),
        )
    ]


def chain_for(region: str) -> str:
    """The chain that cuts from `region`; `regions.parse` keeps names short enough for it."""
    return f"LAB-CUT-{region}"


def _chain(table: str, hook: str, chain: str, matches: Sequence[tuple[str, str]]) -> list[Command]:
    # Filled before it is hooked in: a cut is whole or absent, never half.
    fill = [("iptables", "-w", "-t", table, "-A", chain, flag, value, "-j", "DROP") for flag, value in matches]
    return [
        ("iptables", "-w", "-t", table, "-N", chain),
        *fill,
        ("iptables", "-w", "-t", table, "-I", hook, "1", "-j", chain),
    ]
