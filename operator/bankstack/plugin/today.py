"""The day's state of a resource in a few words: what whoever is called asks first (pure)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from bankstack.engine.objects import Manifest
from bankstack.plugin.standing import READY, RECONCILING, STALLED, Said, Standing

Status: TypeAlias = Mapping[str, Any]

#: Words of conditions while they are well; the others are only told when they are not.
WELL: Final = {
    "ChainReady": "chain at its tip",
    "WalletReady": "wallet verified",
    "SpecterReady": "people can sign",
    "Synced": "synced",
    "ChannelBackup": "backed up",
    "BackupStored": "backup stored",
    "Writable": "writable",
    "WriteConcernKept": "write concern kept",
}
_IN_READY: Final = frozenset({READY, RECONCILING, STALLED})


def words(manifest: Manifest, standing: Standing) -> tuple[str, ...]:
    """What it does now, then what of it is not as it should be."""
    status, spec = manifest.get("status") or {}, manifest.get("spec") or {}
    own = _OWN.get(manifest["kind"], _nothing)(status)
    return (*_declared(manifest, spec), *own, *(word for one in standing.conditions if (word := _word(one))))


def _declared(manifest: Manifest, spec: Status) -> Iterator[str]:
    """What a person wants of it that explains the rest."""
    if "deletionTimestamp" in manifest["metadata"]:
        yield "being deleted"
    if spec.get("paused"):
        yield "paused"


def _word(one: Said) -> str:
    if one.type in _IN_READY:
        return ""
    if one.is_well:
        return WELL.get(one.type, "")
    told = "" if one.status == "True" else f" {one.status.lower()}"
    return f"{one.type}{told} ({one.reason})"


def _cold_wallet(status: Status) -> Iterator[str]:
    if chain := status.get("chain"):
        yield str(chain)


def _lnd_node(status: Status) -> Iterator[str]:
    state = status.get("state", "Unknown")
    yield "silent" if state == "Unknown" else str(state)
    if (channels := status.get("channels")) is not None:
        yield f"{channels} {'channel' if channels == 1 else 'channels'}"
    if traffic := status.get("traffic"):
        yield f"traffic {traffic}"


def _ledger_cluster(status: Status) -> Iterator[str]:
    yield f"primary {status['primary']}" if status.get("primary") else "no primary"
    if (term := status.get("term")) is not None:
        yield f"term {term}"
    if members := status.get("members"):
        current = sum(one.get("lag") == "Current" for one in members)
        yield f"{current} of {len(members)} members current"
    if concern := status.get("writeConcern"):
        yield f"w {concern.get('w')}"


def _api_deployment(status: Status) -> Iterator[str]:
    yield f"mode {status.get('mode', 'unknown')}"
    if pods := status.get("components"):
        yield f"{sum(one.get('ready', 0) for one in pods)} of {sum(one.get('wanted', 0) for one in pods)} pods"
    if master := (status.get("redis") or {}).get("master"):
        yield f"Redis master {str(master).partition('.')[0]}"


def _nothing(_status: Status) -> Iterator[str]:
    yield from ()


_OWN: Final[Mapping[str, Callable[[Status], Iterator[str]]]] = {
    "ColdWallet": _cold_wallet,
    "LndNode": _lnd_node,
    "LedgerCluster": _ledger_cluster,
    "ApiDeployment": _api_deployment,
}
