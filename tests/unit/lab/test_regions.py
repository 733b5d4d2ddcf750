import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import regions
from labkit.errors import Refused

NAMES = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=8), min_size=1, max_size=8, unique=True)


def test_two_regions_of_one_cluster_are_two_workers() -> None:
    (plan,) = regions.deal(["east", "west"], 1)
    assert (plan.name, plan.node_of("east"), plan.node_of("west")) == (
        "bankstack",
        "bankstack-worker",
        "bankstack-worker2",
    )


def test_clusters_never_share_addresses() -> None:
    plans = regions.deal(["a", "b", "c"], 3)
    assert len({plan.pod_subnet for plan in plans} | {plan.service_subnet for plan in plans}) == 6


@given(NAMES, st.integers(1, 8))
def test_every_region_is_dealt_to_exactly_one_cluster(names: list[str], clusters: int) -> None:
    if clusters > len(names):
        with pytest.raises(Refused, match=f"use 1 to {len(names)}"):
            regions.deal(names, clusters)
        return
    dealt = [region for plan in regions.deal(names, clusters) for region in plan.regions]
    assert sorted(dealt) == sorted(names)


@pytest.mark.parametrize("text", ["East", "we st", "", "east,", "1st", "-a", "a-", "a" * 21, "zürich", "east;reboot"])
def test_a_name_that_no_label_could_be_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refused, match=r"--regions: .* is no region name"):
        regions.parse(text)


def test_a_region_named_twice_is_refused() -> None:
    with pytest.raises(Refused, match="names a region twice"):
        regions.parse("east,west,east")


@pytest.mark.parametrize(
    ("name", "may_be"), [("bankstack", True), ("bankstack-2", True), ("bankstack-1", False), ("bankstack-dev", False)]
)
def test_only_names_the_lab_gives_count_as_its_own(name: str, may_be: bool) -> None:  # noqa: FBT001 - a table
    assert regions.is_name(name) is may_be
