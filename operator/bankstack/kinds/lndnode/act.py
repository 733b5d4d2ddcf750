"""The only writes around an LndNode that are more than a manifest: keys, the wallet, access, channel backups.

Each may be repeated after a crash at any line. What is made from chance is written
down where it cannot be lost before anything is made from it, and never written over:
a Secret is created or left as it is, an existing one is changed only at the
resourceVersion that was read.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bankstack.clients.lnd.answers import Announced, InUse, Use
from bankstack.clients.lnd.client import Connect, Lightning
from bankstack.engine import manifests, signing
from bankstack.engine.decision import Ask
from bankstack.engine.finding import FORBIDDEN, Finding, Interrupted, Transient
from bankstack.engine.live import at_version, ours
from bankstack.engine.objects import POD, SECRET, Manifest, Ref, ref, uid
from bankstack.engine.ports import Act, Cluster
from bankstack.kinds.lndnode import (
    addresses,
    certificates,
    checks,
    consumers,
    htlcs,
    macaroons,
    names,
    parting,
    pki,
    reach,
    saving,
    sealed,
    stages,
    stopping,
)
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.facts import Wallet
from bankstack.kinds.lndnode.questions import macaroon
from bankstack.kinds.lndnode.subject import LndNode

#: Random bytes of a wallet's password, before base64.
PASSWORD_BYTES: Final = 32
#: Addresses looked through for coins of a seed that someone brought along; LND's own default for restoring.
RECOVERY_WINDOW: Final = 2500
#: How often LND is told to enable channels before that is called in vain: once, and for a peer that came back.
TOLD_MOST: Final = 3


def acts(doors: Doors) -> dict[str, Act]:
    """The kind's own actions, by the names that Ask has."""
    connect = doors.connect
    return {
        "make_authority": make_authority,
        "issue_certificate": issue_certificate,
        "make_wallet": make_wallet,
        "claim_wallet": claim_wallet,
        "release_wallet": release_wallet,
        "make_seed": partial(make_seed, connect=connect),
        "init_wallet": partial(init_wallet, connect=connect),
        "publish": partial(publish, connect=connect),
        "save_channel_backup": partial(saving.save_channel_backup, doors=doors),
        "store_channel_backup": partial(saving.store_channel_backup, doors=doors),
        "disable_channels": partial(disable_channels, connect=connect),
        "enable_channels": partial(enable_channels, connect=connect),
        "close_channels": partial(parting.close_channels, connect=connect),
        "sweep": partial(parting.sweep, connect=connect),
        "keep_addresses": partial(keep_addresses, connect=connect),
        "retire_identity": parting.retire_identity,
        "note_generation": note_generation,
        "hold_pod": hold_pod,
        "last_look": partial(last_look, connect=connect),
        "let_go_pod": let_go_pod,
    }


async def make_authority(node: LndNode, _ask: Ask, cluster: Cluster) -> None:
    """An authority of the node's own; one that is there is left alone."""
    place = names.authority(node.name)
    made = signing.make_authority(f"bankstack {node.namespace}/{node.name}", datetime.now(UTC))
    meta = manifests.retained(node, names.COMPONENT, place.name)
    secret = manifests.secret(meta, {"tls.crt": made.certificate, "tls.key": made.key})
    if await cluster.create(secret, node.namespace) is None:
        # There already: by a quicker operator, which is as good, or somebody else's, which is not.
        await ours(place, node, cluster)


async def issue_certificate(node: LndNode, ask: Ask, cluster: Cluster) -> None:
    """A certificate for the API, beside everything that clients trust already."""
    given = certificates.given(node)
    signer = await reach.there(names.authority_secret(node.name, given), node, cluster)
    files = manifests.opened(signer)
    place = names.certificate(node.name)
    before = await ours(place, node, cluster)
    pair = signing.Pair(files.get("tls.crt", b""), files.get("tls.key", b""))
    hosts = names.certificate_names(node.name, node.namespace)
    made = signing.issue(pair, hosts, datetime.now(UTC), certificates.LIFE)
    known = await reach.authorities(node, cluster)
    bundle = pki.read_bundle(pair.certificate) | _chosen(known, ask)
    written = {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": reach.joined(bundle)}
    meta = manifests.retained(node, names.COMPONENT, place.name)
    await cluster.apply(at_version(manifests.secret(meta, written), before), node.namespace)


async def claim_wallet(node: LndNode, ask: Ask, cluster: Cluster) -> None:
    """Write on the wallet Secret whose it is. Only annotations are ours there, whoever made the Secret."""
    live = await reach.wallet(node, cluster)
    held = sealed.wallet(live)
    if held and held.claimed_by not in (None, node.name):
        raise Interrupted(Finding("WalletInUse", f"{ref(live)} was just claimed", Transient()))
    identity = ask.words.get("identity") or (held.identity if held else None)
    told = {names.CLAIMED_BY: node.name} | ({names.IDENTITY: identity} if identity else {})
    await _write(node, live, told, {}, cluster)


async def keep_addresses(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """Beside the seed, while LND can still be asked: what comes to an old address later is found by them."""
    live = await reach.wallet(node, cluster)
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        found = addresses.lines(await lnd.accounts(macaroon(root)))
    held = sealed.wallet(live)
    own = {names.CLAIMED_BY: held.claimed_by, names.IDENTITY: held.identity} if held else {}
    told = {word: said for word, said in own.items() if said}
    await _write(node, live, told, {addresses.DESCRIPTORS: found.encode()}, cluster)


async def note_generation(node: LndNode, ask: Ask, cluster: Cluster) -> None:
    """On the Secret that the spec names, beside what it says of its own wallet."""
    root = await reach.there(Ref(SECRET, node.spec.wallet.secret), node, cluster)
    held = sealed.wallet(root)
    own = {names.CLAIMED_BY: held.claimed_by, names.IDENTITY: held.identity} if held else {}
    told = {word: found for word, found in own.items() if found} | {names.GENERATION: ask.words["generation"]}
    await _write(node, root, told, {}, cluster)


async def release_wallet(node: LndNode, _ask: Ask, cluster: Cluster) -> None:
    """Take our annotations off a wallet Secret that someone brought along."""
    live = await cluster.get(await _wallet_in_use(node, cluster), node.namespace)
    if live is not None and sealed.wallet(live) and _claimed_by(live) == node.name:
        await _write(node, live, {}, {}, cluster)


async def make_wallet(node: LndNode, _ask: Ask, cluster: Cluster) -> None:
    """A password, only where no such Secret is, and claimed from its first moment. LND starts with it."""
    place = await _wallet_in_use(node, cluster)
    meta = manifests.retained(node, names.COMPONENT, place.name)
    meta["annotations"] = {names.CLAIMED_BY: node.name, names.MADE_BY: sealed.US}
    password = secrets.token_urlsafe(PASSWORD_BYTES).encode()
    if await cluster.create(manifests.secret(meta, {"password": password}), node.namespace) is None:
        # Someone was quicker. What comes after this Ask must not start on another's wallet.
        raise Interrupted(Finding("WalletInUse", f"{place} was just made", Transient()))


async def make_seed(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """A seed beside the password that we made, written down before LND makes anything from it."""
    live = await reach.wallet(node, cluster)
    if sealed.seed(live):
        return
    _require_unused(node, live)
    async with reach.reached(node, cluster, connect) as lnd:
        words = await lnd.gen_seed()
    await _write(node, live, {names.CLAIMED_BY: node.name}, {"seed": " ".join(words).encode()}, cluster)


async def init_wallet(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """Give LND the wallet of the Secret. Looked at once more: it must be this node's, whole, and nobody's before."""
    live = await reach.wallet(node, cluster)
    held = _require_unused(node, live)
    seed = _whole_seed(live)
    window = 0 if held.made_by_us else RECOVERY_WINDOW
    async with reach.reached(node, cluster, connect) as lnd:
        await lnd.init_wallet(sealed.password(live), seed, macaroons.root_key(seed), window)


async def publish(node: LndNode, ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """A consumer's Secret: its own macaroon, whom to trust, and the node's identity."""
    consumer = next(one for one in consumers.CONSUMERS if one.name == ask.words["consumer"])
    place = names.consumer(node.name, consumer.name)
    before = await ours(place, node, cluster)
    root = await reach.root_key(node, cluster)
    known = await reach.authorities(node, cluster)
    bundle = reach.joined(_chosen(known, ask))
    async with connect(reach.address(node), reach.joined(known)) as lnd:
        info = await lnd.info(macaroon(root))
        if info.identity_pubkey != node.status.identity_pubkey:
            raise Interrupted(Finding("IdentityChanged", f"{node.name} answers as another node", Transient()))
        baked = await lnd.bake(macaroon(root, macaroons.BAKE), consumer.permissions, consumer.root_key_id)
    written = {
        "tls.cert": bundle,
        "tls_base64": base64.b64encode(bundle),
        consumer.macaroon_key: base64.b64encode(baked),
        "pubkey": info.identity_pubkey.encode(),
    }
    meta = manifests.retained(node, names.COMPONENT, place.name, permissions=consumer.digest)
    await cluster.apply(at_version(manifests.secret(meta, written), before), node.namespace)


async def disable_channels(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """Tell the network to send nothing more through public channels. LND forgets that it was told so when it stops."""
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        channels, told = await _announced(node, lnd, root)
        for one in sorted(told.enabled & channels.active):
            await lnd.announce(macaroon(root, macaroons.ANNOUNCE), one, Use.DISABLE)


async def enable_channels(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """The network may use them again, by what LND announces then.

    One whose peer is away is LND's own to enable, once it is back; one whose peer comes back meanwhile is enabled too.
    """
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        for _turn in range(TOLD_MOST):
            channels, told = await _announced(node, lnd, root)
            for one in sorted(told.disabled):
                use = Use.ENABLE if one in channels.active else Use.AUTO
                await lnd.announce(macaroon(root, macaroons.ANNOUNCE), one, use)
            left = len(told.disabled & channels.active)
            if not left:
                return
    kept = f"LND of {node.name} still announces {left} channels as disabled whose peers are there"
    raise Interrupted(Finding("StillDisabled", f"{kept}: it is told again", Transient()))


async def _announced(node: LndNode, lnd: Lightning, root: bytes) -> tuple[InUse, Announced]:
    channels = await lnd.in_use(macaroon(root))
    return channels, await lnd.announced(macaroon(root), node.status.identity_pubkey or "", channels.public)


async def hold_pod(node: LndNode, ask: Ask, cluster: Cluster) -> None:
    """Keep the object of exactly this pod until its end is proved."""
    live = await cluster.get(names.pod(node.name), node.namespace)
    if live is None or uid(live) != ask.words["uid"] or "deletionTimestamp" in live["metadata"]:
        raise Interrupted(Finding("PodChanged", f"pod {node.name}-0 is another by now: looked at anew", Transient()))
    if not stages.is_held(live):
        await cluster.finalize(POD, live, [*live["metadata"].get("finalizers", []), stages.PROOF])


async def last_look(node: LndNode, _ask: Ask, cluster: Cluster, connect: Connect) -> None:
    """A payment that came since the facts were read forbids the stop as one that was there."""
    async with reach.asked(node, cluster, connect) as (lnd, root, _):
        info, (_, channels) = await asyncio.gather(lnd.info(macaroon(root)), lnd.funds_and_channels(macaroon(root)))
    tight = htlcs.too_tight(node, channels.htlcs, info.block_height) if info.synced else stopping.BEHIND
    if told := tight or stopping.closing(channels):
        raise Interrupted(Finding("NotStopped", told, Transient()))


async def let_go_pod(node: LndNode, _ask: Ask, cluster: Cluster) -> None:
    """Nothing is to be proved of it any more. Looked at once more: this cannot be undone."""
    live = await cluster.get(names.pod(node.name), node.namespace)
    unproved = live is not None and "deletionTimestamp" in live["metadata"] and stages.exit_of(live) is None
    if live is not None and not unproved:
        await _without_our_finalizer(live, cluster)


async def farewell(node: LndNode, cluster: Cluster) -> None:
    """The namespace goes, and everything in it: nothing of ours may hold it up."""
    try:
        live = await cluster.get(names.pod(node.name), node.namespace)
        if live is not None:
            await _without_our_finalizer(live, cluster)
    except Interrupted as stop:
        # The Role goes with the namespace, as a rule before this: then only a pod that a plan is just stopping is
        # still held, and holding on to the node as well would hang every namespace.
        if stop.finding.reason != FORBIDDEN:
            raise


async def _without_our_finalizer(pod: Manifest, cluster: Cluster) -> None:
    if stages.is_held(pod):
        await cluster.finalize(POD, pod, [one for one in pod["metadata"]["finalizers"] if one != stages.PROOF])


def _require_unused(node: LndNode, secret: Manifest) -> Wallet:
    held = sealed.wallet(secret)
    if held is None or held.claimed_by != node.name or held.identity is not None:
        told = f"{ref(secret)} is not the unused wallet of {node.name} any more: looked at again"
        raise Interrupted(Finding("WalletInUse", told, Transient()))
    return held


async def _wallet_in_use(node: LndNode, cluster: Cluster) -> Ref:
    return Ref(SECRET, names.wallet(node.spec.wallet.secret, await reach.generation(node, cluster)))


def _whole_seed(secret: Manifest) -> tuple[str, ...]:
    # Counted here too: that no wallet comes of half a seed must not rest on which LND it is.
    seed = sealed.seed(secret)
    if len(seed) != checks.SEED_WORDS:
        told = f"the seed in {ref(secret)} has {len(seed)} words instead of {checks.SEED_WORDS}"
        raise Interrupted(Finding("WalletSecretIncomplete", f"{told}: no wallet is made of it", Transient()))
    return seed


async def _write(
    node: LndNode, live: Manifest, annotations: Mapping[str, str], files: Mapping[str, bytes], cluster: Cluster
) -> None:
    """Our part of a wallet Secret: these annotations, these keys, and every key that we have written before.

    What an apply leaves out of what we own is deleted, and here that would be a seed.
    """
    before = sealed.ours(live)
    meta: Manifest = {"name": live["metadata"]["name"], "namespace": node.namespace}
    if annotations:
        meta["annotations"] = dict(annotations)
    patch = manifests.secret(meta, {**files, **before})
    del patch["type"]
    if not patch["data"]:
        del patch["data"]
    await cluster.apply(at_version(patch, live), node.namespace)


def _chosen(known: Mapping[str, str], ask: Ask) -> dict[str, str]:
    return {one: known[one] for one in ask.words.get("trust", "").split() if one in known}


def _claimed_by(secret: Manifest) -> str | None:
    held = sealed.wallet(secret)
    return held.claimed_by if held else None
