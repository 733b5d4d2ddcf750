from typing import Any, ClassVar

import pytest
from pydantic import Field

from bankstack.engine import schema
from bankstack.engine.model import Part, Rule
from bankstack.kinds import RESOURCES


class Inner(Part):
    word: str = Field(max_length=5, description="A word.")
    rules: ClassVar[tuple[Rule, ...]] = (Rule(rule="self.word != 'no'", message="word says no"),)


class Outer(Part):
    inner: Inner | None = Field(default=None, description="Maybe.")
    many: list[Inner] = Field(max_length=3, description="Some.")


def test_the_whole_schema_of_a_model() -> None:
    inner = {
        "properties": {"word": {"description": "A word.", "maxLength": 5, "type": "string"}},
        "required": ["word"],
        "type": "object",
        "x-kubernetes-validations": [{"rule": "self.word != 'no'", "message": "word says no"}],
    }
    assert schema.of(Outer) == {
        "properties": {
            "inner": {**inner, "description": "Maybe."},
            "many": {"description": "Some.", "items": inner, "maxItems": 3, "type": "array"},
        },
        "required": ["many"],
        "type": "object",
    }


@pytest.mark.parametrize("unbounded", [str, list[int], dict[str, int]])
def test_a_value_without_a_bound_is_refused_by_its_path(unbounded: Any) -> None:  # noqa: ANN401 - a type
    class Loose(Part):
        field: unbounded

    with pytest.raises(schema.UnboundedError, match=r"Loose\.field is an unbounded"):
        schema.of(Loose)


def test_two_models_of_one_name_are_refused() -> None:
    class Twin(Part):
        rules: ClassVar[tuple[Rule, ...]] = (Rule(rule="true", message="one"),)

    class Parent(Part):
        other: Twin | None = None
        rules: ClassVar[tuple[Rule, ...]] = (Rule(rule="true", message="two"),)

    Parent.__name__ = "Twin"
    with pytest.raises(TypeError, match="two models are called Twin"):
        schema.of(Parent)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)
class TestEveryKind:
    def test_is_found_by_kubectl_get_bank(self, resource: schema.Resource) -> None:
        assert schema.definition(resource)["spec"]["names"]["categories"] == ["bank"]

    def test_is_structural(self, resource: schema.Resource) -> None:
        for path, part in _walk(schema.definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]):
            assert (
                not {"anyOf", "oneOf", "allOf", "$ref", "title", "nullable", "propertyNames", "const"} & part.keys()
            ), path

    def test_explains_every_field(self, resource: schema.Resource) -> None:
        root = schema.definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for path, part in _walk(root["properties"]["spec"], "spec"):
            if "type" in part and not path.endswith("[]"):
                assert part.get("description"), path

    def test_has_a_sentence_with_a_cure_for_every_rule(self, resource: schema.Resource) -> None:
        root = schema.definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for path, part in _walk(root):
            for rule in part.get("x-kubernetes-validations", []):
                assert len(rule["message"].split()) > 8, f"{path}: {rule['message']}"


def _walk(part: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = [(path, part)]
    for name, below in part.get("properties", {}).items():
        found += _walk(below, f"{path}.{name}")
    if "items" in part:
        found += _walk(part["items"], f"{path}[]")
    return found
