"""Where LND's pod is, and whether it may stay there: reads of the Kubernetes node, and of the volume where it matters.

Both belong to the whole cluster, so an operator may lack the right: then nobody knows
where LND is, nothing is asked for, and the log says so once.
"""

import logging
from collections.abc import Mapping
from functools import cache

from bankstack.engine.finding import FORBIDDEN, Interrupted, Unknown
from bankstack.engine.objects import NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, Manifest, Ref, uid
from bankstack.engine.ports import Reader
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.facts import Place
from bankstack.kinds.lndnode.subject import LndNode

log = logging.getLogger(__name__)

#: By this a volume says that it is on one node only.
HOSTNAME = "kubernetes.io/hostname"


async def place(node: LndNode, children: Mapping[Ref, Manifest], reader: Reader) -> Place | Unknown:
    """The Kubernetes node of LND's pod."""
    pod = children.get(names.pod(node.name))
    where = pod["spec"].get("nodeName") if pod and "deletionTimestamp" not in pod["metadata"] else None
    if pod is None or not where:
        return Unknown("its pod has no node")
    try:
        found = await reader.get(Ref(NODE, where), "")
        if found is None:
            return Unknown(f"there is no node {where}")
        if not found.get("spec", {}).get("unschedulable"):
            return Place(where, uid(pod))
        return Place(where, uid(pod), cordoned=True, tied=await _is_tied(_claim(children), reader))
    except Interrupted as stop:
        if stop.finding.reason == FORBIDDEN:
            say_once()
        return Unknown(stop.finding.message)


def _claim(children: Mapping[Ref, Manifest]) -> Manifest | None:
    """Of the wallet in use: those of earlier ones are not among the children."""
    return next((one for ref, one in children.items() if ref.type == PERSISTENT_VOLUME_CLAIM), None)


async def _is_tied(claim: Manifest | None, reader: Reader) -> bool:
    """Whether the volume can be nowhere else. One that cannot be found may be anywhere: people are told, and decide."""
    name = (claim or {}).get("spec", {}).get("volumeName")
    volume = await reader.get(Ref(PERSISTENT_VOLUME, name), "") if name else None
    terms = (volume or {}).get("spec", {}).get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", [])
    return any(one.get("key") == HOSTNAME for term in terms for one in term.get("matchExpressions", []))


@cache
def say_once() -> None:
    """Nothing else is amiss: it needs no condition."""
    log.warning(
        "cordons of Kubernetes nodes are not seen, so none makes a ChangePlan: the operator's ClusterRole has to give "
        "it get of nodes and persistentvolumes, as manifests/base has it"
    )
