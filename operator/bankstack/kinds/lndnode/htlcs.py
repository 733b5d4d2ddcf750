"""Whether payments on their way outlast a restart (pure).

An incoming HTLC whose preimage is known is taken to the chain 16 blocks before it runs
out, an outgoing one when it does (LND's own defaults). Both close the channel by force,
and while LND is away nobody does either in time: so what is left until then must exceed
what the restart may take.
"""

import math
from collections.abc import Iterable
from typing import Final

from bankstack.clients.lnd.answers import Htlc
from bankstack.kinds.lndnode.model import Recycle
from bankstack.kinds.lndnode.subject import LndNode

#: LND's DefaultIncomingBroadcastDelta.
INCOMING_DELTA: Final = 16
BLOCK_SECONDS: Final = 600
#: A restart is given this many times as long as the last one took, and six hours at most for its sake: one that took
#: longer waited for something else, an image or a node, and no payment would ever outlast the next.
CAUTION: Final = 3
CAUTION_MOST: Final = 36


def recycle(node: LndNode) -> Recycle:
    """How a restart may go about it."""
    return node.spec.recycle or Recycle()


def needed_blocks(node: LndNode) -> int:
    """What must be left of every HTLC when LND is stopped."""
    return max(recycle(node).max_downtime_blocks, _cautious(node))


def _cautious(node: LndNode) -> int:
    last = node.status.last_downtime_seconds or 0
    return min(CAUTION_MOST, math.ceil(CAUTION * last / BLOCK_SECONDS))


def blocks_left(htlc: Htlc, tip: int) -> int:
    """Until its channel would have to be closed for it."""
    return htlc.expiry_height - (INCOMING_DELTA if htlc.incoming else 0) - tip


def tightest(htlcs: Iterable[Htlc], tip: int) -> Htlc | None:
    """The one that runs out first."""
    return min(htlcs, key=lambda one: (blocks_left(one, tip), one.channel, one.payment_hash), default=None)


def too_tight(node: LndNode, htlcs: tuple[Htlc, ...], tip: int) -> str | None:
    """Why LND must not be stopped now: which HTLC, how many blocks, what to do."""
    found, needed = tightest(htlcs, tip), needed_blocks(node)
    if found is None or blocks_left(found, tip) > needed:
        return None
    why = f" (the last one took {node.status.last_downtime_seconds} s)" if needed == _cautious(node) else ""
    return (
        f"{described(found, tip)}, and a restart needs more than {needed}{why}: were LND away that long, the channel "
        "would be closed by force. LND is not stopped. Wait until this payment is settled or failed (lncli "
        "listchannels shows it; of your own hold invoice: settle or cancel it), then make another plan"
    )


def described(htlc: Htlc, tip: int) -> str:
    """An HTLC as people find it again."""
    way = "incoming" if htlc.incoming else "outgoing"
    named = f" of payment {htlc.payment_hash[:16]}…" if htlc.payment_hash else ""
    return (
        f"the {way} HTLC of {htlc.amount_sat} sat{named} in channel {htlc.channel} has {blocks_left(htlc, tip)} "
        f"blocks left at height {tip}"
    )
