"""Lists put together: fewer requests, and still no answer older than its question."""

import asyncio
from collections.abc import Collection

import pytest

from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.objects import SECRET, Manifest
from bankstack.kube.together import Line, Together, Values

LINE = Line(SECRET, "bank", ("owner",))


class Server:
    """Answers when it is told to, with what it holds at the moment of the question."""

    def __init__(self) -> None:
        self.asked: list[list[Values]] = []
        self.holds: list[Manifest] = []
        self.fails: Interrupted | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask(self, line: Line, values: Collection[Values]) -> tuple[Manifest, ...]:
        self.asked.append(list(values))
        found = tuple(one for one in self.holds if line.values(one) in values)
        await self.answers.wait()
        if self.fails:
            raise self.fails
        return found

    def make(self, name: str, owner: str) -> None:
        self.holds.append({"metadata": {"name": name, "labels": {"owner": owner}}})


def names(found: Collection[Manifest]) -> list[str]:
    return [one["metadata"]["name"] for one in found]


async def until_asked(server: Server, times: int) -> None:
    async with asyncio.timeout(5):
        while len(server.asked) < times:  # noqa: ASYNC110 - only the turn of the other tasks is waited for
            await asyncio.sleep(0)


async def test_who_asks_alone_is_asked_for_alone() -> None:
    server = Server()
    server.make("a1", "a")
    server.make("b1", "b")
    assert names(await Together(server.ask).list(LINE, ("a",))) == ["a1"]
    assert server.asked == [[("a",)]]


async def test_who_asks_meanwhile_is_answered_by_one_request_that_began_after_all_their_questions() -> None:
    server = Server()
    together = Together(server.ask)
    server.answers.clear()
    first = asyncio.create_task(together.list(LINE, ("a",)))
    await until_asked(server, 1)
    server.make("a1", "a")
    server.make("b1", "b")
    others = [asyncio.create_task(together.list(LINE, (owner,))) for owner in ("a", "b", "c")]
    await asyncio.sleep(0)
    server.answers.set()
    assert names(await first) == [], "it was asked before there was anything"
    assert [names(await one) for one in others] == [["a1"], ["b1"], []]
    assert server.asked == [[("a",)], [("a",), ("b",), ("c",)]]


async def test_other_types_and_namespaces_do_not_wait_for_each_other() -> None:
    server = Server()
    together = Together(server.ask)
    server.answers.clear()
    both = [asyncio.create_task(together.list(Line(SECRET, bank, ("owner",)), ("a",))) for bank in ("east", "west")]
    await until_asked(server, 2)
    server.answers.set()
    assert [await one for one in both] == [(), ()]


async def test_a_failure_is_told_to_all_of_its_round_and_to_nobody_after_it() -> None:
    server = Server()
    together = Together(server.ask)
    server.fails = Interrupted(Finding("ApiServerSilent", "no answer", Transient()))
    server.answers.clear()
    first = asyncio.create_task(together.list(LINE, ("a",)))
    await until_asked(server, 1)
    others = [asyncio.create_task(together.list(LINE, (owner,))) for owner in ("a", "b")]
    await asyncio.sleep(0)
    server.answers.set()
    for one in (first, *others):
        with pytest.raises(Interrupted, match="no answer"):
            await one
    assert len(server.asked) == 2
    server.fails = None
    assert await together.list(LINE, ("a",)) == ()


async def test_a_pass_that_is_cut_off_takes_nobodys_answer_along() -> None:
    server = Server()
    server.make("b1", "b")
    together = Together(server.ask)
    server.answers.clear()
    first = asyncio.create_task(together.list(LINE, ("x",)))
    await until_asked(server, 1)
    asking, waiting = (asyncio.create_task(together.list(LINE, (owner,))) for owner in ("a", "b"))
    await asyncio.sleep(0)
    first.cancel()
    await until_asked(server, 2)
    asking.cancel()
    server.answers.set()
    assert names(await waiting) == ["b1"]
    assert asking.cancelled() or asking.cancelling()
