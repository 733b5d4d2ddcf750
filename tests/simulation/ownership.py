"""Who owns which field after an apply or an update (pure).

Server-side apply as the API server does it: what is applied is owned; what another
manager changes changes hands; what is no longer applied goes, unless someone else
owns it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from . import shapes
from .fieldsets import PRESENT, FieldSet, Leaves
from .shapes import Path


@dataclass(frozen=True, order=True)
class Manager:
    """One entry of metadata.managedFields."""

    name: str
    operation: str
    subresource: str = ""


Managers = Mapping[Manager, FieldSet]


class OwnedByOthersError(Exception):
    """An apply that is not forced would change what others own."""


def apply(
    live: Leaves, managers: Managers, who: Manager, wanted: Leaves, *, force: bool = True
) -> tuple[Leaves, Managers]:
    """The object and its managers after `who` applied `wanted`."""
    changed = frozenset(path for path, value in wanted.items() if path not in live or live[path] != value)
    taken = {one: fields & changed for one, fields in managers.items() if one != who and fields & changed}
    if taken and not force:
        raise OwnedByOthersError(", ".join(sorted(one.name for one in taken)))
    others = {one: fields - changed for one, fields in managers.items() if one != who}
    applied = frozenset(wanted)
    dropped = managers.get(who, frozenset()) - applied
    kept = _without(live | wanted, dropped, applied.union(*others.values()))
    present = frozenset(kept)
    after = {one: fields & present for one, fields in others.items()}
    return kept, _some({**after, who: applied})


def update(live: Leaves, managers: Managers, who: Manager, wanted: Leaves) -> tuple[Leaves, Managers]:
    """The object and its managers after `who` wrote it as a whole."""
    changed = frozenset(path for path, value in wanted.items() if path not in live or live[path] != value)
    removed = frozenset(path for path in live if path not in wanted and not _is_widened(live, path, wanted))
    after = {one: fields - changed - removed for one, fields in managers.items()}
    after[who] = (after.get(who, frozenset()) | changed) - removed
    return wanted, _some(after)


def _without(leaves: Leaves, dropped: FieldSet, owned: FieldSet) -> Leaves:
    gone = {path for path in dropped if path not in owned}
    # Defaults inside an item have no owner: they go with it, unless somebody owns a part of the item.
    items = {path for path in gone if path[-1].startswith("k:") and not _owned_below(path, owned)}
    keys = {
        (*path, f"f:{key}")
        for path in gone - items
        if path[-1].startswith("k:")
        for key in shapes.keys(path[:-1])
    }  # fmt: skip
    return {
        path: value
        for path, value in leaves.items()
        if (path not in gone or path in keys) and not any(path[: len(item)] == item for item in items)
    }


def _owned_below(item: Path, owned: FieldSet) -> bool:
    return any(len(path) > len(item) and path[: len(item)] == item for path in owned)


def _is_widened(live: Leaves, path: Path, wanted: Leaves) -> bool:
    """An empty map that now has content is still there."""
    return live[path] in ({}, PRESENT) and any(other[: len(path)] == path for other in wanted)


def _some(managers: Managers) -> Managers:
    return {one: fields for one, fields in managers.items() if fields}
