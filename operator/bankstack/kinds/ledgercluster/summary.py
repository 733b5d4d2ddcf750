"""What is said of a LedgerCluster (pure): its status and the conditions of its own."""

from bankstack.clients.mongo.answers import InSet, Policy
from bankstack.engine.conditions import Claim
from bankstack.engine.finding import Unknown
from bankstack.kinds.ledgercluster import checks, children, names, replica
from bankstack.kinds.ledgercluster.facts import Answer, Facts
from bankstack.kinds.ledgercluster.model import EffectivePolicy, Endpoint, LedgerClusterStatus, MemberStatus
from bankstack.kinds.ledgercluster.subject import LedgerCluster


def summary(cluster: LedgerCluster, facts: Facts, *, settled: bool) -> LedgerClusterStatus:
    """The kind's own fields. Only an id that nothing contradicts is written down: it can never be changed again."""
    last, first = cluster.status, replica.leader(facts)
    known = last.replica_set_id or (replica.identity(cluster, facts) if settled else None)
    return LedgerClusterStatus(
        replica_set_id=known,
        version=first.version if first else last.version,
        primary=replica.primary(facts),
        term=first.term if first else last.term,
        members=[_member(seat, facts) for seat in replica.seats(cluster, facts)],
        write_concern=last.write_concern if isinstance(facts.holdings, Unknown) else effective(facts.holdings.policy),
        endpoint=_endpoint(cluster, facts) if known else None,
    )


def effective(policy: Policy) -> EffectivePolicy:
    """The policy as status has it."""
    return EffectivePolicy(w=policy.w, journal=policy.journal, wtimeout_milliseconds=policy.wtimeout or None)


def state(answer: Answer | None) -> str:
    """What a member says of itself, in a word."""
    if answer is None or isinstance(answer, Unknown):
        return "Unknown"
    return answer.state.value if isinstance(answer, InSet) else "Empty"


def writable(cluster: LedgerCluster, facts: Facts) -> Claim:
    """What the bank's API waits for."""
    if checks.is_proven(facts):
        told = "a majority journals writes, and gives them back: proven in this term, and again every minute"
        return Claim("Writable", "True", "Proven", told)
    if replica.primary(facts) is None:
        return Claim("Writable", "Unknown", "NoPrimary", f"no member of {cluster.name} says that it is primary")
    if isinstance(facts.holdings, Unknown):
        return Claim("Writable", "Unknown", "PrimarySilent", f"the primary does not tell: {facts.holdings.reason}")
    return Claim("Writable", "False", "NotProven", "no write of this term was acknowledged by a majority yet")


def weak_writes(facts: Facts) -> tuple[Claim, ...]:
    """Whether clients ask for less: theirs wins over the default, and nobody else can tell."""
    if isinstance(facts.holdings, Unknown):
        return (Claim("WriteConcernKept", "Unknown", "PrimarySilent", "the primary does not tell"),)
    if not facts.holdings.weak:
        told = "since the primary started, no client asked for less than a majority"
        return (Claim("WriteConcernKept", "True", "Kept", told),)
    # Which, not how many: the number is a metric.
    listed = ", ".join(sorted(facts.holdings.weak))
    told = (
        f"since the primary started, clients asked for less than a majority themselves ({listed}): a failover may "
        "take such writes back although they were acknowledged. medici without sessions is known to. Find the client, "
        "or check the books after each failover"
    )
    return (Claim("WriteConcernKept", "False", "ClientsAskForLess", told),)


def _member(seat: names.Seat, facts: Facts) -> MemberStatus:
    answer = facts.members.get(seat.name, Unknown("it was not asked"))
    return MemberStatus.model_validate(
        {"name": seat.name, "region": seat.region or None, "state": state(answer), "lag": replica.lag(facts, answer)}
    )


def _endpoint(cluster: LedgerCluster, facts: Facts) -> Endpoint:
    """Where clients find it. While no primary says who belongs to the set, what was said last stands."""
    last = cluster.status.endpoint
    if last is not None and replica.primary(facts) is None:
        # The API's pods are rolled when it changes: never over a guess, onto a ledger that takes no entries.
        return last
    tls = children.speaks_tls(cluster)
    return Endpoint(
        hosts=[names.address(cluster, seat.name) for seat in replica.seats(cluster, facts)],
        replica_set=cluster.name,
        tls=tls,
        ca_config_map=names.authority(cluster.name).name if tls else None,
    )
