from typing import Any

import pytest
from tests.simulation import toy

from bankstack.engine import declared
from bankstack.engine.finding import Interrupted, Stalled
from bankstack.engine.objects import FINALIZER, Manifest


def stored(status: Manifest | None = None, **spec: Any) -> Manifest:  # noqa: ANN401 - what a user writes
    manifest = toy.manifest(**spec)
    manifest["metadata"] |= {"namespace": "bank", "uid": "u", "generation": 3}
    return manifest | ({"status": status} if status is not None else {})


def test_a_resource_is_read_with_its_defaults() -> None:
    one = declared.read(toy.RESOURCE, stored())
    assert (one.kind, one.name, one.namespace, one.uid, one.generation) == ("Toy", "one", "bank", "u", 3)
    assert (one.spec, one.status) == (toy.ToySpec(word="hello"), toy.ToyStatus())
    assert (one.deleting, one.paused, one.held, one.owner) == (False, False, False, "Toy.one")


def test_deleting_paused_and_held_are_seen() -> None:
    manifest = stored(paused=True)
    manifest["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b", FINALIZER]}
    one = declared.read(toy.RESOURCE, manifest)
    assert (one.deleting, one.paused, one.held) == (True, True, True)


def test_a_spec_that_breaks_rules_is_told_by_field_and_rule_never_by_value() -> None:
    with pytest.raises(Interrupted) as stopped:
        declared.read(toy.RESOURCE, stored(word="tprv8SECRET", colour="red"))
    finding = stopped.value.finding
    assert finding.reason == "InvalidSpec"
    assert isinstance(finding.policy, Stalled)
    assert "spec.word" in finding.message
    assert "spec.colour" in finding.message
    assert "tprv8SECRET" not in finding.message
    assert "left as it is" in finding.message
    assert stopped.value.__suppress_context__, "a traceback would show the value"


def test_a_status_field_of_a_newer_operator_is_ignored() -> None:
    one = declared.read(toy.RESOURCE, stored({"pinned": "hello", "invented": 1}))
    assert one.status == toy.ToyStatus(pinned="hello")


@pytest.mark.parametrize("status", [{"pinned": 7}, {"pinned": "NOT"}, {"conditions": "none"}, {"conditions": [{}]}])
def test_a_status_that_cannot_be_read_never_looks_like_an_empty_one(status: Manifest) -> None:
    with pytest.raises(Interrupted) as stopped:
        declared.read(toy.RESOURCE, stored(status))
    assert stopped.value.finding.reason == "StatusUnreadable"
    assert isinstance(stopped.value.finding.policy, Stalled)
