"""What the kubelet and Prometheus ask this process.

Live means that the event loop still turns and every worker lives, not that the bank is
well: restarting an operator cures neither a bank nor an API server. Ready means that
it does its part: stand by, or have seen all it looks after.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bankstack.engine.metrics import Metrics

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
#: Older than this, the loop does not turn any more.
STILL_SECONDS: Final = 60.0


#: What a page answers for the words in its path: a code and a text.
Page = Callable[[Mapping[str, str]], Awaitable[tuple[int, str]]]


class Heartbeat:
    """Ticks as long as the event loop turns, and measures how late each tick comes."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._last = clock()

    @property
    def age(self) -> float:
        """Seconds since the last tick."""
        return self._clock() - self._last

    async def beat(self) -> None:
        """Tick for ever."""
        while True:
            due = self._clock() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self._last = self._clock()
            self._metrics.lagged(max(0.0, self._last - due))


class Health:
    """What is asked, and the answers of the moment: None is a yes, a sentence a no."""

    def __init__(
        self,
        metrics: Metrics,
        live: Callable[[], str | None],
        ready: Callable[[], str | None],
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self._metrics = metrics
        self._pages = dict(pages or {})
        self._live = live
        self._ready = ready

    @contextlib.asynccontextmanager
    async def served(self, health_port: int, metrics_port: int) -> AsyncIterator[None]:
        """Answer on both ports as long as the context lasts."""
        async with contextlib.AsyncExitStack() as stack:
            for port, routes in (
                (health_port, {"/livez": self._answer_live, "/readyz": self._answer_ready}),
                (metrics_port, {"/metrics": self._answer_metrics, **self._served_pages()}),
            ):
                app = web.Application()
                app.add_routes([web.get(path, handler) for path, handler in routes.items()])
                runner = web.AppRunner(app, access_log=None)
                await runner.setup()
                stack.push_async_callback(runner.cleanup)
                await web.TCPSite(runner, port=port).start()
            yield

    def _served_pages(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        def served(page: Page) -> Callable[[web.Request], Awaitable[web.Response]]:
            async def answer(request: web.Request) -> web.Response:
                code, text = await page(request.match_info)
                return _closing(web.Response(text=text, status=code))

            return answer

        return {path: served(page) for path, page in self._pages.items()}

    async def _answer_live(self, _request: web.Request) -> web.Response:
        return _told(self._live())

    async def _answer_ready(self, _request: web.Request) -> web.Response:
        return _told(self._ready())

    async def _answer_metrics(self, _request: web.Request) -> web.Response:
        body = generate_latest(self._metrics.registry)
        return _closing(web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST}))


def _told(problem: str | None) -> web.Response:
    if problem is None:
        return _closing(web.Response(text="ok\n"))
    return _closing(web.Response(text=f"{problem}\n", status=web.HTTPServiceUnavailable.status_code))


def _closing(response: web.Response) -> web.Response:
    # A connection kept open is a task kept open, and kopf waits for every task when it stops.
    response.force_close()
    return response
