"""How an LndNode goes (pure): stop in good order, then let go. Data stay unless proven worthless."""

from typing import Final

from bankstack.clients.lnd.answers import Channels, Funds
from bankstack.engine import drift, manifests
from bankstack.engine.decision import Action, Ask, Decision, Delete
from bankstack.engine.finding import WATCHED, Finding, Stalled, Waiting, first
from bankstack.engine.frozen import TEMPLATE, hold
from bankstack.engine.objects import (
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    PROVED_EMPTY,
    SECRET,
    Manifest,
    Ref,
    annotation,
    uid,
)
from bankstack.kinds.lndnode import children, names, pinned, stopping
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

REGTEST: Final = "coins of regtest are worth nothing"


def retire(node: LndNode, facts: Facts) -> Decision:
    """Nothing is made any more; the pod is stopped as LND stops itself, and then its resource may go."""
    status = node.status.model_copy(update={"state": "Stopped"})
    live = facts.children.get(names.stateful_set(node.name))
    pod = facts.children.get(names.pod(node.name))
    if live is None and pod is None:
        return Decision(status, _remains(node, facts, _proof_so_far(node, None)), released=True)
    if live is not None and live["spec"].get("replicas") != 0:
        return _stop(node, facts, live)
    if pod is not None:
        # Whoever deleted the StatefulSet may have orphaned its pod: nothing else would stop it.
        orphaned = live is None and "deletionTimestamp" not in pod["metadata"]
        actions: tuple[Action, ...] = (Delete(names.pod(node.name), uid(pod), "Orphaned"),) if orphaned else ()
        if stopping.to_let_go(node, facts):
            actions = (*actions, Ask("let_go_pod", "Proved"))
        told = f"LND writes its state and stops; up to {children.GRACE_SECONDS} s. Then {node.name} is let go"
        return Decision(node.status, actions, Finding("Stopping", told, WATCHED))
    return Decision(status, _remains(node, facts, _proof_so_far(node, live)), released=True)


def _stop(node: LndNode, facts: Facts, live: Manifest) -> Decision:
    """Scale to zero; where data shall go too, only after the proof that nothing is in them."""
    proof = None
    if node.spec.deletion_policy == "Delete":
        proof, missing = _emptiness(node, facts)
        if proof is None:
            return Decision(node.status, finding=missing)
    stopped = manifests.stopped(_as_it_runs(node, live), {PROVED_EMPTY: proof} if proof else {})
    actions = drift.changes([stopped], facts.children)
    told = f"LND of {node.name} is being stopped in good order"
    return Decision(node.status, actions, Finding("Stopping", told, WATCHED))


def _emptiness(node: LndNode, facts: Facts) -> tuple[str | None, Finding | None]:
    """The proof that no money is in it, or what is missing for it."""
    if node.spec.network == "regtest":
        return REGTEST, None
    cure = "Set deletionPolicy: Retain to delete the node and keep its data"
    if not isinstance(facts.funds, Funds) or not isinstance(facts.channels, Channels):
        told = f"deletionPolicy Delete needs LND's word that it holds nothing, and LND does not answer. {cure}"
        return None, Finding("EmptinessUnknown", told, Waiting(10.0))
    count = len(facts.channels.to_back_up | facts.channels.closing)
    if facts.funds.own_sat == 0 and count == 0:
        return "LND held 0 sat and no channel", None
    told = (
        f"{node.name} holds {facts.funds.own_sat} sat and {count} channels: with deletionPolicy Delete they would be "
        f"lost. It keeps running. Empty it, or: {cure}"
    )
    return None, Finding("NotEmpty", told, Stalled())


def _proof_so_far(node: LndNode, live: Manifest | None) -> str | None:
    if node.spec.deletion_policy != "Delete":
        return None
    if live is None:
        return REGTEST if node.spec.network == "regtest" else None
    return annotation(live, PROVED_EMPTY)


def _as_it_runs(node: LndNode, live: Manifest) -> Manifest:
    """The StatefulSet with the template it has: what the spec says now no longer matters."""
    pods = manifests.selector(node, names.COMPONENT)
    kept = annotation(live, names.CONFIG)
    meta = manifests.owned(node, names.COMPONENT, node.name)
    if kept is not None:
        meta["annotations"] = {names.CONFIG: kept}
    template = live["spec"]["template"]
    wanted = manifests.stateful_set(meta, pods, template, node.name)
    return hold(wanted, live if annotation(live, TEMPLATE) else None)


def _remains(node: LndNode, facts: Facts, proof: str | None) -> tuple[Action, ...]:
    """What goes with the resource: nothing, unless it was proven to be worth nothing."""
    if proof is None or first(pinned.UNFOUNDED, node, facts):
        return ()
    volumes = {
        one: uid(live)
        for one, live in facts.children.items()
        if one.type == PERSISTENT_VOLUME_CLAIM and live["metadata"].get("labels", {}).get(OWNER_LABEL) == node.owner
    }
    worthless = {**volumes, **facts.secrets}
    gone = tuple(Delete(one, life, "ProvedEmpty") for one, life in sorted(worthless.items()))
    brought = facts.wallet is not None and Ref(SECRET, pinned.secret(node, facts)) not in worthless
    return (*((Ask("release_wallet", "ProvedEmpty"),) if brought else ()), *gone)
