"""The ApiDeployment kind's row in the engine's table: how it sees, decides and acts."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bankstack.clients.redis import Member
from bankstack.engine.objects import SECRET, Manifest, Ref, Type
from bankstack.engine.ports import Kind
from bankstack.kinds.apideployment import act, environment, names, needs
from bankstack.kinds.apideployment.decide import decide
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.model import RESOURCE, ApiDeploymentSpec
from bankstack.kinds.apideployment.observe import DOORS, Doors, observe, told


def kind(doors: Doors = DOORS) -> Kind:
    """The row; `doors` are how Redis is reached."""
    return Kind(
        resource=RESOURCE,
        children=names.CHILDREN,
        observe=partial(observe, doors=doors),
        decide=decide,
        act=act.ACTS,
        references=references,
        learns=learns,
        heard_by=heard_by,
        gauges=gauges,
    )


def references(spec: ApiDeploymentSpec) -> tuple[Ref, ...]:
    """What the API waits for."""
    nodes = [one.node for one in spec.lightning or []]
    external = spec.redis.external
    wallet = (Ref(names.COLD_WALLET, spec.cold_wallet),) if spec.cold_wallet else ()
    return tuple(
        dict.fromkeys(
            (
                Ref(names.LEDGER_CLUSTER, spec.ledger.name),
                *(Ref(names.LND_NODE, name) for name in nodes),
                *wallet,
                *(Ref(SECRET, names.lnd_secret(name)) for name in nodes),
                *((Ref(SECRET, external.password_secret),) if external else ()),
                *(one for component in spec.components for one in environment.brought(component)),
            )
        )
    )


def learns(of: Type, live: Manifest) -> object:
    """Of a node whether it can be paid through and what its pods are told of it, not how far its plan or chain is."""
    if of != names.LND_NODE:
        return None
    said = told(live)
    return replace(said, conditions={}, state=None), needs.lightning(live["metadata"]["name"], said)


def heard_by(status: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that its pods leave alone: a plan that stops one waits for this word."""
    return tuple(f"{names.LND_NODE.kind}.{name}" for name in status.get("avoids") or ())


def gauges(facts: Facts) -> Mapping[str, float]:
    """Numbers that change without anyone acting."""
    members = [one for one in facts.redis.members if isinstance(one, Member)]
    found: dict[str, float] = {"bankstack_apideployment_redis_members": len(members)}
    host = needs.elected(facts.redis)
    found["bankstack_apideployment_redis_has_master"] = host is not None
    master = next((one for one in members if one.is_master), None)
    if master:
        found |= {
            "bankstack_apideployment_redis_used_memory_bytes": master.used_memory,
            "bankstack_apideployment_redis_keys": master.keys,
            "bankstack_apideployment_redis_replicas": master.replicas,
        }
    return found
