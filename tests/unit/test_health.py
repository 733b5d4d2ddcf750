import asyncio
import socket
from collections.abc import Mapping

import aiohttp
import pytest

from bankstack import health
from bankstack.engine.metrics import Metrics
from bankstack.health import Health, Heartbeat


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        assert response.status == 404 or response.headers["Connection"] == "close"
        return response.status, await response.text()


async def test_the_kubelet_gets_a_yes_or_a_no_with_its_reason_and_prometheus_the_series() -> None:
    problems: dict[str, str | None] = {"live": None, "ready": "the Role is missing"}
    metrics, ports = Metrics(), (free_port(), free_port())
    metrics.called("get", "Pod", 200)
    answers = Health(metrics, lambda: problems["live"], lambda: problems["ready"])
    async with answers.served(*ports):
        assert await get(ports[0], "/livez") == (200, "ok\n")
        assert await get(ports[0], "/readyz") == (503, "the Role is missing\n")
        problems.update(live="a worker has died", ready=None)
        assert await get(ports[0], "/livez") == (503, "a worker has died\n")
        assert await get(ports[0], "/readyz") == (200, "ok\n")
        code, text = await get(ports[1], "/metrics")
        assert (code, 'bankstack_api_requests_total{code="200",kind="Pod",verb="get"} 1.0' in text) == (200, True)
        assert (await get(ports[0], "/metrics"))[0] == 404


async def test_the_heartbeat_gets_old_while_the_loop_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TICK_SECONDS", 0.001)
    now, metrics = [100.0], Metrics()
    heartbeat = Heartbeat(metrics, clock=lambda: now[0])
    beating = asyncio.create_task(heartbeat.beat())
    now[0] = 170.0
    assert heartbeat.age == 70
    async with asyncio.timeout(5):
        while heartbeat.age:  # noqa: ASYNC110 - the next tick is what is waited for
            await asyncio.sleep(0)
    now[0] = 170.9
    async with asyncio.timeout(5):
        while heartbeat.age:  # noqa: ASYNC110 - the next tick is what is waited for
            await asyncio.sleep(0)
    beating.cancel()
    assert (metrics.registry.get_sample_value("bankstack_loop_lag_seconds_sum") or 0) > 0.8


async def test_a_page_is_answered_beside_the_metrics() -> None:
    async def page(asked: Mapping[str, str]) -> tuple[int, str]:
        return 200, f"hello {asked['name']}"

    ports = free_port(), free_port()
    async with Health(Metrics(), lambda: None, lambda: None, {"/hello/{name}": page}).served(*ports):
        assert await get(ports[1], "/hello/bank") == (200, "hello bank")
        assert (await get(ports[0], "/hello/bank"))[0] == 404
