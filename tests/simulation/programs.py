"""The bank's own programs as their kubelet sees them: well while they can log in to the ledger and to Redis.

With what they were started with: a password that was changed meanwhile is not theirs.
"""

from bankstack.engine.objects import Manifest
from bankstack.kinds.apideployment.environment import LEDGER_FOLDER

from .mongod import PORT, Mongods
from .pods import Mounts, Process, Software
from .redis import Redises, admits


class Run:
    """One run of a program."""

    def __init__(self, world: "Programs", mounted: Mounts) -> None:
        self._world = world
        self._environment = {key: content.decode() for key, content in mounted.environment.items()}
        self._authority = mounted.files.get("bankstack-ledger", {}).get("ca.crt", "").encode()
        self.well = False

    def tick(self) -> bool:
        before, self.well = self.well, self._logs_in_to_the_ledger() and self._logs_in_to_redis()
        return before != self.well

    def _logs_in_to_the_ledger(self) -> bool:
        told = self._environment
        if f"{LEDGER_FOLDER}/ca.crt" not in told["MONGODB_CON"]:
            return False
        for address in told["MONGODB_ADDRESS"].split(","):
            mongod = self._world.mongods.at(address.removesuffix(f":{PORT}"))
            books = mongod.disk.books if mongod and mongod.authority == self._authority else None
            if books and self._world.mongods.primary(books) == address:
                return books.passwords.get(("galoy", told["MONGODB_USER"])) == told["MONGODB_PASSWORD"]
        return False

    def _logs_in_to_redis(self) -> bool:
        told = self._environment
        sentinel = next(filter(None, (self._world.redises.at(told[f"REDIS_{one}_DNS"]) for one in range(3))), None)
        master = self._world.redises.at(sentinel.disk.master) if sentinel else None
        return master is not None and master.is_master and admits(master.redis_users, "default", told["REDIS_PASSWORD"])


class Program:
    """One component."""

    def __init__(self, world: "Programs", component: str) -> None:
        self._world, self.component = world, component

    def start(self, mounted: Mounts) -> Process:
        return Run(self._world, mounted)


class Programs:
    """All components of the sample bank."""

    def __init__(self, mongods: Mongods, redises: Redises, *components: str) -> None:
        self.mongods, self.redises = mongods, redises
        self.software: Software | None = None
        self.all = tuple(Program(self, one) for one in components)

    def healthy(self, pod: Manifest) -> bool:
        """What the readiness probe of a pod finds; pods of other software are always well."""
        if pod["metadata"]["labels"].get("app.kubernetes.io/name") not in {one.component for one in self.all}:
            return True
        run = self.software.of(pod) if self.software else None
        return isinstance(run, Run) and run.well
