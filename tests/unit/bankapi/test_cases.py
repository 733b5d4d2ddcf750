"""What of the sample bank decides without asking anybody is JavaScript; its cases run with the other unit tests."""

import subprocess
from pathlib import Path

import pytest

BANK_API = Path(__file__).parents[3] / "hack" / "bank-api"


@pytest.mark.parametrize("cases", ["load/verdict.test.js", "src/steps.test.js"])
def test_its_cases_hold(cases: str) -> None:
    ran = subprocess.run(
        ["node", "--test", str(BANK_API / cases)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout
