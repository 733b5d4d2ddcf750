"""What must hold before the lab begins, each failing check one sentence with the cure.

`Host` is read once (`look`); the checks are pure. Nothing here changes anything.
"""

import grp
import os
import platform
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit import paths, sandbox
from labkit.errors import Refused

GIB = 1024**3
#: Measured: Go's caches 7 GiB, images in the engine 6 GiB, three nodes 5 GiB.
DISK_TO_BUILD = 22 * GIB
DISK_TO_RUN = 8 * GIB
#: Measured: four nodes idle 1.5 GiB; linking Kubernetes 3 GiB.
MEMORY = 4 * GIB


@dataclass(frozen=True)
class Host:
    """The machine, as far as the lab cares. Sizes in bytes."""

    free_disk: int
    free_memory: int
    cgroup: int
    """1 or 2; 0 where none is mounted."""
    root: bool
    docker_group: bool
    engine: bool
    """A container engine answers."""
    debian: bool
    """apt-get can install one."""
    missing_capabilities: tuple[int, ...]
    built: bool
    """The node image is there, so nothing large will be built."""
    running: bool
    """A lab is up, so its memory is taken already."""


def look(*, engine: bool, built: bool, running: bool) -> Host:
    """Read the machine. What is given are answers only the caller has."""
    return Host(
        free_disk=shutil.disk_usage(_existing(paths.cache())).free,
        free_memory=_available_memory(),
        cgroup=_cgroup(),
        root=os.geteuid() == 0,
        docker_group=_in_docker_group(),
        engine=engine,
        debian=shutil.which("apt-get") is not None,
        missing_capabilities=_missing_capabilities(),
        built=built,
        running=running,
    )


def has_disk(host: Host) -> str | None:
    """A full disk in the middle of a build leaves a day's confusion."""
    need = DISK_TO_RUN if host.built else DISK_TO_BUILD
    if host.free_disk >= need:
        return None
    return (
        f"{paths.cache()} has {host.free_disk / GIB:.1f} GiB free and the lab needs {need // GIB}: "
        "free some, or set XDG_CACHE_HOME to a larger disk."
    )


def has_memory(host: Host) -> str | None:
    """Out of memory shows as nodes that never get Ready."""
    if host.running or host.free_memory >= MEMORY:
        return None
    return (
        f"{host.free_memory / GIB:.1f} GiB of memory are free and the lab needs {MEMORY // GIB}: stop something large."
    )


def has_cgroups(host: Host) -> str | None:
    """Without cgroups no container starts."""
    if host.cgroup:
        return None
    return "No cgroup file system is mounted at /sys/fs/cgroup: mount one (cgroup2 on any recent kernel)."


def reaches_an_engine(host: Host) -> str | None:
    """An engine that answers, or the right and the means to start one."""
    if host.engine or (host.root and host.debian):
        return None
    if host.docker_group:
        return "No container engine answers: start Docker (`systemctl start docker`), then try again."
    if not host.root:
        return (
            "No container engine answers and this user is neither root nor in the group docker: "
            "start Docker and add yourself (`usermod -aG docker $USER`), or run as root on Debian or Ubuntu."
        )
    return "No container engine answers and this is neither Debian nor Ubuntu: install Docker and start it."


CHECKS: tuple[Callable[[Host], str | None], ...] = (has_cgroups, has_disk, has_memory, reaches_an_engine)


def failures(host: Host, checks: Iterable[Callable[[Host], str | None]] = CHECKS) -> list[str]:
    """All sentences at once: a person mends them in one go."""
    return [sentence for check in checks if (sentence := check(host))]


def require_linux() -> None:
    """Regions are cut with the kernel's own packet filter; read before anything of /proc is."""
    if platform.system() != "Linux":
        raise Refused(f"The lab runs on Linux, this is {platform.system()}: use a Linux virtual machine.")


def require(host: Host) -> None:
    """Refused with every failing check, or nothing."""
    if sentences := failures(host):
        raise Refused("\n".join(sentences))


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _cgroup() -> int:
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return 2
    return 1 if Path("/sys/fs/cgroup/memory").exists() else 0


def _in_docker_group() -> bool:
    try:
        return grp.getgrnam("docker").gr_gid in os.getgroups()
    except KeyError:
        return False


def _missing_capabilities() -> tuple[int, ...]:
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    return tuple(sandbox.missing_bits(Path("/proc/self/status").read_text(encoding="ascii"), last))
