"""The real bitcoind keeps the contracts of the fake one: what the simulation proves is not proven over a dream."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bankstack.clients import bitcoind as client
from bankstack.kinds.coldwallet import config, credentials, rights
from bankstack.kinds.coldwallet.model import Bitcoind
from labkit import paths
from tests.simulation.contracts import CONTRACTS

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
def forwarded(room: Room, pod: str, port: int) -> Iterator[int]:
    """A local port that leads to the pod's."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        local = int(found.getsockname()[1])
    command = [str(paths.kubectl()), "--kubeconfig", str(paths.kubeconfig()), "--context", room.context]
    command += ["-n", room.name, "port-forward", f"pod/{pod}", f"{local}:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _is_open(local), 30, "the port is forwarded")
            yield local
        finally:
            process.terminate()


def _is_open(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


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
