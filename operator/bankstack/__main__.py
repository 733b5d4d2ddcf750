"""The composition root: settings, client, lease, engine, edge, and their order at the start and at the end.

At the end the order is what matters: take up nothing new, finish what is under way,
only then give the lease to the next, and stop listening last.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client import disable_created_metrics

from bankstack import lean, logs, settings  # noqa: F401 - lean, and first: the others import much less then
from bankstack.alerts.maker import Maker
from bankstack.alerts.receiver import Receiver
from bankstack.alerts.rules import Known
from bankstack.alerts.settings import Files, Watched
from bankstack.edge.rollcall import RollCall
from bankstack.edge.watches import watch
from bankstack.engine.lease import LOST, Election, Lease, Watchdog
from bankstack.engine.loop import Loop, Pace, trace
from bankstack.engine.metrics import Metrics
from bankstack.engine.operation import Risk
from bankstack.health import STILL_SECONDS, Health, Heartbeat
from bankstack.kinds.apideployment import endpoint
from bankstack.kinds.table import KINDS
from bankstack.kube.client import KubeCluster
from bankstack.kube.connection import Credentials, NoWayIn, connect, credentials
from bankstack.plans.desk import Desk
from bankstack.settings import Settings

log = logging.getLogger("bankstack")

LEASE = "bankstack-operator"
#: kopf's tasks only listen: what of them does not end by itself ends with the process.
LISTENERS_SECONDS = 3.0


Login = Callable[[], Awaitable[Credentials]]


class Process:
    """One replica: it stands by, then acts, then ends in order."""

    def __init__(self, chosen: Settings, cluster: KubeCluster, metrics: Metrics, login: Login) -> None:
        self._settings = chosen
        self._login = login
        self._loop = Loop(KINDS, cluster, metrics, Pace(chosen.workers, chosen.resync), Desk(chosen.user))
        self._lease = Lease(cluster, chosen.own_namespace, LEASE, Election(chosen.identity))
        self._roll = RollCall(self._loop, cluster, chosen.namespaces)
        self._heartbeat = Heartbeat(metrics)
        pages = {endpoint.PATH: endpoint.page(cluster, chosen.namespaces)}
        self._health = Health(metrics, self._not_live, self._not_ready, pages)
        self._receiver = _receiver(chosen, cluster, metrics)
        self._stop = asyncio.Event()
        self._acts = False

    async def run(self) -> int:
        """The exit code, once told to stop or when watching has ended by itself."""
        self._take_signals()
        async with (
            self._health.served(self._settings.health_port, self._settings.metrics_port),
            self._receiver.served(self._settings.alerts_port),
        ):
            beating = asyncio.create_task(self._heartbeat.beat(), name="heartbeat")
            acquiring = asyncio.create_task(self._lease.acquire(), name="lease")
            try:
                return await self._act() if await self._ends(acquiring) else 0
            finally:
                acquiring.cancel()
                beating.cancel()

    async def _act(self) -> int:
        watchdog = Watchdog(lambda: self._lease.deadline)
        watchdog.start()
        keeping = asyncio.create_task(self._keep(), name="lease")
        self._loop.start()
        self._acts = True
        listening = asyncio.create_task(self._listen(), name="listening")
        try:
            return 1 if await self._ends(listening) else 0
        finally:
            await self._loop.stop(self._settings.grace)
            keeping.cancel()
            watchdog.stop()
            await self._lease.release()
            log.info("ended in order: the lease is released")
            # Last: kopf takes every task started after it along, those of a pass under way included.
            listening.cancel()
            await asyncio.wait({listening}, timeout=LISTENERS_SECONDS)

    async def _ends(self, task: asyncio.Task[None]) -> bool:
        """Whether `task` ended before this process was told to stop."""
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({stopping, task}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        return task.done() and not self._stop.is_set()

    async def _keep(self) -> None:
        await self._lease.keep()
        log.error("the lease is lost: this operator ends at once, another acts")
        os._exit(LOST)

    async def _listen(self) -> None:
        try:
            await self._roll.definitions()
            await asyncio.gather(
                self._list(), watch(self._loop, self._settings.namespaces, self._login, self._take_signals)
            )
            log.error("watching has ended by itself: this operator ends, to start anew")
        except Exception as error:  # noqa: BLE001 - whatever ended it: only a new process watches again
            log.error("watching has failed: this operator ends, to start anew: %s", trace(error))  # noqa: TRY400 - places, no values

    async def _list(self) -> None:
        await self._roll.everything()
        log.info("everything is listed in %s", ", ".join(self._settings.namespaces))

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    def _not_live(self) -> str | None:
        if self._heartbeat.age > STILL_SECONDS:
            return f"the event loop has stood still for {self._heartbeat.age:.0f} s"
        if self._acts and not self._loop.is_whole:
            return "a worker has died"
        return None

    def _not_ready(self) -> str | None:
        return self._roll.missing if self._acts else None


def _receiver(chosen: Settings, cluster: KubeCluster, metrics: Metrics) -> Receiver:
    """Where Alertmanager posts: it asks for plans as a person would, in the operator's own name."""
    known = Known(_risk, chosen.namespaces)
    files = Watched(Files(Path(chosen.alerts_token), Path(chosen.alerts_rules)), known)
    maker = Maker(cluster, chosen.user, {kind.resource.kind: kind.type for kind in KINDS})
    return Receiver(files.now, maker, chosen.namespaces, metrics.registry)


def _risk(kind: str, operation: str) -> Risk | None:
    """Of what a kind offers under a name."""
    offered = next((one.operations for one in KINDS if one.resource.kind == kind), {}).get(operation)
    return offered.risk if offered else None


async def start(chosen: Settings) -> int:
    """Connect, and run until told to stop."""
    metrics = Metrics()
    api = await connect()
    cluster = KubeCluster(api, metrics.called, chosen.identity)
    try:
        return await Process(chosen, cluster, metrics, lambda: credentials(api)).run()
    finally:
        await cluster.close()


def main() -> int:
    """The process."""
    try:
        chosen = settings.load()
    except settings.Refused as refused:
        sys.stderr.write(f"bankstack: {refused}\n")
        return 2
    logs.start(chosen.log_level)
    disable_created_metrics()  # type: ignore[no-untyped-call] # twice the series, for a time that nobody asks for
    log.info("starting as %s, for %s", chosen.identity, ", ".join(chosen.namespaces))
    try:
        return asyncio.run(start(chosen))
    except NoWayIn as sentence:
        sys.stderr.write(f"bankstack: {sentence}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
