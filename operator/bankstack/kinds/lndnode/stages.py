"""What a plan makes of the world, by the step where it is (pure).

`decide` asks here which world to want: traffic or none, a pod or none, which template.
When the plan has ended, however it ended, every answer is the usual one.

A pod that is merely gone proves nothing of its processes: `stopping` has how their end is
proved.
"""

from datetime import datetime
from typing import Any, Final

from bankstack.engine.decision import Ask
from bankstack.engine.objects import Manifest
from bankstack.engine.operation import Wait
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

CHECK, DIVERT, DISABLE, DRAIN, BACKUP, RECORD = "Check", "Divert", "Disable", "Drain", "Backup", "Record"
STOP, RENEW, START, RECONCILE, ENABLE = "Stop", "Renew", "Start", "Reconcile", "Enable"
CLOSE, BURY, SWEEP, ACCOUNT, RETIRE, FRESH = "Close", "Bury", "Sweep", "Account", "Retire", "Fresh"

#: Between these LND shall get no new payments, and is not there for some of them.
DRAINED: Final = frozenset(
    {DIVERT, DISABLE, DRAIN, BACKUP, RECORD, CLOSE, BURY, SWEEP, ACCOUNT, STOP, RETIRE, RENEW, START, RECONCILE, FRESH}
)
#: Here LND is stopped, or stays so.
AWAY: Final = frozenset({STOP, RETIRE, RENEW})
#: Here channels and coins leave a node that is being replaced.
LEAVING: Final = frozenset({CLOSE, BURY, SWEEP, ACCOUNT})

#: LND announces its channels by itself again. One value, for the last step asks for it, and so does `decide` once no
#: plan drains the node: in a pass where both do it is done once.
ENABLES: Final = Ask("enable_channels", "Resuming")
#: Seconds until what LND or the kubelet is about to say is looked for again.
SOON: Final = 2.0
#: On the pod: its end is still to be proved.
PROOF: Final = "bankstack.io/proof-of-exit"
#: What to do where nobody can prove it.
ON_A_LOST_NODE: Final = (
    f"Bring that node back; if it is switched off for good, take finalizer {PROOF} off the pod and delete it by force"
)
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


def is_scaled_down(node: LndNode, facts: Facts) -> bool:
    """Whether its StatefulSet has no replica: LND was told to stop, or is gone."""
    live = facts.children.get(names.stateful_set(node.name))
    return live is not None and live["spec"].get("replicas") == 0


def is_renewing(node: LndNode, facts: Facts) -> bool:
    """Whether the template is written: only while nothing runs."""
    return step(node) == RENEW and is_at_rest(node, facts)


def is_at_rest(node: LndNode, facts: Facts) -> bool:
    """Whether LND's processes have ended, though the object of their pod may still be on its way out."""
    one = pod(node, facts)
    return one is None or exit_of(one) is not None


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
    # Without a time of its end, which is then null, a container was not found, not seen to end.
    if (
        not ends
        or len(ends) < len(one.get("spec", {}).get("containers", []))
        or not all(e.get("finishedAt") for e in ends)
    ):
        return None
    last = max(ends, key=lambda end: str(end["finishedAt"]))
    where = one.get("spec", {}).get("nodeName", "its node")
    return (
        f"pod {one['metadata']['name']} ({one['metadata']['uid']}) ended on {where} at {last['finishedAt']} with exit "
        f"code {last.get('exitCode', 'unknown')}"
    )
