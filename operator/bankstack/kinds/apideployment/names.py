"""What the objects of an ApiDeployment are called, and the words written on them (pure)."""

from typing import Final

from bankstack.engine.declared import Declared
from bankstack.engine.objects import (
    AROUND_A_STATEFUL_SET,
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    JOB,
    PERSISTENT_VOLUME_CLAIM,
    SECRET,
    Manifest,
    Ref,
)
from bankstack.engine.ports import resource_type
from bankstack.kinds.apideployment.model import ApiDeploymentSpec, ApiDeploymentStatus
from bankstack.kinds.coldwallet import model as coldwallet
from bankstack.kinds.ledgercluster import model as ledgercluster
from bankstack.kinds.lndnode import model as lndnode

Api = Declared[ApiDeploymentSpec, ApiDeploymentStatus]

REDIS: Final = "redis"
REDIS_PORT, SENTINEL_PORT = 6379, 26379
#: What Sentinel calls the master; what existing charts expect.
MASTER: Final = "mymaster"

#: Of the mode's ConfigMap: the file with the names of nodes that new payments leave alone, one a line.
AVOID: Final = "avoid"
#: On every running pod of a component: the mode it was told of, and the nodes to avoid. The kubelet renews a pod's
#: files when the pod changes, within a second or two; by itself it does so once in a minute or later.
TOLD: Final = "bankstack.io/mode"
#: On every pod template of a component: changes when a Secret or ConfigMap that it reads does.
CREDENTIALS: Final = "bankstack.io/credentials"
#: On a migration: the generation of the resource that asked for it. Whoever has read an older one knows nothing of it.
GENERATION: Final = "bankstack.io/generation"
#: On the pods where customers' requests arrive.
INTAKE: Final = "bankstack.io/intake"
#: On the redis StatefulSet: the configuration that its template mounts, so that the ConfigMap can come back.
CONFIG: Final = "bankstack.io/redis-conf"
CHILDREN: Final = (*AROUND_A_STATEFUL_SET, CRON_JOB, DEPLOYMENT, JOB)

LEDGER_CLUSTER: Final = resource_type(ledgercluster.RESOURCE)
LND_NODE: Final = resource_type(lndnode.RESOURCE)
COLD_WALLET: Final = resource_type(coldwallet.RESOURCE)


def component(api: Api, name: str) -> str:
    """Everything of one component."""
    return f"{api.name}-{name}"


def job(api: Api, name: str, revision: str) -> Ref:
    """A component's run for one revision."""
    return Ref(JOB, f"{api.name}-{name}-{revision}")


def cron_job(api: Api, name: str) -> Ref:
    """A component that runs at times."""
    return Ref(CRON_JOB, component(api, name))


def redis(api: Api) -> str:
    """StatefulSet, Secret and disruption budget of Redis."""
    return f"{api.name}-{REDIS}"


def redis_pods(api: Api) -> str:
    """The Service that a StatefulSet wants to be called by."""
    return f"{api.name}-{REDIS}-pods"


def member(api: Api, number: int) -> str:
    """One member: its pod and its Service are called the same."""
    return f"{api.name}-{REDIS}-{number}"


def member_host(api: Api, number: int) -> str:
    """Where one member answers. A Service of its own: the address outlives the pod, also in clients' memories."""
    return host(api, member(api, number))


def member_volume(api: Api, number: int) -> Ref:
    """The claim that the StatefulSet's pod of this number mounts."""
    return Ref(PERSISTENT_VOLUME_CLAIM, f"data-{member(api, number)}")


def redis_config(api: Api, content: str) -> Ref:
    """The ConfigMap of Redis' configuration; `content` is its digest."""
    return Ref(CONFIG_MAP, f"{api.name}-{REDIS}-conf-{content}")


def redis_accounts(api: Api) -> Ref:
    """What the servers read: every password, and the rights of each user."""
    return Ref(SECRET, f"{api.name}-{REDIS}")


def redis_api(api: Api) -> Ref:
    """What the components read: the password of Redis' default user."""
    return Ref(SECRET, f"{api.name}-{REDIS}-api")


def redis_inner(api: Api) -> Ref:
    """The passwords that only servers and operator use."""
    return Ref(SECRET, f"{api.name}-{REDIS}-inner")


def mode(name: str) -> Ref:
    """What the API may do now."""
    return Ref(CONFIG_MAP, f"{name}-mode")


def lnd_secret(node: str) -> str:
    """What an LndNode makes for the bank's API."""
    return f"{node}-api"


def host(api: Api, service: str) -> str:
    """A Service's name as others in the cluster resolve it."""
    return f"{service}.{api.namespace}.svc"


def is_of_a_component(pod: Manifest) -> bool:
    """Whether a pod of ours is not Redis."""
    return bool(pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") != REDIS)
