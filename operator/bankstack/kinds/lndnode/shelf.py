"""What the object store says of the newest channel backup. Reads only, and only when there is a reason to.

What was proved is written on the backup's Secret, and the store is asked again when that is
of another backup, of another bucket, or an hour old.
"""

from datetime import datetime
from typing import Final

from bankstack.clients import s3
from bankstack.engine import manifests
from bankstack.engine.finding import Unknown
from bankstack.engine.model import ObjectStore
from bankstack.engine.objects import SECRET, Manifest, Ref
from bankstack.engine.ports import Reader
from bankstack.kinds.lndnode import sealed, stored
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.facts import Refused, Shelf
from bankstack.kinds.lndnode.subject import LndNode

#: How the memory of a silence begins; of a refusal only its words are kept.
SILENT: Final = "silent: "


async def look(node: LndNode, secret: Manifest | None, reader: Reader, doors: Doors) -> Shelf | None:
    """The newest backup's place in the store; None where no store is declared."""
    store, key = stored.declared(node), place(node, secret)
    if store is None or key is None or secret is None:
        return None if store is None else Shelf()
    memory, now = sealed.memory(secret), doors.now()
    proved = since(memory, key, store)
    if proved and _is_younger(memory.seen, stored.PROOF_LIFE, now):
        return Shelf(key, holds=True, since=proved)
    if failed := _failed_just_now(memory, now):
        return Shelf(key, failed, proved)
    try:
        async with doors.stores(await account(node, store, reader)) as bucket:
            found = await bucket.get(key)
    except s3.NoAnswer as silence:
        return Shelf(key, Unknown(str(silence)), proved, noted=False)
    except s3.Refused as refusal:
        return Shelf(key, Refused(str(refusal)), proved, noted=False)
    return Shelf(key, _compared(key, found, sealed.content(secret, sealed.NEWEST)), proved, noted=False)


def place(node: LndNode, secret: Manifest | None) -> str | None:
    """What the newest backup is called in the store; None while there is none that may be stored."""
    store, identity, backup = stored.declared(node), node.status.identity_pubkey, sealed.backup(secret)
    if store is None or identity is None or secret is None or backup is None or not backup.intact:
        return None
    return stored.key(store, identity, backup.saved_at, sealed.content(secret, sealed.NEWEST))


def since(memory: sealed.Memory, key: str, store: ObjectStore) -> str | None:
    """Since when this backup is proved to be in this bucket."""
    return memory.since if (memory.key, memory.place) == (key, stored.bucket(store)) else None


async def account(node: LndNode, store: ObjectStore, reader: Reader) -> s3.Account:
    """As whom the store is asked; s3.Refused where the user's Secrets do not say."""
    found = await reader.get(Ref(SECRET, store.credentials_secret), node.namespace)
    files = manifests.opened(found) if found else {}
    access, secret = (files.get(key, b"").decode("utf-8", "replace").strip() for key in ("accessKey", "secretKey"))
    if not access or not secret:
        raise s3.Refused(
            f"Secret {store.credentials_secret} with keys accessKey and secretKey is not there, or not whole"
        )
    roots = None
    if store.ca_secret:
        authority = await reader.get(Ref(SECRET, store.ca_secret), node.namespace)
        roots = sealed.content(authority, "ca.crt").decode("utf-8", "replace")
        if not roots:
            raise s3.Refused(f"Secret {store.ca_secret} with key ca.crt is not there")
    return s3.Account(store.endpoint, store.region, store.bucket, access, secret, roots)


def another(key: str) -> str:
    """Of an object that is not what was stored."""
    return f"object {key} there is not the backup that was made: keep it, and find out who put it there"


def _failed_just_now(memory: sealed.Memory, now: datetime) -> Refused | Unknown | None:
    if memory.said is None:
        return None
    silent = memory.said.startswith(SILENT)
    if not _is_younger(memory.tried, stored.LOST if silent else stored.PATIENCE, now):
        return None
    return Unknown(memory.said.removeprefix(SILENT)) if silent else Refused(memory.said)


def _compared(key: str, found: bytes | None, content: bytes) -> bool | Refused:
    if found is None:
        return False
    return True if found == content else Refused(another(key))


def _is_younger(moment: datetime | None, seconds: int, now: datetime) -> bool:
    # A moment to come is of a clock that was wrong.
    return moment is not None and 0 <= (now - moment).total_seconds() < seconds
