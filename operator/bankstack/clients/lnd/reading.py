"""LND's messages in our words, and ours in LND's (pure)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bankstack.clients.lnd import lnd_pb2 as pb
from bankstack.clients.lnd.answers import Account, Closure, Htlc, InUse, Stake, Transaction

#: Seconds for which LND may look for a way before a payment is in any channel: it cost nothing until then.
LONGEST_TRY: Final = 120
#: Payments in one answer. Not told how many, LND gives the first hundred and says nothing of the others.
PAGE: Final = 100


def newest_payments() -> pb.ListPaymentsRequest:
    """Asks for the last page. Asked for those since a date, LND reads through all that it ever made."""
    return pb.ListPaymentsRequest(include_incomplete=True, omit_hops=True, max_payments=PAGE, reversed=True)


def reaches_back(page: Iterable[pb.Payment], since: datetime) -> bool:
    """Whether what LND lists before this page had ended by then, or was in a channel."""
    return any(_is_older(one, since) for one in page)


def cost_msat(page: Iterable[pb.Payment], since: datetime) -> int:
    """What those have cost that were paid since then, or may yet be."""
    return sum(one.value_msat + one.fee_msat for one in page if _costs(one, since))


def _is_older(told: pb.Payment, since: datetime) -> bool:
    return told.creation_time_ns < (int(since.timestamp()) - LONGEST_TRY) * 10**9


def _costs(told: pb.Payment, since: datetime) -> bool:
    if told.status == pb.Payment.FAILED or _is_older(told, since):
        return False
    ended = max((one.resolve_time_ns for one in told.htlcs), default=0)
    # `since` is told in whole seconds: one earlier, so that none is missed.
    return told.status != pb.Payment.SUCCEEDED or ended >= (int(since.timestamp()) - 1) * 10**9


def htlc(outpoint: str, told: pb.HTLC) -> Htlc:
    """A payment on its way."""
    return Htlc(outpoint, told.incoming, told.amount, told.expiration_height, told.hash_lock.hex())


def in_use(listed: Iterable[pb.Channel]) -> InUse:
    """Which of the open channels payments may take."""
    active = frozenset(one.channel_point for one in listed if one.active)
    return InUse(active, frozenset(one.channel_point for one in listed if not one.private))


def place(outpoint: str) -> pb.ChannelPoint:
    """A funding outpoint as requests have it."""
    txid, _, index = outpoint.partition(":")
    return pb.ChannelPoint(funding_txid_str=txid, output_index=int(index))


def stake(told: pb.Channel) -> Stake:
    """What the node has in a channel."""
    # What is neither side's and not on its way is the opener's: commitment fee, anchors, and rounding.
    reserved = told.capacity - told.local_balance - told.remote_balance - told.unsettled_balance
    return Stake(told.remote_pubkey, told.local_balance, reserved if told.initiator else 0)


def sendable(told: pb.Channel) -> int:
    """What we can pay over a channel: its reserve (as a rule 1 % of the capacity) is ours, and cannot be paid."""
    return max(0, told.local_balance - told.local_constraints.chan_reserve_sat) if told.active else 0


def receivable(told: pb.Channel) -> int:
    """What its peer can pay us over it."""
    return max(0, told.remote_balance - told.remote_constraints.chan_reserve_sat) if told.active else 0


def closure(told: pb.ChannelCloseSummary) -> Closure:
    """How a channel ended."""
    ours = told.open_initiator == pb.Initiator.INITIATOR_LOCAL
    together = told.close_type == pb.ChannelCloseSummary.COOPERATIVE_CLOSE
    paid = (told.capacity, told.settled_balance)
    return Closure(told.channel_point, told.closing_tx_hash, told.close_height, *paid, together, ours)


def transaction(told: pb.Transaction) -> Transaction:
    """One of the wallet's."""
    outputs = sum(one.amount for one in told.output_details)
    returned = sum(one.amount for one in told.output_details if one.is_our_address)
    seen = (told.num_confirmations, told.label)
    return Transaction(told.tx_hash, told.amount, told.total_fees, *seen, outputs, returned)


def is_disabled(edge: pb.ChannelEdge, identity: str) -> bool | None:
    """Of our own direction; None where the network was never told of it."""
    ours = "node1_policy" if edge.node1_pub == identity else "node2_policy"
    if identity not in (edge.node1_pub, edge.node2_pub) or not edge.HasField(ours):
        return None
    return bool(getattr(edge, ours).disabled)


def account(told: pb.Account) -> Account:
    """One of the wallet's accounts; LND writes its path like m/84'/0'/0'."""
    purpose = told.derivation_path.removeprefix("m/").partition("'")[0]
    return Account(purpose, told.extended_public_key, told.external_key_count, told.internal_key_count)
