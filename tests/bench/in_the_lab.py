"""The operator over a real API server: from a user's create to the first child, alone and in a crowd.

Measured as its rivals were (DESIGN.md, section 6): a watch sees the child, no pod is
scheduled. The operator runs as a process of this machine, for a namespace of its own.
"""

import asyncio
import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration

from bankstack.engine.objects import OWNER_LABEL, Manifest, Type
from bankstack.engine.ports import resource_type
from bankstack.kinds.coldwallet.model import RESOURCE
from bankstack.kinds.table import KINDS
from bankstack.kube.client import KubeCluster, Request, path
from bankstack.kube.connection import over
from labkit import paths
from tests.misoperations import sample

from .budgets import Row, percentile
from .process import Running, operator, rss

COLD_WALLET = resource_type(RESOURCE)
ALONE, TOGETHER = 15, 100
#: Between two that are declared one at a time: until the operator is done with the one before.
GAP_SECONDS = 3.0
#: From a write to a watch that sees it, in ms, where the promises come from: CloudNativePG 1.30 takes 54 ms there to
#: its first child (DESIGN.md, section 6), and where it took 87, such a write took 9.5 in the same minutes.
PACE_MS = 6.0
WRITES = 40
WRITE_VERBS = ('verb="apply"', 'verb="create"', 'verb="delete"', 'verb="status"', 'verb="finalize"')
ROOT = Path(__file__).parents[2]


def kubectl(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [str(paths.kubectl()), "--kubeconfig", str(paths.kubeconfig()), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def is_up() -> bool:
    """Whether there is a lab to measure in."""
    if not (paths.kubectl().exists() and paths.kubeconfig().exists()):
        return False
    return kubectl("get", "--raw", "/readyz").returncode == 0


@dataclass(frozen=True)
class Pace:
    """How long this machine takes for one write, until a watch has seen it; ms."""

    ms: float

    @property
    def factor(self) -> float:
        return self.ms / PACE_MS

    def __str__(self) -> str:
        return f"a write was seen by a watch after {self.ms:.1f} ms, {PACE_MS:.1f} where the budgets are from"


class Seen:
    """When the first child of each resource was seen, by any of the watches."""

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.objects = 0

    def saw(self, event: Manifest) -> None:
        if event["object"]["metadata"]["name"].startswith(WRITTEN):
            self.first.setdefault(event["object"]["metadata"]["name"], time.monotonic())
        owner = event["object"].get("metadata", {}).get("labels", {}).get(OWNER_LABEL, "")
        if owner.startswith("ColdWallet.") and event["type"] == "ADDED":
            self.objects += 1
            self.first.setdefault(owner.partition(".")[2], time.monotonic())


#: How the objects are called whose only use is to be seen.
WRITTEN = "pace-"


class Site:
    """One namespace on the lab's API server."""

    def __init__(self, cluster: KubeCluster, session: aiohttp.ClientSession, host: str, namespace: str) -> None:
        self.cluster, self._session, self._host, self.namespace = cluster, session, host, namespace

    async def create(self, name: str) -> float:
        """Declare a ColdWallet whose pods find no node; the moment before it was sent."""
        manifest = sample("vault")
        manifest["metadata"]["name"] = name
        manifest["spec"]["pod"] = {"nodeSelector": {"bench": "nowhere"}}
        sent = time.monotonic()
        reply = await self.cluster._exchange(Request("POST", path(COLD_WALLET, self.namespace), {}, manifest), 60)  # noqa: SLF001
        assert reply.is_yes, reply.body
        return sent

    async def pace(self, seen: Seen) -> Pace:
        """Of ConfigMaps, one after the other."""
        sent: dict[str, float] = {}
        for number in range(WRITES):
            name = f"{WRITTEN}{number}"
            meta = {"name": name, "labels": {OWNER_LABEL: "nobody"}}
            sent[name] = time.monotonic()
            await self.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}, self.namespace)
            await asyncio.sleep(0.1)
        return Pace(1000 * percentile((seen.first[name] - moment for name, moment in sent.items()), 0.5))

    async def watch(self, of: Type, seen: Seen) -> None:
        url = f"{self._host}{path(of, self.namespace)}?watch=1&labelSelector={OWNER_LABEL}"
        async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=None)) as stream:
            async for line in stream.content:
                seen.saw(json.loads(line))


@asynccontextmanager
async def site(namespace: str) -> AsyncIterator[Site]:
    configuration = Configuration()
    await config.load_kube_config(str(paths.kubeconfig()), client_configuration=configuration)  # type: ignore[no-untyped-call]
    api = over(configuration)
    connector = aiohttp.TCPConnector(ssl=api.rest_client.ssl_context, limit=0)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=2**22) as session:
        yield Site(KubeCluster(api), session, configuration.host, namespace)
    await api.close()  # type: ignore[no-untyped-call]


async def measured(namespace: str, running: Running) -> list[Row]:
    idle = rss(running.process.pid)
    rows = [Row("RSS idle", 90, "MiB", idle)]
    seen = Seen()
    types = [child for kind in KINDS if kind.type == COLD_WALLET for child in kind.children]
    async with site(namespace) as here:
        watches = [asyncio.create_task(here.watch(of, seen)) for of in types]
        await asyncio.sleep(2)
        pace = await here.pace(seen)
        print(pace)
        alone = await _delays(here, seen, [f"a{number}" for number in range(ALONE)], gap=GAP_SECONDS)
        together = await _delays(here, seen, [f"t{number}" for number in range(TOGETHER - ALONE)], gap=0)
        rows += [
            Row("create to first child, one at a time, p50", 50, "ms", percentile(alone, 0.5) * 1000).at(pace.factor),
            Row(f"create to first child, {len(together)} at once, p50", 3, "s", percentile(together, 0.5)),
            Row(f"create to first child, {len(together)} at once, max", 6, "s", max(together)),
        ]
        await _quiet(running)
        full = rss(running.process.pid)
        rows += [
            Row(f"RSS with {TOGETHER} resources", 100, "MiB", full),
            Row("memory per watched object", 20, "KiB", max(0.0, full - idle) * 1024 / (seen.objects + TOGETHER)),
        ]
        before = running.total("bankstack_api_requests_total", *WRITE_VERBS)
        await asyncio.sleep(35)
        after = running.total("bankstack_api_requests_total", *WRITE_VERBS)
        rows.append(Row(f"writes while nothing changes, {TOGETHER} resources, 35 s", 0, "writes", after - before))
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    return rows


async def _delays(here: Site, seen: Seen, names: Iterable[str], gap: float) -> list[float]:
    sent: dict[str, float] = {}

    async def one(name: str) -> None:
        sent[name] = await here.create(name)

    if gap:
        for name in names:
            await one(name)
            await asyncio.sleep(gap)
    else:
        await asyncio.gather(*map(one, names))
    deadline = time.monotonic() + 120
    while any(name not in seen.first for name in sent) and time.monotonic() < deadline:  # noqa: ASYNC110 - its watch
        await asyncio.sleep(0.05)
    return [seen.first.get(name, deadline) - moment for name, moment in sent.items()]


async def _quiet(running: Running) -> None:
    """Until two looks, five seconds apart, find no further write."""
    deadline, last = time.monotonic() + 120, -1.0
    while time.monotonic() < deadline:
        now = running.total("bankstack_api_requests_total", *WRITE_VERBS)
        if now == last:
            return
        last = now
        await asyncio.sleep(5)


def rows() -> list[Row]:
    """All of them; two minutes."""
    namespace = f"bench-{secrets.token_hex(3)}"
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    # The lease lives elsewhere: it must outlive the bank, whose deletion the operator has to see to.
    for one in (namespace, f"{namespace}-system"):
        kubectl("create", "namespace", one)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "operator.log"
        try:
            with operator(namespace, paths.kubeconfig(), log) as running:
                _await_leading(running)
                found = asyncio.run(measured(namespace, running))
            with operator(namespace, paths.kubeconfig(), log) as running:
                again = running.await_passes(30)
                found.append(Row("restart to first reconcile, lease given back", 3, "s", again))
                kubectl("delete", "namespace", namespace, "--timeout=110s")
        except BaseException:
            print(log.read_text(encoding="utf-8")[-3000:])
            raise
        finally:
            kubectl("delete", "namespace", namespace, f"{namespace}-system", "--wait=false")
    return found


def _await_leading(running: Running) -> None:
    """Until it acts: one that stands by uses less memory than it will."""
    deadline = time.monotonic() + 30
    while running.total("bankstack_api_requests_total", 'verb="list"') == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(3)
