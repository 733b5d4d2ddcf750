"""How a ledger goes, and how one that is run elsewhere is only watched."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.ledgercluster import given
from tests.unit.kinds.ledgercluster.given import EAST, ID, NOW, OTHER, ledger

from bankstack.clients.mongo.answers import Blank, Holdings, InSet, Peer, Policy, State
from bankstack.engine.decision import Decision, Delete
from bankstack.engine.finding import Stalled, Unknown
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET
from bankstack.kinds.ledgercluster.decide import decide
from bankstack.kinds.ledgercluster.external import NAME
from bankstack.kinds.ledgercluster.facts import Facts


def reason(decision: Decision) -> str | None:
    return decision.finding.reason if decision.finding else None


def stopped(facts: Facts, *, gone: bool = True) -> Facts:
    """After the members were told to stop; their pods `gone`."""
    going = ledger(deleting=True)
    decision = decide(going, facts, NOW)
    assert reason(decision) == "Stopping"
    facts = given.carried_out(going, facts, decision.actions)
    pods = [one for one in facts.children if one.type == POD]
    return given.without(facts, *pods) if gone else facts


def test_members_are_stopped_as_they_run_and_data_stay() -> None:
    decision = decide(ledger(deleting=True, version="7.0"), given.serving(), NOW)
    sets = [one.manifest for one in decision.actions if not isinstance(one, Delete) and hasattr(one, "manifest")]
    assert [one["spec"]["replicas"] for one in sets] == [0, 0, 0]
    images = {one["spec"]["template"]["spec"]["containers"][0]["image"] for one in sets}
    assert images == {"mongo:6.0"}
    assert not decision.released


def test_a_ledger_is_let_go_once_no_pod_is_left() -> None:
    waiting = decide(ledger(deleting=True), stopped(given.serving(), gone=False), NOW)
    assert (reason(waiting), waiting.released, waiting.actions) == ("Stopping", False, ())
    after = decide(ledger(deleting=True), stopped(given.serving()), NOW)
    assert (after.released, after.actions) == (True, ())


def test_a_ledger_of_which_nothing_is_left_goes_at_once() -> None:
    assert decide(ledger(deleting=True), Facts(), NOW).released


def test_pods_whose_stateful_sets_were_orphaned_are_stopped() -> None:
    facts = given.serving()
    sets = [one for one in facts.children if one.type == STATEFUL_SET]
    decision = decide(ledger(deleting=True), given.without(facts, *sets), NOW)
    assert {str(one) for one in decision.actions} == {
        f"delete Pod ledger-{region}-0-0 (Orphaned)" for region in ("east", "west", "central")
    }
    assert not decision.released


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        (Unknown("silent"), "EmptinessUnknown"),
        (Holdings(Policy("majority", journal=True), databases=frozenset({"galoy"})), "NotEmpty"),
    ],
    ids=["silent", "books"],
)
def test_volumes_go_only_with_the_primary_s_word_that_there_are_no_books(
    holdings: Holdings | Unknown, expected: str
) -> None:
    going = ledger(deleting=True, deletionPolicy="Delete")
    decision = decide(going, given.serving(holdings=holdings), NOW)
    assert (reason(decision), decision.actions, decision.released) == (expected, (), False)


def test_an_empty_ledger_goes_with_its_volumes_and_a_lost_proof_keeps_them() -> None:
    going = ledger(deleting=True, deletionPolicy="Delete")
    facts = given.serving()
    decision = decide(going, facts, NOW)
    after = given.carried_out(going, facts, decision.actions)
    after = given.without(after, *(one for one in after.children if one.type == POD))
    last = decide(going, after, NOW)
    assert last.released
    assert {one.ref.type for one in last.actions if isinstance(one, Delete)} == {PERSISTENT_VOLUME_CLAIM}
    unproven = given.without(after, *(one for one in after.children if one.type == STATEFUL_SET))
    assert decide(going, unproven, NOW).actions == ()


EXTERNAL: dict[str, Any] = {
    "version": None,
    "members": None,
    "storage": None,
    "databases": None,
    "external": {"uriSecret": "uri"},
}


def outside(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    found = given.in_set(ledger(), "a", "b", "c", leads="a")["a"]
    assert isinstance(found, InSet)
    peers = (Peer("a:27017", State.PRIMARY, 1000), Peer("b:27017", State.SECONDARY, 900))
    facts = Facts(uri=True, members={NAME: replace(found, peers=peers)})
    return replace(facts, **({"holdings": Holdings(Policy("majority", journal=False, chosen=False))} | more))


def test_an_external_ledger_is_told_of_and_never_touched() -> None:
    decision = decide(ledger(known=None, **EXTERNAL), outside(), NOW)
    assert (decision.actions, decision.finding) == ((), None)
    assert decision.status.model_dump(exclude_none=True) == {
        "replica_set_id": ID,
        "version": "6.0.27",
        "primary": "a:27017",
        "term": 1,
        "members": [
            {"name": "a:27017", "state": "PRIMARY", "lag": "Current"},
            {"name": "b:27017", "state": "SECONDARY", "lag": "Behind"},
        ],
        "write_concern": {"w": "majority", "journal": False},
    }
    assert decide(ledger(deleting=True, **EXTERNAL), outside(), NOW).released


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), "UriMissing"),
        (Facts(uri=True, members={NAME: Unknown("silent")}), "ExternalSilent"),
        (Facts(uri=True, members={NAME: Blank(3, "6.0")}), "NoReplicaSet"),
        (outside(holdings=Unknown("silent")), "PrimarySilent"),
        (outside(holdings=Holdings(Policy("1", journal=False))), "WriteConcernWeak"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_an_external_ledger_lacks_is_named(facts: Facts, expected: str) -> None:
    decision = decide(ledger(known=None, **EXTERNAL), facts, NOW)
    assert (reason(decision), decision.actions) == (expected, ())


def test_another_external_ledger_under_the_same_name_is_stalled() -> None:
    decision = decide(ledger(known=OTHER, **EXTERNAL), outside(), NOW)
    assert reason(decision) == "ReplicaSetChanged"
    assert decision.finding is not None
    assert decision.finding.policy == Stalled()
    assert EAST not in str(decision)
