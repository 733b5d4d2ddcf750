"""From words to an exit code: in a process of its own, as kubectl starts it, and inside."""

import importlib.metadata
import json
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bankstack.plugin import __main__ as program
from bankstack.plugin import access
from bankstack.plugin.access import Refused, Way

from . import given
from .given import Bank
from .test_access import KUBECONFIG

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "operator"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bankstack.plugin", *words]
    around = os.environ | {"PYTHONPATH": str(SOURCE)} | environment
    return subprocess.run(command, env=around, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    """What the program finds instead of a cluster."""
    held = Bank([given.LND1])
    held.namespace = "bank"  # type: ignore[attr-defined]

    @asynccontextmanager
    async def cluster(_way: Way) -> AsyncIterator[Bank]:
        yield held

    monkeypatch.setattr(access, "cluster", cluster)
    return held


def test_the_package_brings_the_command() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    (point,) = [importlib.metadata.EntryPoint(name, value, "console_scripts") for name, value in scripts.items()]
    assert point.name == "kubectl-bank"
    assert point.load() is program.main


def test_help_and_mistakes_are_answered_without_anything_heavy() -> None:
    ask = (
        "import sys; from bankstack.plugin.__main__ import main\n"
        "code = main(['plan', 'aprove', 'x'])\n"
        "print(code, *(one for one in ('pydantic', 'aiohttp', 'kubernetes', 'yaml') if one in sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", ask], cwd=SOURCE, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["2"]


def test_what_is_started_imports_nothing_of_the_operators_work() -> None:
    ask = (
        "import sys; from bankstack import lean; from bankstack.plugin import access, commands\n"
        "print(*sorted(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", ask], cwd=SOURCE, capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert "kubernetes.aio.client.api_client" in modules
    assert not modules & {"kopf", "grpc", "cryptography", "pymongo", "redis", "prometheus_client", "requests"}
    assert not [one for one in modules if one.startswith(("bankstack.kinds", "kubernetes.aio.client.models."))]


@pytest.mark.parametrize(
    "words", [["explain", "lnd1"], ["plan"], ["plan", "show"], ["staus"], [], ["status", "-o", "yaml"]]
)
def test_what_makes_no_sense_gets_one_sentence_and_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("kubectl bank: ")


def test_a_bank_that_is_well_ends_with_0_and_one_that_is_not_with_1(
    bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["status"]) == 0
    assert "lnd1  True" in capsys.readouterr().out
    bank.held = []
    assert program.main(["-n", "bank", "status"]) == 1


def test_json_has_names_as_kubernetes_writes_them(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.held.append(given.awaiting())
    assert program.main(["status", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "namespace": "bank",
        "resources": [
            {
                "kind": "LndNode",
                "name": "lnd1",
                "ready": "True",
                "reason": "AsDeclared",
                "message": "all is as declared",
                "state": ["SERVER_ACTIVE", "1 channel", "synced", "backed up"],
            }
        ],
        "plans": [
            {
                "name": "restart-1",
                "target": "lndnode/lnd1",
                "operation": "Restart",
                "risk": "Amber",
                "state": "AwaitingApproval",
                "waitsFor": "1 approval is missing, by people other than alice",
            }
        ],
        "operator": "",
    }


@pytest.mark.parametrize("words", ["plan show restart-1", "explain plan/restart-1", "plan log", "explain lnd/lnd1"])
def test_every_answer_has_its_json(words: str, bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.held += [given.awaiting(), given.chain(given.entry("a", 1))]
    program.main([*words.split(), "-o", "json"])
    assert json.loads(capsys.readouterr().out)


def test_a_refusal_is_one_sentence_and_1(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refused(*_: object) -> None:
        raise Refused('lndnodes is forbidden:\n User "bob" cannot list\x1b[2K')

    monkeypatch.setattr(bank, "list", refused)
    assert program.main(["status"]) == 1
    assert capsys.readouterr().err == (
        'kubectl bank: lndnodes is forbidden:  User "bob" cannot list\N{REPLACEMENT CHARACTER}[2K\n'
    )


def test_a_journal_nobody_can_read_is_one_sentence_and_1(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.held.append(given.chain() | {"data": {"entries": "{"}})
    assert program.main(["plan", "log"]) == 1
    assert "was edited by hand and cannot be read" in capsys.readouterr().err


def test_what_nobody_foresaw_is_a_sentence_too(bank: Bank, capsys: pytest.CaptureFixture[str]) -> None:
    bank.held = [{"kind": "LndNode"}]
    assert program.main(["status"]) == 1
    printed = capsys.readouterr().err
    assert "nobody foresaw (KeyError at " in printed
    assert len(printed.splitlines()) == 1


class Home(BaseHTTPRequestHandler):
    """An API server with one LndNode and nothing else."""

    def do_GET(self) -> None:
        items = [given.LND1] if self.path.endswith("/lndnodes") else []
        body = json.dumps({"items": items}).encode()
        self.send_response(404 if "leases" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Into no test's output."""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Home) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = tmp_path / "config"
        place.write_text(KUBECONFIG.format(server=f"http://127.0.0.1:{server.server_port}"))
        yield str(place)
        server.shutdown()


def test_a_whole_round_in_a_process_of_its_own(kubeconfig: str) -> None:
    ended = run("status", KUBECONFIG=kubeconfig)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "KIND     NAME  READY  REASON      TODAY",
        "LndNode  lnd1  True   AsDeclared  SERVER_ACTIVE, 1 channel, synced, backed up",
    ]


def test_who_reads_only_the_first_line_sees_no_complaint(kubeconfig: str) -> None:
    line = f"{sys.executable} -m bankstack.plugin status --kubeconfig {kubeconfig} | true"
    around = os.environ | {"PYTHONPATH": str(SOURCE)}
    ended = subprocess.run(["bash", "-c", line], env=around, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == ""
