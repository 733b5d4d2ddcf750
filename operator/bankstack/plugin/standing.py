"""What a resource says of itself, read once for all commands (pure).

Silence is told as silence: a status that speaks of an older spec, or none at all, is not
Ready, whatever it says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bankstack.engine.objects import Manifest

READY, STALLED, RECONCILING = "Ready", "Stalled", "Reconciling"
#: True of these is worth telling; the others are as they should be when they are True.
BAD_WHEN_TRUE: Final = frozenset({STALLED, RECONCILING, "ChangePending", "PlanRunning", "RetiredCoins", "Paused"})
NOT_LOOKED_AT: Final = "NotLookedAt"

#: What each condition proves while it is True.
PROOFS: Final[Mapping[str, str]] = {
    "ChainReady": "bitcoind follows the declared chain to its tip",
    "WalletReady": "the wallet watches the declared descriptors, nothing else, and knows its coins",
    "SpecterReady": "people can sign",
    "Synced": "LND follows the chain",
    "ChannelBackup": "every channel is in the newest channel backup",
    "BackupStored": "the newest channel backup is in the object store",
    "Writable": "a write of this term was acknowledged by a majority",
    "WriteConcernKept": "no client asks for less than the declared write concern",
    "FullService": "the API may do everything",
    "LedgerReady": "the ledger takes entries",
    "RedisReady": "Redis grants locks",
    "LightningReady": "every Lightning node serves",
    "ComponentsReady": "every component runs as declared",
}


@dataclass(frozen=True)
class Said:
    """One condition."""

    type: str
    status: str
    reason: str
    message: str
    since: str

    @property
    def is_well(self) -> bool:
        """Whether it is as it should be."""
        return (self.status == "False") if self.type in BAD_WHEN_TRUE else (self.status == "True")

    def __str__(self) -> str:
        return f"{self.type}={self.status}"


@dataclass(frozen=True)
class Standing:
    """Ready or not, by the operator's last word and how old that is."""

    ready: str
    reason: str
    message: str
    conditions: tuple[Said, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether it is Ready, of what is declared now."""
        return self.ready == "True"

    def find(self, kind: str) -> Said | None:
        """The condition of this type."""
        return next((one for one in self.conditions if one.type == kind), None)


def read(manifest: Manifest) -> Standing:
    """How it stands."""
    found = tuple(_conditions(manifest.get("status") or {}))
    ready = next((one for one in found if one.type == READY), None)
    if ready is None:
        return Standing("Unknown", NOT_LOOKED_AT, _silent(manifest), found)
    if told := _outdated(manifest):
        return Standing("Unknown", NOT_LOOKED_AT, told, found)
    return Standing(ready.status, ready.reason, ready.message, found)


def _conditions(status: Mapping[str, Any]) -> Iterator[Said]:
    for one in status.get("conditions") or ():
        words = (str(one.get(key, "")) for key in ("type", "status", "reason", "message", "lastTransitionTime"))
        yield Said(*words)


def _silent(manifest: Manifest) -> str:
    return (
        f"the operator has said nothing of {manifest['kind']} {manifest['metadata']['name']} yet: nobody knows how it "
        "stands. If this stays, see that the operator runs (kubectl -n bankstack-system get pods) and has its Role in "
        "this namespace (manifests/bank)"
    )


def _outdated(manifest: Manifest) -> str | None:
    now = manifest["metadata"].get("generation", 0)
    seen = (manifest.get("status") or {}).get("observedGeneration", 0)
    if seen >= now:
        return None
    return (
        f"what is declared was changed (generation {now}), and the operator's last word is of generation {seen}: wait "
        "a moment. If this stays, see that the operator runs (kubectl -n bankstack-system get pods)"
    )
