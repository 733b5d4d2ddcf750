"""The books in three regions: made once, kept at a majority, and still there after whatever happens to a member."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .bank import Bank, bodies
from .conftest import OWNER, Lab, Manifest, eventually
from .operated import Operator, kill_main_process

BOOKS = "books"
KIND, NAME = "LedgerCluster", "ledger"
SAMPLE = Path(__file__).parents[2] / "manifests" / "samples" / "ledger"
#: Has pymongo, and is in every node.
IMAGE = "bankstack/operator:0.1.0"

#: What the bank's API does: post with a majority, read back. Prints how many postings there are.
POST = """
import os, sys, pymongo
client = pymongo.MongoClient(os.environ["URI"], tlsCAFile="/ca/ca.crt", serverSelectionTimeoutMS=60000)
books = client.galoy.get_collection("medici_transactions", write_concern=pymongo.WriteConcern(w=WRITTEN))
for _ in range(int(sys.argv[1])):
    books.insert_one({"credit": 1})
print(client.galoy.medici_transactions.count_documents({}))
"""
#: A person with all rights, by the keyfile from standard input.
ADMINISTER = """
import json, os, sys, pymongo
uri = "mongodb://" + os.environ["URI"].partition("@")[2].replace("/galoy", "/")
key = "".join(sys.stdin.read().split())
login = {"username": "__system", "password": key, "authSource": "local", "authMechanism": "SCRAM-SHA-256"}
client = pymongo.MongoClient(uri, tlsCAFile="/ca/ca.crt", **login)
print(json.dumps(client.admin.command(json.loads(sys.argv[1])), default=str))
"""


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "mongo")
    return Operator.deployed(lab, BOOKS)


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator) -> Iterator[Bank]:  # noqa: ARG001 - order
    """The sample, Ready, and a client beside it."""
    room = Bank.of(lab, BOOKS)
    room.kubectl("apply", "-k", str(SAMPLE))
    room.await_resources(f"{KIND}/{NAME}")
    room.apply(client())
    room.await_ready("client")
    yield room
    lab.kubectl("delete", "namespace", BOOKS, "--timeout=150s")


def client() -> Manifest:
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python", "-c", "import time; time.sleep(86400)"],
        "env": [{"name": "URI", "valueFrom": {"secretKeyRef": {"name": "ledger-api", "key": "uri"}}}],
        "volumeMounts": [{"name": "ca", "mountPath": "/ca"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "ca", "configMap": {"name": "ledger-ca"}}],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    meta = {"name": "client", "labels": {"bankstack.io/ledger-client": "true"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def status(bank: Bank) -> Manifest:
    found: Manifest = bank.resource(KIND, NAME)["status"]
    return found


def post(bank: Bank, times: int, w: str = '"majority"') -> int:
    """Postings in the books after `times` more."""
    return int(bank.inside("client", "python", "-c", POST.replace("WRITTEN", w), str(times)))


def administer(bank: Bank, command: Manifest) -> Any:  # noqa: ANN401 - whatever MongoDB answers
    key = base64.b64decode(bank.get("secret", "ledger-internal")["data"]["keyfile"]).decode()
    words = ("exec", "-i", "client", "--", "python", "-c", ADMINISTER, json.dumps(command))
    return json.loads(bank.kubectl(*words, stdin=key))


def ready(bank: Bank, within: float = 120) -> float:
    return bank.await_resources(f"{KIND}/{NAME}", within=within)


def gauge(operator: Operator) -> float:
    return operator.gauge("bankstack_ledgercluster_writes_proven_timestamp_seconds", BOOKS, NAME) or 0.0


def primary_pod(bank: Bank) -> Manifest:
    found: Manifest = bank.get("pod", f"{status(bank)['primary']}-0")
    return found


def is_there(bank: Bank, child: str) -> bool:
    return child in bank.children(f"{KIND}.{NAME}")


def test_a_file_becomes_books_in_three_regions(bank: Bank) -> None:
    told = status(bank)
    assert len(told["replicaSetId"]) == 24
    assert told["writeConcern"] == {"w": "majority", "journal": True}
    assert sorted(one["state"] for one in told["members"]) == ["PRIMARY", "SECONDARY", "SECONDARY"]
    assert bank.condition(KIND, NAME, "Writable")["status"] == "True"
    pods = bank.get("pods", "-l", f"{OWNER}={KIND}.{NAME}")["items"]
    regions = {pod["spec"]["nodeName"]: pod["spec"]["nodeSelector"]["topology.kubernetes.io/region"] for pod in pods}
    assert {bank.lab.node_of(region): region for region in ("east", "west", "central")} == regions
    assert post(bank, 20) == 20


def test_every_volume_says_whose_books_it_holds(bank: Bank) -> None:
    claims = bank.get("pvc", "-l", f"{OWNER}={KIND}.{NAME}")["items"]
    assert {one["metadata"]["annotations"]["bankstack.io/replica-set"] for one in claims} == {
        status(bank)["replicaSetId"]
    }
    assert not [one for one in claims if "ownerReferences" in one["metadata"]]


def test_a_quiet_ledger_causes_no_writes(bank: Bank, operator: Operator) -> None:
    """A minute in which nothing happens but elections that do not, by the API server's own account."""
    ready(bank)
    before = len(operator.writes())
    proven = gauge(operator)
    eventually(lambda: gauge(operator) >= proven + 60, 180, "a write was proven anew")
    assert operator.writes()[before:] == []


def test_a_killed_primary_loses_no_acknowledged_posting(bank: Bank) -> None:
    before, killed, postings = status(bank)["term"], primary_pod(bank), post(bank, 5)
    kill_main_process(killed)
    eventually(lambda: status(bank)["term"] > before, 60, "another term")
    ready(bank)
    assert status(bank)["writeConcern"] == {"w": "majority", "journal": True}
    assert post(bank, 0) == postings
    assert post(bank, 1) == postings + 1


def test_a_primary_whose_pod_is_gone_comes_back_with_its_data(bank: Bank) -> None:
    before, postings, pod = status(bank)["term"], post(bank, 5), primary_pod(bank)["metadata"]["name"]
    bank.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    eventually(lambda: status(bank)["term"] > before, 60, "another term")
    ready(bank)
    assert post(bank, 0) == postings


def test_a_weakened_default_is_put_back(bank: Bank) -> None:
    administer(bank, {"setDefaultRWConcern": 1, "defaultWriteConcern": {"w": 1}})

    def effective() -> object:
        return administer(bank, {"getDefaultRWConcern": 1})["defaultWriteConcern"]

    eventually(lambda: effective() == {"w": "majority", "j": True, "wtimeout": 0}, 60, "majority, journaled")
    ready(bank)


def test_a_client_that_asks_for_less_is_found(bank: Bank) -> None:
    assert bank.condition(KIND, NAME, "WriteConcernKept")["status"] == "True"
    post(bank, 1, w="1")
    eventually(
        lambda: bank.condition(KIND, NAME, "WriteConcernKept").get("reason") == "ClientsAskForLess", 60, "it is said"
    )
    assert "insert w:1" in bank.condition(KIND, NAME, "WriteConcernKept")["message"]
    assert bank.is_ready(KIND, NAME)


def test_every_child_deleted_by_hand_comes_back_and_nothing_restarts(bank: Bank) -> None:
    running, postings = bank.restarts(), post(bank, 1)
    for child, before in bank.children(f"{KIND}.{NAME}").items():
        if child.startswith(("persistentvolumeclaim/", "statefulset/")):
            continue  # volumes are in use; a StatefulSet would take its pod along: the next story
        bank.kubectl("delete", child)
        eventually(partial(is_there, bank, child), 60, f"{child} is back")
        # A password drawn anew would log out whoever runs with the former one.
        assert bank.get(*child.split("/")).get("data") == before.get("data"), child
    ready(bank)
    assert bank.restarts() == running
    assert post(bank, 1) == postings + 1


def test_deleted_stateful_sets_come_back_with_their_data(bank: Bank) -> None:
    known, postings = status(bank)["replicaSetId"], post(bank, 1)
    bank.kubectl("delete", "statefulset", "-l", f"{OWNER}={KIND}.{NAME}")
    eventually(lambda: len(bank.get("statefulset")["items"]) == 3, 60, "three members are wanted again")
    ready(bank, within=180)
    assert (status(bank)["replicaSetId"], post(bank, 0)) == (known, postings)


def test_more_members_join_one_at_a_time_and_each_gets_a_vote(bank: Bank) -> None:
    change = {"spec": {"members": [{"region": one, "count": 2} for one in ("east", "west")]}}
    change["spec"]["members"].append({"region": "central", "count": 1})
    bank.kubectl("patch", KIND, NAME, "--type=merge", "-p", json.dumps(change))
    ready(bank, within=180)
    assert len(status(bank)["members"]) == 5
    voters = administer(bank, {"replSetGetConfig": 1})["config"]["members"]
    assert [one["votes"] for one in voters] == [1] * 5
    assert len({one["_id"] for one in voters}) == 5


def test_deleted_and_applied_again_it_is_the_same_ledger(bank: Bank) -> None:
    known, postings = status(bank)["replicaSetId"], post(bank, 1)
    bank.kubectl("delete", KIND, NAME, "--timeout=180s")
    assert bank.get("pods", "-l", f"{OWNER}={KIND}.{NAME}")["items"] == []
    bank.kubectl("apply", "-k", str(SAMPLE))
    ready(bank, within=240)
    assert (status(bank)["replicaSetId"], post(bank, 0)) == (known, postings)
    # Two more vote than the sample declares: without them no failure could be borne.
    assert len(status(bank)["members"]) == 5
    assert bank.condition(KIND, NAME, "ChangePending")["reason"] == "FewerMembers"


def test_no_secret_is_in_what_anybody_may_read(bank: Bank, operator: Operator) -> None:
    readable = bank.kubectl("get", "bank,events,statefulset,pod,configmap,pvc", "-o", "json") + operator.log()
    trusted = base64.b64decode(bank.get("secret", "ledger-internal")["data"]["ca.crt"])
    found = {body for body in bodies(bank.lab, BOOKS) if json.dumps(body.decode())[1:-1] in readable}
    assert found <= {trusted}
