"""The operator's way to the simulated API server: engine.ports.Cluster, with faults on the line."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.engine.objects import FIELD_MANAGER, Manifest, Ref, Type, ref

from .admission import ApiError
from .apiserver import ApiServer, Key
from .faults import Calls, Crash, Fault, When

T = TypeVar("T")
Pause = Callable[[], Awaitable[None]]
#: Answers that will be the same next time.
_FINAL = (400, 403, 422)


class SimulatedCluster:
    """What `kube` is to the real one. Every call may die, fail, or be answered from the past."""

    def __init__(self, server: ApiServer, calls: Calls | None = None, pause: Pause | None = None) -> None:
        self.server = server
        self.calls = calls or Calls()
        self._pause = pause
        #: After a crash nothing more of this process reaches anybody.
        self.dead = False

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        key = Key(ref.type, namespace, ref.name)
        return await self._call(f"get {key}", lambda behind: self.server.get(key, behind=behind))

    async def list(self, of: Type, namespace: str, selector: Mapping[str, str]) -> tuple[Manifest, ...]:
        words = f"list {of.kind}"
        return await self._call(words, lambda behind: self.server.select(of, namespace, selector, behind=behind))

    async def apply(self, manifest: Manifest, namespace: str) -> Manifest:
        key = _key(manifest, namespace)
        return await self._call(f"apply {key}", lambda _: self.server.apply(key, manifest, FIELD_MANAGER))

    async def create(self, manifest: Manifest, namespace: str) -> Manifest | None:
        key = _key(manifest, namespace)
        return await self._call(f"create {key}", lambda _: self._create(key, manifest))

    def _create(self, key: Key, manifest: Manifest) -> Manifest | None:
        try:
            return self.server.create(key, manifest, FIELD_MANAGER)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            raise

    async def delete(self, ref: Ref, namespace: str, uid: str) -> None:
        key = Key(ref.type, namespace, ref.name)
        await self._call(f"delete {key}", lambda _: self._delete(key, uid))

    def _delete(self, key: Key, uid: str) -> None:
        try:
            self.server.delete(key, uid=uid)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def apply_status(self, of: Type, manifest: Manifest) -> None:
        key = Key(of, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        await self._call(f"status {key}", lambda _: self.server.apply(key, manifest, FIELD_MANAGER, status=True))

    async def finalize(self, of: Type, manifest: Manifest, finalizers: Sequence[str]) -> None:
        key = Key(of, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        meta = manifest["metadata"] | {"finalizers": [*finalizers]}
        await self._call(f"finalize {key}", lambda _: self._finalize(key, manifest | {"metadata": meta}))

    def _finalize(self, key: Key, manifest: Manifest) -> None:
        live = self.server.get(key)
        if live is not None:
            version = manifest["metadata"]["resourceVersion"]
            held = live["metadata"] | {"finalizers": manifest["metadata"]["finalizers"], "resourceVersion": version}
            self.server.update(key, live | {"metadata": held}, FIELD_MANAGER)

    async def announce(self, about: Manifest, kind: str, reason: str, message: str) -> None:
        words = f"announce {about['kind']} {about['metadata']['name']} {reason}"
        try:
            await self._call(words, lambda _: self.server.announced.append((kind, reason, message)))
        except Interrupted:
            return

    async def _call(self, words: str, effect: Callable[[int], T]) -> T:
        if self._pause is not None:
            await self._pause()
        fault = self.calls.next(words) if not self.dead else Fault("crash")
        if fault is not None and fault.when is When.BEFORE:
            self._strike(fault, words)
        try:
            answer = effect(fault.behind if fault else 0)
        except ApiError as error:
            raise Interrupted(_finding(error.code, words, error.message)) from error
        if fault is not None and fault.when is When.AFTER:
            self._strike(fault, words)
        return answer

    def _strike(self, fault: Fault, words: str) -> None:
        if fault.what == "crash":
            self.dead = True
            raise Crash(words)
        if isinstance(fault.what, int):
            raise Interrupted(_finding(fault.what, words, "the line was cut" if fault.what == 0 else "told to fail"))


def is_crash(error: BaseException) -> bool:
    """Whether it is the simulated death, also from within a group of tasks."""
    return isinstance(error, Crash) or (isinstance(error, BaseExceptionGroup) and any(map(is_crash, error.exceptions)))


def _finding(code: int, words: str, message: str) -> Finding:
    policy = Stalled() if code in _FINAL else Transient()
    return Finding("ApiServerRefused" if code in _FINAL else "ApiServerUnavailable", f"{words}: {message}", policy)


def _key(manifest: Manifest, namespace: str) -> Key:
    found = ref(manifest)
    return Key(found.type, namespace, found.name)
