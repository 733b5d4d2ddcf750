"""MongoDB as a LedgerCluster sees it: members on volumes, passwords that are checked, a majority that elects.

A set that is initiated wipes what its members had, as the real one does; what was ever
wiped is remembered.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from tests.simulation.apiserver import ApiServer, Key
from tests.simulation.line import Line
from tests.simulation.pods import Mounts, Process, Software

from bankstack.clients.mongo.answers import Blank, Canary, Config, Holdings, InSet, Policy, State, User, Voter
from bankstack.clients.mongo.client import Connect, Door, Mongo
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.engine.objects import POD

VERSION = "6.0.27"
IMPLICIT = Policy("majority", journal=False, chosen=False)

T = TypeVar("T")


@dataclass
class Books:
    """What a replica set keeps: the same on every member."""

    id: str
    config: Config
    term: int = 1
    policy: Policy = IMPLICIT
    passwords: dict[tuple[str, str], str] = field(default_factory=dict)
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    canary: Canary | None = None
    weak: dict[str, int] = field(default_factory=dict)
    databases: set[str] = field(default_factory=set)


@dataclass
class Disk:
    """A member's volume."""

    books: Books | None = None
    collections: int = 0


class Mongod:
    """One run of mongod."""

    def __init__(self, disk: Disk, mounted: Mounts) -> None:
        self.disk = disk
        self.keyfile = mounted.secrets["secrets"]["keyfile"].decode()
        self.certificate = mounted.secrets["secrets"].get("tls.pem", b"")
        self.authority = mounted.secrets["secrets"].get("ca.crt", b"")

    def tick(self) -> bool:
        return False


class Mongods:
    """The program, its volumes by the life of their claim, and how an operator reaches it."""

    component = "mongod"

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        self._software, self._runs = Software(self), dict[str, Mongod]()
        self._server: ApiServer | None = None
        self.wiped = 0
        self.made: list[Books] = []
        #: Hosts that do not answer anybody.
        self.cut_off: set[str] = set()

    def start(self, mounted: Mounts) -> Process:
        run = Mongod(self.disks.setdefault(mounted.claims["data"], Disk()), mounted)
        self._runs[mounted.pod] = run
        return run

    def tick(self, server: ApiServer) -> bool:
        """What `World` calls outside."""
        self._server = server
        return self._software.tick(server)

    def restart(self) -> None:
        """Every mongod dies and comes back with what is mounted now."""
        self._software.restart()

    def at(self, address: str) -> Mongod | None:
        """Who runs at a member's host."""
        name, _, namespace = address.removesuffix(".svc").split(".")
        found = self._server.get(Key(POD, namespace, name)) if self._server else None
        if found is None or address in self.cut_off or found.get("status", {}).get("phase") != "Running":
            return None
        return self._runs.get(found["metadata"]["uid"])

    def primary(self, books: Books) -> str | None:
        """The first that runs, where most do."""
        running = [one.host for one in books.config.members if self._holds(one.host, books)]
        return running[0] if 2 * len(running) > len(books.config.members) else None

    def _holds(self, host: str, books: Books) -> bool:
        found = self.at(host.partition(":")[0])
        return found is not None and found.disk.books is books

    def connect(self, line: Line) -> Connect:
        @asynccontextmanager
        async def connected(door: Door) -> AsyncIterator[Mongo]:
            yield Visitor(self, line, door)

        return connected


class Visitor:
    """One connection: `clients.mongo.client.Mongo`."""

    def __init__(self, world: Mongods, line: Line, door: Door) -> None:
        self._world, self._line, self._door = world, line, door

    async def look(self) -> InSet | Blank:
        return await self._ask("look", self._look)

    def _look(self, mongod: Mongod) -> InSet | Blank:
        books = mongod.disk.books
        if books is None:
            return Blank(mongod.disk.collections, VERSION)
        leads = self._world.primary(books) == f"{self._door.host}:27017"
        return InSet(State.PRIMARY if leads else State.SECONDARY, books.term, 1000, books.config, VERSION)

    async def watched(self) -> Holdings:
        return await self.holdings()

    async def holdings(self) -> Holdings:
        return await self._ask("holdings", lambda mongod: self._holdings(self._books(mongod)))

    def _holdings(self, books: Books) -> Holdings:
        users = tuple(books.users.values())
        return Holdings(books.policy, users, books.canary, dict(books.weak), frozenset(books.databases))

    async def initiate(self, name: str, hosts: tuple[str, ...]) -> None:
        del name
        await self._ask("initiate", lambda mongod: self._initiate(mongod, hosts))

    def _initiate(self, mongod: Mongod, hosts: tuple[str, ...]) -> None:
        if mongod.disk.books is not None:
            return
        identity = f"{len(self._world.made) + 1:024x}"
        voters = tuple(Voter(place, host) for place, host in enumerate(hosts))
        books = Books(identity, Config(identity, 1, voters))
        self._world.made.append(books)
        for host in hosts:
            self._take_in(host, books)

    def _take_in(self, host: str, books: Books) -> None:
        member = self._world.at(host.partition(":")[0])
        if member is None:
            raise silent("a member does not answer")
        self._world.wiped += member.disk.collections
        member.disk.books, member.disk.collections = books, 0

    async def add_voter(self, host: str) -> None:
        def add(mongod: Mongod) -> None:
            books = self._books(mongod)
            if host not in books.config.hosts:
                fresh = Voter(max(one.id for one in books.config.members) + 1, host)
                members = (*books.config.members, fresh)
                books.config = replace(books.config, version=books.config.version + 1, members=members)
                self._take_in(host, books)

        await self._ask("add_voter", add)

    async def set_policy(self, policy: Policy) -> None:
        await self._ask("set_policy", lambda mongod: setattr(self._books(mongod), "policy", policy))

    async def put_user(self, user: User, password: str) -> None:
        def put(mongod: Mongod) -> None:
            books, key = self._books(mongod), (user.database, user.name)
            books.users[key], books.passwords[key] = user, password

        await self._ask("put_user", put)

    async def drop_user(self, database: str, name: str) -> None:
        await self._ask("drop_user", lambda mongod: self._books(mongod).users.pop((database, name), None))

    async def sing(self, canary: Canary) -> None:
        await self._ask("sing", lambda mongod: setattr(self._books(mongod), "canary", canary))

    def _books(self, mongod: Mongod) -> Books:
        books = mongod.disk.books
        if books is None or self._world.primary(books) != f"{self._door.host}:27017":
            raise silent("not primary")
        return books

    async def _ask(self, method: str, effect: Callable[[Mongod], T]) -> T:
        return await self._line.call(f"mongo {method}", lambda _: effect(self._let_in()), lambda _: silent("timeout"))

    def _let_in(self) -> Mongod:
        mongod, login = self._world.at(self._door.host), self._door.login
        if mongod is None:
            raise silent("connection refused")
        if mongod.authority != self._door.roots:
            raise silent("certificate signed by unknown authority")
        if (login.user, login.password) == ("__system", mongod.keyfile):
            return mongod
        books = mongod.disk.books
        if books is None or books.passwords.get((login.source, login.user)) != login.password:
            raise Interrupted(Finding("MongoRefused", "Authentication failed", Stalled()))
        return mongod


def silent(told: str) -> Interrupted:
    return Interrupted(Finding("MongoSilent", told, Transient()))
