import json

from bankstack.engine.frozen import TEMPLATE, change_pending, hold, pending
from bankstack.engine.objects import Manifest


def stateful(image: str = "lnd:1", replicas: int = 1, **annotations: str) -> Manifest:
    pod = {"containers": [{"name": "lnd", "image": image, "args": ["-a"]}], "volumes": [{"name": "data"}]}
    return {
        "metadata": {"name": "lnd1", "annotations": annotations},
        "spec": {"replicas": replicas, "template": {"spec": pod}},
    }


def test_a_new_one_gets_the_wanted_template_and_remembers_it() -> None:
    held = hold(stateful(), None)
    assert held["spec"] == stateful()["spec"]
    assert json.loads(held["metadata"]["annotations"][TEMPLATE]) == stateful()["spec"]["template"]


def test_a_running_one_keeps_the_template_it_was_made_with() -> None:
    live = hold(stateful("lnd:1"), None)
    held = hold(stateful("lnd:2"), live)
    assert held["spec"]["template"] == live["spec"]["template"]
    assert held["metadata"]["annotations"] == live["metadata"]["annotations"]


def test_what_is_not_the_template_still_follows_the_wish() -> None:
    assert hold(stateful(replicas=0), hold(stateful(), None))["spec"]["replicas"] == 0
    assert hold(stateful(why="b"), hold(stateful(why="a"), None))["metadata"]["annotations"]["why"] == "b"


def test_a_template_that_somebody_edited_is_put_back_to_the_first_not_to_the_wish() -> None:
    live = hold(stateful("lnd:1"), None)
    edited = live | {"spec": stateful("theirs:1")["spec"]}
    assert hold(stateful("lnd:2"), edited)["spec"]["template"] == stateful("lnd:1")["spec"]["template"]


def test_one_that_lost_its_memory_is_written_anew() -> None:
    assert hold(stateful("lnd:2"), stateful("lnd:1"))["spec"] == stateful("lnd:2")["spec"]


def test_holding_twice_equals_once() -> None:
    once = hold(stateful(), None)
    assert hold(once, once) == once
    assert hold(stateful("lnd:2"), hold(stateful("lnd:2"), once)) == hold(stateful("lnd:2"), once)


def test_the_wanted_manifest_is_left_as_it_was() -> None:
    wanted = stateful()
    hold(wanted, hold(stateful("lnd:0"), None))
    assert wanted == stateful()


def test_the_wish_is_told_by_the_paths_that_differ() -> None:
    wanted = stateful("lnd:2")
    wanted["spec"]["template"]["spec"]["volumes"].append({"name": "more"})
    wanted["spec"]["template"]["spec"]["priorityClassName"] = "high"
    held = hold(wanted, hold(stateful(), None))
    assert pending(wanted, held) == ("spec.containers[lnd].image", "spec.priorityClassName", "spec.volumes")
    wanted["spec"]["template"]["spec"]["containers"][0]["args"][0] = "-b"
    assert "spec.containers[lnd].args[0]" in pending(wanted, held)


def test_no_wish_no_condition() -> None:
    assert change_pending((), "lnd1") == ()


def test_the_condition_names_five_paths_and_counts_the_rest() -> None:
    (claim,) = change_pending(tuple(f"p{number}" for number in range(7)), "lnd1")
    assert (claim.type, claim.status, claim.reason) == ("ChangePending", "True", "NeedsRestart")
    assert "p0, p1, p2, p3, p4 and 2 more" in claim.message
    (short,) = change_pending(("spec.a",), "lnd1")
    assert "the change of spec.a needs" in short.message
