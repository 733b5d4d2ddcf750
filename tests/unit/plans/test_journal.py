"""The chain of what was done: nothing in it can be changed, taken out or put in without a trace."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bankstack.engine.finding import Interrupted
from bankstack.plans import journal
from bankstack.plans.journal import KEEP, NAMES_MOST, NOTHING, Begun, Entry, Journal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = "2026-03-02T00:00:00Z"


def entry(plan: str, **more: Any) -> Entry:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "plan": plan, "uid": f"uid-{plan}", "target": "Toy one", "operation": "Restart", "hash": "sha256:x",
        "requested_by": "alice", "approved_by": ("bob",), "state": "Succeeded", "message": "done",
        "created_at": "2026-03-01T10:00:00Z", "started_at": "2026-03-01T11:00:00Z",
        "finished_at": "2026-03-01T12:00:00Z", "not_after": LATER,
    }  # fmt: skip
    return Entry(**fields | more)


def stored(book: Journal) -> dict[str, Any]:
    made = journal.manifest(book, "bank", NOW)
    return made | {"metadata": made["metadata"] | {"resourceVersion": "7"}}


def three() -> Journal:
    return Journal().end(entry("a")).end(entry("b")).end(entry("c"))


def tampered(change: Callable[[list[dict[str, Any]]], object]) -> Journal:
    made = stored(three())
    lines = [json.loads(line) for line in made["data"]["entries"].splitlines()]
    change(lines)
    made["data"]["entries"] = "\n".join(map(json.dumps, lines))
    return journal.read(made)


def test_what_is_written_is_what_is_read() -> None:
    book = three().begin("Toy one", "d", Begun("uid-d", LATER))
    found = journal.read(stored(book))
    assert replace(found, version=None, records=()) == book
    assert found.version == "7"
    assert journal.check(found) == ()


def test_each_entry_names_the_one_before() -> None:
    first, second, third = three().entries
    assert (first.previous, second.previous, third.previous) == (NOTHING, first.record, second.record)


TAMPERING: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "a word changed": (lambda lines: lines[1].update(requested_by="carol"), "entry b of 2026-03-01T12:00:00Z was"),
    "one taken out": (lambda lines: lines.pop(1), "before entry c of 2026-03-01T12:00:00Z something was removed"),
    "two swapped": (lambda lines: lines.reverse(), "before entry b"),
    "one put in": (lambda lines: lines.insert(1, lines[0]), "before entry a"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_found(change: Callable[[list[dict[str, Any]]], object], sentence: str) -> None:
    found = journal.check(tampered(change))
    assert any(one.startswith(sentence) for one in found), found


def test_an_entry_changed_together_with_its_record_breaks_the_next_link() -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        fields = {key: value for key, value in lines[1].items() if key != "record"} | {"state": "Failed"}
        lines[1] = fields | {"record": Entry(**fields | {"approved_by": tuple(fields["approved_by"])}).record}

    assert journal.check(tampered(change)) == (
        "before entry c of 2026-03-01T12:00:00Z something was removed, added or moved",
    )


def plan(name: str, **status: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": status}


def test_a_plan_that_says_something_else_than_its_entry_is_found() -> None:
    book = journal.read(stored(three()))
    last = book.entries[-1]
    good = plan("c", record=last.record, previous=last.previous, state="Succeeded", finishedAt=last.finished_at)
    assert journal.check(book, [good, plan("new")]) == ()
    wrong = good | {"status": good["status"] | {"state": "Failed"}}
    assert journal.check(book, [wrong]) == ("ChangePlan c says something else of its end than its entry",)
    missing = plan("z", record=last.record, state="Succeeded", finishedAt=LATER)
    assert journal.check(book, [missing]) == ("ChangePlan z has ended, and its entry is missing",)
    old = plan("z", record=last.record, state="Succeeded", finishedAt="2025-01-01T00:00:00Z")
    assert journal.check(book, [old]) == ()


def test_old_entries_go_and_the_chain_still_holds() -> None:
    book = Journal()
    for number in range(KEEP + 3):
        book = book.end(entry(f"p{number}"))
    assert len(book.entries) == KEEP
    assert journal.check(journal.read(stored(book))) == ()


def test_a_full_journal_fits_a_config_map() -> None:
    long: dict[str, Any] = {"plan": "p" * 63, "message": "ü" * 400, "approved_by": tuple("b" * 256 for _ in range(9))}
    book = Journal()
    for number in range(KEEP + 1):
        book = book.end(entry(uid=f"{number:036d}", requested_by="a" * 256, hash=NOTHING, **long))
    book = replace(book, begun={f"{number:063d}": Begun("u" * 36, LATER) for number in range(NAMES_MOST)})
    made = stored(book)
    assert sum(len(text.encode()) for text in made["data"].values()) < 1024 * 1024 - 4096
    found = journal.read(made)
    assert 100 < len(found.entries) < KEEP
    assert journal.check(found) == ()
    assert found.entries[-1] == book.entries[-1]


def test_a_name_that_was_begun_is_remembered_until_its_time_is_over() -> None:
    book = Journal().begin("Toy one", "a", Begun("uid-a", LATER)).let_go("Toy one")
    assert book.replayed("a", "another life")
    assert not book.replayed("a", "uid-a")
    assert not book.replayed("b", "uid-b")
    assert journal.read(stored(book)).replayed("a", "another life")
    after = journal.manifest(book, "bank", datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC))
    assert json.loads(after["data"]["begun"]) == {}


def test_a_target_is_free_when_its_plan_has_ended_and_not_when_another_has() -> None:
    book = Journal().begin("Toy one", "a", Begun("uid-a", LATER))
    assert book.end(entry("b")).active == {"Toy one": ("a", "uid-a")}
    assert book.end(entry("a")).active == {}
    assert book.end(entry("a")).ended("uid-a") is not None


def test_too_many_names_that_count_are_too_many() -> None:
    book = Journal(begun={str(number): Begun("u", LATER) for number in range(NAMES_MOST)})
    assert book.full(NOW)
    assert not book.full(datetime(2026, 3, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    "data",
    [
        {"entries": "not json"},
        {"entries": "{}"},
        {"entries": '{"plan": "a"}'},
        {"begun": "[1]"},
        {"begun": '{"a": {"uid": "x", "not_after": "soon"}}'},
        {"active": '{"a": 1}'},
    ],
)
def test_a_journal_edited_into_nonsense_stalls_and_forgets_nothing(data: dict[str, str]) -> None:
    with pytest.raises(Interrupted) as stopped:
        journal.read({"metadata": {"resourceVersion": "1"}, "data": data})
    assert stopped.value.finding.reason == "JournalUnreadable"
