"""The children as whole manifests: a difference in a golden file is a difference in a bank."""

from pathlib import Path

import pytest
from tests.unit.kinds.golden import shipped
from tests.unit.kinds.ledgercluster.given import ID, ledger

from bankstack.engine.objects import Manifest
from bankstack.kinds.ledgercluster import children, names
from bankstack.kinds.ledgercluster.subject import LedgerCluster

GOLDEN = Path(__file__).parent / "golden"

PLAIN = ledger()
RICH = ledger(
    members=[{"count": 3}],
    image="registry.example/mongo:6.0.27",
    storage={"size": "50Gi", "className": "fast"},
    tls={"mode": "disabled"},
    pod={
        "resources": {"requests": {"memory": "2Gi"}},
        "nodeSelector": {"disk": "nvme"},
        "labels": {"team": "treasury"},
        "annotations": {"note": "ours"},
        "imagePullSecrets": ["registry"],
        "priorityClassName": "bank",
    },
)


def made(cluster: LedgerCluster) -> list[Manifest]:
    seat = names.seats(cluster)[0]
    return [
        children.service(cluster),
        children.network_policy(cluster),
        children.disruption_budget(cluster),
        children.authority(cluster, "PEM"),
        children.volume(cluster, seat, ID),
        children.stateful_set(cluster, seat),
    ]


@pytest.mark.parametrize(("name", "cluster"), [("plain", PLAIN), ("rich", RICH)])
def test_the_children_are_as_they_were(name: str, cluster: LedgerCluster) -> None:
    assert made(cluster) == shipped(GOLDEN / f"{name}.yaml", made(cluster))


def test_a_user_s_node_selector_does_not_move_a_member_out_of_its_region() -> None:
    moved = ledger(pod={"nodeSelector": {"topology.kubernetes.io/region": "west", "disk": "nvme"}})
    spec = children.stateful_set(moved, names.seats(moved)[0])["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"topology.kubernetes.io/region": "east", "disk": "nvme"}


def test_members_mount_neither_the_operator_s_password_nor_the_authority_s_key() -> None:
    spec = children.stateful_set(PLAIN, names.seats(PLAIN)[0])["spec"]["template"]["spec"]
    (secrets,) = [one["secret"] for one in spec["volumes"] if "secret" in one]
    assert [one["key"] for one in secrets["items"]] == ["keyfile", "tls.pem", "ca.crt"]


def test_the_longest_names_fit() -> None:
    long = ledger(members=[{"region": "r" * 24, "count": 3}])
    (seat, *_) = names.seats(long)
    # 24 for the ledger's name instead of 6, and a StatefulSet's revision: a dash and ten characters.
    assert len(seat.name) + (24 - len("ledger")) + 11 <= 63
