"""What can be typed (pure): the commands, their options, and one sentence where it makes no sense.

Nothing heavy is imported here, so that help and mistakes answer at once.
"""

import argparse
from typing import Final, NoReturn

from bankstack.plugin.known import Usage, named

PROGRAM: Final = "kubectl bank"
_TOLD: Final = (
    "How a bank stands, why something is not ready, and its plans. Ends with 0 when all is well, 1 when something is "
    "not as it should be or was refused, 2 when the command makes no sense."
)


class _Parser(argparse.ArgumentParser):
    """argparse, in this house's words."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message}. `{self.prog} --help` has what there is")


def parse(words: list[str]) -> argparse.Namespace:
    """The command as it was typed. Raises Usage; ends the process for --help only."""
    asked = _parser().parse_args(words)
    if asked.command == "explain":
        named(asked.resource)
    return asked


def _parser() -> _Parser:
    everywhere = _everywhere(argparse.SUPPRESS)
    root = _Parser(prog=PROGRAM, description=_TOLD, parents=[_everywhere(None)])
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("status", parents=[everywhere], help="every resource and every plan that has not ended")
    explain = commands.add_parser("explain", parents=[everywhere], help="why it is not ready, and what to do")
    explain.add_argument("resource", metavar="KIND/NAME", help="like lndnode/lnd1, lnd/lnd1 or plan/NAME")
    plan = commands.add_parser("plan", help="ask for, read, approve and cancel plans")
    _plans(plan.add_subparsers(dest="plan_command", required=True, metavar="COMMAND"), everywhere)
    return root


def _plans(commands: "argparse._SubParsersAction[_Parser]", everywhere: _Parser) -> None:
    _create(commands.add_parser("create", parents=[everywhere], help="ask for an operation, in your own name"))
    _named(commands.add_parser("show", parents=[everywhere], help="everything that approvers have to know"))
    _approve(_named(commands.add_parser("approve", parents=[everywhere], help="agree to a plan as you have read it")))
    _named(commands.add_parser("cancel", parents=[everywhere], help="end it; there is no way back"))
    commands.add_parser("log", parents=[everywhere], help="every plan that ended, and whether the chain is whole")


def _everywhere(default: str | None) -> _Parser:
    """Options of every command, before or behind its name."""
    common = _Parser(add_help=False, argument_default=default)
    common.add_argument("-n", "--namespace", metavar="NS", help="the bank's namespace; else the context's")
    common.add_argument("--context", metavar="NAME", help="context of the kubeconfig; else the current one")
    common.add_argument("--kubeconfig", metavar="FILE", help="else $KUBECONFIG, else ~/.kube/config")
    common.add_argument("--as", dest="impersonated", metavar="USER", help="as kubectl's")
    common.add_argument("-o", "--output", choices=["json"], help="the same for programs")
    return common


def _named(command: _Parser) -> _Parser:
    command.add_argument("name", metavar="NAME", help="the ChangePlan's name")
    return command


def _create(command: _Parser) -> None:
    command.add_argument("target", metavar="KIND/NAME", help="like lndnode/lnd1")
    command.add_argument("operation", metavar="OPERATION", help="like Restart")
    command.add_argument("--reason", help="why, for those who approve and for the journal; asked for on a terminal")
    command.add_argument(
        "--not-after", default="24h", metavar="WHEN", help="2026-11-21T00:00:00Z, or 90m, 8h, 2d (24h)"
    )
    command.add_argument("--name", default="", help="else made of operation, target and time")
    command.add_argument("--parameter", action="append", default=[], metavar="KEY=VALUE", help="may repeat")
    command.add_argument("--dry-run", action="store_true", help="shows itself on the cluster and never runs")
    command.add_argument("--ignore-windows", action="store_true", help="may begin outside of the target's windows")


def _approve(command: _Parser) -> None:
    sure = command.add_mutually_exclusive_group()
    sure.add_argument("--hash", default="", help="approve only this one: the whole hash, as you have read it")
    sure.add_argument("--yes", action="store_true", help="approve it as it is now, unasked")
