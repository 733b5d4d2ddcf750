"""The writes of a Replace: channels closed with their peers, coins sent to their destination, an identity retired.

Each looks once more before it does what cannot be undone, and may be repeated after a
crash at any line. No channel is ever closed by force, and nothing that was kept is ever
written over.
"""

from dataclasses import replace
from typing import Final

from bankstack.clients.lnd.client import Connect
from bankstack.engine import manifests
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient, Waiting
from bankstack.engine.live import ours
from bankstack.engine.objects import SECRET, Manifest, Ref
from bankstack.engine.ports import Cluster
from bankstack.kinds.lndnode import addresses, checks, leaving, macaroons, names, reach, sealed
from bankstack.kinds.lndnode.facts import Wallet
from bankstack.kinds.lndnode.questions import macaroon
from bankstack.kinds.lndnode.subject import LndNode

#: Channels that one act has closed at most: between two of them a cancellation is heard, and they cannot be had back.
CLOSED_AT_ONCE: Final = 5
#: Of the old wallet and its backup, what a person needs to get at it again.
KEPT: Final = ("password", "seed", addresses.DESCRIPTORS)


async def close_channels(node: LndNode, ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """Ask some of the peers that are there; one that does not want to holds up no other."""
    closed, refused = 0, list[Interrupted]()
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        _, channels = await lnd.funds_and_channels(macaroon(root))
        for one in sorted((channels.open & channels.active) - {htlc.channel for htlc in channels.htlcs}):
            if closed == CLOSED_AT_ONCE:
                return
            try:
                await lnd.close(macaroon(root, macaroons.CLOSE), one, _rate(ask))
                closed += 1
            except Interrupted as stop:
                refused.append(_not_closed(one, stop))
    if refused and not closed:
        raise refused[0]


def _not_closed(channel: str, stop: Interrupted) -> Interrupted:
    return _asked_again_soon(stop, f"channel {channel} is not closed: {stop.finding.message}")


def _asked_again_soon(stop: Interrupted, told: str) -> Interrupted:
    """And never later and later: the node's own care would wait with it."""
    return Interrupted(replace(stop.finding, message=told, policy=Waiting(leaving.BLOCK)))


async def sweep(node: LndNode, ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """Send everything, unless a transaction of this plan is still on its way."""
    label = ask.words["label"]
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        info = await lnd.info(macaroon(root))
        before = await lnd.transactions(macaroon(root), info.block_height)
        if any(one.label == label and one.confirmations == 0 for one in before):
            return
        try:
            await lnd.send_all(macaroon(root, macaroons.SWEEP), ask.words["address"], label, _rate(ask))
        except Interrupted as stop:
            raise _not_sent(ask, stop) from None


def _not_sent(ask: Ask, stop: Interrupted) -> Interrupted:
    # Nothing is given up as too little: how much that is LND says for the fees of the moment only.
    told = (
        f"not all coins are sent: {stop.finding.message}. What was not sent is in LND's wallet, and it is asked again. "
        "Where the fee is more than they are worth, wait until fees are lower; where there are too many coins for one "
        f"transaction, send some of them by hand (lncli sendcoins --addr {ask.words['address']} --amt SAT "
        f"--sat_per_vbyte RATE --label '{ask.words['label']}'): with this label they are counted"
    )
    return _asked_again_soon(stop, told)


async def retire_identity(node: LndNode, ask: Ask, cluster: Cluster) -> None:
    """The tombstone: made once. With it the wallet that is in use is another."""
    number, identity = int(ask.words["generation"]), ask.words["identity"]
    if await reach.generation(node, cluster) >= number:
        return
    wallet = await reach.wallet(node, cluster)
    held = sealed.wallet(wallet)
    if held is None or held.identity != identity or not await _is_stopped(node, cluster):
        told = f"{node.name} is not the stopped LND of {identity} any more: looked at again"
        raise Interrupted(Finding("PodChanged", told, Transient()))
    _is_whole(node, held)
    await _are_free(node, number, cluster)
    backup = await ours(names.channel_backup(node.name, number - 1), node, cluster)
    place = names.tombstone(node.name, identity)
    meta = manifests.retained(node, names.COMPONENT, place.name)
    meta["annotations"] = {
        names.IDENTITY: identity,
        names.GENERATION: str(number),
        names.RETIRED_AT: ask.words["at"],
        names.RETIRED_BY: ask.words["plan"],
        names.VOLUME: names.volume(node.name, number - 1).name,
    }
    if await cluster.create(manifests.secret(meta, _remains(wallet, backup, identity)), node.namespace) is None:
        # Not another operator's: with that one the generation would be the next. Somebody else's of that name.
        told = f"{place} is there and is no tombstone: the old wallet is not retired. Give that Secret another name"
        raise Interrupted(Finding("NameTaken", told, Stalled()))


def _remains(wallet: Manifest, backup: Manifest | None, identity: str) -> dict[str, bytes]:
    files = {key: sealed.content(wallet, key) for key in KEPT}
    newest = {key: sealed.content(backup, key) for key in (sealed.NEWEST, sealed.OUTPOINTS)}
    return {**files, "pubkey": identity.encode(), **{key: found for key, found in newest.items() if found}}


def _is_whole(node: LndNode, held: Wallet) -> None:
    """What a tombstone keeps it keeps for ever: half a seed too."""
    if held.seed_words != checks.SEED_WORDS or not held.keys.issuperset(KEPT):
        told = (
            f"the wallet Secret of {node.name} lost its password, seed or descriptors: the old wallet is not retired "
            "before they are kept. Restore the Secret from its backup"
        )
        raise Interrupted(Finding("WalletSecretIncomplete", told, Stalled()))


async def _are_free(node: LndNode, number: int, cluster: Cluster) -> None:
    """Before there is no way back: a Secret that waits there already has somebody else's seed."""
    nexts = (
        Ref(SECRET, names.wallet(node.spec.wallet.secret, number)),
        names.volume(node.name, number),
        names.channel_backup(node.name, number),
    )
    for place in nexts:
        if await cluster.get(place, node.namespace) is not None:
            told = (
                f"{place} is there already, and the next wallet needs that name: nothing is retired. Keep it elsewhere"
            )
            raise Interrupted(Finding("NameTaken", told, Stalled()))


async def _is_stopped(node: LndNode, cluster: Cluster) -> bool:
    live = await cluster.get(names.stateful_set(node.name), node.namespace)
    pod = await cluster.get(names.pod(node.name), node.namespace)
    return pod is None and (live is None or live["spec"].get("replicas") == 0)


def _rate(ask: Ask) -> int | None:
    rate = ask.words.get(leaving.FEE_RATE)
    return int(rate) if rate else None
