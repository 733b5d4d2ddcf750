"""What comes while channels and coins leave a node: another channel, LND's own reserve, money that goes elsewhere."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Channels, Closure, Funds, Stake, Transaction
from bankstack.engine.decision import Ask
from bankstack.engine.operation import Abort, Do, Done, Wait
from bankstack.kinds.lndnode import leaving, stages
from bankstack.plans.model import SENTENCE_MOST

from .planned import waits
from .test_replace import ADDRESS, DRAINED, OPEN, SWEEP, asked, facts, swept

LATE = Channels(frozenset({"cc:2"}), active=frozenset({"cc:2"}), stakes={"cc:2": Stake("02cc", 0)})
CLOSES = Ask("close_channels", "Plan")
SENDS = Ask("sweep", "Plan", {"address": ADDRESS, "label": "bankstack plan p1"})
AFTERWARDS = pytest.mark.parametrize("step", [stages.BURY, stages.SWEEP, stages.ACCOUNT])


# A channel that a peer opens


@AFTERWARDS
def test_a_channel_that_a_peer_opens_after_close_is_closed_too(step: str) -> None:
    verdict = asked(step, swept(channels=LATE, funds=Funds(confirmed_sat=1500)))
    assert isinstance(verdict, Do), verdict
    assert verdict.actions == (CLOSES,)
    assert "1 channels are open" in verdict.told


@AFTERWARDS
def test_one_that_is_being_opened_is_waited_for_and_told_to_be_closed_then(step: str) -> None:
    known = swept(channels=Channels(opening=frozenset({"cc:2"})), funds=Funds(confirmed_sat=1500))
    waits(asked(step, known), "channel cc:2 is being opened", "closed then")


@AFTERWARDS
def test_one_whose_peer_went_away_again_is_named_with_what_can_be_done(step: str) -> None:
    known = swept(channels=replace(LATE, active=frozenset()))
    waits(asked(step, known), "channel cc:2 cannot be closed, its peer 02cc is away", "lncli connect")


@AFTERWARDS
def test_what_comes_out_of_it_is_waited_for_and_nothing_sent_before(step: str) -> None:
    known = swept(channels=Channels(closing=frozenset({"cc:2"})), funds=Funds(confirmed_sat=1500))
    waits(asked(step, known), "1 channels are not closed yet (cc:2 first)")
    waits(asked(step, swept(funds=Funds(confirmed_sat=1500, limbo_sat=7))), "7 sat are on their way out")


def test_a_destination_of_the_node_itself_ends_the_plan_before_another_channel_is_closed() -> None:
    back = replace(SWEEP, amount_sat=-100, outputs_sat=1300, returned_sat=1300)
    assert isinstance(asked(stages.SWEEP, facts(channels=LATE, transactions=(back,))), Abort)


# What LND keeps back for a channel


@pytest.mark.parametrize("fee_sat", [100, 0], ids=["its fee is known", "it is not"])
def test_only_where_nothing_arrived_elsewhere_the_destination_is_the_node_s_own(fee_sat: int) -> None:
    part = replace(SWEEP, fee_sat=fee_sat, outputs_sat=11_300, returned_sat=10_000)
    verdict = asked(stages.SWEEP, facts(funds=Funds(confirmed_sat=10_000), transactions=(part,)))
    assert isinstance(verdict, Do), verdict
    assert verdict.actions == (SENDS,)
    nothing = replace(SWEEP, fee_sat=fee_sat, amount_sat=-100, outputs_sat=10_000, returned_sat=10_000)
    verdict = asked(stages.SWEEP, facts(funds=Funds(confirmed_sat=10_000), transactions=(nothing,)))
    assert isinstance(verdict, Abort)
    assert "an address of the node" in verdict.sentence


def test_both_parts_of_what_was_sent_are_told() -> None:
    part = replace(SWEEP, outputs_sat=11_300, returned_sat=10_000)
    rest = Transaction("ee", -10_000, 90, 1, SWEEP.label, 9910)
    done = asked(stages.SWEEP, facts(transactions=(part, rest)))
    assert done == Done("1300 sat by ff for a fee of 100 sat, 9910 sat by ee for a fee of 90 sat")


# Money that goes elsewhere

ON_CHAIN, SET_ASIDE = 5_000_000, 2810
#: Opened by us for ten million, and paid empty: what was set aside went for the fee of its end.
EMPTIED = Closure("aa:0", "c1", 820, 10_000_000, 0, ours=True)
BOOKS = DRAINED | {stages.START_SAT: str(ON_CHAIN + SET_ASIDE), leaving.CHANNEL_SAT: str(SET_ASIDE)}
STOLEN = Transaction("dd", -3_000_000, 141, 3)


def sent(sat: int) -> Transaction:
    return replace(SWEEP, amount_sat=-sat)


def accounted(*transactions: Transaction, books: dict[str, str] = BOOKS, **more: Any) -> Done | Wait:  # noqa: ANN401
    known: dict[str, Any] = {"closures": (EMPTIED,), "transactions": transactions}
    verdict = asked(stages.ACCOUNT, swept(**known | more), Drain=books)
    assert isinstance(verdict, Done | Wait), verdict
    return verdict


def test_drain_writes_down_how_much_of_it_is_in_channels() -> None:
    done = asked(stages.DRAIN, facts(channels=OPEN, funds=Funds(confirmed_sat=80, local_sat=1500)))
    assert isinstance(done, Done)
    assert (done.kept[stages.START_SAT], done.kept[leaving.CHANNEL_SAT]) == ("1600", "1520")


def test_an_emptied_channel_s_end_may_cost_what_was_set_aside_in_it() -> None:
    done = accounted(sent(ON_CHAIN))
    assert isinstance(done, Done), done
    assert f"+ {SET_ASIDE} that closing aa:0 cost" in done.evidence


def test_an_emptied_channel_s_end_does_not_explain_what_went_elsewhere() -> None:
    told = accounted(sent(ON_CHAIN - 3_000_000), STOLEN)
    waits(told, f"{3_000_000 + SET_ASIDE} of {ON_CHAIN + SET_ASIDE} sat cannot be accounted for")
    waits(accounted(sent(ON_CHAIN - 1)), "2811 of")


def test_two_of_them_explain_it_once() -> None:
    both: dict[str, Any] = {"closures": (EMPTIED, replace(EMPTIED, outpoint="bb:1", txid="c2"))}
    assert isinstance(accounted(sent(ON_CHAIN), **both), Done)
    waits(accounted(sent(ON_CHAIN - 1), **both), "2811 of")


def test_what_known_ends_brought_explains_nothing_either() -> None:
    full = Closure("bb:1", "c2", 821, 9_000_000, 4_000_000)
    paid_out = Transaction("c2", 4_000_000, outputs_sat=8_999_000)
    both: dict[str, Any] = {"closures": (EMPTIED, full)}
    books = BOOKS | {stages.START_SAT: str(9_002_810), leaving.CHANNEL_SAT: str(4_002_810)}
    assert isinstance(accounted(sent(9_000_000), paid_out, books=books, **both), Done)
    waits(accounted(sent(6_000_000), paid_out, books=books, **both), "3002810 of 9002810 sat cannot")


def test_what_was_paid_through_channels_since_is_not_counted_twice() -> None:
    books = BOOKS | {stages.START_SAT: str(ON_CHAIN + 700_000), leaving.CHANNEL_SAT: "700000"}
    assert isinstance(accounted(sent(ON_CHAIN), books=books, sent_msat=697_190_000), Done)
    waits(accounted(sent(ON_CHAIN - 1), books=books, sent_msat=697_190_000), "700001 of")


def test_an_end_by_force_may_cost_besides_what_lnd_keeps_back_for_it() -> None:
    forced = replace(EMPTIED, cooperative=False)
    bumped = sent(ON_CHAIN - leaving.BUMP_SAT)
    assert isinstance(accounted(bumped, closures=(forced,)), Done)
    waits(accounted(bumped, STOLEN), "cannot be accounted for")
    waits(accounted(sent(ON_CHAIN - 3_000_000), closures=(forced,)), "cannot be accounted for")


def test_books_of_an_operator_that_did_not_write_that_down_explain_nothing() -> None:
    older = {word: said for word, said in BOOKS.items() if word != leaving.CHANNEL_SAT}
    waits(accounted(sent(ON_CHAIN), books=older), f"{SET_ASIDE} of")


def test_what_left_without_the_plan_s_label_is_named() -> None:
    others = tuple(Transaction(f"d{place}", -place, 0, 3) for place in range(1, 6))
    came = Transaction("c9", 7, 0, 3)
    told = accounted(sent(ON_CHAIN - 3_000_000), *others, STOLEN, came)
    waits(told, "3000000 sat by dd, 5 sat by d5, 4 sat by d4 and 3 more", "lncli wallet labeltx", "'bankstack plan p1'")
    assert isinstance(told, Wait)
    assert "c9" not in told.sentence
    told = accounted(sent(ON_CHAIN - 3_000_000))
    assert isinstance(told, Wait)
    assert "labeltx" not in told.sentence


def test_with_the_longest_names_it_says_to_the_end_what_to_do() -> None:
    others = tuple(replace(STOLEN, txid=f"{place}" * 64) for place in range(9))
    told = accounted(sent(ON_CHAIN - 3_000_000), *others)
    assert isinstance(told, Wait)
    assert len(told.sentence) + len("f4cd1f9c-7a0e-4c3c-9e57-0d7a3c1b8e11") < SENTENCE_MOST
