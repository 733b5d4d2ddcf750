"""`hack/demo` as its first reader meets it: from nothing to a bank that pays, once more, every line tried, and away."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demokit import bank, outside, shipped
from demokit.bank import Demo
from demokit.tries import TRIES

from .conftest import Lab, Room, eventually
from .operated import Operator, moment

ROOT = Path(__file__).parents[2]
#: What issue 5 promises once images exist; the lab's own start is another story's.
WITHIN_SECONDS = 360
#: `hack/test soak` asks for ten minutes.
STEADY_SECONDS = int(os.environ.get("BANK_STEADY_SECONDS", "75"))
IDENTITY = ("-o", "jsonpath={.metadata.uid} {.status.identityPubkey}")


@dataclass
class Run:
    """One `hack/demo …`."""

    said: str
    steps: str
    seconds: float


def run(command: str, code: int = 0) -> Run:
    """A line as a person copies it."""
    began = time.monotonic()
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == code, f"{command}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return Run(ended.stdout, ended.stderr, time.monotonic() - began)


@pytest.fixture(scope="module")
def first(lab: Lab) -> Iterator[Run]:  # noqa: ARG001 - order
    """The first run, on a lab where no bank is and all images are."""
    eventually(lambda: not bank.namespaces(Demo()) - {bank.BANK}, 180, "the banks of other stories are gone")
    run("hack/demo down")
    run("hack/operator-image --load && hack/bank-api/build --load && hack/lab load lnd bitcoind mongo redis specter")
    yield run("hack/demo")
    run("hack/demo down")


@pytest.fixture(scope="module")
def demo(first: Run) -> Demo:  # noqa: ARG001 - order
    """The bank that was made."""
    return Demo()


def identities(demo: Demo) -> list[str]:
    """Who the nodes are, and which life of their resources it is."""
    return [demo.bank.kubectl("get", "lndnode", name, *IDENTITY) for name in bank.LND]


def ready(demo: Demo) -> set[str]:
    """What the five resources say of themselves."""
    path = "-o=jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
    return set(demo.bank.kubectl("get", "bank", path).split())


def test_from_nothing_to_a_bank_that_takes_and_makes_payments(first: Run) -> None:
    assert first.seconds < WITHIN_SECONDS
    assert "lost 0, doubled 0, unknown 0, hung 0 of " in first.said
    assert "books: sound" in first.said
    for resource in ("ApiDeployment bank", "ColdWallet vault", "LedgerCluster ledger", "LndNode lnd1", "LndNode lnd2"):
        assert f"✓ {resource} " in first.steps


def test_payments_are_in_mongodb_and_in_lnd_and_both_say_the_same(demo: Demo) -> None:
    books = demo.customers.books()
    assert sum(account.sats for account in books.accounts) == 0
    held = {account.name: account.sats for account in books.accounts}
    assert held["Liabilities"] == sum(one.sats for one in demo.customers.balances()) > 0
    channels = [node.channels for node in books.nodes]
    assert [one.active for one in channels if one] == [1, 1]
    assert -held["Assets:Reserve:Lightning"] == sum(one.local for one in channels if one)
    paid = [one for one in demo.outside.lncli("listpayments")["payments"] if one["status"] == "SUCCEEDED"]
    received = [one for one in demo.outside.lncli("listinvoices")["invoices"] if one["state"] == "SETTLED"]
    assert len(paid) > len(bank.LND)
    assert received
    net = sum(int(one["value_sat"]) for one in paid) - sum(int(one["amt_paid_sat"]) for one in received)
    assert net == held["Liabilities"]


def test_while_nothing_changes_nothing_is_written(lab: Lab, demo: Demo) -> None:
    """The whole bank, by the API server's own account."""
    operator = Operator(lab, Room(lab, shipped.SYSTEM))
    was_ready = ready(demo)
    began = moment()
    time.sleep(STEADY_SECONDS)
    assert operator.writes(since=began) == []
    looked = {entry["objectRef"].get("resource") for entry in operator.requests(since=began)}
    assert looked >= {"apideployments", "coldwallets", "ledgerclusters", "lndnodes"}, "it does look"
    assert ready(demo) == was_ready == {"True"}


def test_run_again_it_is_the_same_bank_with_more_payments(demo: Demo) -> None:
    before, rows = identities(demo), sum(one.rows for one in demo.customers.books().accounts)
    again = run("hack/demo")
    assert "lost 0, doubled 0, unknown 0, hung 0 of " in again.said
    assert identities(demo) == before
    assert bank.namespaces(demo) == {bank.BANK}
    books = demo.customers.books()
    assert sum(one.rows for one in books.accounts) > rows
    assert [node.channels.active for node in books.nodes if node.channels] == [1, 1]


def test_every_line_of_what_to_try_works_as_printed(first: Run, demo: Demo) -> None:
    _, _, printed = first.said.partition("What to try next:\n")
    commands = [line for line in printed.splitlines() if line and not line.startswith("#")]
    assert commands == [one.command for one in TRIES]
    before = identities(demo)
    said = {command: run(command).said for command in commands[:-2]}
    assert '"mode":"Full"' in next(told for command, told in said.items() if "graphql" in command)
    eventually(lambda: demo.lab.has("-n", bank.BANK, "secret", "ledger-reader"), 60, "the planted reader has a Secret")
    told = demo.bank.kubectl("get", "lndnode", "lnd2", "-o", "yaml")
    assert "ChangePending" in told
    run(commands[-2])
    assert identities(demo) == before
    eventually(
        lambda: "ChangePending" not in demo.bank.kubectl("get", "lndnode", "lnd2", "-o", "yaml"), 60, "it is withdrawn"
    )
    run(commands[-1])


def test_after_the_end_nothing_is_left_and_nothing_hangs(lab: Lab, first: Run) -> None:  # noqa: ARG001 - order
    for namespace in (bank.BANK, outside.NAMESPACE, shipped.SYSTEM):
        assert not lab.has("namespace", namespace)
    assert "bankstack.io" not in lab.kubectl("get", "crds")
    told = run("hack/demo pay", code=2)
    assert told.steps == "There is no bank to pay: `hack/demo` first.\n"
    run("hack/demo down")
