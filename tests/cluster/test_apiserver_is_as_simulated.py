"""The real API server tells the same stories as the simulated one: what the simulation proves holds here."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration

from bankstack.engine.objects import Manifest, Ref
from bankstack.kube.client import KubeCluster
from bankstack.kube.connection import over
from labkit import paths
from tests.simulation.scenarios import SCENARIOS, Scenario
from tests.simulation.site import Change

from .conftest import Lab, Room

CRDS = Path(__file__).parents[2] / "crds"


class RealSite:
    """The lab's API server; `somebody` is kubectl."""

    def __init__(self, room: Room, cluster: KubeCluster) -> None:
        self.room, self.cluster, self.namespace = room, cluster, room.name

    async def edit(self, ref: Ref, change: Change, *, status: bool = False) -> None:
        door = ("--subresource=status",) if status else ()
        words = ("replace", "--field-manager=somebody", *door, "-f", "-")
        for _ in range(10):
            manifest = await self.cluster.get(ref, self.namespace)
            assert manifest is not None
            del manifest["metadata"]["managedFields"]
            change(manifest)
            ended = await asyncio.to_thread(
                self.room.lab.asks, "-n", self.namespace, *words, stdin=json.dumps(manifest)
            )
            if "(Conflict)" not in ended.stderr:
                assert ended.returncode == 0, ended.stderr
                return
        pytest.fail(f"controllers keep writing {ref}")

    async def user_applies(self, manifest: Manifest) -> None:
        await self._kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))

    async def user_deletes(self, ref: Ref) -> None:
        await self._kubectl("delete", f"{ref.type.plural}/{ref.name}", "--wait=false")

    async def eventually_gone(self, ref: Ref) -> None:
        async with asyncio.timeout(60):
            while await self.cluster.get(ref, self.namespace) is not None:  # noqa: ASYNC110 - nothing of ours to wait on
                await asyncio.sleep(0.1)

    async def _kubectl(self, *words: str, stdin: str = "") -> str:
        return await asyncio.to_thread(self.room.kubectl, *words, stdin=stdin)


@pytest.fixture(scope="module")
def crds(lab: Lab) -> None:
    lab.kubectl("apply", "--server-side", "-f", str(CRDS))
    lab.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))


@pytest.fixture
async def site(room: Room, crds: None) -> AsyncIterator[RealSite]:  # noqa: ARG001 - order
    configuration = Configuration()
    await config.load_kube_config(str(paths.kubeconfig()), client_configuration=configuration)  # type: ignore[no-untyped-call]
    cluster = KubeCluster(over(configuration))
    yield RealSite(room, cluster)
    await cluster.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_the_real_api_server(site: RealSite, scenario: Scenario) -> None:
    await scenario(site)
