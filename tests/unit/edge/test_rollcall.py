import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bankstack.edge import rollcall
from bankstack.edge.rollcall import RollCall
from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.objects import SECRET, Type
from bankstack.kinds.table import KINDS


class ApiServer:
    """What is installed and what may be listed."""

    def __init__(self) -> None:
        self.plurals = frozenset(kind.type.plural for kind in KINDS) | {"changeplans", "planapprovals"}
        self.forbidden: set[tuple[str, str]] = set()
        self.away = False
        self.asked: list[tuple[str, str, str, int]] = []

    async def served(self, api_version: str) -> frozenset[str]:
        assert api_version == "bankstack.io/v1alpha1"
        if self.away:
            raise Interrupted(Finding("ApiUnavailable", "no answer", Transient()))
        return self.plurals

    async def names(self, of: Type, namespace: str, labels: str, most: int) -> tuple[str, ...]:
        self.asked.append((of.plural, namespace, labels, most))
        if (of.plural, namespace) in self.forbidden:
            raise Interrupted(Finding("Forbidden", f"may not list {of.plural} in {namespace}", Transient()))
        return ("lnd1",) if of.kind == "LndNode" else ()


class Loop:
    kinds = KINDS

    def __init__(self) -> None:
        self.changes: list[tuple[Any, ...]] = []

    def changed(self, of: Type, *where: str) -> None:
        self.changes.append((of.kind, *where))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollcall, "AGAIN_SECONDS", 0.001)


def roll(server: ApiServer, loop: Loop) -> RollCall:
    return RollCall(loop, server, ("bank", "bank-2"))  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - any number of rounds may pass
            await asyncio.sleep(0.001)


async def test_a_crd_that_comes_later_is_waited_for_and_missed_aloud_once(caplog: pytest.LogCaptureFixture) -> None:
    server = ApiServer()
    server.plurals -= {"lndnodes"}
    call = roll(server, Loop())
    with caplog.at_level(logging.WARNING):
        waiting = asyncio.create_task(call.definitions())
        await until(lambda: "lndnodes" in (call.missing or ""))
        await asyncio.sleep(0.02)
    assert not waiting.done()
    assert len(caplog.records) == 1
    server.plurals |= {"lndnodes"}
    await until(waiting.done)
    assert call.missing is None


async def test_an_api_server_that_is_away_is_no_missing_crd() -> None:
    server = ApiServer()
    server.away = True
    call = roll(server, Loop())
    waiting = asyncio.create_task(call.definitions())
    await until(lambda: call.missing == "no answer")
    server.away = False
    await until(waiting.done)


async def test_everything_is_listed_in_every_namespace_and_resources_are_looked_at_at_once() -> None:
    server, loop = ApiServer(), Loop()
    await roll(server, loop).everything()
    assert loop.changes == [("LndNode", "bank", "lnd1"), ("LndNode", "bank-2", "lnd1")]
    assert ("secrets", "bank", "", 1) in server.asked
    assert ("lndnodes", "bank-2", "", 0) in server.asked


async def test_a_namespace_without_its_role_keeps_the_process_unready_but_no_other_namespace_waiting() -> None:
    server, loop = ApiServer(), Loop()
    server.forbidden = {(SECRET.plural, "bank-2")}
    call = roll(server, loop)
    assert call.missing is not None
    listing = asyncio.create_task(call.everything())
    await until(lambda: call.missing == "may not list secrets in bank-2")
    assert ("LndNode", "bank", "lnd1") in loop.changes
    server.forbidden = set()
    await until(listing.done)
    assert call.missing is None
    assert server.asked.count(("secrets", "bank", "", 1)) == 1, "what was listed is not asked for again"
