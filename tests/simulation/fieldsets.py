"""Objects as leaves by path, and sets of paths as the API server writes them: FieldsV1 (pure).

A path's steps are FieldsV1's own words: `f:name` for a field, `k:{...}` for the item
of a list that is a map, `v:...` for the member of a set.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bankstack.engine.objects import FIELD_MANAGER, Manifest

from . import shapes
from .shapes import KEY_DEFAULTS, Path

Leaves = dict[Path, Any]
FieldSet = frozenset[Path]

#: An item of a list is owned by itself, apart from its fields.
PRESENT: Final = "<an item>"
#: What nobody owns: who the object is, and what the server itself writes.
_IDENTITY: Final = frozenset(
    {
        "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "managedFields", "generateName", "selfLink",
    }
)  # fmt: skip


def fresh(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A copy of JSON that shares nothing with it; many times quicker than copy.deepcopy."""
    if isinstance(value, dict):
        return {key: fresh(inner) for key, inner in value.items()}
    return [fresh(inner) for inner in value] if isinstance(value, list) else value


def flatten(manifest: Manifest) -> Leaves:
    """The object's content as leaves."""
    leaves: Leaves = {}
    meta = {key: value for key, value in manifest.get("metadata", {}).items() if key not in _IDENTITY}
    content = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    for key, value in (content | ({"metadata": meta} if meta else {})).items():
        _flatten(value, (f"f:{key}",), leaves)
    return leaves


def _flatten(value: object, path: Path, leaves: Leaves) -> None:
    if isinstance(value, dict) and value and not shapes.is_atomic(path):
        for key, inner in value.items():
            _flatten(inner, (*path, f"f:{key}"), leaves)
    elif isinstance(value, list) and shapes.is_set(path):
        leaves.update({(*path, f"v:{json.dumps(member)}"): member for member in value})
    elif isinstance(value, list) and (keys := shapes.keys(path)):
        for item in value:
            _flatten_item(item, (*path, item_step(item, keys)), leaves)
    else:
        leaves[path] = fresh(value)


def _flatten_item(item: Manifest, path: Path, leaves: Leaves) -> None:
    if shapes.is_atomic(path):
        leaves[path] = fresh(item)
        return
    leaves[path] = PRESENT
    for key, inner in item.items():
        _flatten(inner, (*path, f"f:{key}"), leaves)


def item_step(item: Manifest, keys: Iterable[str]) -> str:
    """The step to an item of a list that is a map."""
    return "k:" + _compact({key: item.get(key, KEY_DEFAULTS.get(key)) for key in keys})


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def unflatten(leaves: Leaves) -> Manifest:
    """The content that has these leaves."""
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        node = root
        for step in path:
            node = node.setdefault(step, {})
        if value != {}:
            node["."] = value
    return {step[2:]: _value(node) for step, node in root.items()}


def _value(node: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the leaf holds
    inner = {step: below for step, below in node.items() if step != "."}
    if not inner:
        return fresh(node["."]) if "." in node and node["."] != PRESENT else {}
    kinds = {step[0] for step in inner}
    if kinds == {"f"}:
        return {step[2:]: _value(below) for step, below in inner.items()}
    return [_value(below) for below in inner.values()]


def to_fields_v1(fields: Iterable[Path]) -> dict[str, Any]:
    """The nested form in metadata.managedFields."""
    root: dict[str, Any] = {}
    for path in sorted(fields):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        if path[-1].startswith("k:") and not shapes.is_atomic(path):
            node["."] = {}
    return root


def managed(manifest: Manifest) -> list[Manifest]:
    """metadata.managedFields, once the operator has applied it and nobody else."""
    fields = to_fields_v1(flatten(manifest).keys())
    return [{"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields}]


def applied(manifest: Manifest, **meta: Any) -> Manifest:  # noqa: ANN401 - any metadata
    """As the API server has it once the operator has applied it."""
    theirs = {"uid": "made", "managedFields": managed(manifest)}
    return manifest | {"metadata": {**manifest["metadata"], **theirs, **meta}}
