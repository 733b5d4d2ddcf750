"""How it goes: stopped first, data kept, and deleted only after proof."""

import dataclasses
from datetime import UTC, datetime

import pytest

from bankstack.engine import drift
from bankstack.engine.decision import Apply, Decision, Delete
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, STATEFUL_SET, Manifest, Ref, ref
from bankstack.kinds.coldwallet import children
from bankstack.kinds.coldwallet.decide import decide
from bankstack.kinds.coldwallet.facts import Silent
from bankstack.kinds.coldwallet.names import ColdWallet

from .given import EXTERNAL, PAIR, PINNED, SYNCED, WATCHING, facts, wallet

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIGNET = dataclasses.replace(SYNCED, name="signet")
EMPTY = dataclasses.replace(WATCHING, balance_sat=0, utxos=0)
SILENT = Silent("BitcoindSilent", "no answer")


def leaving(**changes: object) -> ColdWallet:
    return wallet(PINNED, deleting=True, **changes)


def standing(of: ColdWallet, *, replicas: int = 1, **annotations: str) -> dict[Ref, Manifest]:
    """What was made for it, with or without its pods."""
    live = {}
    for one in children.wanted(of, PAIR, {}, with_specter=True):
        marked = drift.mark(one)
        marked["metadata"] |= {"uid": f"uid-of-{one['metadata']['name']}"}
        if one["kind"] == "StatefulSet":
            marked["spec"] |= {"replicas": replicas}
            marked["metadata"]["annotations"] |= annotations
        live[ref(one)] = marked
    return live


def decided(of: ColdWallet, **changes: object) -> Decision:
    return decide(of, facts(of, **changes), NOW)


def stops(decision: Decision) -> list[tuple[str, int]]:
    return [
        (one.manifest["metadata"]["name"], one.manifest["spec"]["replicas"])
        for one in decision.actions
        if isinstance(one, Apply)
    ]


def test_first_both_are_stopped_and_nothing_else_is_done() -> None:
    of = leaving()
    decision = decided(of, live=standing(of), chain=SILENT, wallet=SILENT)
    assert stops(decision) == [("vault-bitcoind", 0), ("vault-specter", 0)]
    assert len(decision.actions) == 2
    assert not decision.released
    assert decision.finding is not None
    assert decision.finding.reason == "Stopping"


def test_it_is_let_go_when_the_pods_are_gone_and_its_data_stay() -> None:
    of = leaving()
    waiting = decided(of, live=standing(of, replicas=0))
    assert (waiting.released, waiting.actions) == (False, ())
    gone = decided(of, live=standing(of, replicas=0), pods=())
    assert (gone.released, gone.actions) == (True, ())


def test_where_nothing_is_left_it_is_let_go_at_once() -> None:
    decision = decided(leaving(deletionPolicy="Delete"), pods=(), live={})
    assert (decision.released, decision.actions) == (True, ())


def test_an_external_bitcoind_is_not_stopped() -> None:
    decision = decided(leaving(bitcoind=None, external=EXTERNAL, specter=None), pods=(), live={})
    assert decision.released


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "it holds 250000 sat"),
        ({"wallet": SILENT, "chain": SILENT}, "could not be proven"),
        ({"wallet": dataclasses.replace(EMPTY, scanned=0.5)}, "could not be proven"),
        ({"wallet": EMPTY, "chain": dataclasses.replace(SIGNET, initial_download=True)}, "could not be proven"),
    ],
)
def test_without_proof_of_zero_nothing_is_stopped_or_deleted(changes: dict[str, object], says: str) -> None:
    of = leaving(network="signet", deletionPolicy="Delete")
    decision = decided(of, **({"live": standing(of), "chain": SIGNET} | changes))
    assert (decision.actions, decision.released) == ((), False)
    assert decision.finding is not None
    assert decision.finding.reason == "NotProvenEmpty"
    assert says in decision.finding.message


def test_proof_is_written_down_with_the_order_to_stop() -> None:
    of = leaving(network="signet", deletionPolicy="Delete")
    decision = decided(of, live=standing(of), chain=SIGNET, wallet=EMPTY)
    assert stops(decision) == [("vault-bitcoind", 0), ("vault-specter", 0)]
    for one in decision.actions:
        assert isinstance(one, Apply)
        assert one.manifest["metadata"]["annotations"]["bankstack.io/proved-empty"] == "true"


def test_after_proof_the_data_go_and_a_users_own_secret_stays() -> None:
    of = leaving(deletionPolicy="Delete", specter__adminSecret="mine")
    live = standing(of, replicas=0, **{"bankstack.io/proved-empty": "true"})
    decision = decided(of, live=live, pods=(), secrets={"vault-rpcauth": "u1", "mine": "u2"})
    assert decision.released
    assert [str(one) for one in decision.actions] == [
        "delete PersistentVolumeClaim vault-bitcoind (ProvenEmpty)",
        "delete PersistentVolumeClaim vault-specter (ProvenEmpty)",
        "delete Secret vault-rpcauth (ProvenEmpty)",
    ]


def test_without_written_proof_the_data_stay_although_nobody_can_be_asked_any_more() -> None:
    of = leaving(network="signet", deletionPolicy="Delete")
    decision = decided(of, live=standing(of, replicas=0), pods=(), chain=SILENT, wallet=SILENT)
    assert (decision.released, decision.actions) == (True, ())


def test_what_the_spec_has_no_words_for_any_more_is_stopped_too() -> None:
    of = leaving(specter=None)
    live = standing(leaving())
    decision = decided(of, live=live)
    assert stops(decision) == [("vault-bitcoind", 0)]
    assert [one.ref for one in decision.actions if isinstance(one, Delete)] == [Ref(STATEFUL_SET, "vault-specter")]


def test_a_wallet_that_cannot_be_read_any_more_still_stops() -> None:
    of = leaving()
    decision = decided(of, live=standing(of), watched=None, unusable="multisig.keys: mistyped")
    assert {one.ref.name for one in decision.actions if isinstance(one, Delete)} == {"vault-bitcoind", "vault-specter"}
    assert not any(one.ref.type == PERSISTENT_VOLUME_CLAIM for one in decision.actions if isinstance(one, Delete))
