"""What a fake LND has on its volume: its wallet, channels and coins, and what the chain did with them."""

import hashlib
from dataclasses import dataclass, field, replace

from bankstack.clients.lnd.answers import Closure, Htlc, Stake, Transaction
from bankstack.engine.finding import Finding, Interrupted, Transient

#: Of an opener: set aside for the end, and then paid.
RESERVED, CLOSING_FEE = 2810, 183
SENDING_FEE = 141
#: What its wallet keeps back for each open channel, to pay for an end by force.
KEPT_BACK = 10_000
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
    #: Of others: closing transactions that pay its wallet nothing.
    foreign: list[Transaction] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)
    #: Whether a block comes as soon as a transaction waits for one.
    mines: bool = True
    #: Of one transaction with all coins.
    sending_fee_sat: int = SENDING_FEE
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
        return [one for one in (*self.transactions, *self.foreign) if one.confirmations == 0]

    def close(self, outpoint: str) -> None:
        """Both sides agree, and the opener pays."""
        stake = self.stakes[outpoint]
        fee = CLOSING_FEE if outpoint in self.ours else 0
        txid, settled = f"closing-{outpoint}", stake.own_sat - fee
        self.channels.discard(outpoint)
        self.local_sat -= stake.local_sat
        capacity = stake.own_sat + PEERS_SHARE
        made = Transaction(txid, settled, outputs_sat=capacity - fee)
        (self.transactions if settled else self.foreign).append(made)
        self.closures.append(Closure(outpoint, txid, 0, capacity, settled, ours=outpoint in self.ours))

    def send_all(self, address: str, label: str) -> None:
        """Every coin that is in the chain, but for what is kept back while there are channels."""
        back = KEPT_BACK * len(self.channels)
        arrives = self.coins_sat - self.sending_fee_sat - back
        if arrives <= 0:
            sums = f"input_sum={self.coins_sat} sat, output_sum={self.sending_fee_sat + back} sat"
            raise unanswered(f"insufficient input to create sweep tx: {sums}")
        seen = (self.sending_fee_sat, 0, label, arrives + back, back)
        self.transactions.append(Transaction(f"sweep-{len(self.sent)}", back - self.coins_sat, *seen))
        self.sent.append((address, arrives))
        self.coins_sat = 0

    def mine(self) -> None:
        """A block, with everything that waits for one."""
        self.height += 1
        # What an own transaction left comes back with its block, like what others paid.
        arrived = (one.returned_sat or one.amount_sat for one in self.pending)
        self.coins_sat += sum(sat for sat in arrived if sat > 0)
        buried = {one.txid for one in self.pending}
        self.transactions, self.foreign = _deeper(self.transactions), _deeper(self.foreign)
        self.closures = [replace(one, height=self.height) if one.txid in buried else one for one in self.closures]
        self.closed |= {one.outpoint for one in self.closures if one.height}


def _deeper(listed: list[Transaction]) -> list[Transaction]:
    return [replace(one, confirmations=one.confirmations + 1) for one in listed]


def unanswered(told: str) -> Interrupted:
    return Interrupted(
        Finding("LndSilent", f"LND did not answer ({told}): nothing is concluded from that", Transient())
    )
