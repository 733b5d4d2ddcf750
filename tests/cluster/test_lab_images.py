import json

import pytest

from labkit import catalog

from .conftest import Lab, Room, eventually, pod

BANK = catalog.load().bank


def test_every_image_starts_its_program_and_says_its_version(lab: Lab, room: Room) -> None:
    lab.does("load", *BANK, "--regions", "east")
    room.apply(*(_once(name) for name in BANK))
    eventually(lambda: all(_phase(room, name) in {"Succeeded", "Failed"} for name in BANK), 120, "every program ends")
    for name, image in BANK.items():
        said = room.kubectl("logs", name)
        assert _phase(room, name) == "Succeeded", said
        assert image.says in said, f"{name} says {said!r}, not {image.says}"


def test_loading_again_copies_nothing(lab: Lab) -> None:
    lab.does("load", "redis", "--regions", "east")
    assert lab.does("load", "redis", "--regions", "east").strip() == "every node has them already"


def test_images_says_which_way_each_took(lab: Lab) -> None:
    lines = lab.does("images", "--only", "redis", "--only", "lnd").splitlines()
    assert [line.split()[:3:2] for line in lines] == [["IMAGE", "SUPPLY"], ["redis", "present"], ["lnd", "present"]]


@pytest.mark.parametrize("words", [("images", "--only", "cln"), ("load", "cln")])
def test_an_unknown_image_is_refused_by_name(lab: Lab, words: tuple[str, ...]) -> None:
    assert lab.refuses(*words).startswith("'cln' is no image of the lab; there are: lnd, lnd-older, bitcoind, mongo")


def test_an_image_is_not_loaded_into_a_region_that_is_not(lab: Lab) -> None:
    assert lab.refuses("load", "redis", "--regions", "north").startswith("'north' is no region of the lab")


def _once(name: str) -> dict[str, object]:
    manifest = pod(name, "east", *BANK[name].speaks, image=name)
    manifest["spec"]["restartPolicy"] = "Never"
    return manifest


def _phase(room: Room, name: str) -> str:
    return str(json.loads(room.kubectl("get", "pod", name, "-o", "json"))["status"]["phase"])
