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
from bankstack.kinds.coldwallet.model import RESOURCE as COLD_WALLET
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
_COMMON: Final[Manifest] = {"confirmMainnet": False, "deletionPolicy": "Retain", "paused": False, "pod": _POD}


def _changed(name: str, *without: str, **more: Any) -> Manifest:  # noqa: ANN401 - what a user writes
    manifest = sample(name)
    spec = {key: value for key, value in (manifest["spec"] | _COMMON | more).items() if key not in without}
    return manifest | {"spec": copy.deepcopy(spec)}


_BITCOIND: Final[Manifest] = {"version": "29.5", "image": "i", "storage": _STORAGE, "txindex": True, "config": [_LINE]}
_SPECTER: Final[Manifest] = {
    "enabled": True, "version": "2.1.11", "image": "i", "storage": _STORAGE, "adminSecret": "admin",
}  # fmt: skip
_ELSEWHERE: Final[Manifest] = HOST | {"rpcPort": 1, "zmqBlockPort": 2, "zmqTxPort": 3}

#: Together they have every field of both kinds, and each is a good manifest.
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
    ),
    "a node elsewhere": _changed("lnd1", bitcoind=_ELSEWHERE),
}
RESOURCES: Final = {"ColdWallet": COLD_WALLET, "LndNode": LND_NODE}


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
