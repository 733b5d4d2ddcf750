"""Last in the run (see `hack/test`): these take the lab down and bring it up in other shapes."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from labkit import engine, paths

from .conftest import LAB, Lab, Room, eventually, web

#: Points at which `up` is killed, drawn once per run of the suite; printed on failure.
SEED = int(os.environ.get("LAB_SEED", "21"))
KILLS = int(os.environ.get("LAB_KILLS", "5"))
#: In soak every killed `up` is followed by a whole one; in CI the next kill comes first.
FULL = "LAB_KILL_FULL" in os.environ


def test_up_again_builds_and_makes_nothing(lab: Lab) -> None:
    began = time.monotonic()
    ended = lab("up")
    assert ended.returncode == 0
    assert time.monotonic() - began < 60
    assert not [line for line in ended.stderr.splitlines() if line.startswith(("✓ build", "✓ compile", "✓ create"))]


def test_a_running_lab_is_not_reshaped(lab: Lab) -> None:
    assert lab.refuses("up", "--regions", "north").startswith("The lab already runs east, west, central in 1 cluster")
    assert lab.refuses("up", "--clusters", "4").startswith("The lab already runs")
    assert lab.refuses("up", "--regions", "No/rth").startswith("--regions: 'No/rth' is no region name")


def test_a_cluster_of_our_name_that_is_not_ours_is_left_alone(lab: Lab) -> None:
    with _container("--label", "io.x-k8s.kind.cluster=bankstack") as stranger:
        assert lab.refuses("up").startswith("There is a kind cluster 'bankstack' that this lab did not make")
        assert _docker("inspect", "-f", "{{.State.Status}}", stranger) == "created"
    assert len(lab.does("kubectl", "get", "nodes", "--no-headers").splitlines()) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_small_disk_is_refused_before_anything_is_done(lab: Lab, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", tmp_path], check=True)
    try:
        sentence = lab.refuses("up", XDG_CACHE_HOME=str(tmp_path))
        assert "0.1 GiB free and the lab needs 8: free some, or set XDG_CACHE_HOME to a larger disk." in sentence
        assert {path.name for path in (tmp_path / "bankstack-lab").iterdir()} == {".lock"}
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_up_can_be_killed_anywhere_and_run_again(lab: Lab) -> None:
    lab.does("down")
    points = [round(random.Random(SEED + n).uniform(0.5, 20), 1) for n in range(KILLS)]  # noqa: S311 - a seeded draw
    for seconds in points:
        process = subprocess.Popen(
            [LAB, "up", "--regions", "east"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if FULL:
            assert lab("up").returncode == 0, f"killed after {seconds} s"
            lab.does("down")
    ended = lab("up")
    assert ended.returncode == 0, f"killed after {points} s: {ended.stderr}"
    assert [lab.is_ready(node) for node in ("bankstack-control-plane", "bankstack-worker")] == [True, True]


def test_a_lab_whose_engine_was_killed_is_made_anew(lab: Lab) -> None:
    if not engine.is_ours():
        pytest.skip("the engine is not the lab's to kill")
    os.kill(int((paths.run() / "docker.pid").read_text()), signal.SIGKILL)
    eventually(lambda: not engine.answers(), 20, "the engine is gone")
    lab.does("up")
    assert lab.is_ready("bankstack-worker")


def test_two_clusters_on_one_network_reach_each_others_pods(lab: Lab) -> None:
    lab.does("down")
    lab.does("up", "--regions", "east,west", "--clusters", "2")
    lab.does("load", "python")
    rooms = {"east": Room(lab, "default", "kind-bankstack"), "west": Room(lab, "default", "kind-bankstack-2")}
    eventually(lambda: all(room.get("sa")["items"] for room in rooms.values()), 30, "the namespaces are set up")
    for region, room in rooms.items():
        room.apply(web(region, region))
        room.await_ready(region)
    for here, there in (("east", "west"), ("west", "east")):
        assert rooms[here].unreachable(here, _url(rooms[there], there)) == []
    lab.does("cut", "east")
    url = _url(rooms["east"], "east")
    assert rooms["west"].unreachable("west", url) == [url], "a cut holds between clusters too"


def test_down_leaves_only_the_cache(lab: Lab) -> None:
    ours = engine.is_ours()
    assert ours or not engine.was_started()
    lab.does("down")
    assert not (paths.cache() / "clusters").exists()
    assert not paths.kubeconfig().exists()
    if ours:
        assert not paths.run().exists()
        links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        assert "bankstack0" not in links
        assert "DOCKER" not in rules
        assert "bankstack-lab" not in mounts
        assert not _processes("bankstack-lab")
    assert lab.refuses("kubectl", "get", "nodes") == "No lab is running: `hack/lab up` first."
    assert lab.refuses("cut", "west") == "No lab is running: `hack/lab up` first."


def _url(room: Room, pod: str) -> str:
    return f"http://{room.get('pod', pod)['status']['podIP']}:8000"


def _processes(word: str) -> list[str]:
    found = subprocess.run(["pgrep", "--full", "--list-full", word], capture_output=True, text=True, check=False).stdout
    return found.splitlines()


def _docker(*words: str) -> str:
    command = ["docker", *words]
    environment = os.environ | engine.environment()
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


class _container:  # noqa: N801 - read as a word
    """A container of somebody else, gone afterwards."""

    def __init__(self, *options: str) -> None:
        self._options = options

    def __enter__(self) -> str:
        self._id = _docker("create", *self._options, "registry.k8s.io/pause:3.10.1")
        return self._id

    def __exit__(self, *_: object) -> None:
        _docker("rm", "-f", self._id)
