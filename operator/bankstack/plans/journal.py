"""The journal of a namespace's plans: each entry names the hash of the one before (pure).

It is one ConfigMap, owned by nobody and never deleted by the operator, and it is the one
place that all operators write to by compare-and-set on its resourceVersion. So it also
says which plan runs on a target: two plans are never begun on one, and a plan's end is
written here first, where no crash can lose it, and onto the plan afterwards.

Names of plans that were begun are remembered here until their notAfter has passed: Git
that puts a deleted plan back finds its name taken, and later its time over. Names are
apart from entries, so that entries may be dropped from the old end without a name being
forgotten. Nothing here is secret: it is for auditors.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from bankstack.engine.conditions import moment
from bankstack.engine.finding import Finding, Interrupted, Stalled
from bankstack.engine.manifests import RETAINED
from bankstack.engine.objects import CONFIG_MAP, Manifest, Ref
from bankstack.plans.hash import canonical, of

NAME: Final = "bankstack-journal"
REF: Final = Ref(CONFIG_MAP, NAME)
#: Entries that are kept, as far as there is room: a ConfigMap takes 1 MiB with all that is in it.
KEEP: Final = 400
BYTES_MOST: Final = 700_000
#: Begun plans whose notAfter is to come: with more, no further one is begun until some have passed.
NAMES_MOST: Final = 1000
TOLD_MOST: Final = 256
#: What the first entry names.
NOTHING: Final = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Entry:
    """How one plan ended. Every field is in the hash; `record` is that hash."""

    plan: str
    uid: str
    target: str
    operation: str
    hash: str
    requested_by: str
    approved_by: tuple[str, ...]
    state: str
    message: str
    created_at: str
    started_at: str
    finished_at: str
    not_after: str
    previous: str = NOTHING

    @property
    def record(self) -> str:
        """The hash that the next entry names."""
        return of(vars(self) | {"approved_by": list(self.approved_by)})


@dataclass(frozen=True)
class Begun:
    """A plan that was begun: its uid, and until when its name is remembered."""

    uid: str
    not_after: str


@dataclass(frozen=True)
class Journal:
    """As read; `version` is None where there is none yet."""

    entries: tuple[Entry, ...] = ()
    #: Plan by target, like `LndNode lnd1`.
    active: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    begun: Mapping[str, Begun] = field(default_factory=dict)
    version: str | None = None
    #: Records as they are written, for the checker: an entry's own may be another.
    records: tuple[str, ...] = ()

    def ended(self, uid: str) -> Entry | None:
        """How this life of a plan ended."""
        return next((entry for entry in reversed(self.entries) if entry.uid == uid), None)

    def begin(self, target: str, plan: str, begun: Begun) -> "Journal":
        """With this plan as the one that runs on the target."""
        return replace(self, active={**self.active, target: (plan, begun.uid)}, begun={**self.begun, plan: begun})

    def let_go(self, target: str) -> "Journal":
        """With nothing running on the target."""
        return replace(self, active={key: value for key, value in self.active.items() if key != target})

    def end(self, entry: Entry) -> "Journal":
        """With this entry, linked to the last one, and its target free where it was this plan's."""
        previous = self.entries[-1].record if self.entries else NOTHING
        linked = replace(entry, previous=previous, message=entry.message[:TOLD_MOST])
        held = self.active.get(entry.target, ("", ""))[1] == entry.uid
        kept = self.let_go(entry.target) if held else self
        return replace(kept, entries=(*self.entries, linked)[-KEEP:])

    def replayed(self, plan: str, uid: str) -> bool:
        """Whether another life of this name was begun."""
        return plan in self.begun and self.begun[plan].uid != uid

    def full(self, now: datetime) -> bool:
        """Whether one more name would be too many."""
        return len(_remembered(self.begun, now)) >= NAMES_MOST


def read(manifest: Manifest | None) -> Journal:
    """The journal. Raises Interrupted (Stalled) where somebody made it unreadable: no name in it is forgotten."""
    if manifest is None:
        return Journal()
    data = manifest.get("data") or {}
    try:
        lines = [json.loads(line) for line in data.get("entries", "").splitlines()]
        entries = tuple(_entry(line) for line in lines)
        active = {target: (str(plan), str(uid)) for target, (plan, uid) in json.loads(data.get("active", "{}")).items()}
        begun = {plan: Begun(**one) for plan, one in json.loads(data.get("begun", "{}")).items()}
        for one in begun.values():
            moment(one.not_after)
        records = tuple(str(line["record"]) for line in lines)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise Interrupted(unreadable()) from None
    return Journal(entries, active, begun, manifest["metadata"]["resourceVersion"], records)


def unreadable() -> Finding:
    """Somebody edited the journal by hand."""
    return Finding(
        "JournalUnreadable",
        f"ConfigMap {NAME} was edited by hand and cannot be read: what runs is left as it is, and no plan is begun, "
        "for names of plans that must not run twice are in it. Put its former data back",
        Stalled(),
    )


def _entry(line: Mapping[str, Any]) -> Entry:
    fields = {key: value for key, value in line.items() if key != "record"}
    return Entry(**fields | {"approved_by": tuple(fields["approved_by"])})


def manifest(journal: Journal, namespace: str, now: datetime) -> Manifest:
    """The ConfigMap, bound to the version that was read where there was one."""
    begun = {plan: vars(one) for plan, one in sorted(_remembered(journal.begun, now).items())}
    labels = {"app.kubernetes.io/managed-by": "bankstack", "app.kubernetes.io/name": "journal"} | RETAINED
    meta: Manifest = {"name": NAME, "namespace": namespace, "labels": labels}
    if journal.version is not None:
        meta["resourceVersion"] = journal.version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta,
        "data": {
            "entries": _lines(journal.entries),
            "active": json.dumps({target: list(plan) for target, plan in sorted(journal.active.items())}),
            "begun": json.dumps(begun),
        },
    }


def _lines(entries: Iterable[Entry]) -> str:
    """One line each, the newest that there is room for."""
    lines = [
        canonical(vars(entry) | {"approved_by": list(entry.approved_by), "record": entry.record}) + "\n"
        for entry in entries
    ]
    sizes = accumulate(len(line) for line in reversed(lines))
    return "".join(lines[len(lines) - sum(size <= BYTES_MOST for size in sizes) :])


def _remembered(begun: Mapping[str, Begun], now: datetime) -> dict[str, Begun]:
    return {plan: one for plan, one in begun.items() if moment(one.not_after) >= now}


def check(journal: Journal, plans: Iterable[Manifest] = ()) -> tuple[str, ...]:
    """What is wrong with the chain, and where a plan's own status says something else; nothing: it holds."""
    found = []
    for number, (entry, record) in enumerate(zip(journal.entries, journal.records, strict=True)):
        if entry.record != record:
            found.append(f"entry {entry.plan} of {entry.finished_at} was changed after it was written")
        if number and entry.previous != journal.records[number - 1]:
            found.append(f"before entry {entry.plan} of {entry.finished_at} something was removed, added or moved")
    known = {entry.uid: entry for entry in journal.entries}
    oldest = journal.entries[0].finished_at if journal.entries else ""
    for plan in plans:
        found += _against(plan, known.get(plan["metadata"]["uid"]), oldest)
    return tuple(found)


def _against(plan: Manifest, entry: Entry | None, oldest: str) -> list[str]:
    name, status = plan["metadata"]["name"], plan.get("status") or {}
    if "record" not in status:
        return []
    if entry is None:
        # What ended before the oldest entry was dropped for its age.
        return [] if status["finishedAt"] < oldest else [f"ChangePlan {name} has ended, and its entry is missing"]
    same = (status["record"], status.get("previous"), status["state"]) == (entry.record, entry.previous, entry.state)
    return [] if same else [f"ChangePlan {name} says something else of its end than its entry"]
