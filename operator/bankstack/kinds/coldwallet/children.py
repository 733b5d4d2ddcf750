"""What is made for a ColdWallet, as values (pure).

The files a stateful pod reads are in ConfigMaps named by the digest of their content,
so the frozen template says exactly which. A copy of them is kept at the StatefulSet:
somebody may delete a ConfigMap of an earlier spec, which could not be made anew.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from bankstack.engine import access, bitcoin, frozen
from bankstack.engine import manifests as m
from bankstack.engine.model import Storage
from bankstack.engine.objects import Manifest, Ref, annotated, annotation, canonical, digest, ref
from bankstack.kinds.coldwallet import config, names, rights, specter
from bankstack.kinds.coldwallet.credentials import RPCAUTH
from bankstack.kinds.coldwallet.descriptors import Pair
from bankstack.kinds.coldwallet.model import Bitcoind, External
from bankstack.kinds.coldwallet.model import Specter as SpecterSpec
from bankstack.kinds.coldwallet.names import BITCOIND, SPECTER, ColdWallet

FILES: Final = "bankstack.io/files"
IDENTITY: Final = "bankstack.io/identity"
USER: Final = 1000
SEED_FOLDER: Final = "/etc/specter-seed"
SEED_SECRETS: Final = "/run/specter-seed"
DEFAULT_SPECTER_SIZE: Final = Storage(size="1Gi")

Live = Mapping[Ref, Manifest]


def wanted(wallet: ColdWallet, watched: Pair, live: Live, *, with_specter: bool) -> tuple[Manifest, ...]:
    """Everything that shall be, in the order it is made."""
    made: tuple[Manifest, ...] = ()
    if wallet.spec.bitcoind is not None:
        made += _bitcoind(wallet, wallet.spec.bitcoind, watched, live)
    if wallet.spec.specter is not None and with_specter:
        made += _specter(wallet, wallet.spec.specter, watched, live)
    return made


def bitcoind_set(wallet: ColdWallet, bitcoind: Bitcoind) -> Manifest:
    """bitcoind, as this spec wishes it."""
    meta = m.owned(wallet, BITCOIND, names.bitcoind(wallet))
    return m.stateful_set(meta, _pods(wallet, BITCOIND), _bitcoind_template(wallet, bitcoind), names.bitcoind(wallet))


def specter_set(wallet: ColdWallet, spec: SpecterSpec, watched: Pair) -> Manifest:
    """Specter, as this spec wishes it."""
    meta = m.owned(wallet, SPECTER, names.specter(wallet))
    template = _specter_template(wallet, spec, _seed_files(wallet, watched))
    return m.stateful_set(meta, _pods(wallet, SPECTER), template, names.specter(wallet))


def rpc_address(wallet: ColdWallet) -> tuple[str, int]:
    """Host and port of bitcoind's RPC server."""
    port = bitcoin.RPC_PORTS[wallet.spec.network]
    if wallet.spec.external is not None:
        return wallet.spec.external.host, wallet.spec.external.rpc_port or port
    return names.host(wallet, names.bitcoind(wallet)), port


def _bitcoind(wallet: ColdWallet, spec: Bitcoind, watched: Pair, live: Live) -> tuple[Manifest, ...]:
    pods, name = _pods(wallet, BITCOIND), names.bitcoind(wallet)
    rpc, p2p = bitcoin.RPC_PORTS[wallet.spec.network], bitcoin.P2P_PORTS[wallet.spec.network]
    inside = {"rpc": rpc, "zmq-block": names.ZMQ_BLOCK_PORT, "zmq-tx": names.ZMQ_TX_PORT}
    kept, files = _kept(bitcoind_set(wallet, spec), {config.FILE: config.text(spec, wallet.spec.network)}, live)
    ours = access.door(*inside.values(), callers=(access.THE_BANK, access.THE_OPERATOR))
    return (
        m.config_map(m.owned(wallet, BITCOIND, _files_name(name, files)), files),
        _volume(wallet, BITCOIND, name, spec.storage, watched),
        m.service(m.owned(wallet, BITCOIND, name), pods, inside, **_address(wallet)),
        m.service(m.owned(wallet, BITCOIND, names.p2p(wallet)), pods, {"p2p": p2p}),
        m.network_policy(m.owned(wallet, BITCOIND, name), pods, [ours, access.door(p2p)]),
        m.disruption_budget(m.owned(wallet, BITCOIND, name), pods),
        kept,
    )


def _address(wallet: ColdWallet) -> dict[str, str]:
    """LND subscribes to the address that the name had when LND started: under another one it hears of no block."""
    said = wallet.status.endpoint
    return {"clusterIP": said.address} if said is not None and said.address is not None else {}


def _bitcoind_template(wallet: ColdWallet, spec: Bitcoind) -> Manifest:
    rpc, p2p = bitcoin.RPC_PORTS[wallet.spec.network], bitcoin.P2P_PORTS[wallet.spec.network]
    ports = {"rpc": rpc, "p2p": p2p, "zmq-block": names.ZMQ_BLOCK_PORT, "zmq-tx": names.ZMQ_TX_PORT}
    files = {config.FILE: config.text(spec, wallet.spec.network)}
    container: Manifest = {
        "name": BITCOIND,
        "image": spec.image or f"bitcoin/bitcoin:{spec.version}",
        "command": ["bitcoind", f"-datadir={config.DATA}", f"-conf={config.FOLDER}/{config.FILE}"],
        # glibc gives each thread its own arena: bitcoind's memory then grows without end.
        "env": [{"name": "MALLOC_ARENA_MAX", "value": "1"}],
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        # The port opens within seconds, also while blocks are indexed, verified or
        # replayed for days. Nothing that asks more may ever kill it.
        "startupProbe": _open("rpc", periodSeconds=5, failureThreshold=17280),
        "livenessProbe": _open("rpc", periodSeconds=60, timeoutSeconds=30, failureThreshold=15),
        "readinessProbe": _open("rpc", periodSeconds=5, timeoutSeconds=5),
        "securityContext": m.HARDENED,
        "volumeMounts": [
            {"name": "data", "mountPath": config.DATA},
            {"name": "config", "mountPath": config.FOLDER, "readOnly": True},
            {"name": "rpcauth", "mountPath": config.SECRETS, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a mount of its own
        ],
    }
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": names.bitcoind(wallet)}},
        {"name": "config", "configMap": {"name": _files_name(names.bitcoind(wallet), files)}},
        {
            "name": "rpcauth",
            "secret": {"secretName": names.rpcauth(wallet), "items": [{"key": RPCAUTH, "path": RPCAUTH}]},
        },
        {"name": "tmp", "emptyDir": {}},
    ]
    # bitcoind writes its caches to disk when it stops: cut short, it would verify for hours.
    pod = m.pod_spec(USER, 600, containers=[container], volumes=volumes)
    return m.pod_template(m.labels(wallet, BITCOIND), pod, wallet.spec.pod)


def _specter(wallet: ColdWallet, spec: SpecterSpec, watched: Pair, live: Live) -> tuple[Manifest, ...]:
    pods, name = _pods(wallet, SPECTER), names.specter(wallet)
    # It has a log-in but no TLS: what lets people in from elsewhere brings its own policy.
    door = access.door(names.SPECTER_PORT, callers=[access.NEIGHBOURS])
    kept, files = _kept(specter_set(wallet, spec, watched), _seed_files(wallet, watched), live)
    return (
        _volume(wallet, SPECTER, name, spec.storage or DEFAULT_SPECTER_SIZE, watched),
        m.config_map(m.owned(wallet, SPECTER, _files_name(name, files)), files),
        m.service(m.owned(wallet, SPECTER, name), pods, {"http": names.SPECTER_PORT}),
        m.network_policy(m.owned(wallet, SPECTER, name), pods, [door]),
        m.disruption_budget(m.owned(wallet, SPECTER, name), pods),
        kept,
    )


def _specter_template(wallet: ColdWallet, spec: SpecterSpec, files: Mapping[str, str]) -> Manifest:
    image = spec.image or f"lncm/specter-desktop:v{spec.version}"
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - its own
    seeding: Manifest = {
        "name": "seed",
        "image": image,
        "command": ["python3", f"{SEED_FOLDER}/specter_seed.py", SEED_FOLDER, SEED_SECRETS, "/data"],
        "securityContext": m.HARDENED,
        "volumeMounts": [
            *mounts,
            {"name": "seed", "mountPath": SEED_FOLDER, "readOnly": True},
            {"name": "rpc", "mountPath": f"{SEED_SECRETS}/rpc", "readOnly": True},
            {"name": "admin", "mountPath": f"{SEED_SECRETS}/admin", "readOnly": True},
        ],
    }
    key = {"secretKeyRef": {"name": names.specter(wallet), "key": "secret-key"}}
    serving: Manifest = {
        "name": SPECTER,
        "image": image,
        "command": [
            *("python3", "-m", "cryptoadvance.specter", "server", "--host", "0.0.0.0"),  # noqa: S104 - in a pod
            *("--specter-data-folder", "/data", "--no-filelog", "--skiphwiinitialisation"),
        ],
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - a mount of its own
            {"name": "SECRET_KEY", "valueFrom": key},
            {"name": "SPECTER_API_ACTIVE", "value": "True"},
            {"name": "SPECTER_DATA_FOLDER", "value": "/data"},
        ],
        "ports": [{"name": "http", "containerPort": names.SPECTER_PORT}],
        "startupProbe": _page("liveness", periodSeconds=5, timeoutSeconds=5, failureThreshold=120),
        "livenessProbe": _page("liveness", periodSeconds=30, timeoutSeconds=15, failureThreshold=10),
        # This one makes Specter look at bitcoind, so its pages are never older than a minute.
        "readinessProbe": _page("readyness", periodSeconds=20, timeoutSeconds=15),
        "securityContext": m.HARDENED,
        "volumeMounts": mounts,
    }
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": names.specter(wallet)}},
        {"name": "seed", "configMap": {"name": _files_name(names.specter(wallet), files)}},
        {"name": "rpc", "secret": {"secretName": account(wallet)}},
        {"name": "admin", "secret": {"secretName": names.specter_admin(wallet)}},
        {"name": "tmp", "emptyDir": {}},
    ]
    pod = m.pod_spec(USER, 30, initContainers=[seeding], containers=[serving], volumes=volumes)
    return m.pod_template(m.labels(wallet, SPECTER), pod, None)


def account(wallet: ColdWallet, user: str = rights.SPECTER) -> str:
    """Secret with the RPC account of one of our users; an external bitcoind has one for all."""
    external: External | None = wallet.spec.external
    return external.credentials_secret if external else names.rpc_secret(wallet, user)


def _kept(wanted_set: Manifest, files: Mapping[str, str], live: Live) -> tuple[Manifest, dict[str, str]]:
    """The StatefulSet with the template it was made with, and the files which that template names."""
    now = live.get(ref(wanted_set))
    held = frozen.hold(wanted_set, now)
    said = annotation(now, FILES) if now is not None else None
    earlier: dict[str, str] = json.loads(said) if said else {}
    name = wanted_set["metadata"]["name"]
    used = earlier if earlier and _names(held, _files_name(name, earlier)) else dict(files)
    return annotated(held, {FILES: canonical(used)}), used


def _names(stateful_set: Manifest, config_map: str) -> bool:
    volumes = stateful_set["spec"]["template"]["spec"]["volumes"]
    return any(one.get("configMap", {}).get("name") == config_map for one in volumes)


def _files_name(name: str, files: Mapping[str, str]) -> str:
    return f"{name}-{digest(dict(files))}"


def _seed_files(wallet: ColdWallet, watched: Pair) -> dict[str, str]:
    return {"specter_seed.py": script(), "seed.json": specter.seed(wallet, watched, *rpc_address(wallet))}


@cache
def script() -> str:
    """What runs before Specter. Part of the program, so it is read once."""
    return resources.files("bankstack.kinds.coldwallet").joinpath("specter_seed.py").read_text(encoding="utf-8")


def _volume(wallet: ColdWallet, component: str, name: str, storage: Storage, watched: Pair) -> Manifest:
    # Whoever makes a resource of this name again gets this volume only with the same descriptor.
    meta = m.retained(wallet, component, name, identity=watched.checksums[0])
    return m.claim(meta, storage.size, storage.class_name)


def _pods(wallet: ColdWallet, component: str) -> dict[str, str]:
    return m.selector(wallet, component)


def _open(port: str, **numbers: int) -> Manifest:
    return {"tcpSocket": {"port": port}, **numbers}


def _page(name: str, **numbers: int) -> Manifest:
    return {"httpGet": {"path": f"/api/healthz/{name}", "port": "http"}, **numbers}
