"""What a plan makes of the world, by the step where it is (pure).

`decide` asks here which world to want: traffic or none, a pod or none, which template.
When the plan has ended, however it ended, every answer is the usual one.

A pod that a plan stops is held by a finalizer directly before: then its object outlives
its processes, also when it is deleted by force, and goes only after the kubelet has said
that they ended. A pod that is merely gone proves nothing. Not earlier than that: a held pod
that dies while nobody operates is not made again.
"""

from datetime import datetime
from typing import Any, Final

from bankstack.clients.lnd.answers import Channels, Info
from bankstack.engine.objects import Manifest, Ref
from bankstack.engine.operation import Abort, Wait
from bankstack.kinds.lndnode import htlcs, names
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

CHECK, DIVERT, DISABLE, DRAIN, BACKUP, RECORD = "Check", "Divert", "Disable", "Drain", "Backup", "Record"
STOP, RENEW, START, RECONCILE, ENABLE = "Stop", "Renew", "Start", "Reconcile", "Enable"
CLOSE, BURY, SWEEP, ACCOUNT, RETIRE, FRESH = "Close", "Bury", "Sweep", "Account", "Retire", "Fresh"

#: Between these LND shall get no new payments, and is not there for some of them.
DRAINED: Final = frozenset(
    {DIVERT, DISABLE, DRAIN, BACKUP, RECORD, CLOSE, BURY, SWEEP, ACCOUNT, STOP, RETIRE, RENEW, START, RECONCILE, FRESH}
)
AWAY: Final = frozenset({STOP, RETIRE, RENEW})
#: Here channels and coins leave a node that is being replaced.
LEAVING: Final = frozenset({CLOSE, BURY, SWEEP, ACCOUNT})

#: Seconds until what LND or the kubelet is about to say is looked for again.
SOON: Final = 2.0
#: On the pod: its end is still to be proved.
PROOF: Final = "bankstack.io/proof-of-exit"
#: What to do where nobody can prove it.
ON_A_LOST_NODE: Final = f"Bring that node back; if it is switched off for good, take finalizer {PROOF} off the pod"
#: What steps keep for later ones.
TEMPLATE, CHANGE, AT, IDENTITY, OWN_SAT, UNSETTLED_SAT, HTLCS, CHANNELS, ACTIVE, DOWNTIME = (
    "template", "change", "at", "identity", "ownSat", "unsettledSat", "htlcs", "channels", "active", "downtimeSeconds"
)  # fmt: skip
START_SAT, HEIGHT = "startSat", "height"


def step(node: LndNode) -> str | None:
    """The step where its plan is."""
    return node.plan.step if node.plan else None


def kept(node: LndNode, of: str, word: str) -> str | None:
    """What an earlier step of the plan kept."""
    return node.plan.kept.get(of, {}).get(word) if node.plan else None


def began(node: LndNode, now: datetime) -> datetime:
    """When its plan did."""
    return node.plan.started if node.plan else now


def since(node: LndNode, now: datetime) -> datetime:
    """When its step began."""
    return node.plan.since if node.plan else now


def is_drained(node: LndNode) -> bool:
    """Whether payments should take another node."""
    return step(node) in DRAINED


def is_stopped(node: LndNode, facts: Facts) -> bool:
    """Whether there shall be no pod: never before the one that runs is held, or its end could not be proved."""
    if step(node) in (RETIRE, RENEW):
        return True
    live = facts.children.get(names.stateful_set(node.name))
    went = live is not None and live["spec"].get("replicas") == 0
    return step(node) == STOP and (went or _ends_held(pod(node, facts)) or is_being_stopped(node, facts))


def is_being_stopped(node: LndNode, facts: Facts) -> bool:
    """Whether LND, which runs, is told to stop in this pass: only where nothing that was just seen forbids it."""
    one, live = pod(node, facts), facts.children.get(names.stateful_set(node.name))
    if step(node) != STOP or one is None or "deletionTimestamp" in one["metadata"]:
        return False
    return live is not None and live["spec"].get("replicas") != 0 and may_be_stopped(node, facts) is None


def may_be_stopped(node: LndNode, facts: Facts) -> Wait | Abort | None:
    """What forbids it. The step before saw to the same, but after a crash that is long ago."""
    if not isinstance(facts.channels, Channels) or not isinstance(facts.info, Info):
        return silent()
    tight = htlcs.too_tight(node, facts.channels.htlcs, facts.info.block_height)
    return Abort(tight) if tight else None


def _ends_held(one: Manifest | None) -> bool:
    return one is not None and is_held(one) and "deletionTimestamp" in one["metadata"]


def is_renewing(node: LndNode, facts: Facts) -> bool:
    """Whether the template is written: only while no pod is there."""
    return step(node) == RENEW and pod(node, facts) is None


def pod(node: LndNode, facts: Facts) -> Manifest | None:
    """LND's pod."""
    return facts.children.get(names.pod(node.name))


def is_held(one: Manifest | None) -> bool:
    """Whether its object waits for the proof."""
    return one is not None and PROOF in one["metadata"].get("finalizers", [])


def silent() -> Wait:
    """LND gives no answer, which is neither yes nor no."""
    return Wait("LND does not answer just now: nothing is concluded from that, it is asked again", SOON)


def exit_of(one: Manifest | None) -> str | None:
    """The kubelet's word that every process of a deleted pod has ended; None: it has not given it."""
    if one is None or "deletionTimestamp" not in one["metadata"]:
        return None
    told: list[dict[str, Any]] = one.get("status", {}).get("containerStatuses", [])
    ends = [status.get("state", {}).get("terminated", {}) for status in told]
    # Without a time of its end a container was not found, not seen to end.
    if (
        not ends
        or len(ends) < len(one.get("spec", {}).get("containers", []))
        or not all("finishedAt" in e for e in ends)
    ):
        return None
    last = max(ends, key=lambda end: str(end["finishedAt"]))
    where = one.get("spec", {}).get("nodeName", "its node")
    return (
        f"pod {one['metadata']['name']} ({one['metadata']['uid']}) ended on {where} at {last['finishedAt']} with exit "
        f"code {last.get('exitCode', 'unknown')}"
    )


def to_let_go(node: LndNode, facts: Facts) -> Ref | None:
    """The pod whose object nothing needs any more: its end is proved, or it is not to end."""
    one = pod(node, facts)
    if one is None or not is_held(one):
        return None
    if "deletionTimestamp" not in one["metadata"]:
        return None if step(node) == STOP and not node.deleting else names.pod(node.name)
    # Also where somebody else deleted it just before it was to be stopped: it could not come back otherwise.
    is_evidence = step(node) == STOP and not node.deleting
    return None if is_evidence or exit_of(one) is None else names.pod(node.name)
