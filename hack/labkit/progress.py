"""Steps as a person likes to see them: what, how long so far, how long last time.

On a terminal one line per step, alive; elsewhere (CI) one line when it is done.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from labkit import run
from labkit.errors import LabError


class Steps:
    """One command's steps. Times are kept in `memory`, a JSON file of seconds by step."""

    def __init__(self, logs: Path, memory: Path) -> None:
        self._logs = logs
        self._memory = memory
        self._times: dict[str, float] = _read(memory)
        self._alive = sys.stderr.isatty() and "CI" not in os.environ
        self._writing = threading.Lock()

    @contextmanager
    def step(self, title: str, key: str = "") -> Iterator[None]:
        """Show `title` while the body runs; on failure the log and its end are shown by `cli`."""
        key = key or title
        run.log_to(self._logs / f"{_slug(key)}.log")
        began = time.monotonic()
        # One line is alive at a time: what runs beside it is told of when it is done.
        shown = self._alive and threading.current_thread() is threading.main_thread()
        with _Ticker(title, self._times.get(key), shown=shown):
            try:
                yield
            except LabError:
                self._say(f"✗ {title}", time.monotonic() - began)
                raise
        seconds = time.monotonic() - began
        self._say(f"✓ {title}", seconds)
        with self._writing:
            self._times[key] = round(seconds, 1)
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_text(json.dumps(self._times, indent=1, sort_keys=True), encoding="utf-8")

    def note(self, text: str) -> None:
        """One line that is not a step: a fact a person will want later."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def _say(self, text: str, seconds: float) -> None:
        print(f"{text:<64} {duration(seconds):>8}", file=sys.stderr, flush=True)


class _Ticker:
    """Redraws one line each half second until the step ends."""

    def __init__(self, title: str, last: float | None, *, shown: bool) -> None:
        self._text = f"… {title}"
        self._last = f" (last time {duration(last)})" if last else ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True) if shown else None

    def __enter__(self) -> None:
        if self._thread:
            self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _tick(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(0.5):
            seconds = duration(time.monotonic() - began)
            print(f"\r\033[K{self._text:<64} {seconds:>8}{self._last}", end="", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """`7.2 s` or `3 min 05 s`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def _slug(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")


def _read(memory: Path) -> dict[str, float]:
    try:
        return dict(json.loads(memory.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}
