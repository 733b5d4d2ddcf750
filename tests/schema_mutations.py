"""Wrong input that nobody thought of: every bound of the schemas, broken once.

Walks the generated schema beside a manifest that has every field, and breaks one
thing at a time. Each case knows the field that the refusal has to name. The order is
the schema's: the same cases in each run.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bankstack.engine import schema
from bankstack.kinds.apideployment.model import RESOURCE as API_DEPLOYMENT
from bankstack.kinds.coldwallet.model import RESOURCE as COLD_WALLET
from bankstack.kinds.ledgercluster.model import RESOURCE as LEDGER_CLUSTER
from bankstack.kinds.lndnode.model import RESOURCE as LND_NODE

from .misoperations import HOST, PUBLIC, Manifest, sample

Path = tuple[str | int, ...]

_POD: Final[Manifest] = {
    "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    "nodeSelector": {"disk": "ssd"},
    "priorityClassName": "high",
    "imagePullSecrets": ["registry"],
    "labels": {"team": "bank"},
    "annotations": {"note": "n"},
    "affinity": {"nodeAffinity": {}},
    "tolerations": [{"key": "k"}],
    "topologySpreadConstraints": [{"maxSkew": 1}],
}
_LINE: Final[Manifest] = {"key": "alias", "value": "bank"}
_STORAGE: Final[Manifest] = {"size": "2Gi", "className": "fast"}
_COMMON: Final[Manifest] = {"deletionPolicy": "Retain", "paused": False, "pod": _POD}
_OF_A_CHAIN: Final[Manifest] = _COMMON | {"confirmMainnet": False}


def _changed(name: str, *without: str, **more: Any) -> Manifest:  # noqa: ANN401 - what a user writes
    manifest = sample(name)
    common = {"vault": _OF_A_CHAIN, "lnd1": _OF_A_CHAIN, "ledger": _COMMON, "bank": {"paused": False}}[name]
    spec = {key: value for key, value in (manifest["spec"] | common | more).items() if key not in without}
    return manifest | {"spec": copy.deepcopy(spec)}


_BITCOIND: Final[Manifest] = {"version": "29.5", "image": "i", "storage": _STORAGE, "txindex": True, "config": [_LINE]}
_SPECTER: Final[Manifest] = {
    "enabled": True, "version": "2.1.11", "image": "i", "storage": _STORAGE, "adminSecret": "admin",
}  # fmt: skip
_ELSEWHERE: Final[Manifest] = HOST | {"rpcPort": 1, "zmqBlockPort": 2, "zmqTxPort": 3}
_EACH: Final[Manifest] = {
    "initialDelaySeconds": 1, "periodSeconds": 2, "timeoutSeconds": 1, "failureThreshold": 3, "successThreshold": 1,
}  # fmt: skip
_WAYS: Final[tuple[Manifest, ...]] = (
    {"httpGet": {"path": "/healthz", "port": 4002}},
    {"tcpSocket": {"port": 4002}},
    {"grpc": {"port": 4003, "service": "bank"}},
    {"exec": {"command": ["true"]}},
)


def _probes(first: int) -> Manifest:
    """Each probe in another way, so that with another `first` each is in every one."""
    ways = ((first + step) % len(_WAYS) for step in range(3))
    return {name: _EACH | _WAYS[way] for name, way in zip(("readiness", "liveness", "startup"), ways, strict=True)}


_PROGRAM: Final[Manifest] = {
    "name": "api", "image": "i", "command": ["a"], "args": ["b"], "replicas": 1, "probes": _probes(0), "intake": True,
    "singleton": True, "job": False, "ports": [{"name": "http", "port": 4002}], "user": 1000,
    "rootFileSystem": "ReadOnly", "stopSeconds": 60, "pod": _POD,
    "env": [{"name": "A", "value": "1"}], "envFrom": [{"secretRef": {"name": "s"}}],
    "volumes": [{"name": "data", "mountPath": "/data"} | _STORAGE],
}  # fmt: skip
_OTHER_PROGRAM: Final[Manifest] = {
    "name": "night", "image": "i", "schedule": "@daily",
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "envFrom": [{"configMapRef": {"name": "c"}}], "volumes": [{"name": "s", "mountPath": "/s", "secret": "s"}],
}  # fmt: skip
_THIRD_PROGRAM: Final[Manifest] = {
    "name": "third", "image": "i", "probes": _probes(1),
    "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}],
    "volumes": [{"name": "c", "mountPath": "/c", "configMap": "c"}],
}  # fmt: skip
_FOURTH_PROGRAM: Final[Manifest] = {
    "name": "fourth", "image": "i", "probes": _probes(2),
    "volumes": [{"name": "c", "mountPath": "/c", "scratch": True}],
}  # fmt: skip
_FIFTH_PROGRAM: Final[Manifest] = {"name": "fifth", "image": "i", "probes": _probes(3)}
_MANAGED: Final[Manifest] = {"version": "8.0", "image": "i", "members": 3, "storage": _STORAGE, "pod": _POD}
_SENTINELS: Final[Manifest] = {
    "sentinels": [{"host": "s", "port": 26379}], "masterName": "mymaster", "passwordSecret": "p",
}  # fmt: skip

#: Together they have every field of all kinds, and each is a good manifest.
FULL: Final[dict[str, Manifest]] = {
    "a vault with signers": _changed("vault", bitcoind=_BITCOIND, specter=_SPECTER),
    "a vault elsewhere": _changed(
        "vault", "bitcoind", "multisig", external=HOST | {"rpcPort": 1}, descriptors=[PUBLIC, PUBLIC]
    ),
    "a node of the bank": _changed(
        "lnd1",
        image="i",
        storage={"backend": "sqlite"} | _STORAGE,
        tls={"caSecret": "ca"},
        p2p={"service": {"type": "NodePort", "annotations": {"a": "b"}}, "addresses": ["host:9735"]},
        recycle={
            "drainTimeout": "30m",
            "maxDowntimeBlocks": 6,
            "maxDatabaseSize": "8Gi",
            "windows": ["Sun 02:00-05:00 UTC"],
        },
        liquidity={"minOutboundSat": 1, "minInboundSat": 5},
        channelBackup={
            "objectStore": {
                "endpoint": "https://s3.example.com",
                "bucket": "backups",
                "prefix": "bank/lnd1",
                "region": "us-east-1",
                "credentialsSecret": "s3",
                "caSecret": "s3-ca",
            }
        },
    ),
    "a node elsewhere": _changed("lnd1", bitcoind=_ELSEWHERE),
    "a ledger": _changed(
        "ledger",
        image="i",
        arbiters=0,
        storage=_STORAGE,
        writeConcern={"w": "majority", "journal": True, "wtimeout": "10s"},
    ),
    "a ledger elsewhere": _changed(
        "ledger", "members", "version", "storage", "databases", "tls", "writeConcern", external={"uriSecret": "uri"}
    ),
    "a bank": _changed(
        "bank",
        ledger={"name": "ledger", "database": "galoy", "user": "api", "secret": "ledger-api"},
        redis={"managed": _MANAGED},
        components=[_PROGRAM],
    ),
    "a bank with a Redis elsewhere": _changed("bank", redis={"external": _SENTINELS}, components=[_OTHER_PROGRAM]),
    "a bank of one program": _changed("bank", components=[_THIRD_PROGRAM]),
    "a bank of another": _changed("bank", components=[_FOURTH_PROGRAM]),
    "a bank of a third": _changed("bank", components=[_FIFTH_PROGRAM]),
}
RESOURCES: Final = {one.kind: one for one in (COLD_WALLET, LND_NODE, LEDGER_CLUSTER, API_DEPLOYMENT)}


@dataclass(frozen=True)
class Mutation:
    """One thing broken in one of the full manifests; `field` has to be named by who refuses it."""

    name: str
    of: str
    field: str
    manifest: Manifest
    #: Bounds of maps are the API server's alone: pydantic has no word for them.
    api_only: bool = False


def cases() -> tuple[Mutation, ...]:
    """All of them, each field's break once, however many manifests have the field."""
    found: dict[tuple[str, str], Mutation] = {}
    for of, manifest in FULL.items():
        described = schema.of(RESOURCES[manifest["kind"]].spec)
        for one in _broken(of, manifest, described, ("spec",), manifest["spec"]):
            found.setdefault((manifest["kind"], one.name), one)
    # Without the spec itself of another type: a client's own library already refuses that.
    return tuple(one for one in found.values() if isinstance(one.manifest["spec"], dict))


def _broken(of: str, whole: Manifest, described: Manifest, path: Path, value: object) -> Iterator[Mutation]:
    field = spelled(path)
    if "type" not in described:
        # A word or a number: what it may say is a rule's to judge, and misoperations'.
        return
    for what, instead in (("of another type", _OTHER_TYPE[described["type"]]), *_beyond(described, value)):
        yield Mutation(f"{field} {what}", of, field, _put(whole, path, instead))
    if described["type"] == "object":
        yield from _broken_map(of, whole, described, path, value)
    if isinstance(value, list):
        yield from _broken(of, whole, described["items"], (*path, 0), value[0])


def _beyond(described: Manifest, value: object) -> Iterator[tuple[str, object]]:
    """What lies just outside of each bound."""
    if isinstance(value, list) and "maxItems" in described:
        yield "with too many", (value * (described["maxItems"] + 1))[: described["maxItems"] + 1]
    if isinstance(value, list) and described.get("minItems"):
        yield "with too few", value[: described["minItems"] - 1]
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in described:
            yield f"beyond its {bound}", described[bound] + step
    if described["type"] == "string":
        yield from _wrong_words(described)


def _broken_map(of: str, whole: Manifest, described: Manifest, path: Path, value: object) -> Iterator[Mutation]:
    assert isinstance(value, dict)
    for name in described.get("required", ()):
        at = spelled((*path, name))
        yield Mutation(f"{at} missing", of, at, _put(whole, (*path, name), None))
    if "maxProperties" in described:
        many = {f"k{number}": "v" for number in range(described["maxProperties"] + 1)}
        yield Mutation(f"{spelled(path)} with too many", of, spelled(path), _put(whole, path, many), api_only=True)
    for name, below in described.get("properties", {}).items():
        if name in value:
            yield from _broken(of, whole, below, (*path, name), value[name])
    if "additionalProperties" in described:
        name = next(iter(value))
        yield from _broken(of, whole, described["additionalProperties"], (*path, name), value[name])
    if "properties" in described:
        at = spelled((*path, "colour"))
        yield Mutation(f"{at} unknown", of, at, _put(whole, (*path, "colour"), "red"))


_OTHER_TYPE: Final = {"object": "text", "array": {"a": "b"}, "string": 7, "integer": "seven", "boolean": "maybe"}
_ODD_WORDS: Final = ("-!", "ÄÖÜ", "two words", "line\nbreak", "xyz")


def _wrong_words(described: Manifest) -> Iterator[tuple[str, str]]:
    if "enum" in described:
        yield "of an unknown word", "Anything"
    if described.get("minLength"):
        yield "empty", "x" * (described["minLength"] - 1)
    if "maxLength" in described and "enum" not in described:
        yield "too long", "1" * (described["maxLength"] + 1)
    if "pattern" in described:
        fits = (word for word in _ODD_WORDS if not re.search(described["pattern"], word))
        yield "against its pattern", next(word for word in fits if len(word) <= described["maxLength"])


def spelled(path: Path) -> str:
    """As the API server spells a field: spec.multisig.keys[0].xpub."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]


def _put(manifest: Manifest, path: Path, value: object) -> Manifest:
    """A copy with one field changed; None takes it away."""
    changed = copy.deepcopy(manifest)
    *way, last = path
    target: Any = changed
    for step in way:
        target = target[step]
    if value is None:
        del target[last]
    else:
        target[last] = copy.deepcopy(value)
    return changed
