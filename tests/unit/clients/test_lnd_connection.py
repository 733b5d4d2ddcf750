"""A kept connection: used again while it answers, given up as soon as it may not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import pytest

from bankstack.clients.lnd import connection
from bankstack.clients.lnd import lnd_pb2 as pb
from bankstack.clients.lnd.connection import Kept, dial
from bankstack.engine.finding import Interrupted

from .test_lnd import CA, LEAF, Handler, Replies, Server

STATE = {"State/GetState": pb.GetStateResponse()}


class Counted(Handler):
    """Also knows from how many connections it was asked."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.peers: list[str] = []

    def service(self, call: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - grpc's own
        server, method = self._server, str(call.method).removeprefix("/lnrpc.")

        async def answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            self.peers.append(context.peer())
            return await server.handle(method, request, context)

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def listening(replies: Replies, port: int = 0) -> AsyncIterator[tuple[Counted, str]]:
    """An LND, and its address."""
    handler, listener = Counted(Server(replies)), grpc.aio.server()
    listener.add_generic_rpc_handlers((handler,))
    credentials = grpc.ssl_server_credentials([(LEAF.key, LEAF.certificate)])
    taken = listener.add_secure_port(f"localhost:{port}", credentials)
    await listener.start()
    try:
        yield handler, f"localhost:{taken}"
    finally:
        await listener.stop(None)


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[grpc.aio.Channel]:
    """Every channel that was made."""
    made: list[grpc.aio.Channel] = []

    def remembering(address: str, roots: bytes) -> grpc.aio.Channel:
        made.append(dial(address, roots))
        return made[-1]

    monkeypatch.setattr(connection, "dial", remembering)
    return made


def is_closed(channel: grpc.aio.Channel) -> bool:
    return channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def asked(kept: Kept, address: str) -> None:
    """As a look does: silence ends nothing."""
    async with kept.connect(address, CA.certificate) as lnd:
        with suppress(Interrupted):
            await lnd.state()


async def test_questions_that_follow_each_other_go_over_one_connection() -> None:
    kept = Kept()
    async with listening(STATE) as (lnd, address):
        for _ in range(5):
            await asked(kept, address)
        assert len(set(lnd.peers)) == 1


async def test_two_at_once_have_one_each_and_one_is_kept(dialled: list[grpc.aio.Channel]) -> None:
    kept = Kept()
    async with listening(STATE) as (lnd, address):
        await asyncio.gather(asked(kept, address), asked(kept, address))
        await asked(kept, address)
        assert len(set(lnd.peers)) == len(dialled) == 2
        assert sorted(map(is_closed, dialled)) == [False, True]


async def test_one_that_was_not_asked_for_a_while_is_closed(dialled: list[grpc.aio.Channel]) -> None:
    kept = Kept(idle=0.0)
    async with listening(STATE) as (_, address):
        await asked(kept, address)
        async with asyncio.timeout(5):
            while not is_closed(dialled[0]):  # noqa: ASYNC110 - nobody tells when a channel is closed
                await asyncio.sleep(0.001)
        await asked(kept, address)
        assert len(dialled) == 2


async def test_none_is_kept_longer_than_its_life_however_often_it_is_asked(dialled: list[grpc.aio.Channel]) -> None:
    kept = Kept(life=0.0)
    async with listening(STATE) as (_, address):
        for _ in range(3):
            await asked(kept, address)
        assert list(map(is_closed, dialled)) == [True, True, False]


async def test_one_that_gave_no_answer_is_closed_and_not_asked_again(dialled: list[grpc.aio.Channel]) -> None:
    kept = Kept()
    async with listening({"State/GetState": (grpc.StatusCode.UNAVAILABLE, "")}) as (_, address):
        for _ in range(2):
            await asked(kept, address)
        assert list(map(is_closed, dialled)) == [True, True]


async def test_an_lnd_that_was_restarted_is_asked_over_a_new_one_at_once(dialled: list[grpc.aio.Channel]) -> None:
    kept = Kept()
    async with listening(STATE) as (_, address):
        await asked(kept, address)
    async with listening(STATE, int(address.rpartition(":")[2])) as (lnd, address):
        await asked(kept, address)
        assert len(lnd.peers) == 1
        assert list(map(is_closed, dialled)) == [True, False]


async def test_whom_to_trust_is_part_of_it() -> None:
    kept = Kept()
    async with listening(STATE) as (lnd, address):
        await asked(kept, address)
        async with kept.connect(address, CA.certificate + b"\n") as other:
            await other.state()
        assert len(set(lnd.peers)) == 2
