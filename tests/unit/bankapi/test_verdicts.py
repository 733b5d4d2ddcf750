"""The load's verdicts are JavaScript; their cases run with the other unit tests."""

import subprocess
from pathlib import Path

LOAD = Path(__file__).parents[3] / "hack" / "bank-api" / "load"


def test_every_kind_of_loss_double_and_doubt_has_its_verdict() -> None:
    ran = subprocess.run(
        ["node", "--test", str(LOAD / "verdict.test.js")], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout
