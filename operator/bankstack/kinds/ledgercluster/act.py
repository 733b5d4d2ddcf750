"""The only writes around a LedgerCluster that are more than a manifest: credentials, and MongoDB itself.

Each may be repeated after a crash at any line. What is made from chance is written
down before anything is started with it, and what exists is never made anew.
"""

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bankstack.clients.mongo.answers import Blank, Canary, User
from bankstack.clients.mongo.client import Connect, Mongo
from bankstack.engine import manifests, signing
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.live import all_ours, at_version
from bankstack.engine.objects import SECRET, Ref, annotation
from bankstack.engine.ports import Act, Cluster, Reader
from bankstack.kinds.ledgercluster import checks, children, names, sealed
from bankstack.kinds.ledgercluster.doors import Keys, keys, operators_door, systems_door
from bankstack.kinds.ledgercluster.observe import version
from bankstack.kinds.ledgercluster.subject import LedgerCluster

#: Random bytes of a password, before base64; of a keyfile, a multiple of three: no padding.
PASSWORD_BYTES, KEYFILE_BYTES = 24, 378
OPERATOR: Final = User("admin", names.OPERATOR, checks.OPERATOR_ROLES, made_from="internal")


def acts(connect: Connect) -> dict[str, Act]:
    """The kind's own actions, by the names that Ask has."""
    return {
        "keep_credentials": keep_credentials,
        "make_user_secret": make_user_secret,
        "initiate": partial(initiate, connect=connect),
        "admit_operator": partial(admit_operator, connect=connect),
        "set_policy": partial(set_policy, connect=connect),
        "put_user": partial(put_user, connect=connect),
        "drop_user": partial(drop_user, connect=connect),
        "prove_writes": partial(prove_writes, connect=connect),
        "join": partial(join, connect=connect),
    }


async def keep_credentials(cluster: LedgerCluster, _ask: Ask, world: Cluster) -> None:
    """Both Secrets with everything: from each other first, made only where neither has it."""
    places = (names.internal(cluster.name), names.internal_copy(cluster.name))
    found = await all_ours(places, cluster, world)
    files = [manifests.opened(one) if one else {} for one in found]
    whole = _complete(sealed.joined(files[0], files[1]), cluster)
    for place, live, there in zip(places, found, files, strict=True):
        written = {key: there.get(key) or content for key, content in whole.items()}
        manifest = manifests.secret(manifests.retained(cluster, names.COMPONENT, place.name), written)
        if live is None:
            # Only where none is: another operator may just have made it, with another keyfile.
            if await world.create(manifest, cluster.namespace) is None:
                raise Interrupted(Finding("SecretMade", f"{place} was just made: looked at again", Transient()))
        elif written != there:
            await world.apply(at_version(manifest, live), cluster.namespace)


def _complete(files: Mapping[str, bytes], cluster: LedgerCluster) -> dict[str, bytes]:
    """With what neither Secret has."""
    made = dict(files)
    made.setdefault(sealed.KEYFILE, base64.b64encode(secrets.token_bytes(KEYFILE_BYTES)))
    for key in filter(sealed.can_be_made_anew, checks.needed_keys(cluster)):
        made.setdefault(key, _password())
    if not children.speaks_tls(cluster):
        return made
    now = datetime.now(UTC)
    if not (made.get(sealed.AUTHORITY) and made.get(sealed.AUTHORITY_KEY)):
        fresh = signing.make_authority(f"bankstack {cluster.namespace}/{cluster.name}", now)
        made |= {sealed.AUTHORITY: fresh.certificate, sealed.AUTHORITY_KEY: fresh.key}
        made.pop(sealed.CERTIFICATE, None)
    if sealed.CERTIFICATE not in made:
        authority = signing.Pair(made[sealed.AUTHORITY], made[sealed.AUTHORITY_KEY])
        hosts = names.certificate_names(cluster)
        # As long as the authority: changing either needs a restart of every member. Members call each other.
        issued = signing.issue(authority, hosts, now, signing.AUTHORITY_LIFE, calls=True)
        # In one PEM, as mongod takes it.
        made[sealed.CERTIFICATE] = issued.certificate + issued.key
    return made


async def make_user_secret(cluster: LedgerCluster, ask: Ask, world: Cluster) -> None:
    """A Secret with the password kept for a database user; one that is there is left alone."""
    database, user = ask.words["database"], ask.words["user"]
    # Kept, not drawn anew: one that was deleted comes back as it was, and nobody is logged out.
    password = (await _sealed(cluster, world)).get(f"{sealed.USER}{ask.words['secret']}")
    if not password:
        raise _changed(f"{names.internal(cluster.name)} has no password for it yet")
    hosts = ",".join(names.address(cluster, seat.name) for seat in names.seats(cluster))
    tls = "&tls=true" if children.speaks_tls(cluster) else ""
    uri = f"mongodb://{user}:{password.decode()}@{hosts}/{database}?replicaSet={cluster.name}{tls}"
    files = {"username": user.encode(), "password": password, "database": database.encode(), "uri": uri.encode()}
    meta = manifests.retained(cluster, names.COMPONENT, ask.words["secret"])
    await world.create(manifests.secret(meta, files), cluster.namespace)


async def initiate(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """Make the replica set. Looked at once more: every member must be empty, and no volume marked."""
    known = await _keys(cluster, world)
    seats = names.seats(cluster)
    for seat in seats:
        claim = await world.get(names.volume(seat.name), cluster.namespace)
        if claim is None or annotation(claim, names.REPLICA_SET):
            raise _changed(f"volume {names.volume(seat.name).name} is not a new one any more")
        async with connect(systems_door(cluster, seat.name, known)) as mongo:
            await _must_be_empty(mongo, seat.name)
    async with connect(systems_door(cluster, ask.words["member"], known)) as mongo:
        await mongo.initiate(cluster.name, tuple(names.address(cluster, seat.name) for seat in seats))


async def admit_operator(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """The operator's own user, with what it needs and no more."""
    known = await _keys(cluster, world)
    async with connect(systems_door(cluster, ask.words["member"], known)) as mongo:
        await mongo.put_user(OPERATOR, known.password)


async def set_policy(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """The default write concern as the spec has it."""
    async with connect(operators_door(cluster, ask.words["member"], await _keys(cluster, world))) as mongo:
        await mongo.set_policy(checks.policy(cluster))


async def put_user(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """A database user with the password of its Secret, as it is now."""
    secret = await world.get(Ref(SECRET, ask.words["secret"]), cluster.namespace)
    password = manifests.opened(secret).get("password", b"").decode() if secret else ""
    if secret is None or not password:
        raise _changed(f"Secret {ask.words['secret']} has no password any more")
    roles = frozenset(ask.words["roles"].split())
    user = User(ask.words["database"], ask.words["user"], roles, made_from=version(secret))
    async with connect(operators_door(cluster, ask.words["member"], await _keys(cluster, world))) as mongo:
        await mongo.put_user(user, password)


async def drop_user(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """A user that nobody declares any more."""
    async with connect(operators_door(cluster, ask.words["member"], await _keys(cluster, world))) as mongo:
        await mongo.drop_user(ask.words["database"], ask.words["user"])


async def prove_writes(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """A write that a majority journals, read back."""
    async with connect(operators_door(cluster, ask.words["member"], await _keys(cluster, world))) as mongo:
        await mongo.sing(Canary(int(ask.words["term"]), int(ask.words["at"])))


async def join(cluster: LedgerCluster, ask: Ask, world: Cluster, connect: Connect) -> None:
    """One more voter. Looked at once more: it must be empty."""
    known = await _keys(cluster, world)
    async with connect(systems_door(cluster, ask.words["joins"], known)) as mongo:
        await _must_be_empty(mongo, ask.words["joins"])
    async with connect(operators_door(cluster, ask.words["member"], known)) as mongo:
        await mongo.add_voter(names.address(cluster, ask.words["joins"]))


async def _must_be_empty(mongo: Mongo, member: str) -> None:
    """ReplSetInitiate and replSetReconfig do not ask: measured, a member with data was taken in and wiped."""
    found = await mongo.look()
    if not isinstance(found, Blank) or found.collections > 0:
        raise _changed(f"{member} is not empty any more")


def _changed(told: str) -> Interrupted:
    return Interrupted(Finding("ChangedMeanwhile", f"{told}: looked at anew", Transient()))


def _password() -> bytes:
    return secrets.token_urlsafe(PASSWORD_BYTES).encode()


async def _sealed(cluster: LedgerCluster, reader: Reader) -> dict[str, bytes]:
    places = (names.internal(cluster.name), names.internal_copy(cluster.name))
    found = await all_ours(places, cluster, reader)
    files = [manifests.opened(one) if one else {} for one in found]
    return sealed.joined(files[0], files[1])


async def _keys(cluster: LedgerCluster, reader: Reader) -> Keys:
    known = keys(await _sealed(cluster, reader))
    if known is None:
        raise _changed(f"{names.internal(cluster.name)} is gone again")
    return known
