"""The real ones keep the contracts of the fake ones: what the simulation proves is not proven over a dream."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from bankstack.clients import bitcoind as client
from bankstack.clients import s3
from bankstack.clients.mongo.client import Connect, Login, connect
from bankstack.engine import manifests as made
from bankstack.kinds.apideployment import accounts, names, redis_children
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.model import ManagedRedis
from bankstack.kinds.apideployment.observe import DOORS
from bankstack.kinds.coldwallet import config, credentials, rights
from bankstack.kinds.coldwallet.model import Bitcoind
from bankstack.kinds.ledgercluster import children as ledgers
from bankstack.kinds.ledgercluster import names as of_a_ledger
from labkit import paths
from tests.simulation import mongo_contracts, redis_contracts, store_contracts
from tests.simulation.contracts import CONTRACTS
from tests.unit.kinds.apideployment.given import api
from tests.unit.kinds.ledgercluster.given import ledger

from . import store
from .conftest import IMAGES, Lab, Manifest, Room, eventually

PASSWORD = "contract-password"  # noqa: S105 - of a test


def manifests() -> list[Manifest]:
    """A bitcoind as a ColdWallet would run it, without its ColdWallet."""
    line = credentials.line(rights.OPERATOR, PASSWORD.encode())
    conf = config.text(Bitcoind.model_validate({"version": "29.5", "storage": {"size": "1Gi"}}), "regtest")
    files = {config.FILE: conf, credentials.RPCAUTH: f"rpcauth={line}\n"}
    container = {
        "name": "bitcoind",
        "image": IMAGES["bitcoind"].reference,
        "imagePullPolicy": "Never",
        "command": ["bitcoind", f"-datadir={config.DATA}", f"-conf={config.FOLDER}/{config.FILE}"],
        "readinessProbe": {"tcpSocket": {"port": 18443}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "data", "mountPath": config.DATA},
            {"name": "files", "mountPath": config.FOLDER},
            {"name": "files", "mountPath": config.SECRETS},
        ],
    }
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "files", "configMap": {"name": "bitcoind"}}]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bitcoind"}, "data": files},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "bitcoind"},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
                "containers": [container],
                "volumes": volumes,
            },
        },
    ]


@contextmanager
def forwarded(room: Room, pod: str, port: int, at: str = "127.0.0.1", local: int = 0) -> Iterator[int]:
    """A local port that leads to the pod's: a free one where none is asked for."""
    with socket.socket() as found:
        found.bind((at, local))
        local = int(found.getsockname()[1])
    command = [str(paths.kubectl()), "--kubeconfig", str(paths.kubeconfig()), "--context", room.context]
    command += ["-n", room.name, "port-forward", f"--address={at}", f"pod/{pod}", f"{local}:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _is_open(at, local), 30, "the port is forwarded")
            yield local
        finally:
            process.terminate()


def _is_open(at: str, port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex((at, port)) == 0


async def within(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 120) -> None:
    """`eventually`, of what has to be asked over the network."""
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.5)


def ownerless(manifest: Manifest) -> Manifest:
    """As the operator makes it, but for a resource that nobody declared."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "ownerReferences"}
    return manifest | {"metadata": meta}


def test_the_real_bitcoind_keeps_the_contracts_of_the_fake_one(lab: Lab, room: Room) -> None:
    lab.does("load", "bitcoind")
    room.apply(*manifests())
    room.await_ready("bitcoind", within=180)

    async def asked(port: int) -> None:
        account = client.Account("127.0.0.1", port, rights.OPERATOR, PASSWORD)
        for contract in CONTRACTS:
            await contract(client.connect, account)

    with forwarded(room, "bitcoind", 18443) as port:
        asyncio.run(asked(port))


class RealMongods:
    """`mongo_contracts.Members`: as a LedgerCluster would run them. Each has an address, for its port is always one."""

    eventually = staticmethod(within)

    def __init__(self, room: Room, forwards: ExitStack) -> None:
        self.connect: Connect = connect
        members, image = [{"count": mongo_contracts.FOUNDERS + 1}], IMAGES["mongo"].reference
        declared = ledger(known=None, members=members, tls={"mode": "disabled"}, image=image)
        cluster = replace(declared, namespace=room.name)
        seats = of_a_ledger.seats(cluster)
        self._room, self._names = room, [seat.name for seat in seats]
        self.hosts = tuple(of_a_ledger.address(cluster, seat.name) for seat in seats)
        self.system = Login("__system", "the0keyfile0of0a0contract", "local")
        internal = {"name": of_a_ledger.internal(cluster.name).name, "namespace": room.name}
        room.apply(
            made.secret(internal, {"keyfile": self.system.password.encode()}),
            ownerless(ledgers.service(cluster)),
            *(ledgers.volume(cluster, seat, None) for seat in seats),
            *(ownerless(ledgers.stateful_set(cluster, seat)) for seat in seats),
        )
        eventually(lambda: all(room.lab.has("-n", room.name, f"pod/{one}-0") for one in self._names), 60, "pods")
        room.await_ready(*(f"{one}-0" for one in self._names), within=300)
        for number, one in enumerate(self._names):
            forwards.enter_context(
                forwarded(room, f"{one}-0", of_a_ledger.PORT, self.at(number), local=of_a_ledger.PORT)
            )

    def at(self, number: int) -> str:
        return f"127.0.27.{number + 1}"

    async def stop(self, number: int) -> None:
        self._room.kubectl("scale", f"statefulset/{self._names[number]}", "--replicas=0")
        self._room.kubectl("wait", "--for=delete", f"pod/{self._names[number]}-0", "--timeout=150s", timeout=180)


def test_the_real_mongod_keeps_the_contracts_of_the_fake_one(lab: Lab, room: Room) -> None:
    lab.does("load", "mongo")

    async def asked(members: RealMongods) -> None:
        for contract in mongo_contracts.CONTRACTS:
            await contract(members)

    with ExitStack() as forwards:
        asyncio.run(asked(RealMongods(room, forwards)))


PORTS: Final = (names.REDIS_PORT, names.SENTINEL_PORT)


class RealRedises:
    """`redis_contracts.Members`: as an ApiDeployment would run them, but pods alone: what is stopped stays away."""

    doors = DOORS
    eventually = staticmethod(within)

    def __init__(self, room: Room, forwards: ExitStack) -> None:
        bank = replace(api(), namespace=room.name)
        kept = accounts.Kept({user: f"password-of-{user}".encode() for user in accounts.USERS})
        self.passwords: Mapping[str, str] = {user: known.decode() for user, known in kept.passwords.items()}
        self.hosts = tuple(names.member_host(bank, number) for number in range(redis_contracts.COUNT))
        managed = ManagedRedis(version="8.0", image=IMAGES["redis"].reference)
        around = [ownerless(one) for one in redis_children.wanted(bank, managed, Facts())]
        template = next(one for one in around if one["kind"] == "StatefulSet")["spec"]["template"]
        servers = {"name": names.redis_accounts(bank).name, "namespace": room.name}
        room.apply(
            made.secret(servers, kept.servers()),
            *(one for one in around if one["kind"] in ("ConfigMap", "PersistentVolumeClaim", "Service")),
        )
        self._pods = [_redis_pod(names.member(bank, number), template) for number in range(redis_contracts.COUNT)]
        self._room, self._forwards, self._local = room, forwards, dict[tuple[int, int], int]()
        room.apply(*self._pods)
        for number in range(redis_contracts.COUNT):
            self._reach(number)

    def _reach(self, number: int) -> None:
        name = self._pods[number]["metadata"]["name"]
        self._room.await_ready(name, within=180)
        for port in PORTS:
            self._local[number, port] = self._forwards.enter_context(forwarded(self._room, name, port))

    def at(self, number: int, port: int) -> tuple[str, int]:
        return "127.0.0.1", self._local[number, port]

    async def stop(self, number: int) -> None:
        self._room.kubectl("delete", "pod", self._pods[number]["metadata"]["name"], "--timeout=60s")

    async def start(self, number: int) -> None:
        self._room.apply(self._pods[number])
        self._reach(number)


def _redis_pod(name: str, template: Manifest) -> Manifest:
    """What the StatefulSet's controller would make."""
    labels = template["metadata"]["labels"] | {"statefulset.kubernetes.io/pod-name": name}
    data = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}
    spec = template["spec"] | {"volumes": [*template["spec"]["volumes"], data]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def test_the_real_redis_keeps_the_contracts_of_the_fake_one(lab: Lab, room: Room) -> None:
    lab.does("load", "redis")

    async def asked(members: RealRedises) -> None:
        for contract in redis_contracts.CONTRACTS:
            await contract(members)

    with ExitStack() as forwards:
        asyncio.run(asked(RealRedises(room, forwards)))


def test_the_real_store_keeps_the_contracts_of_the_fake_one(lab: Lab, room: Room) -> None:
    lab.does("load", "s3")
    room.apply(*store.manifests())
    room.await_ready(store.NAME)

    async def asked(port: int) -> None:
        for contract in store_contracts.CONTRACTS:
            await contract(s3.connect, store.account(port))

    with forwarded(room, store.NAME, store.PORT) as port:
        asyncio.run(asked(port))
