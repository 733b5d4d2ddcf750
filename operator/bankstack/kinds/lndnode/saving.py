"""Channel backups on their way out of LND: into the Secret, and from there into the object store.

Nothing that was stored is ever written over by something that knows less. A store that
fails is written down on the Secret and tried again later: it must hold up neither LND nor
whatever else is to be done.
"""

from collections.abc import Mapping
from typing import Final

from bankstack.clients import s3
from bankstack.clients.lnd.client import Lightning
from bankstack.engine import manifests
from bankstack.engine.conditions import stamp
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.engine.live import at_version, ours
from bankstack.engine.model import ObjectStore
from bankstack.engine.objects import Manifest, annotation
from bankstack.engine.ports import Cluster
from bankstack.kinds.lndnode import names, reach, sealed, shelf, stored
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.questions import macaroon
from bankstack.kinds.lndnode.subject import LndNode

#: Channel backups that are kept, and the bytes of all that is in their Secret: it takes 1 MiB.
BACKUPS: Final = 10
SECRET_BYTES: Final = 1_000_000


async def save_channel_backup(node: LndNode, ask: Ask, cluster: Cluster, doors: Doors) -> None:
    """The newest backup beside the former ones; never one that has lost a channel that still is."""
    async with reach.asked(node, cluster, doors.connect) as (lnd, root, generation):
        place = names.channel_backup(node.name, generation)
        before = await ours(place, node, cluster)
        exported, outpoints = await lnd.export_backup(macaroon(root))
        known = frozenset(sealed.content(before, sealed.OUTPOINTS).decode().split())
        await _refuse_a_loss(known - outpoints, f"Secret {place.name}", lnd, root)
    now = doors.now()
    newest = {sealed.NEWEST: exported, sealed.OUTPOINTS: "\n".join(sorted(outpoints)).encode()}
    files = newest | _dated(f"{now:%Y%m%d-%H%M%S}.backup", exported, before, SECRET_BYTES - _size(newest))
    meta = manifests.retained(node, names.COMPONENT, place.name, channels=ask.words["channels"], saved_at=stamp(now))
    await cluster.apply(at_version(manifests.secret(meta, files), before), node.namespace)


async def store_channel_backup(node: LndNode, _ask: Ask, cluster: Cluster, doors: Doors) -> None:
    """The newest backup of the Secret in the store as well, read back; or on the Secret, why it is not."""
    store = stored.declared(node)
    before = await ours(names.channel_backup(node.name, await reach.generation(node, cluster)), node, cluster)
    if store is None or before is None or shelf.place(node, before) is None:
        # Somebody touched it in the meantime: it is looked at anew.
        return
    try:
        told = await _put(node, store, before, cluster, doors)
    except s3.NoAnswer as silence:
        told = {names.STORE_SAID: f"{shelf.SILENT}{silence}", names.STORE_TRIED_AT: stamp(doors.now())}
    except s3.Refused as refusal:
        told = {names.STORE_SAID: str(refusal), names.STORE_TRIED_AT: stamp(doors.now())}
    await _note(node, before, told, cluster)


async def _put(node: LndNode, store: ObjectStore, secret: Manifest, cluster: Cluster, doors: Doors) -> dict[str, str]:
    """The proof that it is there."""
    key, content = shelf.place(node, secret) or "", sealed.content(secret, sealed.NEWEST)
    async with doors.stores(await shelf.account(node, store, cluster)) as bucket:
        if await bucket.get(key) is None:
            async with reach.asked(node, cluster, doors.connect) as (lnd, root, _):
                await _refuse_to_store_a_loss(key, secret, bucket, lnd, root)
            await bucket.put_new(key, content)
        # Not its word, but what it gives back.
        found = await bucket.get(key)
    if found is None:
        raise s3.Refused(f"the store took object {key} and does not give it back")
    if found != content:
        raise s3.Refused(shelf.another(key))
    now = stamp(doors.now())
    since = shelf.since(sealed.memory(secret), key, store) or now
    place = stored.bucket(store)
    return {names.STORED_AS: key, names.STORED_IN: place, names.STORED_AT: since, names.SEEN_AT: now}


async def _refuse_to_store_a_loss(key: str, secret: Manifest, bucket: s3.Store, lnd: Lightning, root: bytes) -> None:
    """The Secret may have been lost, and the store be the only one that knows of a channel."""
    newest = await bucket.newest(key.rpartition("/")[0] + "/")
    former = await bucket.get(newest) if newest else None
    if former is None:
        return
    outpoints = frozenset(sealed.content(secret, sealed.OUTPOINTS).decode().split())
    # LND reads ours first: only then is what it cannot read no backup of this wallet.
    if await lnd.channels_in(macaroon(root), sealed.content(secret, sealed.NEWEST)) != outpoints:
        raise Interrupted(Finding("LndSilent", "LND does not read its own channel backup: asked again", Transient()))
    known = await lnd.channels_in(macaroon(root), former)
    await _refuse_a_loss(known - outpoints, f"object {newest} of the store", lnd, root)


async def _note(node: LndNode, before: Manifest, told: Mapping[str, str], cluster: Cluster) -> None:
    """On the Secret, and nothing else of it changed."""
    meta = manifests.retained(node, names.COMPONENT, before["metadata"]["name"])
    kept = {word: found for word in (names.CHANNELS, names.SAVED_AT) if (found := annotation(before, word))}
    meta["annotations"] = kept | dict(told)
    await cluster.apply(at_version(manifests.secret(meta, sealed.ours(before)), before), node.namespace)


async def _refuse_a_loss(missing: frozenset[str], where: str, lnd: Lightning, root: bytes) -> None:
    """An LND that forgot a channel would back up its forgetting."""
    if not missing:
        return
    _, channels = await lnd.funds_and_channels(macaroon(root))
    unexplained = missing - channels.closing - await lnd.closed(macaroon(root))
    if unexplained:
        told = (
            f"LND's channel backup lacks {len(unexplained)} channels that the stored one has and that were never "
            f"closed: LND has forgotten them. {where[0].upper()}{where[1:]} is left as it is. Look at "
            f"{min(unexplained)} first, and do not delete anything"
        )
        raise Interrupted(Finding("ChannelBackupShrank", told, Stalled()))


def _dated(name: str, exported: bytes, before: Manifest | None, room: int) -> dict[str, bytes]:
    """This one by its date, so that it is still there after the next, and the newest of the former, as many as fit."""
    files = manifests.opened(before) if before else {}
    former = sorted((key for key in files if key.endswith(".backup") and key != sealed.NEWEST), reverse=True)
    kept: dict[str, bytes] = {}
    for key, content in ((name, exported), *((key, files[key]) for key in former if key != name)):
        if len(kept) < BACKUPS and _size(kept) + len(content) <= room:
            kept[key] = content
    return kept


def _size(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))
