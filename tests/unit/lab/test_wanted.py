import pytest

from labkit.cluster import Wanted, decide_wanted
from labkit.errors import Refused
from labkit.faults import canonical
from labkit.progress import duration
from labkit.report import table
from labkit.supply import registry_of

RUNNING = Wanted(("east", "west"), 1)


def test_a_first_up_takes_the_default() -> None:
    assert decide_wanted(None, None, None) == Wanted(("east", "west", "central"), 1)


def test_up_without_words_finishes_what_was_begun() -> None:
    assert decide_wanted(None, None, RUNNING) is RUNNING


def test_saying_the_same_again_is_no_change() -> None:
    assert decide_wanted(("east", "west"), 1, RUNNING) == RUNNING


@pytest.mark.parametrize(("regions", "clusters"), [(("east",), None), (None, 2), (("west", "east"), 1)])
def test_a_running_lab_is_not_reshaped(regions: tuple[str, ...] | None, clusters: int | None) -> None:
    with pytest.raises(Refused, match=r"already runs east, west in 1 cluster, not .*`hack/lab down` first"):
        decide_wanted(regions, clusters, RUNNING)


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("mongo:6.0", "docker.io/library/mongo:6.0"),
        ("lightninglabs/lnd:v1", "docker.io/lightninglabs/lnd:v1"),
        ("quay.io/coreos/etcd:v3", "quay.io/coreos/etcd:v3"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
    ],
)
def test_references_are_spelled_as_containerd_does(reference: str, whole: str) -> None:
    assert canonical(reference) == whole


@pytest.mark.parametrize(
    ("reference", "registry"),
    [("mongo:6.0", "docker.io"), ("a/b:1", "docker.io"), ("quay.io/a/b", "quay.io"), ("host:5000/a", "host:5000")],
)
def test_one_silent_registry_is_told_from_another(reference: str, registry: str) -> None:
    assert registry_of(reference) == registry


def test_tables_align() -> None:
    assert table(("A", "LONG"), [("xyz", "1"), ("y", "22")]) == "A    LONG\nxyz  1\ny    22"


@pytest.mark.parametrize(("seconds", "words"), [(7.25, "7.2 s"), (59.9, "59.9 s"), (185, "3 min 05 s")])
def test_times_read_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words
