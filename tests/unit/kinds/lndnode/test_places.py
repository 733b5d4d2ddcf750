"""Where LND's pod is: what the Kubernetes node and the volume say, and what silence says."""

from collections.abc import Mapping
from typing import Any

import pytest

from bankstack.engine.finding import FORBIDDEN, Finding, Interrupted, Transient, Unknown
from bankstack.engine.objects import NODE, PERSISTENT_VOLUME, FieldValue, Manifest, Ref, Type
from bankstack.kinds.lndnode import names, places
from bankstack.kinds.lndnode.facts import Place

from .given import node, pod

WORKER, VOLUME = Ref(NODE, "worker-1"), Ref(PERSISTENT_VOLUME, "pv-1")
CORDONED: Manifest = {"spec": {"unschedulable": True}}
LND: Manifest = pod() | {"spec": {"nodeName": "worker-1"}}
CLAIM: Manifest = {"metadata": {"name": "lnd1-data"}, "spec": {"volumeName": "pv-1"}}


class Shelf:
    """A reader of these objects, or of none."""

    def __init__(self, objects: Mapping[Ref, Manifest], refused: str = "") -> None:
        self._objects, self._refused = objects, refused

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        assert namespace == "", "it belongs to the whole cluster"
        if self._refused:
            raise Interrupted(Finding(self._refused, "it was refused", Transient()))
        return self._objects.get(ref)

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        raise AssertionError((of, namespace, selector, without))


def volume(key: str) -> Manifest:
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": ["here"]}]}]
    return {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}}


async def seen(lnd: Manifest | None = LND, refused: str = "", **objects: Manifest) -> Place | Unknown:
    children = {names.pod("lnd1"): lnd} if lnd else {}
    shelf = Shelf({{"worker": WORKER, "volume": VOLUME}[name]: one for name, one in objects.items()}, refused)
    return await places.place(node(), {**children, names.volume("lnd1"): CLAIM}, shelf)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"worker": {"spec": {}}}, Place("worker-1", "pod-1")),
        ({"worker": CORDONED}, Place("worker-1", "pod-1", cordoned=True)),
        (
            {"worker": CORDONED, "volume": volume("kubernetes.io/hostname")},
            Place("worker-1", "pod-1", cordoned=True, tied=True),
        ),
        (
            {"worker": CORDONED, "volume": volume("topology.kubernetes.io/zone")},
            Place("worker-1", "pod-1", cordoned=True),
        ),
        ({"worker": CORDONED, "volume": {"spec": {"nfs": {}}}}, Place("worker-1", "pod-1", cordoned=True)),
    ],
    ids=["in use", "cordoned", "its volume is there only", "its volume is in that zone", "its volume is anywhere"],
)
async def test_a_place_is_what_node_and_volume_say(there: Any, expected: Place) -> None:  # noqa: ANN401 - of `seen`
    assert await seen(**there) == expected


async def test_what_has_no_place_has_no_cordon() -> None:
    leaving = LND | {"metadata": LND["metadata"] | {"deletionTimestamp": "2026-11-21T09:00:00Z"}}
    for one in (None, pod() | {"spec": {}}, leaving):
        assert isinstance(await seen(one, worker=CORDONED), Unknown)
    assert isinstance(await seen(), Unknown)


async def test_a_lacking_right_is_said_once_and_silence_never(caplog: pytest.LogCaptureFixture) -> None:
    places.say_once.cache_clear()
    for _ in range(3):
        assert isinstance(await seen(refused="ApiServerSilent"), Unknown)
    assert caplog.messages == []
    for _ in range(3):
        assert isinstance(await seen(refused=FORBIDDEN), Unknown)
    (told,) = caplog.messages
    assert "get of nodes and persistentvolumes" in told
