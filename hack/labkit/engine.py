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
from labkit.errors import StepFailed
from labkit.preflight import Host

PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables"}
START_SECONDS = 60
#: On every image that the lab built: the key of what it was built from.
LABEL = "io.bankstack.lab.key"
#: What the host did with forwarded packets before dockerd made it DROP.
_FORWARD = "forward-policy"


def environment() -> dict[str, str]:
    """What the docker and kind commands need to reach the engine in use.

    The lab's own socket wins where it answers, so that a `docker` installed later
    does not split one lab over two engines.
    """
    plain = {"DOCKER_BUILDKIT": "0"}  # the one builder that every engine has
    if _own_socket().exists():
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
    install(PROGRAMS)
    _forget_dead_engine()
    paths.run().mkdir(parents=True, exist_ok=True)
    log = paths.cache() / "logs" / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not (paths.run() / _FORWARD).exists():
        policy = leftovers.forward_policy(run.output("iptables-save", check=False))
        (paths.run() / _FORWARD).write_text(policy, encoding="ascii")
    config = paths.run() / "daemon.json"
    config.write_text(json.dumps(daemon_config(_wrapper(host.missing_capabilities)), indent=1), encoding="utf-8")
    with log.open("ab") as file:
        process = subprocess.Popen(  # it outlives us by design
            ["dockerd", "--config-file", config],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    (paths.run() / "dockerd.pid").write_text(str(process.pid), encoding="ascii")
    _await_answer(process, log)


def install(programs: Mapping[str, str]) -> None:
    """Install the Debian packages of those `programs` (name → package) that are not there."""
    packages = [package for program, package in programs.items() if shutil.which(program) is None]
    if packages:
        run.do("apt-get", "update")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run.do("apt-get", "install", "-y", "--no-install-recommends", *packages, env=quiet)


def daemon_config(wrapper: Path | None) -> dict[str, Any]:
    """Dockerd with everything of its own; the capability wrapper only where one is needed."""
    config: dict[str, Any] = {
        "hosts": [f"unix://{_own_socket()}"],
        "data-root": str(paths.cache() / "engine"),
        "exec-root": str(paths.run() / "exec"),
        "pidfile": str(paths.run() / "docker.pid"),
        "bip": leftovers.BRIDGE,
    }
    if wrapper:
        config |= {"runtimes": {"lab": {"path": str(wrapper)}}, "default-runtime": "lab"}
    return config


def stop() -> None:
    """Stop our engine and take away every trace of it but its data, which are cache."""
    pid = _pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        _await_end()
    _forget_dead_engine()
    for point in leftovers.mounts_below(Path("/proc/self/mounts").read_text(encoding="utf-8"), *_own_folders()):
        run.works("umount", "--lazy", point)
    before = paths.run() / _FORWARD
    policy = before.read_text(encoding="ascii") if before.exists() else "ACCEPT"
    saved = run.output("iptables-save", check=False)
    run.output("iptables-restore", stdin=leftovers.without_engine(saved, policy), check=False)
    if leftovers.BRIDGE in run.output("ip", "-br", "address", "show", "docker0", check=False):
        run.works("ip", "link", "delete", "docker0")
    shutil.rmtree(paths.run(), ignore_errors=True)


def has_leftovers() -> bool:
    """Whether our stopped engine still holds containers: a session that ended without `down`."""
    return any((paths.cache() / "engine" / "containers").glob("*"))


def was_started() -> bool:
    """Whether there is anything to stop or tidy up, alive or dead."""
    return paths.run().exists()


def remove_built_images() -> None:
    """Take what the lab built out of an engine that is not its own."""
    ids = run.output("docker", "images", "-q", "--filter", f"label={LABEL}", env=environment()).split()
    if ids:
        run.do("docker", "rmi", "-f", *sorted(set(ids)), env=environment())


def _own_socket() -> Path:
    return paths.run() / "docker.sock"


def _pid() -> int | None:
    """The process id of our dockerd, if it still lives."""
    return _living("dockerd", paths.run() / "dockerd.pid")


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
        for name in ("docker.sock", "docker.pid", "dockerd.pid"):
            (paths.run() / name).unlink(missing_ok=True)


def _own_folders() -> tuple[str, str]:
    return (str(paths.run()), str(paths.cache() / "engine"))


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


def _await_answer(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StepFailed("The container engine ended as soon as it was started.", log, run.tail(log))
        if _own_socket().exists() and answers():
            return
        time.sleep(0.3)
    raise StepFailed(f"The container engine did not answer within {START_SECONDS} s.", log, run.tail(log))


def _await_end(seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while _pid() is not None and time.monotonic() < deadline:
        time.sleep(0.2)
