"""What every decision has to be, whatever the facts (pure)."""

import copy
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bankstack.engine.decision import Action, Apply, Ask, Decision, Delete
from bankstack.engine.declared import Declared
from bankstack.engine.objects import OWNER_LABEL, PERSISTENT_VOLUME_CLAIM, SECRET, STATEFUL_SET, Manifest, ref

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
#: Fields that mean something when they are empty.
MAY_BE_EMPTY = ("emptyDir", "podSelector", "namespaceSelector")
Decide = Callable[[Any, Any, datetime], Decision]


def decided(decide: Decide, subject: Declared[Any, Any], facts: Any, now: datetime) -> Decision:  # noqa: ANN401 - any kind's
    """A decision that was made twice, alike, and changed nothing of what it was made from."""
    before = copy.deepcopy((subject, facts))
    once, again = decide(subject, facts, now), decide(copy.deepcopy(subject), copy.deepcopy(facts), now)
    assert once == again
    assert (subject, facts) == before
    json.dumps([one.manifest for one in once.actions if isinstance(one, Apply)])
    type(once.status).model_validate(once.status.model_dump(by_alias=True, exclude_none=True))
    targets = [ref(one.manifest) for one in once.actions if isinstance(one, Apply)]
    targets += [one.ref for one in once.actions if isinstance(one, Delete)]
    assert len(targets) == len(set(targets)), "one object is written twice"
    for one in once.actions:
        if isinstance(one, Apply):
            well_made(subject, one.manifest)
    assert not (once.released and once.finding and once.finding.stops)
    return once


def well_made(subject: Declared[Any, Any], manifest: Manifest) -> None:
    """A manifest that the API server keeps as it is."""
    meta = manifest["metadata"]
    assert NAME.fullmatch(meta["name"]), meta["name"]
    assert meta["labels"][OWNER_LABEL] == subject.owner
    template = manifest.get("spec", {}).get("template", {}).get("metadata", {})
    for value in (*meta["labels"].values(), *template.get("labels", {}).values()):
        assert LABEL.fullmatch(value), value
    assert list(empties(manifest, "")) == []
    if manifest["kind"] in ("PersistentVolumeClaim", "Secret"):
        assert "ownerReferences" not in meta, "money data are garbage for nobody"
        assert meta["labels"]["bankstack.io/retain"] == "true"
    elif manifest["kind"] != "Namespace":
        assert [one["uid"] for one in meta["ownerReferences"]] == [subject.uid]


def empties(value: object, where: str) -> Iterable[str]:
    """Paths of values that the API server would drop: we would never own what we asked for."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner in ("", {}, [], None) and key not in MAY_BE_EMPTY and not where.endswith(".data"):
                yield f"{where}.{key}"
            yield from empties(inner, f"{where}.{key}")
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from empties(inner, f"{where}[{place}]")


def asked(actions: Iterable[Action]) -> set[str]:
    return {one.action for one in actions if isinstance(one, Ask)}


def lost(actions: Iterable[Action]) -> list[str]:
    """Money data that would be deleted."""
    return [
        str(one.ref) for one in actions if isinstance(one, Delete) and one.ref.type in (PERSISTENT_VOLUME_CLAIM, SECRET)
    ]


def stopped(actions: Iterable[Action]) -> list[str]:
    """Stateful things that would be scaled to nothing or deleted."""
    return [
        one.manifest["metadata"]["name"]
        for one in actions
        if isinstance(one, Apply) and one.manifest["kind"] == "StatefulSet" and one.manifest["spec"]["replicas"] == 0
    ] + [one.ref.name for one in actions if isinstance(one, Delete) and one.ref.type == STATEFUL_SET]
