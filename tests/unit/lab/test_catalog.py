import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from labkit import catalog, versions
from labkit.errors import Refused

LABKIT = Path(catalog.__file__).parent
CATALOG = catalog.load()

#: pin → the line in the file that must agree with it
AGREES = {
    "kind": ("go/kind/go.mod", "sigs.k8s.io/kind v{}"),
    "kubernetes": ("go/cluster/go.mod", "k8s.io/kubernetes v{}"),
    "etcd": ("go/cluster/go.mod", "go.etcd.io/etcd/server/v3 v{}"),
    "coredns": ("go/coredns/go.mod", "github.com/coredns/coredns v{}"),
    "lnd": ("go/lnd/go.mod", "github.com/lightningnetwork/lnd v{}"),
    "lnd-older": ("go/lnd-older/go.mod", "github.com/lightningnetwork/lnd v{}"),
    "s3": ("go/s3/go.mod", "github.com/versity/versitygw v{}"),
    "specter": ("recipes/specter/requirements.txt", "cryptoadvance-specter=={}"),
    "prometheus": ("go/monitoring/go.mod", "// Prometheus {} is v0.311.3 of its module"),
    "alertmanager": ("go/monitoring/go.mod", "github.com/prometheus/alertmanager v{}"),
    "pause": ("recipes/node/containerd.toml", "registry.k8s.io/pause:{}"),
}


@pytest.mark.parametrize("name", AGREES)
def test_what_is_built_is_the_version_that_is_named(name: str) -> None:
    file, line = AGREES[name]
    assert line.format(versions.load()[name].version) in (LABKIT / file).read_text(encoding="utf-8")


def test_every_version_says_why() -> None:
    assert all(len(pin.why) > 20 for pin in versions.load().values())


@pytest.mark.parametrize("missing", ["version", "why"])
def test_a_pin_without_version_or_reason_is_refused_by_name(missing: str) -> None:
    fields = {"version": "1", "why": "because"}
    del fields[missing]
    text = "[lnd]\n" + "\n".join(f'{name} = "{value}"' for name, value in fields.items())
    with pytest.raises(Refused, match=rf"\[lnd\] has no `{missing}`"):
        versions.load(text)


def test_no_placeholder_is_left() -> None:
    assert not re.search(r"\{[a-z]", repr(CATALOG.images) + repr(CATALOG.programs))


def test_every_image_has_a_recipe_programs_and_parents_that_exist() -> None:
    for image in CATALOG.images.values():
        assert (LABKIT / "recipes" / image.recipe / "Dockerfile").exists(), image.name
        assert set(image.programs) <= set(CATALOG.programs)
        assert {*image.parents, *image.preloads} <= set(CATALOG.images)


def test_every_parent_of_a_recipe_is_declared() -> None:
    for image in CATALOG.images.values():
        text = (LABKIT / "recipes" / image.recipe / "Dockerfile").read_text(encoding="utf-8")
        used = set(re.findall(r"^FROM bankstack-lab/debian:(\S+)", text, re.MULTILINE))
        assert used == set(image.parents), image.name


def test_images_can_be_built_in_some_order() -> None:
    list(TopologicalSorter({name: {*i.parents, *i.preloads} for name, i in CATALOG.images.items()}).static_order())


def test_every_module_is_locked() -> None:
    for module in {program.module for program in CATALOG.programs.values()}:
        assert (LABKIT / "go" / module / "go.sum").exists(), module


def test_a_bank_has_all_its_parts() -> None:
    assert set(CATALOG.bank) == {
        "lnd", "bitcoind", "mongo", "redis", "specter", "etcd", "postgres", "s3", "python", "node",
    }  # fmt: skip


def test_what_takes_long_to_build_is_built_only_for_who_names_it() -> None:
    assert set(CATALOG.named) - set(CATALOG.bank) == {"lnd-older", "prometheus", "alertmanager"}
    assert catalog.find("prom/prometheus:v3.11.3", CATALOG.named).on_demand


def test_images_are_found_by_both_their_names() -> None:
    assert catalog.find("lnd", CATALOG.bank) is catalog.find(CATALOG.bank["lnd"].reference, CATALOG.bank)


def test_an_unknown_image_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(Refused, match="'cln' is no image of the lab; there are: lnd, bitcoind"):
        catalog.find("cln", CATALOG.bank)
