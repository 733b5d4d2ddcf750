from tests.simulation import toy

from bankstack.engine import manifests
from bankstack.engine.declared import Declared
from bankstack.engine.model import PodOverride
from bankstack.engine.objects import OWNER_LABEL, Manifest
from bankstack.engine.ports import Subject

ONE: Subject = Declared(
    "Toy", "one", "bank", "u", 1, toy.ToySpec(), toy.ToyStatus(), {"metadata": {"labels": {"a": "b"}}}
)
LABELS = {
    "app.kubernetes.io/name": "rpc",
    "app.kubernetes.io/instance": "one",
    "app.kubernetes.io/managed-by": "bankstack",
    OWNER_LABEL: "Toy.one",
}
SPEC: Manifest = {"containers": [{"name": "main"}, {"name": "side"}]}


def test_what_is_owned_goes_with_its_resource() -> None:
    assert manifests.owned(ONE, "rpc", "one-rpc") == {
        "name": "one-rpc",
        "namespace": "bank",
        "labels": LABELS,
        "ownerReferences": [
            {"apiVersion": "bankstack.io/v1alpha1", "kind": "Toy", "name": "one", "uid": "u", "controller": True}
        ],
    }


def test_what_is_retained_has_no_owner_and_is_marked() -> None:
    meta = manifests.retained(ONE, "rpc", "one-data", made_at="t")
    assert meta == {
        "name": "one-data",
        "namespace": "bank",
        "labels": LABELS | {"bankstack.io/retain": "true"},
        "annotations": {"bankstack.io/made-at": "t"},
    }


def test_a_parents_labels_are_never_copied_for_gitops_tools_would_prune_the_children() -> None:
    assert "a" not in manifests.labels(ONE, "rpc")


def test_pods_are_found_by_labels_that_never_change() -> None:
    assert manifests.selector(ONE, "rpc").items() <= LABELS.items()


def test_a_secret_opens_to_what_was_put_in() -> None:
    files = {"password": b"\x00\xff", "empty": b""}
    assert manifests.opened(manifests.secret({"name": "s"}, files)) == files
    assert manifests.opened({"data": None}) == {}


def test_a_configuration_cannot_be_changed_under_its_name() -> None:
    assert manifests.config_map({"name": "c"}, {"a": "1"}) == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "immutable": True, "data": {"a": "1"},
    }  # fmt: skip


def test_a_service_has_the_same_ports_on_both_sides() -> None:
    made = manifests.service({"name": "s"}, {"a": "b"}, {"rpc": 8332}, clusterIP="None")
    ports = [{"name": "rpc", "port": 8332, "targetPort": 8332}]
    assert made["spec"] == {"selector": {"a": "b"}, "ports": ports, "clusterIP": "None"}


def test_a_claim_is_for_one_pod_and_names_a_class_only_when_asked() -> None:
    spec = {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "1Gi"}}}
    assert manifests.claim({}, "1Gi", None)["spec"] == spec
    assert manifests.claim({}, "1Gi", "fast", "ReadWriteOnce")["spec"] == spec | {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
    }


def test_a_stateful_set_is_one_pod_that_is_replaced_only_when_deleted() -> None:
    spec = manifests.stateful_set({"name": "s"}, {"a": "b"}, {"spec": SPEC}, "svc")["spec"]
    assert (spec["replicas"], spec["updateStrategy"]) == (1, {"type": "OnDelete"})
    assert (spec["selector"], spec["serviceName"]) == ({"matchLabels": {"a": "b"}}, "svc")


def test_no_pod_of_ours_is_evicted_without_a_person() -> None:
    assert manifests.disruption_budget({}, {"a": "b"})["spec"]["maxUnavailable"] == 0


def test_only_those_named_may_reach_a_pod() -> None:
    spec = manifests.network_policy({}, {"a": "b"}, [{"ports": [{"port": 1}]}])["spec"]
    assert (spec["policyTypes"], spec["ingress"]) == (["Ingress"], [{"ports": [{"port": 1}]}])


def test_containers_and_pods_keep_to_the_restricted_standard() -> None:
    assert manifests.HARDENED["capabilities"] == {"drop": ["ALL"]}
    assert manifests.HARDENED["readOnlyRootFilesystem"]
    assert manifests.pod_security(1000)["runAsNonRoot"]
    assert manifests.pod_security(1000)["seccompProfile"] == {"type": "RuntimeDefault"}


def test_without_an_override_a_template_is_what_was_given() -> None:
    assert manifests.pod_template({"a": "b"}, SPEC, None) == {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}


def test_an_empty_override_changes_nothing() -> None:
    assert manifests.pod_template({"a": "b"}, SPEC, PodOverride()) == manifests.pod_template({"a": "b"}, SPEC, None)


def test_users_add_to_a_pod_and_take_nothing_away() -> None:
    override = PodOverride.model_validate(
        {
            "labels": {"team": "x", "a": "theirs"},
            "annotations": {"note": "n"},
            "resources": {"limits": {"memory": "1Gi"}},
            "imagePullSecrets": ["registry"],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "k"}],
            "priorityClassName": "high",
        }
    )
    made = manifests.pod_template({"a": "b"}, SPEC, override)
    assert made["metadata"] == {"labels": {"team": "x", "a": "b"}, "annotations": {"note": "n"}}
    assert made["spec"] == {
        "containers": [{"name": "main", "resources": {"limits": {"memory": "1Gi"}}}, {"name": "side"}],
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "k"}],
        "priorityClassName": "high",
    }
    assert SPEC == {"containers": [{"name": "main"}, {"name": "side"}]}, "the spec given is left as it was"
