"""All plans of a namespace in the order of their hash chain, and whether it is whole (pure).

The judge is the journal's own check; here it is only told.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bankstack.engine.objects import Manifest
from bankstack.plans import journal
from bankstack.plugin.page import Cell, Page, Tone
from bankstack.plugin.plan import SHORT, tone


@dataclass(frozen=True)
class Entry:
    """How one plan ended, and its link."""

    plan: str
    target: str
    operation: str
    state: str
    message: str
    requested_by: str
    approved_by: tuple[str, ...]
    started_at: str
    finished_at: str
    hash: str
    previous: str
    record: str


@dataclass(frozen=True)
class Log:
    """The chain, oldest first."""

    namespace: str
    entries: tuple[Entry, ...]
    broken: tuple[str, ...]
    running: tuple[str, ...]
    is_whole: bool


def read(namespace: str, kept: Manifest | None, plans: Iterable[Manifest]) -> Log:
    """Raises Interrupted where the journal cannot be read."""
    book = journal.read(kept)
    broken = journal.check(book, plans)
    running = tuple(f"{name} on {target}" for target, (name, _) in sorted(book.active.items()))
    return Log(namespace, tuple(map(_entry, book.entries)), broken, running, not broken)


def _entry(one: journal.Entry) -> Entry:
    return Entry(
        plan=one.plan,
        target=one.target,
        operation=one.operation,
        state=one.state,
        message=one.message,
        requested_by=one.requested_by,
        approved_by=one.approved_by,
        started_at=one.started_at,
        finished_at=one.finished_at,
        hash=one.hash,
        previous=one.previous,
        record=one.record,
    )


def lines(log: Log, page: Page) -> list[str]:
    """The chain and the verdict."""
    found = [*_chain(log, page), *(page.line(f"{one} runs") for one in log.running)]
    return [*found, *([""] if found else []), *_verdict(log, page)]


def _chain(log: Log, page: Page) -> list[str]:
    rows = [
        (Cell(one.finished_at), Cell(one.plan), Cell(one.target), Cell(one.operation), Cell(one.state, tone(one.state)),
         Cell(one.requested_by), Cell(", ".join(one.approved_by) or "-"), Cell(one.record[:SHORT]))
        for one in log.entries
    ]  # fmt: skip
    heads = ("ENDED", "PLAN", "TARGET", "OPERATION", "STATE", "ASKED FOR BY", "APPROVED BY", "RECORD")
    return page.table(heads, rows) if rows else []


def _verdict(log: Log, page: Page) -> list[str]:
    if log.broken:
        title = page.line(f"The chain of {log.namespace} is BROKEN:", Tone.BAD)
        cure = "Somebody changed the journal by hand: compare it with a backup, and find out who may write ConfigMaps."
        return [
            title,
            *(line for one in log.broken for line in page.paragraph(f"- {one}", "  ")),
            *page.paragraph(cure),
        ]
    if not log.entries:
        return page.paragraph(f"No plan of namespace {log.namespace} has ended yet.")
    dropped = "" if log.entries[0].previous == journal.NOTHING else "; older entries were dropped for their age"
    count = "1 entry" if len(log.entries) == 1 else f"{len(log.entries)} entries"
    return [page.line(f"The chain is whole: {count}{dropped}.", Tone.GOOD)]
