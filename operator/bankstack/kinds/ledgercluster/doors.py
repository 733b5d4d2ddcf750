"""Who the operator is to a member: its own user, or, before there is one, a member by the keyfile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bankstack.clients.mongo.client import Door, Login
from bankstack.kinds.ledgercluster import children, names, sealed
from bankstack.kinds.ledgercluster.subject import LedgerCluster


@dataclass(frozen=True)
class Keys:
    """What opens a member. Without a repr: it would show them."""

    password: str = field(repr=False)
    keyfile: str = field(repr=False)
    roots: bytes = field(repr=False)


def keys(files: Mapping[str, bytes]) -> Keys | None:
    """From what is sealed; None where it is not all there."""
    password, keyfile = files.get(sealed.PASSWORD), files.get(sealed.KEYFILE)
    if not password or not keyfile:
        return None
    # MongoDB ignores white space in a keyfile; as a password it would count.
    return Keys(password.decode(), "".join(keyfile.decode().split()), files.get(sealed.AUTHORITY, b""))


def operators_door(cluster: LedgerCluster, member: str, known: Keys) -> Door:
    """As the operator's own user."""
    return Door(names.host(cluster, member), Login(names.OPERATOR, known.password), _roots(cluster, known))


def systems_door(cluster: LedgerCluster, member: str, known: Keys) -> Door:
    """As a member: for what must be done before the operator's user exists, or to make it."""
    return Door(names.host(cluster, member), Login("__system", known.keyfile, "local"), _roots(cluster, known))


def _roots(cluster: LedgerCluster, known: Keys) -> bytes:
    return known.roots if children.speaks_tls(cluster) else b""
