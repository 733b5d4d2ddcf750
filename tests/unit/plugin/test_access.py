"""The API server by a person's kubeconfig: their name, and its own sentences when it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Ref
from bankstack.plugin import access
from bankstack.plugin.access import Cluster, Refused, Way, cluster

from . import given

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: bank
contexts:
- {{name: bank, context: {{cluster: c, user: me, namespace: bank}}}}
- {{name: other, context: {{cluster: c, user: me}}}}
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: me, user: {{token: t0ken}}}}]
"""
PLAN = Ref(CHANGE_PLAN, "restart-1")


class ApiServer:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, Any]] = []
        self.mute = False

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.asked.append((request.method, request.path_qs, json.loads(body) if body else None))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.mute:
            await asyncio.sleep(3600)
        code, said = self.answers.pop(0)
        return web.Response(status=code, text=said) if isinstance(said, str) else web.json_response(said, status=code)


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
async def kubeconfig(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(app) as running:
        place = tmp_path / "config"
        place.write_text(KUBECONFIG.format(server=str(running.make_url("")).rstrip("/")))
        monkeypatch.setenv("KUBECONFIG", str(place))
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        yield place


@pytest.fixture
async def way(kubeconfig: Path) -> AsyncIterator[Cluster]:
    async with cluster(Way(str(kubeconfig))) as entered:
        yield entered


def status(code: int, message: str) -> tuple[int, Any]:
    return code, {"kind": "Status", "message": message, "code": code}


async def test_the_context_says_who_and_where(kubeconfig: Path, server: ApiServer) -> None:
    server.answers = [(200, given.plan())] * 2
    async with cluster(Way()) as entered:
        assert entered.namespace == "bank"
        assert await entered.get(PLAN, "bank") == given.plan()
    async with cluster(Way(str(kubeconfig), "other", "carol")) as entered:
        assert entered.namespace == "default"
        await entered.get(PLAN, "bank")
    assert [one["authorization"] for one in server.headers] == ["Bearer t0ken"] * 2
    assert [one.get("impersonate-user") for one in server.headers] == [None, "carol"]


async def test_what_is_asked_and_written(way: Cluster, server: ApiServer) -> None:
    bare = {key: value for key, value in given.plan().items() if key not in ("kind", "apiVersion")}
    server.answers = [
        (404, {"kind": "Status"}), (200, {"items": [bare]}), (201, {"status": {"userInfo": {"username": "bob"}}}),
        (201, {}), (200, {}),
    ]  # fmt: skip
    assert await way.get(PLAN, "bank") is None
    assert await way.list(CHANGE_PLAN, "bank") == (given.plan(),)
    assert await way.whoami() == "bob"
    await way.create(PLAN_APPROVAL, given.approval(), "bank")
    await way.change(PLAN, "bank", {"spec": {"cancelled": True}})
    group = "/apis/bankstack.io/v1alpha1/namespaces/bank"
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    assert server.asked == [
        ("GET", f"{group}/changeplans/restart-1", None),
        ("GET", f"{group}/changeplans", None),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review),
        ("POST", f"{group}/planapprovals?fieldManager=bankstack-plugin&fieldValidation=Strict", given.approval()),
        ("PATCH", f"{group}/changeplans/restart-1?fieldManager=bankstack-plugin", {"spec": {"cancelled": True}}),
    ]
    assert server.headers[-1]["content-type"] == "application/merge-patch+json"


REFUSALS = {
    "spec.requestedBy has to be your own": status(422, "spec.requestedBy has to be your own user name"),
    "does not know you .*: log in again": status(401, "Unauthorized"),
    'User "bob" cannot create': status(403, 'planapprovals is forbidden: User "bob" cannot create'),
    "a proxy before it, answered with code 502": (502, "<html>"),
}


@pytest.mark.parametrize("sentence", REFUSALS)
async def test_a_refusal_is_told_in_the_api_servers_words(way: Cluster, server: ApiServer, sentence: str) -> None:
    server.answers = [REFUSALS[sentence]]
    with pytest.raises(Refused, match=sentence):
        await way.create(PLAN_APPROVAL, given.approval(), "bank")


async def test_a_cluster_without_the_crds_is_told_as_that(way: Cluster, server: ApiServer) -> None:
    server.answers = [(404, "404 page not found")]
    with pytest.raises(Refused, match="does not know changeplans: apply manifests/base"):
        await way.list(CHANGE_PLAN, "bank")


async def test_of_a_write_without_an_answer_nobody_knows(
    way: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "SECONDS", 0.05)
    server.mute = True
    with pytest.raises(Refused, match="nobody knows whether it was done: look before you try again"):
        await way.create(PLAN_APPROVAL, given.approval(), "bank")
    with pytest.raises(Refused, match="nothing was changed"):
        await way.get(PLAN, "bank")


async def test_nobody_home_is_told_with_the_address(tmp_path: Path) -> None:
    place = tmp_path / "config"
    place.write_text(KUBECONFIG.format(server="http://127.0.0.1:1"))
    async with cluster(Way(str(place))) as entered:
        with pytest.raises(Refused, match=r"at http://127.0.0.1:1 gave no answer .*: nothing was changed"):
            await entered.create(PLAN_APPROVAL, given.approval(), "bank")


USELESS = {
    "no file": None,
    "no yaml": "{",
    "empty": "",
    "a list": "[]",
    "no context": "current-context: gone\ncontexts: []\nclusters: []\n",
    "a text": "clusters: what\ncurrent-context: a\ncontexts: b\nusers: c\n",
}


@pytest.mark.parametrize("text", USELESS.values(), ids=USELESS.keys())
async def test_a_useless_kubeconfig_is_told_in_a_sentence(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    if text is not None:
        (tmp_path / "config").write_text(text)
    with pytest.raises(Refused, match=r"there is no kubeconfig|gives no way in"):
        async with cluster(Way(str(tmp_path / "config"))):
            pass


async def test_in_a_pod_its_serviceaccount_is_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(Refused, match="this pod has no way to the API server"):
        async with cluster(Way()):
            pass
    monkeypatch.setattr("kubernetes.aio.config.load_incluster_config", lambda _configuration: None)
    (tmp_path / "namespace").write_text("bank\n")
    monkeypatch.setattr(access, "POD_NAMESPACE", tmp_path / "namespace")
    async with cluster(Way()) as entered:
        assert entered.namespace == "bank"
