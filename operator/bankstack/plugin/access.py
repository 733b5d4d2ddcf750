"""The API server as a person reaches it: their kubeconfig, their name, and its own sentences.

Every call has a deadline, and nothing is tried again: a person sees what happened and decides.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from bankstack.engine.objects import FIELD_MANAGER, Manifest, Ref, Type
from bankstack.kube.client import MERGE_PATCH, NOT_FOUND, Reply, Request, exchange, path
from bankstack.kube.connection import over
from bankstack.kube.errors import answer

SECONDS: Final = 15.0
REVIEW: Final = Type("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews")
OURS: Final = {"fieldManager": f"{FIELD_MANAGER}-plugin"}
UNAUTHORIZED: Final = 401
POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Refused(Exception):
    """What was wanted was not done, or is not known; one sentence."""


@dataclass(frozen=True)
class Way:
    """How a person wants to be let in."""

    kubeconfig: str | None = None
    context: str | None = None
    impersonated: str | None = None


@asynccontextmanager
async def cluster(way: Way) -> AsyncIterator["Cluster"]:
    """The cluster, for one command. Raises Refused."""
    configuration, namespace = await _configured(way)
    api = over(configuration)
    if way.impersonated:
        api.set_default_header("Impersonate-User", way.impersonated)  # type: ignore[no-untyped-call]
    try:
        yield Cluster(api, namespace)
    finally:
        await api.close()  # type: ignore[no-untyped-call]


async def _configured(way: Way) -> tuple[Configuration, str]:
    configuration = Configuration()
    place = way.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    there = _exists(place)
    if not there and "KUBERNETES_SERVICE_HOST" in os.environ and not way.kubeconfig:
        return _in_a_pod(configuration)
    if not there:
        raise Refused(f"there is no kubeconfig ({place}): name one with --kubeconfig, or set KUBECONFIG")
    try:
        loader = await config.load_kube_config(place, way.context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        return configuration, loader.current_context["context"].get("namespace") or "default"
    except (config.ConfigException, yaml.YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError) as no:
        raise Refused(f"the kubeconfig ({place}) gives no way in: {no}") from None


def _exists(places: str) -> bool:
    return any(Path(one).expanduser().exists() for one in places.split(os.pathsep) if one)


def _in_a_pod(configuration: Configuration) -> tuple[Configuration, str]:
    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        return configuration, POD_NAMESPACE.read_text(encoding="utf-8").strip() or "default"
    except (config.ConfigException, OSError) as no:
        raise Refused(
            f"this pod has no way to the API server ({no}): give it a ServiceAccount, or KUBECONFIG"
        ) from None


class Cluster:
    """What a command asks of the API server. Each call raises Refused where the answer is not a yes."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self._api = api
        #: Where nobody says another: the context's.
        self.namespace = namespace

    async def get(self, one: Ref, namespace: str) -> Manifest | None:
        """The object; None where the API server says that there is none."""
        reply = await self._ask(Request("GET", path(one.type, namespace, one.name)))
        return None if reply.code == NOT_FOUND else _yes(reply).manifest

    async def list(self, of: Type, namespace: str) -> tuple[Manifest, ...]:
        """All of a namespace."""
        reply = await self._ask(Request("GET", path(of, namespace)))
        if reply.code == NOT_FOUND:
            raise Refused(f"this cluster does not know {of.plural}: apply manifests/base, or choose another --context")
        named = {"apiVersion": of.api_version, "kind": of.kind}
        return tuple(named | item for item in _yes(reply).manifest["items"])

    async def create(self, of: Type, manifest: Manifest, namespace: str) -> Manifest:
        """Make it, as it stands there then."""
        strictly = OURS | {"fieldValidation": "Strict"}
        return _yes(await self._ask(Request("POST", path(of, namespace), strictly, manifest))).manifest

    async def change(self, one: Ref, namespace: str, what: Mapping[str, Any]) -> Manifest:
        """A merge patch."""
        request = Request("PATCH", path(one.type, namespace, one.name), OURS, dict(what), MERGE_PATCH)
        return _yes(await self._ask(request)).manifest

    async def whoami(self) -> str:
        """The person's own name, as the admission policies see it."""
        review: Manifest = {"apiVersion": REVIEW.api_version, "kind": REVIEW.kind}
        reply = _yes(await self._ask(Request("POST", path(REVIEW, ""), {}, review)))
        return str(reply.manifest["status"]["userInfo"]["username"])

    async def _ask(self, request: Request) -> Reply:
        try:
            return await exchange(self._api, request, SECONDS)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Refused(_silent(self._api.configuration.host, request, error)) from None


def _yes(reply: Reply) -> Reply:
    if reply.is_yes:
        return reply
    said = answer(reply.code, reply.body)
    if reply.code == UNAUTHORIZED:
        raise Refused("the API server does not know you (Unauthorized): log in again, or choose another --context")
    raise Refused(said.message or f"the API server, or a proxy before it, answered with code {reply.code}: try again")


def _silent(host: str, request: Request, error: Exception) -> str:
    known = request.method == "GET" or isinstance(error, aiohttp.ClientConnectorError)
    meaning = "nothing was changed" if known else "nobody knows whether it was done: look before you try again"
    why = str(error) or f"within {SECONDS:.0f} s"
    return f"the API server at {host} gave no answer ({why}): {meaning}"
