"""What the members' pods say of themselves (pure), for where MongoDB itself does not answer."""

from collections.abc import Mapping
from typing import Any, Final

from bankstack.clients.mongo.answers import Blank, InSet, State
from bankstack.engine.finding import WATCHED, Finding, Unknown, Waiting
from bankstack.engine.objects import Manifest
from bankstack.kinds.ledgercluster import names, replica
from bankstack.kinds.ledgercluster.facts import Facts
from bankstack.kinds.ledgercluster.subject import LedgerCluster

SOON: Final = 2.0
_IMAGE: Final = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def first_that_does_not_answer(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """Before there is a set: each must be up and empty."""
    for seat in replica.seats(cluster, facts):
        if not replica.is_empty(facts.members.get(seat.name)):
            return _why(seat.name, facts)
    return None


def first_that_does_not_serve(cluster: LedgerCluster, facts: Facts) -> Finding | None:
    """In a set: each must have all data and take part."""
    for seat in replica.seats(cluster, facts):
        answer = facts.members.get(seat.name)
        if replica.serves(answer) or isinstance(answer, Blank):
            continue
        if isinstance(answer, InSet):
            return _not_serving(seat.name, answer)
        return _why(seat.name, facts)
    return None


def _not_serving(member: str, answer: InSet) -> Finding:
    if answer.state == State.ROLLBACK:
        told = (
            f"{member} takes back writes that no majority had: they stay in files on its volume (rollback). Compare "
            "them with the books before anything else"
        )
        return Finding("RollingBack", told, Waiting(5.0))
    told = f"{member} is {answer.state}: it gets its data from the others, who keep the books meanwhile"
    return Finding("MemberRecovering", told, Waiting(5.0))


def _why(member: str, facts: Facts) -> Finding:
    """Why a member gives no answer."""
    pod = facts.children.get(names.pod(member))
    if pod is None:
        return Finding("Starting", f"pod {member}-0 is being made", WATCHED)
    if "deletionTimestamp" in pod["metadata"]:
        return Finding("Restarting", f"pod {member}-0 is being stopped and will be made again", WATCHED)
    return _container_why(member, pod) or _silent(member, facts)


def _silent(member: str, facts: Facts) -> Finding:
    answer = facts.members.get(member)
    reason = answer.reason if isinstance(answer, Unknown) else "it has not said what it is"
    return Finding(
        "MemberSilent",
        f"{member} runs and does not answer ({reason}): nothing is concluded from that. While a majority of the "
        "others answers, the books are kept",
        Waiting(SOON),
    )


def _container_why(member: str, pod: Manifest) -> Finding | None:
    status: Mapping[str, Any] = pod.get("status", {})
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for one in containers:
        waiting = one.get("state", {}).get("waiting", {})
        ended = one.get("state", {}).get("terminated") or (
            one.get("lastState", {}).get("terminated") if waiting else {}
        )
        if waiting.get("reason") in _IMAGE:
            told = f"the image of {member} cannot be pulled ({waiting.get('message', waiting['reason'])}). Correct "
            return Finding("ImageMissing", f"{told}spec.version, spec.image or spec.pod.imagePullSecrets", WATCHED)
        if ended and ended.get("exitCode", 0) != 0:
            told = (
                f"{member}: container {one['name']} ended with exit code {ended['exitCode']} and is started again by "
                f"itself. The other members keep the books. Read kubectl logs {member}-0 --previous"
            )
            return Finding("Crashed", told, WATCHED)
    return _unscheduled(member, status)


def _unscheduled(member: str, status: Mapping[str, Any]) -> Finding | None:
    for one in status.get("conditions", []):
        if one["type"] == "PodScheduled" and one["status"] != "True":
            told = f"pod {member}-0 cannot start yet: {one.get('message', '')}. Nothing is lost"
            return Finding("PodPending", told, WATCHED)
    return None
