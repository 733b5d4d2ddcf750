"""Every bound of the schemas, broken once: pydantic refuses it by the field's name, as the API server does."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from bankstack.engine import declared, schema
from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import Manifest
from tests.schema_mutations import FULL, RESOURCES, Mutation, Path, cases, spelled

CASES = cases()


def spec_of(manifest: Manifest) -> object:
    return RESOURCES[manifest["kind"]].spec.model_validate(manifest["spec"])


@pytest.mark.parametrize("name", FULL)
def test_the_manifests_that_are_broken_are_good_ones(name: str) -> None:
    spec_of(FULL[name])


@pytest.mark.parametrize("kind", RESOURCES)
def test_no_field_is_left_whole(kind: str) -> None:
    """A field that no full manifest has is broken by nobody."""
    broken = {case.field for case in CASES if case.manifest["kind"] == kind}
    assert [one for one in fields(schema.of(RESOURCES[kind].spec), ("spec",)) if spelled(one) not in broken] == []


def fields(described: Manifest, path: Path) -> Iterator[Path]:
    """Every field of a schema that says of what type it is."""
    for name, below in described.get("properties", {}).items():
        yield from [(*path, name)] if "type" in below else ()
        yield from fields(below, (*path, name))
    if "items" in described:
        yield from fields(described["items"], (*path, 0))


def test_there_are_enough_and_each_once() -> None:
    assert len(CASES) >= 600
    assert len({(one.manifest["kind"], one.name) for one in CASES}) == len(CASES)
    assert cases() == CASES


@pytest.mark.parametrize("case", [one for one in CASES if not one.api_only], ids=lambda one: f"{one.of}: {one.name}")
def test_what_breaks_a_bound_is_refused_by_its_name(case: Mutation) -> None:
    with pytest.raises(ValidationError) as refused:
        spec_of(case.manifest)
    assert case.field in {spelled(("spec", *one["loc"])) for one in refused.value.errors()}


@pytest.mark.parametrize("case", [one for one in CASES if not one.api_only], ids=lambda one: f"{one.of}: {one.name}")
def test_the_operator_stalls_on_it_with_a_sentence(case: Mutation) -> None:
    meta = {"name": "one", "namespace": "bank", "uid": "u", "generation": 1}
    with pytest.raises(Interrupted) as stopped:
        declared.read(RESOURCES[case.manifest["kind"]], case.manifest | {"metadata": meta})
    assert stopped.value.finding.reason == "InvalidSpec"
