"""The process's order: what starts when, and above all what ends before what."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from tests.unit.test_health import free_port, get

from bankstack import __main__ as process
from bankstack.__main__ import Process
from bankstack.engine import lease as lease_module
from bankstack.engine.loop import Loop
from bankstack.engine.metrics import Metrics
from bankstack.engine.objects import Manifest, Ref, Type
from bankstack.engine.operation import Risk
from bankstack.kinds.table import KINDS
from bankstack.kube.connection import Credentials
from bankstack.settings import Settings


class Cluster:
    """An API server with a lease, our CRDs and no resources; it notes what the process did in its order."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.version = 0
        self.plurals = frozenset(kind.type.plural for kind in KINDS) | {"changeplans", "planapprovals"}
        self.did: list[str] = []

    async def get(self, _ref: Ref, _namespace: str) -> Manifest | None:
        return self.lease

    async def create(self, manifest: Manifest, _namespace: str) -> Manifest | None:
        return self._write(manifest)

    async def replace(self, manifest: Manifest, _namespace: str) -> Manifest | None:
        return self._write(manifest)

    async def served(self, _api_version: str) -> frozenset[str]:
        return self.plurals

    async def names(self, _of: Type, _namespace: str, _labels: str, _most: int) -> tuple[str, ...]:
        return ()

    def _write(self, manifest: Manifest) -> Manifest:
        self.version += 1
        self.lease = manifest | {"metadata": {**manifest["metadata"], "resourceVersion": str(self.version)}}
        if not self.holder:
            self.did.append("lease released")
        return self.lease

    @property
    def holder(self) -> str:
        return str(self.lease["spec"]["holderIdentity"]) if self.lease else ""


class Story:
    """One process in its world."""

    def __init__(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster = cluster
        self.watching = asyncio.Event()
        self.watch_ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ports = (free_port(), free_port(), free_port())
        health, metrics, alerts = self.ports
        chosen = Settings(
            namespaces=("bank",), identity="pod-1", health_port=health, metrics_port=metrics, alerts_port=alerts
        )
        monkeypatch.setattr(process, "watch", self._watch)
        monkeypatch.setattr(Loop, "stop", self._stop)
        self.process = Process(chosen, cluster, Metrics(), login)  # type: ignore[arg-type]
        self.running = asyncio.create_task(self.process.run())

    async def _watch(self, _loop: Loop, namespaces: Any, _login: Any, started: Callable[[], None]) -> None:  # noqa: ANN401 - kopf's place
        assert namespaces == ("bank",)
        started()
        self.watching.set()
        try:
            await self.watch_ends
        except asyncio.CancelledError:
            self.cluster.did.append("watching ended")
            raise

    async def _stop(self, grace: float) -> None:
        assert grace == Settings().grace
        self.cluster.did.append("workers ended")

    async def code(self) -> int:
        async with asyncio.timeout(10):
            return await self.running


async def login() -> Credentials:
    raise AssertionError("kopf alone logs in")


@pytest.fixture
async def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def story(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    story = Story(cluster, monkeypatch)
    yield story
    story.running.cancel()
    await asyncio.gather(story.running, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - any number of rounds may pass
            await asyncio.sleep(0.005)


async def test_told_to_stop_it_finishes_what_it_does_then_gives_up_the_lease_and_listens_no_more(story: Story) -> None:
    await story.watching.wait()
    await until(lambda: story.cluster.holder == "pod-1")
    signal.raise_signal(signal.SIGTERM)
    assert await story.code() == 0
    assert story.cluster.did == ["workers ended", "lease released", "watching ended"]


async def test_when_watching_ends_by_itself_the_process_does_too(story: Story) -> None:
    await story.watching.wait()
    story.watch_ends.set_exception(RuntimeError("the stream broke"))
    assert await story.code() == 1
    assert story.cluster.did == ["workers ended", "lease released"]


async def test_a_standby_is_ready_and_reads_nothing_but_the_lease(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.lease = {"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": "pod-2"}}
    story = Story(cluster, monkeypatch)
    await until(lambda: story.process._lease.holder == "pod-2")  # noqa: SLF001 - it stands by
    assert await get(story.ports[0], "/readyz") == (200, "ok\n")
    assert await get(story.ports[0], "/livez") == (200, "ok\n")
    assert not story.watching.is_set()
    signal.raise_signal(signal.SIGINT)
    assert await story.code() == 0
    assert cluster.did == []


async def test_a_leader_without_its_crds_is_live_but_not_ready(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.plurals = frozenset()
    story = Story(cluster, monkeypatch)
    await until(lambda: cluster.holder == "pod-1")
    code, text = await get(story.ports[0], "/readyz")
    assert (code, "CustomResourceDefinition" in text or "has not been listed" in text) == (503, True)
    assert (await get(story.ports[0], "/livez"))[0] == 200
    assert not story.watching.is_set()
    signal.raise_signal(signal.SIGTERM)
    assert await story.code() == 0


async def test_alerts_are_answered_by_a_standby_too(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.lease = {"metadata": {"resourceVersion": "7"}, "spec": {"holderIdentity": "pod-2"}}
    story = Story(cluster, monkeypatch)
    await until(lambda: story.process._lease.holder == "pod-2")  # noqa: SLF001 - it stands by
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{story.ports[2]}/alerts") as answer:
        assert (answer.status, "there is no token" in await answer.text()) == (503, True)
    signal.raise_signal(signal.SIGTERM)
    assert await story.code() == 0


def test_what_an_alert_may_ask_for_is_what_the_kinds_offer() -> None:
    assert process._risk("LndNode", "Restart") is Risk.AMBER  # noqa: SLF001 - as the allow-list is held against it
    assert process._risk("LndNode", "Explode") is None  # noqa: SLF001 - as above
    assert process._risk("Secret", "Restart") is None  # noqa: SLF001 - as above


async def test_a_dead_worker_is_not_live(story: Story) -> None:
    await story.watching.wait()
    story.process._loop._workers[0].cancel()  # noqa: SLF001 - as a defect would
    await until(lambda: not story.process._loop.is_whole)  # noqa: SLF001 - it is dead
    assert await get(story.ports[0], "/livez") == (503, "a worker has died\n")


async def test_a_loop_that_stands_still_is_not_live(story: Story) -> None:
    await story.watching.wait()
    story.process._heartbeat._last -= 61  # noqa: SLF001 - a minute ago
    problem = story.process._not_live()  # noqa: SLF001 - asked before the next tick
    assert problem is not None
    assert "stood still" in problem


async def test_a_lost_lease_ends_the_process_at_once(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    await story.watching.wait()
    monkeypatch.setattr(lease_module.Election, "leads", lambda _self, _now: False)
    await story.process._keep()  # noqa: SLF001 - what its task does
    assert ended == [lease_module.LOST]


def test_a_wrong_setting_ends_it_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BANKSTACK_WORKERS", "none")
    assert process.main() == 2
    assert "BANKSTACK_WORKERS" in capsys.readouterr().err
