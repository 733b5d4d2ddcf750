"""Each step of a Restart, asked alone: what it looks for, and what it says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bankstack.clients.lnd.answers import Announced, Channels, Closure, Funds
from bankstack.engine import drift
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.operation import Abort, Do, Done, Verdict
from bankstack.kinds.lndnode import htlcs, kind, names, plans, stages, stopping, template
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Backup, Facts, Place, Refused, Shelf
from bankstack.kinds.lndnode.model import LndNodeStatus
from bankstack.kinds.lndnode.subject import LndNode

from .given import BITCOIND, INFO, ME, NOW, SILENT, annotated, node, without
from .planned import (
    BEFORE,
    CHANNELS,
    POD,
    RECORD,
    SAVE,
    STATEFUL,
    asked,
    at,
    facts,
    on_its_way,
    pod_is,
    scaled_down,
    stored,
    waits,
)

# Check


def test_a_node_that_is_well_passes_and_the_approved_template_is_kept() -> None:
    verdict = asked(stages.CHECK, facts())
    assert isinstance(verdict, Done)
    assert verdict.kept == {stages.TEMPLATE: template.wish_digest(node(), BITCOIND), stages.CHANGE: "none"}


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (facts(recovering=True), "still looks for coins of its seed"),
        (facts(recovering=SILENT), "does not say whether"),
        (facts(channels=replace(CHANNELS, opening=frozenset({"cc:0"}))), "channel cc:0 is being opened or closed"),
        (facts(channels=replace(CHANNELS, closing=frozenset({"cc:0", "dd:0"}))), "channel cc:0 (and 1 more)"),
        (facts(info=replace(INFO, synced=False)), "not at the tip"),
        (facts(channels=SILENT), "does not answer just now"),
        (without(facts(), POD), "pod lnd1-0 is being made"),
    ],
)
def test_a_node_that_is_not_is_waited_for(known: Facts, words: str) -> None:
    waits(asked(stages.CHECK, known), words)


def test_what_was_declared_since_the_approval_is_not_applied() -> None:
    approved = {stages.TEMPLATE: template.wish_digest(node(), BITCOIND)}
    assert isinstance(asked(stages.CHECK, facts(), uses=approved), Done)
    verdict = asked(stages.CHECK, facts(), node(image="example.org/lnd@sha256:" + "0" * 64), uses=approved)
    assert isinstance(verdict, Abort)
    assert "is another than when this plan was approved" in verdict.sentence


@pytest.mark.parametrize("step", [stages.DRAIN, stages.RECORD])
def test_lnd_is_not_stopped_while_a_channel_leaves_whose_payments_it_has_to_claim(step: str) -> None:
    leaving = replace(CHANNELS, closing=frozenset({"cc:0"}))
    waits(asked(step, facts(channels=leaving)), "channel cc:0 is being closed", "cancel the plan")


def test_lnd_is_not_stopped_where_it_could_not_be_started_again() -> None:
    tied = facts(place=Place("worker-1", "pod-1", cordoned=True, tied=True))
    waits(asked(stages.RECORD, tied), "worker-1 is cordoned", "kubectl uncordon worker-1")
    assert any("would stay down" in told for told in plans.restart(node(), tied, {}).waits)
    elsewhere = facts(place=Place("worker-1", "pod-1", cordoned=True))
    assert isinstance(asked(stages.RECORD, elsewhere), Done)
    assert plans.restart(node(), elsewhere, {}).waits == ()


# Disable and Drain


def test_channels_are_disabled_as_long_as_the_network_may_use_one_whose_peer_is_there() -> None:
    verdict = asked(stages.DISABLE, facts(announced=Announced(enabled=CHANNELS.open)))
    assert isinstance(verdict, Do)
    assert verdict.actions == (Ask("disable_channels", "Plan"),), "the backup is of since the plan began"
    older = asked(stages.DISABLE, facts(announced=Announced(enabled=CHANNELS.open), backup=stored(saved_at=BEFORE)))
    assert isinstance(older, Do)
    assert older.actions == (Ask("disable_channels", "Plan"), SAVE), "exported while payments end"
    # bb:1 is LND's own to disable: its peer is away.
    assert isinstance(asked(stages.DISABLE, facts(announced=Announced(frozenset({"bb:1"})))), Done)


@pytest.mark.parametrize("incoming", [True, False])
def test_the_budget_of_a_payment_is_counted_to_the_block(incoming: bool) -> None:  # noqa: FBT001
    assert isinstance(asked(stages.DRAIN, facts(channels=on_its_way(6, incoming=incoming))), Abort)
    waits(asked(stages.DRAIN, facts(channels=on_its_way(7, incoming=incoming))), "7 blocks left at height 812", "until")


def test_the_blocks_left_of_the_tightest_payment_are_a_gauge() -> None:
    name = "bankstack_lndnode_htlc_blocks_left"
    assert kind.gauges(facts(channels=on_its_way(7, incoming=True)))[name] == 7
    assert name not in kind.gauges(facts())
    assert name not in kind.gauges(facts(channels=on_its_way(7), info=SILENT))


def test_the_drain_takes_no_longer_than_its_timeout_and_says_what_is_left() -> None:
    quick = node(recycle={"drainTimeout": "60s"})
    verdict = asked(stages.DRAIN, facts(channels=on_its_way(7)), quick)
    assert isinstance(verdict, Done)
    assert "1 HTLCs are pending" in verdict.evidence
    assert asked(stages.DRAIN, facts()) == Done("0 pending HTLCs at height 812")


def test_a_restart_that_took_long_last_time_needs_more_room() -> None:
    slow = node(status=LndNodeStatus(identity_pubkey=ME, last_downtime_seconds=1500))
    assert htlcs.needed_blocks(slow) == 8
    told = htlcs.too_tight(slow, on_its_way(8).htlcs, INFO.block_height)
    assert told is not None
    assert "needs more than 8 (the last one took 1500 s)" in told
    night = node(status=LndNodeStatus(identity_pubkey=ME, last_downtime_seconds=36_000))
    assert htlcs.needed_blocks(night) == htlcs.CAUTION_MOST
    assert isinstance(asked(stages.DRAIN, facts(channels=on_its_way(8)), slow), Abort)
    assert htlcs.needed_blocks(node(recycle={"maxDowntimeBlocks": 20})) == 20


# Backup and Record


@pytest.mark.parametrize(
    "backup",
    [None, stored(saved_at=BEFORE), stored(channels="others"), stored(intact=False)],
    ids=["none", "from before", "of others", "edited"],
)
def test_a_backup_is_of_now_and_of_these_channels(backup: Backup | None) -> None:
    verdict = asked(stages.BACKUP, facts(backup=backup))
    assert isinstance(verdict, Do)
    assert verdict.actions == (SAVE,)
    assert isinstance(asked(stages.BACKUP, facts()), Done)
    assert isinstance(asked(stages.BACKUP, facts(channels=Channels(), backup=backup)), Done)


@pytest.mark.parametrize(("step", "kept"), [(stages.BACKUP, False), (stages.RECORD, False), (stages.STOP, True)])
def test_a_pod_that_is_held_stays_so_up_to_its_end(step: str, kept: bool) -> None:  # noqa: FBT001 - of pytest
    held = pod_is(facts(), leaving=False)
    assert (stopping.to_let_go(at(step), held) is None) == kept


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (False, "is not in the object store yet"),
        (Unknown("it is silent"), "is not known: it is silent"),
        (Refused("AccessDenied"), "is not in the object store: AccessDenied"),
    ],
)
def test_lnd_is_not_stopped_before_its_backup_is_proved_in_the_store(
    holds: bool | Unknown | Refused,  # noqa: FBT001 - a parameter of pytest
    words: str,
) -> None:
    known = facts(shelf=Shelf("me/new.scb", holds))
    waits(asked(stages.CHECK, known), words)
    waits(asked(stages.BACKUP, known), words)
    waits(asked(stages.RECORD, pod_is(known, leaving=False)), words)
    proved = facts(shelf=Shelf("me/new.scb", holds=True))
    assert isinstance(asked(stages.CHECK, proved), Done)
    backed_up = asked(stages.BACKUP, proved)
    assert isinstance(backed_up, Done)
    assert "object me/new.scb of the store is the same" in backed_up.evidence
    for empty in (asked(step, facts(channels=Channels(), shelf=Shelf())) for step in (stages.CHECK, stages.BACKUP)):
        assert isinstance(empty, Done), "where there is no channel nothing has to be stored"


def test_what_must_be_the_same_afterwards_is_recorded() -> None:
    recorded = asked(stages.RECORD, facts(funds=Funds(local_sat=900, commit_fees_sat=100)))
    assert isinstance(recorded, Done)
    assert (recorded.kept[stages.OWN_SAT], recorded.kept[stages.ACTIVE]) == ("1000", "1")
    waits(asked(stages.RECORD, pod_is(facts())), "replaced by somebody else")
    waits(asked(stages.RECORD, pod_is(facts(backup=stored(channels="x")), leaving=False)), "changed since the backup")
    tight = pod_is(facts(channels=on_its_way(6)), leaving=False)
    assert isinstance(asked(stages.RECORD, tight), Abort)


# Renew and Start


def test_the_template_is_written_while_nothing_runs() -> None:
    waits(asked(stages.RENEW, pod_is(facts())), "is on its way out")
    newer = node(version="v0.21.3-beta")
    approved = {stages.TEMPLATE: template.wish_digest(newer, BITCOIND), stages.CHANGE: "version"}
    known = without(facts(), POD)
    waits(asked(stages.RENEW, known, newer, Check=approved), "written anew")
    noted, made = decide(at(stages.RENEW, newer, Check=approved), known, NOW).actions
    assert noted.manifest["metadata"]["annotations"][names.LND_VERSION] == "v0.21.3"  # type: ignore[union-attr]
    image = made.manifest["spec"]["template"]["spec"]["containers"][0]["image"]  # type: ignore[union-attr]
    assert (image, made.manifest["spec"]["replicas"]) == ("lightninglabs/lnd:v0.21.3-beta", 0)  # type: ignore[union-attr]
    written = annotated(known, STATEFUL, made.manifest["metadata"]["annotations"])  # type: ignore[union-attr]
    assert asked(stages.RENEW, written, newer, Check=approved) == Done("changed: version")
    unapproved = asked(stages.RENEW, known, newer, Check={stages.TEMPLATE: "x", stages.CHANGE: "none"})
    assert isinstance(unapproved, Done)
    assert "another than when the plan was approved" in unapproved.evidence


def test_of_an_ended_lnd_the_object_of_its_pod_is_not_waited_for() -> None:
    ended = scaled_down(pod_is(facts(), terminated={"exitCode": 0, "finishedAt": "2026-11-21T08:59:40Z"}))
    approved = {stages.TEMPLATE: template.wish_digest(node(), BITCOIND), stages.CHANGE: "none"}
    assert asked(stages.RENEW, ended, Check=approved) == Done("nothing had to be changed")
    stopped = annotated(ended, STATEFUL, {drift.APPLIED: "with no replica"})
    let_go, started = decide(at(stages.START, Check=approved, Record=RECORD), stopped, NOW).actions
    assert let_go == Ask("let_go_pod", "Proved"), "first: another crash in between leaves one that can come back"
    assert started.manifest["spec"]["replicas"] == 1  # type: ignore[union-attr]


def test_lnd_is_back_when_it_serves_and_the_time_is_told() -> None:
    verdict = asked(stages.START, facts(), Record=RECORD)
    assert isinstance(verdict, Done)
    assert verdict.kept == {stages.DOWNTIME: "60"}
    behind = asked(stages.START, facts(), Record=RECORD | {stages.AT: "2026-11-21T09:59:00Z"})
    assert isinstance(behind, Done), "by the clock of another operator LND is yet to be stopped"
    assert behind.kept == {stages.DOWNTIME: "0"}
    waits(asked(stages.START, facts(info=replace(INFO, synced=False)), Record=RECORD), "not at the tip")
    status = decide(at(stages.RECONCILE, Start=dict(verdict.kept)), facts(), NOW).status
    assert isinstance(status, LndNodeStatus)
    assert status.last_downtime_seconds == 60


# Reconcile and Enable


ONE_LESS = replace(CHANNELS, open=frozenset({"aa:0"}))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (facts(info=replace(INFO, identity_pubkey="03" + "b" * 64)), "LND answers as 03bbb"),
        (facts(channels=ONE_LESS, closures=()), "no longer knows channel bb:1 (1 in all)"),
        (facts(channels=ONE_LESS, closures=SILENT), "does not say whether channel bb:1 was closed"),
        (facts(funds=Funds(local_sat=997)), "holds 1 sat less than before"),
        (facts(channels=replace(CHANNELS, active=frozenset())), "0 of 1 channels are active"),
        (facts(sent_msat=SILENT), "does not say what it sent"),
        (facts(funds=SILENT), "nothing is concluded"),
    ],
)
def test_what_is_not_as_it_was_keeps_the_plan(known: Facts, words: str) -> None:
    waits(asked(stages.RECONCILE, known, Record=RECORD), words)


@pytest.mark.parametrize(
    "known",
    [
        facts(),
        facts(funds=Funds(local_sat=998)),
        facts(funds=Funds(local_sat=500), sent_msat=498_000),
        facts(funds=Funds(local_sat=500, commit_fees_sat=500)),
        facts(funds=Funds(local_sat=2000)),
        facts(channels=replace(ONE_LESS, closing=frozenset({"bb:1"}))),
        facts(channels=ONE_LESS, closures=(Closure("bb:1", "cc", 7, 1000, 0),)),
    ],
    ids=["as it was", "rounded", "sent since", "fees fell", "received", "closed by the peer", "closed and buried"],
)
def test_what_is_explained_passes(known: Facts) -> None:
    assert isinstance(asked(stages.RECONCILE, known, Record=RECORD), Done)


def test_a_peer_that_is_away_is_not_waited_for_for_ever() -> None:
    (step,) = [one for one in plans.STEPS if one.name == stages.RECONCILE]
    known = facts(channels=replace(CHANNELS, active=frozenset()))
    verdict: Verdict = step.judge(at(stages.RECONCILE, Record=RECORD), known, NOW + timedelta(minutes=2))
    assert isinstance(verdict, Done)
    assert "of which 0 active (before: 1)" in verdict.evidence


def test_channels_are_enabled_where_their_peers_are() -> None:
    does = asked(stages.ENABLE, facts(announced=Announced(disabled=CHANNELS.open)))
    assert isinstance(does, Do)
    assert (does.actions, does.told) == ((stages.ENABLES,), "the network is told to use 1 channels again")
    told = "1 public channels were to be enabled: LND was told, and announces none as disabled whose peer is there"
    assert does.then == Done(told)
    verdict = asked(stages.ENABLE, facts(announced=Announced(disabled=frozenset({"bb:1"}))))
    assert verdict == Done("0 public channels are announced as enabled; 1 follow when their peers are back")


# What decide makes of it


@pytest.mark.parametrize("step", [stages.DRAIN, stages.STOP, stages.RECONCILE])
def test_while_it_lasts_the_node_says_that_payments_should_take_another(step: str) -> None:
    status = decide(at(step), facts(), NOW).status
    assert isinstance(status, LndNodeStatus)
    assert status.traffic == "Draining"


@pytest.mark.parametrize("a_node", [node(), at(stages.ENABLE)], ids=["no plan", "the last step"])
@pytest.mark.parametrize(
    ("announced", "traffic", "then", "asks"),
    [
        # Once LND was told so and announces it; and not where that fails.
        (Announced(disabled=frozenset({"aa:0"})), "Draining", None, True),
        (Announced(disabled=frozenset({"bb:1"})), "Draining", None, True),
        (Announced(), None, None, False),
        (Unknown("silent"), "Draining", "Draining", False),
    ],
    ids=["to be enabled", "its peer is away", "all are", "unknown"],
)
def test_afterwards_channels_are_enabled_whatever_became_of_the_plan(
    a_node: LndNode,
    announced: Announced | Unknown,
    traffic: str | None,
    then: str | None,
    asks: bool,  # noqa: FBT001
) -> None:
    drained = replace(a_node, status=LndNodeStatus(identity_pubkey=ME, traffic="Draining"))
    decision = decide(drained, facts(announced=announced), NOW)
    assert isinstance(decision.status, LndNodeStatus)
    assert decision.status.traffic == traffic
    after = decision.then or decision.status
    assert isinstance(after, LndNodeStatus)
    assert after.traffic == then
    assert (Ask("enable_channels", "Resuming") in decision.actions) is asks


def test_what_cannot_be_enabled_now_stays_to_be_enabled() -> None:
    drained = node(status=LndNodeStatus(identity_pubkey=ME, traffic="Draining"))
    away = Announced(disabled=frozenset({"bb:1"}))
    decision = decide(drained, facts(announced=away, wallet=None, authority=None), NOW)
    assert Ask("enable_channels", "Resuming") not in decision.actions
    after = decision.then or decision.status
    assert isinstance(after, LndNodeStatus)
    assert after.traffic == "Draining"


def test_a_plan_is_shown_with_what_it_costs_and_relies_on() -> None:
    proposal = plans.restart(node(), facts(channels=on_its_way(50), funds=Funds(local_sat=4, remote_sat=4)), {})
    assert (proposal.refusals, proposal.waits, len(proposal.steps)) == ((), (), 11)
    assert {name: one.value for name, one in proposal.impact.items()} == {
        "channels": 2, "channelSats": 8, "pendingHtlcs": 1, "expectedDowntimeSeconds": 60,
    }  # fmt: skip
    assert set(proposal.uses) == {
        "version", "template", "change", "maxDowntimeBlocks", "drainTimeout", "carriedBy",
    }  # fmt: skip
    newer = plans.restart(node(version="v0.22.0-beta"), facts(), {})
    assert newer.uses["change"] == "version"
    assert newer.uses["migration"] == "the database is changed from v0.21.2 to v0.22.0-beta: there is no way back"
    assert plans.restart(node(), facts(funds=SILENT), {}).waits == (
        "LND does not say what it holds (it is silent): it is asked again",
    )


def test_what_it_relies_on_fits_into_a_plan_however_much_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for last in ("one", "another"):
        paths = (*(f"metadata.annotations.example.com/{number:03}" for number in range(60)), last)
        monkeypatch.setattr(template, "pending", lambda *_, paths=paths: paths)
        shown.append(plans.restart(node(), facts(), {}).uses["change"])
    assert [len(one) <= plans.USES_MOST for one in shown] == [True, True]
    assert shown[0] != shown[1], "what was cut off is another change all the same"
