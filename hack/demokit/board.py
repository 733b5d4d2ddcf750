"""Resources on their way to Ready: one line each, redrawn on a terminal, told at each change elsewhere."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from demokit.kube import Manifest
from labkit.progress import duration

#: The reason of Ready when nothing is missing.
AS_DECLARED = "AsDeclared"


@dataclass(frozen=True)
class Line:
    """One resource as it stands."""

    name: str
    reason: str
    is_ready: bool
    message: str = field(default="", compare=False)
    """For who has to mend it: it may change with each look."""


def lines(items: Iterable[Manifest]) -> list[Line]:
    """By kind and name (pure). Plans wait for people: nothing waits for them."""
    declared = (item for item in items if item["kind"] != "ChangePlan")
    return sorted(map(_line, declared), key=lambda line: line.name)


def _line(item: Manifest) -> Line:
    meta = item["metadata"]
    conditions = item.get("status", {}).get("conditions", [])
    ready: Manifest = next((one for one in conditions if one["type"] == "Ready"), {})
    # An older word of Ready was about another declaration; another reason names what is missing.
    is_ready = ready.get("reason") == AS_DECLARED and ready.get("observedGeneration") == meta["generation"]
    name = f"{item['kind']} {meta['name']}"
    return Line(name, ready.get("reason", "not looked at yet"), is_ready, ready.get("message", ""))


@dataclass
class Board:
    """What was shown last, so that only what is new is told."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    is_alive: bool = field(default_factory=lambda: sys.stderr.isatty() and "CI" not in os.environ)
    _shown: dict[str, Line] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def show(self, found: Sequence[Line], seconds: float) -> None:
        """The state after so many seconds."""
        changed = [line for line in found if self._shown.get(line.name) != line]
        self._since |= dict.fromkeys((line.name for line in changed), seconds)
        if self.is_alive:
            back = f"\033[{len(self._shown)}A" if self._shown else ""
            self.out.write(back + "".join(f"\033[K{self._text(line, seconds)}\n" for line in found))
        else:
            self.out.write("".join(f"{self._text(line, seconds)}\n" for line in changed))
        self.out.flush()
        self._shown |= {line.name: line for line in found}

    def _text(self, line: Line, seconds: float) -> str:
        """A resource that is Ready keeps the time when it got there."""
        mark, at = ("✓", self._since[line.name]) if line.is_ready else ("…", seconds)
        return f"{mark} {line.name:<24}{line.reason:<38} {duration(at):>8}"
