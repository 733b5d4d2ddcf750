"""A kind as small as a kind can be, to test the engine with: a volume, a configuration, a pod and a key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from bankstack.engine import frozen, manifests
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Action, Apply, Ask, Decision
from bankstack.engine.declared import Declared
from bankstack.engine.drift import changes, mark
from bankstack.engine.finding import Finding, Waiting
from bankstack.engine.model import Part, Status
from bankstack.engine.objects import (
    CONFIG_MAP,
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    STATEFUL_SET,
    Manifest,
    Ref,
    Type,
    by_ref,
    digest,
)
from bankstack.engine.ports import Cluster, Kind, Reader, resource_type
from bankstack.engine.schema import Resource

Word = Annotated[str, StringConstraints(max_length=16, pattern="^[a-z]+$")]


class ToySpec(Part):
    word: Word = "hello"
    paused: bool = False


class ToyStatus(Status):
    pinned: Word | None = None


RESOURCE = Resource("Toy", "toys", "toy", ToySpec, ToyStatus, "For tests.")
TOY: Type = resource_type(RESOURCE)
Toy = Declared[ToySpec, ToyStatus]
CHILDREN = (CONFIG_MAP, PERSISTENT_VOLUME_CLAIM, SECRET, STATEFUL_SET, POD)


@dataclass(frozen=True)
class Facts:
    live: dict[Ref, Manifest]

    def has(self, of: Type) -> bool:
        return any(ref.type == of for ref in self.live)


async def observe(toy: Toy, reader: Reader) -> Facts:
    listed = [await reader.list(of, toy.namespace, {OWNER_LABEL: toy.owner}) for of in CHILDREN]
    return Facts(by_ref(one for found in listed for one in found))


def children(toy: Toy) -> tuple[Manifest, ...]:
    settings = manifests.config_map(
        manifests.owned(toy, "toy", f"{toy.name}-{digest(toy.spec.word)}"), {"w": toy.spec.word}
    )
    pods = manifests.selector(toy, "toy")
    name = f"{toy.name}-toy"
    spec = {
        "containers": [{"name": "toy", "image": "toy:1", "args": [toy.spec.word]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
    }
    template = manifests.pod_template(manifests.labels(toy, "toy"), spec, None)
    return (
        manifests.claim(manifests.retained(toy, "toy", name), "1Gi", None),
        settings,
        manifests.stateful_set(manifests.owned(toy, "toy", name), pods, template, name),
    )


def decide(toy: Toy, facts: Facts, _now: datetime) -> Decision:
    if toy.deleting:
        return stop(toy, facts)
    wanted = children(toy)
    held = frozen.hold(wanted[-1], facts.live.get(Ref(STATEFUL_SET, f"{toy.name}-toy")))
    key: tuple[Action, ...] = () if facts.has(SECRET) else (Ask("MakeKey", "Missing"),)
    running = any(pod.get("status", {}).get("phase") == "Running" for ref, pod in facts.live.items() if ref.type == POD)
    return Decision(
        status=toy.status.model_copy(update={"pinned": toy.status.pinned or toy.spec.word}),
        actions=(*key, *changes((*wanted[:-1], held), facts.live)),
        finding=None if running else Finding("Starting", "its pod is not running yet", Waiting()),
        claims=(
            *frozen.change_pending(frozen.pending(wanted[-1], held), toy.name),
            Claim("Kept", "True", "Kept", "kept"),
        ),
    )


def stop(toy: Toy, facts: Facts) -> Decision:
    live = facts.live.get(Ref(STATEFUL_SET, f"{toy.name}-toy"))
    if live is None or not (facts.has(POD) or live["spec"]["replicas"]):
        return Decision(toy.status, released=True)
    held = frozen.hold(children(toy)[-1], live)
    still = mark(held | {"spec": held["spec"] | {"replicas": 0}})
    actions = (Apply(still, "Stopping"),) if live["spec"]["replicas"] else ()
    return Decision(toy.status, actions, Finding("Stopping", "its pod is stopping", Waiting(1.0)))


async def make_key(toy: Toy, _ask: Ask, cluster: Cluster) -> None:
    meta = manifests.retained(toy, "toy", f"{toy.name}-key")
    await cluster.create(manifests.secret(meta, {"key": b"made once"}), toy.namespace)


KIND = Kind(RESOURCE, CHILDREN, observe, decide, {"MakeKey": make_key}, gauges=lambda facts: {"toys": len(facts.live)})


def manifest(name: str = "one", **spec: Any) -> Manifest:  # noqa: ANN401 - what a user writes
    """What a user applies."""
    return {"apiVersion": "bankstack.io/v1alpha1", "kind": "Toy", "metadata": {"name": name}, "spec": spec}
