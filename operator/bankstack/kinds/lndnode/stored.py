"""Whether the newest channel backup is in the object store too, and what to do where it is not (pure).

The store is the second place: the Secret is written first, and what is in it goes to the
store as it is. An object is never written over and never deleted: it is called by the
moment and the content of the backup, so that storing it twice is storing it once.
"""

import hashlib
from typing import Final

from bankstack.clients.lnd.answers import Channels
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.model import ObjectStore
from bankstack.engine.objects import digest
from bankstack.kinds.lndnode import backups, pinned
from bankstack.kinds.lndnode.facts import Facts, Refused, Shelf
from bankstack.kinds.lndnode.subject import LndNode

#: Seconds after which the store is looked at again, though nothing changed: somebody else may delete there.
PROOF_LIFE: Final = 3600
#: Seconds after which a store that refused a backup is asked again; a lost answer is asked for sooner.
PATIENCE: Final = 60
LOST: Final = 10
#: How often LND is asked where a store is declared: a change has to be there ten seconds later.
LOOK_AGAIN: Final = 8.0
#: Of a content's SHA-256, in its object's name.
DIGITS: Final = 32
IS_DUE: Final = (
    "the newest channel backup is not in the object store yet: were cluster and volume lost now, the money of channels "
    "that changed since could not be asked back. It is being stored"
)


def declared(node: LndNode) -> ObjectStore | None:
    """The object store, None where the user wants none."""
    return node.spec.channel_backup.object_store if node.spec.channel_backup else None


def folder(store: ObjectStore, identity: str) -> str:
    """Where all backups of one LND are, ever."""
    return f"{store.prefix}/{identity}/" if store.prefix else f"{identity}/"


def bucket(store: ObjectStore) -> str:
    """Which bucket it is: what was proved of another proves nothing of this one."""
    return digest([store.endpoint, store.bucket])


def key(store: ObjectStore, identity: str, saved_at: str, content: bytes) -> str:
    """What a backup is called in the store: later ones come later by their letters."""
    moment = saved_at.replace("-", "").replace(":", "")
    return f"{folder(store, identity)}{moment}-{hashlib.sha256(content).hexdigest()[:DIGITS]}.scb"


def steps(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """Store it, or note that it is there. A store that is silent or refuses is not pressed."""
    shelf = facts.shelf
    if shelf is None or shelf.key is None or shelf.noted or not isinstance(shelf.holds, bool):
        return ()
    if not isinstance(facts.channels, Channels) or not pinned.is_pinned(node, facts):
        return ()
    return (Ask("store_channel_backup", "Seen" if shelf.holds else "Changed"),)


def missing(facts: Facts) -> str | None:
    """What keeps the newest backup from being proved to be in the store; None where none is declared, or it is."""
    if facts.shelf is None or facts.shelf.holds is True:
        return None
    told = _obstacle(facts.shelf)
    return IS_DUE if told is None else f"{told}. LND is not stopped before its channel backup is there too"


def claim(facts: Facts) -> tuple[Claim, ...]:
    """The condition; none where no store is declared."""
    if facts.shelf is None:
        return ()
    return (Claim("BackupStored", *_standing(facts.shelf, facts)),)


def _standing(shelf: Shelf, facts: Facts) -> tuple[str, str, str]:
    channels = facts.channels
    if not isinstance(channels, Channels):
        return "Unknown", "LndSilent", "LND has not said which channels it has"
    if not channels.to_back_up:
        return "True", "NoChannels", "there is no channel to back up"
    if isinstance(shelf.holds, Unknown):
        return "Unknown", "StoreSilent", _silent(shelf.holds)
    if isinstance(shelf.holds, Refused):
        return "False", "StoreRefused", _refused(shelf.holds)
    if shelf.holds and backups.is_current(facts, channels):
        return "True", "Stored", "the newest channel backup is in the object store, as it was made"
    return "False", "Outdated", IS_DUE


def _obstacle(shelf: Shelf) -> str | None:
    if isinstance(shelf.holds, Unknown):
        return _silent(shelf.holds)
    return _refused(shelf.holds) if isinstance(shelf.holds, Refused) else None


def _silent(silence: Unknown) -> str:
    return (
        f"whether the newest channel backup is in the object store is not known: {silence.reason}. It is asked again; "
        "LND runs on, and Secret and volume have the backup"
    )


def _refused(refusal: Refused) -> str:
    return (
        f"the newest channel backup is not in the object store: {refusal.reason}. Correct "
        "spec.channelBackup.objectStore, its Secret, or what the store allows: put, get and list; LND runs on"
    )
