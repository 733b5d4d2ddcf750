"""Where a scenario takes place: an API server, simulated or real, and somebody else who writes to it too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import pytest

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import Manifest, Ref
from bankstack.engine.ports import Cluster, resource_type
from bankstack.kinds.lndnode.model import RESOURCE
from tests.misoperations import sample

LND_NODE: Final = resource_type(RESOURCE)
Change = Callable[[Manifest], object]


class Site(Protocol):
    """An API server, and somebody else who writes to it too."""

    namespace: str

    @property
    def cluster(self) -> Cluster:
        """How the operator reaches it."""

    async def edit(self, ref: Ref, change: Change, *, status: bool = False) -> None:
        """Somebody reads, changes and writes the whole object."""

    async def user_applies(self, manifest: Manifest) -> None:
        """Somebody declares one of our resources."""

    async def user_deletes(self, ref: Ref) -> None:
        """Somebody deletes an object and does not wait."""

    async def eventually_gone(self, ref: Ref) -> None:
        """The neighbours get their time."""


def node(**meta: Any) -> Manifest:  # noqa: ANN401 - any metadata
    manifest = sample("lnd1")
    manifest["metadata"] |= meta
    manifest["spec"]["paused"] = True
    return manifest


NODE: Final = Ref(LND_NODE, "lnd1")


async def live(site: Site, one: Ref) -> Manifest:
    found = await site.cluster.get(one, site.namespace)
    assert found is not None
    return found


async def apply(site: Site, manifest: Manifest) -> Manifest:
    return await site.cluster.apply(manifest, site.namespace)


def version(manifest: Manifest) -> str:
    return str(manifest["metadata"]["resourceVersion"])


@contextmanager
def refused(*reasons: str) -> Iterator[None]:
    """The call is answered with one of these."""
    with pytest.raises(Interrupted) as stopped:
        yield
    assert stopped.value.finding.reason in reasons, stopped.value.finding
