"""What LND answers, in our words (pure). Amounts are sat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How far LND has come; the words are its own."""

    NON_EXISTING = "NON_EXISTING"
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    RPC_ACTIVE = "RPC_ACTIVE"
    SERVER_ACTIVE = "SERVER_ACTIVE"
    WAITING_TO_START = "WAITING_TO_START"


@dataclass(frozen=True)
class Info:
    """Who the node is and where it stands."""

    identity_pubkey: str
    version: str
    synced: bool
    block_height: int
    active: int = 0
    inactive: int = 0
    pending: int = 0
    peers: int = 0


@dataclass(frozen=True)
class Funds:
    """What the node holds; `limbo_sat` is on its way out of closing channels."""

    confirmed_sat: int = 0
    unconfirmed_sat: int = 0
    locked_sat: int = 0
    local_sat: int = 0
    remote_sat: int = 0
    unsettled_sat: int = 0
    pending_open_sat: int = 0
    limbo_sat: int = 0
    #: What the node, as a channel's opener, has set aside for commitment fees: back in its balance when they fall.
    commit_fees_sat: int = 0

    @property
    def on_chain_sat(self) -> int:
        """The wallet's coins, whether they can be spent now or not."""
        return self.confirmed_sat + self.unconfirmed_sat + self.locked_sat

    @property
    def own_sat(self) -> int:
        """Everything that is or may become the node's."""
        return self.on_chain_sat + self.local_sat + self.unsettled_sat + self.pending_open_sat + self.limbo_sat


@dataclass(frozen=True)
class Htlc:
    """A payment on its way through a channel; at `expiry_height` it can be taken back on the chain."""

    channel: str
    incoming: bool
    amount_sat: int
    expiry_height: int
    payment_hash: str = ""


@dataclass(frozen=True)
class Stake:
    """What the node has in an open channel, and with whom.

    `reserved_sat`: as the channel's opener, what it has set aside for fees and anchors, and gets back at the end.
    """

    peer: str
    local_sat: int
    reserved_sat: int = 0

    @property
    def own_sat(self) -> int:
        """All that is the node's."""
        return self.local_sat + self.reserved_sat


@dataclass(frozen=True)
class InUse:
    """Open channels by their outpoints: those whose peers are there, and those that the network is told of."""

    active: frozenset[str]
    public: frozenset[str]


@dataclass(frozen=True)
class Closure:
    """A channel that is history. `settled_sat` is what the closing transaction paid the node at once."""

    outpoint: str
    txid: str
    height: int
    capacity_sat: int
    settled_sat: int
    cooperative: bool = True
    #: Whether the node opened it, and so pays for its end.
    ours: bool = False


@dataclass(frozen=True)
class Transaction:
    """One that the node's wallet has a part in. `fee_sat` is known where all that it spends was the wallet's."""

    txid: str
    amount_sat: int
    fee_sat: int = 0
    confirmations: int = 0
    label: str = ""
    outputs_sat: int = 0
    #: Of its outputs, what came back to the wallet itself.
    returned_sat: int = 0


@dataclass(frozen=True)
class Account:
    """An account of the wallet, as everybody may know it who may know its addresses.

    `purpose` is the first step of its path (84: P2WPKH, 86: taproot, 49: nested). `external`
    and `internal`: how many addresses were drawn from its two branches.
    """

    purpose: str
    public_key: str
    external: int
    internal: int


@dataclass(frozen=True)
class Channels:
    """The channels that can still cost or bring money, by funding outpoint."""

    open: frozenset[str] = frozenset()
    opening: frozenset[str] = frozenset()
    closing: frozenset[str] = frozenset()
    #: Of the open ones: those whose peer is there, and those that the network knows of.
    active: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    htlcs: tuple[Htlc, ...] = ()
    #: Of the open ones.
    stakes: Mapping[str, Stake] = field(default_factory=dict)
    #: Over the active ones, above what each side has to keep in a channel: at most so much can be paid and received
    #: now; fees of the commitment that the channel's opener pays are still to come off.
    sendable_sat: int = 0
    receivable_sat: int = 0

    @property
    def to_back_up(self) -> frozenset[str]:
        """Those whose loss a channel backup is for."""
        return self.open | self.opening


@dataclass(frozen=True)
class Announced:
    """What the network is told of our own direction of channels; those it knows nothing of are in neither."""

    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()


class Use(StrEnum):
    """What the network shall be told of a channel; AUTO leaves it to LND. The words are its own."""

    ENABLE = "ENABLE"
    DISABLE = "DISABLE"
    AUTO = "AUTO"


@dataclass(frozen=True)
class Permission:
    """One thing a macaroon allows: an entity and an action, or uri and a method's path."""

    entity: str
    action: str
