"""Redis with replicas and Sentinel, as manifests (pure). Nothing here says who is master.

Each pod has a Redis and a Sentinel: who loses the one loses the other, and a majority
of pods is a majority of both. Each member has a Service, so its address outlives its
pod: Sentinel and clients remember addresses, and a name that is gone for a moment
would be remembered as gone.
"""

import json
from typing import Final

from bankstack.engine import access, frozen, manifests
from bankstack.engine.model import Storage
from bankstack.engine.objects import (
    CONFIG_MAP,
    OWNER_LABEL,
    STATEFUL_SET,
    Manifest,
    Ref,
    annotated,
    annotation,
    canonical,
)
from bankstack.kinds.apideployment import accounts, names, redis_conf
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.model import ManagedRedis
from bankstack.kinds.apideployment.names import Api

#: The user of Redis' own image.
USER: Final = 999
STORAGE: Final = Storage(size="1Gi")
#: A master waits up to 10 s for its replicas before it ends.
GRACE_SECONDS: Final = 30
#: On the StatefulSet: the claim template that it was made with, which can never change.
CLAIM: Final = "bankstack.io/claim"


def wanted(api: Api, redis: ManagedRedis, facts: Facts) -> list[Manifest]:
    """Everything, in an order in which each finds what it needs."""
    held = hold(api, redis, facts)
    meta = manifests.owned(api, names.REDIS, names.redis(api))
    return [
        _config_map(api, json.loads(held["metadata"]["annotations"][names.CONFIG])),
        *(_volume(api, redis, number) for number in range(redis.members)),
        *(_member_service(api, number) for number in range(redis.members)),
        manifests.service(
            manifests.owned(api, names.REDIS, names.redis_pods(api)),
            _pods(api),
            {"redis": names.REDIS_PORT, "sentinel": names.SENTINEL_PORT},
            clusterIP="None",
            publishNotReadyAddresses=True,
        ),
        manifests.disruption_budget(meta, _pods(api), may_be_gone=1),
        _network_policy(api),
        held,
    ]


def hold(api: Api, redis: ManagedRedis, facts: Facts) -> Manifest:
    """The StatefulSet as it was made: its template, its configuration and its claims stay (law 9)."""
    live = facts.children.get(stateful_set(api))
    held = frozen.hold(wish(api, redis), live)
    kept = {key: annotation(live, key) for key in (names.CONFIG, CLAIM)} if live else {}
    known = {key: value for key, value in kept.items() if value is not None}
    made = annotated(held, known)
    claim = json.loads(made["metadata"]["annotations"][CLAIM])
    return made | {"spec": made["spec"] | {"volumeClaimTemplates": [claim]}}


def wish(api: Api, redis: ManagedRedis) -> Manifest:
    """The StatefulSet as the spec has it now."""
    files = redis_conf.files(api, redis.members)
    meta = manifests.owned(api, names.REDIS, names.redis(api))
    claim = _claim(api, redis)
    meta["annotations"] = {names.CONFIG: canonical(files), CLAIM: canonical(claim)}
    spec = _pod_spec(api, redis, redis_conf.name(api, files))
    template = manifests.pod_template(manifests.labels(api, names.REDIS), spec, redis.pod)
    made = manifests.stateful_set(meta, _pods(api), template, names.redis_pods(api))
    # All at once: each waits for the majority by itself.
    more = {"replicas": redis.members, "podManagementPolicy": "Parallel", "volumeClaimTemplates": [claim]}
    return made | {"spec": made["spec"] | more}


def stopped(api: Api, redis: ManagedRedis, facts: Facts) -> Manifest:
    """The StatefulSet without its pods."""
    return manifests.stopped(hold(api, redis, facts))


def stateful_set(api: Api) -> Ref:
    """Which one."""
    return Ref(STATEFUL_SET, names.redis(api))


def config_map(held: Manifest, api: Api) -> Ref:
    """The configuration that a held StatefulSet mounts."""
    return Ref(CONFIG_MAP, redis_conf.name(api, json.loads(held["metadata"]["annotations"][names.CONFIG])))


def _config_map(api: Api, files: dict[str, str]) -> Manifest:
    return manifests.config_map(manifests.owned(api, names.REDIS, redis_conf.name(api, files)), files)


def _claim(api: Api, redis: ManagedRedis) -> Manifest:
    storage = redis.storage or STORAGE
    meta = manifests.retained(api, names.REDIS, "data")
    del meta["namespace"]
    return {"metadata": meta, "spec": manifests.claim(meta, storage.size, storage.class_name)["spec"]}


def _volume(api: Api, redis: ManagedRedis, number: int) -> Manifest:
    """Made before the StatefulSet would, so that it may grow."""
    storage = redis.storage or STORAGE
    meta = manifests.retained(api, names.REDIS, names.member_volume(api, number).name)
    return manifests.claim(meta, storage.size, storage.class_name)


def _member_service(api: Api, number: int) -> Manifest:
    meta = manifests.owned(api, names.REDIS, names.member(api, number))
    pods = _pods(api) | {"statefulset.kubernetes.io/pod-name": names.member(api, number)}
    ports = {"redis": names.REDIS_PORT, "sentinel": names.SENTINEL_PORT}
    return manifests.service(meta, pods, ports, publishNotReadyAddresses=True)


def _network_policy(api: Api) -> Manifest:
    """Its own programs, whoever is labelled, and the operator."""
    programs = access.pods({OWNER_LABEL: api.owner})
    callers = (programs, access.clients(access.REDIS_CLIENT), access.THE_OPERATOR)
    meta = manifests.owned(api, names.REDIS, names.redis(api))
    door = access.door(names.REDIS_PORT, names.SENTINEL_PORT, callers=callers)
    return manifests.network_policy(meta, _pods(api), [door])


def _pods(api: Api) -> dict[str, str]:
    return manifests.selector(api, names.REDIS)


def _pod_spec(api: Api, redis: ManagedRedis, config_name: str) -> Manifest:
    image = redis.image or f"redis:{redis.version}"
    return manifests.pod_spec(
        USER,
        GRACE_SECONDS,
        topologySpreadConstraints=manifests.spread(_pods(api)),
        containers=[
            _server("redis", image, names.REDIS_PORT),
            _server("sentinel", image, names.SENTINEL_PORT),
        ],
        volumes=[
            {"name": "config", "configMap": {"name": config_name}},
            {"name": "secrets", "secret": _secrets(api)},
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    )


def _secrets(api: Api) -> Manifest:
    keys = (*accounts.INNER, accounts.REDIS_ACL, accounts.SENTINEL_ACL)
    return {
        "secretName": names.redis_accounts(api).name,
        "items": [{"key": key, "path": key} for key in keys],
        "defaultMode": 0o440,
    }


def _server(name: str, image: str, port: int) -> Manifest:
    open_port = {"tcpSocket": {"port": port}}
    return {
        "name": name,
        "image": image,
        "command": ["sh", f"{redis_conf.FOLDER}/start-{name}"],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ],
        "ports": [{"name": name, "containerPort": port}],
        "readinessProbe": {**open_port, "periodSeconds": 2, "timeoutSeconds": 2},
        # No liveness probe: Sentinel judges a hanging Redis, and a start may wait for a majority for long.
        "securityContext": manifests.HARDENED,
        "volumeMounts": [
            {"name": "data", "mountPath": redis_conf.DATA},
            {"name": "config", "mountPath": redis_conf.FOLDER, "readOnly": True},
            {"name": "secrets", "mountPath": redis_conf.SECRETS, "readOnly": True},
            {"name": "scratch", "mountPath": redis_conf.SCRATCH},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }
