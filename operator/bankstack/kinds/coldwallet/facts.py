"""What is true of a ColdWallet now, as values that hold no secret (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest, Ref
from bankstack.kinds.coldwallet.descriptors import Pair
from bankstack.kinds.coldwallet.former import Former


@dataclass(frozen=True)
class Silent(Unknown):
    """No answer from bitcoind: `reason` a word for conditions, `what` a sentence."""

    what: str


#: Reason of a silence whose end an event tells: the pod does not run yet.
STARTING: Final = "BitcoindStarting"


@dataclass(frozen=True)
class Chain:
    """What bitcoind says of itself. The ZMQ ports are None where it sends nothing."""

    name: str
    blocks: int
    headers: int
    initial_download: bool
    progress: float
    disk_bytes: int
    version: int
    subversion: str
    peers: int
    zmq_block_port: int | None = None
    zmq_tx_port: int | None = None


class Place(Enum):
    """Where the watching wallet is."""

    MISSING = "not there"
    UNLOADED = "on disk, not loaded"


class Scan(Enum):
    """How the scan for the wallet's coins stands, as far as this process saw it."""

    UNSEEN = "not seen"
    RUNNING = "running"
    DONE = "seen to end well"


@dataclass(frozen=True)
class Wallet:
    """The loaded wallet. `descriptors` as bitcoind words them: receive ones, change ones.

    `first_address` is what the declared receive descriptor gives, `owns_first` whether
    the wallet calls it its own; both None while it watches nothing.
    """

    private_keys: bool
    receive: tuple[str, ...]
    change: tuple[str, ...]
    scanned: float | None
    balance_sat: int
    #: None where bitcoind did not list them in time: nothing hangs on it.
    utxos: int | None = None
    first_address: str | None = None
    owns_first: bool | None = None


@dataclass(frozen=True)
class Pod:
    """One of our pods: why it does not run, where the kubelet says so."""

    component: str
    ready: bool
    trouble: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that a decision is made from.

    `live` has every object made for the resource but Secrets; of those only which
    there are, by name, with their uid.
    """

    live: Mapping[Ref, Manifest]
    #: What the spec watches, or why nothing can.
    watched: Pair | None = None
    unusable: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: Whether our own Secrets are whole, so that nothing has to be made or put back.
    credentials_intact: bool = False
    specter_secrets_intact: bool = False
    #: Whether the log-in for Specter is there, ours or the user's.
    log_in_is_there: bool = False
    pods: tuple[Pod, ...] = ()
    chain: Chain | Silent = Silent("NotAsked", "bitcoind was not asked")
    wallet: Wallet | Place | Silent = Silent("NotAsked", "bitcoind was not asked")
    scan: Scan = Scan.UNSEEN
    formers: tuple[Former, ...] = ()
