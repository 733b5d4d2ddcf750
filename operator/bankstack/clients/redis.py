"""Redis and Sentinel as typed answers. It decides nothing, writes nothing and keeps no connection.

Every question ends within BOUND seconds, in an answer or in Unknown with the reason:
a Redis that does not answer is not a Redis that said no (law 3). Only questions are
asked: electing a master is Sentinel's business alone (law 6).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import TimeoutError as TookTooLong

from bankstack.clients.dialing import absolute
from bankstack.engine.finding import Unknown

#: Seconds for one server, all its questions together.
BOUND: Final = 4.0
#: Redis' own words are cut short: they may repeat what was sent.
WORDS_MOST: Final = 120


@dataclass(frozen=True)
class Account:
    """Where a server listens and as whom we ask; a username of None is Redis' default user."""

    host: str
    port: int
    username: str | None
    password: str = field(repr=False)


@dataclass(frozen=True)
class Member:
    """What a Redis says of itself. `master_host` is where a replica copies from, and `in_sync` whether it does."""

    is_master: bool
    replicas: int
    run_id: str
    replication_id: str
    used_memory: int
    policy: str
    persists: bool
    keys: int = 0
    master_host: str | None = None
    in_sync: bool = True


@dataclass(frozen=True)
class View:
    """The master as one Sentinel sees it. `agrees` where enough Sentinels answer for an election."""

    host: str
    port: int
    epoch: int
    is_down: bool
    replicas: int
    others: int
    agrees: bool


@dataclass(frozen=True)
class Refused(Unknown):
    """The server answers, and does not know this user's password."""


async def member(account: Account) -> Member | Unknown:
    """What a Redis says of itself."""
    replies = await _ask(account, [("INFO", "everything")])
    if isinstance(replies, Unknown):
        return replies
    (told,) = replies
    return Unknown(_words(account, told)) if isinstance(told, ResponseError) else _member(_information(told))


async def admits(account: Account) -> bool | Unknown:
    """Whether a server lets this account in; only a refused password is a no."""
    replies = await _ask(account, [("PING",)])
    if not isinstance(replies, Unknown):
        return True
    return False if isinstance(replies, Refused) else replies


async def view(account: Account, master: str) -> View | Unknown:
    """What a Sentinel says of the master."""
    replies = await _ask(account, [("SENTINEL", "MASTER", master), ("SENTINEL", "CKQUORUM", master)])
    if isinstance(replies, Unknown):
        return replies
    told, quorum = replies
    if isinstance(told, ResponseError):
        return Unknown(_words(account, told))
    return _view(_pairs(told), agrees=not isinstance(quorum, ResponseError))


async def _ask(account: Account, questions: Sequence[tuple[str, ...]]) -> list[Any] | Unknown:
    """The replies, an error in the place of a refused one."""
    connection = Connection(
        host=absolute(account.host),
        port=account.port,
        username=account.username,
        password=account.password,
        protocol=2,
        socket_timeout=BOUND,
        socket_connect_timeout=BOUND,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        # Its own name would be looked up on the disk for each connection, and told in two more commands.
        driver_info=None,
    )
    try:
        async with asyncio.timeout(BOUND):
            await connection.connect()  # type: ignore[no-untyped-call]
            # All at once: to a server under load each way there and back is a turn of its own.
            for question in questions:
                await connection.send_command(*question)
            return [await _reply(connection) for _ in questions]
    except (AuthenticationError, AuthenticationWrongNumberOfArgsError) as error:
        return Refused(f"{account.host}:{account.port} does not let the operator in ({type(error).__name__})")
    except NoPermissionError as error:
        return Unknown(f"{account.host}:{account.port} does not let the operator in ({type(error).__name__})")
    except (TimeoutError, TookTooLong):
        return Unknown(f"{account.host}:{account.port} gave no answer within {BOUND:.0f} s")
    except (ConnectionFailed, OSError):
        return Unknown(f"{account.host}:{account.port} takes no connection")
    except RedisError as error:
        return Unknown(_words(account, error))
    finally:
        await _close(connection)


async def _reply(connection: Connection) -> Any:  # noqa: ANN401 - whatever Redis says
    try:
        return await connection.read_response()
    except NoPermissionError:
        raise
    except ResponseError as refused:
        return refused


async def _close(connection: Connection) -> None:
    try:
        await connection.disconnect(nowait=True)
    except (RedisError, OSError):
        # It is gone either way.
        return


def _words(account: Account, error: Exception) -> str:
    return f"{account.host}:{account.port}: {type(error).__name__} {str(error)[:WORDS_MOST]}".rstrip()


def _information(text: str) -> dict[str, str]:
    """INFO's lines."""
    lines = (line.partition(":") for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {key: value for key, _, value in lines}


def _member(told: Mapping[str, str]) -> Member:
    is_master = told.get("role") == "master"
    return Member(
        is_master=is_master,
        replicas=sum(
            "state=online" in value for key, value in told.items() if key.startswith("slave") and "state=" in value
        ),
        run_id=told.get("run_id", ""),
        replication_id=told.get("master_replid", ""),
        used_memory=int(told.get("used_memory", 0)),
        policy=told.get("maxmemory_policy", ""),
        persists=told.get("aof_enabled") == "1",
        keys=sum(_keys(value) for key, value in told.items() if key.startswith("db") and key[2:].isdigit()),
        master_host=None if is_master else told.get("master_host"),
        in_sync=is_master or told.get("master_link_status") == "up",
    )


def _keys(text: str) -> int:
    """Of a line like `db0:keys=3,expires=1,…` the first number."""
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    return int(parts.get("keys", 0))


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _view(told: Mapping[str, str], *, agrees: bool) -> View:
    flags = told.get("flags", "").split(",")
    return View(
        host=told.get("ip", ""),
        port=int(told.get("port", 0)),
        epoch=int(told.get("config-epoch", 0)),
        is_down="s_down" in flags or "o_down" in flags,
        replicas=int(told.get("num-slaves", 0)),
        others=int(told.get("num-other-sentinels", 0)),
        agrees=agrees,
    )
