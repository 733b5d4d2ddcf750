"""What must not get a Replace to lose money: wrong numbers, planted Secrets, sums that do not add up."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Channels, Closure, Funds, Transaction
from bankstack.engine.operation import Done
from bankstack.kinds.lndnode import names, pinned, sealed, stages
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Tombstone, Wallet
from bankstack.kinds.lndnode.model import LndNodeStatus
from bankstack.kinds.lndnode.retire import retire

from .given import ME, NOW, node
from .planned import waits
from .test_replace import OPEN, SWEEP, asked, facts, stopped, swept

STONE = Tombstone("03" + "a" * 64, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)


@pytest.mark.parametrize("number", [2, 20])
def test_a_mistyped_number_does_not_make_a_live_wallet_a_former_one(number: int) -> None:
    for known in (facts(generation=number), stopped(generation=number, wallet=None)):
        decision = decide(node(), known, NOW)
        assert decision.finding is not None
        assert (decision.finding.reason, decision.actions) == ("WalletGenerationUnknown", ())
        assert 'generation to "1"' in decision.finding.message
        assert decision.status == node().status, "what was pinned stays"


def test_a_later_wallet_s_number_is_not_believed_either() -> None:
    status = LndNodeStatus(identity_pubkey=ME, generation=2)
    decision = decide(node(status=status), facts(generation=20, tombstones=(STONE,)), NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, decision.status) == ("WalletGenerationUnknown", status)


def test_a_number_with_a_tombstone_or_on_a_resource_that_is_new_is_believed() -> None:
    assert pinned.wallet_is_a_known_one(node(), facts(generation=2, tombstones=(STONE,))) is None
    assert pinned.wallet_is_a_known_one(node(identity=None), facts(generation=2)) is None


@pytest.mark.parametrize("told", ["1" * 5000, "1000", "-2", "2.0", "²", ""])
def test_what_is_no_number_of_a_wallet_says_nothing(told: str) -> None:
    secret = {"metadata": {"name": "lnd1-wallet", "annotations": {"bankstack.io/generation": told}}}
    assert sealed.noted_generation(secret) == 1


def test_nothing_is_deleted_where_it_is_not_known_which_wallet_is_in_use() -> None:
    gone = node(status=LndNodeStatus(identity_pubkey=ME, generation=2), deletionPolicy="Delete")
    left = replace(facts(), children={}, secrets={names.channel_backup("lnd1"): "life"})
    found = {one: retire(gone, replace(left, generation=one)) for one in (1, 2, 3)}
    assert all(decision.released for decision in found.values())
    assert [len(found[one].actions) for one in (1, 2, 3)] == [0, 2, 0]


def test_a_seed_that_waited_under_the_next_wallet_s_name_is_not_used() -> None:
    planted = Wallet(frozenset({"password", "seed"}), 24, 43)
    status = LndNodeStatus(identity_pubkey=ME)
    known = stopped(generation=2, wallet=planted, tombstones=(replace(STONE, identity=ME),))
    known = replace(known, wallet=planted)
    found = pinned.wallet_was_not_planted(node(status=status), known)
    assert found is not None
    assert (found.reason, found.stops) == ("NameTaken", True)
    ours = replace(known, wallet=replace(planted, made_by_us=True))
    assert pinned.wallet_was_not_planted(node(status=status), ours) is None
    assert pinned.wallet_was_not_planted(node(), replace(known, generation=1)) is None


@pytest.mark.parametrize("more", [{"closing": frozenset({"zz:0"})}, {"opening": frozenset({"zz:0"})}])
def test_the_books_do_not_begin_while_a_channel_is_on_its_way(more: dict[str, Any]) -> None:
    waits(asked(stages.DRAIN, facts(channels=replace(OPEN, **more))), "is being opened or closed")
    waits(asked(stages.DRAIN, facts(channels=OPEN, funds=Funds(limbo_sat=7))), "is being opened or closed")


def test_a_channel_that_ended_before_the_books_began_is_not_in_them() -> None:
    before = Closure("cc:2", "c3", 812, 900, 500, ours=True)
    done = asked(stages.BURY, facts(closures=(before,)))
    assert done == Done("0 channels are closed: there was none")


def test_one_end_that_cannot_be_looked_up_does_not_explain_any_loss() -> None:
    peers = Closure("bb:1", "c2", 821, 900, 0)
    sent = replace(SWEEP, amount_sat=-400)
    transactions: tuple[Transaction, ...] = (sent,)
    waits(asked(stages.ACCOUNT, swept(closures=(peers,), transactions=transactions)), "1120 of 1520 sat cannot be")
    known = swept(closures=(peers,), transactions=(replace(SWEEP, amount_sat=-1000),), channels=Channels())
    done = asked(stages.ACCOUNT, known)
    assert isinstance(done, Done), done
    assert "that closing bb:1 cost" in done.evidence
