"""What docs/kubectl-bank.md shows is what the command prints, word for word; `…` stands for what is left out."""

import re
import shlex
from pathlib import Path

import pytest

from bankstack.plugin import arguments, commands
from bankstack.plugin.commands import Answer, Round
from bankstack.plugin.page import Page

from . import given
from .given import Bank, Somebody, condition, resource

PAGE = Path(__file__).parents[3] / "docs" / "kubectl-bank.md"
EXAMPLES = re.findall(r"```console\n\$ kubectl bank (.*?)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SILENT = "LND's process runs but does not answer yet (no answer within 5 s). It is left alone"
LND2 = resource(
    "LndNode",
    "lnd2",
    condition("Ready", "False", "LndSilent", SILENT),
    condition("Reconciling", "True", "LndSilent", SILENT),
    condition("Synced", "Unknown", "LndSilent", "LND has not said where it stands"),
    condition("ChannelBackup", "Unknown", "LndSilent", "LND has not said which channels it has"),
)
WHOLE = (given.VAULT, given.LND1, LND2, given.LEDGER, given.API, given.awaiting())
WORLDS = {
    "status": Bank([*WHOLE]),
    "explain": Bank([*WHOLE]),
    "plan create": Bank(drawn=[given.awaiting()], me="alice"),
    "plan approve": Bank([given.awaiting()]),
    "plan log": Bank([given.chain(given.entry("restart-1", 1))]),
}


async def answered(words: str) -> Answer:
    asked = arguments.parse(shlex.split(words))
    name = f"plan {asked.plan_command}" if asked.command == "plan" else asked.command
    return await commands.COMMANDS[name](Round(asked, WORLDS[name], "bank", Somebody("y"), Page(), given.NOW))


@pytest.mark.parametrize(("words", "shown"), EXAMPLES, ids=[words for words, _ in EXAMPLES])
async def test_the_example_is_true(words: str, shown: str) -> None:
    printed = "\n".join((await answered(words)).lines) + "\n"
    parts = [re.escape(part) for part in shown.split("…\n")]
    assert re.fullmatch("(?:.*\n)*".join(parts), printed), printed


def test_every_command_that_prints_much_has_its_example() -> None:
    assert len(EXAMPLES) == len(WORLDS)
