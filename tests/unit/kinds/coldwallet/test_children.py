"""Whole manifests: what is shipped stands in golden/. `GOLDEN=write` makes them anew, to be read in the diff."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.fieldsets import managed

from bankstack.engine import drift
from bankstack.engine.objects import Manifest, Ref, by_ref, ref
from bankstack.kinds.coldwallet import children
from bankstack.kinds.coldwallet.names import ColdWallet

from .given import EXTERNAL, PAIR, facts, wallet

GOLDEN = Path(__file__).parent / "golden"
POD = {
    "resources": {"requests": {"cpu": "2", "memory": "4Gi"}},
    "nodeSelector": {"disk": "nvme"},
    "labels": {"team": "treasury", "app.kubernetes.io/name": "mine"},
    "annotations": {"note": "x"},
    "imagePullSecrets": ["registry"],
}
RICH = {
    "network": "mainnet",
    "confirmMainnet": True,
    "multisig": None,
    "descriptors": [
        "wsh(sortedmulti(1,[d34db33f/48h/0h/0h/2h]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/0/*))",
        "wsh(sortedmulti(1,[d34db33f/48h/0h/0h/2h]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/1/*))",
    ],
    "bitcoind": {
        "version": "30.2",
        "image": "registry.example/bitcoin@sha256:abc",
        "storage": {"size": "750Gi", "className": "fast"},
        "txindex": False,
        "config": [{"key": "maxmempool", "value": "500"}, {"key": "addnode", "value": "peer.example"}],
    },
    "specter__adminSecret": "mine",
    "specter__storage": {"size": "2Gi"},
    "pod": POD,
}


def made(of: ColdWallet, live: dict[Ref, Manifest] | None = None) -> tuple[Manifest, ...]:
    watched = facts(of).watched
    assert watched is not None
    return children.wanted(of, watched, live or {}, with_specter=True)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("sample", wallet()),
        ("mainnet", wallet(**RICH)),  # type: ignore[arg-type]
        ("external", wallet(bitcoind=None, external=EXTERNAL)),
    ],
)
def test_everything_made_is_as_shipped(name: str, of: ColdWallet) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(shown(made(of)), indent=1, sort_keys=True) + "\n"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def shown(manifests: tuple[Manifest, ...]) -> list[Manifest]:
    """The seeding script has tests of its own: here only that it is there, so a comment in it changes no golden."""
    script = children.script()
    found = json.dumps(manifests).replace(json.dumps(script)[1:-1], "(specter_seed.py)")
    loaded: list[Manifest] = json.loads(found.replace(json.dumps(json.dumps(script)[1:-1])[1:-1], "(specter_seed.py)"))
    names = {one["metadata"]["name"] for one in loaded if one["kind"] == "ConfigMap" and "seed.json" in one["data"]}
    text = json.dumps(loaded)
    for name in names:
        text = text.replace(name, "vault-specter-(digest)")
    again: list[Manifest] = json.loads(text)
    return again


def empties(value: Any, path: str = "") -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and value:
        return [hit for key, inner in value.items() for hit in empties(inner, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return [hit for place, inner in enumerate(value) for hit in empties(inner, f"{path}[{place}]")]
    return [path] if value in ("", None, [], {}) else []


def test_nothing_is_said_that_the_api_server_would_drop() -> None:
    for of in (wallet(), wallet(**RICH)):  # type: ignore[arg-type]
        said = [hit for one in made(of) for hit in empties(one)]
        assert all(hit.endswith((".emptyDir", ".podSelector")) for hit in said), said


def test_no_volume_has_an_owner_and_everything_else_has() -> None:
    for one in made(wallet()):
        assert ("ownerReferences" in one["metadata"]) == (one["kind"] != "PersistentVolumeClaim")


def test_longest_name_still_fits() -> None:
    of = wallet()
    long = children.wanted(of.__class__(**vars(of) | {"name": "a" * 40}), PAIR, {}, with_specter=True)
    for one in long:
        labels = {
            **one["metadata"]["labels"],
            **one.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {}),
        }
        assert max(len(one["metadata"]["name"]), *map(len, labels.values())) <= 63


def test_a_change_of_something_else_leaves_the_pods_alone() -> None:
    before = by_ref(made(wallet()))
    after = by_ref(made(wallet(bitcoind__storage__size="3Gi", deletionPolicy="Delete")))
    assert [str(one) for one in before if before[one] != after[one]] == ["PersistentVolumeClaim vault-bitcoind"]


def test_what_runs_keeps_its_files_after_the_spec_changed() -> None:
    live = {ref(one): drift.mark(one) for one in made(wallet())}
    changed = wallet(bitcoind__config=[{"key": "maxmempool", "value": "5"}])
    after = made(changed, live)
    assert [str(one) for one in drift.changes(after, without_managed_fields(after, live))] == []


def test_the_files_of_what_runs_come_back_although_the_spec_changed() -> None:
    before = made(wallet())
    live = {ref(one): drift.mark(one) for one in before if one["kind"] != "ConfigMap"}
    changed = wallet(bitcoind__config=[{"key": "maxmempool", "value": "5"}])
    assert [one for one in made(changed, live) if one["kind"] == "ConfigMap"] == [
        one for one in before if one["kind"] == "ConfigMap"
    ]


def test_a_record_of_files_that_was_changed_by_hand_is_not_used() -> None:
    live = {ref(one): drift.mark(one) for one in made(wallet())}
    for one in live.values():
        if children.FILES in one["metadata"].get("annotations", {}):
            one["metadata"]["annotations"][children.FILES] = '{"bitcoin.conf":"rpcallowip=everybody"}'
    assert by_ref(made(wallet(), live)) == by_ref(made(wallet()))


def without_managed_fields(wanted: tuple[Manifest, ...], live: dict[Ref, Manifest]) -> dict[Ref, Manifest]:
    """As the API server would hold them for us: every field that is wanted is ours."""
    return {
        found: one | {"metadata": one["metadata"] | {"managedFields": managed(drift.mark(now))}}
        for now in wanted
        if (one := live.get(found := ref(now))) is not None
    }
