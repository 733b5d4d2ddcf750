"""mongod as a LedgerCluster sees it: members on volumes, passwords that are checked, a majority that elects.

A set that is initiated wipes what its members had, as the real one does. What the
operator may never have done is remembered in `wrongs`, whatever became of it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from bankstack.clients.mongo.answers import Blank, Canary, Config, Holdings, InSet, Policy, State, User, Voter
from bankstack.clients.mongo.client import Connect, Door, Mongo
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.kinds.ledgercluster.observe import Doors

from .line import Line
from .pods import Mounts, Process, Software

VERSION: Final = "6.0.27"
PORT: Final = 27017
#: Looks that the first copy of all data takes: some passes of an operator.
COPYING: Final = 12
#: What MongoDB itself chooses for three voters that have data.
IMPLICIT: Final = Policy("majority", journal=False, chosen=False)
#: The role that each question needs; a member itself, by the keyfile, needs none.
NEEDS: Final = {
    "look": "clusterMonitor",
    "holdings": "userAdminAnyDatabase",
    "add_voter": "clusterManager",
    "set_policy": "clusterManager",
    "put_user": "userAdminAnyDatabase",
    "drop_user": "userAdminAnyDatabase",
    "sing": "bankstack.readWrite",
}

T = TypeVar("T")


@dataclass(eq=False)
class Books:
    """What a replica set keeps: the same on every member. `leader` is whom its members elected last."""

    id: str
    config: Config
    term: int = 0
    leader: str | None = None
    policy: Policy = IMPLICIT
    passwords: dict[tuple[str, str], str] = field(default_factory=dict)
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    canary: Canary | None = None
    weak: dict[str, int] = field(default_factory=dict)
    databases: set[str] = field(default_factory=set)
    #: So many more looks until a newly added member has all data.
    copying: int = 0


@dataclass(eq=False)
class Disk:
    """A member's volume."""

    books: Books | None = None
    collections: int = 0


class Mongod:
    """One run of mongod."""

    def __init__(self, world: "Mongods", disk: Disk, mounted: Mounts) -> None:
        files = mounted.secrets["secrets"]
        self._world, self.disk = world, disk
        self.keyfile = "".join(files["keyfile"].decode().split())
        self.authority = files.get("ca.crt", b"")
        self.trusted = not self.authority or _is_issued(files.get("tls.pem", b""), self.authority)
        # Its log is played back first.
        self.state = State.STARTUP2

    def tick(self) -> bool:
        books = self.disk.books
        if books is None:
            return False
        return self._world.elect(books) or self._catch_up(books)

    def _catch_up(self, books: Books) -> bool:
        if self.state == State.SECONDARY or self._world.primary(books) is None or books.copying:
            return False
        self.state = State.SECONDARY
        self._world.has_caught_up(self, books)
        return True


class Mongods:
    """The program, its volumes by the life of their claim, and how an operator reaches it."""

    component = "mongod"

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        self.software: Software | None = None
        self.made: list[Books] = []
        #: Hosts that do not answer anybody.
        self.cut_off: set[str] = set()
        self.wrongs: list[str] = []

    def start(self, mounted: Mounts) -> Process:
        return Mongod(self, self.disks.setdefault(mounted.claims["data"], Disk()), mounted)

    def at(self, host: str) -> Mongod | None:
        """Who runs at a member's host."""
        found = self.software.reach(host) if self.software and host not in self.cut_off else None
        return found if isinstance(found, Mongod) and found.trusted else None

    def together(self, books: Books) -> list[str]:
        """The voters that see each other, where they are most of them: those with one keyfile."""
        voters = [one.host for one in books.config.members if one.votes and not one.joining]
        runs = {host: found for host in voters if (found := self._member(host, books))}
        keyfile, count = next(iter(Counter(one.keyfile for one in runs.values()).most_common(1)), ("", 0))
        return [host for host, one in runs.items() if one.keyfile == keyfile] if 2 * count > len(voters) else []

    def primary(self, books: Books) -> str | None:
        """Whom a majority follows now."""
        return books.leader if books.leader in self.together(books) else None

    def elect(self, books: Books) -> bool:
        """Another leader where the last one is gone and most are there; whether there is one."""
        able = self.together(books)
        if books.leader in able or not able:
            return False
        books.leader, books.term = able[0], books.term + 1
        return True

    def has_caught_up(self, mongod: Mongod, books: Books) -> None:
        """A newly added member gets its vote."""
        here = [one.host for one in books.config.members if self._member(one.host, books) is mongod]
        members = tuple(replace(one, joining=one.joining and one.host not in here) for one in books.config.members)
        books.config = replace(books.config, members=members)

    def _member(self, host: str, books: Books) -> Mongod | None:
        found = self.at(host.removesuffix(f":{PORT}"))
        return found if found is not None and found.disk.books is books else None

    def initiate(self, mongod: Mongod, hosts: tuple[str, ...]) -> None:
        """`replSetInitiate`: all have to answer, and nobody asks what they have."""
        if mongod.disk.books is not None:
            return
        members = [self._newcomer(host, mongod.keyfile) for host in hosts]
        identity = f"{len(self.made) + 1:024x}"
        voters = tuple(Voter(place, host) for place, host in enumerate(hosts))
        books = Books(identity, Config(identity, 1, voters))
        self.made.append(books)
        for member in members:
            self._take_in(member, books)

    def add(self, mongod: Mongod, books: Books, host: str) -> None:
        """`replSetReconfig` with one member more."""
        if host in books.config.hosts:
            return
        if any(one.joining for one in books.config.members):
            self.wrongs.append(f"{host} joins while another does")
        member = self._newcomer(host, mongod.keyfile)
        fresh = Voter(max(one.id for one in books.config.members) + 1, host, joining=True)
        changed = (*books.config.members, fresh)
        books.config = replace(books.config, version=books.config.version + 1, members=changed)
        books.copying = COPYING
        self._take_in(member, books)

    def _newcomer(self, host: str, keyfile: str) -> Mongod:
        member = self.at(host.removesuffix(f":{PORT}"))
        if member is None or member.keyfile != keyfile or member.disk.books is not None:
            raise silent(f"{host} does not answer, or is of another set")
        return member

    def _take_in(self, member: Mongod, books: Books) -> None:
        if member.disk.collections:
            self.wrongs.append(f"{member.disk.collections} collections are wiped")
        member.disk.books, member.disk.collections, member.state = books, 0, State.STARTUP2

    def doors(self, line: Line) -> Doors:
        """How an operator process reaches them; nobody runs a MongoDB elsewhere."""

        @asynccontextmanager
        async def connected_uri(_uri: str, _roots: bytes) -> AsyncIterator[Mongo]:
            raise silent("nobody is there")
            yield

        return Doors(self.connect(line), connected_uri)

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
        books.copying = max(0, books.copying - 1)
        leads = self._world.primary(books) == f"{self._door.host}:{PORT}"
        return InSet(State.PRIMARY if leads else mongod.state, books.term, 1000, books.config, VERSION)

    async def watched(self) -> Holdings:
        return replace(await self.holdings(), users=(), canary=None)

    async def holdings(self) -> Holdings:
        return await self._ask("holdings", lambda mongod: self._holdings(self._books(mongod)))

    def _holdings(self, books: Books) -> Holdings:
        users = tuple(books.users.values())
        return Holdings(books.policy, users, books.canary, dict(books.weak), frozenset(books.databases))

    async def initiate(self, name: str, hosts: tuple[str, ...]) -> None:
        del name
        await self._ask("initiate", lambda mongod: self._world.initiate(mongod, hosts))

    async def add_voter(self, host: str) -> None:
        await self._ask("add_voter", lambda mongod: self._world.add(mongod, self._books(mongod), host))

    async def set_policy(self, policy: Policy) -> None:
        if policy.w != "majority" or not policy.journal:
            self._world.wrongs.append(f"the default write concern is weakened to {policy}")
        await self._ask("set_policy", lambda mongod: setattr(self._books(mongod), "policy", policy))

    async def put_user(self, user: User, password: str) -> None:
        def put(mongod: Mongod) -> None:
            books, key = self._books(mongod), (user.database, user.name)
            books.users[key], books.passwords[key] = user, password

        await self._ask("put_user", put)

    async def drop_user(self, database: str, name: str) -> None:
        def drop(mongod: Mongod) -> None:
            books = self._books(mongod)
            books.users.pop((database, name), None)
            books.passwords.pop((database, name), None)

        await self._ask("drop_user", drop)

    async def sing(self, canary: Canary) -> None:
        await self._ask("sing", lambda mongod: setattr(self._books(mongod), "canary", canary))

    def _books(self, mongod: Mongod) -> Books:
        books = mongod.disk.books
        if books is None or self._world.primary(books) != f"{self._door.host}:{PORT}":
            raise silent("not primary")
        return books

    async def _ask(self, method: str, effect: Callable[[Mongod], T]) -> T:
        return await self._line.call(
            f"mongo {method}", lambda _: effect(self._let_in(method)), lambda _: silent("timeout")
        )

    def _let_in(self, method: str) -> Mongod:
        mongod, login = self._world.at(self._door.host), self._door.login
        if mongod is None:
            raise silent("connection refused")
        if mongod.authority != self._door.roots:
            raise silent("certificate signed by unknown authority")
        if (login.user, login.password, login.source) == ("__system", mongod.keyfile, "local"):
            return mongod
        books, user = mongod.disk.books, (login.source, login.user)
        if books is None or books.passwords.get(user) != login.password:
            raise refused("Authentication failed")
        if NEEDS.get(method) not in books.users[user].roles:
            raise refused(f"not authorized to {method}")
        return mongod


def _is_issued(pem: bytes, authority: bytes) -> bool:
    """Whether others would trust a member with this certificate; without one mongod does not even start."""
    try:
        shown = x509.load_pem_x509_certificate(pem)
        shown.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def silent(told: str) -> Interrupted:
    return Interrupted(Finding("MongoSilent", told, Transient()))


def refused(told: str) -> Interrupted:
    return Interrupted(Finding("MongoRefused", told, Stalled()))
