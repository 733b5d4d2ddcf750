"""The only writer: in order, up to the first failure, and never over somebody else's object."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation import toy
from tests.simulation.faults import Fault, When, always
from tests.simulation.toy import TOY
from tests.simulation.world import NAMESPACE, World

from bankstack.engine import declared, frozen, manifests
from bankstack.engine.decision import Action, Apply, Ask, Delete
from bankstack.engine.execute import execute, is_ours
from bankstack.engine.finding import Interrupted, Stalled
from bankstack.engine.objects import CONFIG_MAP, OWNER_LABEL, SECRET, STATEFUL_SET, Manifest, Ref
from bankstack.engine.ports import Subject


class Site:
    def __init__(self) -> None:
        self.world = World(toy.KIND)
        self.world.user_applies(TOY, toy.manifest())
        self.subject: Subject = declared.read(toy.RESOURCE, self.live(TOY, "one"))

    def live(self, of: Any, name: str) -> Manifest:  # noqa: ANN401 - Type
        found = self.world.live(of, name)
        assert found is not None
        return found

    def config(self, name: str = "c", **data: str) -> Manifest:
        meta = manifests.owned(self.subject, "toy", name)
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data or {"a": "1"}}

    def stateful(self, image: str) -> Manifest:
        template = {"spec": {"containers": [{"name": "main", "image": image}]}}
        meta = manifests.owned(self.subject, "toy", "s")
        return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {"template": template}}

    def marked(self, why: str) -> Manifest:
        return manifests.owned(self.subject, "toy", "s") | {"annotations": {"why": why}}

    async def does(self, *actions: Action) -> tuple[Action, ...]:
        return await execute(toy.KIND, self.subject, actions, self.world.operators[0].cluster)


async def test_actions_are_carried_out_in_their_order() -> None:
    site = Site()
    actions = (Apply(site.config("a"), "Missing"), Ask("MakeKey", "Missing"), Apply(site.config("b"), "Missing"))
    assert await site.does(*actions) == actions
    calls = [call for call in site.world.calls.made if not call.startswith("get")]
    assert calls == ["apply ConfigMap a", "create Secret one-key", "apply ConfigMap b"]


async def test_the_first_failure_is_the_last_thing_done() -> None:
    site = Site()
    site.world.calls.schedule = always("create", Fault(500))
    with pytest.raises(Interrupted):
        await site.does(
            Apply(site.config("a"), "Missing"), Ask("MakeKey", "Missing"), Apply(site.config("b"), "Missing")
        )
    assert site.world.live(CONFIG_MAP, "a") is not None
    assert site.world.live(CONFIG_MAP, "b") is None


async def test_an_answer_lost_after_the_write_is_a_failure_too() -> None:
    site = Site()
    site.world.calls.schedule = always("apply ConfigMap a", Fault(0, When.AFTER))
    with pytest.raises(Interrupted):
        await site.does(Apply(site.config("a"), "Missing"), Apply(site.config("b"), "Missing"))
    assert site.world.live(CONFIG_MAP, "a") is not None
    assert site.world.live(CONFIG_MAP, "b") is None


async def test_a_stateful_set_that_was_not_seen_and_is_there_keeps_its_template() -> None:
    site = Site()
    await site.does(Apply(frozen.hold(site.stateful("image:1"), None), "Missing"))
    await site.does(
        Apply(frozen.hold(site.stateful("image:2"), None) | {"metadata": site.marked("seen late")}, "Missing")
    )
    there = site.live(STATEFUL_SET, "s")
    assert there["spec"]["template"]["spec"]["containers"][0]["image"] == "image:1"
    assert "image:1" in there["metadata"]["annotations"][frozen.TEMPLATE]
    assert there["metadata"]["annotations"]["why"] == "seen late"
    # What was seen to differ is written: by a plan's step.
    await site.does(Apply(frozen.hold(site.stateful("image:2"), None), "Changed"))
    assert site.live(STATEFUL_SET, "s")["spec"]["template"]["spec"]["containers"][0]["image"] == "image:2"


STRANGERS: tuple[tuple[str, Callable[[Manifest], object]], ...] = (
    ("without owner and labels", lambda meta: (meta.pop("ownerReferences"), meta.pop("labels"))),
    ("of another resource", lambda meta: (meta.pop("ownerReferences"), meta.update(labels=labels("Toy.other")))),
    ("of an earlier life", lambda meta: meta["ownerReferences"][0].update(uid="an-earlier-one")),
    ("of another controller", lambda meta: meta["ownerReferences"][0].update(uid="x", kind="Helm")),
    ("of two", lambda meta: meta["ownerReferences"].append({"uid": "x", "kind": "Helm", "controller": True})),
)  # fmt: skip


def labels(owner: str) -> dict[str, str]:
    return {OWNER_LABEL: owner}


@pytest.mark.parametrize("change", [row[1] for row in STRANGERS], ids=[row[0] for row in STRANGERS])
async def test_an_object_that_is_not_ours_is_refused_and_left(change: Callable[[Manifest], object]) -> None:
    site = Site()
    theirs = site.config("c", a="theirs")
    change(theirs["metadata"])
    site.world.server.create(site.world.key(CONFIG_MAP, "c"), theirs, "helm")
    before = site.live(CONFIG_MAP, "c")
    with pytest.raises(Interrupted) as stopped:
        await site.does(Apply(site.config("c"), "Missing"))
    assert stopped.value.finding.reason == "NameTaken"
    assert isinstance(stopped.value.finding.policy, Stalled)
    assert site.live(CONFIG_MAP, "c") == before


async def test_an_owned_object_that_lost_its_label_is_still_ours_and_gets_it_back() -> None:
    site = Site()
    ours = site.config()
    site.world.server.create(
        site.world.key(CONFIG_MAP, "c"), ours | {"metadata": ours["metadata"] | {"labels": {}}}, "x"
    )
    await site.does(Apply(ours, "Changed"))
    assert site.live(CONFIG_MAP, "c")["metadata"]["labels"][OWNER_LABEL] == "Toy.one"


async def test_what_was_retained_from_an_earlier_life_is_ours() -> None:
    site = Site()
    kept = manifests.secret(manifests.retained(site.subject, "toy", "one-key"), {"k": b"v"})
    site.world.server.create(site.world.key(SECRET, "one-key"), kept, "bankstack")
    assert is_ours(site.live(SECRET, "one-key"), replace(site.subject, uid="another-life"))
    await site.does(Apply(kept, "Changed"))


async def test_owners_that_are_no_controllers_do_not_count() -> None:
    site = Site()
    ours = site.config()
    ours["metadata"]["ownerReferences"].append({"uid": "x", "kind": "Inventory", "name": "i"})
    assert is_ours(ours, site.subject)


async def test_a_deletion_hits_one_life_only() -> None:
    site = Site()
    key = site.world.key(CONFIG_MAP, "c")
    site.world.server.create(key, site.config(), "bankstack")
    uid = site.live(CONFIG_MAP, "c")["metadata"]["uid"]
    await site.does(Delete(Ref(CONFIG_MAP, "c"), "another-life", "Unreferenced"))
    assert site.world.live(CONFIG_MAP, "c") is not None
    await site.does(Delete(Ref(CONFIG_MAP, "c"), uid, "Unreferenced"))
    assert site.world.live(CONFIG_MAP, "c") is None
    await site.does(Delete(Ref(CONFIG_MAP, "c"), uid, "Unreferenced"))


async def test_doing_everything_twice_equals_once() -> None:
    site = Site()
    actions = (Apply(site.config("a"), "Missing"), Ask("MakeKey", "Missing"))
    await site.does(*actions)
    written = len(site.world.server.written)
    await site.does(*actions)
    assert len(site.world.server.written) == written
    assert site.live(SECRET, "one-key")["metadata"]["namespace"] == NAMESPACE


def test_an_action_reads_as_a_sentence_without_content() -> None:
    site = Site()
    assert str(Apply(site.config("a", a="s3cret"), "Missing")) == "apply ConfigMap a (Missing)"
    assert str(Delete(Ref(SECRET, "s"), "u", "Unreferenced")) == "delete Secret s (Unreferenced)"
    assert str(Ask("Bake", "Missing", {"into": "lnd1-api"})) == "Bake into=lnd1-api (Missing)"
    assert str(Ask("MakeKey", "Missing")) == "MakeKey (Missing)"
