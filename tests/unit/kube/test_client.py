import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client.configuration import Configuration

from bankstack.engine.finding import UNSELECTABLE, Interrupted, Stalled, Transient
from bankstack.engine.objects import CHANGE_PLAN, CONFIG_MAP, LEASE, NAMESPACE, POD, SECRET, FieldValue, Ref, Type
from bankstack.kube import client
from bankstack.kube.client import KubeCluster, path
from bankstack.kube.connection import over

LND_NODE = Type("bankstack.io/v1alpha1", "LndNode", "lndnodes")
LND1 = {
    "apiVersion": "bankstack.io/v1alpha1",
    "kind": "LndNode",
    "metadata": {"name": "lnd1", "namespace": "bank", "uid": "u1", "resourceVersion": "7"},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}


class ApiServer:
    """Answers what it is told to, in order, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: list[tuple[int, Any]] = []
        self.content_types: list[str] = []
        self.tokens: list[str] = []
        self.mute = False

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.asked.append((request.method, request.path, dict(request.query), json.loads(body) if body else None))
        self.content_types.append(request.headers.get("Content-Type", ""))
        self.tokens.append(request.headers.get("authorization", ""))
        if self.mute:
            await asyncio.sleep(3600)
        code, answer = self.answers.pop(0) if self.answers else (200, {})
        return web.json_response(answer, status=code)


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
def calls() -> list[tuple[str, str, int | None]]:
    return []


@pytest.fixture
async def cluster(server: ApiServer, calls: list[tuple[str, str, int | None]]) -> AsyncIterator[KubeCluster]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    listening = TestServer(app)
    await listening.start_server()
    configuration = Configuration(host=str(listening.make_url("")).rstrip("/"))
    configuration.api_key["BearerToken"] = "bearer t0ken"
    cluster = KubeCluster(over(configuration), lambda *call: calls.append(call), identity="pod-1")
    yield cluster
    await cluster.close()
    await listening.close()


def refusal(reason: str, message: str = "") -> dict[str, Any]:
    return {"kind": "Status", "reason": reason, "message": message}


def test_paths_are_the_api_servers() -> None:
    assert path(POD, "bank") == "/api/v1/namespaces/bank/pods"
    assert path(NAMESPACE, "", "bank") == "/api/v1/namespaces/bank"
    assert (
        path(LND_NODE, "bank", "lnd1", "status") == "/apis/bankstack.io/v1alpha1/namespaces/bank/lndnodes/lnd1/status"
    )


async def test_what_is_not_there_is_none_and_only_that(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(200, LND1), (404, refusal("NotFound")), (503, {})]
    assert await cluster.get(Ref(LND_NODE, "lnd1"), "bank") == LND1
    assert await cluster.get(Ref(LND_NODE, "lnd1"), "bank") is None
    with pytest.raises(Interrupted):
        await cluster.get(Ref(LND_NODE, "lnd1"), "bank")
    assert server.tokens == ["bearer t0ken"] * 3


async def test_items_of_a_list_say_what_they_are(cluster: KubeCluster, server: ApiServer) -> None:
    meta = {"name": "c", "labels": {"a": "1", "b": "2"}}
    server.answers = [(200, {"kind": "ConfigMapList", "items": [{"metadata": meta}]})]
    found = await cluster.list(CONFIG_MAP, "bank", {"b": "2", "a": "1"})
    assert found == ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta},)
    assert server.asked == [("GET", "/api/v1/namespaces/bank/configmaps", {"labelSelector": "b in (2),a in (1)"}, None)]


async def test_a_list_without_those_that_say_so_in_a_field(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(200, {"items": []}), (400, refusal("BadRequest", "field label not supported: status.state"))]
    ended = FieldValue("status.state", "Succeeded")
    assert await cluster.list(CHANGE_PLAN, "bank", {}, ended) == ()
    (_, path, query, _) = server.asked[0]
    assert (path.rpartition("/")[2], query) == ("changeplans", {"fieldSelector": "status.state!=Succeeded"})
    with pytest.raises(Interrupted) as stop:
        await cluster.list(CHANGE_PLAN, "bank", {}, ended)
    assert stop.value.finding.reason == UNSELECTABLE
    assert "CustomResourceDefinition of ChangePlan is older than the operator" in stop.value.finding.message


async def test_apply_is_server_side_in_our_name_and_forced(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(201, CONFIG)]
    assert await cluster.apply(CONFIG, "bank") == CONFIG
    ours = {"fieldManager": "bankstack", "force": "true"}
    assert server.asked == [("PATCH", "/api/v1/namespaces/bank/configmaps/c", ours, CONFIG)]
    assert server.content_types == ["application/apply-patch+yaml"]


async def test_create_leaves_what_is_there_as_it_is(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(201, CONFIG), (409, refusal("AlreadyExists")), (409, refusal("Conflict"))]
    assert await cluster.create(CONFIG, "bank") == CONFIG
    assert await cluster.create(CONFIG, "bank") is None
    with pytest.raises(Interrupted) as stop:
        await cluster.create(CONFIG, "bank")
    assert stop.value.finding.reason == "Conflict"
    assert server.asked[0] == ("POST", "/api/v1/namespaces/bank/configmaps", {"fieldManager": "bankstack"}, CONFIG)


async def test_delete_means_one_life(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(200, {}), (404, refusal("NotFound")), (409, refusal("Conflict")), (500, {})]
    for _ in range(3):
        await cluster.delete(Ref(POD, "p"), "bank", "u9")
    with pytest.raises(Interrupted):
        await cluster.delete(Ref(POD, "p"), "bank", "u9")
    assert server.asked[0][3]["preconditions"] == {"uid": "u9"}


async def test_status_is_applied_to_its_own_door(cluster: KubeCluster, server: ApiServer) -> None:
    status = {**LND1, "status": {"observedGeneration": 1}}
    await cluster.apply_status(LND_NODE, status)
    ((method, where, query, body),) = server.asked
    assert (method, where) == ("PATCH", "/apis/bankstack.io/v1alpha1/namespaces/bank/lndnodes/lnd1/status")
    assert query == {"fieldManager": "bankstack", "force": "true"}
    assert body == status


async def test_finalizers_change_only_at_the_version_that_was_read(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(200, LND1), (409, refusal("Conflict"))]
    await cluster.finalize(LND_NODE, LND1, ["f"])
    assert server.asked[0][3] == {"metadata": {"resourceVersion": "7", "finalizers": ["f"]}}
    assert server.content_types == ["application/merge-patch+json"]
    with pytest.raises(Interrupted) as stop:
        await cluster.finalize(LND_NODE, LND1, [])
    assert isinstance(stop.value.finding.policy, Transient)


async def test_replace_loses_against_whoever_was_first(cluster: KubeCluster, server: ApiServer) -> None:
    lease = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "l", "resourceVersion": "1"}}
    server.answers = [(200, lease), (409, refusal("Conflict")), (404, refusal("NotFound"))]
    assert await cluster.replace(lease, "s") == lease
    assert await cluster.replace(lease, "s") is None
    assert await cluster.replace(lease, "s") is None
    assert server.asked[0][0] == "PUT"


async def test_an_event_is_about_its_resource_and_losing_one_is_no_failure(
    cluster: KubeCluster, server: ApiServer
) -> None:
    server.answers = [(201, {}), (500, {})]
    await cluster.announce(LND1, "Warning", "IdentityChanged", "m" * 5000)
    await cluster.announce(LND1, "Normal", "AsDeclared", "all is well")
    assert not server.asked, "nobody waits for it"
    await cluster.close()
    first, second = (body for _, _, _, body in server.asked)
    assert first["involvedObject"] == {
        "apiVersion": "bankstack.io/v1alpha1",
        "kind": "LndNode",
        "name": "lnd1",
        "namespace": "bank",
        "uid": "u1",
        "resourceVersion": "7",
    }
    assert (first["type"], first["reason"], len(first["message"])) == ("Warning", "IdentityChanged", 1024)
    assert (first["reportingComponent"], first["reportingInstance"]) == ("bankstack", "pod-1")
    assert first["metadata"]["name"] != second["metadata"]["name"]


async def test_an_event_that_was_cut_off_keeps_nobody_from_ending(cluster: KubeCluster, server: ApiServer) -> None:
    server.mute = True
    before = asyncio.all_tasks()
    await cluster.announce(LND1, "Normal", "AsDeclared", "all is well")
    (telling,) = asyncio.all_tasks() - before
    telling.cancel()
    await cluster.close()
    assert telling.cancelled()


async def test_a_server_that_says_nothing_is_not_waited_for(
    cluster: KubeCluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch, calls: list[tuple[str, str, int | None]]
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.05)
    monkeypatch.setattr(client, "WRITE_SECONDS", 0.05)
    server.mute = True
    with pytest.raises(Interrupted) as read:
        await cluster.get(Ref(POD, "p"), "bank")
    with pytest.raises(Interrupted) as write:
        await cluster.apply(CONFIG, "bank")
    assert "nothing is concluded" in read.value.finding.message
    assert "may or may not have been done" in write.value.finding.message
    assert calls == [("get", "Pod", None), ("apply", "ConfigMap", None)]


async def test_a_server_that_is_away_is_unknown_not_no() -> None:
    away = KubeCluster(over(Configuration(host="http://127.0.0.1:1")))
    with pytest.raises(Interrupted) as stop:
        await away.get(Ref(POD, "p"), "bank")
    assert stop.value.finding.reason == "ApiUnavailable"
    await away.close()


async def test_a_refused_secret_is_not_quoted(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(422, refusal("Invalid", "hunter2 is no base64"))]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "hunter2"}}
    with pytest.raises(Interrupted) as stop:
        await cluster.apply(secret, "bank")
    assert isinstance(stop.value.finding.policy, Stalled)
    assert "hunter2" not in str(stop.value)


async def test_the_roll_call_asks_for_names_and_for_what_is_served(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [
        (200, {"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}),
        (200, {"resources": [{"name": "lndnodes"}, {"name": "lndnodes/status"}]}),
        (404, refusal("NotFound")),
        (403, refusal("Forbidden", "cannot list resource")),
    ]
    assert await cluster.names(SECRET, "bank", "x=y", 1) == ("a", "b")
    assert "lndnodes" in await cluster.served("bankstack.io/v1alpha1")
    assert await cluster.served("bankstack.io/v1alpha1") == frozenset()
    with pytest.raises(Interrupted):
        await cluster.names(SECRET, "bank", "", 0)
    assert server.asked[0][2] == {"labelSelector": "x=y", "limit": "1"}
    assert server.asked[1][1] == "/apis/bankstack.io/v1alpha1"
    assert server.asked[3][2] == {}


async def test_every_call_is_counted(
    cluster: KubeCluster, server: ApiServer, calls: list[tuple[str, str, int | None]]
) -> None:
    server.answers = [(404, {}), (200, {"items": []}), (201, {}), (409, refusal("AlreadyExists"))]
    await cluster.get(Ref(SECRET, "s"), "bank")
    await cluster.list(SECRET, "bank", {})
    await cluster.apply(CONFIG, "bank")
    await cluster.create(CONFIG, "bank")
    assert calls == [
        ("get", "Secret", 404),
        ("list", "Secret", 200),
        ("apply", "ConfigMap", 201),
        ("create", "ConfigMap", 409),
    ]


async def test_what_is_new_is_applied_onto_a_version_that_nothing_has(cluster: KubeCluster, server: ApiServer) -> None:
    server.answers = [(201, CONFIG), (409, refusal("Conflict"))]
    assert await cluster.apply_new(CONFIG, "bank") == CONFIG
    assert await cluster.apply_new(CONFIG, "bank") is None
    assert [body["metadata"]["resourceVersion"] for _, _, _, body in server.asked] == ["1", "1"]
    assert "resourceVersion" not in CONFIG["metadata"]


async def test_what_an_admission_policy_says_is_told_from_every_other_refusal(
    cluster: KubeCluster, server: ApiServer
) -> None:
    said = "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: not you"
    server.answers = [
        (201, CONFIG), (409, refusal("AlreadyExists")), (422, refusal("Invalid", said)),
        (403, refusal("Forbidden", said)),
        (403, refusal("Forbidden", "User cannot create")), (422, refusal("Invalid", "spec.word")),
    ]  # fmt: skip
    assert [await cluster.admission(CONFIG, "bank") for _ in range(4)] == [None, None, said, said]
    for _ in range(2):
        with pytest.raises(Interrupted):
            await cluster.admission(CONFIG, "bank")
    tried = {"fieldManager": "bankstack", "dryRun": "All"}
    assert server.asked[0] == ("POST", "/api/v1/namespaces/bank/configmaps", tried, CONFIG)
