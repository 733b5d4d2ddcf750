"""How the API server merges the lists and maps of the objects we make (pure).

What its OpenAPI schema says, reduced to the fields that occur: a list is one piece
unless it is named here, a map is taken field by field unless it is named here.
"""

from typing import Final

Path = tuple[str, ...]

#: Lists that are maps, by the fields that tell their items apart.
_KEYED: Final = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "keys": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("port", "protocol"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
_SETS: Final = frozenset({"finalizers"})
#: Maps that are replaced as a whole; the items of these lists are, too.
_ATOMIC: Final = frozenset(
    {
        "configMapKeyRef", "fieldRef", "imagePullSecrets", "labelSelector", "namespaceSelector", "nodeSelector",
        "ownerReferences", "podSelector", "resourceFieldRef", "secretKeyRef", "selector",
    }
)  # fmt: skip
#: Filled in by the schema where an item leaves them out: part of the key all the same.
KEY_DEFAULTS: Final = {"protocol": "TCP"}


def names(path: Path) -> list[str]:
    """The fields on the way, without the items of lists."""
    return [step[2:] for step in path if step.startswith("f:")]


def keys(path: Path) -> tuple[str, ...]:
    """What tells the items of the list at `path` apart; nothing where it is one piece."""
    *above, name = names(path)
    if name == "ports" and above and above[-1] in ("containers", "initContainers"):
        return ("containerPort", "protocol")
    if name == "ports" and above != ["spec"]:
        return ()
    if name == "keys" and above != ["spec", "multisig"]:
        return ()
    return _KEYED.get(name, ())


def is_set(path: Path) -> bool:
    """Whether the list at `path` is a set of words."""
    return names(path)[-1] in _SETS


def is_atomic(path: Path) -> bool:
    """Whether the map at `path` is one piece."""
    return names(path)[-1] in _ATOMIC
