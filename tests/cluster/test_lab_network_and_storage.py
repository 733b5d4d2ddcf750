import json

import pytest

from .conftest import Lab, Room, claim, eventually, pod, service, web

LOOK_UP = """
import socket, time
began = time.monotonic()
try:
    socket.getaddrinfo("no.such.example", 80)
except OSError:
    print(time.monotonic() - began)
"""
EVER = ("python", "-c", "import time; time.sleep(10**6)")


def test_pods_reach_each_other_by_address_service_and_name_across_regions(room: Room) -> None:
    regions = ("east", "west", "central")
    room.apply(*(web(region, region) for region in regions), *(service(region) for region in regions))
    room.await_ready(*regions)
    urls = [f"http://{pod['status']['podIP']}:8000" for pod in room.get("pods")["items"]]
    urls += [f"http://{service['spec']['clusterIP']}" for service in room.get("services")["items"]]
    urls += [f"http://{region}.{room.name}.svc.cluster.local" for region in regions]
    assert len(urls) == 9
    # Each node's proxy learns of a new Service in its own time.
    for source in regions:
        eventually(lambda: room.unreachable(source, *urls) == [], 30, f"all are reached from {source}")  # noqa: B023 - called at once


def test_a_name_outside_the_cluster_fails_at_once(room: Room) -> None:
    room.apply(web("client", "east"))
    room.await_ready("client")
    assert float(room.inside("client", "python", "-c", LOOK_UP)) < 6


def test_a_claim_binds_in_its_pods_region_and_outlives_the_pod(lab: Lab, room: Room) -> None:
    room.apply(claim("books"), pod("first", "west", *EVER, claim="books"))
    room.await_ready("first")
    room.inside("first", "python", "-c", "open('/data/x', 'w').write('21 million')")
    volume = room.get("pvc", "books")["spec"]["volumeName"]
    affinity = lab.get("pv", volume)["spec"]["nodeAffinity"]
    assert lab.node_of("west") in json.dumps(affinity)
    room.kubectl("delete", "pod", "first")
    room.apply(pod("second", "west", *EVER, claim="books"))
    room.await_ready("second")
    assert room.inside("second", "cat", "/data/x") == "21 million"


def test_a_pod_of_another_region_never_gets_the_volume(room: Room) -> None:
    room.apply(claim("books"), pod("first", "west", *EVER, claim="books"))
    room.await_ready("first")
    room.apply(pod("stranger", "east", *EVER, claim="books"))
    eventually(lambda: "affinity" in _why_pending(room, "stranger"), 20, "the scheduler says why")


def test_a_volume_is_clean_and_new_after_its_claim_is_gone(lab: Lab, room: Room) -> None:
    room.apply(claim("books"), pod("first", "east", *EVER, claim="books"))
    room.await_ready("first")
    room.inside("first", "python", "-c", "open('/data/x', 'w')")
    old = room.get("pvc", "books")["spec"]["volumeName"]
    room.kubectl("delete", "pod/first", "pvc/books")
    eventually(lambda: lab.asks("get", "pv", old).returncode != 0, 30, "the old volume is gone")
    room.apply(claim("books"), pod("next", "east", *EVER, claim="books"))
    room.await_ready("next")
    assert room.get("pvc", "books")["spec"]["volumeName"] != old
    assert room.inside("next", "python", "-c", "import os; print(os.listdir('/data'))").strip() == "[]"


def test_read_write_once_pod_refuses_a_second_pod(room: Room) -> None:
    room.apply(claim("wallet", "ReadWriteOncePod"), pod("first", "east", *EVER, claim="wallet"))
    room.await_ready("first")
    room.apply(pod("second", "east", *EVER, claim="wallet"))
    eventually(lambda: "ReadWriteOncePod" in _why_pending(room, "second"), 20, "the scheduler says why")
    room.kubectl("delete", "pod", "first")
    room.await_ready("second")


@pytest.mark.parametrize("mode", ["ReadWriteMany", "ReadOnlyMany"])
def test_what_a_local_volume_cannot_do_is_said(lab: Lab, room: Room, mode: str) -> None:
    if lab.get("storageclass", "standard")["provisioner"] != "lab.bankstack.io/volumes":
        pytest.skip("the pulled node image brings a provisioner with words of its own")
    room.apply(claim("shared", mode), pod("first", "east", *EVER, claim="shared"))
    eventually(lambda: f"access mode {mode} is not to be had" in _events(room), 30, "an event says so")


def test_the_audit_log_can_be_read_and_holds_no_bodies(lab: Lab, room: Room) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"seed": "abandon-abandon"},
    }
    room.apply(secret)
    text = lab.does("audit")
    assert any(room.name in line and '"resource":"secrets"' in line for line in text.splitlines())
    assert "abandon-abandon" not in text


def _why_pending(room: Room, name: str) -> str:
    conditions = room.get("pod", name)["status"].get("conditions", [])
    return " ".join(condition.get("message", "") for condition in conditions if condition["type"] == "PodScheduled")


def _events(room: Room) -> str:
    return " ".join(event.get("message", "") for event in room.get("events")["items"])
