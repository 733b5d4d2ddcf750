"""Which Lightning nodes new payments shall leave alone, and whether every pod has been told so (pure).

A ChangePlan that stops an LND says so in its node's status; here it becomes a file that
the pods have, and when they have it, a word in this status: the plan waits for that
word. It is no proof that no payment is under way any more: LND itself is asked that.
"""

from collections.abc import Iterator, Mapping

from bankstack.engine.objects import POD, Manifest, Ref, annotation
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.model import Mode
from bankstack.kinds.apideployment.names import Api


def avoided(api: Api, facts: Facts) -> tuple[str, ...]:
    """The nodes that are about to be stopped, in the order of the spec."""
    told = ((one.node, facts.nodes.get(one.node)) for one in api.spec.lightning or [])
    return tuple(name for name, seen in told if seen is not None and seen.traffic is not None)


def word(may: Mode, avoid: tuple[str, ...]) -> str:
    """What is written on a pod that has been told of this mode and these nodes."""
    return f"{may}, avoiding {' '.join(avoid)}" if avoid else may


def untold(facts: Facts, told: str) -> Iterator[tuple[Ref, Manifest]]:
    """The components' running pods that have another word written on them."""
    for found, live in sorted(facts.children.items(), key=lambda one: one[0]):
        if found.type == POD and _listens(live) and annotation(live, names.TOLD) != told:
            yield found, live


def acknowledged(api: Api, facts: Facts, may: Mode) -> tuple[str, ...]:
    """Those of the avoided that every pod knows of: it is in the file, and each was told to look at it."""
    avoid = avoided(api, facts)
    written = _written(facts.children.get(names.mode(api.name)))
    if starts(facts) or any(untold(facts, word(may, avoid))):
        return ()
    return tuple(name for name in avoid if name in written)


def _written(mode: Manifest | None) -> frozenset[str]:
    data: Mapping[str, str] = mode.get("data", {}) if mode else {}
    return frozenset(data.get(names.AVOID, "").split())


def starts(facts: Facts) -> bool:
    """Whether a component's pod has a node and does not run yet: it may have mounted the file as it was."""
    pods = (live for found, live in facts.children.items() if found.type == POD)
    return any(_is_in(one, "Pending") and "nodeName" in one.get("spec", {}) for one in pods)


def _listens(pod: Manifest) -> bool:
    return _is_in(pod, "Running")


def _is_in(pod: Manifest, phase: str) -> bool:
    found = pod.get("status", {}).get("phase", "Pending") == phase and "deletionTimestamp" not in pod["metadata"]
    return found and names.is_of_a_component(pod)
