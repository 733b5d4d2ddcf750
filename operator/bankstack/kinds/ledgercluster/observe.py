"""What is true of a LedgerCluster now. Reads only; every question ends within seconds, all at once.

Secrets end here: what goes on is which keys they have, never what is in them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bankstack.clients.mongo.answers import Blank, Holdings, InSet
from bankstack.clients.mongo.client import Connect, ConnectUri, Door, Mongo
from bankstack.engine import manifests
from bankstack.engine.finding import Interrupted, Stalled, Unknown
from bankstack.engine.objects import OWNER_LABEL, PERSISTENT_VOLUME_CLAIM, SECRET, Manifest, Ref, by_ref, uid
from bankstack.engine.ports import Reader
from bankstack.kinds.ledgercluster import checks, external, names, replica, sealed
from bankstack.kinds.ledgercluster.doors import Keys, keys, operators_door, systems_door
from bankstack.kinds.ledgercluster.facts import NOT_ASKED, Answer, Facts, UserSecret
from bankstack.kinds.ledgercluster.names import Seat
from bankstack.kinds.ledgercluster.subject import LedgerCluster

#: Found by their owner label; volumes by their names, for one that lost its labels is still the volume.
LISTED: Final = tuple(one for one in names.CHILDREN if one != PERSISTENT_VOLUME_CLAIM)


@dataclass(frozen=True)
class Doors:
    """How MongoDB is reached: injected, so that a simulation can stand in for it."""

    connect: Connect
    connect_uri: ConnectUri


@dataclass(frozen=True)
class _Visit:
    """What one member said."""

    answer: Answer
    holdings: Holdings | Unknown = field(default=NOT_ASKED)
    admitted: bool | Unknown = field(default=NOT_ASKED)


async def observe(cluster: LedgerCluster, reader: Reader, doors: Doors) -> Facts:
    """Everything decide may know."""
    if cluster.spec.external is not None:
        return await _external(cluster, reader, doors)
    live, found = await asyncio.gather(_children(cluster, reader), _user_secrets(cluster, reader))
    mounted, copy = (_files(live.get(one(cluster.name))) for one in (names.internal, names.internal_copy))
    known = keys(sealed.joined(mounted, copy))
    children = {ref: one for ref, one in live.items() if ref.type != SECRET}
    seats = (*names.seats(cluster), *names.kept(cluster, children))
    visits = await asyncio.gather(*(_visit(cluster, children, seat, doors, known) for seat in seats))
    facts = Facts(
        children=children,
        secrets={ref: uid(one) for ref, one in live.items() if ref.type == SECRET},
        sealed=sealed.shown(mounted, copy),
        user_secrets=found,
        members={seat.name: visit.answer for seat, visit in zip(seats, visits, strict=True)},
    )
    leading = replica.primary(facts)
    told = next((visit for seat, visit in zip(seats, visits, strict=True) if seat.name == leading), None)
    return facts if told is None else _with(facts, told)


def _with(facts: Facts, told: _Visit) -> Facts:
    return Facts(
        facts.children,
        facts.secrets,
        facts.sealed,
        facts.user_secrets,
        facts.members,
        told.holdings,
        told.admitted,
    )


async def _children(cluster: LedgerCluster, reader: Reader) -> dict[Ref, Manifest]:
    lists = asyncio.gather(*(reader.list(of, cluster.namespace, {OWNER_LABEL: cluster.owner}) for of in LISTED))
    claims = asyncio.gather(
        reader.list(PERSISTENT_VOLUME_CLAIM, cluster.namespace, {OWNER_LABEL: cluster.owner}),
        *(_one(names.volume(seat.name), cluster, reader) for seat in names.seats(cluster)),
    )
    return by_ref(one for found in (*await claims, *await lists) for one in found)


async def _one(ref: Ref, cluster: LedgerCluster, reader: Reader) -> tuple[Manifest, ...]:
    found = await reader.get(ref, cluster.namespace)
    return () if found is None else (found,)


async def _user_secrets(cluster: LedgerCluster, reader: Reader) -> dict[str, UserSecret]:
    wanted = sorted({user.secret for _, user in checks.users(cluster)})
    found = await asyncio.gather(*(reader.get(Ref(SECRET, name), cluster.namespace) for name in wanted))
    return {
        name: UserSecret(version(one), has_password=bool(_files(one).get("password")))
        for name, one in zip(wanted, found, strict=True)
        if one is not None
    }


def version(secret: Manifest) -> str:
    """Which life and which edition of a Secret: changes whenever its content may have."""
    return f"{uid(secret)}/{secret['metadata']['resourceVersion']}"


async def _visit(
    cluster: LedgerCluster, children: Mapping[Ref, Manifest], seat: Seat, doors: Doors, known: Keys | None
) -> _Visit:
    pod = children.get(names.pod(seat.name))
    if pod is None or not pod.get("status", {}).get("podIP"):
        return _Visit(Unknown("its pod does not run"))
    if known is None:
        return _Visit(Unknown("the operator has no credentials for it"))
    first = await _through(operators_door(cluster, seat.name, known), doors)
    if first.admitted is not False:
        return first
    # A member without a set knows no user; only members themselves, by the keyfile.
    second = await _through(systems_door(cluster, seat.name, known), doors)
    if second.admitted is False:
        return _Visit(Unknown("it accepts neither the operator's password nor the keyfile"))
    return _Visit(second.answer, second.holdings, admitted=False)


async def _through(door: Door, doors: Doors) -> _Visit:
    """Ask a member; `admitted` is False where it refuses who is asking."""
    try:
        async with doors.connect(door) as mongo:
            return await _asked(mongo, mongo.holdings)
    except Interrupted as stop:
        return _Visit(Unknown(stop.finding.message), admitted=not isinstance(stop.finding.policy, Stalled))


async def _asked(mongo: Mongo, holdings: Callable[[], Awaitable[Holdings]]) -> _Visit:
    answer: InSet | Blank = await mongo.look()
    if not replica.is_primary(answer):
        return _Visit(answer, admitted=True)
    try:
        return _Visit(answer, await holdings(), admitted=True)
    except Interrupted as stop:
        refused = isinstance(stop.finding.policy, Stalled)
        return _Visit(answer, Unknown(stop.finding.message), admitted=not refused)


async def _external(cluster: LedgerCluster, reader: Reader, doors: Doors) -> Facts:
    found = await reader.get(
        Ref(SECRET, str(cluster.spec.external and cluster.spec.external.uri_secret)), cluster.namespace
    )
    files = _files(found)
    uri = files.get("uri", b"").decode("utf-8", "replace").strip()
    if not uri:
        return Facts()
    try:
        async with doors.connect_uri(uri, files.get("ca.crt", b"")) as mongo:
            visit = await _asked(mongo, mongo.watched)
    except Interrupted as stop:
        visit = _Visit(Unknown(stop.finding.message))
    return Facts(members={external.NAME: visit.answer}, holdings=visit.holdings, uri=True)


def _files(secret: Manifest | None) -> dict[str, bytes]:
    return manifests.opened(secret) if secret else {}
