import dataclasses
import re
from typing import Any

import pytest

from bankstack.engine.finding import Finding, Stalled, Waiting, first
from bankstack.engine.objects import SERVICE, Ref
from bankstack.kinds.coldwallet import checks
from bankstack.kinds.coldwallet.facts import Facts, Place, Pod, Scan, Silent, Wallet
from bankstack.kinds.coldwallet.names import SPECTER, ColdWallet

from .given import EXTERNAL, FIRST, PAIR, PINNED, SYNCED, WATCHING, facts, volume_of, wallet

ALL = (*checks.GUARDS, *checks.CHECKS)


def found(one: ColdWallet, seen: Facts) -> Finding:
    finding = first(ALL, one, seen)
    assert finding is not None
    return finding


def watching(**changes: object) -> Wallet:
    return dataclasses.replace(WATCHING, **changes)  # type: ignore[arg-type]


def chain(**changes: object) -> object:
    return dataclasses.replace(SYNCED, **changes)  # type: ignore[arg-type]


def test_nothing_is_found_where_all_is_well() -> None:
    assert first(ALL, wallet(PINNED), facts()) is None


MULTISIG = {
    "threshold": 1,
    "keys": [{"name": "a", "fingerprint": "00000000", "derivation": "1", "xpub": "tpub" + "1" * 107}],
}
SILENT = Silent("BitcoindSilent", "bitcoind did not answer getblockchaininfo within 5 s")
LEFT = {"metadata": {"name": "x", "ownerReferences": [{"kind": "ColdWallet", "uid": "an earlier one"}]}}

CASES = [
    ("a mistyped key", wallet(multisig=MULTISIG), {}, "KeyUnusable", "the xpub of a is mistyped", Stalled),
    ("30.0", wallet(bitcoind__version="30.0"), {}, "VersionRefused", "can delete wallets", Stalled),
    ("an image of 30.1", wallet(bitcoind__image="r/b:v30.1-x"), {}, "VersionRefused", "not started", Stalled),
    ("Knots 30.1", wallet(bitcoind__image="k/bitcoin:30.1.knots1"), {}, "VersionRefused", "not started", Stalled),
    (
        "other descriptors", wallet(PINNED | {"descriptorChecksums": ["aaaaaaaa", "bbbbbbbb"]}), {},
        "DescriptorChanged", "were aaaaaaaa and bbbbbbbb and are now w7eklz04 and ttjvpyla", Stalled,
    ),
    (
        "a volume of another wallet", wallet(), {"live": volume_of("aaaaaaaa")},
        "VolumeOfAnotherWallet", "kept from a wallet with descriptor aaaaaaaa", Stalled,
    ),
    ("leftovers", wallet(), {"live": {Ref(SERVICE, "x"): LEFT}}, "Leftovers", "still being removed", Waiting),
    ("silence", wallet(), {"chain": SILENT}, "BitcoindSilent", "did not answer.*coins are safe", Waiting),
    ("another chain", wallet(), {"chain": chain(name="main")}, "WrongChain", "follows main.*is regtest", Stalled),
    ("says 30.0", wallet(), {"chain": chain(version=300000)}, "VersionRefused", "none is made in it", Stalled),
    ("a silent wallet", wallet(), {"wallet": SILENT}, "BitcoindSilent", "did not answer", Waiting),
    ("no wallet", wallet(), {"wallet": Place.MISSING}, "WalletMissing", "making", Waiting),
    ("a wallet not loaded", wallet(), {"wallet": Place.UNLOADED}, "WalletUnloaded", "loading", Waiting),
    ("keys", wallet(), {"wallet": watching(private_keys=True)}, "PrivateKeysFound", "move their coins", Stalled),
    (
        "a descriptor more", wallet(), {"wallet": watching(receive=(PAIR.receive, "wpkh(x)#12345678"))},
        "ForeignDescriptors", "not declared here .12345678", Stalled,
    ),
    ("branches swapped", wallet(), {"wallet": watching(receive=(PAIR.change,))}, "ForeignDescriptors", "", Stalled),
    ("nothing watched", wallet(), {"wallet": watching(receive=(), change=())}, "DescriptorsMissing", "which", Waiting),
    ("change not watched", wallet(), {"wallet": watching(change=())}, "DescriptorsMissing", "which", Waiting),
    (
        "another first address", wallet(PINNED | {"firstAddress": "bcrt1other"}), {},
        "FirstAddressDiffers", f"{FIRST}, but the pinned one is bcrt1other: send nothing", Stalled,
    ),
    (
        "an address it does not know", wallet(), {"wallet": watching(owns_first=False)},
        "FirstAddressDiffers", "does not know it as its own", Stalled,
    ),
    ("a scan", wallet(), {"wallet": watching(scanned=0.578)}, "Scanning", "50 % done.*too low", Waiting),
    ("a scan asked for", wallet(), {"scan": Scan.RUNNING}, "Scanning", "may take hours", Waiting),
    ("a scan nobody saw end", wallet(), {"scan": Scan.UNSEEN}, "ScanUnseen", "started again", Waiting),
    ("blocks behind", wallet(PINNED), {"chain": chain(headers=900, progress=0.1234)}, "Syncing", "10 % done", Waiting),
    (
        "the first download", wallet(PINNED, network="signet"),
        {"chain": chain(name="signet", initial_download=True)}, "Syncing", "catching up", Waiting,
    ),
    ("no log-in yet", wallet(PINNED), {"log_in_is_there": False}, "LogInMissing", "is being made", Waiting),
    (
        "the user's log-in", wallet(PINNED, specter__adminSecret="mine"), {"log_in_is_there": False},
        "LogInMissing", "Secret mine .* create it", Waiting,
    ),
    (
        "Specter not up", wallet(PINNED), {"pods": (Pod(SPECTER, ready=False, trouble="ImagePullBackOff"),)},
        "SpecterStarting", "not ready: ImagePullBackOff. Signing has to wait", Waiting,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[0]))
def test_each_trouble_has_its_own_reason(case: Any) -> None:  # noqa: ANN401 - a row of the table
    _, one, seen, reason, says, policy = case
    finding = found(one, facts(one, **seen))
    assert (finding.reason, type(finding.policy), finding.stops) == (reason, policy, True)
    assert re.search(says, finding.message), finding.message


def test_a_regtest_without_a_block_of_today_is_synced() -> None:
    assert first(ALL, wallet(PINNED), facts(chain=chain(initial_download=True, blocks=0, headers=0))) is None


def test_a_scan_that_somebody_starts_later_is_no_trouble() -> None:
    assert first(ALL, wallet(PINNED), facts(wallet=watching(scanned=0.5))) is None


def test_a_block_whose_header_just_came_is_no_backlog() -> None:
    assert first(ALL, wallet(PINNED), facts(chain=chain(headers=103))) is None


def test_descriptors_that_specter_cannot_show_are_told_and_stop_nothing() -> None:
    bare = "wpkh(" + PAIR.receive.partition("]")[2].partition("/")[0] + "/0/*)"
    one = wallet(multisig=None, descriptors=[bare, bare.replace("/0/*", "/1/*")])
    of = facts(one, wallet=Place.UNLOADED)
    finding = first(checks.SPECTER, one, of)
    assert finding is not None
    assert (finding.reason, finding.stops) == ("NotShown", False)


def test_without_specter_nothing_is_said_of_it() -> None:
    for one in (wallet(PINNED, specter__enabled=False), wallet(PINNED, specter=None)):
        assert first(checks.SPECTER, one, facts(one, pods=(), log_in_is_there=False)) is None


def test_an_external_bitcoind_is_not_judged_by_an_image() -> None:
    assert first(ALL, wallet(PINNED, bitcoind=None, external=EXTERNAL), facts()) is None


@pytest.mark.parametrize(
    "image", ["bitcoin/bitcoin:30.2", "bitcoin/bitcoin:30.10", "r:5030.1/x", "x/y@sha256:30", "b:v29.5"]
)
def test_other_images_are_not_refused(image: str) -> None:
    assert first(checks.GUARDS, wallet(bitcoind__image=image), facts()) is None


def test_progress_seldom_changes_the_message() -> None:
    says = {found(wallet(), facts(wallet=watching(scanned=n / 1000))).message for n in range(1000)}
    assert len(says) == 10
