"""A node that a plan is about to stop: the pods are told, and only then the plan is."""

from dataclasses import replace

import pytest
from tests.unit.kinds.apideployment.given import NODE, NOW, api, applied, carried_out, running, settled, told

from bankstack.engine.decision import Decision
from bankstack.engine.objects import POD, Ref
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.model import ApiDeploymentStatus
from bankstack.kinds.apideployment.names import Api

DRAINING = replace(NODE, traffic="Draining")
ONE_LEAVES = {"lnd1": DRAINING, "lnd2": NODE}


def status(bank: Api, facts: Facts) -> ApiDeploymentStatus:
    return said(decide(bank, facts, NOW))


def said(decision: Decision) -> ApiDeploymentStatus:
    assert isinstance(decision.status, ApiDeploymentStatus)
    return decision.status


def test_pods_are_told_which_node_to_leave_alone_and_then_it_is_acknowledged() -> None:
    bank, facts = running(api(), nodes=ONE_LEAVES)
    first = decide(bank, facts, NOW)
    assert said(first).avoids is None
    assert applied(first.actions) == ["ConfigMap bank-mode"], "nothing is rolled for it"
    assert isinstance(first.then, ApiDeploymentStatus)
    assert first.then.avoids == ["lnd1"], "said in the same pass, once all of that is done"
    after = carried_out(facts, first.actions)
    assert status(bank, after).avoids == ["lnd1"], "and seen by the next"
    bank, facts = settled(bank, facts)
    assert bank.status.avoids == ["lnd1"]
    mode = facts.children[names.mode("bank")]["data"]
    assert (mode["avoid"], mode["mode"]) == ("lnd1", "Full")
    assert "LndNode lnd1 is stopped by a ChangePlan" in mode["reasons"]


def test_one_pod_that_was_not_told_holds_the_acknowledgement_back() -> None:
    bank, facts = settled(*running(api(), nodes=ONE_LEAVES))
    children = told(dict(facts.children), "bank-api-1", "Full")
    assert children[Ref(POD, "bank-api-1")] != facts.children[Ref(POD, "bank-api-1")]
    assert status(bank, replace(facts, children=children)).avoids is None


def test_a_file_without_the_node_holds_it_back() -> None:
    bank, facts = settled(*running(api(), nodes=ONE_LEAVES))
    mode = facts.children[names.mode("bank")]
    children = {**facts.children, names.mode("bank"): mode | {"data": {**mode["data"], "avoid": "lnd2"}}}
    assert status(bank, replace(facts, children=children)).avoids is None


def test_a_second_node_that_leaves_is_acknowledged_only_when_it_was_told_too() -> None:
    bank, facts = settled(*running(api(), nodes=ONE_LEAVES))
    both = replace(facts, nodes={"lnd1": DRAINING, "lnd2": DRAINING})
    assert status(bank, both).avoids is None
    bank, facts = settled(bank, both)
    assert bank.status.avoids == ["lnd1", "lnd2"]
    assert bank.status.mode == "IntraledgerOnly"


def test_when_it_is_back_everything_is_as_it_was() -> None:
    before, seen = running(api())
    bank, facts = settled(before, replace(seen, nodes=ONE_LEAVES))
    bank, facts = settled(bank, replace(facts, nodes=seen.nodes))
    assert (bank.status, dict(facts.children)) == (before.status, dict(seen.children))


@pytest.mark.parametrize("nodes", [{"lnd1": None, "lnd2": DRAINING}, {"lnd2": DRAINING}])
def test_a_node_that_is_not_there_is_not_avoided(nodes: dict[str, None]) -> None:
    bank, facts = running(api(), nodes=nodes)
    facts = carried_out(facts, decide(bank, facts, NOW).actions)
    assert facts.children[names.mode("bank")]["data"]["avoid"] == "lnd2"
