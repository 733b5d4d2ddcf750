"""When a plan was in which step, by a watch: to the millisecond, and without asking for it three times a second.

What a plan says itself are whole seconds. And a story that measures must not be what the machine is busy with.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bankstack.kinds.lndnode import stages
from bankstack.plans.model import FINISHED

from .bank import Bank
from .conftest import Manifest

#: What is not the operator's own time: payments end, LND stops and starts, peers come back.
OTHERS = {stages.DRAIN, stages.STOP, stages.START, stages.RECONCILE}
#: After the last step, until the journal has the end.
RECORDING = "Recording"


@dataclass
class Timeline:
    """What a plan's status was, each with the time at which it was heard of (monotonic, in seconds)."""

    name: str
    heard: list[tuple[float, Manifest]] = field(default_factory=list)
    is_over: bool = False
    """Whether the watch has ended: nothing more will be heard."""
    _news: threading.Condition = field(default_factory=threading.Condition)

    def until(self, state: str, within: float) -> Manifest:
        """The status once it is in that state; fails where it ends in another one, or too late."""
        with self._news:
            self._news.wait_for(lambda: self.is_over or self._state() in (state, *FINISHED), within)
        over = " (the watch has ended)" if self.is_over else ""
        assert self._state() == state, f"{self.name} is to be {state} within {within:.0f} s{over}; {self.status}"
        return self.status

    @property
    def status(self) -> Manifest:
        return self.heard[-1][1] if self.heard else {}

    def _state(self) -> str | None:
        state: str | None = self.status.get("state")
        return state

    def hear(self, plan: Manifest) -> None:
        with self._news:
            self.heard.append((time.monotonic(), plan.get("status", {})))
            self._news.notify_all()

    def ends(self) -> None:
        with self._news:
            self.is_over = True
            self._news.notify_all()

    def in_steps(self) -> dict[str, float]:
        """Seconds for which each step was the one under way."""
        spent: dict[str, float] = {}
        for (begun, status), (ended, _) in pairwise(self.heard):
            if step := _under_way(status):
                spent[step] = spent.get(step, 0.0) + ended - begun
        return spent

    def own_seconds(self) -> float:
        """Of the whole of it, what was left over by everybody else."""
        return sum(spent for step, spent in self.in_steps().items() if step not in OTHERS)


def _under_way(status: Manifest) -> str | None:
    if status.get("state") != "Running":
        return None
    return next((one["name"] for one in status.get("steps", []) if one["state"] == "Running"), RECORDING)


@contextmanager
def timeline(bank: Bank, name: str) -> Iterator[Timeline]:
    """Of a plan that was made, until the block's end."""
    line = Timeline(name)
    # A list of one: of an object asked for by name kubectl drops the watch's first event as one that it has shown,
    # and with it what the operator wrote in between.
    one = f"metadata.name={name}"
    command = bank.lab.command("-n", bank.name, "get", "changeplan", "--field-selector", one, "--watch", "-o", "json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        reader = threading.Thread(target=_read, args=(watch, line), daemon=True)
        reader.start()
        try:
            yield line
        finally:
            watch.terminate()
            reader.join()


def _read(watch: subprocess.Popen[str], line: Timeline) -> None:
    assert watch.stdout is not None
    lines: list[str] = []
    for read in watch.stdout:
        lines.append(read)
        if read.startswith("}"):
            line.hear(json.loads("".join(lines)))
            lines.clear()
    line.ends()
