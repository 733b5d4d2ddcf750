"""Redis with Sentinel as an ApiDeployment sees it: passwords by their hashes, a master that Sentinels elect.

Each pod is a Redis and a Sentinel. How a Redis starts is what its start script does:
it asks Sentinels, and becomes what most of them say.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from bankstack.clients.redis import Account, Member, Refused, View
from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment import accounts, names
from bankstack.kinds.apideployment.observe import Doors

from .line import Line
from .pods import Mounts, Process, Software

#: Steps of silence after which Sentinels elect another.
PATIENCE: Final = 3

T = TypeVar("T")


@dataclass(eq=False)
class Disk:
    """A member's volume: Redis' log, and what its Sentinel knows."""

    locks: set[str] | None = None
    master: str = ""
    epoch: int = 0


class SilentError(Exception):
    """No answer came."""


@dataclass(eq=False)
class Server:
    """One run of a pod's Redis and Sentinel. `follows` is itself for a master, nobody before it has started."""

    world: "Redises"
    disk: Disk
    host: str
    members: tuple[str, ...]
    #: By user: hashes that Redis and Sentinel know, and the passwords that they themselves use.
    redis_users: dict[str, str]
    sentinel_users: dict[str, str]
    passwords: dict[str, str]
    run_id: str
    follows: str = ""
    missed: int = 0

    def tick(self) -> bool:
        before = (self.follows, self.missed, self.disk.epoch, self.disk.master, self.disk.locks)
        if not self.follows:
            self._start()
        self._copy()
        self._watch()
        return before != (self.follows, self.missed, self.disk.epoch, self.disk.master, self.disk.locks)

    @property
    def is_master(self) -> bool:
        return self.follows == self.host

    def others(self) -> list["Server"]:
        """Everybody whose Sentinel answers, itself too."""
        found = (self.world.at(host) for host in self.members)
        return [one for one in found if one and admits(one.sentinel_users, "operator", self.passwords["operator"])]

    def replicas(self) -> list["Server"]:
        """Who copies from it now."""
        return [one for one in self.others() if one.is_in_sync and one.follows == self.host and one is not self]

    @property
    def is_in_sync(self) -> bool:
        return self.is_master or self._reachable_master() is not None

    def _start(self) -> None:
        """`start-redis`: a majority says who is master; an empty volume is never one, but the very first time."""
        told = self.others()
        if 2 * len(told) <= len(self.members):
            return
        newest = max(told, key=lambda one: one.disk.epoch).disk
        had_any = any(one.disk.locks is not None for one in told)
        first = len(told) == len(self.members) and newest.epoch == 0 and not had_any
        if newest.master != self.host or self.disk.locks is not None or first:
            self.follows = newest.master
            if first and self.is_master:
                self.disk.locks = set()

    def _reachable_master(self) -> "Server | None":
        master = self.world.at(self.follows) if self.follows else None
        if master is None or not master.is_master:
            return None
        return master if admits(master.redis_users, "replica", self.passwords["replica"]) else None

    def _copy(self) -> None:
        master = None if self.is_master else self._reachable_master()
        if master is not None and master.disk.locks is not None:
            self.disk.locks = set(master.disk.locks)

    def _watch(self) -> None:
        """`sentinel`: a master that is silent for long is replaced by whoever has its log, if most agree."""
        newest = max(self.others(), key=lambda one: one.disk.epoch, default=self).disk
        if newest.epoch > self.disk.epoch:
            # Sentinels tell each other, and make a former master follow.
            self._obey(newest.master, newest.epoch)
        master = self.world.at(self.disk.master)
        self.missed = 0 if master and master.is_master else min(self.missed + 1, PATIENCE)
        voters = [one for one in self.others() if one.missed >= PATIENCE and one.disk.epoch == self.disk.epoch]
        able = [one for one in voters if one.follows and one.disk.locks is not None]
        if 2 * len(voters) <= len(self.members) or not able:
            return
        epoch = self.disk.epoch + 1
        for one in voters:
            one._obey(able[0].host, epoch)  # noqa: SLF001 - of the same class

    def _obey(self, master: str, epoch: int) -> None:
        self.disk.master, self.disk.epoch, self.missed = master, epoch, 0
        self.follows = master if self.follows else ""


class Redises:
    """The program, its volumes by the life of their claim, and how an operator reaches it."""

    component = names.REDIS

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        self.software: Software | None = None
        self._runs = 0

    def start(self, mounted: Mounts) -> Process:
        disk, files = self.disks.setdefault(mounted.claims["data"], Disk()), mounted.secrets["secrets"]
        disk.master = disk.master or mounted.files["config"]["first-master"].split()[3]
        self._runs += 1
        return Server(
            self,
            disk,
            host=f"{mounted.name}.{mounted.namespace}.svc",
            members=tuple(mounted.files["config"]["members"].split()),
            redis_users=hashes(files[accounts.REDIS_ACL]),
            sentinel_users=hashes(files[accounts.SENTINEL_ACL]),
            passwords={user: files[user].decode() for user in accounts.INNER},
            run_id=f"run-{self._runs}",
        )

    def at(self, host: str) -> Server | None:
        """Who runs at a member's name."""
        found = self.software.reach(host) if self.software else None
        return found if isinstance(found, Server) else None

    def doors(self, line: Line) -> Doors:
        """How an operator process reaches them."""
        redis = Visitor(self, line)
        return Doors(redis.member, redis.sentinel, redis.admits)


class Visitor:
    """What `clients.redis` asks."""

    def __init__(self, world: Redises, line: Line) -> None:
        self._world, self._line = world, line

    async def member(self, account: Account) -> Member | Unknown:
        return await self._ask("member", account, self._member)

    async def admits(self, account: Account) -> bool | Unknown:
        answer = await self._ask("admits", account, lambda _: True)
        return False if isinstance(answer, Refused) else answer

    async def sentinel(self, account: Account, master: str) -> View | Unknown:
        assert master == names.MASTER
        return await self._ask("sentinel", account, self._view)

    def _member(self, server: Server) -> Member | Unknown:
        return Member(
            is_master=server.is_master,
            replicas=len(server.replicas()) if server.is_master else 0,
            run_id=server.run_id,
            replication_id=f"of epoch {server.disk.epoch}",
            used_memory=1_000_000,
            policy="noeviction",
            persists=True,
            keys=len(server.disk.locks or ()),
            master_host=None if server.is_master else server.follows,
            in_sync=server.is_in_sync,
        )

    def _view(self, server: Server) -> View | Unknown:
        there, master = server.others(), self._world.at(server.disk.master)
        return View(
            host=server.disk.master,
            port=names.REDIS_PORT,
            epoch=server.disk.epoch,
            is_down=server.missed >= PATIENCE,
            replicas=len(master.replicas()) if master else 0,
            others=len(there) - 1,
            agrees=2 * len(there) > len(server.members),
        )

    async def _ask(self, what: str, account: Account, effect: Callable[[Server], T | Unknown]) -> T | Unknown:
        try:
            return await self._line.call(
                f"redis {what}", lambda _: self._answered(account, effect), lambda _: SilentError()
            )
        except SilentError:
            return Unknown(f"{account.host}:{account.port} gave no answer within 4 s")

    def _answered(self, account: Account, effect: Callable[[Server], T | Unknown]) -> T | Unknown:
        server = self._world.at(account.host)
        if server is None or (account.port == names.REDIS_PORT and not server.follows):
            return Unknown(f"{account.host}:{account.port} takes no connection")
        users = server.redis_users if account.port == names.REDIS_PORT else server.sentinel_users
        if not admits(users, account.username or accounts.DEFAULT, account.password):
            return Refused(f"{account.host}:{account.port} does not let the operator in")
        return effect(server)


def admits(users: dict[str, str], user: str, password: str) -> bool:
    """Whether a server that read these hashes lets one in."""
    return users.get(user) == hashlib.sha256(password.encode()).hexdigest()


def hashes(acl: bytes) -> dict[str, str]:
    """By user, from an ACL file's lines `user NAME reset on #HASH rights`."""
    words = (line.split() for line in acl.decode().splitlines())
    return {one[1]: one[4].removeprefix("#") for one in words if one[:1] == ["user"] and one[2:4] == ["reset", "on"]}
