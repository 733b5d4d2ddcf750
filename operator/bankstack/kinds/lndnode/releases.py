"""Which LND has been on the volume, and which may be (pure).

A release is noted there before it is started for the first time: one that ended badly, or
that nobody saw, may have changed the database all the same. The operator never takes such
a note back, and keeps no copy of the data: with an older one LND's peers could take its money.
"""

from typing import Final

from bankstack.clients.lnd.answers import Info
from bankstack.engine.finding import Finding, Stalled
from bankstack.engine.objects import annotation
from bankstack.kinds.lndnode import names, pinned, versions
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

#: What no older copy of the volume may ever be used for.
NO_COPY: Final = "Never put back an older copy of the volume: peers could then take its money"


def ran(node: LndNode, facts: Facts) -> str | None:
    """The newest LND that was started on the volume."""
    claim = facts.children.get(names.volume(node.name, facts.generation))
    noted = annotation(claim, names.LND_VERSION) if claim else None
    # A volume that lost its note was bound anew: the status still knows what answered.
    return noted or (versions.newest(node.status.version) if pinned.pins(node, facts) else None)


def noted(node: LndNode, facts: Facts, *, starts: bool) -> str | None:
    """What is to be noted on the volume; `starts`: what is declared is about to be started."""
    seen = facts.info.version if isinstance(facts.info, Info) else None
    return versions.newest(ran(node, facts), seen, node.spec.version if starts else None)


def downgrade(node: LndNode, facts: Facts) -> str | None:
    """What to say where spec.version is older than what was started on the volume."""
    newest = ran(node, facts)
    if not versions.crosses_migration(newest, node.spec.version):
        return None
    return (
        f"LND {newest} was started on volume {pinned.volume(node, facts)}, spec.version is the older "
        f"{node.spec.version}: its database was migrated, and an older LND misreads it. It is never started on it. "
        f"Set spec.version back{_way_back(node, facts)}"
    )


def version_is_not_older_than_the_volume(node: LndNode, facts: Facts) -> Finding | None:
    """An older LND misreads a migrated database."""
    told = downgrade(node, facts)
    if told is None or names.stateful_set(node.name) in facts.children:
        return None
    return Finding("DowngradeRefused", told, Stalled())


def changing(node: LndNode, facts: Facts) -> str:
    """What to know while a newer release has not answered yet; empty where there is none."""
    if (before := _before(node, facts)) is None:
        return ""
    saved = f" (of {facts.backup.saved_at})" if facts.backup else ""
    return (
        f". This is the first start of {ran(node, facts)} after {before}: it changes the database, which takes long "
        f"where that is large, and there is no way back. Leave its pod alone. {NO_COPY}. The last resort is Secret "
        f"{names.channel_backup(node.name, facts.generation).name}{saved}, which closes all channels"
    )


def _before(node: LndNode, facts: Facts) -> str | None:
    """The release that answered last, where the one noted since has never done so."""
    answered = None if isinstance(facts.info, Info) else versions.newest(node.status.version)
    return answered if versions.migrates(answered, ran(node, facts) or "") else None


def _way_back(node: LndNode, facts: Facts) -> str:
    """LND changes its database whole or not at all; whether it did, only a person can tell from its log."""
    if (before := _before(node, facts)) is None:
        return ""
    return (
        f". {ran(node, facts)} has not answered: only if its image was never pulled, or its log says that no "
        f"migration was applied, may you say so: kubectl annotate pvc {pinned.volume(node, facts)} "
        f"{names.LND_VERSION}={before} --overwrite"
    )
