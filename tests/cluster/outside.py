"""The world a bank lives in: a miner and a Lightning node that are nobody's but the story's."""

import json
from dataclasses import dataclass
from typing import Any, Self

from .conftest import IMAGES, Lab, Manifest, Room, eventually

NAMESPACE = "outside"
RPC = ("-regtest", "-rpcuser=miner", "-rpcpassword=regtest-only", "-rpcwallet=miner")
#: A coinbase can be spent after this many blocks.
MATURE = 101


@dataclass
class Outside:
    """A miner whose blocks reach the bank by its p2p Service, and a plain lnd behind the miner."""

    room: Room

    @classmethod
    def started(cls, lab: Lab, *peers: str) -> Self:
        """Both running, with mature coins in the miner's wallet; `peers` are host:port of bitcoinds."""
        lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        lab.kubectl("create", "namespace", NAMESPACE)
        outside = cls(Room(lab, NAMESPACE))
        outside.room.apply(_service("miner", rpc=18443, p2p=18444, block=28332, tx=28333), _service("lnd", p2p=9735))
        outside.room.apply(_miner(peers), _lnd())
        outside.room.await_ready("miner", "lnd", within=120)
        eventually(lambda: outside._try_cli("createwallet", "miner"), 30, "the miner has a wallet")
        outside.mine(MATURE)
        eventually(lambda: outside.lncli("getinfo").get("synced_to_chain"), 60, "the outside lnd follows the miner")
        return outside

    def cli(self, *words: str) -> str:
        """bitcoin-cli of the miner."""
        return self.room.inside("miner", "bitcoin-cli", *RPC, *words).strip()

    def _try_cli(self, *words: str) -> bool:
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "miner", "--", "bitcoin-cli", *RPC, *words)
        return asked.returncode == 0

    def mine(self, blocks: int) -> None:
        self.cli("-generate", str(blocks))

    def send(self, address: str, btc: str) -> None:
        """Coins to an address, in a block."""
        self.cli("sendtoaddress", address, btc)
        self.mine(1)

    def lncli(self, *words: str) -> Any:  # noqa: ANN401 - whatever lnd answers
        """lncli of the outside node; {} while it does not answer."""
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "lnd", "--", *LNCLI, *words)
        return json.loads(asked.stdout) if asked.returncode == 0 and asked.stdout.startswith("{") else {}

    def fund_lnd(self, btc: str) -> None:
        """Coins for the outside node's channels, confirmed."""
        self.send(self.lncli("newaddress", "p2wkh")["address"], btc)
        self.mine(5)
        eventually(lambda: int(self.lncli("walletbalance").get("confirmed_balance", 0)) > 0, 60, "lnd has coins")

    def open_channel(self, pubkey: str, host: str, sat: int) -> None:
        """A channel to the bank's node, usable."""
        eventually(lambda: self._is_peer(pubkey, host), 60, "the nodes are peers")
        eventually(lambda: self.lncli("openchannel", pubkey, str(sat)), 60, "the channel is opened")
        self.mine(6)
        eventually(lambda: self._active_with(pubkey), 90, "the channel is active")

    def pays(self, invoice: str) -> bool:
        """Whether the outside node could pay it."""
        words = ("payinvoice", "--force", "--json", "--timeout", "30s", invoice)
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "lnd", "--", *LNCLI, *words)
        return asked.returncode == 0 and "SUCCEEDED" in asked.stdout

    def _is_peer(self, pubkey: str, host: str) -> bool:
        self.lncli("connect", f"{pubkey}@{host}")
        return any(peer["pub_key"] == pubkey for peer in self.lncli("listpeers").get("peers", []))

    def _active_with(self, pubkey: str) -> bool:
        channels = self.lncli("listchannels").get("channels", [])
        return any(channel["remote_pubkey"] == pubkey and channel["active"] for channel in channels)


LNCLI = ("lncli", "--network=regtest", "--lnddir=/data")


def _miner(peers: tuple[str, ...]) -> Manifest:
    options = ("-server", "-txindex", "-datadir=/data", "-fallbackfee=0.0002", "-dnsseed=0", "-listenonion=0")
    network = ("-rpcbind=0.0.0.0", "-rpcallowip=0.0.0.0/0", *(f"-addnode={peer}" for peer in peers))
    zmq = ("-zmqpubrawblock=tcp://0.0.0.0:28332", "-zmqpubrawtx=tcp://0.0.0.0:28333")
    return _pod("miner", "bitcoind", ["bitcoind", *RPC[:3], *options, *network, *zmq], 18443)


def _lnd() -> Manifest:
    bitcoind = (
        "--bitcoin.node=bitcoind",
        "--bitcoind.rpchost=miner:18443",
        "--bitcoind.rpcuser=miner",
        "--bitcoind.rpcpass=regtest-only",
        "--bitcoind.zmqpubrawblock=tcp://miner:28332",
        "--bitcoind.zmqpubrawtx=tcp://miner:28333",
    )
    own = ("--noseedbackup", "--bitcoin.regtest", "--lnddir=/data", "--listen=0.0.0.0:9735", "--nobootstrap")
    return _pod("lnd", "lnd", ["lnd", *own, *bitcoind], 9735)


def _pod(name: str, image: str, command: list[str], port: int) -> Manifest:
    container = {
        "name": "main",
        "image": IMAGES[image].reference,
        "imagePullPolicy": "Never",
        "command": command,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _service(name: str, **ports: int) -> Manifest:
    listed = [{"name": key, "port": port} for key, port in ports.items()]
    spec = {"selector": {"app": name}, "ports": listed, "publishNotReadyAddresses": True}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
