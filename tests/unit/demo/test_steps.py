"""The steps as a table: in this order, each once, each told by its title."""

from pathlib import Path

import pytest

from demokit import steps
from demokit.bank import Demo
from demokit.steps import Step
from labkit.errors import StepFailed
from labkit.progress import Steps


def recorded(*titles: str) -> tuple[list[Step], list[str]]:
    done: list[str] = []
    return [Step(title, lambda _, title=title: done.append(title)) for title in titles], done  # type: ignore[misc]


def test_steps_are_done_in_order_and_told_with_their_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, done = recorded("first", "", "second")
    steps.carry_out(table, Demo(), Steps(tmp_path, tmp_path / "times.json"))
    assert done == ["first", "", "second"]
    assert [line.split()[:2] for line in capsys.readouterr().err.splitlines()] == [["✓", "first"], ["✓", "second"]]


def test_after_a_step_that_failed_none_is_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(_: Demo) -> None:
        raise StepFailed("It did not.")

    after, done = recorded("after")
    with pytest.raises(StepFailed):
        steps.carry_out([Step("before", fails), *after], Demo(), Steps(tmp_path, tmp_path / "times.json"))
    assert done == []
    assert capsys.readouterr().err.startswith("✗ before")


def test_the_bank_is_stopped_before_its_operator_goes_and_the_operator_is_there_before_the_bank() -> None:
    up = [step.act.__name__ for step in steps.UP]
    down = [step.act.__name__ for step in (*steps.DOWN, *steps.OPERATOR_DOWN)]
    assert up.index("deploy_operator") < up.index("declare") < up.index("let_customers_pay")
    assert down == ["stop_bank", "remove_namespaces", "remove_operator"]
