import itertools
from typing import Any

import kopf
import pytest

from bankstack.edge import watches
from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, POD, SECRET, STATEFUL_SET, Type
from bankstack.kinds.table import KINDS
from bankstack.kube.connection import Credentials

LND_NODE = Type("bankstack.io/v1alpha1", "LndNode", "lndnodes")


class Woken:
    """A loop that only keeps what it was woken for."""

    kinds = KINDS

    def __init__(self) -> None:
        self.changes: list[tuple[Any, ...]] = []

    def changed(self, *change: object) -> None:
        self.changes.append(change)


async def login() -> Credentials:
    return Credentials("https://api", "/ca", "Bearer", "t", None, None)


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def registry(woken: Woken) -> kopf.OperatorRegistry:
    return watches.registry(woken, login)  # type: ignore[arg-type]


def by_plural(registry: kopf.OperatorRegistry) -> dict[str, Any]:
    """What kopf calls for an event about each type."""
    return {str(handler.id): handler.fn for handler in registry._watching.get_all_handlers()}  # noqa: SLF001


def test_everything_made_is_watched_by_our_label_and_secrets_without_it() -> None:
    types = watches.watched(KINDS)
    assert {kind.type for kind in KINDS} <= types.keys()
    assert all(child in types for kind in KINDS for child in kind.children)
    assert types[STATEFUL_SET] == types[POD] == "app.kubernetes.io/managed-by=bankstack"
    assert types[SECRET] == types[LND_NODE] == ""


def test_kopf_only_watches(registry: kopf.OperatorRegistry) -> None:
    """No handler that would write an annotation, hold a finalizer, keep an index or run on its own."""
    assert len(registry._watching.get_all_handlers()) == len(watches.watched(KINDS))  # noqa: SLF001
    for kind in ("_changing", "_spawning", "_indexing", "_webhooks"):
        assert not list(getattr(registry, kind).get_all_handlers()), kind


def test_kopf_is_told_to_post_nothing_and_never_to_give_up() -> None:
    chosen = watches.settings(watches.watched(KINDS))
    assert chosen.scanning.disabled
    assert chosen.peering.standalone
    assert not chosen.posting.enabled
    assert chosen.queueing.worker_limit is None
    assert chosen.watching.label_selectors["apps", "v1", "statefulsets"] == watches.OURS
    assert chosen.watching.field_selectors["", "v1", "secrets"] == "type!=helm.sh/release.v1"
    assert ("", "v1", "secrets") not in chosen.watching.label_selectors
    for _ in range(2):
        pauses = list(itertools.islice(chosen.networking.error_backoffs, 2000))  # type: ignore[arg-type]
        assert pauses[0] < 1.3
        assert 20 < max(pauses) <= watches.BACKOFF_MOST * 1.2


async def test_an_event_wakes_the_loop_and_does_nothing_else(registry: kopf.OperatorRegistry, woken: Woken) -> None:
    for handler in registry._watching.get_all_handlers():  # noqa: SLF001
        meta = {"labels": {"bankstack.io/owner": "LndNode.lnd1"}}
        wake: Any = handler.fn
        assert await wake(namespace="bank", name="x", meta=meta, type="DELETED", body={}) is None
    assert {change[0] for change in woken.changes} == watches.watched(KINDS).keys() - {PLAN_APPROVAL}
    ordinary = {change[1:] for change in woken.changes if change[0] != CHANGE_PLAN}
    assert ordinary == {("bank", "x", ("LndNode.lnd1",), None)}


async def test_a_plan_wakes_its_target_and_an_approval_whoever_refers_to_its_plan(
    registry: kopf.OperatorRegistry, woken: Woken
) -> None:
    wakers = by_plural(registry)
    target = {"target": {"kind": "LndNode", "name": "lnd1"}}
    await wakers["changeplans"](namespace="bank", name="restart", meta={}, body={"spec": target}, type="DELETED")
    given = {"spec": {"plan": "restart"}}
    await wakers["planapprovals"](namespace="bank", name="restart-bob", meta={}, body=given, type="ADDED")
    assert woken.changes == [
        (CHANGE_PLAN, "bank", "restart", ("LndNode.lnd1",), None),
        (CHANGE_PLAN, "bank", "restart", (), None),
    ]


async def test_an_api_s_word_wakes_the_nodes_that_it_is_about(registry: kopf.OperatorRegistry, woken: Woken) -> None:
    wakers = by_plural(registry)
    for body in ({"status": {"avoids": ["lnd1"]}}, {"status": {"mode": "Full"}}, {}):
        await wakers["apideployments"](namespace="bank", name="api", meta={}, body=body, type="MODIFIED")
    assert [change[1:4] for change in woken.changes] == [
        ("bank", "api", ("LndNode.lnd1",)),
        ("bank", "api", ()),
        ("bank", "api", ()),
    ]


async def test_what_an_object_says_comes_along_and_nothing_of_one_that_went(
    registry: kopf.OperatorRegistry, woken: Woken
) -> None:
    wakers = by_plural(registry)
    for kind in ("ADDED", "MODIFIED", None, "DELETED"):
        await wakers["lndnodes"](namespace="bank", name="lnd1", meta={}, body={"status": {}}, type=kind)
    assert [change[4] for change in woken.changes] == [{"status": {}}] * 3 + [None]


def test_a_child_whose_label_was_taken_away_still_wakes_its_controller() -> None:
    controller = {"kind": "LndNode", "name": "lnd1", "controller": True}
    assert watches.owners({"ownerReferences": [controller, {"kind": "Job", "name": "j"}]}) == ("LndNode.lnd1",)
    other = {"labels": {"bankstack.io/owner": "LndNode.other"}, "ownerReferences": [controller]}
    assert watches.owners(other) == ("LndNode.other", "LndNode.lnd1")
    assert watches.owners({}) == ()
