"""`hack/demo`: words in, one exit code out (0 done, 1 a step failed, 2 refused)."""

import argparse
import time
from collections.abc import Sequence
from typing import NoReturn

from demokit import bank, report, requirements, steps
from demokit.bank import Demo
from demokit.tries import TRIES
from labkit import cli, preflight
from labkit.errors import Refused
from labkit.progress import duration

TEXT = (
    "A whole Lightning bank on the lab, and a world around it that pays it and is paid. Run again it is the same "
    "bank, as it was declared, and a few more payments. Play money only (regtest)."
)


class _Parser(argparse.ArgumentParser):
    """Refuses in one sentence, as everything here does."""

    def error(self, message: str) -> NoReturn:
        raise Refused(f"{message[:1].upper()}{message[1:]}: see `hack/demo --help`.")


def main(words: Sequence[str]) -> int:
    """Run one command; every failure ends as a sentence, never as a traceback."""
    return cli.ended(lambda: _do(words))


def _do(words: Sequence[str]) -> None:
    asked = _parser().parse_args(words)
    preflight.require_linux()
    if asked.lab and asked.command != "down":
        raise Refused("--lab belongs to `hack/demo down`: it removes the lab too.")
    with cli.alone("hack/demo", ".demo.lock"):
        {"up": _up, "pay": _pay, "down": _down}[asked.command](asked)


def _up(_: argparse.Namespace) -> None:
    demo, began = Demo(), time.monotonic()
    if sentences := requirements.failures(bank.look(demo)):
        raise Refused("\n".join(sentences))
    steps.carry_out(steps.UP, demo, cli.steps_of("demo"))
    print(f"\nThe bank is open after {duration(time.monotonic() - began)}.\n\n{_shown(demo)}\n\n{report.tries(TRIES)}")


def _pay(_: argparse.Namespace) -> None:
    demo = Demo()
    if not bank.is_lab_up() or bank.BANK not in bank.namespaces(demo):
        raise Refused("There is no bank to pay: `hack/demo` first.")
    steps.carry_out(steps.PAY, demo, cli.steps_of("demo-pay"))
    print(f"\n{_shown(demo)}")


def _down(asked: argparse.Namespace) -> None:
    demo, shown = Demo(), cli.steps_of("demo-down")
    others = bank.namespaces(demo) - {bank.BANK} if bank.is_lab_up() else set()
    if others and asked.lab:
        raise Refused(f"There is a bank in {', '.join(sorted(others))} too: `hack/demo down` leaves it and its lab.")
    if bank.is_lab_up():
        steps.carry_out(steps.DOWN, demo, shown)
        steps.carry_out(() if others else steps.OPERATOR_DOWN, demo, shown)
    else:
        print("No lab is running, so no bank either.")
    if others:
        print(f"The operator stays: there is a bank in {', '.join(sorted(others))} too.")
    if asked.lab:
        steps.carry_out(steps.LAB_DOWN, demo, shown)


def _shown(demo: Demo) -> str:
    """What was paid, and all that is there now."""
    told = demo.customers.books()
    tables = (report.customers(demo.customers.balances()), report.books(told), report.nodes(told))
    return "\n\n".join([demo.load.strip(), *tables, demo.verdict.strip()])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hack/demo", description=TEXT)
    parser.add_argument(
        "command",
        nargs="?",
        default="up",
        choices=("up", "pay", "down"),
        help="up (when left out): from nothing to a bank that pays; pay: more payments; down: remove the bank, its "
        "world and the operator, with all coins and seeds. The lab stays",
    )
    parser.add_argument("--lab", action="store_true", help="with down: remove the lab too")
    return parser
