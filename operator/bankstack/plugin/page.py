"""How lines look on a terminal: aligned, folded, and coloured only there (pure).

What is printed was written by others: a reason or a user's name may hold what makes a
terminal forget or repaint a line, and so show an approver another plan than there is.
Nothing of that kind leaves this module as it came.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Final

GAP: Final = "  "
#: What stands where a character was that does not print as itself.
HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"


class Tone(StrEnum):
    """What a colour means; the codes are the terminal's."""

    PLAIN = ""
    GOOD = "32"
    WAITS = "33"
    BAD = "31"
    HEAD = "1"


@dataclass(frozen=True)
class Cell:
    """A piece of text, and what it means."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Page:
    """What is written on: `width` 0 folds nothing."""

    colours: bool = False
    width: int = 0

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> str:
        """One line, harmless."""
        return self._inked(plain(text), tone)

    def paragraph(self, text: str, indent: str = "", tone: Tone = Tone.PLAIN) -> list[str]:
        """Sentences, folded."""
        room = self.width - len(indent)
        return [indent + self._inked(line, tone) for line in folded(plain(text), room if self.width else 0)]

    def command(self, text: str) -> str:
        """A line to copy: never folded."""
        return f"  {plain(text)}"

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Cell]], indent: str = "") -> list[str]:
        """Columns as wide as they have to be; the last one is folded where there is no room."""
        body = [[Cell(plain(cell.text), cell.tone) for cell in row] for row in rows]
        whole = [[Cell(word, Tone.HEAD) for word in head], *body]
        widths = [max(breadth(row[column].text) for row in whole) for column in range(len(head) - 1)]
        return [indent + line for row in whole for line in self._row(row, widths, len(indent))]

    def _row(self, row: Sequence[Cell], widths: Sequence[int], indented: int) -> Iterator[str]:
        *cells, last = row
        used = indented + sum(widths) + len(GAP) * len(widths)
        lines = folded(last.text, max(self.width - used, 20) if self.width else 0)
        for number, text in enumerate(lines):
            first = [
                self._filled(cell if number == 0 else Cell(""), width)
                for cell, width in zip(cells, widths, strict=True)
            ]
            yield GAP.join([*first, self._inked(text, last.tone)]).rstrip()

    def _filled(self, cell: Cell, width: int) -> str:
        return self._inked(cell.text, cell.tone) + " " * (width - breadth(cell.text))

    def _inked(self, text: str, tone: Tone) -> str:
        return f"\033[{tone}m{text}\033[0m" if self.colours and tone and text else text


def plain(text: str) -> str:
    """The text in one line, with nothing in it that a terminal would obey."""
    return "".join(_harmless(one) for one in text)


def _harmless(one: str) -> str:
    if one.isspace():
        return " "
    return HIDDEN if unicodedata.category(one).startswith("C") else one


def breadth(text: str) -> int:
    """Columns it takes on a terminal."""
    return sum(_columns(one) for one in text)


def _columns(one: str) -> int:
    if unicodedata.combining(one) or unicodedata.category(one) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in "WF" else 1


def folded(text: str, width: int) -> list[str]:
    """Lines of at most `width`; a longer word stays whole, so that a hash can be copied. 0: one line."""
    if not width:
        return [text]
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and breadth(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def pairs(page: Page, of: Iterable[tuple[str, str]], indent: str = "") -> list[str]:
    """Names and values, aligned; what has no value is left out."""
    given = [(name, value) for name, value in of if value]
    across = max((breadth(name) for name, _ in given), default=0) + len(GAP)
    room = max(page.width - len(indent) - across, 20) if page.width else 0
    found = []
    for name, value in given:
        for label, line in zip_longest([name], folded(plain(value), room), fillvalue=""):
            found.append(f"{indent}{label}{' ' * (across - breadth(label))}{line}".rstrip())
    return found
