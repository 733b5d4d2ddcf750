"""Who may reach what, in a NetworkPolicy's words (pure)."""

from collections.abc import Mapping, Sequence
from typing import Final

from bankstack.engine.objects import MANAGED, Manifest

#: Pods with one of these labels may connect, whoever made them.
LND_CLIENT: Final = "bankstack.io/lnd-client"
LEDGER_CLIENT: Final = "bankstack.io/ledger-client"
REDIS_CLIENT: Final = "bankstack.io/redis-client"


def pods(labels: Mapping[str, str]) -> Manifest:
    """Pods of the namespace with all of these labels."""
    return {"podSelector": {"matchLabels": dict(labels)}}


def clients(label: str) -> Manifest:
    """Whoever was given this label."""
    return pods({label: "true"})


NEIGHBOURS: Final[Manifest] = {"podSelector": {}}
THE_BANK: Final = pods(MANAGED)
THE_OPERATOR: Final[Manifest] = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "bankstack-system"}}
}


def door(*ports: int, callers: Sequence[Manifest] = ()) -> Manifest:
    """These ports for these callers; without any, for everybody."""
    listed = [{"port": port, "protocol": "TCP"} for port in ports]
    return {"ports": listed, "from": list(callers)} if callers else {"ports": listed}
