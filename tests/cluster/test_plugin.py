"""`kubectl bank` as people type it: kubectl finds it, the API server knows who they are, policies refuse the rest.

The node waits for a wallet that never comes, so nothing is started. Where a plan has to be
drawn up, the operator is away and its word is written for it: who may approve what is the
policies' and the plugin's business.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bankstack.plans.admission import OWN_PLAN
from labkit import paths

from .bank import Bank
from .conftest import Lab, Manifest, eventually
from .operated import Operator
from .test_operator import waiting_node
from .test_plans import may, restart

BANK = "plugin"
SOURCE = paths.CHECKOUT / "operator"
HASH = "sha256:" + "2c26b46b" + "0" * 56
ANOTHER = "sha256:" + "fcde2b2e" + "0" * 56


@dataclass
class Plugin:
    """kubectl, with the plugin in its PATH."""

    bank: Bank
    folder: Path

    def asks(self, *words: str, who: str = "") -> subprocess.CompletedProcess[str]:
        """However it ends."""
        as_whom = ("--as", who) if who else ()
        around = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(SOURCE),
            "KUBECONFIG": str(paths.kubeconfig()),
        }
        command = [str(paths.kubectl()), "bank", *words, "-n", BANK, "--context", self.bank.context, *as_whom]
        return subprocess.run(
            command, env=os.environ | around, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip

    def tells(self, *words: str, who: str = "", code: int = 0) -> str:
        """What it prints, which ends as it should."""
        ended = self.asks(*words, who=who)
        assert ended.returncode == code, f"{ended.returncode}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def refuses(self, *words: str, who: str = "", code: int = 1) -> str:
        """The one sentence of what is not done."""
        ended = self.asks(*words, who=who)
        assert (ended.returncode, ended.stdout) == (code, ""), f"{ended.returncode}: {ended.stdout}{ended.stderr}"
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
        return ended.stderr

    def parsed(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - whatever it answers
        return json.loads(self.tells(*words, "-o", "json", code=code))


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    return Operator.deployed(lab, BANK)


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator) -> Iterator[Bank]:  # noqa: ARG001 - order
    room = Bank.of(lab, BANK)
    people = (("alice", "view"), ("alice", "edit"), ("alice", "approve"), ("bob", "approve"))
    room.apply(waiting_node("lnd1"), *(may(who, f"bankstack-{role}") for who, role in people))
    eventually(lambda: room.condition("LndNode", "lnd1").get("status") == "False", 30, "lnd1 is told of")
    yield room
    lab.kubectl("delete", "namespace", BANK, "--timeout=60s", timeout=90)


@pytest.fixture(scope="module")
def plugin(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "kubectl-bank"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bankstack.plugin "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return Plugin(bank, folder)


def test_a_node_that_waits_is_on_the_screen_and_explained(plugin: Plugin) -> None:
    screen = plugin.tells("status", who="alice", code=1)
    assert "LndNode  lnd1  False  WalletSecretMissing" in screen
    assert "kubectl bank explain lndnode/lnd1 -n plugin" in screen
    told = plugin.tells("explain", "lnd/lnd1", who="alice", code=1)
    assert "Ready=False, Reconciling=True  WalletSecretMissing" in told
    assert "Read on: docs/lndnode.md, WalletSecretMissing" in told


def test_a_plan_is_asked_for_in_ones_own_name_waits_and_is_cancelled(plugin: Plugin) -> None:
    words = ("plan", "create", "lnd/lnd1", "restart", "--name", "waits", "--reason", "a story")
    assert "ChangePlan waits was made." in plugin.tells(*words, who="alice")
    assert plugin.bank.get("changeplan", "waits")["spec"]["requestedBy"] == "alice"
    eventually(lambda: "Pending" in plugin.tells("plan", "show", "waits", who="bob"), 20, "the operator tells of it")
    assert "has no hash yet" in plugin.refuses("plan", "approve", "waits", "--yes", who="bob")
    assert "ChangePlan waits is cancelled." in plugin.tells("plan", "cancel", "waits", who="alice")
    eventually(lambda: plugin.parsed("plan", "show", "waits")["state"] == "Cancelled", 20, "it is cancelled")
    assert "there is nothing to cancel" in plugin.refuses("plan", "cancel", "waits", who="alice")
    assert "already exists" in plugin.refuses(*words, who="alice")


def test_the_log_has_the_chain_and_says_where_it_was_broken(plugin: Plugin) -> None:
    assert "The chain is whole: 1 entry." in plugin.tells("plan", "log", who="alice")
    kept = plugin.bank.get("configmap", "bankstack-journal")
    forged = kept["data"]["entries"].replace('"requested_by":"alice"', '"requested_by":"carol"')
    put(plugin.bank, kept, entries=forged)
    told = plugin.parsed("plan", "log", code=1)
    assert told["isWhole"] is False
    assert "entry waits of" in told["broken"][0]
    put(plugin.bank, kept, entries=kept["data"]["entries"])
    assert plugin.parsed("plan", "log")["broken"] == []


def put(bank: Bank, kept: Manifest, **data: str) -> None:
    bank.kubectl("patch", "configmap", kept["metadata"]["name"], "--type=merge", "-p", json.dumps({"data": data}))


def makes(bank: Bank, who: str, manifest: Manifest) -> subprocess.CompletedProcess[str]:
    return bank.lab.asks("-n", BANK, "create", f"--as={who}", "-f", "-", stdin=json.dumps(manifest))


def test_what_the_api_server_refuses_is_told_in_its_words(plugin: Plugin) -> None:
    ask = ("plan", "create", "lnd/lnd1", "--reason", "x")
    assert "operation of LndNode has to be one of Restart" in plugin.refuses(*ask, "Failover", who="alice")
    assert 'User "bob" cannot create' in plugin.refuses(*ask, "Restart", who="bob")
    assert 'User "carol" cannot list' in plugin.refuses("status", who="carol")
    assert "is no kind of a bank" in plugin.refuses("explain", "pod/lnd1", code=2)
    assert "there is no LndNode lnd9" in plugin.refuses("explain", "lnd/lnd9")
    forged = makes(plugin.bank, "alice", restart("forged", requestedBy="bob"))
    assert OWN_PLAN in forged.stderr


def drawn(bank: Bank, name: str, of: str) -> None:
    """The operator's word for a plan that waits for one approval."""
    missing = "1 approval is missing, by people other than alice"
    status = {"state": "AwaitingApproval", "message": missing, "missing": [missing], "risk": "Amber", "hash": of}
    words = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    bank.kubectl("patch", "changeplan", name, *words)


def test_another_person_approves_what_they_have_read_and_nothing_else(plugin: Plugin, operator: Operator) -> None:
    operator.scale(0)
    assert makes(plugin.bank, "alice", restart("read")).returncode == 0
    drawn(plugin.bank, "read", HASH)
    approve = ("plan", "approve", "read")
    assert "1 approval is missing, by people other than alice" in plugin.tells("explain", "plan/read", who="bob")
    assert "nobody is at a terminal" in plugin.refuses(*approve, who="bob", code=2)
    assert "another person has to approve it" in plugin.refuses(*approve, "--yes", who="alice")
    assert 'User "carol" cannot' in plugin.refuses(*approve, "--yes", who="carol")
    robot = "system:serviceaccount:plugin:default"
    plugin.bank.apply(may(robot, "bankstack-approve"))
    assert "a ServiceAccount approves nothing" in plugin.refuses(*approve, "--hash", HASH, who=robot)

    drawn(plugin.bank, "read", ANOTHER)
    assert f"its hash is {ANOTHER} now" in plugin.refuses(*approve, "--hash", HASH, who="bob")
    assert plugin.bank.get("planapproval")["items"] == []
    assert "You (bob) approved Restart of LndNode lnd1" in plugin.tells(*approve, "--hash", ANOTHER, who="bob")
    assert "have approved read already" in plugin.tells(*approve, "--hash", ANOTHER, who="bob")
    (given,) = plugin.bank.get("planapproval")["items"]
    assert given["spec"] == {"plan": "read", "hash": ANOTHER, "approver": "bob"}
    assert "bob          this plan" in plugin.tells("plan", "show", "read", who="bob")
    operator.scale(1)
