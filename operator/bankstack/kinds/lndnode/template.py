"""The StatefulSet of an LndNode: as it is declared now, and as it is held (pure).

Template and lnd.conf change only while a plan's step writes them (law 9); until a wallet
is known there is nothing to protect, and a first start that was declared wrong is simply
made as it is declared now.
"""

from bankstack.engine import frozen, manifests
from bankstack.engine.objects import Manifest, annotated, annotation, digest
from bankstack.kinds.lndnode import checks, children, conf, names, stages
from bankstack.kinds.lndnode.facts import Endpoint, Facts
from bankstack.kinds.lndnode.subject import LndNode


def wish(node: LndNode, endpoint: Endpoint) -> Manifest:
    """As the spec has it now."""
    return children.stateful_set(node, conf.text(node.spec, endpoint), endpoint)


def wish_digest(node: LndNode, endpoint: Endpoint) -> str:
    """Changes when the wish does: what approvers agreed to is written, and nothing else."""
    wanted = wish(node, endpoint)
    return digest([wanted["spec"]["template"], annotation(wanted, names.CONFIG)])


def held(node: LndNode, facts: Facts, endpoint: Endpoint) -> Manifest:
    """As it was made, or as the plan's step writes it; without a pod while a plan has LND stopped."""
    made = _kept(node, facts, endpoint)
    return manifests.stopped(made) if stages.is_stopped(node, facts) else made


def is_written(node: LndNode, live: Manifest, endpoint: Endpoint) -> bool:
    """Whether a StatefulSet says what is declared now."""
    wanted = frozen.hold(wish(node, endpoint), None)
    return all(annotation(live, word) == annotation(wanted, word) for word in (frozen.TEMPLATE, names.CONFIG))


def pending(node: LndNode, facts: Facts, endpoint: Endpoint) -> tuple[str, ...]:
    """Fields of the template where what is declared differs from what runs."""
    return tuple(_field(path) for path in frozen.pending(wish(node, endpoint), held(node, facts, endpoint)))


def may_be_renewed(node: LndNode, facts: Facts, endpoint: Endpoint) -> bool:
    """Whether what is declared now is what was approved, and nothing that LND's data forbid."""
    approved = stages.kept(node, stages.CHECK, stages.TEMPLATE)
    return wish_digest(node, endpoint) == approved and checks.downgrade(node, facts) is None


def _kept(node: LndNode, facts: Facts, endpoint: Endpoint) -> Manifest:
    wanted = wish(node, endpoint)
    live = facts.children.get(names.stateful_set(node.name)) if checks.identity(node, facts) else None
    if live is not None and stages.is_renewing(node, facts) and may_be_renewed(node, facts, endpoint):
        live = None
    made = frozen.hold(wanted, live)
    text = annotation(live, names.CONFIG) if live else None
    return made if text is None else annotated(made, {names.CONFIG: text})


def _field(path: str) -> str:
    """A template's path as the user knows it."""
    if path.startswith("spec.volumes[config]"):
        return "lnd.conf (config, p2p.addresses, bitcoind)"
    return {"spec.containers[lnd].image": "version"}.get(path, path)
