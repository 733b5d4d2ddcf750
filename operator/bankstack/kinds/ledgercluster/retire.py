"""How a LedgerCluster goes (pure): stop in good order, then let go. The books stay unless there are none."""

from typing import Final

from bankstack.engine import drift, manifests
from bankstack.engine.decision import Action, Decision, Delete
from bankstack.engine.finding import WATCHED, Finding, Stalled, Unknown, Waiting
from bankstack.engine.frozen import TEMPLATE, hold
from bankstack.engine.objects import (
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    PROVED_EMPTY,
    STATEFUL_SET,
    Manifest,
    annotation,
    uid,
)
from bankstack.kinds.ledgercluster import children, names
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.subject import LedgerCluster

EMPTY: Final = "the primary listed no database"


def retire(cluster: LedgerCluster, facts: Facts) -> Decision:
    """Nothing is made any more; members are stopped as they stop themselves, and then the resource may go."""
    sets = [one for ref, one in sorted(facts.children.items()) if ref.type == STATEFUL_SET]
    running = [one for one in sets if one["spec"].get("replicas") != 0]
    pods = [one for ref, one in sorted(facts.children.items()) if ref.type == POD]
    if running:
        return _stop(cluster, facts, sets)
    if pods:
        # Whoever deleted the StatefulSets may have orphaned their pods: nothing else would stop them.
        orphans = [one for one in pods if not sets and "deletionTimestamp" not in one["metadata"]]
        actions = tuple(Delete(names.pod(_member(one)), uid(one), "Orphaned") for one in orphans)
        told = f"members of {cluster.name} write out their data and stop; up to {children.GRACE_SECONDS} s"
        return Decision(cluster.status, actions, Finding("Stopping", told, WATCHED))
    return Decision(cluster.status, _remains(cluster, facts, sets), released=True)


def _stop(cluster: LedgerCluster, facts: Facts, sets: list[Manifest]) -> Decision:
    """Scale to zero; where data shall go too, only after the proof that nothing is in them."""
    proof = next((found for one in sets if (found := annotation(one, PROVED_EMPTY))), None)
    if cluster.spec.deletion_policy == "Delete" and proof is None:
        finding = _not_empty(cluster, facts)
        if finding is not None:
            return Decision(cluster.status, finding=finding)
        proof = EMPTY
    said = {PROVED_EMPTY: proof} if proof else {}
    wanted = [manifests.stopped(_as_it_runs(cluster, one), said) for one in sets]
    told = f"the members of {cluster.name} are being stopped in good order"
    return Decision(cluster.status, drift.changes(wanted, facts.children), Finding("Stopping", told, WATCHED))


def _not_empty(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    cure = "Set deletionPolicy: Retain to delete the resource and keep the books"
    if isinstance(facts.holdings, Unknown):
        told = (
            f"deletionPolicy Delete needs the primary's word that there are no books: {facts.holdings.reason}. {cure}"
        )
        return Finding("EmptinessUnknown", told, Waiting(10.0))
    if not facts.holdings.databases:
        return None
    listed = ", ".join(sorted(facts.holdings.databases))
    told = (
        f"{cluster.name} has books ({listed}): with deletionPolicy Delete they would be lost. It keeps running. {cure}"
    )
    return Finding("NotEmpty", told, Stalled())


def _as_it_runs(cluster: LedgerCluster, live: Manifest) -> Manifest:
    """The StatefulSet with the template it has: what the spec says now no longer matters."""
    meta = manifests.owned(cluster, names.COMPONENT, live["metadata"]["name"])
    template = live["spec"]["template"]
    wanted = manifests.stateful_set(meta, live["spec"]["selector"]["matchLabels"], template, cluster.name)
    return hold(wanted, live if annotation(live, TEMPLATE) else None)


def _remains(cluster: LedgerCluster, facts: Facts, sets: list[Manifest]) -> tuple[Action, ...]:
    """What goes with the resource: nothing, unless it was proven to be worth nothing."""
    proven = cluster.spec.deletion_policy == "Delete" and any(annotation(one, PROVED_EMPTY) for one in sets)
    if not proven:
        return ()
    volumes = {
        one: uid(live)
        for one, live in facts.children.items()
        if one.type == PERSISTENT_VOLUME_CLAIM and live["metadata"].get("labels", {}).get(OWNER_LABEL) == cluster.owner
    }
    return tuple(Delete(one, life, "ProvedEmpty") for one, life in sorted({**volumes, **facts.secrets}.items()))


def _member(pod: Manifest) -> str:
    return str(pod["metadata"]["name"]).removesuffix("-0")
