"""Who makes payments through a node, and who could carry them meanwhile: read from what others say of themselves.

Nobody else is asked: another node's LND is that node's own to ask, and what it answered
stands in its status.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bankstack.engine.objects import Manifest, Ref
from bankstack.engine.ports import Reader, resource_type
from bankstack.kinds.apideployment import model as apideployment
from bankstack.kinds.lndnode.carriers import CARRIES
from bankstack.kinds.lndnode.facts import User
from bankstack.kinds.lndnode.model import RESOURCE
from bankstack.kinds.lndnode.subject import LndNode

API: Final = resource_type(apideployment.RESOURCE)
LND_NODE: Final = resource_type(RESOURCE)
#: What another node has to say of itself, before payments are sent its way.
NEEDED: Final = ("Ready", "Synced", CARRIES)


async def users(node: LndNode, reader: Reader) -> tuple[User, ...]:
    """Every ApiDeployment of the namespace that pays through it."""
    apis = [one for one in await reader.list(API, node.namespace, {}) if node.name in _pays_through(one)]
    others = sorted({name for api in apis for name in _pays_through(api)} - {node.name})
    seen = await asyncio.gather(*(reader.get(Ref(LND_NODE, name), node.namespace) for name in others))
    obstacles = {name: _obstacle(one) for name, one in zip(others, seen, strict=True)}
    return tuple(_user(node, api, obstacles) for api in sorted(apis, key=lambda api: str(api["metadata"]["name"])))


def _user(node: LndNode, api: Manifest, obstacles: Mapping[str, str]) -> User:
    return User(
        name=api["metadata"]["name"],
        avoids=node.name in (api.get("status", {}).get("avoids") or ()),
        listens=not api.get("spec", {}).get("paused") and "deletionTimestamp" not in api["metadata"],
        others={name: obstacles[name] for name in _pays_through(api) if name != node.name},
    )


def _pays_through(api: Manifest) -> tuple[str, ...]:
    uses: Sequence[Mapping[str, Any]] = api.get("spec", {}).get("lightning") or ()
    return tuple(one["node"] for one in uses if "offchain" in one["roles"])


def _obstacle(other: Manifest | None) -> str:
    """What keeps another node from carrying payments; nothing is concluded from what it has not said."""
    if other is None:
        return "it is not there"
    if "deletionTimestamp" in other["metadata"]:
        return "it is being deleted"
    status = other.get("status", {})
    if status.get("traffic"):
        return "a ChangePlan stops it as well"
    said = {one["type"]: one for one in status.get("conditions", [])}
    lacking = next((kind for kind in NEEDED if said.get(kind, {}).get("status") != "True"), None)
    if lacking is None:
        return ""
    return f"{lacking} is not True: {said.get(lacking, {}).get('message', 'it has not said')}"
