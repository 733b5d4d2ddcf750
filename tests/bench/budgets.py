"""A table of budgets: what was promised, what was measured, and whether that is kept (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Row:
    """One promise. `measured` is None where it could not be measured, and `why` says so."""

    what: str
    most: float
    unit: str
    measured: float | None
    why: str = ""

    def at(self, pace: float) -> "Row":
        """The same on a machine that takes `pace` times as long for everything; never less than was promised."""
        return replace(self, most=self.most * max(1.0, pace))

    @property
    def is_kept(self) -> bool:
        return self.measured is None or self.measured <= self.most

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return f"not measured: {self.why}"
        return "ok" if self.is_kept else "WORSE"


def table(rows: Iterable[Row]) -> str:
    """For a terminal and for a log."""
    head = ("budget", "at most", "measured", "verdict")
    lines = [head, *((row.what, _number(row.most, row), _number(row.measured, row), row.verdict) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    what, most, measured, verdict = line
    return f"{what:<{widths[0]}}  {most:>{widths[1]}}  {measured:>{widths[2]}}  {verdict}"


def _number(value: float | None, row: Row) -> str:
    return "-" if value is None else f"{value:.{0 if row.most >= 100 or row.most == 0 else 2}f} {row.unit}"


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
