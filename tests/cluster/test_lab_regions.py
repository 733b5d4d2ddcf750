import time
from itertools import pairwise

import pytest

from .conftest import Lab, Room, claim, eventually, pod, web

WRITER = """
import time, urllib.request
while True:
    try: urllib.request.urlopen("http://{address}:8000", timeout=1); heard = "yes"
    except OSError: heard = "no"
    open("/data/log", "a").write(f"{{time.time()}} {{heard}}\\n")
    time.sleep(0.2)
"""


@pytest.fixture
def writer(room: Room) -> Room:
    """A pod in the west that writes twice a second whether it can reach the east."""
    room.apply(web("server", "east"), claim("log"))
    room.await_ready("server")
    address = room.get("pod", "server")["status"]["podIP"]
    room.apply(pod("writer", "west", "python", "-c", WRITER.format(address=address), claim="log"))
    room.await_ready("writer")
    return room


def test_a_cut_off_region_goes_on_alone_and_comes_back(lab: Lab, writer: Room) -> None:
    node = lab.node_of("west")
    cut_at = time.time()
    lab.does("cut", "west")
    lab.does("cut", "west")
    try:
        eventually(lambda: not lab.is_ready(node), 40, "west is NotReady")
        assert "everybody" in next(line for line in lab.does("status").splitlines() if line.startswith(node))
    finally:
        lab.does("heal", "west")
    assert eventually(lambda: lab.is_ready(node), 30, "west is Ready again") < 30
    alone = [line for line in _log(writer) if cut_at + 3 < float(line.split()[0]) < cut_at + 15]
    assert len(alone) >= 5, "the process kept running while cut off"
    assert {line.split()[1] for line in alone} == {"no"}, "and reached nobody"
    eventually(lambda: _log(writer)[-1].endswith("yes"), 20, "the east is heard again")
    assert writer.get("pod", "writer")["status"]["containerStatuses"][0]["restartCount"] == 0


def test_two_regions_cut_from_each_other_still_reach_the_third(lab: Lab, room: Room) -> None:
    for region in ("east", "west", "central"):
        room.apply(web(region, region))
    room.await_ready("east", "west", "central")
    url = {
        region: f"http://{room.get('pod', region)['status']['podIP']}:8000" for region in ("east", "west", "central")
    }
    lab.does("cut", "west", "--from", "east")
    try:
        assert room.unreachable("west", *url.values()) == [url["east"]]
        assert room.unreachable("east", *url.values()) == [url["west"]]
        assert lab.is_ready(lab.node_of("west"))
    finally:
        lab.does("heal", "west")
    assert room.unreachable("west", *url.values()) == []
    assert room.unreachable("east", *url.values()) == []


def test_a_node_that_lost_power_comes_back_with_its_address_and_its_volumes(lab: Lab, writer: Room) -> None:
    node = lab.node_of("west")
    before = lab.get("node", node)["status"]["addresses"]
    lab.does("kill-node", "west")
    eventually(lambda: not lab.is_ready(node), 40, "west is NotReady")
    lab.does("start-node", "west")
    back = time.time()
    assert lab.get("node", node)["status"]["addresses"] == before
    eventually(lambda: _hears_since(writer, back), 60, "the writer is back and hears the east")
    gap = _longest_silence(writer)
    assert gap > 5, f"it was off (longest silence {gap:.1f} s)"


def test_an_unknown_region_is_refused_and_nothing_changes(lab: Lab) -> None:
    for command in ("cut", "heal", "kill-node", "start-node"):
        assert lab.refuses(command, "north") == "'north' is no region of the lab; there are: central, east, west."
    assert lab.refuses("cut", "west", "--from", "west").startswith(
        "--from west: a region cannot be cut off from itself"
    )
    assert "everybody" not in lab.does("status")


def _hears_since(room: Room, moment: float) -> bool:
    written, heard = _log(room)[-1].split()
    return float(written) > moment and heard == "yes"


def _log(room: Room) -> list[str]:
    ended = room.lab.asks("-n", room.name, "exec", "writer", "--", "cat", "/data/log")
    return ended.stdout.splitlines() or ["0 none"]


def _longest_silence(room: Room) -> float:
    times = [float(line.split()[0]) for line in _log(room)]
    return max(later - earlier for earlier, later in pairwise(times))
