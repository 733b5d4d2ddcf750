"""What is made for an LndNode, as values (pure)."""

from typing import Final

from bankstack.engine import access, manifests
from bankstack.engine.objects import Manifest, digest
from bankstack.kinds.lndnode import conf, names
from bankstack.kinds.lndnode.facts import Endpoint
from bankstack.kinds.lndnode.model import P2pService
from bankstack.kinds.lndnode.subject import LndNode

#: LND and the owner of its files; any but root.
USER: Final = 1000
#: A graceful stop writes the channel state and may wait for peers.
GRACE_SECONDS: Final = 600


def volume(node: LndNode, identity: str | None, lnd_version: str | None, generation: int = 1) -> Manifest:
    """The channel state's volume. It says whose it is, so that nothing else is ever started on it."""
    known = {"identity": identity, "lnd_version": lnd_version}
    written = {key: value for key, value in known.items() if value}
    meta = manifests.retained(node, names.COMPONENT, names.volume(node.name, generation).name, **written)
    return manifests.claim(meta, node.spec.storage.size, node.spec.storage.class_name)


def config_map(node: LndNode, text: str) -> Manifest:
    """lnd.conf under a name that changes with it."""
    name = names.config(node.name, digest(text)).name
    return manifests.config_map(manifests.owned(node, names.COMPONENT, name), {conf.FILE: text})


def api_service(node: LndNode) -> Manifest:
    """Where the bank's API finds LND."""
    meta = manifests.owned(node, names.COMPONENT, node.name)
    return manifests.service(meta, _pods(node), {"rpc": names.RPC, "rest": names.REST, "metrics": names.METRICS})


def p2p_service(node: LndNode) -> Manifest:
    """Where peers reach the node; its address is part of the node's identity on the network."""
    asked = (node.spec.p2p.service if node.spec.p2p else None) or P2pService()
    meta = manifests.owned(node, names.COMPONENT, names.p2p_service(node.name).name)
    if asked.annotations:
        meta["annotations"] = dict(asked.annotations)
    # Ready or not: a node that starts must be found by the peers it waits for.
    more = {"type": asked.type, "publishNotReadyAddresses": True}
    return manifests.service(meta, _pods(node), {"p2p": names.P2P}, **more)


def disruption_budget(node: LndNode) -> Manifest:
    """Draining a Kubernetes node never stops LND by surprise."""
    return manifests.disruption_budget(manifests.owned(node, names.COMPONENT, node.name), _pods(node))


def network_policy(node: LndNode) -> Manifest:
    """Peers from anywhere; the API only for what is part of the bank.

    While LND has no wallet, whoever reaches its API could give it one.
    """
    callers = (access.THE_BANK, access.clients(access.LND_CLIENT), access.THE_OPERATOR)
    return manifests.network_policy(
        manifests.owned(node, names.COMPONENT, node.name),
        _pods(node),
        [
            access.door(names.P2P, names.METRICS),
            access.door(names.RPC, names.REST, callers=callers),
        ],
    )


def stateful_set(node: LndNode, text: str, bitcoind: Endpoint, generation: int = 1) -> Manifest:
    """The one writer of the node's channel state."""
    meta = manifests.owned(node, names.COMPONENT, node.name)
    # The text itself too: were the ConfigMap deleted, it could not be guessed from a changed spec.
    meta["annotations"] = {names.CONFIG: text}
    spec = _pod_spec(node, names.config(node.name, digest(text)).name, bitcoind, generation)
    template = manifests.pod_template(manifests.labels(node, names.COMPONENT), spec, node.spec.pod)
    return manifests.stateful_set(meta, _pods(node), template, node.name)


def image(node: LndNode) -> str:
    """The release's image, or the user's own."""
    return node.spec.image or f"lightninglabs/lnd:{node.spec.version}"


def _pods(node: LndNode) -> dict[str, str]:
    return manifests.selector(node, names.COMPONENT)


def _pod_spec(node: LndNode, config_name: str, bitcoind: Endpoint, generation: int) -> Manifest:
    wallet = names.wallet(node.spec.wallet.secret, generation)
    return manifests.pod_spec(
        USER,
        GRACE_SECONDS,
        containers=[_lnd(node, bitcoind)],
        volumes=[
            {"name": "data", "persistentVolumeClaim": {"claimName": names.volume(node.name, generation).name}},
            {"name": "config", "configMap": {"name": config_name}},
            {"name": "tls", "secret": {"secretName": names.certificate(node.name).name, **_keys("tls.crt", "tls.key")}},
            # Optional: where the wallet is yet to be made, the Secret is made with it. The seed is not mounted.
            {"name": "wallet", "secret": {"secretName": wallet, "optional": True, **_keys("password")}},
            {"name": "macaroons", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    )


def _keys(*keys: str) -> Manifest:
    return {"items": [{"key": key, "path": key} for key in keys], "defaultMode": 0o440}


def _lnd(node: LndNode, bitcoind: Endpoint) -> Manifest:
    open_port = {"tcpSocket": {"port": names.RPC}}
    return {
        "name": "lnd",
        "image": image(node),
        "command": ["lnd"],
        "args": [f"--configfile={conf.FOLDER}/{conf.FILE}"],
        "env": [
            {"name": "HOME", "value": conf.HOME},
            _secret_variable(conf.RPC_USER, bitcoind.credentials_secret, "username"),
            _secret_variable(conf.RPC_PASSWORD, bitcoind.credentials_secret, "password"),
        ],
        "ports": [
            {"name": "p2p", "containerPort": names.P2P},
            {"name": "rpc", "containerPort": names.RPC},
            {"name": "rest", "containerPort": names.REST},
            {"name": "metrics", "containerPort": names.METRICS},
        ],
        # Only whether the port is open: neither a slow answer, nor a compaction, nor bitcoind's absence closes it.
        "startupProbe": {**open_port, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 43200},
        "readinessProbe": {**open_port, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        # The last resort, for a process that has taken no connection for ten minutes: even one that stops still does.
        "livenessProbe": {**open_port, "periodSeconds": 30, "timeoutSeconds": 10, "failureThreshold": 20},
        # What LND said last tells its own shutdown from a crash. Its log names no secret.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": manifests.HARDENED,
        "volumeMounts": [
            {"name": "data", "mountPath": conf.DATA},
            {"name": "config", "mountPath": conf.FOLDER, "readOnly": True},
            {"name": "tls", "mountPath": conf.TLS, "readOnly": True},
            {"name": "wallet", "mountPath": conf.WALLET, "readOnly": True},
            {"name": "macaroons", "mountPath": conf.MACAROONS},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }


def _secret_variable(name: str, secret: str, key: str) -> Manifest:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
