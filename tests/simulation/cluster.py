"""The operator's way to the simulated API server: engine.ports.Cluster, with faults on the line.

What an answer means is `kube`'s own table of errors, so that a story sees what the
operator would see.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import CHANGE_PLAN, EVENT, FIELD_MANAGER, FieldValue, Manifest, Ref, Type, ref
from bankstack.kube.client import NEVER, READ_SECONDS
from bankstack.kube.errors import Answer, Call, refused, silent
from bankstack.plans.admission import OWN_APPROVAL, OWN_PLAN

from .admission import ApiError
from .apiserver import ApiServer, Key
from .faults import Calls, none
from .line import Line

T = TypeVar("T")


class SimulatedCluster:
    """What `kube` is to the real one."""

    def __init__(self, server: ApiServer, line: Line | None = None) -> None:
        self.server = server
        self.line = line or Line(Calls(none))

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        key = Key(ref.type, namespace, ref.name)
        return await self._call("get", key, lambda behind: self.server.get(key, behind=behind))

    async def apply(self, manifest: Manifest, namespace: str) -> Manifest:
        key = _key(manifest, namespace)
        return await self._call("apply", key, lambda _: self.server.apply(key, manifest, FIELD_MANAGER))

    async def apply_new(self, manifest: Manifest, namespace: str) -> Manifest | None:
        key = _key(manifest, namespace)
        return await self._call("apply", key, lambda _: self._apply_new(key, manifest))

    def _apply_new(self, key: Key, manifest: Manifest) -> Manifest | None:
        bound = manifest | {"metadata": manifest["metadata"] | {"resourceVersion": NEVER}}
        try:
            return self.server.apply(key, bound, FIELD_MANAGER)
        except ApiError as error:
            if error.reason == "Conflict":
                return None
            raise

    async def create(self, manifest: Manifest, namespace: str) -> Manifest | None:
        key = _key(manifest, namespace)
        return await self._call("create", key, lambda _: self._create(key, manifest))

    def _create(self, key: Key, manifest: Manifest) -> Manifest | None:
        try:
            return self.server.create(key, manifest, FIELD_MANAGER)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            raise

    async def delete(self, ref: Ref, namespace: str, uid: str) -> None:
        key = Key(ref.type, namespace, ref.name)
        await self._call("delete", key, lambda _: self._delete(key, uid))

    def _delete(self, key: Key, uid: str) -> None:
        try:
            self.server.delete(key, uid=uid)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def apply_status(self, of: Type, manifest: Manifest) -> Manifest:
        key = _of(of, manifest)
        return await self._call("status", key, lambda _: self.server.apply(key, manifest, FIELD_MANAGER, status=True))

    async def finalize(self, of: Type, manifest: Manifest, finalizers: Sequence[str]) -> Manifest:
        key = _of(of, manifest)
        version = manifest["metadata"]["resourceVersion"]
        return await self._call("finalize", key, lambda _: self._finalize(key, version, [*finalizers]))

    def _finalize(self, key: Key, version: str, finalizers: Sequence[str]) -> Manifest:
        def change(live: Manifest) -> None:
            live["metadata"] |= {"finalizers": [*finalizers], "resourceVersion": version}

        return self.server.edit(key, change, FIELD_MANAGER)

    async def admission(self, manifest: Manifest, namespace: str) -> str | None:
        key = _key(manifest, namespace)
        return await self._call("dry run", key, lambda _: self._against(key))

    def _against(self, key: Key) -> str | None:
        if not self.server.guards_names:
            return None
        sentence = OWN_PLAN if key.type == CHANGE_PLAN else OWN_APPROVAL
        return f"ValidatingAdmissionPolicy 'bankstack-plans' with binding 'bankstack-plans' denied request: {sentence}"

    async def announce(self, about: Manifest, kind: str, reason: str, message: str) -> None:
        key = Key(EVENT, about["metadata"]["namespace"], f"{about['metadata']['name']}.{reason}")
        try:
            await self._call("create", key, lambda _: self.server.announced.append((kind, reason, message)))
        except Interrupted:
            return

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        key = Key(of, namespace, "")

        def select(behind: int) -> tuple[Manifest, ...]:
            if without and without.path not in self.server.selectable:
                raise ApiError(400, "BadRequest", f"field label not supported: {without.path}")
            found = self.server.select(of, namespace, selector, behind=behind)
            return tuple(one for one in found if without is None or not without.matches(one))

        return await self._call("list", key, select)

    async def _call(self, verb: str, key: Key, effect: Callable[[int], T]) -> T:
        call = Call(verb, key.type, key.namespace, key.name)

        def failure(code: int) -> Interrupted:
            return refused(call, Answer(code, message="told to fail")) if code else silent(call, READ_SECONDS)

        try:
            return await self.line.call(f"{verb} {key}".strip(), effect, failure)
        except ApiError as error:
            causes = ("NamespaceTerminating",) if "being terminated" in error.message else ()
            raise refused(call, Answer(error.code, error.reason, error.message, causes)) from error


def _key(manifest: Manifest, namespace: str) -> Key:
    found = ref(manifest)
    return Key(found.type, namespace, found.name)


def _of(of: Type, manifest: Manifest) -> Key:
    return Key(of, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
