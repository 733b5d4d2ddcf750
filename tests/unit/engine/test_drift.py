"""Drift is read from ownership. The live objects here come from the simulated API server, as they come in life."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulation import neighbours
from tests.simulation.apiserver import ApiServer, Key

from bankstack.engine.drift import changes, covers, difference, mark, owned
from bankstack.engine.objects import FIELD_MANAGER, Manifest, by_ref, ref

CONFIG: Manifest = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "one", "namespace": "bank", "labels": {"app": "x"}, "annotations": {"why": "y"}},
    "data": {"a": "1", "b": "2"},
}
SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "one", "namespace": "bank"},
    "spec": {"selector": {"app": "x", "tier": "y"}, "ports": [{"name": "rpc", "port": 8332}, {"name": "p", "port": 1}]},
}
STATEFUL: Manifest = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {
        "name": "one",
        "namespace": "bank",
        "ownerReferences": [{"apiVersion": "v1", "kind": "Toy", "name": "t", "uid": "u", "controller": True}],
    },
    "spec": {
        "replicas": 1,
        "serviceName": "one",
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "nodeSelector": {"disk": "ssd"},
                "containers": [
                    {
                        "name": "main",
                        "image": "i:1",
                        "args": ["-a", "-b"],
                        "ports": [{"containerPort": 8332}, {"containerPort": 9735, "name": "p2p"}],
                        "env": [{"name": "A", "value": "1"}],
                        "volumeMounts": [{"name": "tmp", "mountPath": "/cache"}],
                        "readinessProbe": {"tcpSocket": {"port": 8332}},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        },
    },
}


class Site:
    """One object of ours on the API server, marked and applied."""

    def __init__(self, manifest: Manifest) -> None:
        self.server = ApiServer()
        neighbours.namespace(self.server)
        self.wanted = mark(manifest)
        self.key = Key(ref(manifest).type, "bank", "one")
        self.server.apply(self.key, self.wanted, FIELD_MANAGER)

    def difference(self) -> str | None:
        return difference(self.wanted, self.server.get(self.key))

    def edit(self, change: Callable[[Manifest], object]) -> None:
        self.server.edit(self.key, change, "kubectl-edit")

    def repaired(self) -> Manifest:
        return self.server.apply(self.key, self.wanted, FIELD_MANAGER)


def pod(manifest: Manifest) -> Any:  # noqa: ANN401 - edited in place
    return manifest["spec"]["template"]["spec"]


def container(manifest: Manifest) -> Any:  # noqa: ANN401 - edited in place
    return pod(manifest)["containers"][0]


@pytest.mark.parametrize("manifest", [CONFIG, SERVICE, STATEFUL], ids=lambda one: one["kind"])
def test_what_was_just_applied_has_not_drifted_whatever_defaults_the_server_added(manifest: Manifest) -> None:
    assert Site(manifest).difference() is None


def test_an_object_that_is_gone_is_missing() -> None:
    assert difference(mark(CONFIG), None) == "Missing"


def test_a_wish_that_changed_is_told_from_drift() -> None:
    site = Site(CONFIG)
    wanted = mark(CONFIG | {"data": {"a": "3", "b": "2"}})
    assert difference(wanted, site.server.get(site.key)) == "Changed"


def test_a_field_no_longer_wished_is_a_change_and_goes_when_it_is_applied() -> None:
    site = Site(CONFIG)
    wanted = mark(CONFIG | {"data": {"a": "1"}})
    assert difference(wanted, site.server.get(site.key)) == "Changed"
    assert site.server.apply(site.key, wanted, FIELD_MANAGER)["data"] == {"a": "1"}


FOREIGN: tuple[tuple[str, Manifest, Callable[[Manifest], object]], ...] = (
    ("a value", CONFIG, lambda one: one["data"].update(a="theirs")),
    ("a removed value", CONFIG, lambda one: one["data"].pop("a")),
    ("a removed label", CONFIG, lambda one: one["metadata"]["labels"].pop("app")),
    ("a removed map", CONFIG, lambda one: one["metadata"].pop("labels")),
    ("an annotation", CONFIG, lambda one: one["metadata"]["annotations"].update(why="theirs")),
    ("one word of a selector", SERVICE, lambda one: one["spec"]["selector"].update(tier="theirs")),
    ("one word more in a selector", SERVICE, lambda one: one["spec"]["selector"].update(more="theirs")),
    ("a renamed port", SERVICE, lambda one: one["spec"]["ports"][0].update(name="theirs")),
    ("a port's number", SERVICE, lambda one: one["spec"]["ports"][0].update(port=8333)),
    ("a removed port", SERVICE, lambda one: one["spec"]["ports"].pop(0)),
    ("replicas", STATEFUL, lambda one: one["spec"].update(replicas=0)),
    ("an image", STATEFUL, lambda one: container(one).update(image="i:2")),
    ("one argument", STATEFUL, lambda one: container(one)["args"].append("-c")),
    ("an environment variable", STATEFUL, lambda one: container(one)["env"][0].update(value="2")),
    ("a removed environment variable", STATEFUL, lambda one: container(one).pop("env")),
    ("a removed mount", STATEFUL, lambda one: container(one).pop("volumeMounts")),
    ("a removed container", STATEFUL, lambda one: pod(one)["containers"].pop()),
    ("a removed volume", STATEFUL, lambda one: pod(one).pop("volumes")),
    ("a node selector", STATEFUL, lambda one: pod(one)["nodeSelector"].update(zone="z")),
    ("a probe", STATEFUL, lambda one: container(one)["readinessProbe"]["tcpSocket"].update(port=1)),
    ("no owner any more", STATEFUL, lambda one: one["metadata"].pop("ownerReferences")),
)  # fmt: skip


@pytest.mark.parametrize(("manifest", "change"), [row[1:] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_a_field_of_ours_that_somebody_changed_or_removed_is_drift_and_is_put_back(
    manifest: Manifest, change: Callable[[Manifest], object]
) -> None:
    site = Site(manifest)
    good = site.server.get(site.key)
    assert good is not None
    site.edit(change)
    assert site.difference() == "Drifted"
    repaired = site.repaired()
    assert site.difference() is None
    ours = {key: value for key, value in good.items() if key != "metadata"}
    assert {key: repaired[key] for key in ours if key != "spec"} == {key: ours[key] for key in ours if key != "spec"}


ADDED: tuple[tuple[str, Manifest, Callable[[Manifest], object]], ...] = (
    ("a key", CONFIG, lambda one: one["data"].update(c="theirs")),
    ("a label", CONFIG, lambda one: one["metadata"]["labels"].update(team="theirs")),
    ("a finalizer", CONFIG, lambda one: one["metadata"].update(finalizers=["example.com/theirs"])),
    ("another owner", STATEFUL, lambda one: one["metadata"]["ownerReferences"].append({"uid": "v", "name": "w"})),
    ("a port", SERVICE, lambda one: one["spec"]["ports"].append({"name": "more", "port": 2})),
    ("a sidecar", STATEFUL, lambda one: pod(one)["containers"].append({"name": "side", "image": "s"})),
    ("an environment variable", STATEFUL, lambda one: container(one)["env"].append({"name": "B", "value": "2"})),
    ("a limit", STATEFUL, lambda one: container(one).update(resources={"limits": {"memory": "1Gi"}})),
    ("a medium for a volume", STATEFUL, lambda one: pod(one)["volumes"][0].update(emptyDir={"medium": "Memory"})),
    ("a changed default", STATEFUL, lambda one: pod(one).update(dnsPolicy="None")),
)  # fmt: skip


@pytest.mark.parametrize(("manifest", "change"), [row[1:] for row in ADDED], ids=[row[0] for row in ADDED])
def test_what_others_add_is_theirs_and_stays(manifest: Manifest, change: Callable[[Manifest], object]) -> None:
    site = Site(manifest)
    site.edit(change)
    theirs = site.server.get(site.key)
    assert site.difference() is None
    assert site.repaired() == theirs, "applying again would have changed it"


def test_a_change_that_was_applied_and_put_back_by_its_author_needs_a_repair_for_we_lost_the_field() -> None:
    site = Site(CONFIG)
    site.edit(lambda one: one["data"].update(a="theirs"))
    site.edit(lambda one: one["data"].update(a="1"))
    assert site.difference() == "Drifted"
    site.repaired()
    assert site.difference() is None


def test_an_object_that_remembers_no_manager_is_taken_back() -> None:
    live = mark(CONFIG) | {"metadata": mark(CONFIG)["metadata"] | {"managedFields": []}}
    assert difference(mark(CONFIG), live) == "Drifted"


def test_only_what_we_applied_counts_not_what_we_or_others_wrote_otherwise() -> None:
    fields: Manifest = {"f:data": {"f:a": {}}}
    entries = [
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:x": {}}},
        {"manager": FIELD_MANAGER, "operation": "Update", "fieldsV1": {"f:y": {}}},
        {"manager": FIELD_MANAGER, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
        {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields},
    ]
    assert owned({"metadata": {"managedFields": entries}}) == fields
    assert owned({"metadata": {}}) == {}


def test_the_same_port_number_over_tcp_and_udp_are_two_ports() -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}]
    site = Site(SERVICE | {"spec": {"selector": {"app": "x"}, "ports": ports}})
    assert site.difference() is None
    site.edit(lambda one: one["spec"]["ports"].pop(1))
    assert site.difference() == "Drifted"


def test_an_owned_map_of_which_all_content_was_taken_is_not_covered() -> None:
    assert not covers({"f:spec": {".": {}}, "f:metadata": {}}, {"metadata": {"name": "x"}, "spec": {"replicas": 1}})


def test_changes_come_in_the_order_wished_and_only_where_needed() -> None:
    site = Site(CONFIG)
    live = by_ref(filter(None, [site.server.get(site.key)]))
    found = changes([STATEFUL, CONFIG, SERVICE], live)
    assert [(str(one), one.reason) for one in found] == [
        ("apply StatefulSet one (Missing)", "Missing"),
        ("apply Service one (Missing)", "Missing"),
    ]


def test_the_mark_depends_on_content_alone() -> None:
    assert mark(CONFIG) == mark(dict(reversed(CONFIG.items())))
    assert mark(CONFIG) != mark(CONFIG | {"data": {}})
    assert "annotations" in CONFIG["metadata"], "the manifest itself is left as it was"
    assert CONFIG["metadata"]["annotations"] == {"why": "y"}
