"""The sample bank moves money under load, dies at every call, and its books stay right; what is planted is found."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import IMAGES, Lab, Manifest, Room, eventually

BUILD = Path(__file__).parents[2] / "hack" / "bank-api" / "build"
IMAGE = "bankstack/bank-api:dev"
CHAIN = ("-regtest", "-datadir=/data/bitcoind", "-rpcuser=stand", "-rpcpassword=regtest-only")
ZMQ = {"zmqpubrawblock": "tcp://127.0.0.1:28332", "zmqpubrawtx": "tcp://127.0.0.1:28333"}
#: Each node's peer and RPC port; all of them share one pod.
NODES = {"lnd1": (9735, 10009), "lnd2": (9736, 10010), "outside": (9737, 10011)}
CHANNEL_SAT = 15_000_000
PORTS = {"api": 4002, "trigger": 8888}
#: `hack/test soak` asks for what the bank promises; two cores that run the other stories too bear less.
IS_FULL = bool(os.environ.get("BANK_LOAD_FULL"))
RATE = ("--intraledger", "20", "--lightning", "5") if IS_FULL else ("--intraledger", "5", "--lightning", "2")
CALM_SECONDS, KILLED_SECONDS = ("180", "180") if IS_FULL else ("20", "30")
STEP = "1" if IS_FULL else "4"
#: Seconds until a payment that LND never heard of is certain: the invoice's end and a margin for clocks.
CERTAIN = 200
SEED_REPLICA_SET = """
import mongoose from "mongoose";
const { db } = await mongoose.createConnection("mongodb://stand/?directConnection=true").asPromise();
await db.admin().command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "stand:27017" }] } });
process.exit(0);
"""


@dataclass
class Stand:
    """All that a bank stands on in one pod, and its API, trigger and load beside it."""

    room: Room

    def cli(self, *words: str) -> str:
        return self._inside("bitcoind", "bitcoin-cli", *CHAIN, *words)

    def _inside(self, container: str, *command: str) -> str:
        return self.room.kubectl("exec", "stand", "-c", container, "--", *command).strip()

    def lncli(self, node: str, *words: str) -> dict[str, object]:
        """{} while the node does not answer."""
        directory, (_, rpc) = f"/data/{node}", NODES[node]
        lncli = ("lncli", "--network=regtest", f"--lnddir={directory}", f"--rpcserver=127.0.0.1:{rpc}")
        asked = self.room.lab.asks("-n", self.room.name, "exec", "stand", "-c", node, "--", *lncli, *words)
        return dict(json.loads(asked.stdout)) if asked.returncode == 0 and asked.stdout.startswith("{") else {}

    def begin(self, name: str, *words: str) -> None:
        """`node load/main.js` in the background; what it asks for is remembered under `name`."""
        command = f"node load/main.js {' '.join(words)} --asked /data/{name} >/data/{name}.said 2>&1"
        # Its streams are not those of exec, which would wait for them.
        around = f"rm -f /data/{name}.code; ({command}; echo $? >/data/{name}.code) </dev/null >/dev/null 2>&1 &"
        self.room.inside("load", "sh", "-c", around)

    def said(self, name: str) -> str:
        return self.room.inside("load", "cat", f"/data/{name}.said")

    def end(self, name: str, within: float = 180) -> tuple[int, str]:
        """How it ended, and all it said."""
        code = ("-n", self.room.name, "exec", "load", "--", "cat", f"/data/{name}.code")
        eventually(lambda: self.room.lab.asks(*code).stdout, within, f"the load of {name} has ended")
        return int(self.room.lab.asks(*code).stdout), self.said(name)

    def load(self, name: str, *words: str) -> tuple[int, str]:
        self.begin(name, *words)
        return self.end(name, within=400)

    def check(self, name: str, settle: int = 60) -> tuple[int, str]:
        self.begin(name, "check", "--settle", str(settle))
        return self.end(name, settle + 120)

    def kill(self, component: str) -> None:
        """As a power cut would; its pod starts it again at once."""
        self.room.inside(component, "sh", "-c", "kill -9 $(cat /data/pid)")

    def await_answer(self, component: str) -> None:
        said = "fetch('http://127.0.0.1:%d/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
        ask = ("-n", self.room.name, "exec", component, "--", "node", "-e", said % PORTS[component])
        eventually(lambda: self.room.lab.asks(*ask).returncode == 0, 60, f"{component} answers")

    def make_money(self) -> None:
        """Coins for the outside node, and a channel from it to each of the bank's."""
        eventually(lambda: self._works("createwallet", "miner"), 60, "the miner has a wallet")
        self.cli("-generate", "101")
        for node in NODES:
            self._await(node, "synced_to_chain")
        for _ in range(2):
            self.cli("sendtoaddress", str(self.lncli("outside", "newaddress", "p2wkh")["address"]), "1")
        self.cli("-generate", "6")
        for node in ("lnd1", "lnd2"):
            self._open_channel(node)

    def _await(self, node: str, fact: str) -> None:
        eventually(lambda: self.lncli(node, "getinfo").get(fact), 90, f"{node} says {fact}")

    def _open_channel(self, node: str) -> None:
        pubkey = self.pubkey(node)
        self.lncli("outside", "connect", f"{pubkey}@127.0.0.1:{NODES[node][0]}")
        opened = ("openchannel", pubkey, str(CHANNEL_SAT))
        eventually(lambda: self.lncli("outside", *opened), 60, f"a channel to {node} is opened")
        self.cli("-generate", "6")
        self._await(node, "num_active_channels")

    def pubkey(self, node: str) -> str:
        return str(self.lncli(node, "getinfo")["identity_pubkey"])

    def environment(self) -> dict[str, str]:
        """What the operator gives to an API, and the outside node for the load."""
        told = {"NETWORK": "regtest", "MONGODB_CON": "mongodb://stand/galoy", "REDIS_TYPE": "standalone"}
        told |= {"REDIS_0_DNS": "stand", "API_URL": "http://api:4002/graphql"}
        for prefix, node in {"LND1": "lnd1", "LND2": "lnd2", "OUTSIDE": "outside"}.items():
            files = {"TLS": "tls.cert", "MACAROON": "data/chain/bitcoin/regtest/admin.macaroon"}
            told |= {f"{prefix}_DNS": "stand", f"{prefix}_RPCPORT": str(NODES[node][1])}
            told |= {f"{prefix}_{key}": self._file(f"/data/{node}/{path}") for key, path in files.items()}
            told[f"{prefix}_PUBKEY"] = self.pubkey(node)
        return told

    def _file(self, path: str) -> str:
        return self._inside("redis", "base64", "-w0", path)

    def _works(self, *words: str) -> bool:
        command = ("-n", self.room.name, "exec", "stand", "-c", "bitcoind", "--", "bitcoin-cli", *CHAIN, *words)
        return self.room.lab.asks(*command).returncode == 0


@pytest.fixture(scope="module")
def bank(lab: Lab) -> Iterator[Stand]:
    subprocess.run([BUILD, "--load"], check=True, capture_output=True, text=True)
    lab.does("load", "lnd", "bitcoind", "mongo", "redis")
    lab.kubectl("create", "namespace", "bank-load")
    stand = Stand(Room(lab, "bank-load"))
    stand.room.apply(_service("stand", mongo=27017, redis=6379, **{node: rpc for node, (_, rpc) in NODES.items()}))
    stand.room.apply(_service("api", http=4002), _stand(), _component("load", {}, "sleep", "infinity"))
    stand.room.await_ready("stand", "load", within=180)
    stand.make_money()
    stand.room.inside("load", "node", "--input-type=module", "-e", SEED_REPLICA_SET)
    told = stand.environment()
    stand.room.kubectl("delete", "pod", "load", "--now")
    stand.room.apply(_component("load", told, "sh", "-c", "node src/migrate.js && sleep infinity"))
    stand.room.apply(*(_component(name, told, "sh", "-c", _again(f"src/{name}.js")) for name in ("api", "trigger")))
    stand.room.await_ready("load", "api", "trigger", within=120)
    yield stand
    lab.kubectl("delete", "namespace", "bank-load", "--wait=false")


def test_every_payment_of_a_load_is_made_once(bank: Stand) -> None:
    code, said = bank.load("calm", "run", "--seconds", CALM_SECONDS, *RATE)
    assert code == 0, said
    code, said = bank.check("calm")
    assert code == 0, said
    assert "lost 0, doubled 0, unknown 0, hung 0" in said


def test_an_api_and_a_trigger_killed_under_load_lose_and_double_nothing(bank: Stand) -> None:
    bank.begin("killed", "run", "--seconds", KILLED_SECONDS, *RATE)
    eventually(lambda: "load begin" in bank.said("killed"), 90, "the load has begun")
    for component in ("api", "trigger", "api", "api", "trigger"):
        bank.kill(component)
        bank.await_answer(component)
    code, said = bank.end("killed", within=400)
    assert code == 0, said
    code, said = bank.check("killed", settle=CERTAIN)
    assert code == 0, said


@pytest.mark.parametrize("story", ["crash", "overtake"])
def test_whoever_dies_sleeps_or_is_overtaken_at_any_call_of_a_payment_loses_and_doubles_nothing(
    bank: Stand, story: str
) -> None:
    bank.begin(story, story, "--step", STEP)
    code, said = bank.end(story, within=900)
    assert code == 0, said
    code, said = bank.check(story, settle=CERTAIN)
    assert code == 0, said


# Last: the books stay broken.
@pytest.mark.parametrize(("what", "word"), [("loss", "LOST"), ("double", "DOUBLED")])
def test_what_was_planted_is_found(bank: Stand, what: str, word: str) -> None:
    code, said = bank.load(what, "run", "--seconds", "5", "--intraledger", "4", "--lightning", "0.5")
    assert code == 0, said
    _, said = bank.load(what, "plant", what)
    planted = said.split()[-1]
    code, said = bank.check(what, settle=5)
    assert code == 1
    assert f"{word} intraledger {planted}" in said


def _again(program: str) -> str:
    return f"while :; do node {program} & echo $! >/data/pid; wait $!; done"


def _component(name: str, told: dict[str, str], *command: str) -> Manifest:
    environment = [{"name": key, "value": value} for key, value in told.items()]
    container: Manifest = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": list(command)}
    port = PORTS.get(name)
    ready = {"readinessProbe": {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 1}} if port else {}
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return _pod(name, container | {"env": environment} | ready)


def _stand() -> Manifest:
    def container(name: str, image: str, *command: str) -> Manifest:
        mounts = [{"name": "data", "mountPath": "/data"}]
        # Root reads every node's credentials out of the shared volume.
        allowed = {"runAsUser": 0}
        reference = IMAGES[image].reference
        found = {"name": name, "image": reference, "imagePullPolicy": "Never", "command": list(command)}
        return found | {"volumeMounts": mounts, "securityContext": allowed}

    zmq = tuple(f"-{key}={value}" for key, value in ZMQ.items())
    bitcoind = ("bitcoind", *CHAIN, "-server", "-txindex", "-fallbackfee=0.0002", "-listen=0", *zmq)
    mongod = (
        "mongod",
        "--replSet",
        "rs0",
        "--bind_ip_all",
        "--dbpath",
        "/data/mongo",
        "--wiredTigerCacheSizeGB",
        "0.25",
    )
    return _pod(
        "stand",
        container("bitcoind", "bitcoind", "sh", "-c", f"mkdir -p /data/bitcoind && exec {' '.join(bitcoind)}"),
        container("mongo", "mongo", "sh", "-c", f"mkdir -p /data/mongo && exec {' '.join(mongod)}"),
        container("redis", "redis", "redis-server", "--protected-mode", "no"),
        *(container(name, "lnd", *_lnd(name, peer, rpc)) for name, (peer, rpc) in NODES.items()),
    )


def _lnd(name: str, peer: int, rpc: int) -> tuple[str, ...]:
    own = ("--noseedbackup", "--bitcoin.regtest", f"--lnddir=/data/{name}", "--nobootstrap", "--norest")
    ports = (f"--listen=127.0.0.1:{peer}", f"--rpclisten=0.0.0.0:{rpc}", "--tlsextradomain=stand")
    chain = ("--bitcoin.node=bitcoind", "--bitcoind.rpcuser=stand", "--bitcoind.rpcpass=regtest-only")
    return ("lnd", *own, *ports, *chain, *(f"--bitcoind.{key}={value}" for key, value in ZMQ.items()))


def _pod(name: str, *containers: Manifest) -> Manifest:
    volumes = [{"name": "data", "emptyDir": {}}]
    spec = {"terminationGracePeriodSeconds": 0, "containers": list(containers), "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _service(name: str, **ports: int) -> Manifest:
    listed = [{"name": key, "port": port} for key, port in ports.items()]
    spec = {"selector": {"app": name}, "ports": listed, "publishNotReadyAddresses": True}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
