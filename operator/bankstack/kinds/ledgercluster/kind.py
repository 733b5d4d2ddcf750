"""The LedgerCluster kind's row in the engine's table: how it sees, decides and acts."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from bankstack.clients.mongo import client
from bankstack.clients.mongo.answers import InSet
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import SECRET, Ref
from bankstack.engine.ports import Kind
from bankstack.kinds.ledgercluster import act, names, replica
from bankstack.kinds.ledgercluster.decide import decide
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.model import RESOURCE, LedgerClusterSpec
from bankstack.kinds.ledgercluster.observe import Doors, observe

DOORS: Final = Doors(client.connect, client.connect_uri)


def kind(doors: Doors = DOORS) -> Kind:
    """The row; `doors` are how MongoDB is reached."""
    return Kind(
        resource=RESOURCE,
        children=names.CHILDREN,
        observe=partial(observe, doors=doors),
        decide=decide,
        act=act.acts(doors.connect),
        references=references,
        gauges=gauges,
    )


def references(spec: LedgerClusterSpec) -> tuple[Ref, ...]:
    """What the ledger waits for."""
    users = [user.secret for database in spec.databases or () for user in database.users or ()]
    external = [spec.external.uri_secret] if spec.external else []
    return tuple(Ref(SECRET, name) for name in (*users, *external))


def gauges(facts: Facts) -> Mapping[str, float]:
    """Numbers that change without anyone acting. One that is not known now is not told."""
    serving = sum(replica.serves(one) for one in facts.members.values())
    found: dict[str, float] = {"bankstack_ledgercluster_members_serving": serving}
    if (leading := replica.leader(facts)) is not None:
        behind = [leading.applied - one.applied for one in facts.members.values() if isinstance(one, InSet)]
        found["bankstack_ledgercluster_term"] = leading.term
        found["bankstack_ledgercluster_lag_seconds"] = max(0, *behind)
    if not isinstance(facts.holdings, Unknown):
        found["bankstack_ledgercluster_weak_writes"] = sum(facts.holdings.weak.values())
        if facts.holdings.canary is not None:
            found["bankstack_ledgercluster_writes_proven_timestamp_seconds"] = facts.holdings.canary.at
    return found
