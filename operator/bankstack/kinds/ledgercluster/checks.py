"""What must hold of a LedgerCluster, one sentence of policy each (pure)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bankstack.clients.mongo.answers import Blank, Holdings, InSet, Policy, User
from bankstack.engine.finding import Finding, Stalled, Unknown, Waiting
from bankstack.engine.model import seconds
from bankstack.kinds.ledgercluster import children, names, replica, running, sealed
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.model import VOTERS_MOST, LedgerUser
from bankstack.kinds.ledgercluster.subject import LedgerCluster

SOON: Final = 2.0
#: A write is proven anew this often.
CANARY_SECONDS: Final = 60
#: What the operator's own user may do.
OPERATOR_ROLES: Final = frozenset({"clusterManager", "clusterMonitor", "userAdminAnyDatabase", "bankstack.readWrite"})


def pinned_ids_agree(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Volumes and status must be of one and the same replica set."""
    known = replica.pins(cluster, facts)
    if len(set(known.values())) <= 1:
        return None
    listed = ", ".join(f"{where} says {one}" for where, one in known.items())
    return Finding(
        "ReplicaSetConflict",
        f"the parts of {cluster.name} belong to different books: {listed}. Nothing is started or changed. Put back "
        "the volume that is wrong, or give this ledger another name",
        Stalled(),
    )


def replica_set_is_the_pinned_one(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Other books under the same name are never served."""
    known = replica.identity(cluster, facts)
    strangers = {
        name: one.config.replica_set_id
        for name, one in facts.members.items()
        if isinstance(one, InSet) and one.config.replica_set_id != known
    }
    if not strangers:
        return None
    listed = ", ".join(f"{name} is of {one}" for name, one in sorted(strangers.items()))
    return Finding(
        "ReplicaSetChanged",
        f"{cluster.name} is replica set {known}, but {listed}: those are other books. Nothing is changed. Put back "
        "the volumes of the pinned set",
        Stalled(),
    )


def books_are_there(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """A ledger that existed is never begun anew."""
    known = replica.pinned(cluster, facts)
    answers = [facts.members.get(seat.name) for seat in replica.seats(cluster, facts)]
    if known is None or not all(isinstance(one, Blank) for one in answers):
        return None
    return Finding(
        "LedgerEmpty",
        f"{cluster.name} was replica set {known}, and all its members are empty: its books are gone from these "
        "volumes. Nothing is initiated over them. Put back the volumes, or restore a backup",
        Stalled(),
    )


def credentials_are_not_lost(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """A new keyfile would lock out the members that run with the former one."""
    if replica.pinned(cluster, facts) is None:
        return None
    lacking = [one for one in needed_keys(cluster) - facts.sealed.either if not sealed.can_be_made_anew(one)]
    if not lacking:
        return None
    both = f"{names.internal(cluster.name).name} and {names.internal_copy(cluster.name).name}"
    return Finding(
        "CredentialsLost",
        f"Secrets {both} are both without {', '.join(sorted(lacking))}: what runs keeps running, but no member could "
        "start again. Nothing is made anew. Restore one of the two from its backup",
        Stalled(),
    )


def nothing_is_overwritten(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """A member that is to join loses what it has."""
    full = [
        seat.name
        for seat in replica.seats(cluster, facts)
        if isinstance(one := facts.members.get(seat.name), Blank) and one.collections > 0
    ]
    if not full:
        return None
    return Finding(
        "MemberNotEmpty",
        f"{', '.join(full)} belongs to no replica set and has collections: joining would wipe them. Nothing is "
        "initiated or added. Save what is on the volume and give the member an empty one",
        Stalled(),
    )


#: In this order: the first finding wins, and nothing is done while it stands.
OBSTACLES: Final = (
    pinned_ids_agree,
    replica_set_is_the_pinned_one,
    credentials_are_not_lost,
    books_are_there,
    nothing_is_overwritten,
)


def credentials_agree(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Somebody changed one of the two Secrets: which one members have is not guessed."""
    if not facts.sealed.differ:
        return None
    keys = ", ".join(sorted(facts.sealed.differ))
    mounted, copy = names.internal(cluster.name).name, names.internal_copy(cluster.name).name
    return Finding(
        "CredentialsDiffer",
        f"Secrets {mounted} and {copy} differ in {keys}: what runs keeps running, but a member that starts "
        f"now may not be let in by the others. Put back {mounted}, or delete the one that was changed",
        Stalled(),
    )


def volumes_are_there(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """An empty disk under a known voter has forgotten what it acknowledged."""
    lost = [
        seat.name
        for seat in replica.seats(cluster, facts)
        if not replica.may_have_volume(cluster, facts, seat.name)
        or "deletionTimestamp" in (facts.children.get(names.volume(seat.name)) or {"metadata": {}})["metadata"]
    ]
    if not lost:
        return None
    claims = ", ".join(names.volume(member).name for member in lost)
    return Finding(
        "VolumeLost",
        f"volume {claims} is gone or being deleted: an empty one under a known member could vote away payments that "
        "it has forgotten, so none is made. The other members keep the books. Bring the volume back under its name",
        Stalled(),
    )


def no_arbiter_votes(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Whoever votes must have the data."""
    known = replica.config(facts)
    arbiters = [one.host for one in known.members if one.arbiter] if known else []
    if not arbiters:
        return None
    return Finding(
        "ArbiterVotes",
        f"{', '.join(arbiters)} votes in {cluster.name} without data: a majority may have acknowledged a payment that "
        "no living member has. Remove it (rs.remove) and add a member with data",
        Stalled(),
    )


def a_majority_is_journaled(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Else `majority` would be true of memory only."""
    known = replica.config(facts)
    if known is None or known.journals_majority:
        return None
    return Finding(
        "JournalOff",
        f"{cluster.name} has writeConcernMajorityJournalDefault: false: payments acknowledged by a majority may be "
        "lost with the power. Set it to true with a reconfiguration",
        Stalled(),
    )


def user_secrets_are_there(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """No user is made without its password."""
    missing = [user.secret for _, user in users(cluster) if user.secret not in facts.user_secrets and not user.create]
    if missing:
        told = f"Secret {missing[0]} is not there: its user cannot be made, what runs keeps running. Make it, with "
        return Finding("UserSecretMissing", f"{told}key password, or set create: true", Waiting(30.0))
    empty = [name for name, one in sorted(facts.user_secrets.items()) if not one.has_password]
    if not empty:
        return None
    told = f"Secret {empty[0]} has no key password: its user cannot be made or changed. Add it"
    return Finding("UserSecretIncomplete", told, Waiting(30.0))


def members_serve(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """All of them, for each that is missing is one failure less that can be borne."""
    if replica.config(facts) is None and replica.pinned(cluster, facts) is None:
        return None
    return running.first_that_does_not_serve(cluster, facts)


def replica_set_is_initiated(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Once, when all are there and empty."""
    if replica.config(facts) is not None or replica.pinned(cluster, facts) is not None:
        return None
    blank = all(replica.is_empty(facts.members.get(seat.name)) for seat in replica.seats(cluster, facts))
    if not blank:
        return running.first_that_does_not_answer(cluster, facts)
    return Finding("Initiating", f"the members of {cluster.name} are empty and become a replica set", Waiting(SOON))


def there_is_a_primary(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Without one nothing can be written."""
    if replica.primary(facts) is not None:
        return None
    return Finding(
        "NoPrimary",
        f"{cluster.name} has no primary: payments wait until the members have elected one, seconds as a rule. What "
        "was acknowledged is safe. The operator does not force it",
        Waiting(SOON),
    )


def every_member_votes(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """One is added at a time, and votes once it has all data."""
    known = replica.config(facts)
    if known is None:
        return None
    absent = [
        seat.name for seat in replica.seats(cluster, facts) if names.address(cluster, seat.name) not in known.hosts
    ]
    joining = [one.host for one in known.members if one.joining]
    if not absent and not joining:
        return None
    if not joining and len(known.members) >= VOTERS_MOST:
        told = (
            f"{absent[0]} cannot join: {cluster.name} has all {VOTERS_MOST} votes that MongoDB counts. The books are "
        )
        return Finding(
            "VotesTaken",
            f"{told}kept. Declare the members that vote now, {undeclared_hosts(cluster, facts)}",
            Stalled(),
        )
    return Finding("Joining", f"{(joining or absent)[0]} joins {cluster.name}, one at a time", Waiting(SOON))


def policy_is_kept(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """The default write concern is what the spec says."""
    if isinstance(facts.holdings, Unknown):
        told = f"the primary of {cluster.name} does not tell: {facts.holdings.reason}. Looked at again"
        return Finding("PrimarySilent", told, Waiting(5.0))
    if facts.holdings.policy == policy(cluster):
        return None
    return Finding(
        "WriteConcernChanged",
        f"the default write concern of {cluster.name} is not majority and journaled: clients that do not ask for more "
        "could lose acknowledged payments. It is being set",
        Waiting(SOON),
    )


def users_are_made(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Each with the password of its Secret."""
    if isinstance(facts.holdings, Unknown) or not unmade(cluster, facts, facts.holdings):
        return None
    first = unmade(cluster, facts, facts.holdings)[0]
    return Finding("MakingUsers", f"user {first.name} of {first.database} is being made or changed", Waiting(SOON))


def writes_are_proven(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """In this term a majority has journaled a write, and it was read back."""
    if is_proven(facts):
        return None
    told = f"no write of this term was acknowledged by a majority of {cluster.name} and read back yet"
    return Finding("ProvingWrites", told, Waiting(SOON))


#: What is short of the spec, in the order a ledger comes up; the rest goes on.
SHORTFALLS: Final = (
    volumes_are_there,
    no_arbiter_votes,
    a_majority_is_journaled,
    credentials_agree,
    replica_set_is_initiated,
    there_is_a_primary,
    policy_is_kept,
    writes_are_proven,
    members_serve,
    every_member_votes,
    user_secrets_are_there,
    users_are_made,
)


def needed_keys(cluster: LedgerCluster) -> frozenset[str]:
    """What both Secrets with credentials must have."""
    made = (user.secret for _, user in users(cluster) if user.create)
    return sealed.needed(tls=children.speaks_tls(cluster), made=made)


def undeclared_hosts(cluster: LedgerCluster, facts: Facts) -> str:
    """Who votes and is not declared, as a list to read."""
    known = replica.config(facts)
    wanted = {names.address(cluster, seat.name) for seat in names.seats(cluster)}
    return ", ".join(sorted(known.hosts - wanted)) if known else ""


def policy(cluster: LedgerCluster) -> Policy:
    """The wanted default."""
    asked = cluster.spec.write_concern.wtimeout
    milliseconds = seconds(asked) * 1000 if asked else 0
    return Policy("majority", journal=True, wtimeout=milliseconds)


def users(cluster: LedgerCluster) -> Iterable[tuple[str, LedgerUser]]:
    """Every declared user with its database."""
    return [(database.name, user) for database in cluster.spec.databases or () for user in database.users or ()]


def unmade(cluster: LedgerCluster, facts: Facts, holdings: Holdings) -> tuple[User, ...]:
    """Declared users whose password is at hand and who are not as declared."""
    there = {(one.database, one.name): one for one in holdings.users}
    return tuple(
        wanted
        for database, user in users(cluster)
        if (secret := facts.user_secrets.get(user.secret)) and secret.has_password
        if (wanted := User(database, user.name, frozenset(user.roles), secret.version))
        != there.get((database, user.name))
    )


def undeclared(cluster: LedgerCluster, holdings: Holdings) -> tuple[User, ...]:
    """Users that we made and nobody declares any more."""
    declared = {(database, user.name) for database, user in users(cluster)} | {("admin", names.OPERATOR)}
    return tuple(
        one for one in holdings.users if one.made_from is not None and (one.database, one.name) not in declared
    )


def is_proven(facts: Facts) -> bool:
    """Whether the canary of this term was read back."""
    first = replica.leader(facts)
    known = facts.holdings.canary if isinstance(facts.holdings, Holdings) else None
    return first is not None and known is not None and known.term == first.term


def canary_is_due(facts: Facts, now: datetime) -> bool:
    """Whether a write has to be proven anew."""
    known = facts.holdings.canary if isinstance(facts.holdings, Holdings) else None
    return not is_proven(facts) or known is None or now.timestamp() - known.at >= CANARY_SECONDS
