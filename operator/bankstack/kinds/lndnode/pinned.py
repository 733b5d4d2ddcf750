"""Which wallet it is (pure): where its identity is written down, and that everything is of one and the same.

A wallet that a Replace plan retired stays under its names; the next one has names of its
own. Which of them is in use is written on every tombstone, on the Secret that the spec
names, and in the status: what is lost in one place stands in another.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from bankstack.clients.lnd.answers import Info
from bankstack.engine.finding import Finding, Stalled, Waiting
from bankstack.engine.objects import annotation
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.facts import Facts, Tombstone
from bankstack.kinds.lndnode.model import RetiredIdentity
from bankstack.kinds.lndnode.subject import LndNode

SHORT: Final = 16
#: Status, volume and wallet Secret.
PLACES: Final = 3

Pins: TypeAlias = dict[str, str]


def pins(node: LndNode, facts: Facts) -> Pins:
    """Where an identity is written down, and which."""
    claim = facts.children.get(names.volume(node.name, facts.generation))
    # What is written on another node's wallet is that one's identity, not ours.
    wallet = facts.wallet if facts.wallet and facts.wallet.claimed_by == node.name else None
    written = {
        "status.identityPubkey": node.status.identity_pubkey if is_of_the_wallet_in_use(node, facts) else None,
        f"volume {volume(node, facts)}": annotation(claim, names.IDENTITY) if claim else None,
        f"Secret {secret(node, facts)}": wallet.identity if wallet else None,
    }
    return {where: identity for where, identity in written.items() if identity}


def is_pinned(node: LndNode, facts: Facts) -> bool:
    """Whether the identity is written down in every place, where no single loss or crash can undo it."""
    return len(pins(node, facts)) == PLACES


def is_of_the_wallet_in_use(node: LndNode, facts: Facts) -> bool:
    """Whether status.identityPubkey is of this wallet, and not of one that was replaced since."""
    return (node.status.generation or 1) == facts.generation


def identity(node: LndNode, facts: Facts) -> str | None:
    """The node's identity: the pinned one, else the one seen now."""
    seen = facts.info.identity_pubkey if isinstance(facts.info, Info) else None
    return next(iter(pins(node, facts).values()), seen)


def former(told: Iterable[RetiredIdentity], tombstones: Iterable[Tombstone]) -> list[RetiredIdentity]:
    """Those it had before, the oldest first. One that was told once stays, also where its tombstone was deleted."""
    found = {one.identity_pubkey: one for one in told}
    found |= {
        one.identity: RetiredIdentity(identity_pubkey=one.identity, retired_at=one.retired_at, secret=one.secret)
        for one in tombstones
    }
    return sorted(found.values(), key=lambda one: (one.retired_at, one.identity_pubkey))


def wallet_is_not_a_former_one(node: LndNode, facts: Facts) -> Finding | None:
    """Whoever started a retired wallet again would leave the channels of its successor alone."""
    last = node.status.generation or 1
    if facts.generation >= last:
        return None
    return Finding(
        "WalletGenerationLost",
        f"Secret {node.spec.wallet.secret} is gone or no longer says that wallet {last} of {node.name} is in use. What "
        "runs is left alone and nothing is started. Restore the Secret from its backup, with its annotation "
        f'{names.GENERATION}: "{last}"',
        Stalled(),
    )


def wallet_is_a_known_one(node: LndNode, facts: Facts) -> Finding | None:
    """A number alone makes no wallet the former one: whoever mistypes it must not leave a live wallet alone."""
    last, known = node.status.generation or 1, node.status.identity_pubkey
    founded = any(one.successor == facts.generation for one in facts.tombstones)
    if facts.generation <= last or known is None or founded:
        return None
    return Finding(
        "WalletGenerationUnknown",
        f"Secret {node.spec.wallet.secret} says that wallet {facts.generation} of {node.name} is in use, and no "
        f"tombstone says that {short(known)}, its wallet {last}, was retired. What runs is left alone and nothing is "
        f'started or deleted. Correct that Secret\'s annotation {names.GENERATION} to "{last}"',
        Stalled(),
    )


def wallet_was_not_planted(node: LndNode, facts: Facts) -> Finding | None:
    """The wallet after a Replace is of our making: who left may have left a seed behind."""
    wallet = facts.wallet
    if facts.generation == 1 or wallet is None or wallet.made_by_us or pins(node, facts):
        return None
    return Finding(
        "NameTaken",
        f"Secret {secret(node, facts)} was there before {node.name} began anew, and somebody knows its seed: it is "
        "not used. Keep it under another name and delete it",
        Stalled(),
    )


def identity_is_not_a_retired_one(node: LndNode, facts: Facts) -> Finding | None:
    """A tombstone says that this wallet was replaced, whatever else was lost."""
    known = set(pins(node, facts).values()) | ({facts.info.identity_pubkey} if isinstance(facts.info, Info) else set())
    found = next((one for one in facts.tombstones if one.identity in known), None)
    if found is None:
        return None
    return Finding(
        "IdentityRetired",
        f"{short(found.identity)} was retired at {found.retired_at} (Secret {found.secret}), and {node.name} would be "
        f"that again: nothing is started. Restore Secret {node.spec.wallet.secret} with its annotation "
        f"{names.GENERATION}; a wallet Secret that was brought along needs a seed of its own",
        Stalled(),
    )


def wallet_is_the_one_in_use(node: LndNode, facts: Facts) -> Finding | None:
    """A pod that still has the volume of a wallet that was replaced says nothing of the new one."""
    pod, wanted = facts.children.get(names.pod(node.name)), volume(node, facts)
    mounted = {
        one["persistentVolumeClaim"]["claimName"]
        for one in (pod or {}).get("spec", {}).get("volumes", [])
        if "persistentVolumeClaim" in one
    }
    if not mounted or wanted in mounted:
        return None
    return Finding(
        "RetiredWalletRuns",
        f"pod {node.name}-0 runs on volume {min(mounted)}, and the wallet in use is on {wanted}: nothing is done while "
        f"it does. If no plan is stopping it: kubectl scale statefulset {node.name} --replicas=0, and the wallet in "
        "use is started",
        Waiting(5.0),
    )


def pinned_identities_agree(node: LndNode, facts: Facts) -> Finding | None:
    """Volume, seed and status must be of one and the same wallet."""
    known = pins(node, facts)
    if len(set(known.values())) <= 1:
        return None
    listed = ", ".join(f"{where} says {short(identity)}" for where, identity in known.items())
    return Finding(
        "IdentityConflict",
        f"the parts of {node.name} belong to different wallets: {listed}. Nothing is started on them. "
        "Put back the part that is wrong, or give the node another name",
        Stalled(),
    )


def identity_is_the_pinned_one(node: LndNode, facts: Facts) -> Finding | None:
    """Another identity under the same name is another wallet: never serve it."""
    pinned = identity(node, facts)
    if not isinstance(facts.info, Info) or facts.info.identity_pubkey == pinned:
        return None
    return Finding(
        "IdentityChanged",
        f"{node.name} answers as {short(facts.info.identity_pubkey)} but was {short(str(pinned))}: its wallet was "
        f"replaced. It gets no payments. Put back volume {volume(node, facts)} and Secret "
        f"{secret(node, facts)}, or retire the node",
        Stalled(),
    )


#: Which wallet is in use is not known: nothing of it is believed, written down or deleted.
UNFOUNDED: Final = (wallet_is_not_a_former_one, wallet_is_a_known_one)


def secret(node: LndNode, facts: Facts) -> str:
    """Name of the Secret of the wallet in use."""
    return names.wallet(node.spec.wallet.secret, facts.generation)


def volume(node: LndNode, facts: Facts) -> str:
    """Name of its volume."""
    return names.volume(node.name, facts.generation).name


def short(pubkey: str) -> str:
    """Enough of an identity to compare by eye."""
    return f"{pubkey[:SHORT]}…"
