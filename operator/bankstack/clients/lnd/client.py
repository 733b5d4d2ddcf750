"""One LND, asked over gRPC. It answers or it does not; what follows from that is not decided here.

Every call ends within `DEADLINE`. A call that brings no answer raises Interrupted:
Transient where LND was silent or busy, Stalled where it answered that it does not know the
macaroon. How it is reached is `connection`'s.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

import grpc

from bankstack.clients.dialing import absolute
from bankstack.clients.lnd import lnd_pb2 as pb
from bankstack.clients.lnd import reading
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
from bankstack.engine.finding import Finding, Interrupted, Policy, Stalled, Transient

DEADLINE = 5.0
#: How LND words that another root key made a macaroon, or that it has none. Nothing broader: a store that is closed
#: while LND stops, and a macaroon that died of a clock's difference, are worded much alike.
_REFUSALS = ("signature mismatch", "root key with id")
#: How it words a seed that is none. Its sentence is never passed on: it quotes the wrong word, which is part of a seed.
_NO_SEED = ("default word list", "checksum doesn't match", "invalid passphrase", "seed version", "salt version")
#: Methods whose errors may quote what they were given.
_CONFIDENTIAL = "WalletUnlocker/"
#: Nobody answered: whether it was done is not known.
_SILENT = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)

NOTHING: Final[Mapping[grpc.StatusCode, Any]] = MappingProxyType({})
#: Packages of LND's beside lnrpc, where a method says so.
_FURTHER: Final = ("routerrpc.", "walletrpc.")

Macaroon = bytes
Answer = TypeVar("Answer")


class Lightning(Protocol):
    """What the LndNode kind asks of an LND; the simulation has one of its own."""

    async def state(self) -> State:
        """How far it has come; needs no macaroon."""

    async def gen_seed(self) -> tuple[str, ...]:
        """24 fresh words, kept nowhere yet."""

    async def init_wallet(self, password: bytes, seed: tuple[str, ...], root_key: bytes, recovery_window: int) -> None:
        """Make the wallet."""

    async def info(self, macaroon: Macaroon) -> Info:
        """Who it is and where it stands."""

    async def funds_and_channels(self, macaroon: Macaroon) -> tuple[Funds, Channels]:
        """What it holds."""

    async def in_use(self, macaroon: Macaroon) -> InUse:
        """Of what it holds only this: it is asked for while payments wait, and balances take LND ten times as long."""

    async def closed(self, macaroon: Macaroon) -> frozenset[str]:
        """Funding outpoints of channels that are history."""

    async def export_backup(self, macaroon: Macaroon) -> tuple[bytes, frozenset[str]]:
        """The encrypted backup of all channels, verified by LND, and the outpoints in it."""

    async def channels_in(self, macaroon: Macaroon, backup: bytes) -> frozenset[str]:
        """The outpoints in a backup of this wallet; none where LND cannot read it."""

    async def bake(self, macaroon: Macaroon, permissions: Iterable[Permission], root_key_id: int) -> bytes:
        """A macaroon with these permissions."""

    async def is_recovering(self, macaroon: Macaroon) -> bool:
        """Whether it still looks for coins of a seed that it was given."""

    async def announced(self, macaroon: Macaroon, identity: str, outpoints: Iterable[str]) -> Announced:
        """What the network is told of these channels."""

    async def announce(self, macaroon: Macaroon, outpoint: str, use: Use) -> None:
        """Tell the network whether payments may go through a channel."""

    async def sent_msat(self, macaroon: Macaroon, since: datetime) -> int:
        """What payments have cost that ended since then, or may yet cost, fees included."""

    async def closures(self, macaroon: Macaroon) -> tuple[Closure, ...]:
        """How channels ended that are history."""

    async def close(self, macaroon: Macaroon, outpoint: str, sat_per_vbyte: int | None) -> None:
        """Close a channel together with its peer, never by force; without a fee rate LND chooses it."""

    async def transactions(self, macaroon: Macaroon, since_height: int) -> tuple[Transaction, ...]:
        """The wallet's transactions from this height on, and those that wait for a block."""

    async def send_all(self, macaroon: Macaroon, address: str, label: str, sat_per_vbyte: int | None) -> None:
        """Send every confirmed coin to an address; the transaction is found again by its label."""

    async def accounts(self, macaroon: Macaroon) -> tuple[Account, ...]:
        """From which public keys its addresses are drawn."""


#: Address (host:port) and PEM of the authorities to trust; gives a connection to be closed.
Connect = Callable[[str, bytes], AbstractAsyncContextManager[Lightning]]


#: What LND answers to a backup that is none, or another wallet's.
_UNREADABLE: Final = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INVALID_ARGUMENT)


class Lnd:
    """An LND at the other end of a channel."""

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._channel = channel
        self._address = address
        self.answered_all = True
        """Whether no question so far was without the answer that it asked for."""

    async def state(self) -> State:
        """How far it has come; needs no macaroon."""
        reply = await self._ask("State/GetState", pb.GetStateRequest(), pb.GetStateResponse)
        try:
            return State(pb.WalletState.Name(reply.state))
        except ValueError:
            told = f"LND at {self._address} is in a state this release does not know ({reply.state}): it is left alone"
            raise Interrupted(Finding("LndSilent", told, Transient())) from None

    async def gen_seed(self) -> tuple[str, ...]:
        """24 fresh words, kept nowhere yet."""
        reply = await self._ask("WalletUnlocker/GenSeed", pb.GenSeedRequest(), pb.GenSeedResponse)
        return tuple(reply.cipher_seed_mnemonic)

    async def init_wallet(self, password: bytes, seed: tuple[str, ...], root_key: bytes, recovery_window: int) -> None:
        """Make the wallet."""
        request = pb.InitWalletRequest(
            wallet_password=password,
            cipher_seed_mnemonic=seed,
            recovery_window=recovery_window,
            stateless_init=True,
            macaroon_root_key=root_key,
        )
        await self._ask("WalletUnlocker/InitWallet", request, pb.InitWalletResponse)

    async def info(self, macaroon: Macaroon) -> Info:
        """Who it is and where it stands."""
        reply = await self._ask("Lightning/GetInfo", pb.GetInfoRequest(), pb.GetInfoResponse, macaroon)
        return Info(
            identity_pubkey=reply.identity_pubkey,
            version=reply.version,
            synced=reply.synced_to_chain,
            block_height=reply.block_height,
            active=reply.num_active_channels,
            inactive=reply.num_inactive_channels,
            pending=reply.num_pending_channels,
            peers=reply.num_peers,
        )

    async def funds_and_channels(self, macaroon: Macaroon) -> tuple[Funds, Channels]:
        """What it holds."""
        wallet, balance, listed, pending = await asyncio.gather(
            self._ask("Lightning/WalletBalance", pb.WalletBalanceRequest(), pb.WalletBalanceResponse, macaroon),
            self._ask("Lightning/ChannelBalance", pb.ChannelBalanceRequest(), pb.ChannelBalanceResponse, macaroon),
            self._ask("Lightning/ListChannels", pb.ListChannelsRequest(), pb.ListChannelsResponse, macaroon),
            self._ask("Lightning/PendingChannels", pb.PendingChannelsRequest(), pb.PendingChannelsResponse, macaroon),
        )
        funds = Funds(
            confirmed_sat=wallet.confirmed_balance,
            unconfirmed_sat=wallet.unconfirmed_balance,
            locked_sat=wallet.locked_balance,
            local_sat=balance.local_balance.sat,
            remote_sat=balance.remote_balance.sat,
            unsettled_sat=balance.unsettled_local_balance.sat,
            pending_open_sat=balance.pending_open_local_balance.sat,
            limbo_sat=pending.total_limbo_balance,
            commit_fees_sat=sum(one.commit_fee for one in listed.channels if one.initiator),
        )
        leaving = frozenset(one.channel.channel_point for one in pending.waiting_close_channels)
        forced = frozenset(one.channel.channel_point for one in pending.pending_force_closing_channels)
        used = reading.in_use(listed.channels)
        channels = Channels(
            open=frozenset(one.channel_point for one in listed.channels),
            opening=frozenset(one.channel.channel_point for one in pending.pending_open_channels),
            closing=leaving | forced,
            active=used.active,
            public=used.public,
            htlcs=tuple(reading.htlc(one.channel_point, htlc) for one in listed.channels for htlc in one.pending_htlcs),
            stakes={one.channel_point: reading.stake(one) for one in listed.channels},
            sendable_sat=sum(map(reading.sendable, listed.channels)),
            receivable_sat=sum(map(reading.receivable, listed.channels)),
        )
        return funds, channels

    async def in_use(self, macaroon: Macaroon) -> InUse:
        """Of what it holds only this."""
        listed = await self._ask("Lightning/ListChannels", pb.ListChannelsRequest(), pb.ListChannelsResponse, macaroon)
        return reading.in_use(listed.channels)

    async def closed(self, macaroon: Macaroon) -> frozenset[str]:
        """Funding outpoints of channels that are history."""
        reply = await self._ask(
            "Lightning/ClosedChannels", pb.ClosedChannelsRequest(), pb.ClosedChannelsResponse, macaroon
        )
        return frozenset(one.channel_point for one in reply.channels)

    async def export_backup(self, macaroon: Macaroon) -> tuple[bytes, frozenset[str]]:
        """The encrypted backup of all channels, verified by LND, and the outpoints in it."""
        snapshot = await self._ask(
            "Lightning/ExportAllChannelBackups", pb.ChanBackupExportRequest(), pb.ChanBackupSnapshot, macaroon
        )
        verified = await self._verified(macaroon, snapshot.multi_chan_backup, NOTHING)
        return snapshot.multi_chan_backup.multi_chan_backup, verified

    async def channels_in(self, macaroon: Macaroon, backup: bytes) -> frozenset[str]:
        """The outpoints in a backup of this wallet; none where LND cannot read it."""
        unreadable = dict.fromkeys(_UNREADABLE, pb.VerifyChanBackupResponse())
        return await self._verified(macaroon, pb.MultiChanBackup(multi_chan_backup=backup), unreadable)

    async def _verified(
        self,
        macaroon: Macaroon,
        backup: pb.MultiChanBackup,
        instead: Mapping[grpc.StatusCode, pb.VerifyChanBackupResponse],
    ) -> frozenset[str]:
        request = pb.ChanBackupSnapshot(multi_chan_backup=backup)
        reply = await self._ask("Lightning/VerifyChanBackup", request, pb.VerifyChanBackupResponse, macaroon, instead)
        return frozenset(reply.chan_points)

    async def bake(self, macaroon: Macaroon, permissions: Iterable[Permission], root_key_id: int) -> bytes:
        """A macaroon with these permissions."""
        request = pb.BakeMacaroonRequest(
            permissions=[pb.MacaroonPermission(entity=one.entity, action=one.action) for one in permissions],
            root_key_id=root_key_id,
        )
        reply = await self._ask("Lightning/BakeMacaroon", request, pb.BakeMacaroonResponse, macaroon)
        return bytes.fromhex(reply.macaroon)

    async def is_recovering(self, macaroon: Macaroon) -> bool:
        """Whether it still looks for coins of a seed that it was given."""
        request = pb.GetRecoveryInfoRequest()
        reply = await self._ask("Lightning/GetRecoveryInfo", request, pb.GetRecoveryInfoResponse, macaroon)
        return reply.recovery_mode and not reply.recovery_finished

    async def announced(self, macaroon: Macaroon, identity: str, outpoints: Iterable[str]) -> Announced:
        """What the network is told of these channels."""
        asked = sorted(outpoints)
        edges = await asyncio.gather(*(self._edge(macaroon, one) for one in asked))
        told = {one: reading.is_disabled(edge, identity) for one, edge in zip(asked, edges, strict=True)}
        return Announced(
            enabled=frozenset(one for one, disabled in told.items() if disabled is False),
            disabled=frozenset(one for one, disabled in told.items() if disabled is True),
        )

    async def _edge(self, macaroon: Macaroon, outpoint: str) -> pb.ChannelEdge:
        """A channel as the network's graph has it; empty where it is not in it."""
        request = pb.ChanInfoRequest(chan_point=outpoint)
        none = {grpc.StatusCode.NOT_FOUND: pb.ChannelEdge()}
        return await self._ask("Lightning/GetChanInfo", request, pb.ChannelEdge, macaroon, none)

    async def announce(self, macaroon: Macaroon, outpoint: str, use: Use) -> None:
        """Tell the network whether payments may go through a channel."""
        request = pb.UpdateChanStatusRequest(chan_point=reading.place(outpoint), action=use.value)
        await self._ask("routerrpc.Router/UpdateChanStatus", request, pb.UpdateChanStatusResponse, macaroon)

    async def sent_msat(self, macaroon: Macaroon, since: datetime) -> int:
        """What payments have cost that ended since then, or may yet cost, fees included."""
        request, cost = reading.newest_payments(), 0
        while True:
            reply = await self._ask("Lightning/ListPayments", request, pb.ListPaymentsResponse, macaroon)
            cost += reading.cost_msat(reply.payments, since)
            if len(reply.payments) < request.max_payments or reading.reaches_back(reply.payments, since):
                return cost
            request.index_offset = reply.first_index_offset

    async def closures(self, macaroon: Macaroon) -> tuple[Closure, ...]:
        """How channels ended that are history."""
        reply = await self._ask(
            "Lightning/ClosedChannels", pb.ClosedChannelsRequest(), pb.ClosedChannelsResponse, macaroon
        )
        return tuple(reading.closure(one) for one in reply.channels)

    async def close(self, macaroon: Macaroon, outpoint: str, sat_per_vbyte: int | None) -> None:
        """Close a channel together with its peer, never by force; without a fee rate LND chooses it."""
        method, request = "Lightning/CloseChannel", pb.CloseChannelRequest(channel_point=reading.place(outpoint))
        request.sat_per_vbyte = sat_per_vbyte or 0
        call = self._channel.unary_stream(
            f"/lnrpc.{method}",
            request_serializer=pb.CloseChannelRequest.SerializeToString,
            response_deserializer=pb.CloseStatusUpdate.FromString,
        )(request, timeout=DEADLINE, metadata=(("macaroon", macaroon.hex()),))
        try:
            # The first word comes when the closing transaction is published; the next, after its blocks, is not heard.
            await call.read()
        except grpc.aio.AioRpcError as error:
            self.answered_all = False
            raise Interrupted(_finding(method, self._address, error)) from None
        finally:
            call.cancel()

    async def transactions(self, macaroon: Macaroon, since_height: int) -> tuple[Transaction, ...]:
        """The wallet's transactions from this height on, and those that wait for a block."""
        request = pb.GetTransactionsRequest(start_height=since_height, end_height=-1)
        reply = await self._ask("Lightning/GetTransactions", request, pb.TransactionDetails, macaroon)
        return tuple(reading.transaction(one) for one in reply.transactions)

    async def send_all(self, macaroon: Macaroon, address: str, label: str, sat_per_vbyte: int | None) -> None:
        """Send every confirmed coin to an address; the transaction is found again by its label."""
        request = pb.SendCoinsRequest(addr=address, send_all=True, label=label, sat_per_vbyte=sat_per_vbyte or 0)
        await self._ask("Lightning/SendCoins", request, pb.SendCoinsResponse, macaroon)

    async def accounts(self, macaroon: Macaroon) -> tuple[Account, ...]:
        """From which public keys its addresses are drawn."""
        request = pb.ListAccountsRequest()
        reply = await self._ask("walletrpc.WalletKit/ListAccounts", request, pb.ListAccountsResponse, macaroon)
        return tuple(reading.account(one) for one in reply.accounts if one.extended_public_key and not one.watch_only)

    async def _ask(
        self,
        method: str,
        request: Any,  # noqa: ANN401 - any message
        reply: type[Answer],
        macaroon: Macaroon | None = None,
        instead: Mapping[grpc.StatusCode, Answer] = NOTHING,
    ) -> Answer:
        call = self._channel.unary_unary(
            f"/{method}" if method.startswith(_FURTHER) else f"/lnrpc.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,  # type: ignore[attr-defined]  # every message has it
        )
        metadata = (("macaroon", macaroon.hex()),) if macaroon else ()
        try:
            answer: Answer = await call(request, timeout=DEADLINE, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() in instead:
                return instead[error.code()]
            self.answered_all = False
            # `from None`: a traceback prints its locals in some logs, and the request may hold the seed.
            raise Interrupted(_finding(method, self._address, error)) from None
        return answer


async def presented(host: str, port: int) -> bytes | None:
    """The certificate (DER) that a server shows, trusted or not; None where no answer came.

    Nothing is sent and nothing believed: this only tells which certificate is in use.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            _, writer = await asyncio.open_connection(absolute(host), port, ssl=_curious(), server_hostname=host)
    except (OSError, TimeoutError):
        return None
    try:
        shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return shown.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()


@cache
def _curious() -> ssl.SSLContext:
    """Made once: one that trusts the world's authorities loads them all, in thirty milliseconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # LND's REST port speaks HTTP/1.1, its gRPC port insists on HTTP/2.
    context.set_alpn_protocols(["h2"])
    return context


def _finding(method: str, address: str, error: grpc.aio.AioRpcError) -> Finding:
    told, call = (error.details() or "").strip(), method.rpartition("/")[2]
    if method.startswith(_CONFIDENTIAL):
        if any(word in told for word in _NO_SEED):
            refused = (
                "LND does not take the seed for one (24 words of its own kind, without a passphrase): no wallet is made"
            )
            return Finding("SeedRefused", refused, Stalled())
        told = ""
    policy: Policy = Transient()
    reason = "LndSilent"
    if any(word in told for word in _REFUSALS):
        reason, policy = "MacaroonRefused", Stalled()
    # LND's words, not ours: these methods' name states and channels, and never a secret.
    said = f"{error.code().name}: {told[:300]}" if told else error.code().name
    heard = "did not answer" if error.code() in _SILENT else "refuses"
    return Finding(reason, f"LND at {address} {heard} {call} ({said}): nothing is concluded from that", policy)
