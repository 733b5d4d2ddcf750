"""The client against a gRPC server with TLS of its own: what goes out, what comes back, what silence becomes."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from bankstack.clients.lnd import client, connection, reading
from bankstack.clients.lnd import lnd_pb2 as pb
from bankstack.clients.lnd.answers import Announced, Channels, Funds, Htlc, Info, Permission, Stake, State, Use
from bankstack.engine import signing
from bankstack.engine.finding import Interrupted, Stalled, Transient
from bankstack.kinds.lndnode import certificates, pki

NOW = datetime.now(UTC)
CA = signing.make_authority("test", NOW)
LEAF = signing.issue(CA, ["localhost"], NOW, certificates.LIFE)
MACAROON = b"\x02macaroon"
SEED = tuple(f"word{place}" for place in range(24))

Replies = dict[str, Any]


class Server:
    """Answers with messages of LND's, or as it refuses."""

    def __init__(self, replies: Replies) -> None:
        self.replies, self.asked = replies, list[tuple[str, bytes, str | None]]()

    async def handle(self, method: str, request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        sent = dict(context.invocation_metadata() or ())
        self.asked.append((method, request, str(sent["macaroon"]) if "macaroon" in sent else None))
        reply = self.replies[method]
        if isinstance(reply, tuple):
            await context.abort(*reply)
        if callable(reply):
            reply = await reply()
        encoded: bytes = reply.SerializeToString()
        return encoded


class Handler(grpc.GenericRpcHandler):
    def __init__(self, server: Server) -> None:
        self._server = server

    def service(self, call: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - grpc's own
        method = str(call.method).removeprefix("/lnrpc.")

        async def answer(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            return await self._server.handle(method, request, context)

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def lnd(replies: Replies) -> AsyncIterator[tuple[client.Lnd, Server, int]]:
    server, listener = Server(replies), grpc.aio.server()
    listener.add_generic_rpc_handlers((Handler(server),))
    port = listener.add_secure_port("localhost:0", grpc.ssl_server_credentials([(LEAF.key, LEAF.certificate)]))
    await listener.start()
    try:
        async with connection.connect(f"localhost:{port}", CA.certificate) as node:
            yield node, server, port
    finally:
        await listener.stop(None)


async def refusal(question: Awaitable[object]) -> Interrupted:
    with pytest.raises(Interrupted) as stop:
        await question
    return stop.value


@pytest.mark.parametrize("state", State)
async def test_every_state_has_lnd_s_own_name(state: State) -> None:
    reply = pb.GetStateResponse(state=state.value)
    async with lnd({"State/GetState": reply}) as (node, server, _):
        assert await node.state() == state
        assert server.asked == [("State/GetState", b"", None)]


async def test_a_state_of_a_newer_lnd_is_no_answer_we_know() -> None:
    async with lnd({"State/GetState": pb.GetStateResponse.FromString(b"\x08\x63")}) as (node, _, _):
        stop = await refusal(node.state())
        assert isinstance(stop.finding.policy, Transient)
        assert "99" in stop.finding.message


async def test_info_carries_the_macaroon_as_hex() -> None:
    reply = pb.GetInfoResponse(
        identity_pubkey="02aa", version="0.21.2", synced_to_chain=True, block_height=7, num_active_channels=1,
        num_inactive_channels=2, num_pending_channels=3, num_peers=4,
    )  # fmt: skip
    async with lnd({"Lightning/GetInfo": reply}) as (node, server, _):
        assert await node.info(MACAROON) == Info("02aa", "0.21.2", synced=True, block_height=7, active=1, inactive=2,
                                                 pending=3, peers=4)  # fmt: skip
        assert server.asked[0][2] == MACAROON.hex()


async def test_funds_and_channels_are_put_together_from_four_answers() -> None:
    pending = pb.PendingChannelsResponse(
        total_limbo_balance=6,
        pending_open_channels=[{"channel": {"channel_point": "opening:0"}}],
        waiting_close_channels=[{"channel": {"channel_point": "waiting:0"}}],
        pending_force_closing_channels=[{"channel": {"channel_point": "forced:0"}}],
    )
    replies: Replies = {
        "Lightning/WalletBalance": pb.WalletBalanceResponse(
            confirmed_balance=1, unconfirmed_balance=2, locked_balance=3
        ),
        "Lightning/ChannelBalance": pb.ChannelBalanceResponse(
            local_balance={"sat": 4}, remote_balance={"sat": 5}, unsettled_local_balance={"sat": 7},
            pending_open_local_balance={"sat": 8},
        ),
        "Lightning/ListChannels": pb.ListChannelsResponse(
            channels=[
                {"channel_point": "open:1", "active": True, "commit_fee": 9, "initiator": True,
                 "remote_pubkey": "02bb", "capacity": 100, "local_balance": 40, "remote_balance": 30,
                 "unsettled_balance": 10,
                 "local_constraints": {"chan_reserve_sat": 1}, "remote_constraints": {"chan_reserve_sat": 2},
                 "pending_htlcs": [{"amount": 1, "expiration_height": 900, "hash_lock": b"h", "incoming": True}]},
                {"channel_point": "hidden:0", "private": True, "commit_fee": 9},
                {"channel_point": "away:0", "private": True, "local_balance": 50, "remote_balance": 50},
                {"channel_point": "low:0", "private": True, "active": True, "local_balance": 5, "remote_balance": 6,
                 "local_constraints": {"chan_reserve_sat": 7}, "remote_constraints": {"chan_reserve_sat": 7}},
            ]
        ),
        "Lightning/PendingChannels": pending,
    }  # fmt: skip
    async with lnd(replies) as (node, _, _):
        funds, channels = await node.funds_and_channels(MACAROON)
    assert funds == Funds(1, 2, 3, 4, 5, 7, 8, 6, 9)
    assert funds.own_sat == 1 + 2 + 3 + 4 + 7 + 8 + 6
    assert channels == Channels(
        frozenset({"open:1", "hidden:0", "away:0", "low:0"}),
        frozenset({"opening:0"}),
        frozenset({"waiting:0", "forced:0"}),
        active=frozenset({"open:1", "low:0"}),
        public=frozenset({"open:1"}),
        htlcs=(Htlc("open:1", incoming=True, amount_sat=1, expiry_height=900, payment_hash=b"h".hex()),),
        stakes={
            "open:1": Stake("02bb", 40, 20),
            "hidden:0": Stake("", 0, 0),
            "away:0": Stake("", 50),
            "low:0": Stake("", 5),
        },
        sendable_sat=39,
        receivable_sat=28,
    )
    assert channels.to_back_up == {"open:1", "hidden:0", "away:0", "low:0", "opening:0"}


async def test_what_the_network_is_told_of_a_channel_is_read_from_our_own_direction() -> None:
    edge = pb.ChannelEdge(node1_pub="them", node2_pub="us", node1_policy={}, node2_policy={"disabled": True})
    async with lnd({"Lightning/GetChanInfo": edge}) as (node, server, _):
        assert await node.announced(MACAROON, "us", ["aa:0"]) == Announced(disabled=frozenset({"aa:0"}))
        assert await node.announced(MACAROON, "them", ["aa:0"]) == Announced(enabled=frozenset({"aa:0"}))
        assert await node.announced(MACAROON, "another", ["aa:0"]) == Announced()
        assert pb.ChanInfoRequest.FromString(server.asked[0][1]).chan_point == "aa:0"
        server.replies["Lightning/GetChanInfo"] = pb.ChannelEdge(node1_pub="us", node2_pub="them")
        assert await node.announced(MACAROON, "us", ["aa:0"]) == Announced()
        server.replies["Lightning/GetChanInfo"] = (grpc.StatusCode.NOT_FOUND, "edge not found")
        assert await node.announced(MACAROON, "us", ["aa:0"]) == Announced()
        server.replies["Lightning/GetChanInfo"] = (grpc.StatusCode.UNAVAILABLE, "later")
        await refusal(node.announced(MACAROON, "us", ["aa:0"]))


@pytest.mark.parametrize("use", Use)
async def test_a_channel_is_announced_as_lnd_names_it(use: Use) -> None:
    async with lnd({"/routerrpc.Router/UpdateChanStatus": pb.UpdateChanStatusResponse()}) as (node, server, _):
        await node.announce(MACAROON, "aa:7", use)
        request = pb.UpdateChanStatusRequest.FromString(server.asked[0][1])
    assert (request.chan_point.funding_txid_str, request.chan_point.output_index) == ("aa", 7)
    assert pb.ChanStatusAction.Name(request.action) == use


@pytest.mark.parametrize(("mode", "finished", "is_so"), [(0, 0, False), (1, 0, True), (1, 1, False)])
async def test_a_recovery_that_has_ended_is_none(mode: int, finished: int, is_so: bool) -> None:  # noqa: FBT001
    reply = pb.GetRecoveryInfoResponse(recovery_mode=bool(mode), recovery_finished=bool(finished))
    async with lnd({"Lightning/GetRecoveryInfo": reply}) as (node, _, _):
        assert await node.is_recovering(MACAROON) is is_so


def begun(late: int) -> int:
    return int(NOW.timestamp() + late) * 10**9


async def test_what_was_sent_counts_by_its_end_what_may_yet_be_sent_and_not_what_failed() -> None:
    ended, before = ({"resolve_time_ns": int(NOW.timestamp() + late) * 10**9} for late in (0, -2))
    payments = [
        {"value_msat": 20_000, "status": pb.Payment.IN_FLIGHT, "htlcs": [{}], "creation_time_ns": begun(-121)},
        {"value_msat": 1000, "fee_msat": 10, "status": pb.Payment.SUCCEEDED, "htlcs": [before, ended]},
        {"value_msat": 100_000, "status": pb.Payment.SUCCEEDED, "htlcs": [before]},
        {"value_msat": 500, "status": pb.Payment.IN_FLIGHT, "htlcs": [before, {}]},
        {"value_msat": 7, "status": pb.Payment.FAILED, "htlcs": [ended]},
    ]
    payments = [{"creation_time_ns": begun(-120), **one} for one in payments]
    async with lnd({"Lightning/ListPayments": pb.ListPaymentsResponse(payments=payments)}) as (node, server, _):
        assert await node.sent_msat(MACAROON, NOW) == 1510
        request = pb.ListPaymentsRequest.FromString(server.asked[0][1])
    assert (request.include_incomplete, request.reversed) == (True, True)


async def test_what_was_sent_is_asked_for_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    one = {"value_msat": 1, "status": pb.Payment.IN_FLIGHT, "creation_time_ns": begun(0)}
    pages = iter(
        [pb.ListPaymentsResponse(payments=[one] * n, first_index_offset=at) for n, at in ((2, 9), (2, 7), (0, 0))]
    )

    async def page() -> pb.ListPaymentsResponse:
        return next(pages)

    async with lnd({"Lightning/ListPayments": page}) as (node, server, _):
        assert await node.sent_msat(MACAROON, NOW) == 4
    asked = [pb.ListPaymentsRequest.FromString(request) for _, request, _ in server.asked]
    assert [(one.index_offset, one.max_payments) for one in asked] == [(0, 2), (9, 2), (7, 2)]


async def test_a_long_history_is_not_read_beyond_what_can_have_cost_anything_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    page = [{"value_msat": 1, "status": pb.Payment.IN_FLIGHT, "creation_time_ns": begun(late)} for late in (-900, 0)]
    reply = pb.ListPaymentsResponse(payments=page, first_index_offset=4000)
    async with lnd({"Lightning/ListPayments": reply}) as (node, server, _):
        assert await node.sent_msat(MACAROON, NOW) == 1
    assert len(server.asked) == 1


async def test_a_wallet_is_made_with_everything_and_without_macaroon_files() -> None:
    async with lnd({"WalletUnlocker/InitWallet": pb.InitWalletResponse()}) as (node, server, _):
        await node.init_wallet(b"password", SEED, b"r" * 32, 2500)
        request = pb.InitWalletRequest.FromString(server.asked[0][1])
    assert (request.wallet_password, tuple(request.cipher_seed_mnemonic)) == (b"password", SEED)
    assert (request.macaroon_root_key, request.recovery_window) == (b"r" * 32, 2500)
    assert request.stateless_init


async def test_a_seed_a_backup_a_macaroon_and_history_come_back_as_they_are() -> None:
    snapshot = pb.ChanBackupSnapshot(multi_chan_backup={"multi_chan_backup": b"sealed"})
    replies: Replies = {
        "WalletUnlocker/GenSeed": pb.GenSeedResponse(cipher_seed_mnemonic=SEED),
        "Lightning/ExportAllChannelBackups": snapshot,
        "Lightning/VerifyChanBackup": pb.VerifyChanBackupResponse(chan_points=["open:1"]),
        "Lightning/BakeMacaroon": pb.BakeMacaroonResponse(macaroon="0201"),
        "Lightning/ClosedChannels": pb.ClosedChannelsResponse(channels=[{"channel_point": "gone:0"}]),
    }
    async with lnd(replies) as (node, server, _):
        assert await node.gen_seed() == SEED
        assert await node.export_backup(MACAROON) == (b"sealed", frozenset({"open:1"}))
        assert await node.bake(MACAROON, [Permission("uri", "/x")], 7) == b"\x02\x01"
        assert await node.closed(MACAROON) == {"gone:0"}
        sent = {method: request for method, request, _ in server.asked}
    assert pb.ChanBackupSnapshot.FromString(sent["Lightning/VerifyChanBackup"]) == snapshot
    baked = pb.BakeMacaroonRequest.FromString(sent["Lightning/BakeMacaroon"])
    assert ([(one.entity, one.action) for one in baked.permissions], baked.root_key_id) == ([("uri", "/x")], 7)


async def test_a_backup_is_read_and_one_that_is_none_has_no_channels() -> None:
    async with lnd({"Lightning/VerifyChanBackup": pb.VerifyChanBackupResponse(chan_points=["open:1"])}) as (
        node,
        server,
        _,
    ):
        assert await node.channels_in(MACAROON, b"sealed") == {"open:1"}
        ((_, request, _),) = server.asked
    assert pb.ChanBackupSnapshot.FromString(request).multi_chan_backup.multi_chan_backup == b"sealed"
    for code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INVALID_ARGUMENT):
        async with lnd({"Lightning/VerifyChanBackup": (code, "invalid multi channel backup")}) as (node, _, _):
            assert await node.channels_in(MACAROON, b"sealed") == frozenset()
    async with lnd({"Lightning/VerifyChanBackup": (grpc.StatusCode.UNAVAILABLE, "")}) as (node, _, _):
        assert (await refusal(node.channels_in(MACAROON, b"sealed"))).finding.reason == "LndSilent"


#: LND's own words, as v0.21.2 gave them, and what they mean for us.
WORDS = {
    "verification failed: signature mismatch after caveat verification": ("MacaroonRefused", Stalled),
    "cannot get macaroon: root key with id 0 doesn't exist": ("MacaroonRefused", Stalled),
    "cannot retrieve macaroon: cannot get macaroon: macaroon store is locked": ("LndSilent", Transient),
    'caveat "time-before 2026-11-21T09:33:35Z" not satisfied: macaroon has expired': ("LndSilent", Transient),
    "permission denied": ("LndSilent", Transient),
    "the RPC server is in the process of starting up, but not yet ready to accept calls": ("LndSilent", Transient),
}


@pytest.mark.parametrize("words", WORDS)
async def test_only_a_foreign_root_key_means_a_foreign_seed(words: str) -> None:
    async with lnd({"Lightning/GetInfo": (grpc.StatusCode.UNKNOWN, words)}) as (node, _, _):
        stop = await refusal(node.info(MACAROON))
    assert (stop.finding.reason, type(stop.finding.policy)) == WORDS[words]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("word word7 isn't a part of default word list (index=7)", "SeedRefused"),
        ("mnemonic phrase checksum doesn't match", "SeedRefused"),
        ("invalid passphrase word7", "SeedRefused"),
        ("wallet already exists word7", "LndSilent"),
    ],
)
async def test_what_lnd_says_of_a_seed_is_never_passed_on(words: str, expected: str) -> None:
    async with lnd({"WalletUnlocker/InitWallet": (grpc.StatusCode.UNKNOWN, words)}) as (node, _, _):
        stop = await refusal(node.init_wallet(b"password", SEED, b"r" * 32, 0))
    assert stop.finding.reason == expected
    assert "word7" not in stop.finding.message
    assert stop.__cause__ is None


async def test_nobody_there_is_silence() -> None:
    async with connection.connect("localhost:1", CA.certificate) as node:
        stop = await refusal(node.state())
    assert stop.finding.reason == "LndSilent"
    assert "nothing is concluded" in stop.finding.message


async def test_a_certificate_of_another_authority_is_silence() -> None:
    other = signing.make_authority("other", NOW)
    async with (
        lnd({"State/GetState": pb.GetStateResponse()}) as (_, _, port),
        connection.connect(f"localhost:{port}", other.certificate) as node,
    ):
        stop = await refusal(node.state())
    assert stop.finding.reason == "LndSilent"


async def test_an_lnd_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE", 0.2)
    release = asyncio.Event()

    async def hang() -> pb.GetStateResponse:
        await release.wait()
        return pb.GetStateResponse()

    async with lnd({"State/GetState": hang}) as (node, _, _):
        stop = await refusal(node.state())
        release.set()
    assert "DEADLINE_EXCEEDED" in stop.finding.message


async def test_the_certificate_that_is_shown_is_read_without_trust() -> None:
    async with lnd({}) as (_, _, port):
        shown = await client.presented("localhost", port)
    assert shown is not None
    read = pki.read_certificate(shown, pki.read_bundle(CA.certificate))
    assert read == pki.read_certificate(LEAF.certificate, pki.read_bundle(CA.certificate))


async def test_where_nobody_shows_a_certificate_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await client.presented("localhost", 1) is None
    monkeypatch.setattr(client, "DEADLINE", 0.2)
    visitors: list[asyncio.StreamWriter] = []
    mute = await asyncio.start_server(lambda _reader, writer: visitors.append(writer), "localhost", 0)
    async with mute:
        port = mute.sockets[0].getsockname()[1]
        assert await client.presented("localhost", port) is None
        for visitor in visitors:
            visitor.close()
            await visitor.wait_closed()


async def test_many_visits_leave_no_connection_behind() -> None:
    def tasks() -> int:
        gc.collect()
        return len(asyncio.all_tasks())

    async with lnd({"State/GetState": pb.GetStateResponse()}) as (node, server, port):
        await node.state()
        before = tasks()
        for _ in range(20):
            async with connection.connect(f"localhost:{port}", CA.certificate) as visit:
                await visit.state()
        async with asyncio.timeout(5):  # the server's side of a closed connection ends a moment later
            while tasks() > before:  # noqa: ASYNC110 - nobody tells when a task of gRPC is gone
                await asyncio.sleep(0.01)
        assert len(server.asked) == 21
