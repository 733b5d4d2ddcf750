"""What makes it another plan, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.engine.operation import Impact, Proposal, Risk
from bankstack.plans.hash import Basis, shown, why_another
from bankstack.plans.model import ImpactStatus

BASIS = Basis(
    plan_uid="p",
    operation="Restart",
    risk=Risk.AMBER,
    target="LndNode lnd1",
    target_uid="t",
    parameters={"a": "1"},
    steps=("Drain", "Stop"),
    uses={"version": "1"},
    bounds={"channelSats": 10},
)
CHANGES: dict[str, Any] = {
    "plan_uid": "q",
    "operation": "Upgrade",
    "risk": Risk.RED,
    "target": "LndNode lnd2",
    "target_uid": "u",
    "parameters": {"a": "2"},
    "steps": ("Stop", "Drain"),
    "uses": {"version": "2"},
    "bounds": {"channelSats": 11},
}


def test_every_part_of_the_basis_is_tried() -> None:
    assert CHANGES.keys() == vars(BASIS).keys()


@pytest.mark.parametrize("part", CHANGES)
def test_a_change_of_any_part_is_another_hash(part: str) -> None:
    assert replace(BASIS, **{part: CHANGES[part]}).hash != BASIS.hash


def test_the_order_of_a_map_is_nothing() -> None:
    one, other = replace(BASIS, uses={"a": "1", "b": "2"}), replace(BASIS, uses={"b": "2", "a": "1"})
    assert one.hash == other.hash
    assert one.hash.startswith("sha256:")


def test_what_is_shown_stays_within_its_bounds_and_changes_beyond_them() -> None:
    first = shown((), {"sats": Impact(10, 15)})
    assert first == (ImpactStatus(name="sats", value=10, most=15),)
    assert shown(first, {"sats": Impact(15, 22)}) == first
    assert shown(first, {"sats": Impact(16, 24)}) == (ImpactStatus(name="sats", value=16, most=24),)
    assert shown(first, {"other": Impact(1, 1)}) == (ImpactStatus(name="other", value=1, most=1),)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target_uid": "u"}, "LndNode lnd1 was made anew"),
        ({"risk": Risk.RED}, "the risk was Amber and is Red"),
        ({"steps": ("Stop",)}, "the steps are now Stop"),
        ({"uses": {"version": "2", "more": "x"}}, "more was not there and is x; version was 1 and is 2"),
        ({"bounds": {"channelSats": 30}}, "channelSats is 20, beyond the 10 that was shown"),
        ({"parameters": {}}, "what it would cost is counted otherwise"),
    ],
)
def test_people_are_told_why_their_approval_no_longer_counts(change: dict[str, Any], sentence: str) -> None:
    proposal = Proposal(impact={"channelSats": Impact(20, 30)} if "bounds" in change else {})
    assert why_another(BASIS, replace(BASIS, **change), proposal) == sentence
