"""CustomResourceDefinitions from the models (pure).

The API server takes structural schemas: no references, no unions, no null. What
pydantic writes is brought into that form here, and a bound that is missing is an
error: CEL rules over unbounded values are refused when the CRD is applied, which
would be far too late.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bankstack.engine.model import Part, Rule, Status
from bankstack.engine.objects import GROUP, VERSION

Schema = dict[str, Any]

#: JSON Schema that the API server has no word for.
_DROPPED = ("title", "additionalProperties", "$defs", "propertyNames")


class UnboundedError(TypeError):
    """A string, list or map of a model without an upper bound."""


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; `priority` 1 only with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


READY = Column("Ready", ".status.conditions[?(@.type=='Ready')].status")
REASON = Column("Reason", ".status.conditions[?(@.type=='Ready')].reason")
AGE = Column("Age", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True)
class Shape:
    """A kind of object as the API server serves it; without a status where nothing is said of it."""

    kind: str
    plural: str
    short: str
    spec: type[Part]
    status: type[Part] | None
    description: str
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    max_name: int = 40
    """Children append to the name, and theirs must fit 63 characters."""
    last_columns: tuple[Column, ...] = (READY, REASON, AGE)
    categories: tuple[str, ...] = ("bank",)
    selectable: tuple[str, ...] = ()
    """Fields by which lists may be asked for, as JSON paths. A Kubernetes older than 1.31 does not serve that."""


@dataclass(frozen=True)
class Resource(Shape):
    """A kind that the engine looks after: its status has conditions."""

    status: type[Status]


def definition(resource: Shape) -> Schema:
    """The whole CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [resource.short],
                "categories": list(resource.categories),
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    **({"subresources": {"status": {}}} if resource.status else {}),
                    "additionalPrinterColumns": [
                        _column(column) for column in (*resource.columns, *resource.last_columns)
                    ],
                    **_selectable(resource),
                    "schema": {"openAPIV3Schema": _root(resource)},
                }
            ],
        },
    }


def of(model: type[Part]) -> Schema:
    """The structural schema of one model, rules included."""
    raw = model.model_json_schema(by_alias=True)
    return _structural(raw, raw.get("$defs", {}), model.__name__, _rules_by_name(model))


def _selectable(resource: Shape) -> Schema:
    return {"selectableFields": [{"jsonPath": path} for path in resource.selectable]} if resource.selectable else {}


def _root(resource: Shape) -> Schema:
    name_rule = Rule(
        rule=f"size(self.metadata.name) <= {resource.max_name}",
        message=f"metadata.name is longer than {resource.max_name} characters: what the operator makes from it "
        "would not fit Kubernetes' 63. Choose a shorter one",
    )
    return {
        "description": resource.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": of(resource.spec),
            **({"status": of(resource.status)} if resource.status else {}),
        },
        "x-kubernetes-validations": [rule.schema_entry() for rule in (name_rule, *resource.rules)],
    }


def _structural(
    raw: Schema, definitions: Mapping[str, Schema], where: str, rules: Mapping[str, Iterable[Rule]]
) -> Schema:
    schema = _resolved(raw, definitions)
    name = schema.get("title", "")
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if "properties" in kept:
        kept["properties"] = {
            key: _structural(value, definitions, f"{where}.{key}", rules) for key, value in kept["properties"].items()
        }
        if own := rules.get(name):
            kept["x-kubernetes-validations"] = [rule.schema_entry() for rule in own]
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _structural(schema["additionalProperties"], definitions, f"{where}[]", rules)
    if "items" in kept:
        kept["items"] = _structural(kept["items"], definitions, f"{where}[]", rules)
    _require_bound(kept, where)
    return kept


def _resolved(raw: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """References replaced and `X or null` turned into X, which is what leaving a field out means."""
    schema = dict(raw)
    if "anyOf" in schema:
        (only,) = [branch for branch in schema.pop("anyOf") if branch.get("type") != "null"]
        schema = {**_resolved(only, definitions), **schema}
        if schema.get("default", ...) is None:
            del schema["default"]
    if "$ref" in schema:
        target = definitions[schema.pop("$ref").rpartition("/")[2]]
        schema = {**_resolved(target, definitions), **schema, "title": target["title"]}
    if "const" in schema:
        # A word of one value; the API server knows no const.
        schema["enum"] = [schema.pop("const")]
    return schema


def _require_bound(schema: Schema, where: str) -> None:
    bounded = {
        "string": ("maxLength", "enum"),
        "array": ("maxItems",),
        "object": ("maxProperties", "properties", "x-kubernetes-preserve-unknown-fields"),
    }.get(schema.get("type", ""))
    if bounded and not any(key in schema for key in bounded):
        raise UnboundedError(f"{where} is an unbounded {schema['type']}: give it one of {', '.join(bounded)}")


def _rules_by_name(model: type[Part]) -> dict[str, tuple[Rule, ...]]:
    """Rules of a model and of every model below it, by class name."""
    found = {model.__name__: model.rules}
    for info in model.model_fields.values():
        for inner in _parts_in(info.annotation):
            below = _rules_by_name(inner)
            if clash := [name for name in found.keys() & below.keys() if found[name] != below[name]]:
                raise TypeError(f"two models are called {clash[0]}: pydantic's schema tells them apart by name alone")
            found |= below
    return found


def _parts_in(annotation: Any) -> list[type[Part]]:  # noqa: ANN401 - any annotation at all
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for inner in getattr(annotation, "__args__", ()) for part in _parts_in(inner)]


def _column(column: Column) -> Schema:
    entry: Schema = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return entry | ({"priority": column.priority} if column.priority else {})
