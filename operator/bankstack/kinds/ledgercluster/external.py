"""A MongoDB that is run elsewhere (pure): looked at and told of, never changed."""

from typing import Final

from bankstack.clients.mongo.answers import InSet, State
from bankstack.engine.decision import Decision
from bankstack.engine.finding import Finding, Stalled, Transient, Unknown, Waiting, first
from bankstack.kinds.ledgercluster import checks, replica
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.model import LedgerClusterStatus, MemberStatus
from bankstack.kinds.ledgercluster.subject import LedgerCluster
from bankstack.kinds.ledgercluster.summary import effective, weak_writes

#: The name under which its answer is kept; it has no seats of ours.
NAME: Final = "external"
LOOK_AGAIN: Final = 15.0


def watch(cluster: LedgerCluster, facts: Facts) -> Decision:
    """What to say; there is nothing to do."""
    status = _status(cluster, facts)
    if cluster.deleting:
        return Decision(status, released=True)
    return Decision(status, finding=first(CHECKS, cluster, facts), claims=weak_writes(facts), look_again=LOOK_AGAIN)


def _status(cluster: LedgerCluster, facts: Facts) -> LedgerClusterStatus:
    last, found = cluster.status, facts.members.get(NAME)
    if not isinstance(found, InSet):
        return last.model_copy(update={"primary": None})
    applied = max((one.applied for one in found.peers), default=0)
    members = [
        MemberStatus.model_validate({"name": one.host, "state": one.state.value, "lag": _lag(applied - one.applied)})
        for one in found.peers
    ]
    return LedgerClusterStatus(
        replica_set_id=last.replica_set_id or found.config.replica_set_id,
        version=found.version,
        primary=next((one.host for one in found.peers if one.state == State.PRIMARY), None),
        term=found.term,
        members=members,
        write_concern=last.write_concern if isinstance(facts.holdings, Unknown) else effective(facts.holdings.policy),
    )


def _lag(behind: int) -> str:
    if behind <= replica.CURRENT_SECONDS:
        return "Current"
    return "Behind" if behind <= replica.BEHIND_SECONDS else "FarBehind"


def _uri_is_there(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    if facts.uri or cluster.spec.external is None:
        return None
    told = f"Secret {cluster.spec.external.uri_secret} with key uri is not there: the ledger cannot be watched. Make it"
    return Finding("UriMissing", told, Waiting(30.0))


def _it_answers(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    found = facts.members.get(NAME)
    if isinstance(found, InSet):
        return None
    if isinstance(found, Unknown):
        told = (
            f"the external MongoDB of {cluster.name} does not answer ({found.reason}): nothing is concluded from that"
        )
        return Finding("ExternalSilent", told, Transient())
    told = f"the MongoDB of {cluster.name} is no replica set: with one machine the books would be lost. Make it one"
    return Finding("NoReplicaSet", told, Stalled())


def _it_asks_for_a_majority(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    if isinstance(facts.holdings, Unknown):
        told = f"the external MongoDB of {cluster.name} does not tell its default: {facts.holdings.reason}"
        return Finding("PrimarySilent", told, Transient())
    if facts.holdings.policy.w == "majority":
        return None
    return Finding(
        "WriteConcernWeak",
        f"the default write concern of {cluster.name}'s MongoDB is w:{facts.holdings.policy.w}: a failover may take "
        "back acknowledged payments. It is not ours to change: set majority with setDefaultRWConcern",
        Stalled(),
    )


CHECKS: Final = (
    _uri_is_there,
    _it_answers,
    checks.replica_set_is_the_pinned_one,
    checks.no_arbiter_votes,
    checks.a_majority_is_journaled,
    _it_asks_for_a_majority,
)
