"""Whether a child is still as we made it, from what the API server says we own (pure).

Comparing values would be guessing: the server rewrites quantities and adds defaults.
Ownership tells exactly: whoever changes or removes a field that we set takes it from
our managed fields; whoever adds one leaves ours alone. So a child has drifted when
our managed fields no longer cover what we want, or when what we want has changed
since it was applied, which the child's own annotation says.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bankstack.engine.decision import MISSING, Apply
from bankstack.engine.objects import FIELD_MANAGER, Manifest, Ref, annotated, annotation, digest, ref

APPLIED = "bankstack.io/applied"
#: Parts of an item's key that the server fills in where we do not write them.
KEY_DEFAULTS = {"protocol": "TCP"}


def changes(wanted: Iterable[Manifest], live: Mapping[Ref, Manifest]) -> tuple[Apply, ...]:
    """What has to be applied, in the order wanted."""
    return tuple(
        Apply(marked, reason)
        for marked in map(mark, wanted)
        if (reason := difference(marked, live.get(ref(marked)))) is not None
    )


def mark(manifest: Manifest) -> Manifest:
    """The manifest with the digest of itself as an annotation."""
    return annotated(manifest, {APPLIED: digest(manifest)})


def difference(marked: Manifest, live: Manifest | None) -> str | None:
    """Why it must be applied: Missing, Changed (we want something else), Drifted (somebody changed it)."""
    if live is None:
        return MISSING
    if annotation(live, APPLIED) != marked["metadata"]["annotations"][APPLIED]:
        return "Changed"
    return None if covers(owned(live), marked) else "Drifted"


def owned(live: Manifest) -> Mapping[str, Any]:
    """The field set that the API server holds for us, in its FieldsV1 form."""
    entries = live["metadata"].get("managedFields", [])
    ours = [
        entry["fieldsV1"]
        for entry in entries
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")
    ]
    return ours[0] if ours else {}


def covers(fields: Mapping[str, Any], wanted: Manifest) -> bool:
    """Whether the field set has every field of `wanted`."""
    # What the object is called is its identity, not content: nobody owns it.
    content = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}
    meta = {key: value for key, value in wanted["metadata"].items() if key not in ("name", "namespace")}
    # No entry at all (somebody cleared managedFields) is nothing owned, not a leaf that is owned.
    return bool(fields) and _covers(fields, content | {"metadata": meta})


def _covers(fields: Mapping[str, Any], wanted: object) -> bool:
    if not fields or fields.keys() == {"."}:
        # A leaf, or a list or map that the server takes as one piece.
        return not (fields and isinstance(wanted, dict | list) and wanted)
    if isinstance(wanted, dict):
        return all(f"f:{key}" in fields and _covers(fields[f"f:{key}"], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return all(_covers_item(fields, item) for item in wanted)
    return True


def _covers_item(fields: Mapping[str, Any], item: object) -> bool:
    if not isinstance(item, dict):
        return f"v:{json.dumps(item)}" in fields
    for key, inner in fields.items():
        if key.startswith("k:"):
            keys = json.loads(key[2:])
            if all(item.get(name, KEY_DEFAULTS.get(name)) == value for name, value in keys.items()):
                return _covers(inner, item)
    return False
