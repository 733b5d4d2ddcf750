from dataclasses import replace

import pytest

from labkit import preflight
from labkit.errors import Refused
from labkit.preflight import GIB, Host

FINE = Host(
    free_disk=100 * GIB,
    free_memory=16 * GIB,
    cgroup=2,
    root=False,
    docker_group=True,
    engine=True,
    debian=True,
    missing_capabilities=(),
    built=False,
    running=False,
)


def test_a_fine_machine_passes() -> None:
    preflight.require(FINE)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        (replace(FINE, free_disk=3 * GIB), "3.0 GiB free and the lab needs 22: free some"),
        (replace(FINE, free_disk=3 * GIB, built=True), "the lab needs 8: free some"),
        (replace(FINE, free_memory=GIB), "1.0 GiB of memory are free and the lab needs 4"),
        (replace(FINE, cgroup=0), "No cgroup file system is mounted"),
        (replace(FINE, engine=False), "systemctl start docker"),
        (replace(FINE, engine=False, docker_group=False), "neither root nor in the group docker"),
        (replace(FINE, engine=False, docker_group=False, root=True, debian=False), "install Docker and start it"),
    ],
)
def test_each_failing_check_is_one_sentence_with_its_cure(host: Host, sentence: str) -> None:
    (said,) = preflight.failures(host)
    assert sentence in said


def test_root_on_debian_needs_no_engine_of_its_own() -> None:
    assert preflight.failures(replace(FINE, engine=False, docker_group=False, root=True)) == []


def test_every_failing_check_is_told_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        preflight.require(replace(FINE, cgroup=0, free_disk=0))
    assert len(str(refusal.value).splitlines()) == 2
    assert refusal.value.exit_code == 2


def test_this_machine_can_be_read() -> None:
    host = preflight.look(engine=False, built=False, running=False)
    assert host.free_disk > 0
    assert host.free_memory > 0


def test_a_running_lab_has_taken_its_memory_already() -> None:
    assert preflight.failures(replace(FINE, free_memory=0, running=True)) == []


def test_another_system_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(Refused, match="this is Darwin: use a Linux virtual machine"):
        preflight.require_linux()
