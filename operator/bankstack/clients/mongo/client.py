"""One mongod, asked directly. It answers or it does not; what follows from that is not decided here.

    async with connect(Door(host, login=login)) as mongo:
        await mongo.look()

Never by way of the driver's own choice of a member: what is asked of one is answered
by that one. A connection lives for one set of questions. Every call ends within
`SECONDS`. A call that brings no answer raises Interrupted: Transient where mongod was
silent or said that it cannot now, Stalled where it does not accept who is asking.
No text of MongoDB's is repeated for commands that carry a password.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bankstack.clients.mongo import reading
from bankstack.clients.mongo.answers import Blank, Canary, Holdings, InSet, Policy, User
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.engine.finding import Policy as Failure

PORT: Final = 27017
SECONDS: Final = 4.0
#: Where the canary sings; nobody else writes there.
OUR_DATABASE: Final = "bankstack"

NOT_YET_INITIALIZED: Final = 94
ALREADY_INITIALIZED: Final = 23
USER_NOT_FOUND: Final = 11
#: Unauthorized, AuthenticationFailed.
REFUSALS: Final = frozenset({13, 18})

Document = dict[str, Any]


@dataclass(frozen=True)
class Login:
    """Who is asking. Without the password in its repr."""

    user: str
    password: str = field(repr=False)
    source: str = "admin"


@dataclass(frozen=True)
class Door:
    """One mongod and how to be let in; `roots` (PEM) where it speaks TLS."""

    host: str
    login: Login
    roots: bytes = b""


class Mongo(Protocol):
    """What the LedgerCluster kind asks of a mongod; the simulation has one of its own."""

    async def look(self) -> InSet | Blank:
        """What it is."""

    async def watched(self) -> Holdings:
        """What a primary tells whoever may look: neither users nor the canary."""

    async def holdings(self) -> Holdings:
        """All that only a primary can tell."""

    async def initiate(self, name: str, hosts: tuple[str, ...]) -> None:
        """Make a replica set of these members; nothing where this one belongs to one already."""

    async def add_voter(self, host: str) -> None:
        """One more member, under an id that no member had before."""

    async def set_policy(self, policy: Policy) -> None:
        """The default for every client that asks for nothing else."""

    async def put_user(self, user: User, password: str) -> None:
        """Make the user, or give it this password and these roles."""

    async def drop_user(self, database: str, name: str) -> None:
        """It may log in no more."""

    async def sing(self, canary: Canary) -> None:
        """Write the canary, acknowledged by a majority's journals, and read it back."""


Connect = Callable[[Door], AbstractAsyncContextManager[Mongo]]
#: A connection string, and authorities (PEM) to trust, empty for the usual ones.
ConnectUri = Callable[[str, bytes], AbstractAsyncContextManager[Mongo]]


@asynccontextmanager
async def connect(door: Door) -> AsyncIterator["Mongod"]:
    """A connection to exactly this mongod."""
    with _trusting(door.roots) as tls:
        login: dict[str, Any] = {
            "username": door.login.user,
            "password": door.login.password,
            "authSource": door.login.source,
        }
        async with AsyncMongoClient[Document](
            door.host,
            PORT,
            directConnection=True,
            authMechanism="SCRAM-SHA-256",
            **login,
            **tls,
            **_bounds(),
        ) as client:
            yield Mongod(client, door.host)


@asynccontextmanager
async def connect_uri(uri: str, roots: bytes) -> AsyncIterator["Mongod"]:
    """The primary of a MongoDB that is run elsewhere."""
    # The driver would take any word for a host's name.
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise _no_uri()
    with _trusting(roots) as tls:
        try:
            client = AsyncMongoClient[Document](uri, **_bounds(), **tls)
        except (InvalidURI, ConfigurationError, ValueError):
            raise _no_uri() from None
        async with client:
            yield Mongod(client, "the external MongoDB")


@contextmanager
def _trusting(roots: bytes) -> Iterator[dict[str, Any]]:
    """Options for these authorities. The driver takes them from files only; they are public."""
    if not roots:
        yield {}
        return
    # In memory: the operator's pod has no disk that it could write to.
    with os.fdopen(os.memfd_create("authorities"), "wb") as file:
        file.write(roots)
        file.flush()
        yield {"tls": True, "tlsCAFile": f"/proc/self/fd/{file.fileno()}"}


class Mongod:
    """A mongod at the other end."""

    def __init__(self, client: AsyncMongoClient[Document], host: str) -> None:
        self._client = client
        self._host = host

    async def look(self) -> InSet | Blank:
        """What it is."""
        build = await self._ask("admin", {"buildInfo": 1})
        status = await self._ask("admin", {"replSetGetStatus": 1}, unless=NOT_YET_INITIALIZED)
        if status is None:
            # listDatabases is refused before a set exists; this counts without reading.
            server = await self._run("admin", {"serverStatus": 1})
            return Blank(reading.collections(server), str(_sure(build)["version"]))
        config = await self._run("admin", {"replSetGetConfig": 1, **_committed(status)})
        return reading.in_set(status, config, str(_sure(build)["version"]))

    async def watched(self) -> Holdings:
        """What a primary tells whoever may look: neither users nor the canary."""
        policy = await self._run("admin", {"getDefaultRWConcern": 1})
        server = await self._run("admin", {"serverStatus": 1})
        listed = await self._run("admin", {"listDatabases": 1, "nameOnly": True})
        return Holdings(
            policy=reading.policy(policy),
            weak=reading.weak_writes(server),
            databases=reading.databases(listed) - {OUR_DATABASE},
        )

    async def holdings(self) -> Holdings:
        """All that only a primary can tell."""
        users = await self._run("admin", {"usersInfo": {"forAllDBs": True}})
        return replace(await self.watched(), users=reading.users(users), canary=await self._canary())

    async def initiate(self, name: str, hosts: tuple[str, ...]) -> None:
        """Make a replica set of these members; nothing where this one belongs to one already."""
        members = [{"_id": place, "host": host} for place, host in enumerate(hosts)]
        config = {"_id": name, "members": members, "writeConcernMajorityJournalDefault": True}
        await self._ask("admin", {"replSetInitiate": config}, unless=ALREADY_INITIALIZED)

    async def add_voter(self, host: str) -> None:
        """One more member, under an id that no member had before."""
        config: Document = (await self._run("admin", {"replSetGetConfig": 1}))["config"]
        if any(one["host"] == host for one in config["members"]):
            return
        fresh = max(one["_id"] for one in config["members"]) + 1
        members = [*config["members"], {"_id": fresh, "host": host}]
        await self._run("admin", {"replSetReconfig": config | {"version": config["version"] + 1, "members": members}})

    async def set_policy(self, policy: Policy) -> None:
        """The default for every client that asks for nothing else."""
        concern = {"w": policy.w, "j": policy.journal, "wtimeout": policy.wtimeout}
        acknowledged = {"w": "majority", "wtimeout": int(SECONDS * 1000)}
        await self._run(
            "admin", {"setDefaultRWConcern": 1, "defaultWriteConcern": concern, "writeConcern": acknowledged}
        )

    async def put_user(self, user: User, password: str) -> None:
        """Make the user, or give it this password and these roles."""
        roles = reading.role_documents(user)
        written = {"pwd": password, "roles": roles, "customData": {reading.MADE_FROM: user.made_from}}
        acknowledged = {"writeConcern": {"w": "majority", "wtimeout": int(SECONDS * 1000)}}
        changed = await self._ask(
            user.database, {"updateUser": user.name, **written, **acknowledged}, unless=USER_NOT_FOUND, secret=True
        )
        if changed is None:
            await self._run(user.database, {"createUser": user.name, **written, **acknowledged}, secret=True)

    async def drop_user(self, database: str, name: str) -> None:
        """It may log in no more."""
        acknowledged = {"writeConcern": {"w": "majority", "wtimeout": int(SECONDS * 1000)}}
        await self._ask(database, {"dropUser": name, **acknowledged}, unless=USER_NOT_FOUND)

    async def sing(self, canary: Canary) -> None:
        """Write the canary, acknowledged by a majority's journals, and read it back."""
        journaled = WriteConcern(w="majority", j=True, wtimeout=int(SECONDS * 1000))
        cage = self._client[OUR_DATABASE].get_collection("canary", write_concern=journaled)
        written = {"term": canary.term, "at": canary.at}
        try:
            await cage.update_one({"_id": "canary"}, {"$set": written}, upsert=True)
        except PyMongoError as error:
            raise _failed(self._host, "write the canary", error) from None
        if await self._canary() != canary:
            told = f"{self._host} does not give back the canary it acknowledged: looked at again"
            raise Interrupted(Finding("CanaryLost", told, Transient()))

    async def _canary(self) -> Canary | None:
        cage = self._client[OUR_DATABASE].get_collection("canary", read_concern=ReadConcern("majority"))
        try:
            found = await cage.find_one({"_id": "canary"})
        except PyMongoError as error:
            raise _failed(self._host, "read the canary", error) from None
        return None if found is None else Canary(int(found.get("term", 0)), int(found.get("at", 0)))

    async def _run(self, database: str, command: Document, *, secret: bool = False) -> Document:
        return _sure(await self._ask(database, command, secret=secret))

    async def _ask(self, database: str, command: Document, *, unless: int = 0, secret: bool = False) -> Document | None:
        """The reply; None where it is the one refusal that is an answer too."""
        try:
            reply: Document = await self._client[database].command(command)
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code == unless:
                return None
            raise _failed(self._host, next(iter(command)), error, secret=secret) from None
        return reply


def _no_uri() -> Interrupted:
    """Without the driver's own words: they quote the URI, and the URI has a password."""
    told = "the Secret's key uri is no connection string of MongoDB's. Correct it"
    return Interrupted(Finding("UriUnusable", told, Stalled()))


def _bounds() -> dict[str, Any]:
    """No question waits longer; no thread keeps asking behind our back more than it must."""
    return {
        "timeoutMS": int(SECONDS * 1000),
        "serverSelectionTimeoutMS": int(SECONDS * 1000) - 1000,
        "connectTimeoutMS": int(SECONDS * 1000) - 1000,
        "maxPoolSize": 2,
        "serverMonitoringMode": "poll",
        "appname": "bankstack",
        "retryWrites": False,
    }


def _committed(status: Document) -> Document:
    """Only a primary knows whether a majority has its configuration."""
    return {"commitmentStatus": True} if status["myState"] == 1 else {}


def _sure(reply: Document | None) -> Document:
    if reply is None:
        raise TypeError("a refusal that was not asked for")
    return reply


def _failed(host: str, what: str, error: PyMongoError, *, secret: bool = False) -> Interrupted:
    policy: Failure = Transient()
    if not isinstance(error, OperationFailure):
        told = f"{host} gives no answer to {what} ({type(error).__name__}): nothing is concluded from that"
        return Interrupted(Finding("MongoSilent", told, policy))
    name = (error.details or {}).get("codeName", error.code)
    if error.code in REFUSALS:
        told = f"{host} does not let the operator {what} ({name})"
        return Interrupted(Finding("MongoRefused", told, Stalled()))
    # The server's own sentence helps with a configuration, and may quote a whole command.
    said = "" if secret else f": {str((error.details or {}).get('errmsg', ''))[:300]}"
    told = f"{host} cannot {what} ({name}{said}): looked at again"
    return Interrupted(Finding("MongoSilent", told, policy))
