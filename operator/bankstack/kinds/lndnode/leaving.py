"""The steps of a Replace in which channels and coins leave the node (pure), until nothing is left to lose.

No channel is closed by force: one whose peer is away is waited for, with what is at stake
in it. Coins are counted by what the chain and the wallet say of them afterwards, never by
what was meant to be sent.
"""

from datetime import datetime
from typing import Final

from bankstack.clients.lnd.answers import Channels, Closure, Funds, Info, Transaction
from bankstack.engine.conditions import stamp
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import Abort, Do, Done, Verdict, Wait
from bankstack.kinds.lndnode import addresses, htlcs, stages
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.stages import SOON
from bankstack.kinds.lndnode.subject import LndNode

#: Blocks come when they come.
BLOCK: Final = 15.0
#: Parameters of the plan.
DESTINATION, FEE_RATE = "destination", "satPerVbyte"
#: Less is not worth a transaction of its own: it stays in the old wallet, whose seed is kept.
DUST_SAT: Final = 1000
#: What LND's wallet keeps back for a channel, so that its end by force can be paid for with coins that are in none.
BUMP_SAT: Final = 10_000
#: What Drain keeps: how much of the start was in channels.
CHANNEL_SAT: Final = "channelSat"
#: Transactions of others that are named, so that what to do still fits into a plan's status.
NAMED: Final = 3


def drain(_node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """No payment at all is on its way: a channel with one cannot be closed together with its peer."""
    channels, funds, info = facts.channels, facts.funds, facts.info
    if not isinstance(channels, Channels) or not isinstance(funds, Funds) or not isinstance(info, Info):
        return stages.silent()
    if channels.opening or channels.closing or funds.limbo_sat:
        return Wait("a channel is being opened or closed: what the node has is counted once that is buried", BLOCK)
    found = htlcs.tightest(channels.htlcs, info.block_height)
    if found is not None:
        told = f"{len(channels.htlcs)} HTLCs are pending; {htlcs.described(found, info.block_height)}"
        return Wait(f"{told}. All of them are waited for: no channel is closed before", SOON)
    inside = sum(one.own_sat for one in channels.stakes.values())
    start = funds.on_chain_sat + inside
    kept = {stages.AT: stamp(now), stages.HEIGHT: str(info.block_height), stages.START_SAT: str(start)}
    return Done(
        f"0 pending HTLCs at height {info.block_height}; the node has {start} sat: {funds.on_chain_sat} on-chain, and "
        f"{inside} in {len(channels.open)} channels with what is set aside for their fees",
        {**kept, CHANNEL_SAT: str(inside)},
    )


def close(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """Every channel is asked to be closed by both sides."""
    channels = facts.channels
    if not isinstance(channels, Channels):
        return stages.silent()
    busy = {one.channel for one in channels.htlcs}
    if (channels.open & channels.active) - busy:
        told = f"{len(channels.open)} channels are open: their peers are asked to close them, a few at a time"
        return Do((Ask("close_channels", "Plan", _rate(node)),), told)
    if channels.opening:
        return Wait(f"channel {min(channels.opening)} is being opened: it is waited for, and closed then", BLOCK)
    if not channels.open:
        listed = ", ".join(sorted(channels.closing)) or "none was open"
        return Done(f"no channel is open any more; on their way to the chain: {listed}")
    if busy & channels.open:
        return Wait(f"a payment came into channel {min(busy & channels.open)}: it is closed once that has ended", SOON)
    return Wait(_away(channels), BLOCK)


def _away(channels: Channels) -> str:
    first = min(channels.open)
    stake = channels.stakes.get(first)
    peer, sats = (stake.peer, stake.own_sat) if stake else ("unknown", 0)
    total = sum(one.own_sat for one in channels.stakes.values())
    return (
        f"channel {first} cannot be closed, its peer {peer} is away: {sats} sat in it are ours ({total} sat in "
        f"{len(channels.open)} such channels). Nothing is closed by force. Get the peer back (lncli connect), or close "
        "it by force yourself (lncli closechannel --force: its coins then come after days), or cancel the plan: LND "
        "runs on with the channels that are left"
    )


def bury(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """Every closing transaction is in the chain, and what it pays has arrived."""
    if inside := _inside(node, facts, now):
        return inside
    if isinstance(facts.closures, Unknown):
        return Wait(f"LND does not say how its channels ended ({facts.closures.reason})", SOON)
    ended = _ended(node, facts)
    heights = ", ".join(f"{one.outpoint} by {one.txid} at height {one.height}" for one in ended) or "there was none"
    return Done(f"{len(ended)} channels are closed: {heights}")


def _inside(node: LndNode, facts: Facts, now: datetime) -> Verdict | None:
    """What is still in channels, or on its way out of them. Peers open others at any time: these are closed as well."""
    channels, funds = facts.channels, facts.funds
    if not isinstance(channels, Channels) or not isinstance(funds, Funds):
        return stages.silent()
    if channels.open | channels.opening:
        return close(node, facts, now)
    if not channels.closing and not funds.limbo_sat:
        return None
    return Wait(
        f"{len(channels.closing)} channels are not closed yet ({min(channels.closing, default='none')} first), "
        f"{funds.limbo_sat} sat are on their way out of them: blocks are waited for",
        BLOCK,
    )


def sweep(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """All coins are at the destination, in the chain. The transaction is known by its label, also after a crash."""
    funds, sent = facts.funds, _sent(node, facts)
    if not isinstance(funds, Funds) or sent is None:
        return stages.silent()
    if not_yet := _came_back(sent) or _inside(node, facts, now) or _in_the_way(funds, sent):
        return not_yet
    if funds.confirmed_sat > DUST_SAT:
        told = f"LND is asked to send {funds.confirmed_sat} sat to the destination"
        words = {"address": _destination(node), "label": label(node), **_rate(node)}
        return Do((Ask("sweep", "Plan", words),), f"{told}: if it does not, condition Ready of {node.name} says why")
    paid = ", ".join(f"{_amount(one)} sat by {one.txid} for a fee of {one.fee_sat} sat" for one in sent)
    left = f"; {funds.confirmed_sat} sat stay, too little to be sent" if funds.confirmed_sat else ""
    return Done(f"{paid or 'there was nothing to send'}{left}")


def _came_back(sent: tuple[Transaction, ...]) -> Abort | None:
    # Of what went to another wallet a part may come back: LND's own reserve, where a channel was opened just before.
    back = next((one for one in sent if one.returned_sat and one.returned_sat >= one.outputs_sat), None)
    if back is None:
        return None
    return Abort(
        f"transaction {back.txid} paid all of its {back.returned_sat} sat to LND's own wallet: the destination is an "
        "address of the node that is to be replaced. The coins are there, less the fee. Make another plan with an "
        "address of another wallet"
    )


def _in_the_way(funds: Funds, sent: tuple[Transaction, ...]) -> Wait | None:
    if unburied := [one for one in sent if one.confirmations == 0]:
        return Wait(f"transaction {unburied[0].txid} to the destination waits for a block", BLOCK)
    if funds.locked_sat:
        return Wait(f"{funds.locked_sat} sat are locked by somebody (lncli wallet listleases): release them", BLOCK)
    if funds.unconfirmed_sat:
        return Wait(f"{funds.unconfirmed_sat} sat came in and wait for a block", BLOCK)
    return None


def account(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """Every satoshi of the start is where it was sent, or a fee that can be looked up."""
    if not_yet := _to_keep(node, facts):
        return not_yet
    channels, funds, info = facts.channels, facts.funds, facts.info
    if not isinstance(channels, Channels) or not isinstance(funds, Funds) or not isinstance(info, Info):
        return stages.silent()
    if came := _inside(node, facts, now) or came_since(channels, funds):
        return came
    sums = _sums(node, facts, funds)
    if isinstance(sums, Wait):
        return sums
    return Done(sums, {stages.AT: stamp(now), stages.IDENTITY: info.identity_pubkey})


def came_since(channels: Channels, funds: Funds) -> Wait | None:
    """What a node that is replaced must not have any more: with its identity it would be left behind."""
    if not channels.open | channels.opening | channels.closing and funds.own_sat <= DUST_SAT:
        return None
    return Wait(
        f"something came after the sweep: {funds.own_sat} sat, {len(channels.to_back_up)} channels. Nothing is "
        "stopped with that in it. Send it on (lncli sendcoins --sweepall, lncli closechannel), or cancel the plan",
        BLOCK,
    )


def _to_keep(node: LndNode, facts: Facts) -> Do | Wait | None:
    """What only a running LND can say."""
    if facts.wallet is None or addresses.DESCRIPTORS not in facts.wallet.keys:
        return Do((Ask("keep_addresses", "Plan"),), "what the wallet's addresses are drawn from is written down")
    pod = stages.pod(node, facts)
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return Wait("LND's pod is being replaced by somebody else: it is waited for", SOON)
    return None


def _sums(node: LndNode, facts: Facts, funds: Funds) -> str | Wait:
    sent = _sent(node, facts)
    if sent is None or isinstance(facts.closures, Unknown) or isinstance(facts.sent_msat, Unknown):
        return stages.silent()
    start, ended = _at_drain(node, stages.START_SAT), _ended(node, facts)
    swept, sweep_fee, left = sum(map(_amount, sent)), sum(one.fee_sat for one in sent), funds.on_chain_sat
    known, unclear = _closing_fees(facts, ended)
    paid = -(-facts.sent_msat // 1000)
    came_out = known + sum(one.settled_sat for one in ended if one not in unclear)
    stayed = max(0, _at_drain(node, CHANNEL_SAT) - came_out - paid)
    rest = start - swept - sweep_fee - left - known
    if rest > paid + _cost_most(unclear, stayed):
        return Wait(
            f"{rest} of {start} sat cannot be accounted for: {swept} sat were sent for a fee of {sweep_fee}, closing "
            f"cost {known}, {paid} were paid through channels since{_others(node, facts)}. LND is not stopped: compare "
            "lncli listchaintxns and closedchannels with the books, then cancel the plan"
        )
    told = (
        f"{start} sat at the start = {swept} at the destination + {sweep_fee} fee of sending + {known} fees of closing "
        f"{len(ended)} channels + {left} left"
    )
    return told + _remainder(rest, unclear)


def _cost_most(unclear: tuple[Closure, ...], stayed: int) -> int:
    """What ends of which only the sum can tell may have taken, of what was in channels and did not come out of others.

    A channel's capacity says nothing of that: the rest of it was its peer's.
    """
    each = (DUST_SAT if one.cooperative and not one.ours else stayed for one in unclear)
    return min(sum(each), stayed) + sum(BUMP_SAT for one in unclear if not one.cooperative)


def _others(node: LndNode, facts: Facts) -> str:
    """What else left the wallet: by somebody's hand, or by LND's own for an end by force."""
    seen = () if isinstance(facts.transactions, Unknown) else facts.transactions
    found = sorted((one for one in seen if one.amount_sat < 0 and one.label != label(node)), key=lambda o: o.amount_sat)
    if not found:
        return ""
    named = ", ".join(f"{-one.amount_sat} sat by {one.txid}" for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return (
        f"; without the plan's label {named}{more} left the wallet, and what of that is at the destination counts once "
        f"it has the label (lncli wallet labeltx TXID '{label(node)}')"
    )


def _remainder(rest: int, unclear: tuple[Closure, ...]) -> str:
    if rest < 0:
        return f"; {-rest} sat came in since"
    if rest == 0:
        return ", to the satoshi"
    if not unclear:
        return f" + {rest} paid through channels since"
    names = ", ".join(one.outpoint for one in unclear)
    return f" + {rest} that closing {names} cost: by force, or with less than is paid out"


def _closing_fees(facts: Facts, ended: tuple[Closure, ...]) -> tuple[int, tuple[Closure, ...]]:
    """What the node paid for the ends of its channels, and those of which only the sum can tell."""
    seen = {} if isinstance(facts.transactions, Unknown) else {one.txid: one for one in facts.transactions}
    # A closing transaction that pays nothing to the wallet is not in it, and one by force has further ones.
    unclear = tuple(one for one in ended if not (one.cooperative and one.settled_sat and one.txid in seen))
    paid = (one.capacity_sat - seen[one.txid].outputs_sat for one in ended if one not in unclear and one.ours)
    return sum(paid), unclear


def _ended(node: LndNode, facts: Facts) -> tuple[Closure, ...]:
    since = _at_drain(node, stages.HEIGHT)
    closures = () if isinstance(facts.closures, Unknown) else facts.closures
    return tuple(sorted((one for one in closures if one.height > since), key=lambda one: one.outpoint))


def _at_drain(node: LndNode, word: str) -> int:
    return int(stages.kept(node, stages.DRAIN, word) or 0)


def _sent(node: LndNode, facts: Facts) -> tuple[Transaction, ...] | None:
    """The plan's own transactions; None where LND does not say."""
    if isinstance(facts.transactions, Unknown):
        return None
    return tuple(one for one in facts.transactions if one.label == label(node))


def _amount(one: Transaction) -> int:
    """What arrived: the wallet's loss, less the fee."""
    return -one.amount_sat - one.fee_sat


def label(node: LndNode) -> str:
    """What the plan's transactions are called in LND's wallet."""
    return f"bankstack plan {node.plan.uid}" if node.plan else ""


def _destination(node: LndNode) -> str:
    return node.plan.parameters.get(DESTINATION, "") if node.plan else ""


def _rate(node: LndNode) -> dict[str, str]:
    rate = node.plan.parameters.get(FEE_RATE) if node.plan else None
    return {FEE_RATE: rate} if rate else {}
