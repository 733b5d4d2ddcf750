from dataclasses import replace

import pytest

from labkit import preflight
from labkit.errors import Refused
from labkit.preflight import GIB, Host

FINE = Host(
    system="Linux",
    machine="x86_64",
    free_disk=100 * GIB,
    free_memory=16 * GIB,
    cgroup=2,
    root=False,
    docker_group=True,
    engine=True,
    debian=True,
    missing_capabilities=(),
    built=False,
)


def test_a_fine_machine_passes() -> None:
    preflight.require(FINE)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        (replace(FINE, system="Darwin"), "use a Linux virtual machine"),
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
    host = preflight.look(engine=False, built=False)
    assert host.free_disk > 0
    assert host.free_memory > 0
