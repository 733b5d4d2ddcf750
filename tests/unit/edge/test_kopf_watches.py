"""kopf itself, against an API server that keeps what it was asked: it reads and wakes, and does nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bankstack.edge import watches
from bankstack.engine.objects import Manifest, Type
from bankstack.kinds.table import KINDS
from bankstack.kube.connection import Credentials

TYPES = watches.watched(KINDS)


class ApiServer:
    """Discovery, lists and watches of every watched type, in one namespace."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.objects: dict[str, list[Manifest]] = {}
        self.streams: dict[str, web.StreamResponse] = {}
        self.users: set[str] = set()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.query)))
        self.users.add(request.headers.get("Authorization", ""))
        parts = request.path.strip("/").split("/")
        if "namespaces" not in parts:
            return web.json_response(_discovery(request.path.rstrip("/")))
        plural = parts[-1]
        if "watch" in request.query:
            self.streams[plural] = stream = web.StreamResponse()
            await stream.prepare(request)
            await asyncio.Event().wait()
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": self.objects.get(plural, [])})

    async def tell(self, plural: str, kind: str, about: Manifest) -> None:
        """An event of the watch."""
        await self.streams[plural].write(json.dumps({"type": kind, "object": about}).encode() + b"\n")


def _discovery(path: str) -> Manifest:
    if path == "/api":
        return {"versions": ["v1"]}
    if path == "/apis":
        versions = {of.api_version for of in TYPES if "/" in of.api_version}
        entries = [{"groupVersion": one, "version": one.split("/")[1]} for one in sorted(versions)]
        return {
            "groups": [
                {"name": one["groupVersion"].split("/")[0], "versions": [one], "preferredVersion": one}
                for one in entries
            ]
        }
    version = path.removeprefix("/apis/").removeprefix("/api/")
    verbs = ["get", "list", "watch"]
    resources = [
        {"name": of.plural, "kind": of.kind, "singularName": of.kind.lower(), "namespaced": True, "verbs": verbs}
        for of in TYPES
        if of.api_version == version
    ]
    extra = [{"name": "namespaces", "kind": "Namespace", "singularName": "namespace", "namespaced": False, "verbs": []}]
    crds = [{"name": "customresourcedefinitions", "kind": "CustomResourceDefinition", "singularName": "crd"}]
    return {"resources": resources + (extra if version == "v1" else []) + ([] if resources else crds)}


class Woken:
    kinds = KINDS

    def __init__(self) -> None:
        self.changes: list[tuple[Any, ...]] = []

    def changed(self, of: Type, *change: object) -> None:
        self.changes.append((of.kind, *change))


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    listening = TestServer(app)
    await listening.start_server()
    server.url = str(listening.make_url("")).rstrip("/")
    yield server
    await listening.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - any number of rounds may pass
            await asyncio.sleep(0.01)


def made(kind: str, name: str, **meta: object) -> Manifest:
    return {"kind": kind, "metadata": {"name": name, "namespace": "bank", "uid": name, "resourceVersion": "2", **meta}}


async def test_kopf_lists_watches_wakes_and_writes_nothing(server: ApiServer) -> None:
    async def login() -> Credentials:
        return Credentials(server.url, None, "Bearer", "t0ken", None, None)

    server.objects["lndnodes"] = [made("LndNode", "lnd1")]
    woken, began = Woken(), asyncio.Event()
    bystander = asyncio.create_task(asyncio.sleep(3600))
    watching = asyncio.create_task(watches.watch(woken, ("bank",), login, began.set))  # type: ignore[arg-type]
    await until(lambda: server.streams.keys() == {of.plural for of in TYPES})
    assert began.is_set()
    await until(lambda: [change[:4] for change in woken.changes] == [("LndNode", "bank", "lnd1", ())])
    assert woken.changes[0][4]["metadata"]["uid"] == "lnd1"
    await server.tell("statefulsets", "ADDED", made("StatefulSet", "s", labels={"bankstack.io/owner": "LndNode.lnd1"}))
    await server.tell("secrets", "ADDED", made("Secret", "lnd1-wallet"))
    await server.tell("lndnodes", "DELETED", made("LndNode", "lnd1"))
    await until(lambda: len(woken.changes) == 4)
    assert {change[:3] for change in woken.changes} == {
        ("LndNode", "bank", "lnd1"),
        ("StatefulSet", "bank", "s"),
        ("Secret", "bank", "lnd1-wallet"),
    }
    watching.cancel()
    await asyncio.wait({watching}, timeout=5)
    assert watching.cancelled()
    assert not bystander.done(), "a task that was there before was taken along"
    bystander.cancel()
    assert {method for method, _, _ in server.asked} == {"GET"}
    assert server.users == {"Bearer t0ken"}
    selectors = {
        path.rpartition("/")[2]: (query.get("labelSelector", ""), query.get("fieldSelector", ""))
        for _, path, query in server.asked
        if "watch" in query
    }
    assert selectors["statefulsets"] == (watches.OURS, "")
    assert selectors["secrets"] == ("", watches.NOT_HELMS)
    assert selectors["lndnodes"] == ("", "")
