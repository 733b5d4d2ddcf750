"""The fakes keep the contracts that the real ones are held to in tests/cluster/test_fakes_are_honest.py."""

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from bankstack.clients import bitcoind as client
from bankstack.clients import s3
from bankstack.clients.mongo.client import Login
from bankstack.kinds.apideployment import accounts, names, redis_conf
from bankstack.kinds.coldwallet import config, credentials, rights
from bankstack.kinds.coldwallet.model import Bitcoind
from tests.unit.kinds.apideployment.given import api

from . import mongo_contracts, redis_contracts, store_contracts
from .bitcoind import Bitcoinds
from .contracts import CONTRACTS
from .faults import Calls
from .line import Line
from .mongod import PORT, Mongods
from .pods import Mounts, Process, Program, Software
from .redis import Redises
from .store import ACCESS_KEY, BUCKET, SECRET_KEY, Stores

PASSWORD = "contract-password"  # noqa: S105 - of a test


class Hosts:
    """Stands in for Software: one program that runs at these hosts."""

    def __init__(self, program: Program, mounted: Mapping[str, Mounts]) -> None:
        self._program, self._mounted = program, mounted
        self._running = {host: program.start(one) for host, one in mounted.items()}

    def reach(self, host: str) -> Process | None:
        return self._running.get(host)

    def stops(self, host: str) -> None:
        del self._running[host]

    def starts(self, host: str) -> None:
        self._running[host] = self._program.start(self._mounted[host])

    async def eventually(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        for _ in range(50):
            if await holds():
                return
            for process in self._running.values():
                process.tick()
        raise AssertionError(f"never: {what}")


def mounts(name: str, secrets: Mapping[str, bytes], files: Mapping[str, str]) -> Mounts:
    """A pod with a volume, a Secret and a configuration."""
    return Mounts(
        pod=name, namespace="bank", claims={"data": name}, environment={}, name=name,
        secrets={"secrets": secrets, "rpcauth": secrets}, files={"config": files},
    )  # fmt: skip


async def test_the_fake_bitcoind_is_honest() -> None:
    line = credentials.line(rights.OPERATOR, PASSWORD.encode())
    conf = config.text(Bitcoind.model_validate({"version": "29.5", "storage": {"size": "1Gi"}}), "regtest")
    mounted = mounts("p", {credentials.RPCAUTH: f"rpcauth={line}\n".encode()}, {config.FILE: conf})
    bitcoinds = Bitcoinds()
    bitcoinds.software = cast("Software", Hosts(bitcoinds, {"bitcoind": mounted}))
    account = client.Account("bitcoind", 18443, rights.OPERATOR, PASSWORD)
    for contract in CONTRACTS:
        await contract(bitcoinds.connect(Line(Calls())), account)


class FakeMongods:
    """`mongo_contracts.Members`."""

    def __init__(self) -> None:
        here = [f"m{number}" for number in range(mongo_contracts.FOUNDERS + 1)]
        self.hosts = tuple(f"{host}:{PORT}" for host in here)
        self.system = Login("__system", "thekeyfile", "local")
        mongods = Mongods()
        self._run = Hosts(mongods, {host: mounts(host, {"keyfile": b"the keyfile\n"}, {}) for host in here})
        mongods.software = cast("Software", self._run)
        self.connect, self.eventually = mongods.connect(Line(Calls())), self._run.eventually

    def at(self, number: int) -> str:
        return self.hosts[number].removesuffix(f":{PORT}")

    async def stop(self, number: int) -> None:
        self._run.stops(self.at(number))


async def test_the_fake_mongod_is_honest() -> None:
    members = FakeMongods()
    for contract in mongo_contracts.CONTRACTS:
        await contract(members)


class FakeRedises:
    """`redis_contracts.Members`."""

    def __init__(self) -> None:
        kept = accounts.Kept({user: f"password of {user}".encode() for user in accounts.USERS})
        self.passwords: Mapping[str, str] = {user: known.decode() for user, known in kept.passwords.items()}
        self.hosts = tuple(names.member_host(api(), number) for number in range(redis_contracts.COUNT))
        files, redises = redis_conf.files(api(), redis_contracts.COUNT), Redises()
        self._run = Hosts(redises, {host: mounts(host.partition(".")[0], kept.servers(), files) for host in self.hosts})
        redises.software = cast("Software", self._run)
        self.doors, self.eventually = redises.doors(Line(Calls())), self._run.eventually

    def at(self, number: int, port: int) -> tuple[str, int]:
        return self.hosts[number], port

    async def stop(self, number: int) -> None:
        self._run.stops(self.hosts[number])

    async def start(self, number: int) -> None:
        self._run.starts(self.hosts[number])


async def test_the_fake_redis_is_honest() -> None:
    members = FakeRedises()
    for contract in redis_contracts.CONTRACTS:
        await contract(members)


async def test_the_fake_store_is_honest() -> None:
    account = s3.Account("http://store", "us-east-1", BUCKET, ACCESS_KEY, SECRET_KEY)
    connect = Stores().connect(Line(Calls()))
    for contract in store_contracts.CONTRACTS:
        await contract(connect, account)
