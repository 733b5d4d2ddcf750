"""A stateful pod's template: written once, then only by an approved plan (law 9, pure).

The template that was written is kept as an annotation of the StatefulSet, so that it
can be put back after somebody edited it, and so that a newer operator or a changed
spec is seen as a wish, not carried out.
"""

import json
from typing import Final

from bankstack.engine.conditions import Claim
from bankstack.engine.objects import Manifest, annotated, annotation, canonical

TEMPLATE: Final = "bankstack.io/template"
#: Paths named in a message; the rest is counted.
TOLD: Final = 5


def hold(wanted: Manifest, live: Manifest | None) -> Manifest:
    """The StatefulSet to apply: with the template it was made with, or the wanted one where it is new."""
    kept = None if live is None else annotation(live, TEMPLATE)
    template = wanted["spec"]["template"] if kept is None else json.loads(kept)
    return annotated(wanted, {TEMPLATE: canonical(template)}) | {"spec": wanted["spec"] | {"template": template}}


def pending(wanted: Manifest, held: Manifest) -> tuple[str, ...]:
    """Paths of the template where what is wished differs from what runs."""
    return tuple(_differences(held["spec"]["template"], wanted["spec"]["template"], ""))


def change_pending(paths: tuple[str, ...], what: str) -> tuple[Claim, ...]:
    """The condition that says so: Ready stays as it is."""
    if not paths:
        return ()
    listed = ", ".join(paths[:TOLD]) + (f" and {len(paths) - TOLD} more" if len(paths) > TOLD else "")
    return (
        Claim(
            "ChangePending",
            "True",
            "NeedsRestart",
            f"{what} keeps running as it was started: the change of {listed} needs a restart, which is never "
            "done by itself. Nothing is lost meanwhile; set the field back to withdraw the change",
        ),
    )


def _differences(before: object, after: object, where: str) -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            path
            for key in sorted(before.keys() | after.keys())
            for path in _differences(before.get(key), after.get(key), f"{where}.{key}" if where else str(key))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            path
            for place, (one, other) in enumerate(zip(before, after, strict=True))
            for path in _differences(one, other, f"{where}[{_name(one, place)}]")
        ]
    return [] if before == after else [where]


def _name(item: object, place: int) -> str:
    return str(item["name"]) if isinstance(item, dict) and "name" in item else str(place)
