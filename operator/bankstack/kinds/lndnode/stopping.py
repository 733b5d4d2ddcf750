"""LND's stop by a plan (pure): what forbids it, whether it comes in this pass, and how long its pod is held for it.

A pod is held by a finalizer directly before its LND is told to stop: its object then
outlives its processes, also when it is deleted by force, and goes only after the kubelet
has said that they ended. Not earlier: a held pod that dies while nobody operates is not
made again.
"""

from typing import Final

from bankstack.clients.lnd.answers import Channels, Info
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest, Ref
from bankstack.engine.operation import Abort, Wait
from bankstack.kinds.lndnode import backups, carriers, htlcs, leaving, names, stages, stored
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode


def forbids(node: LndNode, facts: Facts) -> Wait | Abort | None:
    """What must not be while LND is stopped. All of it is momentary, and after a crash the step before is long ago."""
    channels, info = facts.channels, facts.info
    if not isinstance(channels, Channels) or not isinstance(info, Info) or isinstance(facts.funds, Unknown):
        return stages.silent()
    if not info.synced:
        return Wait(f"{BEHIND}: it is waited for", stages.SOON)
    if stages.kept(node, stages.ACCOUNT, stages.AT):
        return leaving.came_since(channels, facts.funds)
    if lacking := closing(channels) or stranded(facts) or _changed(node, facts, channels):
        return Wait(lacking, stages.SOON)
    tight = htlcs.too_tight(node, channels.htlcs, info.block_height)
    return Abort(tight) if tight else None


BEHIND: Final = "LND is behind the chain, so that nobody can say how many blocks its payments have left"


def closing(channels: Channels) -> str | None:
    """Why LND has to be there: what is on its way in a channel that leaves is not among the HTLCs of open ones."""
    if not channels.closing:
        return None
    return (
        f"channel {min(channels.closing)} is being closed ({len(channels.closing)} in all): LND has to be there for "
        "what is still in it, and is not stopped before that is buried in the chain. Wait, or cancel the plan"
    )


def stranded(facts: Facts) -> str | None:
    """Where LND could not be started again."""
    if isinstance(facts.place, Unknown) or not (facts.place.cordoned and facts.place.tied):
        return None
    return (
        f"Kubernetes node {facts.place.node} is cordoned, and LND's volume is on that node only: stopped now, LND "
        f"would stay down and its payments run out of blocks. Uncordon it (kubectl uncordon {facts.place.node}), or "
        "cancel the plan"
    )


def _changed(node: LndNode, facts: Facts, channels: Channels) -> str | None:
    if channels.to_back_up and not backups.is_current(facts, channels):
        return "the channels changed since the backup: it is written anew"
    if channels.to_back_up and (lacking := stored.missing(facts)):
        return lacking
    return alone(node, facts)


def alone(node: LndNode, facts: Facts) -> str | None:
    """Why no other node carries the payments; None where one does, or the plan does without."""
    return carriers.missing(facts, node.plan.parameters if node.plan else {})


def is_coming(node: LndNode, facts: Facts) -> bool:
    """Whether LND, which runs, is told to stop in this pass: only where nothing that was just seen forbids it."""
    if stages.step(node) != stages.STOP or not _runs(stages.pod(node, facts)):
        return False
    live = facts.children.get(names.stateful_set(node.name))
    return live is not None and not stages.is_scaled_down(node, facts) and forbids(node, facts) is None


def is_wanted(node: LndNode, facts: Facts) -> bool:
    """Whether there shall be no pod: never before the one that runs is held, or its end could not be proved."""
    if stages.step(node) != stages.STOP:
        return stages.step(node) in stages.AWAY
    pod = stages.pod(node, facts)
    ends_held = stages.is_held(pod) and not _runs(pod)
    return stages.is_scaled_down(node, facts) or ends_held or is_coming(node, facts)


def to_hold(node: LndNode, facts: Facts) -> Manifest | None:
    """The pod that is taken hold of in this pass: what stops it comes next, or came from somebody else."""
    pod = stages.pod(node, facts)
    if stages.step(node) != stages.STOP or not _runs(pod) or stages.is_held(pod):
        return None
    return pod if stages.is_scaled_down(node, facts) or is_coming(node, facts) else None


def to_let_go(node: LndNode, facts: Facts) -> Ref | None:
    """The pod whose object nothing needs any more: its end is proved, or it is not to end."""
    one = stages.pod(node, facts)
    if one is None or not stages.is_held(one):
        return None
    at_stop = stages.step(node) == stages.STOP and not node.deleting
    if _runs(one):
        return None if at_stop and is_wanted(node, facts) else names.pod(node.name)
    # Also where somebody else deleted it just before it was to be stopped: it could not come back otherwise.
    return None if at_stop or stages.exit_of(one) is None else names.pod(node.name)


def _runs(pod: Manifest | None) -> bool:
    """Whether it is there and not on its way out."""
    return pod is not None and "deletionTimestamp" not in pod["metadata"]
