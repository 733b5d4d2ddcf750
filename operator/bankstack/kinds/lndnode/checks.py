"""What must hold of an LndNode, one sentence of policy each (pure)."""

from typing import Final

from bankstack.clients.lnd.answers import Info, State
from bankstack.engine.finding import WATCHED, Finding, Stalled, Unknown, Waiting
from bankstack.kinds.lndnode import consumers, names, pinned, releases, running
from bankstack.kinds.lndnode.certificates import authority_can_sign, is_trusted
from bankstack.kinds.lndnode.facts import Facts, Refused
from bankstack.kinds.lndnode.subject import LndNode

SEED_WORDS: Final = 24
#: LND refuses a shorter one.
PASSWORD_BYTES: Final = 8


def wallet_is_of_this_node(node: LndNode, facts: Facts) -> Finding | None:
    """Two LNDs with one seed revoke each other's channel states, which loses all their money."""
    other = facts.wallet.claimed_by if facts.wallet else None
    if other in (None, node.name):
        return None
    return Finding(
        "WalletInUse",
        f"Secret {pinned.secret(node, facts)} is the wallet of LndNode {other}: two nodes with one seed lose the money "
        f"of both. {node.name} is not started. Give it a wallet.secret of its own",
        Stalled(),
    )


def wallet_secret_is_there(node: LndNode, facts: Facts) -> Finding | None:
    """A wallet that existed is never made anew."""
    if facts.wallet is not None:
        return None
    secret, known = pinned.secret(node, facts), pinned.pins(node, facts)
    if known:
        return Finding(
            "WalletSecretMissing",
            f"Secret {secret} is gone, and with it password and seed of {_first(known)}. What runs keeps running "
            "but could not start again. Restore the Secret from its backup: another is never made",
            Stalled(),
        )
    if node.spec.wallet.create:
        return None
    return Finding(
        "WalletSecretMissing",
        f"Secret {secret} is not there: LND is not started without a wallet. Make it, with keys password and seed "
        "(24 words), or set spec.wallet.create: true to have one made",
        Waiting(30.0),
    )


def wallet_secret_is_complete(node: LndNode, facts: Facts) -> Finding | None:
    """Password and seed, both usable. The seed of a wallet of our making comes once LND runs."""
    wallet = facts.wallet
    if wallet is None:
        return None
    needed = ("password",) if wallet.made_by_us and not pinned.pins(node, facts) else ("password", "seed")
    lacking = [f"key {key} is missing" for key in needed if key not in wallet.keys]
    if "password" in wallet.keys and wallet.password_bytes < PASSWORD_BYTES:
        lacking.append(f"password has fewer than {PASSWORD_BYTES} bytes")
    if "seed" in wallet.keys and wallet.seed_words != SEED_WORDS:
        lacking.append(f"seed has {wallet.seed_words} words instead of {SEED_WORDS}")
    if not lacking:
        return None
    return Finding(
        "WalletSecretIncomplete",
        f"Secret {pinned.secret(node, facts)}: {'; '.join(lacking)}. What runs keeps running, nothing is started from "
        "it. Correct the Secret; the operator writes into no wallet that it did not make",
        Waiting(30.0),
    )


def volume_is_there(node: LndNode, facts: Facts) -> Finding | None:
    """An empty volume under a known identity would forget every channel."""
    known = pinned.pins(node, facts)
    if not known or names.volume(node.name, facts.generation) in facts.children:
        return None
    return Finding(
        "VolumeLost",
        f"volume {pinned.volume(node, facts)} of {_first(known)} is gone: with an empty one LND "
        "would forget its channels. Nothing is started. Bring the volume back under its name; if it is lost for "
        f"good, restore Secret {names.channel_backup(node.name, facts.generation).name} into a new node, which closes "
        "all channels",
        Stalled(),
    )


def bitcoind_is_known(node: LndNode, facts: Facts) -> Finding | None:
    """LND needs to know where its bitcoind is, and whether it follows the same chain."""
    chain, wallet = facts.chain, node.spec.bitcoind.cold_wallet
    if chain.missing:
        told = f"ColdWallet {wallet} is not there: LND has no bitcoind. Make it, or correct spec.bitcoind.coldWallet"
        return Finding("ColdWalletMissing", told, WATCHED)
    if chain.network is not None and chain.network != node.spec.network:
        told = (
            f"ColdWallet {wallet} is on {chain.network}, {node.name} on {node.spec.network}: LND is not started on "
            "another chain. Choose a ColdWallet of its own network"
        )
        return Finding("NetworkMismatch", told, Stalled())
    if chain.endpoint is None:
        told = f"ColdWallet {wallet} does not say yet where its bitcoind is{_told(facts)}"
        return Finding("BitcoindNotReady", told, WATCHED)
    return None


def bitcoind_lets_lnd_in(_node: LndNode, facts: Facts) -> Finding | None:
    """User and password must be there before LND is started with them."""
    if facts.chain.endpoint is None:
        return None
    secret, keys = facts.chain.endpoint.credentials_secret, facts.chain.credentials
    if keys is None:
        told = f"Secret {secret} with bitcoind's username and password is not there. LND is not started without it"
        return Finding("CredentialsMissing", told, Waiting(10.0))
    lacking = [key for key in ("username", "password") if key not in keys]
    if not lacking:
        return None
    told = f"Secret {secret} lacks {' and '.join(lacking)}: LND cannot ask bitcoind. Add it"
    return Finding("CredentialsIncomplete", told, Waiting(10.0))


def chain_is_ready_for_a_first_start(node: LndNode, facts: Facts) -> Finding | None:
    """Before LND runs there is nothing to lose by waiting; once it runs, it is never stopped for this."""
    if names.stateful_set(node.name) in facts.children or facts.chain.ready is True:
        return None
    return Finding("BitcoindNotReady", f"LND is started as soon as bitcoind is ready{_told(facts)}", WATCHED)


def volume_stays(node: LndNode, facts: Facts) -> Finding | None:
    """A volume that was deleted lives as long as its pod: the last moment to save what is on it."""
    claim = facts.children.get(names.volume(node.name, facts.generation))
    if claim is None or "deletionTimestamp" not in claim["metadata"]:
        return None
    return Finding(
        "VolumeBeingDeleted",
        f"volume {claim['metadata']['name']} was deleted and goes when LND's pod stops, with every channel. Do NOT "
        "restart it: close the channels or make the PersistentVolume's policy Retain first",
        Stalled(),
    )


def macaroon_is_accepted(node: LndNode, facts: Facts) -> Finding | None:
    """The macaroon is made from the seed: refused means another seed."""
    if not isinstance(facts.info, Refused):
        return None
    return Finding(
        "SeedIsAnothers",
        f"LND does not accept what is derived from the seed in Secret {pinned.secret(node, facts)}: that is not the "
        "seed of the wallet that runs. Put the former Secret back before LND has to be restored from it",
        Stalled(),
    )


def certificate_is_trusted(node: LndNode, facts: Facts) -> Finding | None:
    """A certificate that no known authority signed: another program, or one whose authority was lost."""
    if isinstance(facts.presented, Unknown) or facts.presented.issuer is not None:
        return None
    return Finding(
        "CertificateUnknown",
        "LND shows a certificate that no known authority signed: nobody can talk to it, and the operator does not. Its "
        f"channels are safe. Put Secret {names.certificate(node.name).name} and its authority's back, or restart LND: "
        "it then shows the certificate of that Secret",
        Stalled(),
    )


def lnd_answers(_node: LndNode, facts: Facts) -> Finding | None:
    """Silence is no answer: it is waited for."""
    if not isinstance(facts.state, Unknown):
        return None
    told = f"LND's process runs but does not answer yet ({facts.state.reason}). It is left alone"
    return Finding("LndSilent", told, Waiting(running.SOON))


def wallet_is_made(node: LndNode, facts: Facts) -> Finding | None:
    """The first start ends with a wallet; a later one may never begin without."""
    if facts.state != State.NON_EXISTING:
        return None
    known = pinned.pins(node, facts)
    if not known:
        return Finding("MakingWallet", "LND waits for its wallet, which is being made", Waiting(running.SOON))
    return Finding(
        "VolumeEmpty",
        f"LND finds no wallet on volume {pinned.volume(node, facts)}, which held {_first(known)}: "
        "the volume was emptied or replaced. No wallet is made on it. Put the former volume back",
        Stalled(),
    )


def lnd_is_active(_node: LndNode, facts: Facts) -> Finding | None:
    """LND starts in steps; it waits for bitcoind in one of them."""
    told = {
        # Where LNDs do not share a database nothing else is waited for.
        State.WAITING_TO_START: ("OpeningDatabase", "LND opens its database; a newer release changes it before"),
        State.LOCKED: ("WalletLocked", "LND opens its wallet with the password from its Secret"),
        State.UNLOCKED: ("Starting", "LND has opened its wallet and starts"),
        State.RPC_ACTIVE: ("ChainSyncing", "LND catches up with the chain before it serves"),
    }.get(facts.state) if isinstance(facts.state, State) else None  # fmt: skip
    if told is None:
        return None
    if facts.chain.ready is not True:
        return _bitcoind_away(facts)
    return Finding(told[0], told[1], Waiting(running.SOON))


def bitcoind_answers(_node: LndNode, facts: Facts) -> Finding | None:
    """Without bitcoind LND cannot see the chain."""
    return None if facts.chain.ready is True else _bitcoind_away(facts)


def lnd_says_who_it_is(_node: LndNode, facts: Facts) -> Finding | None:
    """GetInfo may be slow under load: nothing is concluded from that."""
    if isinstance(facts.info, Info):
        return None
    reason = facts.info.reason
    return Finding("LndSilent", f"LND is active but does not say where it stands ({reason})", Waiting(running.SOON))


def chain_is_synced(_node: LndNode, facts: Facts) -> Finding | None:
    """Behind the tip, LND does not see what happens to its channels."""
    if not isinstance(facts.info, Info) or facts.info.synced:
        return None
    return Finding(
        "ChainSyncing",
        f"LND is at block {facts.info.block_height} and not at the tip (or the tip is older than two hours): payments "
        "wait until it is",
        Waiting(5.0),
    )


def consumers_have_access(node: LndNode, facts: Facts) -> Finding | None:
    """The API mounts its macaroon from a Secret: without it the node serves nobody."""
    # One that is only to be written anew (another authority, other permissions) still opens the door meanwhile.
    known = pinned.identity(node, facts)
    found = {who: one for who, one in facts.published.items() if one.intact and one.identity == known}
    late = [one.name for one in consumers.CONSUMERS if one.name not in found]
    if not late:
        return None
    secrets = " and ".join(names.consumer(node.name, who).name for who in late)
    return Finding("Publishing", f"Secret {secrets} is being written", Waiting(running.SOON))


def is_published(node: LndNode, facts: Facts, consumer: consumers.Consumer) -> bool:
    """Whether a consumer's Secret says what it should."""
    found = facts.published.get(consumer.name)
    return (
        found is not None
        and found.intact
        and found.permissions == consumer.digest
        and found.identity == pinned.identity(node, facts)
        and is_trusted(facts, found)
    )


def _first(known: pinned.Pins) -> str:
    return pinned.short(next(iter(known.values())))


def _told(facts: Facts) -> str:
    told = facts.chain.ready.reason if isinstance(facts.chain.ready, Unknown) else facts.chain.told
    return f": {told}" if told else ""


def _bitcoind_away(facts: Facts) -> Finding:
    return Finding(
        "BitcoindAway",
        f"bitcoind does not answer LND{_told(facts)}. LND runs on and is left alone: channels are safe, new payments "
        "are at risk. After some minutes it stops itself and comes back when bitcoind does",
        Waiting(5.0),
    )


#: In this order: the first finding wins. While one of these holds, nothing is made: what protects funds comes first.
OBSTACLES: Final = (
    pinned.wallet_is_not_a_former_one,
    pinned.wallet_is_a_known_one,
    pinned.wallet_is_the_one_in_use,
    pinned.identity_is_not_a_retired_one,
    pinned.pinned_identities_agree,
    pinned.identity_is_the_pinned_one,
    wallet_is_of_this_node,
    pinned.wallet_was_not_planted,
    wallet_secret_is_there,
    wallet_secret_is_complete,
    volume_is_there,
    releases.version_is_not_older_than_the_volume,
    bitcoind_is_known,
    bitcoind_lets_lnd_in,
    chain_is_ready_for_a_first_start,
    authority_can_sign,
)

#: What is yet to come true of a node that may run, from its pod to its service.
SHORTFALLS: Final = (
    volume_stays,
    running.pod_is_up,
    certificate_is_trusted,
    macaroon_is_accepted,
    lnd_answers,
    wallet_is_made,
    lnd_is_active,
    bitcoind_answers,
    lnd_says_who_it_is,
    chain_is_synced,
    consumers_have_access,
    authority_can_sign,
)
