"""The operator as a process in a cluster: its rights, its successor, its absence, its size."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from demokit.shipped import NAME

from .bank import Bank
from .conftest import Lab, eventually
from .operated import Operator, do_to_container

BANK, ROLELESS = "operated", "operated-without-role"
MEMORY_MOST = 90 * 1024 * 1024


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Iterator[Operator]:
    yield Operator.deployed(lab, BANK)
    lab.kubectl("delete", "namespace", BANK, ROLELESS, "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def bank(lab: Lab, operator: Operator) -> Bank:  # noqa: ARG001 - order
    return Bank.of(lab, BANK)


def waiting_node(name: str) -> dict[str, Any]:
    """A resource that is looked at and told of, and that starts nothing: what it waits for never comes."""
    return {
        "apiVersion": "bankstack.io/v1alpha1",
        "kind": "LndNode",
        "metadata": {"name": name},
        "spec": {
            "network": "regtest",
            "version": "v0.21.2-beta",
            "bitcoind": {"coldWallet": "nowhere"},
            "storage": {"backend": "sqlite", "size": "1Gi"},
            "wallet": {"secret": f"{name}-wallet"},
        },
    }


def is_told_of(bank: Bank, name: str) -> bool:
    return bank.condition("LndNode", name).get("status") == "False"


def lease(operator: Operator) -> Any:  # noqa: ANN401 - whatever the API server answers
    return operator.room.get("lease", NAME)["spec"]


def holder(operator: Operator) -> str:
    return str(lease(operator)["holderIdentity"])


def said(operator: Operator, pod: str, message: str) -> list[datetime]:
    """When a pod said so."""
    lines = map(json.loads, operator.room.kubectl("logs", pod).splitlines())
    return [datetime.fromisoformat(line["time"]) for line in lines if line["message"].startswith(message)]


def number(operator: Operator, name: str) -> float:
    return next(float(line.split()[1]) for line in operator.metrics().splitlines() if line.startswith(f"{name} "))


def looks(operator: Operator) -> float:
    """Passes so far."""
    counts = (line for line in operator.metrics().splitlines() if line.startswith("bankstack_reconcile_seconds_count"))
    return sum(float(line.rpartition(" ")[2]) for line in counts)


def test_it_is_small_while_it_has_nothing_to_do(operator: Operator) -> None:
    assert number(operator, "process_resident_memory_bytes") <= MEMORY_MOST


def test_it_looks_again_and_again_and_writes_nothing_while_nothing_changes(operator: Operator, bank: Bank) -> None:
    bank.apply(waiting_node("quiet"))
    eventually(lambda: is_told_of(bank, "quiet"), 20, "the resource was looked at")
    before = operator.writes()
    for look in range(5):
        seen = looks(operator)
        bank.kubectl("annotate", "--overwrite", "lndnode", "quiet", f"somebody.example/look={look}")
        eventually(lambda: looks(operator) > seen, 20, "it was looked at again")  # noqa: B023 - called at once
    assert operator.writes() == before


def test_a_successor_acts_within_seconds_of_an_orderly_end(operator: Operator, bank: Bank) -> None:
    operator.scale(2)
    first = holder(operator)
    operator.room.kubectl("delete", "pod", first, "--wait=false")
    released = time.time()
    eventually(lambda: holder(operator) not in ("", first), 15, "the standby took the lease")
    second = holder(operator)
    eventually(lambda: said(operator, second, "everything is listed"), 10, "it listed everything")
    took = said(operator, second, "everything is listed")[0].timestamp() - released
    print(f"\norderly end of one operator to the first look of the next: {took:.1f} s")
    assert took < 10
    bank.apply(waiting_node("after-restart"))
    eventually(lambda: is_told_of(bank, "after-restart"), 10, "the successor acts")


def test_of_two_operators_one_acts(operator: Operator, bank: Bank) -> None:
    operator.scale(2)
    acting = holder(operator)
    began = len(operator.requests())
    bank.apply(waiting_node("one-acts"))
    eventually(lambda: is_told_of(bank, "one-acts"), 20, "the resource was looked at")
    asked = operator.requests()[began:]
    writers = {by(entry) for entry in asked if entry["verb"] in ("create", "patch", "delete")}
    assert writers == {acting}
    assert {entry["objectRef"]["resource"] for entry in asked if by(entry) != acting} <= {"leases"}


def by(entry: Any) -> str:  # noqa: ANN401 - an audit entry
    """Which pod asked."""
    return str(entry["user"]["extra"]["authentication.kubernetes.io/pod-name"][0])


def test_a_frozen_leader_is_followed_and_ends_at_once_when_it_thaws(operator: Operator, bank: Bank) -> None:
    operator.scale(2)
    first = holder(operator)
    (frozen,) = [pod for pod in operator.pods() if pod["metadata"]["name"] == first]
    do_to_container(frozen, "pause")
    eventually(lambda: holder(operator) not in ("", first), 30, "the standby took the lease")
    second = holder(operator)
    bank.apply(waiting_node("after-freezing"))
    eventually(lambda: is_told_of(bank, "after-freezing"), 15, "the successor acts")
    began = len(operator.requests())
    do_to_container(frozen, "resume")
    eventually(lambda: restarts(operator, first) == 1, 20, "the thawed leader ended")
    # What it had under way may still go out; it takes up nothing.
    late = [one for one in operator.requests()[began:] if by(one) == first and one["verb"] in ("create", "patch")]
    assert late == []
    assert holder(operator) == second
    operator.scale(1)


def restarts(operator: Operator, name: str) -> int:
    """How often the container of this pod was started anew."""
    pods = {pod["metadata"]["name"]: pod for pod in operator.pods()}
    return int(pods[name]["status"]["containerStatuses"][0]["restartCount"])


def test_a_killed_operator_goes_on_without_waiting_for_its_own_lease(operator: Operator, bank: Bank) -> None:
    operator.scale(1)
    (pod,) = operator.pods()
    operator.kill()
    bank.apply(waiting_node("after-kill"))
    # Sooner than the 15 s that a lease lives: a container of the same pod follows itself.
    took = eventually(lambda: is_told_of(bank, "after-kill"), 14, "the restarted operator acts")
    print(f"\nkilled to acting again: {took:.1f} s")
    assert holder(operator) == pod["metadata"]["name"]


def test_all_of_it_so_far_under_the_shipped_rights(lab: Lab, operator: Operator, bank: Bank) -> None:
    assert [one for one in operator.forbidden() if f" {bank.name}/" in one] == []
    rules = lab.get("clusterrole", NAME)["rules"]
    assert not any("secrets" in rule["resources"] or "pods" in rule["resources"] for rule in rules)


def test_a_bank_without_the_role_is_missed_aloud_and_the_others_are_served(
    lab: Lab, operator: Operator, bank: Bank
) -> None:
    lab.kubectl("create", "namespace", ROLELESS)
    lab.kubectl("-n", ROLELESS, "apply", "-f", "-", stdin=json.dumps(waiting_node("unserved")))
    operator.room.kubectl("set", "env", f"deployment/{NAME}", f"BANKSTACK_NAMESPACES={BANK},{ROLELESS}")
    eventually(lambda: "apply manifests/bank there" in operator.log(), 60, "the missing Role is told")
    eventually(lambda: not is_available(operator), 60, "an operator that cannot do its part is not ready")
    bank.apply(waiting_node("served-all-the-same"))
    eventually(lambda: is_told_of(bank, "served-all-the-same"), 15, "the other bank is served")
    Operator.deployed(lab, BANK, ROLELESS)
    eventually(lambda: is_told_of(Bank.of(lab, ROLELESS), "unserved"), 60, "served once the Role is there")


def is_available(operator: Operator) -> bool:
    """Whether whoever acts says that it is ready."""
    acting = holder(operator)
    pods = {pod["metadata"]["name"]: pod for pod in operator.pods()}
    conditions = pods[acting]["status"]["conditions"] if acting in pods else []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def test_a_namespace_that_goes_takes_its_resources_along(lab: Lab, operator: Operator, bank: Bank) -> None:
    bank.apply(waiting_node("last"))
    eventually(lambda: is_told_of(bank, "last"), 15, "the resource was looked at")
    lab.kubectl("delete", "namespace", BANK, "--timeout=60s")
    assert operator.log().count('"reason": "Defect"') == 0
