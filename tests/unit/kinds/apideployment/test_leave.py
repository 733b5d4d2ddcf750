"""How an ApiDeployment goes: programs first, then Redis; volumes stay."""

from dataclasses import replace

from tests.unit.kinds.apideployment.given import (
    NOW,
    api,
    applied,
    carried_out,
    deleted,
    running,
    well,
    without,
)

from bankstack.engine.objects import POD, STATEFUL_SET, Ref
from bankstack.kinds.apideployment.decide import decide


def test_programs_end_before_redis_does_and_volumes_stay() -> None:
    bank, facts = running(api())
    bank = replace(bank, deleting=True)
    first = decide(bank, facts, NOW)
    assert applied(first.actions) == []
    assert set(deleted(first.actions)) >= {"Deployment bank-api", "Deployment bank-trigger", "CronJob bank-cron"}
    # Their controllers end the pods, and give each the time it was promised.
    assert not [one for one in deleted(first.actions) if one.startswith("Pod ")]
    assert not first.released
    facts = carried_out(facts, first.actions)
    second = decide(bank, facts, NOW)
    assert applied(second.actions) == ["StatefulSet bank-redis"]
    facts = carried_out(facts, second.actions)
    third = decide(bank, facts, NOW)
    assert third.actions == ()
    assert third.finding is not None
    assert third.finding.reason == "Stopping"
    facts = without(facts, *(one for one in facts.children if one.type == POD))
    last = decide(bank, facts, NOW)
    assert last.released
    assert last.actions == ()
    assert sum(one.type.kind == "PersistentVolumeClaim" for one in facts.children) == 3


def test_one_that_never_ran_is_let_go_at_once() -> None:
    assert decide(api(deleting=True), well(), NOW).released


def test_pods_that_somebody_orphaned_are_ended_too() -> None:
    bank, facts = running(api())
    bank = replace(bank, deleting=True)
    orphans = replace(facts, children={one: live for one, live in facts.children.items() if one.type == POD})
    assert "Pod bank-api-0" in deleted(decide(bank, orphans, NOW).actions)
    redis = without(orphans, *(one for one in orphans.children if "redis" not in one.name))
    assert deleted(decide(bank, redis, NOW).actions) == [f"Pod bank-redis-{number}" for number in range(3)]
    dying = {
        one: live | {"metadata": live["metadata"] | {"deletionTimestamp": "now"}}
        for one, live in redis.children.items()
    }
    waiting = decide(bank, replace(redis, children=dying), NOW)
    assert waiting.actions == ()
    assert not waiting.released


def test_a_set_that_is_stopped_is_not_stopped_again() -> None:
    bank, facts = running(api())
    bank = replace(bank, deleting=True)
    for _ in range(2):
        facts = carried_out(facts, decide(bank, facts, NOW).actions)
    assert facts.children[Ref(STATEFUL_SET, "bank-redis")]["spec"]["replicas"] == 0
    assert decide(bank, facts, NOW).actions == ()
