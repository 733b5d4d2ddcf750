"""What the objects of a LedgerCluster are called, and the words written on them (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bankstack.engine.objects import (
    AROUND_A_STATEFUL_SET,
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    STATEFUL_SET,
    Manifest,
    Ref,
    annotation,
)
from bankstack.kinds.ledgercluster.subject import LedgerCluster

COMPONENT: Final = "mongod"
PORT: Final = 27017

#: On a member's claim: the replica set whose data it holds. Whoever finds it there knows the books exist.
REPLICA_SET: Final = "bankstack.io/replica-set"

#: The operator's user in MongoDB.
OPERATOR: Final = "bankstack"

CHILDREN: Final = AROUND_A_STATEFUL_SET


@dataclass(frozen=True, order=True)
class Seat:
    """One member's place: it keeps its name, and so its host, for as long as it has its data."""

    name: str
    region: str


def seats(cluster: LedgerCluster) -> tuple[Seat, ...]:
    """Every member that the spec wants, in its order."""
    return tuple(
        Seat(f"{cluster.name}-{group.region}-{number}" if group.region else f"{cluster.name}-{number}", group.region)
        for group in cluster.spec.members or ()
        for number in range(group.count)
    )


def kept(cluster: LedgerCluster, children: Mapping[Ref, Manifest]) -> tuple[Seat, ...]:
    """Members that the spec no longer names and whose volumes hold its books: they may still vote."""
    declared = {volume(seat.name) for seat in seats(cluster)}
    marked = (
        ref.name.removesuffix("-data")
        for ref, claim in sorted(children.items())
        if ref.type == PERSISTENT_VOLUME_CLAIM and ref not in declared and annotation(claim, REPLICA_SET)
    )
    return tuple(Seat(name, name.removeprefix(f"{cluster.name}-").rpartition("-")[0]) for name in marked)


def domain(cluster: LedgerCluster) -> str:
    """What the hosts of all members end in."""
    return f"{cluster.name}.{cluster.namespace}.svc"


def host(cluster: LedgerCluster, member: str) -> str:
    """Where a member is, for the operator, for clients and for the other members."""
    return f"{member}-0.{domain(cluster)}"


def address(cluster: LedgerCluster, member: str) -> str:
    """The same as the set's configuration has it."""
    return f"{host(cluster, member)}:{PORT}"


def certificate_names(cluster: LedgerCluster) -> tuple[str, ...]:
    """Every DNS name that clients may reach a member by."""
    ends = domain(cluster)
    return (f"*.{ends}", f"*.{ends}.cluster.local", f"*.{cluster.name}", ends, "localhost")


def stateful_set(member: str) -> Ref:
    """A member."""
    return Ref(STATEFUL_SET, member)


def pod(member: str) -> Ref:
    """The member's only pod."""
    return Ref(POD, f"{member}-0")


def volume(member: str) -> Ref:
    """The claim of a member's data."""
    return Ref(PERSISTENT_VOLUME_CLAIM, f"{member}-data")


def internal(name: str) -> Ref:
    """Keyfile, certificate and the operator's password, as members mount them."""
    return Ref(SECRET, f"{name}-internal")


def internal_copy(name: str) -> Ref:
    """The same once more: whichever is lost comes back from the other."""
    return Ref(SECRET, f"{name}-internal-copy")


def authority(name: str) -> Ref:
    """Whom clients have to trust."""
    return Ref(CONFIG_MAP, f"{name}-ca")
