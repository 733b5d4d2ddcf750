"""What a LedgerCluster needs next.

Facts in, decision out. No clock, no network, no randomness: what can't be replayed
can't be trusted with money.
"""

from datetime import datetime
from typing import Final

from bankstack.clients.mongo.answers import Holdings, InSet
from bankstack.engine import drift, frozen
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Action, Ask, Decision
from bankstack.engine.finding import Unknown, first
from bankstack.engine.objects import Manifest, annotation
from bankstack.kinds.ledgercluster import checks, children, names, replica
from bankstack.kinds.ledgercluster.external import watch
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.model import VOTERS_MOST
from bankstack.kinds.ledgercluster.names import Seat
from bankstack.kinds.ledgercluster.retire import retire
from bankstack.kinds.ledgercluster.subject import LedgerCluster
from bankstack.kinds.ledgercluster.summary import summary, weak_writes, writable

#: MongoDB tells nobody when it elects or when a default is changed: it is asked this often.
LOOK_AGAIN: Final = 15.0


def decide(cluster: LedgerCluster, facts: Facts, now: datetime) -> Decision:
    """What to do, and what to say."""
    if cluster.spec.external is not None:
        return watch(cluster, facts)
    if cluster.deleting:
        return retire(cluster, facts)
    obstacle = first(checks.OBSTACLES, cluster, facts)
    return Decision(
        status=summary(cluster, facts, settled=obstacle is None),
        actions=() if obstacle else _actions(cluster, facts, now),
        finding=obstacle or first(checks.SHORTFALLS, cluster, facts),
        claims=_claims(cluster, facts),
        look_again=LOOK_AGAIN,
    )


def _actions(cluster: LedgerCluster, facts: Facts, now: datetime) -> tuple[Action, ...]:
    """In an order in which every prefix is safe: credentials before anything starts with them."""
    return (
        *_credentials(cluster, facts),
        *_user_secrets(cluster, facts),
        *drift.changes(_wanted(cluster, facts), facts.children),
        *_initiate(cluster, facts),
        *_ask_primary(cluster, facts, now),
    )


def _credentials(cluster: LedgerCluster, facts: Facts) -> tuple[Ask, ...]:
    if checks.needed_keys(cluster) <= facts.sealed.both:
        return ()
    return (Ask("keep_credentials", "Incomplete" if facts.sealed.either else "Missing"),)


def _user_secrets(cluster: LedgerCluster, facts: Facts) -> tuple[Ask, ...]:
    return tuple(
        Ask("make_user_secret", "Missing", {"secret": user.secret, "database": database, "user": user.name})
        for database, user in checks.users(cluster)
        if user.create and user.secret not in facts.user_secrets
    )


def _wanted(cluster: LedgerCluster, facts: Facts) -> tuple[Manifest, ...]:
    seats = replica.seats(cluster, facts)
    trusted = (children.authority(cluster, facts.sealed.authority),) if facts.sealed.authority else ()
    return (
        children.service(cluster),
        children.network_policy(cluster),
        children.disruption_budget(cluster),
        *(trusted if children.speaks_tls(cluster) else ()),
        *(_volume(cluster, facts, seat) for seat in seats if replica.may_have_volume(cluster, facts, seat.name)),
        *(_held(cluster, facts, seat) for seat in seats),
    )


def _volume(cluster: LedgerCluster, facts: Facts, seat: Seat) -> Manifest:
    """Marked as soon as the member itself says whose data it has."""
    claim, answer = facts.children.get(names.volume(seat.name)), facts.members.get(seat.name)
    written = annotation(claim, names.REPLICA_SET) if claim else None
    seen = answer.config.replica_set_id if isinstance(answer, InSet) else None
    return children.volume(cluster, seat, written or seen)


def _held(cluster: LedgerCluster, facts: Facts, seat: Seat) -> Manifest:
    """A member as it was first made: its template changes only by a plan."""
    return frozen.hold(children.stateful_set(cluster, seat), facts.children.get(names.stateful_set(seat.name)))


def _initiate(cluster: LedgerCluster, facts: Facts) -> tuple[Ask, ...]:
    """Once in a ledger's life: every member answers and is empty, and nothing says that there was a set before."""
    seats = replica.seats(cluster, facts)
    if replica.pinned(cluster, facts) or not all(replica.is_empty(facts.members.get(one.name)) for one in seats):
        return ()
    # Always the same one: two that were asked at once would make two sets.
    return (Ask("initiate", "Missing", {"member": seats[0].name}),)


def _ask_primary(cluster: LedgerCluster, facts: Facts, now: datetime) -> tuple[Ask, ...]:
    """What only a primary can do, once its set is written down in status."""
    leading, holdings = replica.primary(facts), facts.holdings
    if leading is None or isinstance(holdings, Unknown) or cluster.status.replica_set_id is None:
        return ()
    there = {"member": leading}
    admit = (Ask("admit_operator", "Missing", there),) if facts.admitted is False else ()
    changed = holdings.policy != checks.policy(cluster)
    return (
        *admit,
        *((Ask("set_policy", "Changed", there),) if changed else ()),
        *_users(cluster, facts, holdings, leading),
        *_canary(facts, leading, now),
        *_join(cluster, facts, leading),
    )


def _users(cluster: LedgerCluster, facts: Facts, holdings: Holdings, leading: str) -> tuple[Ask, ...]:
    declared = {(database, user.name): user.secret for database, user in checks.users(cluster)}
    put = (
        Ask(
            "put_user",
            "Changed",
            {
                "member": leading,
                "database": one.database,
                "user": one.name,
                "secret": declared[one.database, one.name],
                "roles": " ".join(sorted(one.roles)),
            },
        )
        for one in checks.unmade(cluster, facts, holdings)
    )
    drop = (
        Ask("drop_user", "Undeclared", {"member": leading, "database": one.database, "user": one.name})
        for one in checks.undeclared(cluster, holdings)
    )
    return (*put, *drop)


def _canary(facts: Facts, leading: str, now: datetime) -> tuple[Ask, ...]:
    first_member = replica.leader(facts)
    if first_member is None or not checks.canary_is_due(facts, now):
        return ()
    words = {"member": leading, "term": str(first_member.term), "at": str(int(now.timestamp()))}
    return (Ask("prove_writes", "Due", words),)


def _join(cluster: LedgerCluster, facts: Facts, leading: str) -> tuple[Ask, ...]:
    """One voter at a time, and only while all others are well: two at once could make two majorities."""
    known = replica.config(facts)
    if known is None or not known.committed or any(one.joining for one in known.members):
        return ()
    if len(known.members) >= VOTERS_MOST:
        return ()
    answers = {names.address(cluster, name): one for name, one in facts.members.items()}
    if not all(replica.serves(answers.get(host)) for host in known.hosts):
        return ()
    ready = (
        seat.name
        for seat in replica.seats(cluster, facts)
        if names.address(cluster, seat.name) not in known.hosts and replica.is_empty(facts.members.get(seat.name))
    )
    return tuple(Ask("join", "Missing", {"member": leading, "joins": one}) for one in list(ready)[:1])


def _claims(cluster: LedgerCluster, facts: Facts) -> tuple[Claim, ...]:
    return (writable(cluster, facts), *weak_writes(facts), *_change_pending(cluster, facts))


def _change_pending(cluster: LedgerCluster, facts: Facts) -> tuple[Claim, ...]:
    """What waits for an approved plan: restarts, and fewer members."""
    paths: list[str] = []
    for seat in replica.seats(cluster, facts):
        if names.stateful_set(seat.name) in facts.children:
            found = frozen.pending(children.stateful_set(cluster, seat), _held(cluster, facts, seat))
            paths += [one for one in map(_field, found) if one not in paths]
    claims = frozen.change_pending(tuple(paths), f"MongoDB of {cluster.name}")
    more = checks.undeclared_hosts(cluster, facts)
    if claims or not more:
        return claims
    told = f"{more} votes and is not declared: a vote is never taken away by itself. It keeps running and voting"
    return (Claim("ChangePending", "True", "FewerMembers", told),)


def _field(path: str) -> str:
    """A template's path as the user knows it."""
    images = ("spec.containers[mongod].image", "spec.initContainers[keyfile].image")
    return "version" if path in images else path
