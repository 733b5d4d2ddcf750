"""What LND's pod says of itself (pure): starting, running, stopped by its own will, or crashed.

LND ends by itself when bitcoind has been away for some minutes: it exits in good order
and comes back when it can. That is not a crash, and nobody should be woken for it.
"""

from collections.abc import Mapping
from typing import Any, Final

from bankstack.engine.finding import WATCHED, Finding, Stalled, Unknown
from bankstack.engine.objects import Manifest
from bankstack.kinds.lndnode import names, pinned, releases, stages
from bankstack.kinds.lndnode.facts import Chain, Facts
from bankstack.kinds.lndnode.subject import LndNode

SOON: Final = 2.0
#: What LND says last when it cannot start; each measured on v0.21.2.
_NO_BITCOIND: Final = "unable to create partial chain control"
_NO_CONFIG: Final = "failed to load config"
_NO_DATABASE: Final = "unable to open databases"
_WALLET_SHUT: Final = "error unlocking wallet with password from file"
SAID_MOST: Final = 200


def pod_is_up(node: LndNode, facts: Facts) -> Finding | None:
    """Whether LND's process runs; if not, whose turn it is."""
    pod = facts.children.get(names.pod(node.name))
    if pod is None:
        return Finding("Starting", f"LND's pod {node.name}-0 is being made", WATCHED)
    if "deletionTimestamp" in pod["metadata"]:
        return Finding("Restarting", f"pod {node.name}-0 is being stopped and will be made again{_held(pod)}", WATCHED)
    container = _container(pod)
    if "running" in container.get("state", {}):
        return None
    ended = _ended(container)
    return _not_started(node, pod, container) if ended is None else _stopped(node, facts, ended)


def _held(pod: Manifest) -> str:
    """What its next life waits for, where a plan took hold of this one and its node may be lost."""
    if not stages.is_held(pod) or stages.exit_of(pod):
        return ""
    where = pod.get("spec", {}).get("nodeName", "?")
    return f", once the kubelet of node {where} has said that LND ended. {stages.ON_A_LOST_NODE}"


def _container(pod: Manifest) -> dict[str, Any]:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    found: dict[str, Any] = next((one for one in statuses if one["name"] == "lnd"), {})
    return found


def _ended(container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the process ended, where it did."""
    now, last = container.get("state", {}), container.get("lastState", {})
    ended: Mapping[str, Any] | None = now.get("terminated") or last.get("terminated")
    return ended


def _not_started(node: LndNode, pod: Manifest, container: Mapping[str, Any]) -> Finding:
    waiting = container.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    told = waiting.get("message") or _unschedulable(pod)
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
        return Finding(
            "ImageMissing",
            f"the image of LND cannot be pulled ({told}). The node does not run. Correct spec.version, "
            f"spec.image or spec.pod.imagePullSecrets. {_by_hand(node)}",
            WATCHED,
        )
    if told:
        return Finding("PodPending", f"pod {node.name}-0 cannot start yet: {told}. Nothing is lost", WATCHED)
    return Finding("Starting", f"pod {node.name}-0 starts", WATCHED)


def _unschedulable(pod: Manifest) -> str:
    conditions = pod.get("status", {}).get("conditions", [])
    found = [one for one in conditions if one["type"] == "PodScheduled" and one["status"] != "True"]
    return str(found[0].get("message", "")) if found else ""


def _stopped(node: LndNode, facts: Facts, ended: Mapping[str, Any]) -> Finding:
    chain, secret = facts.chain, pinned.secret(node, facts)
    code, told = int(ended.get("exitCode", -1)), str(ended.get("message", ""))
    if _WALLET_SHUT in told:
        return Finding(
            "WalletPasswordWrong",
            f"LND cannot open its wallet with the password in Secret {secret}: its channels are safe but "
            "not watched. Put the former Secret back from its backup",
            Stalled(),
        )
    if _NO_CONFIG in told:
        return Finding(
            "ConfigRefused",
            f"LND does not start with its configuration: {_after(told, _NO_CONFIG)}. Correct spec.config or "
            f"spec.p2p.addresses. {_by_hand(node)}",
            Stalled(),
        )
    if _NO_DATABASE in told:
        return _database_refused(node, _after(told, _NO_DATABASE))
    if _bitcoind_is_the_cause(chain, code, told):
        said = _after(told, _NO_BITCOIND) or _said(chain)
        return Finding(
            "BitcoindAway",
            "LND ended in good order because bitcoind does not answer: channels are safe, payments are not possible. "
            f"It starts again by itself. Look at bitcoind{said and f' ({said})'}",
            WATCHED,
        )
    if code == 0:
        return Finding("Restarting", "LND ended in good order and starts again by itself", WATCHED)
    return Finding(
        "Crashed",
        f"LND ended with exit code {code} ({ended.get('reason', 'Error')}) and is started again by itself: until it "
        f"runs, its channels are not watched. Read the log: kubectl logs {node.name}-0 --previous",
        WATCHED,
    )


def _database_refused(node: LndNode, said: str) -> Finding:
    """LND migrates in one transaction: after a failure all is as it was before."""
    return Finding(
        "DatabaseRefused",
        f"LND {node.spec.version} does not open its database ({said}): its channels are safe on the volume, and not "
        f"watched. Look whether the volume is full: kubectl logs {node.name}-0 --previous. Else set spec.version to a "
        f"newer release. {_by_hand(node)}. {releases.NO_COPY}",
        Stalled(),
    )


def _by_hand(node: LndNode) -> str:
    """What does not come up is not restarted by a plan."""
    return f"A node that has run before then needs: kubectl delete statefulset {node.name}"


def _bitcoind_is_the_cause(chain: Chain, code: int, told: str) -> bool:
    """LND's own shutdown ends with 0; at a start without bitcoind it ends with 1 and says so."""
    return chain.ready is not True if code == 0 else code == 1 and _NO_BITCOIND in told


def _after(told: str, marker: str) -> str:
    """LND's own words on it: the rest of that line."""
    return told.rpartition(marker)[2].partition("\n")[0].strip(' :"')[:SAID_MOST] if marker in told else ""


def _said(chain: Chain) -> str:
    return chain.ready.reason if isinstance(chain.ready, Unknown) else chain.told
