"""How an LND is reached: by a connection for one set of questions, or one that is kept some seconds longer.

    async with connect(address, roots) as lnd:
        await lnd.state()

A plan's passes come one upon another, and to an LND under load a new connection costs
more than all that is asked over it. Kept is only one that answered everything, and used
again only one that nobody closed meanwhile; a node that goes leaves nothing behind for
longer than that.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import grpc

from bankstack.clients.dialing import absolute
from bankstack.clients.lnd.client import Lnd

#: A large node lists thousands of channels; gRPC's own limit is 4 MiB.
MESSAGE_MOST: Final = 64 * 1024 * 1024
#: Longer than from one pass of a plan to the next, shorter than from one look at a quiet node to the next.
IDLE_SECONDS: Final = 5.0
#: And no longer than this however often it is asked: its address may belong to another process by now.
LIFE_SECONDS: Final = 30.0

#: Address (host:port) and PEM of the authorities.
Place = tuple[str, bytes]


@asynccontextmanager
async def connect(address: str, roots: bytes) -> AsyncIterator[Lnd]:
    """A connection for one set of questions."""
    async with dial(address, roots) as channel:
        yield Lnd(channel, address)


def dial(address: str, roots: bytes) -> grpc.aio.Channel:
    """A channel to be closed."""
    host, _, port = address.rpartition(":")
    options = [
        ("grpc.max_receive_message_length", MESSAGE_MOST),
        ("grpc.enable_http_proxy", 0),
        # Its certificate has the name without the cluster's domain.
        ("grpc.ssl_target_name_override", host),
    ]
    target = f"{absolute(host)}:{port}"
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(roots), options=options)


@dataclass(frozen=True)
class Dialled:
    """A channel, and since when (monotonic, in seconds)."""

    channel: grpc.aio.Channel
    at: float = field(default_factory=time.monotonic)


class Kept:
    """For one event loop. `connect` is a `client.Connect`."""

    def __init__(self, idle: float = IDLE_SECONDS, life: float = LIFE_SECONDS) -> None:
        self._idle, self._life = idle, life
        self._free: dict[Place, tuple[Dialled, asyncio.TimerHandle]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def connect(self, address: str, roots: bytes) -> AsyncIterator[Lnd]:
        """A connection for one set of questions: a kept one, or a new one."""
        place = (address, roots)
        dialled = await self._taken(place) or Dialled(dial(address, roots))
        lnd = Lnd(dialled.channel, address)
        answered = False
        try:
            yield lnd
            answered = lnd.answered_all
        finally:
            if answered and place not in self._free:
                self._keep(place, dialled)
            else:
                await dialled.channel.close()

    async def _taken(self, place: Place) -> "Dialled | None":
        if place not in self._free:
            return None
        dialled, expiry = self._free.pop(place)
        expiry.cancel()
        is_open = dialled.channel.get_state() is grpc.ChannelConnectivity.READY
        if is_open and time.monotonic() - dialled.at < self._life:
            return dialled
        await dialled.channel.close()
        return None

    def _keep(self, place: Place, dialled: "Dialled") -> None:
        expiry = asyncio.get_running_loop().call_later(self._idle, self._expire, place)
        self._free[place] = (dialled, expiry)

    def _expire(self, place: Place) -> None:
        dialled, _ = self._free.pop(place)
        closing = asyncio.ensure_future(dialled.channel.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
