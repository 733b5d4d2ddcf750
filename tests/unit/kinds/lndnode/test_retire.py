"""How an LndNode goes: in good order, and without its data unless these are proven worthless."""

from dataclasses import replace

import pytest
from tests.unit.kinds.lndnode import given
from tests.unit.kinds.lndnode.given import NOW, ONE_CHANNEL, SILENT, node

from bankstack.clients.lnd.answers import Funds
from bankstack.engine.decision import Apply, Ask, Decision, Delete
from bankstack.engine.objects import SECRET, Ref
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

STATEFUL, POD, VOLUME = names.stateful_set("lnd1"), names.pod("lnd1"), names.volume("lnd1")
OURS = {Ref(SECRET, name): f"uid-{name}" for name in ("lnd1-ca", "lnd1-tls", "lnd1-wallet")}
SERVING = given.serving(secrets=OURS)
GOING = node(deleting=True)
DELETE = node(deleting=True, deletionPolicy="Delete")
MAINNET = node(deleting=True, deletionPolicy="Delete", network="mainnet", confirmMainnet=True)


def after_stop(lnd1: LndNode, facts: Facts) -> Facts:
    decision = decide(lnd1, facts, NOW)
    return given.without(given.carried_out(lnd1, facts, decision.actions), POD)


def reason(decision: Decision) -> str | None:
    return decision.finding.reason if decision.finding else None


def test_it_is_stopped_first_and_nothing_else_is_touched() -> None:
    decision = decide(GOING, given.without(SERVING, names.p2p_service("lnd1")), NOW)
    (action,) = decision.actions
    assert isinstance(action, Apply)
    assert (action.manifest["kind"], action.manifest["spec"]["replicas"]) == ("StatefulSet", 0)
    assert action.manifest["spec"]["template"] == SERVING.children[STATEFUL]["spec"]["template"]
    assert reason(decision) == "Stopping"
    assert not decision.released


def test_it_is_not_let_go_before_its_pod_is_gone() -> None:
    decision = decide(GOING, SERVING, NOW)
    scaled = given.carried_out(GOING, SERVING, decision.actions)
    waiting = decide(GOING, scaled, NOW)
    assert (waiting.actions, reason(waiting), waiting.released) == ((), "Stopping", False)
    gone = decide(GOING, given.without(scaled, POD), NOW)
    assert (gone.actions, gone.released) == ((), True)
    assert gone.status.model_dump()["state"] == "Stopped"


def test_what_was_never_made_is_let_go_at_once() -> None:
    decision = decide(GOING, given.untouched(), NOW)
    assert (decision.actions, decision.released) == ((), True)


def test_a_template_without_its_annotations_is_not_lost() -> None:
    bare = given.changed(SERVING, STATEFUL, annotations={}, managedFields=[])
    (action,) = decide(GOING, bare, NOW).actions
    assert isinstance(action, Apply)
    assert action.manifest["spec"]["template"] == SERVING.children[STATEFUL]["spec"]["template"]


def test_an_orphaned_pod_is_stopped_too() -> None:
    decision = decide(GOING, given.without(SERVING, STATEFUL), NOW)
    assert decision.actions == (Delete(POD, "pod-1", "Orphaned"),)
    assert not decision.released
    going = given.changed(given.without(SERVING, STATEFUL), POD, deletionTimestamp="2026-11-21T09:00:00Z")
    assert decide(GOING, going, NOW).actions == ()


def test_with_delete_the_data_go_once_they_are_proven_worthless() -> None:
    stopped = after_stop(DELETE, SERVING)
    decision = decide(DELETE, stopped, NOW)
    assert decision.released
    assert [one.ref.name for one in decision.actions if isinstance(one, Delete)] == [
        "lnd1-data", "lnd1-ca", "lnd1-tls", "lnd1-wallet",
    ]  # fmt: skip


def test_a_wallet_someone_brought_is_given_back_not_deleted() -> None:
    brought = {one: uid for one, uid in OURS.items() if one.name != "lnd1-wallet"}
    decision = decide(DELETE, after_stop(DELETE, replace(SERVING, secrets=brought)), NOW)
    assert decision.actions[0] == Ask("release_wallet", "ProvedEmpty")
    assert "lnd1-wallet" not in [one.ref.name for one in decision.actions if isinstance(one, Delete)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(SERVING, funds=Funds(confirmed_sat=1)), "NotEmpty"),
        (replace(SERVING, funds=Funds(limbo_sat=546)), "NotEmpty"),
        (replace(SERVING, channels=ONE_CHANNEL), "NotEmpty"),
        (replace(SERVING, funds=SILENT), "EmptinessUnknown"),
        (replace(SERVING, channels=SILENT), "EmptinessUnknown"),
    ],
)
def test_real_money_is_not_deleted_and_not_even_stopped(facts: Facts, expected: str) -> None:
    decision = decide(MAINNET, facts, NOW)
    assert (decision.actions, reason(decision), decision.released) == ((), expected, False)


def test_the_proof_is_made_before_the_stop_and_holds_after_it() -> None:
    stopped = after_stop(MAINNET, SERVING)
    silent = replace(stopped, funds=SILENT, channels=SILENT, state=SILENT, info=SILENT)
    decision = decide(MAINNET, silent, NOW)
    assert decision.released
    assert any(isinstance(one, Delete) and one.ref == VOLUME for one in decision.actions)


def test_without_a_proof_a_stopped_node_keeps_its_data_whatever_the_policy() -> None:
    decision = decide(MAINNET, given.without(SERVING, STATEFUL, POD), NOW)
    assert (decision.actions, decision.released) == ((), True)


def test_a_volume_that_is_not_ours_is_not_deleted() -> None:
    foreign = given.changed(after_stop(DELETE, SERVING), VOLUME, labels={})
    decision = decide(DELETE, foreign, NOW)
    assert VOLUME not in [one.ref for one in decision.actions if isinstance(one, Delete)]
