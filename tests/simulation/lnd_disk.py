"""What a fake LND has on its volume: its wallet, channels and coins, and what the chain did with them."""

import hashlib
from dataclasses import dataclass, field, replace

from bankstack.clients.lnd.answers import Closure, Htlc, Stake, Transaction
from bankstack.engine.finding import Finding, Interrupted, Transient

#: Of an opener: set aside for the end, and then paid.
RESERVED, CLOSING_FEE = 2810, 183
SENDING_FEE = 141
PEERS_SHARE = 500_000


@dataclass(frozen=True)
class Wallet:
    """What InitWallet made."""

    password: bytes
    seed: tuple[str, ...]
    root_key: bytes

    @property
    def identity(self) -> str:
        return "02" + hashlib.sha256(" ".join(self.seed).encode()).hexdigest()


@dataclass
class Disk:
    """A volume with LND's data. `made` has every wallet that was ever made on it."""

    wallet: Wallet | None = None
    made: list[Wallet] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    #: Channels that the network is told not to use.
    disabled: set[str] = field(default_factory=set)
    #: Channels whose peers are away.
    inactive: set[str] = field(default_factory=set)
    #: Channels whose peers do not agree to their end.
    unwilling: set[str] = field(default_factory=set)
    htlcs: list[Htlc] = field(default_factory=list)
    local_sat: int = 0
    sent_msat: int = 0
    height: int = 100
    recovering: bool = False
    exports: int = 0
    #: The newest LND that was started on it.
    release: str | None = None
    #: Channels that it opened itself: it pays for their end.
    ours: set[str] = field(default_factory=set)
    #: Coins of the wallet that are in the chain.
    coins_sat: int = 0
    transactions: list[Transaction] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)
    #: Whether a block comes as soon as a transaction waits for one.
    mines: bool = True
    #: What was sent where.
    sent: list[tuple[str, int]] = field(default_factory=list)

    @property
    def stakes(self) -> dict[str, Stake]:
        """In equal parts; the remainder is in the first."""
        parts = len(self.channels) or 1
        part, rest = divmod(self.local_sat, parts)
        return {
            one: Stake(f"02{place:064x}", part + (0 if place else rest), RESERVED if one in self.ours else 0)
            for place, one in enumerate(sorted(self.channels))
        }

    @property
    def pending(self) -> list[Transaction]:
        """Those that wait for a block."""
        return [one for one in self.transactions if one.confirmations == 0]

    def close(self, outpoint: str) -> None:
        """Both sides agree, and the opener pays."""
        stake = self.stakes[outpoint]
        fee = CLOSING_FEE if outpoint in self.ours else 0
        txid, settled = f"closing-{outpoint}", stake.own_sat - fee
        self.channels.discard(outpoint)
        self.local_sat -= stake.local_sat
        capacity = stake.own_sat + PEERS_SHARE
        self.transactions.append(Transaction(txid, settled, outputs_sat=capacity - fee))
        self.closures.append(Closure(outpoint, txid, 0, capacity, settled, ours=outpoint in self.ours))

    def send_all(self, address: str, label: str) -> None:
        """Every coin that is in the chain."""
        if self.coins_sat <= SENDING_FEE:
            raise unanswered("insufficient funds available to construct transaction")
        self.transactions.append(Transaction(f"sweep-{len(self.sent)}", -self.coins_sat, SENDING_FEE, 0, label))
        self.sent.append((address, self.coins_sat - SENDING_FEE))
        self.coins_sat = 0

    def mine(self) -> None:
        """A block, with everything that waits for one."""
        self.height += 1
        self.coins_sat += sum(one.amount_sat for one in self.pending if one.amount_sat > 0)
        buried = {one.txid for one in self.pending}
        self.transactions = [replace(one, confirmations=one.confirmations + 1) for one in self.transactions]
        self.closures = [replace(one, height=self.height) if one.txid in buried else one for one in self.closures]
        self.closed |= {one.outpoint for one in self.closures if one.height}


def unanswered(told: str) -> Interrupted:
    return Interrupted(
        Finding("LndSilent", f"LND did not answer ({told}): nothing is concluded from that", Transient())
    )
