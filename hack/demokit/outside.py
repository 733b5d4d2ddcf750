"""The world a bank lives in: a miner and a Lightning node that are nobody's but the demo's or the story's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from demokit.kube import Kubectl, Manifest, Room, eventually
from labkit import catalog

NAMESPACE = "outside"
RPC = ("-regtest", "-rpcuser=miner", "-rpcpassword=regtest-only", "-rpcwallet=miner")
LNCLI = ("lncli", "--network=regtest", "--lnddir=/data")
LND_PORT = 10009
#: The container beside lnd that reads what lnd wrote.
FILES = "files"
#: A coinbase can be spent after this many blocks.
MATURE = 101
#: What the bank's node has to keep in a channel; lnd wants at least its dust limit.
RESERVE_SAT = 1_000
IMAGES = catalog.load().images


@dataclass
class Outside:
    """A miner whose blocks reach the bank by its p2p Service, and a plain lnd behind the miner."""

    room: Room

    @classmethod
    def started(cls, lab: Kubectl, *peers: str) -> Self:
        """A new one, with mature coins in the miner's wallet; `peers` are host:port of bitcoinds."""
        lab.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        outside = cls.at_hand(lab, *peers)
        outside.mine(MATURE)
        outside.await_chain()
        return outside

    @classmethod
    def at_hand(cls, lab: Kubectl, *peers: str) -> Self:
        """The one that is there, or a new one without a block."""
        outside = cls(Room(lab, NAMESPACE))
        outside.room.lab.kubectl("apply", "-f", "-", stdin=json.dumps(_namespace()))
        ports = _service("lnd", p2p=9735, rpc=LND_PORT)
        outside.room.apply(_service("miner", rpc=18443, p2p=18444, block=28332, tx=28333), ports)
        outside.room.apply(_miner(peers), _lnd())
        outside.room.await_ready("miner", "lnd", within=120)
        eventually(outside._has_wallet, 30, "the miner has a wallet")
        return outside

    def cli(self, *words: str) -> str:
        """bitcoin-cli of the miner."""
        return self.room.inside("miner", "bitcoin-cli", *RPC, *words).strip()

    def try_cli(self, *words: str) -> bool:
        """Whether bitcoin-cli of the miner could."""
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "miner", "--", "bitcoin-cli", *RPC, *words)
        return asked.returncode == 0

    def _has_wallet(self) -> bool:
        """A miner that was restarted has one and only forgot to load it."""
        return any(self.try_cli(*words) for words in (("getwalletinfo",), ("loadwallet", "miner"), _NEW_WALLET))

    def mine(self, blocks: int) -> None:
        """Blocks of now: on a chain without any of today no Lightning node serves."""
        # The miner's node may just have lost its power.
        eventually(self._has_wallet, 90, "the miner has its wallet")
        self.cli("-generate", str(blocks))
        # Written to disk by this: a killed bitcoind forgets what it did not write. The world at large forgets no
        # block, and an LND waits for ever for one that it has seen and nobody has.
        self.cli("gettxoutsetinfo", "none")

    def height(self) -> int:
        """Of the newest block."""
        return int(self.cli("getblockcount"))

    def await_peer(self, peer: str, within: float = 120) -> None:
        """Until blocks have somebody to go to."""
        eventually(lambda: self._has_peer(peer), within, f"the miner and {peer} are peers")

    def _has_peer(self, peer: str) -> bool:
        # Asked for each time: by itself it tries a peer that was not there only once a minute.
        self.try_cli("addnode", peer, "onetry")
        return int(self.cli("getconnectioncount")) > 0

    def has_coins(self) -> bool:
        """Whether the miner can pay for what is to come."""
        return float(self.cli("getbalance")) > 1

    def await_chain(self) -> None:
        """Until the lnd has seen all blocks."""
        eventually(lambda: self.lncli("getinfo").get("synced_to_chain"), 60, "the outside lnd follows the miner")

    def send(self, address: str, btc: str) -> None:
        """Coins to an address, in a block."""
        self.cli("sendtoaddress", address, btc)
        self.mine(1)

    def lncli(self, *words: str) -> Any:  # noqa: ANN401 - whatever lnd answers
        """What lncli of the outside node says; {} while it does not answer."""
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "lnd", "--", *LNCLI, *words)
        return json.loads(asked.stdout) if asked.returncode == 0 and asked.stdout.startswith("{") else {}

    def fund_lnd(self, btc: str) -> None:
        """Coins for the outside node's channels, confirmed."""
        self.send(self.lncli("newaddress", "p2wkh")["address"], btc)
        self.mine(5)
        eventually(lambda: int(self.lncli("walletbalance").get("confirmed_balance", 0)) > 0, 60, "lnd has coins")

    def open_channel(self, pubkey: str, host: str, sat: int) -> None:
        """A channel to the bank's node, usable."""
        eventually(lambda: self.is_peer(pubkey, host), 60, "the nodes are peers")
        # A node of the bank has no coins but its customers': with lnd's reserve of 1 % it could not pay them out.
        command = ("openchannel", f"--remote_reserve_sats={RESERVE_SAT}", pubkey, str(sat))
        eventually(lambda: self.lncli(*command), 60, "the channel is opened")
        self.mine(6)
        self.await_channel(pubkey)

    def ensure_channel(self, pubkey: str, host: str, sat: int) -> bool:
        """The channel that is there, usable, or a new one; whether it is new."""
        if is_new := pubkey not in self._partners():
            self.fund_lnd(f"{2 * sat / 10**8:.8f}")
            self.open_channel(pubkey, host, sat)
            return is_new
        eventually(lambda: self.is_peer(pubkey, host), 60, "the nodes are peers")
        if not self._active_with(pubkey):
            self.mine(6)  # somebody was stopped just after it was opened
        self.await_channel(pubkey)
        return is_new

    def is_peer(self, pubkey: str, host: str) -> bool:
        """Whether it has called the bank's node, where it had not before."""
        self.lncli("connect", f"{pubkey}@{host}")
        return any(peer["pub_key"] == pubkey for peer in self.lncli("listpeers").get("peers", []))

    def await_channel(self, pubkey: str) -> None:
        """Until it can be used."""
        eventually(lambda: self._active_with(pubkey), 90, "the channel is active")

    def pays(self, invoice: str) -> bool:
        """Whether the outside node could pay it."""
        words = ("payinvoice", "--force", "--json", "--timeout", "30s", invoice)
        asked = self.room.lab.asks("-n", NAMESPACE, "exec", "lnd", "--", *LNCLI, *words)
        return asked.returncode == 0 and "SUCCEEDED" in asked.stdout

    def way_in(self) -> dict[str, str]:
        """How a program calls the outside node, in the words of a bank's environment."""
        files = {"TLS": "/data/tls.cert", "MACAROON": "/data/data/chain/bitcoin/regtest/admin.macaroon"}
        read = {key: self._file(path) for key, path in files.items()}
        where = {"DNS": f"lnd.{NAMESPACE}.svc", "RPCPORT": str(LND_PORT)}
        return {"PUBKEY": self.lncli("getinfo")["identity_pubkey"], **where, **read}

    def _file(self, path: str) -> str:
        return self.room.kubectl("exec", "lnd", "-c", FILES, "--", "base64", "-w0", path).strip()

    def _partners(self) -> set[str]:
        """Everybody with whom there is a channel, or will be with the next blocks."""
        return {*_partners(self.lncli("listchannels"), self.lncli("pendingchannels"))}

    def _active_with(self, pubkey: str) -> bool:
        channels = self.lncli("listchannels").get("channels", [])
        return any(channel["remote_pubkey"] == pubkey and channel["active"] for channel in channels)


_NEW_WALLET = ("createwallet", "miner")


def _partners(channels: Manifest, pending: Manifest) -> Iterator[str]:
    yield from (one["remote_pubkey"] for one in channels.get("channels", []))
    yield from (one["channel"]["remote_node_pub"] for one in pending.get("pending_open_channels", []))


def _namespace() -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _miner(peers: tuple[str, ...]) -> Manifest:
    options = ("-server", "-txindex", "-datadir=/data", "-fallbackfee=0.0002", "-dnsseed=0", "-listenonion=0")
    network = ("-rpcbind=0.0.0.0", "-rpcallowip=0.0.0.0/0", *(f"-addnode={peer}" for peer in peers))
    zmq = ("-zmqpubrawblock=tcp://0.0.0.0:28332", "-zmqpubrawtx=tcp://0.0.0.0:28333")
    return pod("miner", IMAGES["bitcoind"].reference, ["bitcoind", *RPC[:3], *options, *network, *zmq], 18443)


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
    # It is the one that calls: a node that was away for seconds is not left alone for minutes. A call to a pod that
    # has just gone would hang for lnd's two minutes.
    patience = ("--maxbackoff=10s", "--connectiontimeout=5s")
    called = (f"--rpclisten=0.0.0.0:{LND_PORT}", f"--tlsextradomain=lnd.{NAMESPACE}.svc")
    found = pod("lnd", IMAGES["lnd"].reference, ["lnd", *own, *patience, *called, *bitcoind], 9735)
    # lnd's image has nothing that could print a file. Root: lnd keeps its folders to itself.
    reader = _container(FILES, IMAGES["bitcoind"].reference, ["sleep", "infinity"])
    found["spec"]["containers"].append(reader | {"securityContext": {"runAsUser": 0}})
    return found


def pod(name: str, image: str, command: list[str], port: int = 0) -> Manifest:
    """A pod of one container with /data, ready once `port` is open."""
    container = _container("main", image, command)
    if port:
        container["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    spec = {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _container(name: str, image: str, command: list[str]) -> Manifest:
    mounts = [{"name": "data", "mountPath": "/data"}]
    found = {"name": name, "image": image, "imagePullPolicy": "Never", "command": command}
    return found | {"volumeMounts": mounts}


def _service(name: str, **ports: int) -> Manifest:
    listed = [{"name": key, "port": port} for key, port in ports.items()]
    spec = {"selector": {"app": name}, "ports": listed, "publishNotReadyAddresses": True}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
