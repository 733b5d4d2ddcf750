"""The engine's own loop over the simulated API server: what of a second is ours, not the cluster's."""

import asyncio
import time
from collections.abc import Callable

from bankstack.edge.watches import owners
from bankstack.engine.loop import Loop
from bankstack.engine.metrics import Metrics
from bankstack.engine.objects import Manifest, Ref
from tests.misoperations import sample
from tests.simulation import neighbours
from tests.simulation.apiserver import Event, Key
from tests.simulation.bank import COLD_WALLET, LND_NODE, WRITES, Bank
from tests.simulation.world import NAMESPACE

from .budgets import Row, percentile

RESOURCES = 500
CHANGES_A_SECOND, SECONDS = 100, 3


class Bench:
    """A bank whose operator is the real loop, with events as an edge would pass them on."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.bank.server.remember = 0
        operator = self.bank.operators[0]
        self.begun: dict[str, float] = {}
        self.waited: list[float] = []
        cluster = operator.cluster
        look = cluster.get

        async def get(ref: Ref, namespace: str) -> Manifest | None:
            if (since := self.begun.pop(ref.name, None)) is not None and ref.type in (COLD_WALLET, LND_NODE):
                self.waited.append(time.monotonic() - since)
            return await look(ref, namespace)

        cluster.get = get  # type: ignore[method-assign]
        self.metrics = Metrics()
        self.loop = Loop(operator.kinds, cluster, self.metrics)
        self.bank.server.watchers[:] = [self._heard]

    def _heard(self, event: Event) -> None:
        self.loop.changed(event.key.type, event.key.namespace, event.key.name, owners(event.manifest["metadata"]))

    async def until(self, condition: Callable[[], bool], within: float) -> float:
        """Seconds until it held, with the neighbours at work; `within` where it never did."""
        began = time.monotonic()
        while not condition() and time.monotonic() - began < within:
            # They have a second of their own: what is measured here is not how quick a simulated kubelet is.
            neighbours.settle(self.bank.server)
            self.bank.software.tick(self.bank.server)
            for _ in range(20):
                await asyncio.sleep(0.05)
                if condition():
                    break
        return time.monotonic() - began

    def ready(self) -> int:
        return sum(map(_is_ready, (self.bank.server.objects[key].manifest for key in self.resources())))

    def resources(self) -> list[Key]:
        return [key for key in self.bank.server.objects if key.type in (COLD_WALLET, LND_NODE)]


def _is_ready(manifest: Manifest) -> bool:
    conditions = manifest.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def declared(number: int) -> tuple[Manifest, Manifest]:
    """A vault and the node that follows it."""
    vault, node = sample("vault"), sample("lnd1")
    vault["metadata"]["name"], node["metadata"]["name"] = f"v{number}", f"n{number}"
    node["spec"]["bitcoind"]["coldWallet"], node["spec"]["wallet"]["secret"] = f"v{number}", f"n{number}-wallet"
    return vault, node


async def measured() -> list[Row]:
    bench = Bench()
    bench.loop.start()
    for number in range(RESOURCES // 2):
        for manifest in declared(number):
            bench.bank.applies(manifest)
    seconds = await bench.until(lambda: bench.ready() == RESOURCES, 600)
    came = bench.ready() == RESOURCES
    rows = [Row(f"{RESOURCES} resources Ready, API server in memory", 600, "s", seconds if came else 601)]
    await bench.until(lambda: len(bench.loop.queue) == 0, 60)
    rows += await _steady(bench)
    rows += await _latency(bench)
    await bench.loop.stop(5)
    return rows


async def _steady(bench: Bench) -> list[Row]:
    calls = bench.bank.calls
    calls.made.clear()
    began = time.process_time()
    for key in bench.resources():
        bench.loop.changed(key.type, key.namespace, key.name)
    await bench.until(lambda: len(bench.loop.queue) == 0, 120)
    passes = time.process_time() - began
    writes = [call for call in calls.made if call.startswith(WRITES)]
    return [
        Row("writes while nothing changes", 0, "writes", len(writes)),
        Row("CPU of a pass that finds nothing to do", 30, "ms", passes / RESOURCES * 1000),
        Row("reads of such a pass", 24, "reads", len(calls.made) / RESOURCES),
    ]


async def _latency(bench: Bench) -> list[Row]:
    """Changes at a steady pace, from the event to the first read of its pass."""
    names = [key for key in bench.resources() if key.type == COLD_WALLET]
    bench.waited.clear()
    for number in range(CHANGES_A_SECOND * SECONDS):
        key = names[number % len(names)]
        bench.begun[key.name] = time.monotonic()
        bench.loop.changed(key.type, NAMESPACE, key.name)
        await asyncio.sleep(1 / CHANGES_A_SECOND)
    await bench.until(lambda: not bench.begun, 10)
    return [Row(f"queue latency p99 at {CHANGES_A_SECOND} changes/s", 250, "ms", percentile(bench.waited, 0.99) * 1000)]


def rows() -> list[Row]:
    """All of them; some minutes on a small machine."""
    found: list[Row] = asyncio.run(measured())
    return found
