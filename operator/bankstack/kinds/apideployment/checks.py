"""What must hold of an ApiDeployment, one sentence of policy each (pure)."""

import re
from collections.abc import Iterable
from typing import Final

from bankstack.clients.redis import Member, View
from bankstack.engine.finding import Finding, Stalled, Unknown, Waiting
from bankstack.engine.objects import DEPLOYMENT, SECRET, Manifest, Ref
from bankstack.kinds.apideployment import components, environment, names, needs
from bankstack.kinds.apideployment.component import OURS, Component
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.mode import Dependency, Standing
from bankstack.kinds.apideployment.names import Api

SOON: Final = 5.0
NO_EVICTION: Final = "noeviction"
_OURS: Final = re.compile(f"({OURS}|NETWORK)")


def networks_agree(api: Api, facts: Facts) -> Finding | None:
    """An API between two chains takes test coins for money."""
    found = environment.networks(facts)
    if len(found) <= 1:
        return None
    return Finding(
        "NetworksDiffer",
        f"lightning and coldWallet of {api.name} are of different networks ({', '.join(found)}): the API would take "
        "coins of one for coins of the other. What runs is left as it is. Name resources of one network",
        Stalled(),
    )


def what_components_refer_to_is_there(api: Api, facts: Facts) -> Finding | None:
    """A pod that refers to an unknown Secret never starts; the one it replaces would be gone."""
    for component in api.spec.components:
        for ref in environment.brought(component):
            if ref not in facts.contents:
                return _missing(api, component, f"{ref} is not there", ref)
        for ref, key in environment.keys(component):
            if key not in facts.contents[ref].keys:
                return _missing(api, component, f"{ref} has no key {key}", ref)
    return None


def _missing(api: Api, component: Component, what: str, ref: Ref) -> Finding:
    kind = "Secret" if ref.type == SECRET else "ConfigMap"
    return Finding(
        f"{kind}Missing",
        f"component {component.name} refers to a {kind} that it could not start with: {what}. Nothing of {api.name} is "
        "started or rolled; what runs keeps running. Make it, or correct the component",
        Waiting(30.0),
    )


def variables_do_not_collide(api: Api, facts: Facts) -> Finding | None:
    """Two values of one variable: one of them is a ledger or a node that nobody declared."""
    for component in api.spec.components:
        for ref in environment.whole_variables(component):
            taken = sorted(key for key in facts.contents[ref].keys if _OURS.fullmatch(key))
            if taken:
                return Finding(
                    "EnvironmentCollides",
                    f"{ref}, which component {component.name} takes its environment from, has {', '.join(taken)}: the "
                    "operator sets that itself, and of two values one would be used without anyone knowing which. "
                    f"Nothing of {api.name} is rolled. Remove the keys there",
                    Stalled(),
                )
    return None


def ledger_takes_entries(api: Api, facts: Facts) -> Finding | None:
    """The first pod finds its books."""
    return _gate("LedgerNotReady", needs.ledger(api, facts))


def ledger_lets_it_in(api: Api, facts: Facts) -> Finding | None:
    """The user's Secret is complete."""
    secret = facts.ledger.secret if facts.ledger else None
    content = facts.contents.get(Ref(SECRET, secret)) if secret else None
    # Of a MongoDB that others run the operator knows no hosts: only the Secret can name them.
    needed = {"password"} if facts.ledger and facts.ledger.hosts else {"password", "uri"}
    lacking = sorted(needed - content.keys) if content else []
    if content and not lacking:
        return None
    use = api.spec.ledger
    if secret is None:
        told = f"nobody says in which Secret the password of user {use.user} is: set ledger.secret"
        return Finding("LedgerCredentialsMissing", told, Waiting(SOON))
    what = f"lacks {', '.join(lacking)}" if content else "is not there"
    return Finding(
        "LedgerCredentialsMissing",
        f"Secret {secret} of user {use.user} of LedgerCluster {use.name} {what}: the API could not log in. "
        f"{api.name} is started when it is complete",
        Waiting(SOON),
    )


def redis_grants_locks(api: Api, facts: Facts) -> Finding | None:
    """The first pod can take a lock."""
    return _gate("RedisNotReady", needs.redis(api, facts.redis))


def redis_lets_it_in(api: Api, facts: Facts) -> Finding | None:
    """The password's Secret is complete."""
    ref = environment.redis_password(api)
    content = facts.contents.get(ref)
    if content and "password" in content.keys:
        return None
    what = "has no key password" if content else "is not there"
    return Finding("RedisCredentialsMissing", f"{ref} {what}: the API could take no lock", Waiting(SOON))


def nodes_serve(api: Api, facts: Facts) -> Finding | None:
    """The first pod finds every declared node: later a missing one only restricts it."""
    for one in api.spec.lightning or []:
        found = _gate("LightningNotReady", needs.lightning(one.node, facts.nodes.get(one.node)))
        if found:
            return found
        if Ref(SECRET, names.lnd_secret(one.node)) not in facts.contents:
            told = f"LndNode {one.node} has not made Secret {names.lnd_secret(one.node)} yet: the API could not log in"
            return Finding("LightningNotReady", told, Waiting(SOON))
    return None


def chain_is_followed(api: Api, facts: Facts) -> Finding | None:
    """The first pod finds a chain."""
    return _gate("ChainNotReady", needs.chain(api.spec.cold_wallet, facts.chain)) if api.spec.cold_wallet else None


def _gate(reason: str, need: Dependency) -> Finding | None:
    if need.standing == Standing.UP:
        return None
    return Finding(reason, f"{need.told}. The API is started as soon as this is well", Waiting(SOON))


def redis_knows_the_password(api: Api, facts: Facts) -> Finding | None:
    """A program started with a password that Redis does not know is one that moves no money."""
    strangers = [names.member(api, number) for number, one in enumerate(facts.redis.admits) if one is False]
    if not strangers:
        return None
    return Finding(
        "RedisPasswordUnknown",
        f"{', '.join(strangers)} of Redis: the password in {environment.redis_password(api)} is not the one it was "
        "started with, as when every Secret that had the former one was deleted. What runs goes on with its "
        "connections; nothing is rolled, for a new pod could take no lock. Put the former password back there and "
        f"into {names.redis_accounts(api)}, or delete the pods of Redis one after the other, replicas first, each "
        "when the one before is ready again",
        Waiting(SOON),
    )


#: While one of these holds, no component is started or rolled.
OBSTACLES: Final = (
    networks_agree,
    what_components_refer_to_is_there,
    variables_do_not_collide,
    redis_knows_the_password,
)
#: Before the first start only: what runs is never stopped because something it needs went away.
GATES: Final = (
    ledger_takes_entries,
    ledger_lets_it_in,
    redis_grants_locks,
    redis_lets_it_in,
    nodes_serve,
    chain_is_followed,
)


def redis_is_whole(api: Api, facts: Facts) -> Finding | None:
    """Every member answers, and one of them is a master that is followed."""
    need = needs.redis(api, facts.redis)
    if need.standing != Standing.UP:
        return Finding("RedisNotReady", need.told, Waiting(SOON))
    silent = [
        f"{names.member(api, number)} ({one.reason})"
        for number, one in enumerate(facts.redis.members)
        if isinstance(one, Unknown)
    ]
    if not silent:
        return None
    return Finding(
        "RedisMemberDown",
        f"Redis grants locks, but of its {len(facts.redis.members)} members do not answer: {', '.join(silent)}. "
        "With one more gone no money would move",
        Waiting(SOON),
    )


def redis_keeps_locks(api: Api, facts: Facts) -> Finding | None:
    """Nothing is evicted and everything is appended to disk, as its configuration says: somebody may change it."""
    faults = {
        names.member(api, number): fault
        for number, one in enumerate(facts.redis.members)
        if isinstance(one, Member) and (fault := _forgets(one))
    }
    if not faults:
        return None
    told = "; ".join(f"{name} {fault}" for name, fault in faults.items())
    return Finding(
        "RedisForgetsLocks",
        f"Redis is not configured as declared: {told}. A lock that is lost lets a payment be made twice. Delete these "
        "pods one after the other, replicas first, each when the one before is ready again: they start as declared",
        Waiting(30.0),
    )


def _forgets(member: Member) -> str:
    if not member.persists:
        return "does not append locks to its disk"
    return "" if member.policy == NO_EVICTION else f"evicts locks when its memory is full ({member.policy})"


def redis_can_lose_a_member(api: Api, facts: Facts) -> Finding | None:
    """Every replica copies its master, and every Sentinel could have another elected."""
    behind = [
        f"{names.member(api, number)} does not copy its master"
        for number, one in enumerate(facts.redis.members)
        if isinstance(one, Member) and not one.in_sync
    ]
    alone = [
        f"the Sentinel of {names.member(api, number)} finds too few others to elect a master"
        for number, one in enumerate(facts.redis.sentinels)
        if isinstance(one, View) and not one.agrees
    ]
    if not behind and not alone:
        return None
    told = f"Redis grants locks, but {'; '.join((*behind, *alone))}. With the master gone now locks may be lost with it"
    return Finding("RedisMemberBehind", told, Waiting(SOON))


def components_run(api: Api, facts: Facts) -> Finding | None:
    """Every pod that should run runs as declared and is ready."""
    for component in api.spec.components:
        if components.runs_and_ends(component):
            continue
        wanted, ready = components.replicas(component), ready_pods(api, component, facts)
        if ready < wanted:
            why = _why(api, component, facts)
            told = f"component {component.name} has {ready} of {wanted} pods ready{f': {why}' if why else ''}"
            return Finding("ComponentNotReady", told, Waiting(30.0))
    return None


def _why(api: Api, component: Component, facts: Facts) -> str:
    if components.is_still_there(api, component, facts):
        return (
            "its former pod still runs, and beside a singleton no second one is started. Where it does not stop by "
            "itself, delete what keeps it (an orphaned ReplicaSet), or the pod"
        )
    return trouble(components.pods(api, component, facts))


def ready_pods(api: Api, component: Component, facts: Facts) -> int:
    """Pods of the newest template that are ready, as its controller counts them."""
    live = facts.children.get(components.workload(api, component))
    status = live.get("status", {}) if live else {}
    if live is None or status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return 0
    of = "availableReplicas" if components.workload(api, component).type == DEPLOYMENT else "readyReplicas"
    ready: int = min(status.get("updatedReplicas", 0), status.get(of, 0), components.replicas(component))
    return ready


def trouble(pods: Iterable[Manifest]) -> str:
    """What the kubelet says of the first pod that cannot run."""
    for pod in pods:
        for one in pod.get("status", {}).get("containerStatuses", []):
            waiting = one.get("state", {}).get("waiting", {})
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                name = pod["metadata"]["name"]
                return f"{name} says {waiting['reason']} {waiting.get('message', '')[:200]}".rstrip()
    return ""


#: Of what runs: the first that is not well is told, and nothing is stopped for it.
WHOLE: Final = (redis_is_whole, redis_keeps_locks, redis_can_lose_a_member, components_run)
