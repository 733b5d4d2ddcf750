"""What the kernel says of a pod's processes: every node of the lab runs on it, and no kubelet can be wrong about it.

It only looks; who strikes is the story.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
#: Far less than any LND needs to open its database.
_EVERY_SECONDS = 0.1


@dataclass
class Sighting:
    """How often was looked, and the most processes of one program in one pod's name that were seen at once."""

    looks: int = 0
    most: int = 0
    seen: set[int] = field(default_factory=set)


@contextmanager
def watched(program: str, pod: str) -> Iterator[Sighting]:
    """Looks at processes `program` of pods named `pod` until the block's end."""
    sighting, over = Sighting(), threading.Event()
    watch = threading.Thread(target=_look, args=(sighting, over, program, pod), daemon=True)
    watch.start()
    try:
        yield sighting
    finally:
        over.set()
        watch.join()


def _look(sighting: Sighting, over: threading.Event, program: str, pod: str) -> None:
    while not over.wait(_EVERY_SECONDS):
        running = {process for process in _running(program) if _is_of(process, pod)}
        sighting.looks += 1
        sighting.most = max(sighting.most, len(running))
        sighting.seen |= running


def _running(program: str) -> Iterator[int]:
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and _read(folder / "comm").strip() == program.encode():
            yield int(folder.name)


def _is_of(process: int, pod: str) -> bool:
    return f"HOSTNAME={pod}".encode() in _read(_PROC / str(process) / "environ").split(b"\0")


def _read(path: Path) -> bytes:
    """Nothing of a process that has just ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
