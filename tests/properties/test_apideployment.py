"""ApiDeployment's decisions over facts that nobody arranged: every law on each, and an end to all acting."""

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bankstack.clients.redis import Member, View
from bankstack.engine.decision import Apply, Delete
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import DEPLOYMENT, JOB, POD, STATEFUL_SET, Manifest, Ref
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.facts import Facts, Redis
from bankstack.kinds.apideployment.mode import MODES
from bankstack.kinds.apideployment.model import ApiDeploymentStatus
from bankstack.kinds.apideployment.names import Api
from tests.unit.kinds.apideployment import given as world
from tests.unit.kinds.apideployment.given import (
    ALL,
    API,
    BEHIND,
    CHAIN,
    CONTENTS,
    DOWN,
    LEDGER,
    MASTER,
    MIGRATE,
    NODE,
    NOW,
    REPLICA,
    SILENT,
    VIEW,
    carried_out,
    running,
    saying,
)

from .laws import asked, decided, lost, stopped

specs = st.fixed_dictionaries(
    {},
    optional={
        "components": st.sampled_from(
            [
                ALL,
                [API],
                [MIGRATE | {"image": "bank/migrate:2"}, API],
                [API | {"env": [{"name": "A", "value": ""}], "command": [], "pod": {"resources": {}, "labels": {}}}],
                [API | {"envFrom": [{"secretRef": {"name": "nowhere"}}]}],
                [API | {"replicas": 0, "probes": {}, "volumes": []}],
            ]
        ),
        "lightning": st.sampled_from([[], [{"node": "lnd2", "roles": ["offchain"]}]]),
        "coldWallet": st.none(),
        "redis": st.just({"managed": {"version": "8.2", "members": 3, "storage": {"size": "4Gi"}}}),
    },
)
statuses = st.builds(
    ApiDeploymentStatus, mode=st.none() | st.sampled_from(MODES), revision=st.sampled_from([None, "former"])
)
nodes = st.sampled_from([NODE, BEHIND, DOWN, None, replace(NODE, network="signet"), replace(NODE, deleting=True)])
ledgers = st.sampled_from(
    [LEDGER, None, replace(LEDGER, told=saying(None, Writable="False")), replace(LEDGER, secret=None),
     replace(LEDGER, authority="ledger-ca", tls=True), replace(LEDGER, hosts=())]
)  # fmt: skip
members: st.SearchStrategy[Member | Unknown] = st.sampled_from([MASTER, REPLICA, SILENT, replace(MASTER, replicas=0)])
views: st.SearchStrategy[View | Unknown] = st.sampled_from([VIEW, SILENT, replace(VIEW, is_down=True)])
redises = st.builds(Redis, st.tuples(members, members, members), st.tuples(views, views, views))
worlds = st.fixed_dictionaries(
    {},
    optional={
        "ledger": ledgers,
        "nodes": st.fixed_dictionaries({"lnd1": nodes, "lnd2": nodes}),
        "chain": st.sampled_from([CHAIN, None, saying(ChainReady="False")]),
        "redis": redises,
        "accounts_intact": st.booleans(),
        "contents": st.sets(st.sampled_from(sorted(CONTENTS))).map(lambda gone: {
            ref: one for ref, one in CONTENTS.items() if ref not in gone
        }),
    },
)  # fmt: skip


@cache
def made() -> tuple[Api, Facts]:
    """A whole bank, once."""
    return running(world.api())


@st.composite
def banks(draw: st.DrawFn) -> tuple[Api, Facts]:
    """Any spec, any last word, any surroundings, and any part of what was made."""
    bank, whole = made()
    declared = world.api(deleting=draw(st.booleans()), status=draw(statuses | st.just(bank.status)), **draw(specs))
    gone = draw(st.sets(st.sampled_from(sorted(whole.children)), max_size=6) | st.just(set(whole.children)))
    surroundings: dict[str, Any] = draw(worlds)
    return declared, replace(whole, **surroundings, children=_without(whole, gone))


def _without(facts: Facts, gone: set[Ref]) -> dict[Ref, Manifest]:
    return {ref: live for ref, live in facts.children.items() if ref not in gone}


@given(banks())
def test_every_decision_keeps_the_laws(drawn: tuple[Api, Facts]) -> None:
    bank, facts = drawn
    decision = decided(decide, bank, facts, NOW)
    assert lost(decision.actions) == [], "volumes and passwords stay whatever is declared"
    assert asked(decision.actions) <= {"MendRedisAccounts", "TellPods"}
    if bank.deleting:
        assert not [one for one in decision.actions if isinstance(one, Apply) and one.reason == "Missing"]
        assert not decision.released or not [one for one in facts.children if one.type == POD]
    else:
        assert "bank-redis" not in stopped(decision.actions)
        assert not decision.released


@given(banks())
def test_redis_template_and_claims_are_never_changed(drawn: tuple[Api, Facts]) -> None:
    bank, facts = drawn
    live = facts.children.get(Ref(STATEFUL_SET, "bank-redis"))
    for one in decide(bank, facts, NOW).actions:
        if isinstance(one, Apply) and one.manifest["metadata"]["name"] == "bank-redis" and live:
            for part in ("template", "volumeClaimTemplates"):
                assert one.manifest.get("spec", {}).get(part) in (None, live["spec"][part])


@given(banks())
def test_while_something_is_missing_no_program_is_stopped_for_it(drawn: tuple[Api, Facts]) -> None:
    bank, facts = drawn
    if bank.deleting:
        return
    decision = decide(bank, facts, NOW)
    declared = {f"bank-{one.name}" for one in bank.spec.components}
    for one in decision.actions:
        if isinstance(one, Delete) and one.ref.type in (DEPLOYMENT, STATEFUL_SET):
            assert one.ref.name not in declared
    if decision.finding and decision.finding.stops and decision.finding.reason.endswith(("Missing", "Differ")):
        rolled = [one for one in decision.actions if isinstance(one, Apply) and one.manifest["kind"] == "Deployment"]
        assert rolled == []


@given(banks())
def test_acting_comes_to_an_end(drawn: tuple[Api, Facts]) -> None:
    bank, facts = drawn
    for _ in range(10):
        decision = decide(bank, facts, NOW)
        if not decision.actions and decision.status == bank.status:
            return
        assert isinstance(decision.status, ApiDeploymentStatus)
        facts = carried_out(facts, decision.actions)
        bank = replace(bank, status=decision.status)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")


@given(banks())
def test_a_migration_of_a_revision_is_made_before_anything_of_it(drawn: tuple[Api, Facts]) -> None:
    bank, facts = drawn
    if bank.deleting:
        return
    decision = decide(bank, facts, NOW)
    jobs = [one for one in decision.actions if isinstance(one, Apply) and one.manifest["kind"] == JOB.kind]
    if jobs:
        kinds = {one.manifest["kind"] for one in decision.actions if isinstance(one, Apply)}
        assert not kinds & {"Deployment", "CronJob"}
