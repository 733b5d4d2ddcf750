"""The StatefulSet of an LndNode: as it is declared now, and as it is held (pure).

Template and lnd.conf change only while a plan's step writes them (law 9); until a wallet
is known there is nothing to protect, and a first start that was declared wrong is simply
made as it is declared now.
"""

from typing import Any, Final

from bankstack.engine import frozen, manifests
from bankstack.engine.objects import Manifest, annotated, annotation, digest
from bankstack.kinds.lndnode import children, conf, names, pinned, releases, stages, stopping
from bankstack.kinds.lndnode.facts import Endpoint, Facts
from bankstack.kinds.lndnode.subject import LndNode

#: Fields of the spec that the pod and lnd.conf do not depend on. bitcoind counts as what it comes to: an endpoint.
ELSEWHERE: Final[Any] = {
    "confirm_mainnet": True, "bitcoind": True, "tls": True, "recycle": True, "liquidity": True,
    "channel_backup": True, "deletion_policy": True, "paused": True, "p2p": {"service"}, "wallet": {"create"},
    "storage": {"size", "class_name"},
}  # fmt: skip
#: What approvers of a plan agree to, as its `uses` name it, beside `stages.TEMPLATE`: of a wallet that is yet to be
#: made, all that people declare of it.
DECLARED: Final = "declared"
#: Of a StatefulSet that an operator wrote which did not say from what.
UNTOLD: Final = "untold"


def wish(node: LndNode, endpoint: Endpoint, generation: int = 1) -> Manifest:
    """As the spec has it now, on the wallet in use."""
    made = children.stateful_set(node, conf.text(node.spec, endpoint), endpoint, generation)
    return annotated(made, {names.DECLARED: declared(node, endpoint)})


def declared(node: LndNode, endpoint: Endpoint) -> str:
    """Changes when people change what LND runs with, and not when a newer operator writes the same otherwise."""
    # Without defaults: a field that a newer operator knows, and nobody has set, is no change.
    said = node.spec.model_dump(mode="json", exclude=ELSEWHERE, exclude_defaults=True)
    named = {field: value for field, value in vars(endpoint).items() if field != "domain"}
    return digest([{field: value for field, value in said.items() if value}, named])


def is_declared_anew(node: LndNode, facts: Facts, endpoint: Endpoint) -> bool:
    """Whether something waits for a restart, and people wanted it. Where nobody can tell who did, they did."""
    held_from = annotation(held(node, facts, endpoint), names.DECLARED)
    return bool(pending(node, facts, endpoint)) and held_from != declared(node, endpoint)


def wish_digest(node: LndNode, endpoint: Endpoint, generation: int = 1) -> str:
    """Changes when the wish does: what approvers agreed to is written, and nothing else."""
    wanted = wish(node, endpoint, generation)
    return digest([wanted["spec"]["template"], annotation(wanted, names.CONFIG)])


def held(node: LndNode, facts: Facts, endpoint: Endpoint) -> Manifest:
    """As it was made, or as the plan's step writes it; without a pod while a plan has LND stopped."""
    made = _kept(node, facts, endpoint)
    return manifests.stopped(made) if stopping.is_wanted(node, facts) else made


def is_written(node: LndNode, live: Manifest, endpoint: Endpoint, generation: int = 1) -> bool:
    """Whether a StatefulSet says what is declared now."""
    wanted = frozen.hold(wish(node, endpoint, generation), None)
    return all(annotation(live, word) == annotation(wanted, word) for word in (frozen.TEMPLATE, names.CONFIG))


def is_being_written(node: LndNode, facts: Facts, held: Manifest) -> bool:
    """Whether what is held is not there yet: what it starts was never seen."""
    live = facts.children.get(names.stateful_set(node.name))
    return live is None or annotation(live, frozen.TEMPLATE) != annotation(held, frozen.TEMPLATE)


def pending(node: LndNode, facts: Facts, endpoint: Endpoint) -> tuple[str, ...]:
    """Fields of the template where what is declared differs from what runs."""
    return tuple(
        _field(path) for path in frozen.pending(wish(node, endpoint, facts.generation), held(node, facts, endpoint))
    )


def may_be_renewed(node: LndNode, facts: Facts, endpoint: Endpoint) -> bool:
    """Whether what is declared now is what was approved, and nothing that LND's data forbid."""
    approved = stages.kept(node, stages.CHECK, stages.TEMPLATE)
    return wish_digest(node, endpoint, facts.generation) == approved and releases.downgrade(node, facts) is None


def not_as_approved(node: LndNode, facts: Facts, endpoint: Endpoint) -> str | None:
    """What was declared otherwise since people agreed to the plan that runs; None where nothing was."""
    now = {stages.TEMPLATE: wish_digest(node, endpoint, facts.generation), DECLARED: declared(node, endpoint)}
    approved = node.plan.uses if node.plan else {}
    if all(approved.get(word, said) == said for word, said in now.items()):
        return None
    return f"the spec of LndNode {node.name}, its bitcoind or the operator is another than when this plan was approved"


def _kept(node: LndNode, facts: Facts, endpoint: Endpoint) -> Manifest:
    wanted = wish(node, endpoint, facts.generation)
    live = facts.children.get(names.stateful_set(node.name)) if pinned.identity(node, facts) else None
    if live is not None and stages.is_renewing(node, facts) and may_be_renewed(node, facts, endpoint):
        live = None
    made = frozen.hold(wanted, live)
    return made if live is None else annotated(made, _annotations(wanted, made, live))


def _annotations(wanted: Manifest, made: Manifest, live: Manifest) -> dict[str, str]:
    """What the held template was made with. While it is the wished one, it is made from what is declared now."""
    now = {word: str(annotation(wanted, word)) for word in (names.CONFIG, names.DECLARED)}
    text = annotation(live, names.CONFIG) or now[names.CONFIG]
    if not frozen.pending(wanted, made):
        return {names.CONFIG: text, names.DECLARED: now[names.DECLARED]}
    return {names.CONFIG: text, names.DECLARED: annotation(live, names.DECLARED) or UNTOLD}


def _field(path: str) -> str:
    """A template's path as the user knows it."""
    if path.startswith("spec.volumes[config]"):
        return "lnd.conf (config, p2p.addresses, bitcoind)"
    return {"spec.containers[lnd].image": "version"}.get(path, path)
