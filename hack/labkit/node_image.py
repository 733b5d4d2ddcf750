"""Putting the cluster's own images into the node image, so that a node starts without a registry.

Done as kind does it: a container of the bare node image, its containerd fed with
the archive, the container committed. Layers stay packed until a node boots: the
engine's overlay cannot carry containerd's own.
"""

import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from labkit import engine, paths, run
from labkit.build import bare
from labkit.catalog import Image
from labkit.errors import StepFailed

#: At most one, and only while the node image is built.
_CONTAINER = "bankstack-lab-preload"
_ENTRYPOINT = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'


def preload(image: Image, system: Sequence[Image]) -> None:
    """`image` = its bare form + `system`; the name is given last, when all is in."""
    env = engine.environment()
    remove_debris()
    run.do(
        *("docker", "run", "-d", "--privileged", "--name", _CONTAINER, "--entrypoint", "sleep", bare(image), "3600"),
        env=env,
    )
    try:
        run.do("docker", "exec", "-d", _CONTAINER, "containerd", env=env)
        _await_containerd()
        references = [name for part in system for name in (part.reference, *part.aliases)]
        with tempfile.TemporaryDirectory(prefix="lab-", dir=paths.scratch()) as folder:
            archive = Path(folder) / "images.tar"
            run.do("docker", "save", "-o", archive, *references, env=env)
            feed(_CONTAINER, archive, unpack=False)
        run.do("docker", "exec", _CONTAINER, "pkill", "containerd", env=env)
        run.do("docker", "commit", "-c", _ENTRYPOINT, "-c", "CMD []", _CONTAINER, image.reference, env=env)
    finally:
        remove_debris()


def remove_debris() -> None:
    """What a killed preload left running."""
    run.works("docker", "rm", "-f", "-v", _CONTAINER, env=engine.environment())


def feed(node: str, archive: Path, *, unpack: bool = True) -> None:
    """Import an archive of `docker save` into the containerd of a node."""
    importing = ["ctr", "--namespace=k8s.io", "images", "import", "--digests"]
    importing += ["--snapshotter=overlayfs"] if unpack else ["--no-unpack"]
    command = ["docker", "exec", "-i", node, *importing, "-"]
    run.do("sh", "-c", f"exec {shlex.join(command)} < {shlex.quote(str(archive))}", env=engine.environment())


def _await_containerd(seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not run.works("docker", "exec", _CONTAINER, "ctr", "version", env=engine.environment()):
        if time.monotonic() > deadline:
            raise StepFailed(f"containerd did not start in the node image within {seconds:.0f} s.")
        time.sleep(0.3)
