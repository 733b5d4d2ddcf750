"""The simulated API server tells the stories of `scenarios`; the real one is asked the same in tests/cluster."""

import pytest

from bankstack.engine.objects import Manifest, Ref

from . import neighbours
from .apiserver import ApiServer, Key
from .cluster import SimulatedCluster
from .scenarios import SCENARIOS, Scenario
from .site import LND_NODE, Change


class SimulatedSite:
    namespace = "bank"

    def __init__(self) -> None:
        self.server = ApiServer()
        neighbours.namespace(self.server, self.namespace)
        self.cluster = SimulatedCluster(self.server)

    def key(self, ref: Ref) -> Key:
        return Key(ref.type, self.namespace, ref.name)

    async def edit(self, ref: Ref, change: Change, *, status: bool = False) -> None:
        self.server.edit(self.key(ref), change, "somebody", status=status)

    async def user_applies(self, manifest: Manifest) -> None:
        self.server.apply(self.key(Ref(LND_NODE, manifest["metadata"]["name"])), manifest, "kubectl")

    async def user_deletes(self, ref: Ref) -> None:
        self.server.delete(self.key(ref))

    async def eventually_gone(self, ref: Ref) -> None:
        neighbours.settle(self.server)
        assert self.server.get(self.key(ref)) is None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_the_simulated_api_server(scenario: Scenario) -> None:
    await scenario(SimulatedSite())
