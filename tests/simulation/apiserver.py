"""An API server in memory: what the operator may rely on, and nothing kinder.

resourceVersion per write, uid per life, generation per change of the spec, a status
of its own, ownership per field, finalizers, preconditions, and a change that changes
nothing is no write. Time comes from the caller; nothing here waits.

`tests/simulation/scenarios.py` is run against this and against the real one.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Self

from bankstack.engine.objects import (
    CONFIG_MAP,
    EVENT,
    NAMESPACE,
    OWNER_LABEL,
    POD,
    SECRET,
    SERVICE,
    Manifest,
    Type,
    digest,
)
from bankstack.plans.model import CHANGE_PLANS

from . import admission, ownership
from .admission import ApiError
from .fieldsets import Leaves, flatten, fresh, to_fields_v1, unflatten
from .ownership import Manager, Managers

#: Their spec has no generation to observe.
_NO_GENERATION: Final = frozenset({CONFIG_MAP.kind, SECRET.kind, SERVICE.kind, EVENT.kind, NAMESPACE.kind})
#: A pod goes when its kubelet has stopped it, a namespace when it is empty.
_LINGER: Final = (POD.kind, NAMESPACE.kind)
_CLAIM_PROTECTION: Final = "kubernetes.io/pvc-protection"
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Key:
    """Where an object is."""

    type: Type
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.type.kind} {self.name}"

    def __deepcopy__(self, _known: object) -> Self:
        return self


@dataclass(frozen=True)
class Stored:
    """One version of an object: it never changes, so that every copy of a world may share it."""

    manifest: Manifest
    managers: Managers = field(default_factory=dict)

    def __deepcopy__(self, _known: object) -> Self:
        return self

    def shown(self) -> Manifest:
        """As a client reads it: a copy of its own."""
        shown: Manifest = fresh(self._shown)
        return shown

    @cached_property
    def _shown(self) -> Manifest:
        fields = [
            {
                "manager": who.name,
                "operation": who.operation,
                "apiVersion": self.manifest["apiVersion"],
                "fieldsType": "FieldsV1",
                "fieldsV1": to_fields_v1(owned),
            }
            | ({"subresource": who.subresource} if who.subresource else {})
            for who, owned in sorted(self.managers.items())
        ]
        return self.manifest | {"metadata": self.manifest["metadata"] | {"managedFields": fields}}

    @cached_property
    def owner(self) -> str:
        """Whom its label says it was made for; nothing where it has none."""
        return str(self.manifest["metadata"].get("labels", {}).get(OWNER_LABEL, ""))

    @cached_property
    def revision(self) -> str:
        """Changes when its pod template does."""
        return digest(self.manifest["spec"]["template"])

    @cached_property
    def leaves(self) -> Leaves:
        """Its content by path."""
        return flatten(self.manifest)


@dataclass(frozen=True)
class Event:
    """What a watch tells."""

    type: str
    key: Key
    manifest: Manifest
    #: As it was before; a watch by labels tells of what leaves them, too.
    before: Manifest | None = None


Content = Callable[[Manifest], object]


class ApiServer:
    """Objects and the verbs on them. Raises ApiError as the real one answers."""

    def __init__(self, now: Callable[[], datetime] = lambda: _EPOCH) -> None:
        self._now = now
        # As etcd: the first version that an object can have is 2.
        self._version = 1
        self._lives = 0
        self.objects: dict[Key, Stored] = {}
        self._by_type: dict[tuple[Type, str | None], dict[Key, Stored]] = {}
        #: Every state there was, the newest last: what a stale cache may still show.
        self.past: list[Mapping[Key, Stored]] = [{}]
        #: What was written, in order: `create Pod x`, `update ...`, `delete ...`.
        self.written: list[str] = []
        self.watchers: list[Callable[[Event], None]] = []
        #: Events about resources: kind, reason, message.
        self.announced: list[tuple[str, str, str]] = []
        self.remember = 50
        #: Whether the admission policy on plans and approvals is in force.
        self.guards_names = True
        #: Fields by which lists may be asked for: an older one does not have all of them.
        self.selectable = {"metadata.name", *(path.removeprefix(".") for path in CHANGE_PLANS.selectable)}
        #: Pods (by uid) whose node nobody reaches: what runs in them runs on, and nothing is told of it.
        self.cut_off: set[str] = set()

    def __deepcopy__(self, known: dict[int, Any]) -> Self:
        """Objects and former states are never changed, and may be shared; who watches may not."""
        other = copy.copy(self)
        known[id(self)] = other
        now, watchers = copy.deepcopy((self._now, self.watchers), known)
        vars(other).update(
            objects=dict(self.objects),
            past=[*self.past],
            written=[*self.written],
            announced=[*self.announced],
            cut_off={*self.cut_off},
            watchers=watchers,
            _now=now,
            _by_type={key: dict(found) for key, found in self._by_type.items()},
        )
        return other

    # Reads

    def get(self, key: Key, *, behind: int = 0) -> Manifest | None:
        """The object, or as it was `behind` writes ago."""
        found = self._at(behind).get(key)
        return found.shown() if found else None

    def select(self, of: Type, namespace: str, selector: Mapping[str, str], *, behind: int = 0) -> tuple[Manifest, ...]:
        """All objects with these labels, by name."""
        place = self._at(behind) if behind else self.owned_by(of, selector.get(OWNER_LABEL))
        found = [
            (key.name, stored)
            for key, stored in place.items()
            if key.type == of
            and key.namespace in (namespace, *(() if namespace else (key.namespace,)))
            and selector.items() <= stored.manifest["metadata"].get("labels", {}).items()
        ]
        return tuple(stored.shown() for _, stored in sorted(found, key=lambda one: one[0]))

    def all(self, kind: str | None = None) -> list[Key]:
        """What exists, of one kind or of all."""
        if kind is None:
            return sorted(self.objects)
        found = [found for (of, owner), found in self._by_type.items() if owner is None and of.kind == kind]
        return sorted(key for one in found for key in one)

    def _at(self, behind: int) -> Mapping[Key, Stored]:
        return self.past[max(0, len(self.past) - 1 - behind)]

    # Writes

    def apply(
        self, key: Key, manifest: Manifest, manager: str, *, force: bool = True, status: bool = False
    ) -> Manifest:
        """Server-side apply, of the object or of its status."""
        live = self.objects.get(key)
        if live is None and status:
            raise ApiError(404, "NotFound", str(key))
        _require_version(key, live, manifest)
        if not status:
            _require_same_life(live, manifest)
        part = {"status": manifest.get("status", {})} if status else _without_status(manifest)
        who = Manager(manager, "Apply", "status" if status else "")
        before = live.leaves if live else {}
        try:
            after, managers = ownership.apply(before, live.managers if live else {}, who, flatten(part), force=force)
        except ownership.OwnedByOthersError as owned:
            raise ApiError(409, "Conflict", f"fields of {key} are owned by {owned}") from None
        return self._put(key, manifest["apiVersion"], live, after, managers)

    def create(self, key: Key, manifest: Manifest, manager: str) -> Manifest:
        """Make it, or 409 where it exists."""
        if key in self.objects:
            raise ApiError(409, "AlreadyExists", str(key))
        after, managers = ownership.update({}, {}, Manager(manager, "Update"), flatten(_without_status(manifest)))
        return self._put(key, manifest["apiVersion"], None, after, managers)

    def update(self, key: Key, manifest: Manifest, manager: str, *, status: bool = False) -> Manifest:
        """Write it as a whole, only at its resourceVersion where the manifest has one."""
        live = self.objects.get(key)
        if live is None:
            raise ApiError(404, "NotFound", str(key))
        _require_same_life(live, manifest)
        _require_version(key, live, manifest)
        theirs, ours = (live.manifest, manifest) if status else (manifest, live.manifest)
        whole = {name: value for name, value in theirs.items() if name != "status"}
        whole |= {"status": ours["status"]} if "status" in ours else {}
        who = Manager(manager, "Update", "status" if status else "")
        after, managers = ownership.update(live.leaves, live.managers, who, flatten(whole))
        return self._put(key, manifest["apiVersion"], live, after, managers)

    def edit(self, key: Key, change: Content, manager: str, *, status: bool = False) -> Manifest:
        """Read, change in place, write: what `kubectl edit` or a controller does."""
        live = self.objects.get(key)
        if live is None:
            raise ApiError(404, "NotFound", str(key))
        manifest = live.shown()
        change(manifest)
        return self.update(key, manifest, manager, status=status)

    def delete(self, key: Key, *, uid: str | None = None) -> None:
        """Delete it, once its finalizers are gone; 409 where it lives another life than `uid`."""
        live = self.objects.get(key)
        if live is None:
            raise ApiError(404, "NotFound", str(key))
        meta = live.manifest["metadata"]
        if uid is not None and meta["uid"] != uid:
            raise ApiError(409, "Conflict", f"the UID in the precondition is not that of {key}")
        if "deletionTimestamp" in meta:
            return
        if meta.get("finalizers") or key.type.kind in _LINGER:
            manifest = fresh(live.manifest)
            manifest["metadata"]["deletionTimestamp"] = self._stamp()
            if "generation" in meta:
                manifest["metadata"]["generation"] += 1
            self._commit(key, "update", replace(live, manifest=manifest))
        else:
            self.remove(key)

    def remove(self, key: Key) -> None:
        """The object is gone, whatever held it: a kubelet's word, or a namespace's end."""
        self._commit(key, "delete", None)

    # How a version comes to be

    def _put(
        self, key: Key, api_version: str, live: Stored | None, after: dict[Any, Any], managers: Managers
    ) -> Manifest:
        content = unflatten(after)
        meta = content.pop("metadata", {}) | {"name": key.name}
        if key.namespace:
            meta["namespace"] = key.namespace
        head = {"apiVersion": api_version, "kind": key.type.kind, "metadata": meta}
        manifest = admission.with_defaults(head | content)
        admission.refuse_nonsense(manifest, live.manifest if live else None)
        if live is None:
            stored = self._born(key, manifest, managers)
            self._commit(key, "create", stored)
            return self.objects[key].shown()
        manifest = self._grown(key, manifest, live.manifest)
        stored = Stored(manifest, managers)
        if stored == live:
            return live.shown()
        released = "deletionTimestamp" in manifest["metadata"] and not manifest["metadata"].get("finalizers")
        if released and key.type.kind not in _LINGER:
            self.remove(key)
            return manifest
        self._commit(key, "update", stored)
        return self.objects[key].shown()

    def _born(self, key: Key, manifest: Manifest, managers: Managers) -> Stored:
        self._refuse_in_a_dying_namespace(key)
        self._lives += 1
        meta = manifest["metadata"]
        meta["uid"] = f"{self._lives:08d}-0000-4000-8000-000000000000"
        meta["creationTimestamp"] = self._stamp()
        if key.type.kind not in _NO_GENERATION:
            meta["generation"] = 1
        if key.type.kind == "PersistentVolumeClaim":
            meta["finalizers"] = [*meta.get("finalizers", []), _CLAIM_PROTECTION]
        return Stored(manifest, managers)

    def _refuse_in_a_dying_namespace(self, key: Key) -> None:
        home = self.objects.get(Key(NAMESPACE, "", key.namespace))
        if home is None and key.namespace:
            raise ApiError(404, "NotFound", f"namespace {key.namespace}")
        if home is not None and "deletionTimestamp" in home.manifest["metadata"]:
            raise ApiError(403, "Forbidden", f"namespace {key.namespace} is being terminated")

    def _grown(self, key: Key, manifest: Manifest, before: Manifest) -> Manifest:
        old, meta = before["metadata"], manifest["metadata"]
        for name in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion"):
            if name in old:
                meta[name] = old[name]
        new_finalizers = set(meta.get("finalizers", [])) - set(old.get("finalizers", []))
        if "deletionTimestamp" in old and new_finalizers:
            raise ApiError(403, "Forbidden", f"no new finalizers can be added to {key}: it is being deleted")
        if "generation" in old and before.get("spec") != manifest.get("spec"):
            meta["generation"] += 1
        return manifest

    def _commit(self, key: Key, verb: str, stored: Stored | None) -> None:
        self._version += 1
        gone = self.objects.get(key)
        # A state that may be asked for later is never changed: the next one is another.
        objects = dict(self.objects) if self.remember else self.objects
        if stored is not None:
            stored.manifest["metadata"]["resourceVersion"] = str(self._version)
            objects[key] = stored
        else:
            del objects[key]
        self.objects = objects
        self._index(key, gone, stored)
        self.past = [*self.past[-self.remember :], objects]
        self.written.append(f"{verb} {key}")
        told = stored or gone
        if told is not None:
            word = {"create": "ADDED", "update": "MODIFIED", "delete": "DELETED"}[verb]
            for tell in self.watchers:
                tell(Event(word, key, told.manifest, gone.manifest if gone else None))

    def _index(self, key: Key, gone: Stored | None, stored: Stored | None) -> None:
        """Kept beside the objects, for a bank of five hundred resources: lists are asked for by type and owner."""
        if gone is not None:
            del self._by_type[key.type, None][key], self._by_type[key.type, gone.owner][key]
        if stored is not None:
            self._by_type.setdefault((key.type, None), {})[key] = stored
            self._by_type.setdefault((key.type, stored.owner), {})[key] = stored

    def owned_by(self, of: Type, owner: str | None = None) -> Mapping[Key, Stored]:
        """All of a type, or those with this owner label."""
        return self._by_type.get((of, owner), {})

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_status(manifest: Manifest) -> Manifest:
    return {name: value for name, value in manifest.items() if name != "status"}


def _require_same_life(live: Stored | None, manifest: Manifest) -> None:
    wished = manifest["metadata"].get("uid")
    if wished is not None and live is None:
        raise ApiError(409, "Conflict", "the UID in the object is of something that is not stored")
    if wished is not None and live is not None and live.manifest["metadata"]["uid"] != wished:
        raise admission.invalid("metadata.uid: field is immutable")


def _require_version(key: Key, live: Stored | None, manifest: Manifest) -> None:
    wished = manifest["metadata"].get("resourceVersion")
    # Onto nothing it is no condition: an apply then makes the object.
    if wished is not None and live is not None and live.manifest["metadata"]["resourceVersion"] != wished:
        raise ApiError(409, "Conflict", f"{key} has been modified")
