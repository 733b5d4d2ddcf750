"""What can be wrong with a ColdWallet, each check one sentence of policy (pure).

Guards come before anything is made: while one finds something, nothing at all is
touched. The others speak of what runs; meanwhile what was made is kept in order.
"""

import re
from collections.abc import Callable
from typing import Final

from bankstack.engine.finding import WATCHED, Finding, Stalled, Waiting
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, Manifest, annotation
from bankstack.kinds.coldwallet import children, descriptors, names, specter
from bankstack.kinds.coldwallet.facts import STARTING, Facts, Place, Scan, Silent, Wallet
from bankstack.kinds.coldwallet.names import ColdWallet

Check = Callable[[ColdWallet, Facts], Finding | None]

SOON: Final = Waiting(2.0)
LATER: Final = Waiting(10.0)
#: Versions whose wallet migration can delete every wallet (bitcoincore.org, 2026-01-05).
_DELETING: Final = (300000, 300100)
_DELETING_TAG: Final = re.compile(r"[:-]v?30\.[01](\.|-|@|$)")
#: Headers arrive before their blocks: so many are no backlog.
_LAG: Final = 3


def keys_can_be_watched(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """A mistyped key would receive coins that nobody can spend."""
    del wallet
    if facts.watched is not None:
        return None
    return Finding("KeyUnusable", f"{facts.unusable}. Nothing was started", Stalled())


def image_deletes_no_wallets(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """The image's name gives a bad version away before it runs; what it says of itself is checked again."""
    del facts
    spec = wallet.spec.bitcoind
    if spec is None or not _DELETING_TAG.search(spec.image or f":{spec.version}"):
        return None
    return Finding(
        "VersionRefused",
        f"bitcoind {spec.image or spec.version} can delete wallets while migrating them: it is not started. "
        "Use 29.x or 30.2 in spec.bitcoind",
        Stalled(),
    )


def descriptors_are_the_pinned_ones(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Other descriptors under the same name are another wallet: its balance is not this one's."""
    pinned = wallet.status.descriptor_checksums
    if not pinned or facts.watched is None or tuple(pinned) == facts.watched.checksums:
        return None
    return Finding(
        "DescriptorChanged",
        f"the descriptors were {' and '.join(pinned)} and are now {' and '.join(facts.watched.checksums)}: another "
        "wallet. The one that was pinned keeps being watched. Set multisig or descriptors back, or make a new "
        "ColdWallet for the new ones",
        Stalled(),
    )


def volumes_are_of_this_wallet(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """A retained volume is adopted by the same wallet only (law 4)."""
    del wallet
    for ref, manifest in facts.live.items():
        owner = annotation(manifest, children.IDENTITY) if ref.type == PERSISTENT_VOLUME_CLAIM else None
        if owner is not None and facts.watched is not None and owner != facts.watched.checksums[0]:
            return Finding(
                "VolumeOfAnotherWallet",
                f"volume {ref.name} was kept from a wallet with descriptor {owner}, this one has "
                f"{facts.watched.checksums[0]}: it is left as it is and nothing is started. Declare the former keys, "
                "or choose another name, or delete the volume if its wallet is not needed any more",
                Stalled(),
            )
    return None


def nothing_of_an_earlier_life_is_left(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Kubernetes still removes what belonged to a deleted resource of this name."""
    if not any(_is_of_another(manifest, wallet.uid) for manifest in facts.live.values()):
        return None
    return Finding(
        "Leftovers", "what was made for a deleted ColdWallet of this name is still being removed: waiting for that",
        WATCHED,
    )  # fmt: skip


def _is_of_another(manifest: Manifest, uid: str) -> bool:
    owners = manifest["metadata"].get("ownerReferences", [])
    return any(one.get("kind") == "ColdWallet" and one["uid"] != uid for one in owners)


def bitcoind_answers(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Nothing is concluded about coins while nobody can be asked."""
    del wallet
    return _silence(facts.chain)


def _silence(answer: object) -> Finding | None:
    if not isinstance(answer, Silent):
        return None
    policy = WATCHED if answer.reason == STARTING else SOON
    return Finding(answer.reason, f"{answer.what}. The coins are safe: they are in the chain, not here", policy)


def chain_is_the_declared_one(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """A bitcoind on another chain shows a balance that means nothing."""
    if isinstance(facts.chain, Silent) or facts.chain.name == names.CHAINS[wallet.spec.network]:
        return None
    return Finding(
        "WrongChain",
        f"bitcoind follows {facts.chain.name}, spec.network is {wallet.spec.network}: its balances are not used. "
        "Point external to a bitcoind of that network, or make a new ColdWallet",
        Stalled(),
    )


def version_deletes_no_wallets(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """What bitcoind says of itself, whatever its image is called."""
    del wallet
    if isinstance(facts.chain, Silent) or facts.chain.version not in _DELETING:
        return None
    return Finding(
        "VersionRefused",
        f"bitcoind says it is {facts.chain.subversion}, which can delete wallets while migrating them: none is made "
        "in it. Use 29.x or 30.2",
        Stalled(),
    )


def wallet_answers(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """It may answer and yet not tell of the wallet, as while it loads."""
    del wallet
    return _silence(facts.wallet)


def wallet_is_there(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """The watching wallet is made where it is missing: it holds no key, so nothing is lost with it."""
    match facts.wallet:
        case Place.MISSING:
            return Finding("WalletMissing", f"making the watching wallet {names.watching(wallet)} in bitcoind", SOON)
        case Place.UNLOADED:
            return Finding("WalletUnloaded", f"loading the watching wallet {names.watching(wallet)} in bitcoind", SOON)
        case _:
            return None


def wallet_holds_no_private_key(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Law 7: a cold key that a server has is not cold."""
    if not isinstance(facts.wallet, Wallet) or not facts.wallet.private_keys:
        return None
    return Finding(
        "PrivateKeysFound",
        f"wallet {names.watching(wallet)} in bitcoind can hold private keys, so somebody else made it: it is not used. "
        "If there are keys in it, move their coins; then rename or remove it, and a watching one is made",
        Stalled(),
    )


def wallet_watches_nothing_else(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """A descriptor more, and the balance is not this wallet's."""
    if not isinstance(facts.wallet, Wallet) or facts.watched is None:
        return None
    strange = [one for one in facts.wallet.receive if not descriptors.same(one, facts.watched.receive)]
    strange += [one for one in facts.wallet.change if not descriptors.same(one, facts.watched.change)]
    if not strange:
        return None
    listed = ", ".join(one.rpartition("#")[2] for one in strange[:5])
    return Finding(
        "ForeignDescriptors",
        f"wallet {names.watching(wallet)} in bitcoind watches descriptors that are not declared here ({listed}): its "
        "balance would not be this wallet's. Find out who added them; then remove that wallet from bitcoind, and it "
        "is made anew",
        Stalled(),
    )


def descriptors_are_imported(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Both branches, or change would vanish from the balance."""
    del wallet
    if not isinstance(facts.wallet, Wallet) or (facts.wallet.receive and facts.wallet.change):
        return None
    return Finding("DescriptorsMissing", "telling bitcoind which addresses to watch", SOON)


def first_address_is_the_pinned_one(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """What people compared with their signers must stay what receives coins."""
    if not isinstance(facts.wallet, Wallet) or facts.wallet.first_address is None:
        return None
    pinned = wallet.status.first_address
    if facts.wallet.owns_first and pinned in (None, facts.wallet.first_address):
        return None
    said = "does not know it as its own" if not facts.wallet.owns_first else f"the pinned one is {pinned}"
    return Finding(
        "FirstAddressDiffers",
        f"the first address of the declared keys is {facts.wallet.first_address}, but {said}: send nothing to this "
        "wallet. Compare the address with what the signers show, and multisig or descriptors with their backups",
        Stalled(),
    )


def wallet_knows_its_history(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """A balance counts once the scan from the birthday was seen to end; a scan that people start later adds nothing."""
    if not isinstance(facts.wallet, Wallet) or wallet.status.complete_since is not None:
        return None
    if facts.wallet.scanned is not None or facts.scan is Scan.RUNNING:
        return Finding(
            "Scanning",
            f"bitcoind searches the chain for this wallet's coins{_tens(facts.wallet.scanned)}: until it is done the "
            "balance is too low. It may take hours",
            LATER,
        )
    if facts.scan is Scan.DONE:
        return None
    return Finding("ScanUnseen", "the search for this wallet's coins was not seen to end: it is started again", SOON)


def chain_is_synced(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Behind the tip, coins that arrived are not seen yet."""
    if isinstance(facts.chain, Silent):
        return None
    # On regtest there is nobody to catch up with: a chain without a block of today is normal.
    catching_up = facts.chain.initial_download and wallet.spec.network != "regtest"
    if not catching_up and facts.chain.headers - facts.chain.blocks <= _LAG:
        return None
    return Finding(
        "Syncing",
        f"bitcoind is catching up with the chain{_tens(facts.chain.progress)}: coins that came since are not seen "
        "yet. Nothing is to be done but wait",
        LATER,
    )


def specter_can_log_people_in(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Specter without a log-in of its own has a known one."""
    if not _wants_specter(wallet) or facts.log_in_is_there:
        return None
    given = wallet.spec.specter.admin_secret if wallet.spec.specter else None
    what = "is being made" if given is None else "is not there or lacks username or password: create it"
    return Finding(
        "LogInMissing",
        f"Secret {names.specter_admin(wallet)} for Specter's log-in {what}. Specter waits for it",
        Waiting(30.0) if given else SOON,
    )


def specter_shows_the_wallet(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Some descriptors Specter has no words for; it runs, but without this wallet."""
    if not _wants_specter(wallet) or facts.watched is None or specter.shows(wallet, facts.watched):
        return None
    return Finding(
        "NotShown",
        "Specter cannot show these descriptors (it wants every key with its origin, and the branches /0/* and /1/*): "
        "sign with another tool, or set specter.enabled: false",
        LATER,
        stops=False,
    )


def specter_is_ready(wallet: ColdWallet, facts: Facts) -> Finding | None:
    """Without Specter nobody signs, but nothing is lost either."""
    if not _wants_specter(wallet) or any(one.component == names.SPECTER and one.ready for one in facts.pods):
        return None
    trouble = next((f": {one.trouble}" for one in facts.pods if one.component == names.SPECTER and one.trouble), "")
    return Finding("SpecterStarting", f"Specter is not ready{trouble}. Signing has to wait, the coins are safe", LATER)


def _wants_specter(wallet: ColdWallet) -> bool:
    return wallet.spec.specter is not None and wallet.spec.specter.enabled


def _tens(share: float | None) -> str:
    """Rounded, so that the message, and with it the status, seldom changes."""
    return "" if share is None else f" ({int(share * 10) * 10} % done)"


#: In this order: what protects funds comes before what is merely broken.
GUARDS: Final[tuple[Check, ...]] = (
    keys_can_be_watched,
    image_deletes_no_wallets,
    descriptors_are_the_pinned_ones,
    volumes_are_of_this_wallet,
    nothing_of_an_earlier_life_is_left,
)
CHAIN: Final[tuple[Check, ...]] = (
    bitcoind_answers,
    chain_is_the_declared_one,
    version_deletes_no_wallets,
)
IDENTITY: Final[tuple[Check, ...]] = (
    wallet_answers,
    wallet_is_there,
    wallet_holds_no_private_key,
    wallet_watches_nothing_else,
    descriptors_are_imported,
    first_address_is_the_pinned_one,
)
HISTORY: Final[tuple[Check, ...]] = (wallet_knows_its_history,)
SYNC: Final[tuple[Check, ...]] = (chain_is_synced,)
SPECTER: Final[tuple[Check, ...]] = (
    specter_can_log_people_in,
    specter_is_ready,
    specter_shows_the_wallet,
)
CHECKS: Final = CHAIN + IDENTITY + HISTORY + SYNC + SPECTER
