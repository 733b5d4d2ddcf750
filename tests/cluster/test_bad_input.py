"""The real API server and our CRDs: what is refused, with which words, and what stays possible."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration

from bankstack.engine.ports import resource_type
from bankstack.kube.client import KubeCluster, Request, path
from bankstack.kube.connection import over
from labkit import paths
from tests.misoperations import ALLOWED, ON_CREATE, ON_UPDATE, Case, Manifest, sample
from tests.schema_mutations import RESOURCES, Mutation
from tests.schema_mutations import cases as mutations

from .conftest import Lab, Room

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="module")
def crds(lab: Lab) -> None:
    lab.kubectl("apply", "--server-side", "-f", str(CRDS))
    lab.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))


@pytest.fixture(scope="module")
def wallets(lab: Lab, crds: None) -> Iterator[Room]:  # noqa: ARG001 - order
    """A namespace with every sample in it."""
    lab.kubectl("create", "namespace", "bad-input")
    room = Room(lab, "bad-input")
    room.apply(sample("vault"), sample("lnd1"), sample("ledger"), sample("bank"))
    yield room
    lab.kubectl("delete", "namespace", "bad-input", "--wait=false")


def dry_run(lab: Lab, manifest: Manifest, namespace: str) -> subprocess.CompletedProcess[str]:
    strictly = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
    return lab.asks("-n", namespace, *strictly, stdin=json.dumps(manifest))


@pytest.mark.parametrize("case", ON_CREATE, ids=lambda case: case.name)
def test_bad_input_is_refused_with_its_sentence(lab: Lab, crds: None, case: Case) -> None:  # noqa: ARG001 - order
    ended = dry_run(lab, case.manifest(), "default")
    assert ended.returncode != 0, "it was accepted"
    assert case.says in ended.stderr


@pytest.mark.parametrize("case", ON_UPDATE, ids=lambda case: case.name)
def test_a_change_that_would_lose_something_is_refused_with_its_sentence(wallets: Room, case: Case) -> None:
    ended = dry_run(wallets.lab, case.manifest(), wallets.name)
    assert ended.returncode != 0, "it was accepted"
    assert case.says in ended.stderr


@pytest.mark.parametrize("case", ALLOWED, ids=lambda case: case.name)
def test_an_ordinary_change_is_accepted(wallets: Room, case: Case) -> None:
    ended = dry_run(wallets.lab, case.manifest(), wallets.name)
    assert ended.returncode == 0, ended.stderr


async def test_every_bound_of_the_schemas_is_kept_and_named(crds: None) -> None:  # noqa: ARG001 - order
    configuration = Configuration()
    await config.load_kube_config(str(paths.kubeconfig()), client_configuration=configuration)  # type: ignore[no-untyped-call]
    cluster = KubeCluster(over(configuration))
    strictly = {"dryRun": "All", "fieldValidation": "Strict"}

    async def wrongly_answered(case: Mutation) -> str | None:
        place = path(resource_type(RESOURCES[case.manifest["kind"]]), "default")
        reply = await cluster._exchange(Request("POST", place, strictly, case.manifest), 30)  # noqa: SLF001 - a dry run is nobody's verb
        said = reply.body.decode()
        return None if not reply.is_yes and case.field in said else f"{case.of}: {case.name}: {reply.code} {said[:500]}"

    found = await asyncio.gather(*map(wrongly_answered, mutations()))
    await cluster.close()
    assert [one for one in found if one] == []


def test_a_name_too_long_for_its_children_is_refused(lab: Lab, crds: None) -> None:  # noqa: ARG001 - order
    manifest = sample("lnd1")
    manifest["metadata"]["name"] = "a" * 41
    assert "metadata.name is longer than 40 characters" in dry_run(lab, manifest, "default").stderr


def test_an_unknown_field_is_named(lab: Lab, crds: None) -> None:  # noqa: ARG001 - order
    manifest = sample("lnd1")
    manifest["spec"]["nodeSelektor"] = {}
    assert 'unknown field "spec.nodeSelektor"' in dry_run(lab, manifest, "default").stderr


def test_one_command_lists_the_whole_bank(wallets: Room) -> None:
    listing = wallets.kubectl("get", "bank")
    assert "coldwallet.bankstack.io/vault" in listing
    assert "lndnode.bankstack.io/lnd1" in listing


def test_kubectl_explains_fields_with_their_units(wallets: Room) -> None:
    said = " ".join(wallets.kubectl("explain", "lndnode.spec.storage.size").split())
    assert "like 20Gi. It may grow where the class allows it, never shrink." in said
