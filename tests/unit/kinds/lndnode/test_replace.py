"""Each step of a Replace, asked alone: what it looks for, and what it says."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Account, Channels, Closure, Funds, Htlc, Stake, Transaction
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import Abort, Active, Cancel, Do, Done, Risk, Verdict
from bankstack.kinds.lndnode import addresses, leaving, names, pinned, plans, stages, template
from bankstack.kinds.lndnode import replace as operation
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts, Tombstone, Wallet
from bankstack.kinds.lndnode.model import LndNodeStatus, RetiredIdentity
from bankstack.kinds.lndnode.subject import LndNode

from .given import FRESH, INFO, ME, NOW, SILENT, node, serving, without
from .planned import pod_is, waits

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
OPEN = Channels(
    frozenset({"aa:0", "bb:1"}),
    active=frozenset({"aa:0"}),
    stakes={"aa:0": Stake("02aa", 1000, 20), "bb:1": Stake("02bb", 500)},
)
SWEEP = Transaction("ff", -1400, 100, 1, "bankstack plan p1")
CLOSURES = (
    Closure("aa:0", "c1", 820, 2020, 1005, ours=True),
    Closure("bb:1", "c2", 821, 900, 500),
    Closure("old:0", "c0", 700, 900, 500),
)
CLOSING = (Transaction("c1", 1005, outputs_sat=2005), Transaction("c2", 500, outputs_sat=880))
DRAINED = {
    stages.START_SAT: "1520", leaving.CHANNEL_SAT: "1520", stages.HEIGHT: "812", stages.AT: "2026-11-21T08:59:00Z"
}  # fmt: skip
ACCOUNTED = {stages.IDENTITY: ME, stages.AT: "2026-11-21T08:59:30Z"}
NEXT = "03" + "b" * 64


def at(step: str, a_node: LndNode | None = None, **kept: dict[str, str]) -> LndNode:
    parameters = {"destination": ADDRESS}
    plan = Active("replace", "p1", "Replace", step, parameters, NOW, NOW, {"Drain": DRAINED, **kept})
    return replace(a_node or node(), plan=plan)


def asked(step: str, known: Facts, **kept: dict[str, str]) -> Verdict:
    (one,) = [one for one in operation.STEPS if one.name == step]
    verdict: Verdict = one.judge(at(step, None, **kept), known, NOW)
    return verdict


def facts(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    known: dict[str, Any] = {"channels": Channels(), "sent_msat": 0, "closures": CLOSURES, "transactions": ()}
    found = serving(**known | more)
    kept = found.wallet and replace(found.wallet, keys=found.wallet.keys | {addresses.DESCRIPTORS})
    return replace(found, wallet=kept)


def swept(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    known = facts(**{"transactions": (*CLOSING, SWEEP), **more})
    return pod_is(known, leaving=False)


# Drain and Close


def test_no_payment_at_all_may_be_on_its_way() -> None:
    with_one = replace(OPEN, htlcs=(Htlc("aa:0", incoming=True, amount_sat=7, expiry_height=900),))
    waits(asked(stages.DRAIN, facts(channels=with_one)), "1 HTLCs are pending", "no channel is closed before")
    done = asked(stages.DRAIN, facts(channels=OPEN, funds=Funds(confirmed_sat=80, local_sat=1500)))
    assert isinstance(done, Done)
    assert done.kept[stages.START_SAT] == str(80 + 1000 + 20 + 500)


def test_channels_whose_peers_are_there_are_asked_to_be_closed() -> None:
    verdict = asked(stages.CLOSE, facts(channels=OPEN))
    assert isinstance(verdict, Do)
    assert verdict.actions == (Ask("close_channels", "Plan"),)


def test_a_peer_that_is_away_is_named_with_what_is_at_stake() -> None:
    away = Channels(frozenset({"bb:1"}), stakes={"bb:1": Stake("02bb", 500)})
    told = (
        "channel bb:1",
        "peer 02bb is away",
        "500 sat in it are ours",
        "Nothing is closed by force",
        "lncli connect",
    )
    waits(asked(stages.CLOSE, facts(channels=away)), *told)
    busy = replace(OPEN, htlcs=(Htlc("aa:0", incoming=True, amount_sat=7, expiry_height=900),))
    waits(asked(stages.CLOSE, facts(channels=busy)), "a payment came into channel aa:0")
    done = asked(stages.CLOSE, facts(channels=Channels(closing=frozenset({"aa:0"}))))
    assert done == Done("no channel is open any more; on their way to the chain: aa:0")


# Bury and Sweep


def test_what_is_on_its_way_is_waited_for_and_then_told_with_its_heights() -> None:
    waits(asked(stages.BURY, facts(channels=Channels(closing=frozenset({"aa:0"})))), "1 channels are not closed yet")
    waits(asked(stages.BURY, facts(funds=Funds(limbo_sat=5))), "5 sat are on their way")
    waits(asked(stages.BURY, facts(closures=SILENT)), "does not say how its channels ended")
    done = asked(stages.BURY, facts())
    assert done == Done("2 channels are closed: aa:0 by c1 at height 820, bb:1 by c2 at height 821")


def test_coins_are_sent_once_and_known_by_the_plan_s_label() -> None:
    rich = Funds(confirmed_sat=1500)
    verdict = asked(stages.SWEEP, facts(funds=rich))
    assert isinstance(verdict, Do)
    words = {"address": ADDRESS, "label": "bankstack plan p1"}
    assert verdict.actions == (Ask("sweep", "Plan", words),)
    unburied = replace(SWEEP, confirmations=0)
    waits(asked(stages.SWEEP, facts(funds=rich, transactions=(unburied,))), "waits for a block")
    done = asked(stages.SWEEP, facts(transactions=(SWEEP, replace(SWEEP, label="another"))))
    assert done == Done("1300 sat by ff for a fee of 100 sat")


@pytest.mark.parametrize(
    ("funds", "words"),
    [
        (Funds(confirmed_sat=1500, locked_sat=5), "5 sat are locked"),
        (Funds(confirmed_sat=1500, unconfirmed_sat=5), "5 sat came in"),
        (SILENT, "nothing is concluded"),
    ],
)
def test_what_is_not_free_is_waited_for(funds: Funds | Unknown, words: str) -> None:
    waits(asked(stages.SWEEP, facts(funds=funds)), words)


def test_less_than_a_transaction_costs_stays_and_is_told() -> None:
    done = asked(stages.SWEEP, facts(funds=Funds(confirmed_sat=leaving.DUST_SAT)))
    assert done == Done("there was nothing to send; 1000 sat stay, too little to be sent")


def test_a_destination_of_the_node_itself_ends_the_plan_after_one_fee() -> None:
    back = replace(SWEEP, returned_sat=1300)
    assert isinstance(asked(stages.SWEEP, facts(funds=Funds(confirmed_sat=1300), transactions=(back,))), Abort)


# Account


def test_the_sum_is_right_to_the_satoshi() -> None:
    done = asked(stages.ACCOUNT, swept(transactions=(*CLOSING, replace(SWEEP, amount_sat=-1505))))
    assert isinstance(done, Done)
    assert done.evidence == (
        "1520 sat at the start = 1405 at the destination + 100 fee of sending + 15 fees of closing 2 channels + 0 left"
        ", to the satoshi"
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"transactions": (*CLOSING, replace(SWEEP, amount_sat=-1535))}, "30 sat came in since"),
        ({"sent_msat": 104_001}, "+ 105 paid through channels since"),
        ({"transactions": (SWEEP,)}, "that closing aa:0, bb:1 cost"),
    ],
    ids=["came in", "paid", "not in the wallet"],
)
def test_every_satoshi_is_told(more: dict[str, Any], words: str) -> None:
    done = asked(stages.ACCOUNT, swept(**more))
    assert isinstance(done, Done), done
    assert words in done.evidence
    assert done.kept[stages.IDENTITY] == ME


def test_what_addresses_are_drawn_from_is_kept_while_lnd_runs() -> None:
    verdict = asked(stages.ACCOUNT, serving(channels=Channels(), closures=(), transactions=(), sent_msat=0))
    assert isinstance(verdict, Do)
    assert verdict.actions == (Ask("keep_addresses", "Plan"),)
    found = (Account("84", "vpub", 3, 1), Account("86", "tpub", 0, 2), Account("49", "upub", 1, 0))
    assert addresses.lines((*found, Account("1017", "tpub", 5, 5))).splitlines() == [
        "0 tr(tpub/0/*)", "0 wpkh(upub/1/*)", "1 sh(wpkh(upub/0/*))", "1 wpkh(vpub/1/*)", "2 tr(tpub/1/*)",
        "3 wpkh(vpub/0/*)",
    ]  # fmt: skip


def test_what_cannot_be_accounted_for_keeps_lnd_running() -> None:
    waits(asked(stages.ACCOUNT, swept()), "105 of 1520 sat cannot be accounted for", "LND is not stopped")
    waits(asked(stages.ACCOUNT, swept(funds=Funds(confirmed_sat=1500))), "something came after the sweep: 1500 sat")


# Retire, Renew, Fresh


def stopped(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    known = without(facts(**more), names.pod("lnd1"))
    stateful = names.stateful_set("lnd1")
    live = known.children[stateful]
    return replace(known, children={**known.children, stateful: live | {"spec": live["spec"] | {"replicas": 0}}})


def test_the_old_identity_is_retired_only_while_nothing_runs() -> None:
    waits(asked(stages.RETIRE, facts(), Account=ACCOUNTED), "what is left of its pod goes")
    verdict = asked(stages.RETIRE, stopped(), Account=ACCOUNTED)
    assert isinstance(verdict, Do)
    (ask,) = verdict.actions
    assert isinstance(ask, Ask)
    assert (ask.action, ask.words["identity"], ask.words["generation"]) == ("retire_identity", ME, "2")
    stone = Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)
    done = asked(stages.RETIRE, stopped(generation=2, tombstones=(stone,)), Account=ACCOUNTED)
    assert isinstance(done, Done)
    assert "Secret lnd1-retired-x" in done.evidence


def test_the_next_wallet_is_not_started_with_what_nobody_approved() -> None:
    stone = Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)
    known = stopped(generation=2, noted=2, tombstones=(stone,), wallet=FRESH, state=SILENT, info=SILENT)
    volume = names.volume("lnd1", 2)
    known = replace(known, children={**known.children, volume: {}})
    renew = next(one for one in operation.STEPS if one.name == stages.RENEW)
    for uses, words in (
        (operation.replace(node(), facts(), {"destination": ADDRESS}).uses, "LND's template is written"),
        ({template.DECLARED: "another"}, "the next wallet is not started so"),
    ):
        there = at(stages.RENEW, node(identity=None), Account=ACCOUNTED)
        plan = there.plan and replace(there.plan, uses=uses)
        waits(renew.judge(replace(there, plan=plan), known, NOW), words)


def test_the_next_wallet_has_names_of_its_own_and_lnd_stays_stopped_meanwhile() -> None:
    stone = Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)
    known = stopped(generation=2, noted=2, tombstones=(stone,), wallet=None, state=SILENT, info=SILENT)
    decision = decide(at(stages.RENEW, Account=ACCOUNTED), known, NOW)
    made = {str(one.manifest["metadata"]["name"]): one.manifest for one in decision.actions if hasattr(one, "manifest")}
    assert Ask("make_wallet", "Missing") in decision.actions
    assert "lnd1-data-2" in made
    assert made["lnd1"]["spec"]["replicas"] == 0
    volumes = {one["name"]: one for one in made["lnd1"]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == "lnd1-data-2"
    assert volumes["wallet"]["secret"]["secretName"] == "lnd1-wallet-2"
    status = decision.status
    assert isinstance(status, LndNodeStatus)
    assert (status.identity_pubkey, status.generation) == (None, 2)
    assert status.retired == [RetiredIdentity(identity_pubkey=ME, retired_at=stone.retired_at, secret=stone.secret)]


def test_an_identity_that_was_retired_is_not_fresh() -> None:
    stone = Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)
    waits(asked(stages.FRESH, facts(tombstones=(stone,)), Account=ACCOUNTED), "answers as an identity that was retired")
    other = {**ACCOUNTED, stages.IDENTITY: NEXT}
    assert isinstance(asked(stages.FRESH, facts(), Account=other), Done)


# What keeps a retired wallet from ever being started


def test_a_lost_mark_of_the_wallet_in_use_stops_everything() -> None:
    later = node(status=LndNodeStatus(identity_pubkey=NEXT, generation=2))
    decision = decide(later, facts(), NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, decision.actions) == ("WalletGenerationLost", ())
    assert decision.status == later.status


def test_a_pod_on_a_retired_wallet_s_volume_says_nothing_of_the_next() -> None:
    made = Wallet(frozenset({"password"}), 0, 43, "lnd1", made_by_us=True)
    known = facts(generation=2, wallet=made, tombstones=(Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2),))
    spec = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "lnd1-data"}}]}
    pod = known.children[names.pod("lnd1")] | {"spec": spec}
    known = replace(known, children={**known.children, names.pod("lnd1"): pod})
    decision = decide(node(), known, NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, decision.actions) == ("RetiredWalletRuns", ())
    assert isinstance(decision.status, LndNodeStatus)
    assert decision.status.identity_pubkey is None, "the old identity is not the next wallet's"


def test_a_seed_of_a_retired_identity_is_not_used_again() -> None:
    stone = Tombstone(ME, "2026-11-21T09:00:00Z", "lnd1-retired-x", 2)
    found = pinned.identity_is_not_a_retired_one(node(), facts(tombstones=(stone,)))
    assert found is not None
    assert (found.reason, found.stops) == ("IdentityRetired", True)


# What is shown


def test_a_replacement_is_shown_with_what_it_costs_for_good() -> None:
    known = facts(channels=OPEN, funds=Funds(confirmed_sat=80, local_sat=1500))
    shown = operation.replace(node(), known, {"destination": ADDRESS, "satPerVbyte": "5"})
    assert (shown.refusals, shown.waits, len(shown.steps)) == ((), (), 13)
    assert {name: one.value for name, one in shown.impact.items()} == {
        "channelsClosed": 2, "channelSats": 1520, "onchainSats": 80, "reservedForClosingSats": 20, "pendingHtlcs": 0,
    }  # fmt: skip
    assert (shown.uses["destination"], shown.uses["fees"], shown.uses["retires"]) == (ADDRESS, "5 sat/vB", ME)
    assert plans.OPERATIONS["Replace"].risk is Risk.RED


def test_a_step_that_has_begun_to_stop_is_not_cancelled_in_its_middle() -> None:
    held = {one.name for one in operation.STEPS if one.cancel is not Cancel.DURING}
    assert held == {stages.STOP, stages.RETIRE}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "parameter destination has to be an address"),
        ({"destination": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}, "is no address of regtest"),
        ({"destination": ADDRESS, "satPerVbyte": "1001"}, "from 1 to 1000"),
        ({"destination": ADDRESS, "satPerVbyte": "-1"}, "from 1 to 1000"),
        ({"destination": ADDRESS, "carrier": "lnd2"}, "can only be nobody"),
        ({"destination": ADDRESS, "force": "true"}, "force is given"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: dict[str, str], words: str) -> None:
    (told,) = operation.replace(node(), facts(), parameters).refusals
    assert words in told


def test_a_silent_lnd_is_waited_for() -> None:
    assert operation.replace(node(), facts(funds=SILENT), {"destination": ADDRESS}).waits
    assert operation.replace(node(), facts(info=replace(INFO, synced=False)), {"destination": ADDRESS}).waits
