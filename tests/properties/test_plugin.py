"""Whatever a cluster holds: tables align, nothing reaches the terminal as a command, no trouble is left unexplained."""

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.objects import API_VERSION
from bankstack.plugin import explain, status
from bankstack.plugin.known import BANK
from bankstack.plugin.page import GAP, Cell, Page, Tone, breadth, folded
from bankstack.plugin.standing import BAD_WHEN_TRUE, PROOFS, read

TEXT = st.text(max_size=12)
WORDS = st.text(min_size=1, max_size=60)
PAGES = st.builds(Page, st.just(value=False), st.sampled_from([0, 20, 40, 80, 200]))
CELLS = st.builds(Cell, TEXT, st.sampled_from(Tone))
STATUS = st.sampled_from(["True", "False", "Unknown"])
TYPES = st.sampled_from(["Ready", "Novel", *BAD_WHEN_TRUE, *PROOFS])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Cell]]]:
    columns = draw(st.integers(min_value=1, max_value=5))
    heads = [f"HEAD{number}" for number in range(columns)]
    rows = draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=5))
    return heads, rows


@given(tables(), PAGES)
def test_every_column_begins_in_the_same_place(table: tuple[list[str], list[list[Cell]]], page: Page) -> None:
    heads, rows = table
    lines = page.table(heads, rows)
    starts = [breadth(lines[0][: lines[0].index(head)]) for head in heads]
    for line in lines:
        for start in starts[1:]:
            before = cut(line, start)
            assert breadth(before) <= start
            assert breadth(before) < start or before.endswith(GAP)


def cut(line: str, columns: int) -> str:
    """What stands before a column of the terminal."""
    end = next((end for end in range(len(line) + 1) if breadth(line[:end]) >= columns), len(line))
    return line[:end]


@given(tables(), PAGES)
def test_colours_change_nothing_but_colours(table: tuple[list[str], list[list[Cell]]], page: Page) -> None:
    painted = Page(colours=True, width=page.width).table(*table)
    for tone in Tone:
        painted = [line.replace(f"\033[{tone}m", "").replace("\033[0m", "") for line in painted]
    assert [line.rstrip() for line in painted] == page.table(*table)


@given(WORDS, st.integers(min_value=1, max_value=60))
def test_folding_loses_no_word_and_keeps_the_width(text: str, width: int) -> None:
    lines = folded(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(breadth(line) <= width or " " not in line for line in lines)


CONDITIONS = st.lists(
    st.fixed_dictionaries({"type": TYPES, "status": STATUS, "reason": WORDS, "message": WORDS}),
    max_size=6,
    unique_by=lambda one: str(one["type"]),
)
MANIFESTS = st.builds(
    lambda known, conditions, generation, seen, more: {
        "apiVersion": API_VERSION,
        "kind": known.type.kind,
        "metadata": {"name": "one", "namespace": "bank", "generation": generation},
        "spec": {},
        "status": {"observedGeneration": seen, "conditions": conditions, **more},
    },
    st.sampled_from(BANK),
    CONDITIONS,
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from([{}, {"modeReasons": ["x"], "members": [{}], "components": [{}], "writeConcern": {}, "redis": {}}]),
)


@given(MANIFESTS, PAGES)
def test_what_is_not_ready_is_never_left_unexplained(manifest: dict[str, Any], page: Page) -> None:
    known = next(one for one in BANK if one.type.kind == manifest["kind"])
    told = explain.read(known, manifest, ())
    lines = explain.lines(told, page)
    if read(manifest).is_ready:
        assert told.is_well
        return
    assert told.problems
    assert told.problems[0].message.strip() or told.problems[0].reason
    assert len(lines) > 3
    assert any(told.page in line for line in lines)
    assert not status.read("bank", [manifest], ()).is_well


@given(MANIFESTS, PAGES)
def test_every_condition_that_is_bad_is_told(manifest: dict[str, Any], page: Page) -> None:  # noqa: ARG001 - any width
    known = next(one for one in BANK if one.type.kind == manifest["kind"])
    named = {word for problem in explain.read(known, manifest, ()).problems for word in problem.conditions}
    assert {str(one) for one in read(manifest).conditions if not one.is_well} <= named


@given(MANIFESTS, PAGES)
def test_nothing_reaches_the_terminal_as_a_command(manifest: dict[str, Any], page: Page) -> None:
    known = next(one for one in BANK if one.type.kind == manifest["kind"])
    screens = (
        explain.lines(explain.read(known, manifest, ()), page),
        status.lines(status.read("bank", [manifest], ()), page),
    )
    assert not [one for lines in screens for one in "".join(lines) if unicodedata.category(one).startswith("C")]
