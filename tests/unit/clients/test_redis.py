"""Redis' and Sentinel's answers against a server that says what the story wants."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bankstack.clients import redis
from bankstack.clients.redis import Account, Member, View
from bankstack.engine.finding import Unknown

PASSWORD = "planted-pass-7f3a"  # noqa: S105 - planted, to be looked for
INFO = """# Server
run_id:abc
# Memory
used_memory:1024
maxmemory_policy:noeviction
# Persistence
aof_enabled:1
# Replication
role:master
connected_slaves:2
slave0:ip=a,port=6379,state=online,offset=1,lag=0
slave1:ip=b,port=6379,state=wait_bgsave,offset=0,lag=0
master_replid:def
# Keyspace
db0:keys=3,expires=1,avg_ttl=5
db1:keys=2,expires=0,avg_ttl=0
""".replace("\n", "\r\n")
REPLICA = "role:slave\r\nmaster_host:m\r\nmaster_link_status:down\r\n"
TOLD = ("name", "mymaster", "ip", "m", "port", "6379", "flags", "master,o_down", "config-epoch", "7",
        "num-slaves", "2", "num-other-sentinels", "2")  # fmt: skip


def bulk(text: str) -> str:
    return f"${len(text)}\r\n{text}\r\n"


def array(*words: str) -> str:
    return f"*{len(words)}\r\n" + "".join(map(bulk, words))


@asynccontextmanager
async def serving(answers: Mapping[str, str | None]) -> AsyncIterator[Account]:
    """A server that answers by a command's first words; None is silence, and OK where nothing is said."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while words := await _command(reader):
            line = " ".join(words)
            answer = next((said for start, said in answers.items() if line.startswith(start)), "+OK\r\n")
            if answer is not None:
                writer.write(answer.encode())
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Account("127.0.0.1", server.sockets[0].getsockname()[1], "operator", PASSWORD)
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def _command(reader: asyncio.StreamReader) -> list[str]:
    head = await reader.readline()
    if not head:
        return []
    words = []
    for _ in range(int(head[1:])):
        size = int((await reader.readline())[1:])
        words.append((await reader.readexactly(size + 2))[:-2].decode())
    return words


async def test_a_master_tells_who_follows_it() -> None:
    async with serving({"INFO": bulk(INFO)}) as account:
        found = await redis.member(account)
    assert found == Member(
        is_master=True, replicas=1, run_id="abc", replication_id="def", used_memory=1024, policy="noeviction",
        persists=True, keys=5, master_host=None, in_sync=True,
    )  # fmt: skip


async def test_a_replica_tells_whom_it_follows_and_that_it_does_not() -> None:
    async with serving({"INFO": bulk(REPLICA)}) as account:
        found = await redis.member(account)
    assert isinstance(found, Member)
    assert (found.is_master, found.master_host, found.in_sync) == (False, "m", False)


async def test_a_sentinel_tells_whom_it_takes_for_the_master() -> None:
    seen = View("m", 6379, epoch=7, is_down=True, replicas=2, others=2, agrees=True)
    async with serving({"SENTINEL MASTER": array(*TOLD), "SENTINEL CKQUORUM": "+OK 3 usable\r\n"}) as account:
        assert await redis.view(account, "mymaster") == seen
    async with serving({"SENTINEL MASTER": array(*TOLD), "SENTINEL CKQUORUM": "-NOQUORUM 1 usable\r\n"}) as account:
        assert await redis.view(account, "mymaster") == replace(seen, agrees=False)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"AUTH": "-WRONGPASS invalid\r\n"}, "does not let the operator in"),
        ({"INFO": "-NOPERM no permissions\r\n"}, "does not let the operator in"),
        ({"INFO": "-MASTERDOWN gone\r\n"}, "gone"),
        ({"SENTINEL MASTER": "-ERR No such master with that name\r\n"}, "No such master"),
    ],
)
async def test_a_refusal_is_unknown_with_its_reason_and_never_the_password(
    answers: Mapping[str, str], told: str
) -> None:
    async with serving(answers) as account:
        ask = redis.view(account, "mymaster") if "SENTINEL MASTER" in answers else redis.member(account)
        found = await ask
    assert isinstance(found, Unknown)
    assert told in found.reason
    assert PASSWORD not in repr(found)
    assert PASSWORD not in repr(account)


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "BOUND", 0.2)
    async with serving({"INFO": None}) as account:
        found = await redis.member(account)
    assert isinstance(found, Unknown)
    assert "no answer" in found.reason


async def test_nobody_there() -> None:
    async with serving({}) as account:
        pass
    found = await redis.member(account)
    assert isinstance(found, Unknown)
    assert "takes no connection" in found.reason


@pytest.mark.parametrize(
    ("answers", "expected"),
    [({}, True), ({"AUTH": "-WRONGPASS invalid\r\n"}, False), ({"PING": "-NOPERM no permissions\r\n"}, Unknown)],
)
async def test_only_a_refused_password_is_a_no(answers: Mapping[str, str], expected: object) -> None:
    async with serving(answers) as account:
        found = await redis.admits(account)
    assert found is expected or type(found) is expected
