"""Identities that a node had before (pure): kept for ever, and told to whoever has to know its own former pubkeys."""

from collections.abc import Iterable

from bankstack.kinds.lndnode.facts import Tombstone
from bankstack.kinds.lndnode.model import RetiredIdentity


def listed(last: Iterable[RetiredIdentity], tombstones: Iterable[Tombstone]) -> list[RetiredIdentity]:
    """All that are known, the oldest first. One that was told once stays, also where its tombstone was deleted."""
    found = {one.identity_pubkey: one for one in last}
    found |= {
        one.identity: RetiredIdentity(identity_pubkey=one.identity, retired_at=one.retired_at, secret=one.secret)
        for one in tombstones
    }
    return sorted(found.values(), key=lambda one: (one.retired_at, one.identity_pubkey))
