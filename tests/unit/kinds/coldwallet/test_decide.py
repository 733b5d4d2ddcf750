"""The decision on its own: what it asks for in which order, and what it never does."""

import dataclasses
from datetime import UTC, datetime

import pytest

from bankstack.engine.decision import Apply, Ask, Decision, Delete
from bankstack.engine.objects import ref
from bankstack.kinds.coldwallet.decide import decide
from bankstack.kinds.coldwallet.facts import Place, Scan, Silent
from bankstack.kinds.coldwallet.names import ColdWallet

from .given import EXTERNAL, FIRST, PAIR, PINNED, WATCHING, facts, volume_of, wallet

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EMPTY = dataclasses.replace(WATCHING, receive=(), change=(), first_address=None, owns_first=None)
STARTING = Silent("BitcoindStarting", "bitcoind's pod is not running yet")


def decided(one: ColdWallet, **changes: object) -> Decision:
    return decide(one, facts(one, **changes), NOW)


def asked(decision: Decision) -> list[str]:
    return [action.action for action in decision.actions if isinstance(action, Ask)]


def test_a_first_look_makes_what_needs_no_secret_then_secrets_then_what_mounts_them() -> None:
    first = decided(
        wallet(), credentials_intact=False, specter_secrets_intact=False, log_in_is_there=False,
        chain=STARTING, wallet=STARTING, pods=(),
    )  # fmt: skip
    words = [str(action).split(" (")[0] for action in first.actions]
    assert words[1] == "apply PersistentVolumeClaim vault-bitcoind"
    assert words[-3:] == ["MendCredentials", "MendSpecterSecrets", "apply StatefulSet vault-bitcoind"]
    assert not any("specter" in word for word in words)


def test_specter_is_made_once_the_wallet_is_known() -> None:
    before = decided(wallet(), wallet=Place.MISSING, pods=())
    after = decided(wallet())
    assert not any("vault-specter" in str(action) for action in before.actions)
    assert any("apply StatefulSet vault-specter" in str(action) for action in after.actions)


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"wallet": Place.MISSING}, "CreateWallet"),
        ({"wallet": Place.UNLOADED}, "LoadWallet"),
        ({"wallet": EMPTY}, "Watch"),
        ({"scan": Scan.UNSEEN}, "Watch"),
    ],
)
def test_each_finding_that_can_be_cured_has_its_one_action(changes: dict[str, object], action: str) -> None:
    assert asked(decided(wallet(), **changes)) == [action]


def test_that_history_was_complete_is_forgotten_before_a_new_scan_begins() -> None:
    first = decided(wallet(PINNED), wallet=EMPTY)
    assert (asked(first), first.status.model_dump()["complete_since"]) == ([], None)
    then = decided(wallet({key: value for key, value in PINNED.items() if key != "completeSince"}), wallet=EMPTY)
    assert asked(then) == ["Watch"]


@pytest.mark.parametrize("silent", [{"chain": STARTING, "wallet": STARTING}, {"wallet": STARTING}])
def test_silence_changes_nothing_that_was_pinned_and_does_nothing_to_bitcoind(silent: dict[str, object]) -> None:
    decision = decided(wallet(PINNED), **silent)
    assert asked(decision) == []
    said = decision.status.model_dump(by_alias=True)
    assert {key: said[key] for key in PINNED} == PINNED


def test_a_scan_from_the_first_block_is_complete_since_then() -> None:
    one = wallet(birthday=None)
    assert decided(one).status.model_dump()["complete_since"] == "2009-01-03T00:00:00Z"


def test_pins_are_written_once_and_not_moved() -> None:
    assert decided(wallet()).status.model_dump()["first_address"] == FIRST
    other = decided(wallet(PINNED | {"firstAddress": "bcrt1other"}))
    assert other.status.model_dump()["first_address"] == "bcrt1other"
    assert decided(wallet(), wallet=Place.MISSING).status.model_dump()["first_address"] is None


@pytest.mark.parametrize(
    "of", [wallet(PINNED | {"descriptorChecksums": ["aaaaaaaa", "bbbbbbbb"]}), wallet(bitcoind__version="30.0")]
)
def test_a_guard_that_finds_something_touches_nothing(of: ColdWallet) -> None:
    decision = decided(of, credentials_intact=False)
    assert decision.actions == ()
    assert decision.status == of.status


def test_a_stalled_wallet_is_still_kept_in_order() -> None:
    decision = decided(wallet(PINNED), wallet=dataclasses.replace(WATCHING, private_keys=True))
    assert asked(decision) == []
    assert any(isinstance(action, Apply) for action in decision.actions)


def test_an_external_bitcoind_gets_no_credentials_and_nothing_is_run_for_it() -> None:
    one = wallet(PINNED, bitcoind=None, external=EXTERNAL, specter=None)
    decision = decided(one, credentials_intact=False)
    assert decision.actions == ()
    assert [claim.type for claim in decision.claims] == ["ChainReady", "WalletReady"]


def test_nothing_is_deleted_that_is_retained() -> None:
    decision = decided(wallet(PINNED, specter=None), live=volume_of(PAIR.checksums[0]))
    assert not [action for action in decision.actions if isinstance(action, Delete)]


def test_a_deleted_service_comes_back_under_the_address_that_a_running_lnd_knows() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "vault-bitcoind"}}
    seen = decided(wallet(), live={ref(service): service | {"spec": {"clusterIP": "10.96.0.7"}}})
    told = seen.status.model_dump(by_alias=True, exclude_none=True)
    assert told["endpoint"]["address"] == "10.96.0.7"
    again = decided(wallet(status=told), live={})
    made = [one.manifest for one in again.actions if isinstance(one, Apply) and one.manifest["kind"] == "Service"]
    assert [one["spec"].get("clusterIP") for one in made[:2]] == ["10.96.0.7", None]


def test_the_same_facts_give_the_same_decision() -> None:
    one = wallet(PINNED)
    assert decided(one) == decided(one)


def test_words_of_an_action_hold_no_more_than_a_name() -> None:
    (action,) = [one for one in decided(wallet(), wallet=Place.MISSING).actions if isinstance(one, Ask)]
    assert str(action) == "CreateWallet wallet=specter-bankstack/vault (WalletMissing)"
