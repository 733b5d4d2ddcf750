"""What is made for a LedgerCluster, as values (pure).

One StatefulSet for each member: its volume is named in its template, so that Kubernetes
cannot make an empty one in the place of a lost one. An empty voter that comes back
under its old name has forgotten what it acknowledged.
"""

from typing import Any, Final

from bankstack.engine import access, manifests
from bankstack.engine.objects import Manifest
from bankstack.kinds.ledgercluster import names, sealed
from bankstack.kinds.ledgercluster.names import Seat
from bankstack.kinds.ledgercluster.subject import LedgerCluster

#: As the official image has it.
USER: Final = 999
#: A primary first hands over, up to 15 s; then journal and data are written out.
GRACE_SECONDS: Final = 120
DATA, KEYS, SECRETS = "/data/db", "/keys", "/secrets"


def volume(cluster: LedgerCluster, seat: Seat, replica_set_id: str | None) -> Manifest:
    """A member's data. It says of which set they are."""
    known = {"replica_set": replica_set_id} if replica_set_id else {}
    meta = manifests.retained(cluster, names.COMPONENT, names.volume(seat.name).name, **known)
    storage = cluster.spec.storage
    return manifests.claim(meta, storage.size if storage else "1Gi", storage.class_name if storage else None)


def service(cluster: LedgerCluster) -> Manifest:
    """A name for each member; ready or not, for the others must find one that starts."""
    meta = manifests.owned(cluster, names.COMPONENT, cluster.name)
    more = {"clusterIP": "None", "publishNotReadyAddresses": True}
    return manifests.service(meta, pods(cluster), {"mongodb": names.PORT}, **more)


def authority(cluster: LedgerCluster, pem: str) -> Manifest:
    """Whom clients have to trust."""
    meta = manifests.owned(cluster, names.COMPONENT, names.authority(cluster.name).name)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": pem}}


def disruption_budget(cluster: LedgerCluster) -> Manifest:
    """One member at a time: the others are a majority."""
    meta = manifests.owned(cluster, names.COMPONENT, cluster.name)
    return manifests.disruption_budget(meta, pods(cluster), may_be_gone=1)


def network_policy(cluster: LedgerCluster) -> Manifest:
    """Only what is part of the bank."""
    callers = (access.THE_BANK, access.clients(access.LEDGER_CLIENT), access.THE_OPERATOR)
    meta = manifests.owned(cluster, names.COMPONENT, cluster.name)
    return manifests.network_policy(meta, pods(cluster), [access.door(names.PORT, callers=callers)])


def stateful_set(cluster: LedgerCluster, seat: Seat) -> Manifest:
    """One member."""
    meta = manifests.owned(cluster, names.COMPONENT, seat.name)
    one = _pods_of(cluster, seat)
    labels = manifests.labels(cluster, names.COMPONENT) | one
    template = manifests.pod_template(labels, _pod_spec(cluster, seat), cluster.spec.pod)
    if seat.region:
        # After the user's own: a member outside its region would let one region have a majority.
        spec = template["spec"]
        kept = spec.get("nodeSelector", {}) | {manifests.REGION: seat.region}
        template = template | {"spec": spec | {"nodeSelector": kept}}
    return manifests.stateful_set(meta, one, template, cluster.name)


def image(cluster: LedgerCluster) -> str:
    """The release's image, or the user's own."""
    return cluster.spec.image or f"mongo:{cluster.spec.version}"


def pods(cluster: LedgerCluster) -> dict[str, str]:
    """Labels of all members' pods."""
    return manifests.selector(cluster, names.COMPONENT)


def speaks_tls(cluster: LedgerCluster) -> bool:
    """Whether members and clients talk encrypted."""
    return cluster.spec.tls.mode == "requireTLS"


def _pods_of(cluster: LedgerCluster, seat: Seat) -> dict[str, str]:
    return pods(cluster) | {"bankstack.io/member": seat.name}


def _pod_spec(cluster: LedgerCluster, seat: Seat) -> Manifest:
    keys = [{"key": key, "path": key} for key in _mounted(cluster)]
    return manifests.pod_spec(
        USER,
        GRACE_SECONDS,
        affinity=_apart(cluster),
        initContainers=[_keyfile(cluster)],
        containers=[_mongod(cluster)],
        volumes=[
            {"name": "data", "persistentVolumeClaim": {"claimName": names.volume(seat.name).name}},
            {"name": "secrets", "secret": {"secretName": names.internal(cluster.name).name, "items": keys}},
            {"name": "keys", "emptyDir": {"medium": "Memory"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    )


def _mounted(cluster: LedgerCluster) -> tuple[str, ...]:
    """Neither the operator's password nor the authority's key."""
    return (sealed.KEYFILE, sealed.CERTIFICATE, sealed.AUTHORITY) if speaks_tls(cluster) else (sealed.KEYFILE,)


def _apart(cluster: LedgerCluster) -> dict[str, Any]:
    """Rather not two members on one machine."""
    term = {"topologyKey": manifests.MACHINE, "labelSelector": {"matchLabels": pods(cluster)}}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _keyfile(cluster: LedgerCluster) -> Manifest:
    """Mongod refuses a keyfile that its group may read, and a Secret's files belong to the pod's group."""
    return {
        "name": "keyfile",
        "image": image(cluster),
        "command": ["install", "-m", "0400", f"{SECRETS}/{sealed.KEYFILE}", f"{KEYS}/{sealed.KEYFILE}"],
        "securityContext": manifests.HARDENED,
        "volumeMounts": [
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
            {"name": "keys", "mountPath": KEYS},
        ],
    }


def _mongod(cluster: LedgerCluster) -> Manifest:
    open_port = {"tcpSocket": {"port": names.PORT}}
    return {
        "name": "mongod",
        "image": image(cluster),
        "command": ["mongod"],
        "args": _arguments(cluster),
        "ports": [{"name": "mongodb", "containerPort": names.PORT}],
        # Only whether the port is open: a recovery after a power cut or a slow disk is waited out.
        "startupProbe": {**open_port, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 43200},
        "readinessProbe": {**open_port, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**open_port, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 20},
        "securityContext": manifests.HARDENED,
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
            {"name": "keys", "mountPath": KEYS},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }


def _arguments(cluster: LedgerCluster) -> list[str]:
    return [
        f"--replSet={cluster.name}",
        "--bind_ip_all",
        f"--port={names.PORT}",
        f"--dbpath={DATA}",
        f"--keyFile={KEYS}/{sealed.KEYFILE}",
        # Without it nobody could tell which clients ask for less than the ledger's write concern.
        "--setParameter=reportOpWriteConcernCountersInServerStatus=true",
        *(_tls_arguments() if speaks_tls(cluster) else ()),
    ]


def _tls_arguments() -> tuple[str, ...]:
    return (
        "--tlsMode=requireTLS",
        f"--tlsCertificateKeyFile={SECRETS}/{sealed.CERTIFICATE}",
        f"--tlsCAFile={SECRETS}/{sealed.AUTHORITY}",
        # Members prove themselves by the keyfile, clients by their password.
        "--tlsAllowConnectionsWithoutCertificates",
    )
