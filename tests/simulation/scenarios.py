"""What the operator relies on in an API server, told once and asked of both: the simulated and the real one.

Each is a story over a `Site`. Nothing here knows which of the two it talks to.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bankstack.engine.drift import difference, mark, owned
from bankstack.engine.objects import CONFIG_MAP, FINALIZER, FieldValue, Manifest, ref

from .examples import ALL, CLAIM, CONFIG, KEPT, SERVED, STATEFUL, made
from .fieldsets import flatten, to_fields_v1
from .site import LND_NODE, NODE, Change, Site, apply, live, node, refused, version

# Ownership


async def what_is_applied_is_owned_field_by_field(site: Site) -> None:
    for manifest in ALL:
        wanted = mark(manifest)
        answer = await apply(site, wanted)
        assert owned(answer) == to_fields_v1(flatten(wanted)), manifest["kind"]
        assert difference(wanted, await live(site, ref(manifest))) is None, manifest["kind"]


async def applying_again_changes_nothing(site: Site) -> None:
    for manifest in ALL:
        await apply(site, manifest)
        # A controller may write a status in between: then the next time tells.
        tries = [version(await live(site, ref(manifest))) == version(await apply(site, manifest)) for _ in range(5)]
        assert any(tries), manifest["kind"]


async def a_changed_value_changes_hands_and_a_forced_apply_takes_it_back(site: Site) -> None:
    wanted = mark(CONFIG)
    await apply(site, wanted)
    await site.edit(ref(CONFIG), lambda one: one["data"].update(a="theirs"))
    assert difference(wanted, await live(site, ref(CONFIG))) == "Drifted"
    assert (await apply(site, wanted))["data"] == CONFIG["data"]
    assert difference(wanted, await live(site, ref(CONFIG))) is None


async def a_removed_value_is_no_longer_owned_and_comes_back(site: Site) -> None:
    wanted = mark(CONFIG)
    await apply(site, wanted)
    await site.edit(ref(CONFIG), lambda one: (one["data"].pop("a"), one["metadata"]["labels"].clear()))
    assert difference(wanted, await live(site, ref(CONFIG))) == "Drifted"
    repaired = await apply(site, wanted)
    assert (repaired["data"], repaired["metadata"]["labels"]) == (CONFIG["data"], CONFIG["metadata"]["labels"])


async def what_somebody_adds_stays_theirs(site: Site) -> None:
    wanted = mark(CONFIG)
    await apply(site, wanted)
    await site.edit(ref(CONFIG), lambda one: (one["data"].update(c="3"), one["metadata"]["labels"].update(team="t")))
    before = await live(site, ref(CONFIG))
    assert difference(wanted, before) is None
    assert version(await apply(site, wanted)) == version(before)


async def what_is_no_longer_applied_goes_unless_somebody_else_has_it_too(site: Site) -> None:
    await apply(site, CONFIG)
    await site.edit(ref(CONFIG), lambda one: one["data"].update(a="theirs"))
    after = await apply(site, CONFIG | {"data": {}})
    assert after["data"] == {"a": "theirs"}


async def a_word_more_in_an_atomic_map_takes_the_whole_map(site: Site) -> None:
    wanted = mark(SERVED)
    await apply(site, wanted)
    await site.edit(ref(SERVED), lambda one: one["spec"]["selector"].update(more="theirs"))
    assert difference(wanted, await live(site, ref(SERVED))) == "Drifted"
    assert (await apply(site, wanted))["spec"]["selector"] == SERVED["spec"]["selector"]


async def ports_are_told_apart_by_number_and_protocol(site: Site) -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}]
    wanted = mark(SERVED | {"spec": {"selector": {"app": "x"}, "ports": ports}})
    await apply(site, wanted)
    assert difference(wanted, await live(site, ref(SERVED))) is None
    await site.edit(ref(SERVED), lambda one: one["spec"]["ports"].pop(1))
    assert difference(wanted, await live(site, ref(SERVED))) == "Drifted"
    assert len((await apply(site, wanted))["spec"]["ports"]) == 2


async def a_default_belongs_to_nobody(site: Site) -> None:
    wanted = mark(STATEFUL)
    answer = await apply(site, wanted)
    assert answer["spec"]["podManagementPolicy"] == "OrderedReady"
    await site.edit(ref(STATEFUL), lambda one: one["spec"]["template"]["spec"].update(dnsPolicy="Default"))
    before = await live(site, ref(STATEFUL))
    assert difference(wanted, before) is None
    assert (await apply(site, wanted))["spec"]["template"]["spec"]["dnsPolicy"] == "Default"


def named(items: list[Manifest], name: str) -> Manifest:
    """Lists that are maps have no order one may rely on."""
    return next(one for one in items if one["name"] == name)


POD_EDITS: Final[tuple[tuple[str, Change], ...]] = (
    ("Drifted", lambda pod: pod["containers"][0].update(image="example.com/theirs:1")),
    ("Drifted", lambda pod: pod["containers"][0]["args"].append("-c")),
    ("Drifted", lambda pod: named(pod["containers"][0]["env"], "A").update(value="2")),
    ("Drifted", lambda pod: pod["containers"][0]["env"].remove(named(pod["containers"][0]["env"], "A"))),
    ("Drifted", lambda pod: named(pod["containers"][0]["env"], "B")["valueFrom"]["secretKeyRef"].update(key="other")),
    ("Drifted", lambda pod: pod["nodeSelector"].update(zone="z")),
    ("Drifted", lambda pod: pod["tolerations"].clear()),
    ("Drifted", lambda pod: named(pod["volumes"], "conf")["configMap"]["items"][0].update(path="b")),
    ("Drifted", lambda pod: pod["containers"][0]["securityContext"].pop("capabilities")),
    ("Drifted", lambda pod: pod.pop("imagePullSecrets")),
    ("", lambda pod: pod["containers"][0]["env"].append({"name": "D", "value": "4"})),
    ("", lambda pod: pod["containers"].append({"name": "side", "image": "example.com/side:1"})),
    ("", lambda pod: pod["containers"][0]["resources"].update(limits={"memory": "1Gi"})),
    ("", lambda pod: pod["volumes"].append({"name": "more", "emptyDir": {}})),
    ("", lambda pod: pod.update(priority=None, hostNetwork=False, dnsPolicy="Default")),
)


async def parts_of_a_pod_change_hands_as_the_schema_says(site: Site) -> None:
    wanted = mark(STATEFUL)
    for expected, change in POD_EDITS:
        await apply(site, wanted)
        await site.edit(ref(STATEFUL), lambda one, does=change: does(one["spec"]["template"]["spec"]))  # type: ignore[misc]
        found = difference(wanted, await live(site, ref(STATEFUL)))
        assert (found or "") == expected, change.__code__.co_consts
        await apply(site, wanted)
        assert difference(wanted, await live(site, ref(STATEFUL))) is None


# Lives and versions


async def create_makes_once_and_leaves_what_is_there(site: Site) -> None:
    first = await site.cluster.create(KEPT, site.namespace)
    assert first is not None
    assert await site.cluster.create(KEPT | {"data": {"key": "b3RoZXI="}}, site.namespace) is None
    assert (await live(site, ref(KEPT)))["data"] == KEPT["data"]


async def what_was_created_is_not_applied_and_an_apply_beside_it_owns_only_its_own(site: Site) -> None:
    await site.cluster.create(KEPT, site.namespace)
    noted = {"metadata": {"name": "one", "annotations": {"example.com/claimed": "x"}}}
    after = await apply(site, {"apiVersion": "v1", "kind": "Secret"} | noted)
    assert after["data"] == KEPT["data"]
    assert owned(after) == {"f:metadata": {"f:annotations": {"f:example.com/claimed": {}}}}
    cleared = await apply(site, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}})
    assert "annotations" not in cleared["metadata"]
    assert cleared["data"] == KEPT["data"]


async def a_deletion_hits_one_life_only(site: Site) -> None:
    first = await apply(site, CONFIG)
    await site.cluster.delete(ref(CONFIG), site.namespace, "00000000-0000-4000-8000-000000000000")
    assert await site.cluster.get(ref(CONFIG), site.namespace) is not None
    await site.cluster.delete(ref(CONFIG), site.namespace, first["metadata"]["uid"])
    assert await site.cluster.get(ref(CONFIG), site.namespace) is None
    await site.cluster.delete(ref(CONFIG), site.namespace, first["metadata"]["uid"])
    assert (await apply(site, CONFIG))["metadata"]["uid"] != first["metadata"]["uid"]


async def an_apply_onto_another_version_or_life_is_a_conflict(site: Site) -> None:
    first = await apply(site, CONFIG)
    await site.edit(ref(CONFIG), lambda one: one["data"].update(c="3"))
    seen = {key: first["metadata"][key] for key in ("uid", "resourceVersion")}
    with refused("Conflict"):
        await apply(site, CONFIG | {"metadata": CONFIG["metadata"] | seen, "data": {"a": "2"}})
    other = {"uid": "00000000-0000-4000-8000-000000000000"}
    with refused("Refused"):
        await apply(site, CONFIG | {"metadata": CONFIG["metadata"] | other, "data": {"a": "2"}})
    with refused("Conflict"):
        await apply(site, CONFIG | {"metadata": CONFIG["metadata"] | seen | other, "data": {"a": "2"}})
    assert (await live(site, ref(CONFIG)))["data"]["a"] == "1"


async def an_apply_onto_a_life_that_is_over_makes_nothing(site: Site) -> None:
    first = await apply(site, CONFIG)
    await site.cluster.delete(ref(CONFIG), site.namespace, first["metadata"]["uid"])
    seen = {"uid": first["metadata"]["uid"]}
    with refused("Conflict", "NotFound", "Refused"):
        await apply(site, CONFIG | {"metadata": CONFIG["metadata"] | seen})
    assert await site.cluster.get(ref(CONFIG), site.namespace) is None


async def an_apply_of_something_new_makes_it_once_and_leaves_what_is_there(site: Site) -> None:
    for manifest in ALL:
        wanted = mark(manifest)
        made = await site.cluster.apply_new(wanted, site.namespace)
        assert made is not None, manifest["kind"]
        assert difference(wanted, made) is None, manifest["kind"]
        before = (await live(site, ref(manifest)))["metadata"]
        changed = wanted | {"metadata": wanted["metadata"] | {"labels": {"whose": "another's"}}}
        assert await site.cluster.apply_new(changed, site.namespace) is None, manifest["kind"]
        assert (await live(site, ref(manifest)))["metadata"]["labels"] == before["labels"], manifest["kind"]


async def a_list_is_by_labels_and_says_what_its_objects_are(site: Site) -> None:
    for name, label in (("b", "x"), ("a", "x"), ("c", "y")):
        await apply(site, made("ConfigMap", data={"k": "v"}, metadata={"name": name, "labels": {"app": label}}))
    found = await site.cluster.list(CONFIG_MAP, site.namespace, {"app": "x"})
    assert [(one["kind"], one["metadata"]["name"]) for one in found] == [("ConfigMap", "a"), ("ConfigMap", "b")]
    found = await site.cluster.list(CONFIG_MAP, site.namespace, {"app": "x"}, FieldValue("metadata.name", "a"))
    assert [one["metadata"]["name"] for one in found] == ["b"]


async def what_may_not_change_is_refused(site: Site) -> None:
    await apply(site, CONFIG | {"immutable": True})
    with refused("Refused"):
        await apply(site, CONFIG | {"immutable": True, "data": {"a": "2", "b": "2"}})
    await apply(site, STATEFUL)
    with refused("Refused"):
        await apply(site, STATEFUL | {"spec": STATEFUL["spec"] | {"serviceName": "other"}})
    await apply(site, CLAIM)
    with refused("Refused"):
        await apply(site, CLAIM | {"spec": CLAIM["spec"] | {"accessModes": ["ReadWriteMany"]}})
    await apply(site, KEPT)
    with refused("Refused"):
        await apply(site, KEPT | {"type": "example.com/other"})


async def names_and_labels_have_their_limits(site: Site) -> None:
    with refused("Refused"):
        await apply(site, SERVED | {"metadata": {"name": "s" * 64}})
    with refused("Refused"):
        await apply(site, CONFIG | {"metadata": {"name": "one", "labels": {"app": "x" * 64}}})
    with refused("Refused"):
        await apply(site, CONFIG | {"metadata": {"name": "Upper"}})


# Resources of ours


async def a_status_has_its_own_door_and_its_own_owner(site: Site) -> None:
    await site.user_applies(node())
    first = await live(site, NODE)
    await site.cluster.apply_status(LND_NODE, told(first, state="Unknown", channels=3))
    second = await live(site, NODE)
    assert second["status"] == {"state": "Unknown", "channels": 3}
    assert second["metadata"]["generation"] == first["metadata"]["generation"]
    await site.cluster.apply_status(LND_NODE, told(first, state="Unknown", channels=3))
    assert version(await live(site, NODE)) == version(second)
    await site.cluster.apply_status(LND_NODE, told(first, state="Unknown"))
    assert (await live(site, NODE))["status"] == {"state": "Unknown"}
    await site.edit(NODE, lambda one: one.update(status={"state": "edited by the wrong door"}))
    assert (await live(site, NODE))["status"] == {"state": "Unknown"}


async def a_changed_spec_is_a_new_generation_and_a_label_is_not(site: Site) -> None:
    await site.user_applies(node())
    first = (await live(site, NODE))["metadata"]["generation"]
    await site.edit(NODE, lambda one: one["metadata"].update(labels={"team": "t"}))
    assert (await live(site, NODE))["metadata"]["generation"] == first
    await site.edit(NODE, lambda one: one["spec"].update(version="v0.21.3-beta"))
    assert (await live(site, NODE))["metadata"]["generation"] == first + 1


async def a_status_is_bound_to_a_version_not_to_a_life(site: Site) -> None:
    await site.user_applies(node())
    first = await live(site, NODE)
    other = first | {"metadata": first["metadata"] | {"uid": "00000000-0000-4000-8000-000000000000"}}
    # The uid alone is not looked at: whoever relies on it writes one wallet's status onto another.
    await site.cluster.apply_status(LND_NODE, told(other, state="Unknown"))
    bound = told(first, state="Stopped")
    bound["metadata"]["resourceVersion"] = version(first)
    with refused("Conflict"):
        await site.cluster.apply_status(LND_NODE, bound)
    bound["metadata"]["resourceVersion"] = version(await live(site, NODE))
    await site.cluster.apply_status(LND_NODE, bound)
    assert (await live(site, NODE))["status"] == {"state": "Stopped"}


async def a_status_of_nothing_makes_nothing(site: Site) -> None:
    await site.user_applies(node())
    first = await live(site, NODE)
    await site.user_deletes(NODE)
    await site.eventually_gone(NODE)
    with refused("NotFound", "Conflict"):
        await site.cluster.apply_status(LND_NODE, told(first, state="Unknown"))
    assert await site.cluster.get(NODE, site.namespace) is None


async def a_finalizer_holds_a_deleted_object_until_it_is_taken_off(site: Site) -> None:
    await site.user_applies(node())
    await site.cluster.finalize(LND_NODE, await live(site, NODE), [FINALIZER])
    held = await live(site, NODE)
    await site.user_deletes(NODE)
    dying = await live(site, NODE)
    assert "deletionTimestamp" in dying["metadata"]
    assert dying["metadata"]["generation"] == held["metadata"]["generation"] + 1
    with refused("Conflict"):
        await site.cluster.finalize(LND_NODE, held, [])
    with refused("Refused", "Denied"):
        await site.cluster.finalize(LND_NODE, dying, [FINALIZER, "example.com/late"])
    await site.cluster.finalize(LND_NODE, dying, [])
    assert await site.cluster.get(NODE, site.namespace) is None
    with refused("NotFound"):
        await site.cluster.finalize(LND_NODE, dying, [])


async def what_is_owned_goes_with_its_owner_and_what_is_not_stays(site: Site) -> None:
    await site.user_applies(node())
    owner = (await live(site, NODE))["metadata"]
    reference = {"apiVersion": LND_NODE.api_version, "kind": "LndNode", "name": "lnd1", "uid": owner["uid"]}
    child = CONFIG | {"metadata": CONFIG["metadata"] | {"ownerReferences": [reference | {"controller": True}]}}
    answer = await apply(site, mark(child))
    assert owned(answer) == to_fields_v1(flatten(mark(child)))
    await apply(site, KEPT)
    await site.user_deletes(NODE)
    await site.eventually_gone(ref(CONFIG))
    assert await site.cluster.get(ref(KEPT), site.namespace) is not None


def told(manifest: Manifest, **status: Any) -> Manifest:  # noqa: ANN401 - any status
    meta = {key: manifest["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"apiVersion": LND_NODE.api_version, "kind": "LndNode", "metadata": meta, "status": status}


Scenario = Callable[[Site], Awaitable[None]]

SCENARIOS: Final[tuple[Scenario, ...]] = (
    what_is_applied_is_owned_field_by_field,
    applying_again_changes_nothing,
    a_changed_value_changes_hands_and_a_forced_apply_takes_it_back,
    a_removed_value_is_no_longer_owned_and_comes_back,
    what_somebody_adds_stays_theirs,
    what_is_no_longer_applied_goes_unless_somebody_else_has_it_too,
    a_word_more_in_an_atomic_map_takes_the_whole_map,
    ports_are_told_apart_by_number_and_protocol,
    a_default_belongs_to_nobody,
    parts_of_a_pod_change_hands_as_the_schema_says,
    create_makes_once_and_leaves_what_is_there,
    what_was_created_is_not_applied_and_an_apply_beside_it_owns_only_its_own,
    a_deletion_hits_one_life_only,
    an_apply_onto_another_version_or_life_is_a_conflict,
    an_apply_onto_a_life_that_is_over_makes_nothing,
    an_apply_of_something_new_makes_it_once_and_leaves_what_is_there,
    a_list_is_by_labels_and_says_what_its_objects_are,
    what_may_not_change_is_refused,
    names_and_labels_have_their_limits,
    a_status_has_its_own_door_and_its_own_owner,
    a_changed_spec_is_a_new_generation_and_a_label_is_not,
    a_status_is_bound_to_a_version_not_to_a_life,
    a_status_of_nothing_makes_nothing,
    a_finalizer_holds_a_deleted_object_until_it_is_taken_off,
    what_is_owned_goes_with_its_owner_and_what_is_not_stays,
)
