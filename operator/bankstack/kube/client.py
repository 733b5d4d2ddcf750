"""The cluster as the engine asks it: plain dicts over the API server's own paths.

No typed models: they cost more than the call. No cache: what a decision is made on is
read for it. No retry: a failure goes up with its policy and the queue waits. Every
call has a deadline; a call that nobody answered has no result, not a negative one.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
from kubernetes.aio.client.api_client import ApiClient

from bankstack.engine.conditions import stamp
from bankstack.engine.objects import EVENT, FIELD_MANAGER, FieldValue, Manifest, Ref, Type, ref
from bankstack.kube.errors import READS, Call, answer, refused, silent
from bankstack.kube.together import Line, Together, Values

log = logging.getLogger(__name__)

READ_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 10.0
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"
OURS: Final = {"fieldManager": FIELD_MANAGER}
EVENT_MESSAGE_MOST: Final = 1024
#: A version that no object has: etcd's count begins with it, before anything is stored. An apply onto it makes an
#: object, and is a conflict with every object that is there.
NEVER: Final = "1"
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
CONFLICT: Final = 409
INVALID: Final = 422
#: How the API server begins what an admission policy of its own says.
POLICY: Final = "ValidatingAdmissionPolicy '"


@dataclass(frozen=True)
class Request:
    """What goes out, before it has a server and a token."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Manifest | None = None
    content_type: str = JSON

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True)
class Reply:
    """What came back: a code, and bytes that are JSON where the code says yes."""

    code: int
    body: bytes

    @property
    def is_yes(self) -> bool:
        """Whether the API server did as it was asked."""
        return self.code < 300  # noqa: PLR2004 - HTTP's

    @property
    def manifest(self) -> Manifest:
        """The object in it."""
        found: Manifest = json.loads(self.body)
        return found


class KubeCluster:
    """`engine.ports.Cluster` and `engine.lease.Store`, over one shared ApiClient.

    `called` is told of every call: verb, kind, code (None where no answer came).
    """

    def __init__(
        self,
        api: ApiClient,
        called: Callable[[str, str, int | None], None] = lambda _verb, _kind, _code: None,
        identity: str = FIELD_MANAGER,
    ) -> None:
        self._api = api
        self._called = called
        self._identity = identity
        self._together = Together(self._list)
        self._telling: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Close its connections, when no Event is under way any more; nothing may be asked afterwards."""
        # Some may be cut off: kopf, at its end, takes every task along that was started after it.
        await asyncio.gather(*self._telling, return_exceptions=True)
        await self._api.close()  # type: ignore[no-untyped-call]

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        """The object now; None only where the API server says that there is none."""
        call = Call("get", ref.type, namespace, ref.name)
        reply = await self._ask(call, Request("GET", path(ref.type, namespace, ref.name)))
        return None if reply.code == NOT_FOUND else _yes(call, reply).manifest

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        """All objects with these labels, `without` those of a field's value, as they are after the question was put."""
        labels, values = tuple(selector), tuple(selector.values())
        return await self._together.list(Line(of, namespace, labels, without), values)

    async def _list(self, line: Line, asked: Collection[Values]) -> tuple[Manifest, ...]:
        call = Call("list", line.of, line.namespace)
        wanted = (sorted(set(column)) for column in zip(*asked, strict=True))
        labels = ",".join(f"{label} in ({','.join(some)})" for label, some in zip(line.labels, wanted, strict=True))
        query = {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": f"{line.without.path}!={line.without.value}"} if line.without else {}
        reply = await self._ask(call, Request("GET", path(line.of, line.namespace), query))
        named = {"apiVersion": line.of.api_version, "kind": line.of.kind}
        # Items of a list do not say what they are; an object of its own does.
        return tuple(named | item for item in _yes(call, reply).manifest["items"])

    async def names(self, of: Type, namespace: str, labels: str, most: int) -> tuple[str, ...]:
        """Names of objects with these labels, so many at most (0: all)."""
        query = {"labelSelector": labels} if labels else {}
        request = Request("GET", path(of, namespace), query | ({"limit": str(most)} if most else {}))
        call = Call("list", of, namespace)
        items = _yes(call, await self._ask(call, request)).manifest["items"]
        return tuple(item["metadata"]["name"] for item in items)

    async def served(self, api_version: str) -> frozenset[str]:
        """Plural names of the types that the API server has of this group and version."""
        call = Call("get", Type(api_version, "APIResourceList", ""), "")
        reply = await self._ask(call, Request("GET", f"/apis/{api_version}"))
        if reply.code == NOT_FOUND:
            return frozenset()
        return frozenset(resource["name"] for resource in _yes(call, reply).manifest["resources"])

    async def apply(self, manifest: Manifest, namespace: str) -> Manifest:
        """Server-side apply in our one name, forced: callers made sure that the object is ours."""
        one = ref(manifest)
        call = Call("apply", one.type, namespace, one.name)
        return await self._apply(call, path(one.type, namespace, one.name), manifest)

    async def apply_new(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """The same where nothing of that name is there; None where something is (it is left as it is)."""
        one = ref(manifest)
        call = Call("apply", one.type, namespace, one.name)
        bound = manifest | {"metadata": manifest["metadata"] | {"resourceVersion": NEVER}}
        request = Request("PATCH", path(one.type, namespace, one.name), OURS | {"force": "true"}, bound, APPLY_PATCH)
        reply = await self._ask(call, request)
        return None if reply.code == CONFLICT else _yes(call, reply).manifest

    async def create(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """Make it; None where one of that name is there already (it is left as it is)."""
        one = ref(manifest)
        call = Call("create", one.type, namespace, one.name)
        reply = await self._ask(call, Request("POST", path(one.type, namespace), OURS, manifest))
        if reply.code == CONFLICT and answer(reply.code, reply.body).reason == "AlreadyExists":
            return None
        return _yes(call, reply).manifest

    async def replace(self, manifest: Manifest, namespace: str) -> Manifest | None:
        """Put it in the place of the object at its resourceVersion; None where that has moved on or is gone."""
        one = ref(manifest)
        call = Call("replace", one.type, namespace, one.name)
        reply = await self._ask(call, Request("PUT", path(one.type, namespace, one.name), OURS, manifest))
        return None if reply.code in (CONFLICT, NOT_FOUND) else _yes(call, reply).manifest

    async def delete(self, ref: Ref, namespace: str, uid: str) -> None:
        """Delete this life of it; nothing happens where it is gone or another."""
        call = Call("delete", ref.type, namespace, ref.name)
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        # A Job's pods would outlive it otherwise; for every other type this is what the server does anyway.
        options["propagationPolicy"] = "Background"
        reply = await self._ask(call, Request("DELETE", path(ref.type, namespace, ref.name), body=options))
        if reply.code not in (NOT_FOUND, CONFLICT):
            _yes(call, reply)

    async def apply_status(self, of: Type, manifest: Manifest) -> Manifest:
        """Write the status subresource in our name, bound by metadata.resourceVersion; the object as it is then.

        The uid is not looked at.
        """
        meta = manifest["metadata"]
        call = Call("status", of, meta["namespace"], meta["name"])
        return await self._apply(call, path(of, meta["namespace"], meta["name"], "status"), manifest)

    async def finalize(self, of: Type, manifest: Manifest, finalizers: Sequence[str]) -> Manifest:
        """Replace metadata.finalizers, only at the manifest's resourceVersion; the object as it is then."""
        meta = manifest["metadata"]
        call = Call("finalize", of, meta["namespace"], meta["name"])
        change = {"metadata": {"resourceVersion": meta["resourceVersion"], "finalizers": list(finalizers)}}
        place = path(of, meta["namespace"], meta["name"])
        return _yes(call, await self._ask(call, Request("PATCH", place, OURS, change, MERGE_PATCH))).manifest

    async def admission(self, manifest: Manifest, namespace: str) -> str | None:
        """A dry run of making it: None where it would be made, else what an admission policy says against it."""
        one = ref(manifest)
        call = Call("dry run", one.type, namespace, one.name)
        reply = await self._ask(call, Request("POST", path(one.type, namespace), OURS | {"dryRun": "All"}, manifest))
        said = answer(reply.code, reply.body)
        if reply.code in (FORBIDDEN, INVALID) and POLICY in said.message:
            return said.message
        if reply.code == CONFLICT and said.reason == "AlreadyExists":
            return None
        _yes(call, reply)
        return None

    async def announce(self, about: Manifest, kind: str, reason: str, message: str) -> None:
        """An Event about a resource; `kind` is Normal or Warning. Nobody waits for it, and losing one is no failure."""
        telling = asyncio.create_task(self._announce(self._event(about, kind, reason, message)))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _announce(self, event: Manifest) -> None:
        try:
            await self.create(event, event["metadata"]["namespace"])
        except Exception as lost:  # noqa: BLE001 - nobody waits for this task, and an error's text may hold values
            log.debug("an event was lost: %s", type(lost).__name__)

    def _event(self, about: Manifest, kind: str, reason: str, message: str) -> Manifest:
        meta, now = about["metadata"], stamp(datetime.now(UTC))
        involved = {"apiVersion": about["apiVersion"], "kind": about["kind"]}
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{meta['name']}.{secrets.token_hex(8)}", "namespace": meta["namespace"]},
            "involvedObject": involved | {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")},
            "type": kind,
            "reason": reason,
            "message": message[:EVENT_MESSAGE_MOST],
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
            "reportingInstance": self._identity,
        }

    async def _apply(self, call: Call, place: str, manifest: Manifest) -> Manifest:
        request = Request("PATCH", place, OURS | {"force": "true"}, manifest, APPLY_PATCH)
        return _yes(call, await self._ask(call, request)).manifest

    async def _ask(self, call: Call, request: Request) -> Reply:
        seconds = READ_SECONDS if call.verb in READS else WRITE_SECONDS
        code: int | None = None
        try:
            reply = await self._exchange(request, seconds)
            code = reply.code
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.debug("no answer to %s: %r", call, error)
            raise silent(call, seconds) from error
        finally:
            self._called(call.verb, call.of.kind, code)
        return reply

    async def _exchange(self, request: Request, seconds: float) -> Reply:
        return await exchange(self._api, request, seconds)


async def exchange(api: ApiClient, request: Request, seconds: float) -> Reply:
    """One question and its answer, whatever that is."""
    # The body is handed over only below: made ready here, it would be copied leaf by leaf.
    method, url, headers, _, _ = await api.param_serialize(
        request.method,
        request.target,
        header_params={"Accept": JSON, "Content-Type": request.content_type},
        auth_settings=["BearerToken"],
    )
    response = await api.call_api(
        method, url, headers, request.body, _request_timeout=aiohttp.ClientTimeout(total=seconds)
    )
    return Reply(response.status, await response.response.read())


def path(of: Type, namespace: str, name: str = "", subresource: str = "") -> str:
    """Where the API server has it; without a namespace for what belongs to none."""
    root = "/apis" if "/" in of.api_version else "/api"
    inside = ("namespaces", namespace) if namespace else ()
    words = (of.api_version, *inside, of.plural, name, subresource)
    return "/".join((root, *(quote(word, safe="/") for word in words if word)))


def _yes(call: Call, reply: Reply) -> Reply:
    if not reply.is_yes:
        raise refused(call, answer(reply.code, reply.body))
    return reply
