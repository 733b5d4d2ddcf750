"""LND as an LndNode sees it: its states, its wallet on a volume, the certificate it shows, macaroons it verifies.

It remembers every wallet that was ever made on a volume: two are two thieves.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bankstack.clients.lnd.answers import (
    Account,
    Announced,
    Channels,
    Closure,
    Funds,
    Info,
    InUse,
    Permission,
    State,
    Transaction,
    Use,
)
from bankstack.clients.lnd.client import Connect
from bankstack.engine import base58
from bankstack.engine.finding import Finding, Interrupted, Stalled
from bankstack.kinds.lndnode import pki, versions
from bankstack.kinds.lndnode.checks import PASSWORD_BYTES, SEED_WORDS
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.names import LND_VERSION

from .line import Line
from .lnd_disk import Disk, Wallet, unanswered
from .pods import Mounts, Process, Software
from .store import Stores

T = TypeVar("T")
#: Anybody's: of a key that nobody needs.
XPUB: Final = base58.encode(bytes.fromhex("045f1cf6") + bytes(9) + bytes(32) + b"\2" + bytes(32))


class LndProcess:
    """One run of LND."""

    def __init__(self, disk: Disk, mounted: Mounts, *, follows: Callable[[str], bool]) -> None:
        self.disk = disk
        self.version = mounted.image.rpartition(":")[2].removeprefix("v") or "0.21.2-beta"
        self.certificate = mounted.secrets["tls"]["tls.crt"]
        self._password = mounted.secrets["wallet"].get("password", b"").rstrip(b"\r\n")
        conf = mounted.files["config"]["lnd.conf"]
        host = next(line for line in conf.splitlines() if line.startswith("bitcoind.rpchost="))
        self._bitcoind = host.partition("=")[2].partition(":")[0]
        self._follows = follows
        self.state = State.NON_EXISTING if disk.wallet is None else State.LOCKED

    def tick(self) -> bool:
        """One state on, where nothing holds it up."""
        before = self.state
        if self.state == State.SERVER_ACTIVE and self.disk.mines and self.disk.pending:
            self.disk.mine()
            return True
        match self.state:
            case State.LOCKED if self.disk.wallet and self._password == self.disk.wallet.password:
                self.state = State.UNLOCKED
            case State.UNLOCKED:
                self.state = State.RPC_ACTIVE
            case State.RPC_ACTIVE if self._follows(self._bitcoind):
                self.state = State.SERVER_ACTIVE
        return self.state != before

    def init_wallet(self, password: bytes, seed: tuple[str, ...], root_key: bytes) -> None:
        if self.disk.wallet is not None or self.state != State.NON_EXISTING:
            raise unanswered("wallet already exists")
        if len(seed) != SEED_WORDS or len(password) < PASSWORD_BYTES:
            raise unanswered("must specify a cipher seed mnemonic of 24 words and a password of 8 bytes")
        self.disk.wallet = Wallet(password, seed, root_key)
        self.disk.made.append(self.disk.wallet)
        self.state = State.UNLOCKED

    def opened(self, macaroon: bytes, *needs: str) -> Wallet:
        """The wallet, if LND is up and the macaroon is good for what is asked."""
        wallet = self.disk.wallet
        if wallet is None or self.state not in (State.RPC_ACTIVE, State.SERVER_ACTIVE):
            raise unanswered("the RPC server is in the process of starting up")
        if not verified(macaroon, wallet.root_key, needs):
            raise Interrupted(Finding("MacaroonRefused", "verification failed: signature mismatch", Stalled()))
        return wallet

    def info(self, macaroon: bytes) -> Info:
        wallet = self.opened(macaroon, "info")
        synced = self._follows(self._bitcoind)
        return Info(wallet.identity, self.version, synced, self.disk.height, active=len(self.disk.channels), peers=1)

    def holdings(self, macaroon: bytes) -> tuple[Funds, Channels]:
        self.opened(macaroon, "onchain", "offchain")
        channels = frozenset(self.disk.channels)
        active = channels - self.disk.inactive
        waiting = sum(one.amount_sat for one in self.disk.pending if one.amount_sat > 0)
        stakes = self.disk.stakes
        reserved = sum(one.reserved_sat for one in stakes.values())
        coins = {"confirmed_sat": self.disk.coins_sat, "limbo_sat": waiting, "commit_fees_sat": reserved}
        return Funds(local_sat=self.disk.local_sat, **coins), Channels(
            open=channels,
            closing=frozenset(one.outpoint for one in self.disk.closures if not one.height),
            active=active,
            public=channels,
            htlcs=tuple(self.disk.htlcs),
            stakes=stakes,
            sendable_sat=sum(one.local_sat for outpoint, one in stakes.items() if outpoint in active),
        )

    def accounts(self, macaroon: bytes) -> tuple[Account, ...]:
        """One with addresses, and one with the keys of channels."""
        self.opened(macaroon, "onchain")
        return Account("84", XPUB, 3, 1), Account("1017", XPUB, 0, 0)

    def close(self, macaroon: bytes, outpoint: str) -> None:
        """What LND does not do, it refuses in these words."""
        self.opened(macaroon, "uri", "/lnrpc.Lightning/CloseChannel")
        if outpoint not in self.disk.channels:
            raise unanswered("channel not found")
        if outpoint in self.disk.inactive:
            raise unanswered("unable to gracefully close channel while peer is offline")
        if outpoint in self.disk.unwilling:
            raise unanswered("remote canceled close")
        if any(one.channel == outpoint for one in self.disk.htlcs):
            raise unanswered("cannot coop close channel with active htlcs")
        self.disk.close(outpoint)

    def announced(self, macaroon: bytes, outpoints: Iterable[str]) -> Announced:
        self.opened(macaroon, "info")
        known, disabled = frozenset(outpoints) & self.disk.channels, frozenset(self.disk.disabled)
        return Announced(known - disabled, known & disabled)

    def announce(self, macaroon: bytes, outpoint: str, use: Use) -> None:
        self.opened(macaroon, "uri", "/routerrpc.Router/UpdateChanStatus")
        if use is Use.DISABLE:
            self.disk.disabled.add(outpoint)
        elif use is Use.ENABLE and outpoint in self.disk.inactive:
            raise unanswered("unable to enable channel which is not currently active")
        elif use is Use.ENABLE:
            self.disk.disabled.discard(outpoint)

    def asked(self, macaroon: bytes, *needs: str) -> Disk:
        """Its data, where the macaroon is good for what is asked."""
        self.opened(macaroon, *needs)
        return self.disk

    def export(self, macaroon: bytes) -> tuple[bytes, frozenset[str]]:
        wallet = self.opened(macaroon, "offchain")
        self.disk.exports += 1
        # Sealed with another nonce each time, like LND's.
        words = (wallet.identity, f"nonce{self.disk.exports}", *sorted(self.disk.channels))
        return " ".join(words).encode(), frozenset(self.disk.channels)

    def reads(self, macaroon: bytes, backup: bytes) -> frozenset[str]:
        """What is in a backup of this wallet."""
        identity, _, *outpoints = [*backup.decode("utf-8", "replace").split(), "", ""]
        return (
            frozenset(filter(None, outpoints))
            if identity == self.opened(macaroon, "offchain").identity
            else frozenset()
        )

    def bake(self, macaroon: bytes, permissions: Iterable[Permission], root_key_id: int) -> bytes:
        wallet = self.opened(macaroon, "macaroon")
        words = f"{root_key_id} " + " ".join(f"{one.entity}:{one.action}" for one in permissions)
        return b"baked " + hmac.digest(wallet.root_key, words.encode(), hashlib.sha256)


def verified(macaroon: bytes, root_key: bytes, needs: Iterable[str]) -> bool:
    """Whether the signature is that of the root key, and the permissions name what is needed."""
    body, signature = macaroon[:-34], macaroon[-32:]
    identifier = _first_identifier(body)
    caveat = body[body.index(b"time-before ") :][: len("time-before 2026-01-01T00:00:00Z")]
    derived = hmac.digest(b"macaroons-key-generator", root_key, hashlib.sha256)
    expected = hmac.digest(hmac.digest(derived, identifier, hashlib.sha256), caveat, hashlib.sha256)
    return hmac.compare_digest(signature, expected) and all(need.encode() in identifier for need in needs)


def _first_identifier(body: bytes) -> bytes:
    """Version 2: packets of type, length and content; 1 is the location, 2 the identifier."""
    at = 1
    while True:
        kind, at = body[at], at + 1
        length, shift = 0, 0
        while True:
            byte, at = body[at], at + 1
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if not byte & 0x80:
                break
        if kind == 2:
            return body[at : at + length]
        at += length


class Lnds:
    """The program, and all volumes by the life of their claim."""

    component = "lnd"

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        self.software: Software | None = None
        #: Whether no LND sees its bitcoind.
        self.blind = False
        #: Volumes (by the life of their claim) on which an LND runs that nobody reaches.
        self.haunted: set[str] = set()
        #: Pods in which a second LND was started on a volume.
        self.second: list[str] = []
        #: LNDs that were started on what a newer one changed, or changed it without a note of it.
        self.misread: list[str] = []
        self._seeds = 0

    def start(self, mounted: Mounts) -> Process:
        if mounted.claims["data"] in self.haunted:
            self.second.append(mounted.pod)
        disk = self.disks.setdefault(mounted.claims["data"], Disk())
        self._open_database(disk, mounted)
        return LndProcess(disk, mounted, follows=self._reaches)

    def _open_database(self, disk: Disk, mounted: Mounts) -> None:
        """Each minor release changes it; the release that does so has to be on record before."""
        noted, release = mounted.notes.get("data", {}).get(LND_VERSION), mounted.image.rpartition(":")[2]
        if versions.crosses_migration(disk.release, release):
            self.misread.append(f"{release} was started after {disk.release}")
        if versions.migrates(disk.release, release) and versions.newest(noted, release) != noted:
            self.misread.append(f"{release} was started after {disk.release}, and {noted} is noted")
        disk.release = versions.newest(disk.release, release)

    def _reaches(self, host: str) -> bool:
        return not self.blind and self.software is not None and self.software.reach(host) is not None

    def fresh_seed(self) -> tuple[str, ...]:
        """Another one each time, as GenSeed gives."""
        self._seeds += 1
        return tuple(f"w{self._seeds}x{place}" for place in range(24))

    def doors(
        self, line: Line, stores: Stores | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Doors:
        """How an operator process reaches them, and the object store."""

        @asynccontextmanager
        async def connected(address: str, roots: bytes) -> AsyncIterator["Door"]:
            yield Door(self, line, address.partition(":")[0], roots)

        async def presented(host: str, _port: int) -> bytes | None:
            def shown(_behind: int) -> bytes | None:
                found = self.software.reach(host) if self.software else None
                if not isinstance(found, LndProcess):
                    return None
                return x509.load_pem_x509_certificate(found.certificate).public_bytes(Encoding.DER)

            try:
                return await line.call("lnd presented", shown, lambda _: unanswered("timeout"))
            except Interrupted:
                return None

        connect: Connect = connected
        return Doors(connect, presented, (stores or Stores()).connect(line), now)


class Door:
    """One connection: `clients.lnd.client.Lightning`, trusted only with the right authority."""

    def __init__(self, lnds: Lnds, line: Line, host: str, roots: bytes) -> None:
        self._lnds, self._line, self._host, self._roots = lnds, line, host, roots

    async def state(self) -> State:
        return await self._ask("GetState", lambda lnd: lnd.state)

    async def gen_seed(self) -> tuple[str, ...]:
        return await self._ask("GenSeed", lambda _: self._lnds.fresh_seed())

    async def init_wallet(self, password: bytes, seed: tuple[str, ...], root_key: bytes, recovery_window: int) -> None:
        del recovery_window
        await self._ask("InitWallet", lambda lnd: lnd.init_wallet(password, seed, root_key))

    async def info(self, macaroon: bytes) -> Info:
        return await self._ask("GetInfo", lambda lnd: lnd.info(macaroon))

    async def funds_and_channels(self, macaroon: bytes) -> tuple[Funds, Channels]:
        return await self._ask("Balances", lambda lnd: lnd.holdings(macaroon))

    async def in_use(self, macaroon: bytes) -> InUse:
        _, channels = await self._ask("ListChannels", lambda lnd: lnd.holdings(macaroon))
        return InUse(channels.active, channels.public)

    async def closed(self, macaroon: bytes) -> frozenset[str]:
        del macaroon
        return await self._ask("ClosedChannels", lambda lnd: frozenset(lnd.disk.closed))

    async def export_backup(self, macaroon: bytes) -> tuple[bytes, frozenset[str]]:
        return await self._ask("ExportAllChannelBackups", lambda lnd: lnd.export(macaroon))

    async def channels_in(self, macaroon: bytes, backup: bytes) -> frozenset[str]:
        return await self._ask("VerifyChanBackup", lambda lnd: lnd.reads(macaroon, backup))

    async def bake(self, macaroon: bytes, permissions: Iterable[Permission], root_key_id: int) -> bytes:
        return await self._ask("BakeMacaroon", lambda lnd: lnd.bake(macaroon, permissions, root_key_id))

    async def is_recovering(self, macaroon: bytes) -> bool:
        return await self._ask("GetRecoveryInfo", lambda lnd: lnd.asked(macaroon, "info").recovering)

    async def announced(self, macaroon: bytes, identity: str, outpoints: Iterable[str]) -> Announced:
        del identity
        return await self._ask("GetChanInfo", lambda lnd: lnd.announced(macaroon, outpoints))

    async def announce(self, macaroon: bytes, outpoint: str, use: Use) -> None:
        await self._ask(f"UpdateChanStatus {use}", lambda lnd: lnd.announce(macaroon, outpoint, use))

    async def sent_msat(self, macaroon: bytes, since: datetime) -> int:
        del since
        return await self._ask("ListPayments", lambda lnd: lnd.asked(macaroon, "offchain").sent_msat)

    async def closures(self, macaroon: bytes) -> tuple[Closure, ...]:
        return await self._ask(
            "ClosedChannels", lambda lnd: tuple(one for one in lnd.asked(macaroon, "offchain").closures if one.height)
        )

    async def close(self, macaroon: bytes, outpoint: str, sat_per_vbyte: int | None) -> None:
        del sat_per_vbyte
        await self._ask("CloseChannel", lambda lnd: lnd.close(macaroon, outpoint))

    async def transactions(self, macaroon: bytes, since_height: int) -> tuple[Transaction, ...]:
        del since_height
        return await self._ask("GetTransactions", lambda lnd: tuple(lnd.asked(macaroon, "onchain").transactions))

    async def send_all(self, macaroon: bytes, address: str, label: str, sat_per_vbyte: int | None) -> None:
        del sat_per_vbyte
        needs = ("uri", "/lnrpc.Lightning/SendCoins")
        await self._ask("SendCoins", lambda lnd: lnd.asked(macaroon, *needs).send_all(address, label))

    async def accounts(self, macaroon: bytes) -> tuple[Account, ...]:
        return await self._ask("ListAccounts", lambda lnd: lnd.accounts(macaroon))

    async def _ask(self, method: str, effect: Callable[[LndProcess], T]) -> T:
        return await self._line.call(
            f"lnd {method}", lambda _: effect(self._reach()), lambda _: unanswered("deadline exceeded")
        )

    def _reach(self) -> LndProcess:
        found = self._lnds.software.reach(self._host) if self._lnds.software else None
        if not isinstance(found, LndProcess):
            raise unanswered("connection refused")
        shown = pki.read_certificate(found.certificate, pki.read_bundle(self._roots))
        if shown is None or shown.issuer is None:
            raise unanswered("certificate signed by unknown authority")
        return found
