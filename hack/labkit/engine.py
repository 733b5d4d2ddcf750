"""The container engine: the one that answers, or one of the lab's own.

An engine that answers is used and never touched. Where none does, on Debian or
Ubuntu as root, one is installed from the machine's packages and started with its
own socket, data and bridge, so that `down` can stop it and `clean` remove it
without a trace in anybody's Docker.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labkit import capabilities, leftovers, paths, run, sandbox
from labkit.errors import Refused, StepFailed
from labkit.preflight import Host

PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables", "ip": "iproute2"}
START_SECONDS = 60
#: On every image that the lab built: the key of what it was built from.
LABEL = "io.bankstack.lab.key"
#: In the run folder: what the host did with forwarded packets before dockerd made it
#: DROP, and whose cache holds the engine's data.
_FORWARD = "forward-policy"
_OWNER = "cache"


def environment() -> dict[str, str]:
    """What the docker and kind commands need to reach the engine in use.

    The lab's own socket wins where it answers, so that a `docker` installed later
    does not split one lab over two engines.
    """
    plain = {"DOCKER_BUILDKIT": "0"}  # the one builder that every engine has
    if os.geteuid() == 0 and _own_socket().exists():  # in a folder others can write it could be anybody's
        return {**plain, "DOCKER_HOST": f"unix://{_own_socket()}"}
    return plain


def answers() -> bool:
    """Whether an engine, ours or another, can be used right now."""
    return run.works("docker", "info", env=environment(), timeout=10)


def is_ours() -> bool:
    """Whether the engine in use was started by the lab."""
    return _own_socket().exists() and answers()


def start(host: Host) -> None:
    """Install what is missing, start dockerd detached, wait until it answers."""
    if _pid() is None:
        install(PROGRAMS)
        if answers():  # where systemd rules, the package starts an engine itself: it is as good as ours
            return
        _forget_dead_engine()
        _make_room()
        _launch(_wrapper(host.missing_capabilities))
    _await_answer()


def refuse_other_cache() -> None:
    """One machine has one engine of the lab's, and its data are in the cache it was started with."""
    owner = paths.run() / _OWNER
    if owner.exists() and owner.read_text(encoding="utf-8") != str(paths.cache()):
        raise Refused(
            f"The lab's engine keeps its data in {owner.read_text(encoding='utf-8')}, not in {paths.cache()}: "
            "set XDG_CACHE_HOME as it was, and `hack/lab down` before you change it."
        )


def _make_room() -> None:
    """The run folder, the bridge, and how the host forwarded before; refuses where another engine left off."""
    saved, links = run.output("iptables-save", check=False), run.output("ip", "-br", "link")
    paths.run().mkdir(parents=True, exist_ok=True)
    (paths.run() / _OWNER).write_text(str(paths.cache()), encoding="utf-8")
    before = paths.run() / _FORWARD
    if not before.exists():
        if trace := leftovers.of_another_engine(saved, links):
            shutil.rmtree(paths.run())
            raise Refused(
                f"No container engine answers, but one has been here ({trace}): start it (`systemctl start docker`), "
                "or remove it and what it left, then try again."
            )
        before.write_text(leftovers.forward_policy(saved), encoding="ascii")
    if leftovers.BRIDGE not in links:
        run.output("ip", "link", "add", leftovers.BRIDGE, "type", "bridge")
    run.output("ip", "address", "replace", leftovers.BRIDGE_ADDRESS, "dev", leftovers.BRIDGE)
    run.output("ip", "link", "set", leftovers.BRIDGE, "up")


def _launch(wrapper: Path | None) -> None:
    config = paths.run() / "daemon.json"
    config.write_text(json.dumps(daemon_config(wrapper), indent=1), encoding="utf-8")
    _log().parent.mkdir(parents=True, exist_ok=True)
    with _log().open("ab") as file:
        subprocess.Popen(  # it outlives us by design; it writes its pid file itself
            ["dockerd", "--config-file", config],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def install(programs: Mapping[str, str]) -> None:
    """Install the Debian packages of those `programs` (name → package) that are not there.

    Not ended with us: a package manager killed half way leaves a machine that can
    install nothing until somebody repairs it.
    """
    packages = [name for program, names in programs.items() if shutil.which(program) is None for name in names.split()]
    if not packages:
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    patient = ("apt-get", "-o", "DPkg::Lock::Timeout=300")
    run.do("dpkg", "--configure", "-a", env=quiet, ends_with_us=False)
    run.do(*patient, "update", ends_with_us=False)
    run.do(*patient, "install", "-y", "--no-install-recommends", *packages, env=quiet, ends_with_us=False)


def daemon_config(wrapper: Path | None) -> dict[str, Any]:
    """Dockerd with everything of its own; the capability wrapper only where one is needed."""
    config: dict[str, Any] = {
        "hosts": [f"unix://{_own_socket()}"],
        "data-root": str(paths.cache() / "engine"),
        "exec-root": str(paths.run() / "exec"),
        "pidfile": str(paths.run() / "docker.pid"),
        "bridge": leftovers.BRIDGE,
    }
    if wrapper:
        config |= {"runtimes": {"lab": {"path": str(wrapper)}}, "default-runtime": "lab"}
    return config


def stop() -> None:
    """Stop our engine and take away every trace of it but its data, which are cache."""
    _end()
    _forget_dead_engine()
    _unmount_below(str(paths.run()), str(paths.cache() / "engine"))
    before = paths.run() / _FORWARD
    if before.exists():
        saved = run.output("iptables-save", check=False)
        policy = before.read_text(encoding="ascii")
        run.output("iptables-restore", stdin=leftovers.without_engine(saved, policy), check=False)
        run.works("ip", "link", "delete", leftovers.BRIDGE)
    shutil.rmtree(paths.run(), ignore_errors=True)


def tidy_scratch() -> None:
    """Remove what killed builds left: root file systems, with what debootstrap mounted in them, and archives."""
    scratch = paths.cache() / "scratch"
    _unmount_below(str(scratch))
    shutil.rmtree(scratch, ignore_errors=True)


def has_leftovers() -> bool:
    """Whether our stopped engine still holds containers: a session that ended without `down`."""
    return any((paths.cache() / "engine" / "containers").glob("*"))


def was_started() -> bool:
    """Whether there is anything to stop or tidy up, alive or dead."""
    return paths.run().exists()


def _own_socket() -> Path:
    return paths.run() / "docker.sock"


def _log() -> Path:
    return paths.cache() / "logs" / "dockerd.log"


def _unmount_below(*folders: str) -> None:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    for point in leftovers.mounts_below(mounts, *folders):
        run.works("umount", "--lazy", point)


def _pid() -> int | None:
    """The process id of our dockerd, if it still lives."""
    return _living("dockerd", paths.run() / "docker.pid")


def _living(name: str, file: Path) -> int | None:
    """The id in a pid file, if a process of that name still is one; a zombie is not."""
    try:
        pid = int(file.read_text(encoding="ascii"))
        _, found, state = re.split(r"[()]", Path(f"/proc/{pid}/stat").read_text(encoding="ascii"))[:3]
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if found == name and state.split()[0] != "Z" else None


def _forget_dead_engine() -> None:
    """A killed dockerd leaves pid files, and takes its own zombie, or containerd's, for alive."""
    containerd = paths.run() / "exec" / "containerd" / "containerd.pid"
    if _living("containerd", containerd) is None:
        containerd.unlink(missing_ok=True)
    if _pid() is None:
        for name in ("docker.sock", "docker.pid"):
            (paths.run() / name).unlink(missing_ok=True)


def _wrapper(missing: Sequence[int]) -> Path | None:
    """The executable that dockerd takes for runc; absolute interpreter, no site-packages: it runs often."""
    if not missing:
        return None
    path = paths.run() / "lab-runtime"
    code = Path(shutil.copy(sandbox.__file__, paths.run()))  # the engine outlives this checkout
    names = ",".join(capabilities.NAMES[bit] for bit in missing if bit < len(capabilities.NAMES))
    path.write_text(
        f'#!/bin/sh\nLAB_MISSING_CAPABILITIES={names} exec {sys.executable} -I -S {code} "$@"\n', encoding="utf-8"
    )
    path.chmod(0o755)
    return path


def _await_answer() -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            raise StepFailed(f"The container engine did not answer in {START_SECONDS} s.", _log(), run.tail(_log()))
        time.sleep(0.3)


def _end(seconds: float = 30) -> None:
    """SIGTERM, and SIGKILL where that was not enough."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        if (pid := _pid()) is not None:
            os.kill(pid, number)
        while _pid() is not None and time.monotonic() < deadline:
            time.sleep(0.2)
    if _pid() is not None:
        raise StepFailed(f"The lab's engine (process {_pid()}) does not end; end it, then run this again.")
