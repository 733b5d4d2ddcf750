"""What is done, in which order, and what is said of it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.apideployment.given import (
    ALL,
    API,
    BEHIND,
    CONTENTS,
    DOWN,
    LEDGER,
    MIGRATE,
    NODE,
    NOW,
    REDIS,
    SILENT,
    TRIGGER,
    api,
    applied,
    carried_out,
    component,
    deleted,
    running,
    saying,
    settled,
    well,
    without,
)

from bankstack.clients.redis import Member, View
from bankstack.engine.decision import Apply, Ask
from bankstack.engine.finding import Stalled, Waiting
from bankstack.engine.objects import CONFIG_MAP, DEPLOYMENT, JOB, POD, SECRET, STATEFUL_SET, Ref
from bankstack.kinds.apideployment import components, names
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.facts import Content, Facts, Told
from bankstack.kinds.apideployment.model import ApiDeploymentStatus
from bankstack.kinds.apideployment.names import Api


def reason(bank: Api, facts: Facts) -> str | None:
    finding = decide(bank, facts, NOW).finding
    return finding.reason if finding else None


def workloads(bank: Api, facts: Facts) -> list[str]:
    """What is started or rolled of the components."""
    kinds = ("Deployment", "CronJob", "Job", "StatefulSet bank-history")
    return [one for one in applied(decide(bank, facts, NOW).actions) if one.startswith(kinds)]


def test_everything_is_made_and_then_nothing_more() -> None:
    bank, facts = running(api())
    last = decide(bank, facts, NOW)
    assert last.actions == ()
    assert last.finding is None
    assert {one.type: one.status for one in last.claims} == dict.fromkeys(
        ("FullService", "LedgerReady", "RedisReady", "LightningReady", "ComponentsReady"), "True"
    )
    assert isinstance(last.status, ApiDeploymentStatus)
    assert last.status.mode == "Full"
    assert last.status.redis is not None
    assert last.status.redis.master == "bank-redis-0.bank.svc"
    assert [one.name for one in last.status.components or []] == ["api", "trigger", "history"]


def test_passwords_come_before_the_servers_and_the_servers_before_the_api() -> None:
    first = decide(api(), well(accounts_intact=False), NOW)
    assert isinstance(first.actions[0], Ask)
    order = applied(first.actions)
    assert order.index("StatefulSet bank-redis") > order.index("Service bank-redis-2")
    assert order.index("StatefulSet bank-redis") > order.index("PersistentVolumeClaim data-bank-redis-2")
    assert order[-1].startswith("Job bank-migrate-")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (well(ledger=None), "LedgerNotReady"),
        (well(ledger=replace(LEDGER, told=Told())), "LedgerNotReady"),
        (well(ledger=replace(LEDGER, told=saying(None, Writable="False"))), "LedgerNotReady"),
        (
            well(contents={ref: one for ref, one in CONTENTS.items() if ref.name != "ledger-api"}),
            "LedgerCredentialsMissing",
        ),
        (well(contents=CONTENTS | {Ref(SECRET, "ledger-api"): Content("u", frozenset())}), "LedgerCredentialsMissing"),
        (well(ledger=replace(LEDGER, secret=None)), "LedgerCredentialsMissing"),
        (well(redis=replace(REDIS, sentinels=(SILENT,) * 3)), "RedisNotReady"),
        (
            well(contents={ref: one for ref, one in CONTENTS.items() if ref.name != "bank-redis-api"}),
            "RedisCredentialsMissing",
        ),
        (well(nodes={"lnd1": NODE, "lnd2": None}), "LightningNotReady"),
        (well(nodes={"lnd1": BEHIND, "lnd2": NODE}), "LightningNotReady"),
        (well(contents={ref: one for ref, one in CONTENTS.items() if ref.name != "lnd2-api"}), "LightningNotReady"),
        (well(chain=None), "ChainNotReady"),
    ],
)
def test_nothing_is_started_before_all_that_it_needs_is_there(facts: Facts, expected: str) -> None:
    assert reason(api(), facts) == expected
    assert workloads(api(), facts) == []
    # What does not need it is made meanwhile.
    assert "StatefulSet bank-redis" in applied(decide(api(), facts, NOW).actions)


GONE: dict[str, dict[str, Any]] = {
    "ledger": {"ledger": None},
    "redis": {"redis": replace(REDIS, sentinels=(SILENT,) * 3)},
    "nodes": {"nodes": {"lnd1": None, "lnd2": None}},
    "one node": {"nodes": {"lnd1": NODE, "lnd2": DOWN}},
    "chain": {"chain": None},
    "everything": {"ledger": None, "nodes": {"lnd1": None, "lnd2": None}, "chain": None, "contents": {}},
    "every secret": {"contents": {}},
}


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_what_runs_keeps_running_whatever_goes_away(gone: dict[str, Any]) -> None:
    bank, facts = running(api())
    after = decide(bank, replace(facts, **gone), NOW)
    assert workloads(bank, replace(facts, **gone)) == []
    assert deleted(after.actions) == []
    assert {one.action for one in after.actions if isinstance(one, Ask)} <= {"TellPods"}


@pytest.mark.parametrize(
    ("nodes", "mode"),
    [
        ({"lnd1": None, "lnd2": NODE}, "Full"),
        ({"lnd1": BEHIND, "lnd2": DOWN}, "ReceiveOnly"),
        ({"lnd1": None, "lnd2": DOWN}, "IntraledgerOnly"),
    ],
)
def test_a_missing_node_restricts_what_the_api_may_do_and_says_why(nodes: dict[str, Told | None], mode: str) -> None:
    bank, facts = running(api())
    after = decide(bank, replace(facts, nodes=nodes), NOW)
    assert isinstance(after.status, ApiDeploymentStatus)
    assert after.status.mode == mode
    assert any("lnd1" in one for one in after.status.mode_reasons or [])
    assert after.finding is not None
    assert (after.finding.reason, after.finding.stops) == (mode, False)
    (written,) = [one.manifest for one in after.actions if isinstance(one, Apply)]
    assert written["metadata"]["name"] == "bank-mode"
    assert written["data"]["mode"] == mode
    assert "lnd1" in written["data"]["reasons"]
    pods = [one for ask in after.actions if isinstance(ask, Ask) for one in ask.words["pods"].split()]
    told = {one.partition("/")[0] for one in pods}
    assert told == (set() if mode == "Full" else {"bank-api-0", "bank-api-1", "bank-trigger-0", "bank-history-0"})


def test_networks_that_differ_stop_every_roll() -> None:
    bank, facts = running(api())
    mixed = replace(facts, nodes={"lnd1": NODE, "lnd2": replace(NODE, network="signet")})
    finding = decide(bank, mixed, NOW).finding
    assert finding is not None
    assert finding.reason == "NetworksDiffer"
    assert isinstance(finding.policy, Stalled)
    assert workloads(replace(bank, spec=component(image="bank/api:2").spec), mixed) == []


NOPE = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "k"}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"env": [NOPE]}, "SecretMissing"),
        ({"envFrom": [{"configMapRef": {"name": "nope"}}]}, "ConfigMapMissing"),
        ({"volumes": [{"name": "x", "mountPath": "/x", "secret": "nope"}]}, "SecretMissing"),
        ({"volumes": [{"name": "x", "mountPath": "/x", "configMap": "nope"}]}, "ConfigMapMissing"),
        ({"env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "ledger-api", "key": "k"}}}]}, "SecretMissing"),
    ],
)
def test_a_reference_to_nothing_rolls_nothing(fields: dict[str, object], expected: str) -> None:
    bank, facts = running(component())
    changed = replace(bank, spec=component(**fields).spec)
    assert reason(changed, facts) == expected
    assert workloads(changed, facts) == []


def test_a_whole_secret_that_says_where_the_ledger_is_collides() -> None:
    bank = component(envFrom=[{"secretRef": {"name": "extra"}}])
    extra = Content("u", frozenset({"LOGLEVEL", "MONGODB_CON", "NETWORK"}))
    finding = decide(bank, well(contents=CONTENTS | {Ref(SECRET, "extra"): extra}), NOW).finding
    assert finding is not None
    assert finding.reason == "EnvironmentCollides"
    assert "MONGODB_CON, NETWORK" in finding.message


def test_the_migration_runs_alone_and_the_others_after_it() -> None:
    bank, facts = api(), well()
    first = decide(bank, facts, NOW)
    assert [one.split("-")[1] for one in workloads(bank, facts)] == ["migrate"]
    job = names.job(bank, "migrate", components.revision(bank))
    runs = carried_out(facts, first.actions)
    runs = replace(runs, children={**runs.children} | {job: runs.children[job] | {"status": {}}})
    assert reason(bank, runs) == "Migrating"
    assert workloads(bank, runs) == []
    done = carried_out(facts, first.actions)
    assert workloads(bank, done) == [
        "Deployment bank-api", "Deployment bank-trigger", "StatefulSet bank-history", "CronJob bank-cron"
    ]  # fmt: skip


def test_a_new_image_migrates_first_and_keeps_the_former_revision_until_then() -> None:
    bank, facts = running(api())
    newer = replace(bank, spec=api(components=[MIGRATE, API | {"image": "bank/api:2"}, TRIGGER]).spec)
    step = decide(newer, facts, NOW)
    assert len(applied(step.actions)) == 1
    assert applied(step.actions)[0].startswith("Job bank-migrate-")
    assert step.status.model_dump()["revision"] == components.revision(bank)
    newer, facts = settled(newer, facts)
    assert (
        facts.children[Ref(DEPLOYMENT, "bank-api")]["spec"]["template"]["spec"]["containers"][0]["image"]
        == "bank/api:2"
    )
    assert newer.status.revision == components.revision(newer)
    # The former run is swept, and so is what is declared no more.
    assert [one for one in facts.children if one.type == JOB] == [
        names.job(newer, "migrate", components.revision(newer))
    ]
    assert Ref(STATEFUL_SET, "bank-history") not in facts.children
    assert Ref(STATEFUL_SET, "bank-redis") in facts.children


def test_a_failed_migration_calls_a_person_and_leaves_the_former_revision() -> None:
    bank, facts = running(api())
    newer = replace(bank, spec=api(components=[MIGRATE | {"image": "bank/migrate:2"}, API]).spec)
    job = names.job(newer, "migrate", components.revision(newer))
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
    facts = carried_out(facts, decide(newer, facts, NOW).actions)
    facts = replace(facts, children={**facts.children} | {job: facts.children[job] | {"status": failed}})
    after = decide(newer, facts, NOW)
    assert after.actions == ()
    assert after.finding is not None
    assert after.finding.reason == "MigrationFailed"
    assert isinstance(after.finding.policy, Stalled)
    assert "the former revision keeps running" in after.finding.message
    # Deleted by hand, it runs again.
    assert applied(decide(newer, without(facts, job), NOW).actions) == [str(job)]


def test_an_old_look_does_not_cut_off_the_migration_of_a_newer_revision() -> None:
    bank, facts = running(api())
    newer = replace(bank, generation=2, spec=api(components=[MIGRATE | {"image": "bank/migrate:2"}, *ALL[1:]]).spec)
    asked = carried_out(facts, decide(newer, facts, NOW).actions)
    assert len([one for one in asked.children if one.type == JOB]) == 2
    assert deleted(decide(bank, asked, NOW).actions) == []
    back = replace(bank, generation=3)
    assert deleted(decide(back, asked, NOW).actions) == [str(names.job(bank, "migrate", components.revision(newer)))]


def test_a_finished_migration_is_not_run_again_when_its_job_is_deleted() -> None:
    bank, facts = running(api())
    job = names.job(bank, "migrate", components.revision(bank))
    assert decide(bank, without(facts, job), NOW).actions == ()


def test_a_new_credential_rolls_the_api_once() -> None:
    bank, facts = running(api())
    newer = replace(facts, contents=CONTENTS | {Ref(SECRET, "lnd1-api"): Content("u/9", frozenset({"pubkey"}))})
    assert workloads(bank, newer) == [
        "Deployment bank-api", "Deployment bank-trigger", "StatefulSet bank-history", "CronJob bank-cron"
    ]  # fmt: skip
    bank, after = settled(bank, newer)
    assert decide(bank, after, NOW).actions == ()
    # One of them, or all, gone for a moment: not rolled onto a gap.
    one_less = {ref: one for ref, one in after.contents.items() if ref.name != "lnd1-api"}
    assert workloads(bank, replace(after, contents=one_less)) == []
    assert workloads(bank, replace(after, contents={})) == []


def test_redis_is_never_rolled_by_itself() -> None:
    bank, facts = running(api())
    newer = replace(bank, spec=api(redis={"managed": {"version": "8.2", "members": 3}}).spec)
    after = decide(newer, facts, NOW)
    assert applied(after.actions) == []
    (pending,) = [one for one in after.claims if one.type == "ChangePending"]
    assert "image" in pending.message


def test_redis_volumes_grow_and_its_claim_template_stays() -> None:
    bank, facts = running(api())
    grown = {"managed": {"version": "8.0", "members": 3, "storage": {"size": "4Gi"}}}
    after = decide(replace(bank, spec=api(redis=grown).spec), facts, NOW)
    assert applied(after.actions) == [f"PersistentVolumeClaim data-bank-redis-{number}" for number in range(3)]


def test_every_child_deleted_by_hand_comes_back() -> None:
    bank, facts = running(api())
    pods = [one for one in facts.children if one.type == POD]
    for one in facts.children:
        if one.type not in (POD, JOB):
            assert str(one) in applied(decide(bank, without(facts, one, *pods), NOW).actions), one


@pytest.mark.parametrize("status", [{"phase": "Running"}, {}], ids=["running", "just made"])
def test_a_singleton_is_not_made_anew_beside_its_former_pod(status: dict[str, str]) -> None:
    bank, facts = running(api())
    deployment, pod = Ref(DEPLOYMENT, "bank-trigger"), Ref(POD, "bank-trigger-0")
    left = without(facts, deployment)
    there = replace(left, children={**left.children, pod: left.children[pod] | {"status": status}})
    after = decide(bank, there, NOW)
    assert (after.actions, after.finding and after.finding.reason) == ((), "ComponentNotReady")
    assert "no second one is started" in str(after.finding)
    ended = replace(left, children={**left.children, pod: left.children[pod] | {"status": {"phase": "Failed"}}})
    for free in (without(left, pod), ended):
        assert applied(decide(bank, free, NOW).actions) == ["Deployment bank-trigger"]


def test_a_singleton_that_is_to_be_kept_in_another_way_is_stopped_first() -> None:
    bank, facts = running(api())
    volume = {"name": "data", "mountPath": "/data", "size": "1Gi"}
    sized = api(
        status=bank.status, components=[one for one in ALL if one != TRIGGER] + [TRIGGER | {"volumes": [volume]}]
    )
    former, pod = Ref(DEPLOYMENT, "bank-trigger"), Ref(POD, "bank-trigger-0")
    first = decide(sized, facts, NOW).actions
    assert (applied(first), deleted(first)) == ([], ["Deployment bank-trigger"])
    assert decide(sized, without(facts, former), NOW).actions == ()
    # The controller's next pod may be on its way, although none is seen.
    assert applied(decide(sized, without(facts, pod), NOW).actions) == []
    assert applied(decide(sized, without(facts, former, pod), NOW).actions) == ["StatefulSet bank-trigger"]


def test_a_silent_member_is_told_of_before_the_last_one_is_gone() -> None:
    bank, facts = running(api())
    two = replace(facts, redis=replace(REDIS, members=(*REDIS.members[:2], SILENT)))
    finding = decide(bank, two, NOW).finding
    assert finding is not None
    assert finding.reason == "RedisMemberDown"
    assert "bank-redis-2 (it is silent)" in finding.message


@pytest.mark.parametrize(
    ("change", "reason", "told"),
    [
        ({"persists": False}, "RedisForgetsLocks", "bank-redis-1 does not append locks to its disk"),
        ({"policy": "allkeys-lru"}, "RedisForgetsLocks", "bank-redis-1 evicts locks when its memory is full (allkeys"),
        ({"in_sync": False}, "RedisMemberBehind", "bank-redis-1 does not copy its master"),
    ],
)
def test_a_member_that_could_lose_a_lock_is_told_of_while_locks_are_granted(
    change: dict[str, Any], reason: str, told: str
) -> None:
    bank, facts = running(api())
    first, second, third = REDIS.members
    assert isinstance(second, Member)
    odd = replace(second, **change)
    decision = decide(bank, replace(facts, redis=replace(REDIS, members=(first, odd, third))), NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, told in decision.finding.message) == (reason, True)
    assert decision.actions == ()


def test_sentinels_that_could_elect_nobody_are_told_of_before_they_have_to() -> None:
    bank, facts = running(api())
    view, *others = REDIS.sentinels
    assert isinstance(view, View)
    alone = replace(facts, redis=replace(REDIS, sentinels=(replace(view, agrees=False), *others)))
    finding = decide(bank, alone, NOW).finding
    assert finding is not None
    assert finding.reason == "RedisMemberBehind"
    assert "the Sentinel of bank-redis-0 finds too few others" in finding.message


def test_a_pod_that_cannot_start_is_told_in_the_kubelet_s_words() -> None:
    bank, facts = running(api())
    deployment, pod = Ref(DEPLOYMENT, "bank-api"), Ref(POD, "bank-api-0")
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    children = {**facts.children} | {
        deployment: facts.children[deployment] | {"status": {"observedGeneration": 1, "updatedReplicas": 1}},
        pod: facts.children[pod] | {"status": {"phase": "Pending", "containerStatuses": [waiting]}},
    }
    finding = decide(bank, replace(facts, children=children), NOW).finding
    assert finding is not None
    assert finding.message == "component api has 0 of 2 pods ready: bank-api-0 says ImagePullBackOff no such image"
    assert isinstance(finding.policy, Waiting)


def test_a_bank_without_lightning_and_without_jobs_is_started_at_once() -> None:
    bank = api(lightning=[], coldWallet=None, components=[API])
    bank, facts = settled(bank, well(nodes={}, chain=None))
    assert Ref(DEPLOYMENT, "bank-api") in facts.children
    assert Ref(CONFIG_MAP, "bank-mode") in facts.children
    assert bank.status.mode == "Full"


def test_an_external_redis_makes_no_server() -> None:
    external = {"external": {"sentinels": [{"host": "s", "port": 26379}], "passwordSecret": "r"}}
    bank = api(redis=external, components=ALL)
    contents = CONTENTS | {Ref(SECRET, "r"): Content("u/7", frozenset({"password"}))}
    bank, facts = settled(bank, well(contents=contents, redis=replace(REDIS, members=())))
    assert not [one for one in facts.children if "redis" in one.name]
