"""A person sees where each resource stands, and in a log each change once."""

import io
from dataclasses import replace

from demokit.board import Board, Line, lines
from demokit.kube import Manifest


def item(kind: str, name: str, *, generation: int = 1, **ready: object) -> Manifest:
    conditions = [{"type": "Ready", "observedGeneration": 1, **ready}] if ready else []
    meta = {"name": name, "generation": generation}
    return {"kind": kind, "metadata": meta, "status": {"conditions": conditions}}


def board(*, alive: bool) -> tuple[Board, io.StringIO]:
    out = io.StringIO()
    return Board(out, alive), out


WAITS = Line("LndNode lnd1", "ChainSyncing", is_ready=False)
READY = Line("LndNode lnd1", "AsDeclared", is_ready=True)
OTHER = Line("LndNode lnd2", "ChainSyncing", is_ready=False)


def test_lines_are_by_kind_and_name_and_say_the_reason() -> None:
    found = lines(
        [
            item("LndNode", "lnd1", status="False", reason="ChainSyncing", message="lnd1 follows the chain"),
            item("ApiDeployment", "bank", status="True", reason="AsDeclared"),
        ]
    )
    assert found == [
        Line("ApiDeployment bank", "AsDeclared", is_ready=True),
        Line("LndNode lnd1", "ChainSyncing", is_ready=False, message="lnd1 follows the chain"),
    ]


def test_what_was_said_of_an_older_declaration_or_not_at_all_is_not_ready() -> None:
    older = item("LndNode", "lnd1", generation=2, status="True", reason="AsDeclared")
    unseen = {"kind": "LndNode", "metadata": {"name": "lnd2", "generation": 1}}
    assert [line.is_ready for line in lines([older, unseen])] == [False, False]
    assert lines([unseen])[0].reason == "not looked at yet"


def test_a_plan_is_not_waited_for() -> None:
    assert lines([{"kind": "ChangePlan", "metadata": {"name": "restart-lnd1", "generation": 1}}]) == []


def test_a_bank_that_serves_with_something_missing_is_not_ready_for_show() -> None:
    (line,) = lines([item("ApiDeployment", "bank", status="True", reason="IntraledgerOnly")])
    assert not line.is_ready


def test_in_a_log_each_change_is_told_once() -> None:
    shown, out = board(alive=False)
    for seconds, line in ((1, WAITS), (2, replace(WAITS, message="block 7")), (62, READY), (63, READY)):
        shown.show([line], seconds)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["…", "LndNode", "lnd1", "ChainSyncing", "1.0", "s"],
        ["✓", "LndNode", "lnd1", "AsDeclared", "1", "min", "02", "s"],
    ]


def test_on_a_terminal_the_lines_are_redrawn_and_ready_keeps_its_time() -> None:
    shown, out = board(alive=True)
    shown.show([READY, OTHER], 1)
    shown.show([READY, OTHER], 9)
    _, _, last = out.getvalue().partition("\033[2A")
    first, second = last.splitlines()
    assert first.endswith("1.0 s")
    assert second.endswith("9.0 s")
