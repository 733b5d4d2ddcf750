"""What the members' answers say together (pure): who leads, which set it is, who is behind."""

from typing import Final

from bankstack.clients.mongo.answers import Blank, Config, InSet, State
from bankstack.engine.objects import annotation
from bankstack.kinds.ledgercluster import names
from bankstack.kinds.ledgercluster.facts import Answer, Facts
from bankstack.kinds.ledgercluster.names import Seat
from bankstack.kinds.ledgercluster.subject import LedgerCluster

CURRENT_SECONDS, BEHIND_SECONDS = 10, 300
SERVING: Final = (State.PRIMARY, State.SECONDARY)


def pins(cluster: LedgerCluster, facts: Facts) -> dict[str, str]:
    """Where a replica set's id is written down, and which."""
    places = (*names.seats(cluster), *names.kept(cluster, facts.children))
    claims = {seat.name: facts.children.get(names.volume(seat.name)) for seat in places}
    written = {"status.replicaSetId": cluster.status.replica_set_id} | {
        f"volume {names.volume(member).name}": annotation(claim, names.REPLICA_SET)
        for member, claim in claims.items()
        if claim
    }
    return {where: one for where, one in written.items() if one}


def pinned(cluster: LedgerCluster, facts: Facts) -> str | None:
    """The replica set that this ledger is, None where it never was one."""
    return next(iter(pins(cluster, facts).values()), None)


def identity(cluster: LedgerCluster, facts: Facts) -> str | None:
    """The pinned id, else the one seen now."""
    seen = config(facts)
    return pinned(cluster, facts) or (seen.replica_set_id if seen else None)


def seats(cluster: LedgerCluster, facts: Facts) -> tuple[Seat, ...]:
    """Every member that is to run: the declared ones, and those that still vote though they are not declared."""
    known = config(facts)
    voting = (
        seat
        for seat in names.kept(cluster, facts.children)
        if known is None or names.address(cluster, seat.name) in known.hosts
    )
    return (*names.seats(cluster), *voting)


def primary(facts: Facts) -> str | None:
    """The member that takes writes. One of a former term may not know yet that it was replaced."""
    leading = {
        name: one.term for name, one in facts.members.items() if isinstance(one, InSet) and one.state == State.PRIMARY
    }
    return max(leading, key=lambda name: leading[name], default=None)


def is_primary(answer: Answer | None) -> bool:
    """Whether it says that it leads."""
    return isinstance(answer, InSet) and answer.state == State.PRIMARY


def serves(answer: Answer | None) -> bool:
    """Whether it has all data and takes part."""
    return isinstance(answer, InSet) and answer.state in SERVING


def leader(facts: Facts) -> InSet | None:
    """What the primary says."""
    found = facts.members.get(primary(facts) or "")
    return found if isinstance(found, InSet) else None


def config(facts: Facts) -> Config | None:
    """The newest configuration that any member has."""
    told = [(one.term, one.config.version, name) for name, one in facts.members.items() if isinstance(one, InSet)]
    if not told:
        return None
    newest = facts.members[max(told)[2]]
    return newest.config if isinstance(newest, InSet) else None


def lag(facts: Facts, answer: Answer) -> str:
    """How far behind the primary, coarsely: a number would change the status all the time."""
    first = leader(facts)
    if first is None or not isinstance(answer, InSet) or not answer.applied:
        return "Unknown"
    behind = first.applied - answer.applied
    if behind <= CURRENT_SECONDS:
        return "Current"
    return "Behind" if behind <= BEHIND_SECONDS else "FarBehind"


def is_empty(answer: Answer | None) -> bool:
    """Whether it is known to hold nothing: replSetInitiate itself does not ask, and would wipe it."""
    return isinstance(answer, Blank) and answer.collections == 0


def may_have_volume(cluster: LedgerCluster, facts: Facts, member: str) -> bool:
    """Whether an empty volume may be made for a member, or one is there."""
    if names.volume(member) in facts.children or pinned(cluster, facts) is None:
        return True
    known = config(facts)
    return known is not None and names.address(cluster, member) not in known.hosts
