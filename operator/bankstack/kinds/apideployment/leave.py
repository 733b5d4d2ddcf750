"""How an ApiDeployment goes (pure): programs first, so that nobody holds a lock when Redis stops. Volumes stay."""

from typing import Final

from bankstack.engine import drift
from bankstack.engine.decision import Action, Decision, Delete
from bankstack.engine.finding import WATCHED, Finding
from bankstack.engine.objects import CRON_JOB, DEPLOYMENT, JOB, POD, STATEFUL_SET, Manifest, Ref, uid
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment import redis_children as redis
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.names import Api

KEEPS_PODS: Final = (DEPLOYMENT, STATEFUL_SET, CRON_JOB, JOB)


def leave(api: Api, facts: Facts) -> Decision:
    """One step on. The mode is left as it was: what still runs is still a bank."""
    set_of_redis = redis.stateful_set(api)
    workloads = {one: live for one, live in facts.children.items() if one.type in KEEPS_PODS and one != set_of_redis}
    pods = {one: live for one, live in facts.children.items() if one.type == POD}
    ours = {one: live for one, live in pods.items() if names.is_of_a_component(live)}
    if workloads or ours:
        # Pods themselves only once nothing would replace them.
        going = workloads or ours
        return Decision(api.status, _deleted(going), _stopping(f"{len(ours)} pods finish what they have begun"))
    live = facts.children.get(set_of_redis)
    managed = api.spec.redis.managed
    if live is not None and managed is not None and live["spec"].get("replicas") != 0:
        stop = drift.changes([redis.stopped(api, managed, facts)], facts.children)
        return Decision(api.status, stop, _stopping("Redis stops"))
    if pods:
        orphaned = pods if live is None else {}
        return Decision(api.status, _deleted(orphaned), _stopping("Redis writes its log and stops"))
    return Decision(api.status, released=True)


def _deleted(some: dict[Ref, Manifest]) -> tuple[Action, ...]:
    return tuple(
        Delete(one, uid(live), "Leaving")
        for one, live in sorted(some.items())
        if "deletionTimestamp" not in live["metadata"]
    )


def _stopping(what: str) -> Finding:
    return Finding("Stopping", f"{what}. Volumes and Redis' Secrets stay", WATCHED)
