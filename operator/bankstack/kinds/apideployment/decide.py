"""What an ApiDeployment needs next.

Facts in, decision out. No clock, no network, no randomness: what can't be replayed
can't be trusted with money. What runs is never stopped because something it needs
went away: it is told what it may do instead.
"""

import json
from datetime import datetime
from typing import Final

from bankstack.clients.redis import Member
from bankstack.engine import drift, frozen
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Action, Apply, Ask, Decision, Delete
from bankstack.engine.finding import Finding, Unknown, Waiting, first
from bankstack.engine.manifests import owned
from bankstack.engine.objects import Manifest, Ref, ref, uid
from bankstack.kinds.apideployment import checks, components, environment, migrations, mode, names, needs, traffic
from bankstack.kinds.apideployment import redis_children as redis
from bankstack.kinds.apideployment.component import Running
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.leave import leave
from bankstack.kinds.apideployment.mode import Dependency, Needs, Standing
from bankstack.kinds.apideployment.model import ApiDeploymentStatus, Mode, RedisStatus
from bankstack.kinds.apideployment.names import Api

#: No event tells of Redis.
LOOK_AGAIN: Final = 10.0
MEND_ACCOUNTS: Final = "MendRedisAccounts"
TELL_PODS: Final = "TellPods"
REASON_MOST: Final = 1000


def decide(api: Api, facts: Facts, now: datetime) -> Decision:
    """What to do, and what to say."""
    del now
    if api.deleting:
        return leave(api, facts)
    required = needs.of(api, facts)
    may = mode.derive(required, api.status.mode)
    held = first(checks.OBSTACLES, api, facts) or (None if is_started(api, facts) else first(checks.GATES, api, facts))
    step = migrations.DONE if held else migrations.step(api, facts)
    finding = held or step.finding
    rolls = finding is None and environment.is_known(api, facts)
    status = _status(api, facts, required, may, done=rolls)
    return Decision(
        status=status,
        then=_once_told(api, facts, status),
        actions=(
            *_base(api, facts, required, may),
            *((Apply(drift.mark(step.wanted), "NewRevision"),) if step.wanted else ()),
            *(_rolled(api, facts) if rolls else ()),
            *_tell(facts, traffic.word(may, traffic.avoided(api, facts))),
        ),
        finding=finding or first(checks.WHOLE, api, facts) or _told(required, may),
        claims=(*_claims(api, facts, required, may), *_pending(api, facts)),
        look_again=LOOK_AGAIN,
    )


def is_started(api: Api, facts: Facts) -> bool:
    """Whether anything of it has ever run."""
    made = (components.workload(api, one) for one in api.spec.components)
    return api.status.revision is not None or any(one in facts.children for one in made)


def mode_map(api: Api, facts: Facts, required: Needs, may: Mode) -> Manifest:
    """What the API may do, where its pods see it as files. It outlives the operator (law 8)."""
    reasons, avoid = mode.reasons(required), traffic.avoided(api, facts)
    files = {
        "mode": may,
        "reasons": "\n".join(reasons) or "nothing is missing",
        "mode.json": json.dumps({"mode": may, "reasons": reasons, names.AVOID: avoid}, sort_keys=True),
        **({names.AVOID: "\n".join(avoid)} if avoid else {}),
    }
    meta = owned(api, "mode", names.mode(api.name).name)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": files}


def _base(api: Api, facts: Facts, required: Needs, may: Mode) -> tuple[Action, ...]:
    """Before and beside the components: passwords, what Redis is made of, and the word on what may be done."""
    managed = api.spec.redis.managed
    if managed is None:
        return drift.changes([mode_map(api, facts, required, may)], facts.children)
    mended = () if facts.accounts_intact else (Ask(MEND_ACCOUNTS, "Incomplete"),)
    wanted = [mode_map(api, facts, required, may), *redis.wanted(api, managed, facts)]
    return (*mended, *drift.changes(wanted, facts.children))


def _tell(facts: Facts, word: str) -> tuple[Ask, ...]:
    """Pods that were told of another mode. Last, for the ConfigMap that they are to look at comes first."""
    pods = " ".join(f"{found.name}/{uid(live)}" for found, live in traffic.untold(facts, word))
    return (Ask(TELL_PODS, "NewMode", {"mode": word, "pods": pods}),) if pods else ()


def _rolled(api: Api, facts: Facts) -> tuple[Action, ...]:
    """The components as declared, and nothing that is declared no more."""
    wanted = [
        *components.door(api),
        *(one for each in api.spec.components if not each.job for one in components.running(api, each, facts)),
    ]
    later = {components.workload(api, one) for one in api.spec.components if components.is_still_there(api, one, facts)}
    now = (one for one in wanted if ref(one) not in later)
    return (*drift.changes(now, facts.children), *_swept(api, facts, {ref(one) for one in wanted}))


def _swept(api: Api, facts: Facts, wanted: set[Ref]) -> tuple[Delete, ...]:
    """What was made for it and is not wanted any more. Retained things have no owner: they stay."""
    managed = api.spec.redis.managed
    base = {ref(one) for one in redis.wanted(api, managed, facts)} if managed else set()
    kept = wanted | base | {names.mode(api.name)} | migrations.current(api)
    return tuple(
        Delete(found, uid(live), "NotWanted")
        for found, live in sorted(facts.children.items())
        if found not in kept
        and "deletionTimestamp" not in live["metadata"]
        and _is_controlled(api, live)
        # A migration that was cut off half-way would be begun again over what it has half done.
        and not migrations.is_newer(api, live)
    )


def _is_controlled(api: Api, live: Manifest) -> bool:
    return any(one["uid"] == api.uid and one.get("controller") for one in live["metadata"].get("ownerReferences", []))


def _status(api: Api, facts: Facts, required: Needs, may: Mode, *, done: bool) -> ApiDeploymentStatus:
    reasons = [one[:REASON_MOST] for one in mode.reasons(required)]
    stay = [one for one in api.spec.components if not components.runs_and_ends(one)]
    return ApiDeploymentStatus(
        mode=may,
        mode_reasons=reasons or None,
        avoids=list(traffic.acknowledged(api, facts, may)) or None,
        revision=components.revision(api) if done else api.status.revision,
        redis=_redis(api, facts),
        components=[
            Running(name=one.name, wanted=components.replicas(one), ready=checks.ready_pods(api, one, facts))
            for one in stay
        ]
        or None,
    )


def _once_told(api: Api, facts: Facts, status: ApiDeploymentStatus) -> ApiDeploymentStatus | None:
    """The file and every pod are among the actions. A plan waits for this word, and payments with it."""
    if traffic.starts(facts):
        return None
    return status.model_copy(update={"avoids": list(traffic.avoided(api, facts)) or None})


def _redis(api: Api, facts: Facts) -> RedisStatus | None:
    last = api.status.redis or RedisStatus()
    master = needs.elected(facts.redis) or last.master
    answering = sum(isinstance(one, Member) for one in facts.redis.members)
    members = answering if api.spec.redis.managed else None
    return RedisStatus(master=master, members=members) if master or members is not None else None


def _told(required: Needs, may: Mode) -> Finding | None:
    """Worth telling, not worth waiting for: the ApiDeployment itself is as declared."""
    reasons = mode.reasons(required)
    if may == "Full" and not reasons:
        return None
    return Finding(may, f"the API is in mode {may}. {'; '.join(reasons)}".rstrip(), Waiting(30.0), stops=False)


def _claims(api: Api, facts: Facts, required: Needs, may: Mode) -> tuple[Claim, ...]:
    reasons = "; ".join(mode.reasons(required)) or "nothing is missing"
    lightning = [one for one in required.lightning if one.told] or [Dependency(Standing.UP)]
    running = first((checks.components_run,), api, facts)
    return (
        Claim("FullService", "True" if may == "Full" else "False", may, reasons),
        _need("LedgerReady", required.ledger, "the ledger takes entries"),
        _need("RedisReady", required.redis, "Redis grants locks"),
        _need("LightningReady", lightning[0], "every Lightning node serves"),
        Claim("ComponentsReady", "False", running.reason, running.message)
        if running
        else Claim("ComponentsReady", "True", "Running", "every component runs as declared"),
    )


def _need(kind: str, one: Dependency, well: str) -> Claim:
    if isinstance(one.standing, Unknown):
        return Claim(kind, "Unknown", "Silent", one.told)
    if one.standing == Standing.UP:
        return Claim(kind, "True", "Usable", well)
    return Claim(kind, "False", "PartlyUsable" if one.standing == Standing.PARTLY else "Down", one.told)


def _pending(api: Api, facts: Facts) -> tuple[Claim, ...]:
    """What Redis' members would have to be restarted for."""
    managed = api.spec.redis.managed
    if managed is None or redis.stateful_set(api) not in facts.children:
        return ()
    paths = frozen.pending(redis.wish(api, managed), redis.hold(api, managed, facts))
    return frozen.change_pending(paths, f"Redis of {api.name}")
