"""What an ApiDeployment takes from a node's events: all that it decides by, and no more."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kinds.apideployment.given import NOW, api, running

from bankstack.engine.objects import SECRET, Manifest
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.kind import learns
from bankstack.kinds.apideployment.observe import told

BANK, FACTS = running(api())
SERVES: Manifest = {"state": "SERVER_ACTIVE", "conditions": [{"type": "Synced", "status": "True", "reason": "AtTip"}]}


def lnd1(status: Manifest, **meta: str) -> Manifest:
    """As the API server has it."""
    return {"metadata": {"name": "lnd1", **meta}, "spec": {"network": "regtest"}, "status": status}


def learned(live: Manifest) -> object:
    return learns(names.LND_NODE, live)


def test_how_far_a_node_s_chain_and_plan_are_is_no_news() -> None:
    further = SERVES | {"blockHeight": 2, "conditions": [*SERVES["conditions"], {"type": "Planned", "status": "True"}]}
    assert learned(lnd1(SERVES)) == learned(lnd1(further, resourceVersion="2"))
    # Of a node that is left alone anyway, not even that it stops.
    left = {"traffic": "Draining"}
    assert learned(lnd1(SERVES | left)) == learned(lnd1({"state": "Unknown"} | left))


def test_what_its_pods_are_told_is_news() -> None:
    behind = {"type": "Synced", "status": "False", "reason": "Behind"}
    said = [
        lnd1(SERVES),
        lnd1(SERVES | {"traffic": "Draining"}),
        lnd1(SERVES | {"conditions": [behind]}),
        lnd1(SERVES | {"state": "Unknown"}),
        lnd1(SERVES | {"retired": [{"identityPubkey": "02aa"}]}),
        lnd1(SERVES, deletionTimestamp="2026-11-21T09:00:00Z"),
    ]
    assert len({repr(learned(one)) for one in said}) == len(said)


def test_of_everything_else_all_is_news() -> None:
    assert learns(SECRET, {"metadata": {"name": "lnd1-api"}}) is None


CONDITIONS = st.lists(
    st.builds(
        lambda *said: dict(zip(("type", "status", "reason", "message"), said, strict=True)),
        st.sampled_from(["Ready", "Synced", "Planned"]),
        st.sampled_from(["True", "False", "Unknown"]),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["", "x"]),
    ),
    max_size=3,
    unique_by=lambda one: one["type"],
)
STATUSES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"conditions": CONDITIONS},
    optional={
        "state": st.sampled_from(["SERVER_ACTIVE", "RPC_ACTIVE", "Unknown"]),
        "traffic": st.just("Draining"),
        "retired": st.lists(st.just({"identityPubkey": "02aa"}), max_size=1),
    },
)


@settings(max_examples=300)
@given(STATUSES, STATUSES)
def test_whoever_learns_the_same_decides_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    if learned(lnd1(one)) != learned(lnd1(other)):
        return
    decisions = [
        decide(BANK, replace(FACTS, nodes={**FACTS.nodes, "lnd1": told(lnd1(said))}), NOW) for said in (one, other)
    ]
    assert decisions[0] == decisions[1]
