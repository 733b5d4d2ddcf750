"""LNDs are restarted while customers pay: nothing is lost, doubled or closed by force, and what it cost is printed."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bankstack.kinds.lndnode import stages
from bankstack.kinds.lndnode.plans import STEPS
from bankstack.plans.model import FINISHED
from demokit.bank import Demo
from demokit.payments import ASKED, NAMES, PATIENCE_SECONDS, POD

from .bank import Bank
from .conftest import Lab, Manifest, elapsed, eventually
from .operated import is_killed, kill_main_process
from .processes import watched
from .test_plans import approval, made, may, plan, restart
from .timeline import Timeline, timeline

ROOT = Path(__file__).parents[2]
#: `hack/test soak` asks for more.
RESTARTS = int(os.environ.get("BANK_RESTARTS", "2"))
NODES = ("lnd1", "lnd2")
#: Who is struck, and in which step of a restart: `hack/test soak` asks for all of them, each once.
VICTIMS = ("lnd", "node", "mongod")
#: The first eleven are every step once, the next eleven with another victim.
ROUNDS = [
    (step.name, VICTIMS[(number + turn) % len(VICTIMS)])
    for turn in range(len(VICTIMS))
    for number, step in enumerate(STEPS)
]
BLOWS = ROUNDS[: int(os.environ.get("BANK_BLOWS", "0"))]
#: Restarts, after which customers that spent theirs have money again.
IN_ONE_LOAD = 10
RATES = ("--intraledger", "4", "--lightning", "2")
#: More than the demo's: one pays at a time, and with few of them the rate would fall where the machine is slow.
CUSTOMERS = (*NAMES, "grace", "heidi", "ivan", "judy", "mike", "nina")
#: Enough for one load: a payment that fails is then never one for want of money.
FUNDS_SAT = "100000"
#: At most: it ends when the story has seen what it wanted, and some payments before and after.
LOAD_SECONDS, CALM_SECONDS = 1200, 5
SAID = "/data/recycle.said"
#: The operator's own part of a restart; and where the machine is so busy that LND takes long to come back, of that.
OWN_SECONDS, OWN_SHARE = 3.0, 0.2


@dataclass
class World:
    """A bank that pays through two nodes, and those who bring payments."""

    bank: Bank
    demo: Demo

    def begin_load(self) -> None:
        """In the background, remembered beside what the demo asked for; no other one is left of a story that failed."""
        self.await_no_load()
        whose = f"--names {','.join(CUSTOMERS)} --funds {FUNDS_SAT}"
        words = f"{whose} --seconds {LOAD_SECONDS} {' '.join(RATES)} --asked {ASKED}"
        command = f"node load/main.js run {words} >{SAID} 2>&1"
        script = f"{command} & echo $! >{SAID}.pid; wait $!; echo $? >{SAID}.code"
        self._inside("sh", "-c", f"rm -f {SAID}.*; ({script}) </dev/null >/dev/null 2>&1 &")
        eventually(lambda: "load begin" in self.said(), 60, lambda: f"the load has begun: {self.said()}")
        elapsed(CALM_SECONDS)

    def end_load(self) -> str:
        elapsed(CALM_SECONDS)
        self.await_no_load()
        eventually(
            lambda: self._asks(f"cat {SAID}.code").stdout.strip() == "0", 5, lambda: f"it ends well: {self.said()}"
        )
        return self.said()

    def is_loaded(self) -> bool:
        return self._asks(f"test -e {SAID}.pid && ! test -e {SAID}.code").returncode == 0

    def await_no_load(self) -> None:
        """Whatever became of it: a payment that was cut off is asked after at the end of the story."""
        # Once, for it ends well only if it is not told again; a question beside a node without power may not arrive.
        ends = f"test -e {SAID}.code || kill $(cat {SAID}.pid); echo told"
        eventually(lambda: "told" in self._asks(ends).stdout, 60, "the load is told to end")
        is_over = f"test -e {SAID}.code || ! grep -qs load/[m]ain.js /proc/[0-9]*/cmdline"
        eventually(lambda: self._asks(is_over).returncode == 0, PATIENCE_SECONDS + 120, "the load is over")

    def _asks(self, script: str) -> subprocess.CompletedProcess[str]:
        return self.bank.lab.asks("-n", "outside", "exec", POD, "--", "sh", "-c", script)

    def said(self) -> str:
        return self._inside("cat", SAID)

    def _inside(self, *command: str) -> str:
        return self.demo.outside.room.inside(POD, *command)

    def closed(self) -> list[Manifest]:
        """Channels that are closed or being closed, by the outside node's word."""
        pending = self._outside_says("pendingchannels")
        kinds = ("pending_closing_channels", "pending_force_closing_channels", "waiting_close_channels")
        found = [one for kind in kinds for one in pending[kind]]
        return [*found, *self._outside_says("closedchannels")["channels"]]

    def _outside_says(self, what: str) -> Manifest:
        """Once it answers: a node without power may have been its own."""
        said: list[Manifest] = []

        def answers() -> bool:
            said[:] = [self.demo.outside.lncli(what)]
            return bool(said[0])

        eventually(answers, 120, f"the outside node says {what}")
        return said[0]


@pytest.fixture(scope="module")
def world(lab: Lab) -> Iterator[World]:
    ended = subprocess.run(["hack/demo"], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    bank = Bank.of(lab, "bank")
    bank.apply(may("alice", "bankstack-view"), may("alice", "bankstack-edit"), may("bob", "bankstack-approve"))
    for name in NODES:
        eventually(partial(has_coins, bank, name), 90, f"{name} has coins")
    yield World(bank, Demo())
    subprocess.run(["hack/demo", "down"], cwd=ROOT, capture_output=True, timeout=900, check=False)


def has_coins(bank: Bank, name: str) -> bool:
    return bool(bank.condition("LndNode", name, "CarriesPayments").get("status") == "True")


def recycled(world: World, node: str, name: str) -> Timeline:
    """One Restart, to its end."""
    with begun(world, node, name) as line:
        line.until("Succeeded", within=300)
    return line


@contextmanager
def begun(world: World, node: str, name: str) -> Iterator[Timeline]:
    """A Restart, asked for by alice and approved by bob."""
    asked = restart(name)
    asked["spec"]["target"]["name"] = node
    made(world.bank, "alice", asked)
    with timeline(world.bank, name) as line:
        shown = line.until("AwaitingApproval", within=60)
        made(world.bank, "bob", approval(f"{name}-bob", name, "bob", shown["hash"]))
        yield line


def told(node: str, line: Timeline, away: int) -> str:
    spent = line.in_steps()
    steps = [
        f"{one['name']:<10} {spent.get(one['name'], 0):5.1f} s  {one.get('evidence', '')}"
        for one in line.status["steps"]
    ]
    return "\n".join((f"{node}: away for {away} s; the operator's own time {line.own_seconds():.1f} s", *steps))


def paid(load: str) -> str:
    """What a load says at its end: of each kind of payment, and the longest times without one."""
    return "\n".join(re.findall("^(?:intraledger|send|receive|longest time) .*$", load, re.MULTILINE))


@pytest.mark.parametrize("first", range(0, RESTARTS, IN_ONE_LOAD))
def test_lnds_are_restarted_under_load_and_nothing_is_lost(world: World, first: int) -> None:
    world.begin_load()
    for number in range(first, min(first + IN_ONE_LOAD, RESTARTS)):
        node, other = NODES if number % 2 == 0 else NODES[::-1]
        line = recycled(world, node, f"under-load-{number}")
        assert world.is_loaded(), world.said()
        away = world.bank.resource("LndNode", node)["status"]["lastDowntimeSeconds"]
        print(told(node, line, away))
        assert line.own_seconds() <= max(OWN_SECONDS, OWN_SHARE * away), f"{line.own_seconds():.1f} s of {away} s"
        evidence = {one["name"]: one["evidence"] for one in line.status["steps"]}
        assert evidence[stages.DIVERT] == f"payments go elsewhere: bank: {other}"
    load = world.end_load()
    print(paid(load))
    across = next(line for line in load.splitlines() if line.startswith("intraledger"))
    assert re.search(r"/s  \d+ SUCCESS  p50", across), across
    assert world.closed() == []


@pytest.mark.parametrize(("step", "victim"), BLOWS)
def test_whatever_dies_in_whichever_step_there_is_one_lnd_and_the_bank_comes_back(
    world: World, step: str, victim: str
) -> None:
    name, bank = f"struck-{step}-{victim}".lower(), world.bank
    eventually(lambda: is_whole(world), 300, lambda: bank.kubectl("get", "bank"))
    where = bank.get("pod", "lnd1-0")["spec"]["nodeName"]
    identity = bank.resource("LndNode", "lnd1")["status"]["identityPubkey"]
    world.begin_load()
    with watched("lnd", "lnd1-0") as processes:
        with begun(world, "lnd1", name):
            eventually(lambda: _has_reached(bank, name, step), 120, f"the plan comes to {step}")
            assert world.is_loaded(), world.said()
            struck = strike(bank, victim, where)
            eventually(lambda: plan(bank, name)["state"] in FINISHED, 420, lambda: str(plan(bank, name)))
        eventually(lambda: is_whole(world), 300, lambda: bank.kubectl("get", "bank"))
    world.await_no_load()
    ended = plan(bank, name)
    whom = victim if struck else f"{victim} (was gone)"
    print(f"{step} {whom}: {ended['state']}, {ended['message']}; {processes.looks} looks, {len(processes.seen)} LNDs")
    assert processes.most == 1
    assert bank.resource("LndNode", "lnd1")["status"]["identityPubkey"] == identity
    assert world.closed() == []


def _has_reached(bank: Bank, name: str, step: str) -> bool:
    return any(one["name"] == step and one["state"] != "Pending" for one in plan(bank, name)["steps"])


def strike(bank: Bank, victim: str, where: str) -> bool:
    """LND's process, the power of the node `where` LND was, or MongoDB's primary; False where there is no LND."""
    if victim == "mongod":
        kill_main_process(bank.get("pod", f"{bank.resource('LedgerCluster', 'ledger')['status']['primary']}-0"))
    elif victim == "lnd":
        return is_killed(bank, "lnd1-0")
    else:
        region = bank.lab.get("node", where)["metadata"]["labels"]["topology.kubernetes.io/region"]
        bank.lab.does("kill-node", region)
        elapsed(3)
        bank.lab.does("start-node", region)
    return True


def is_whole(world: World) -> bool:
    """Everything Ready, and nodes with coins for the next restart."""
    bank, idle = world.bank, [node for node in NODES if not has_coins(world.bank, node)]
    for node in idle:
        # An lnd whose call broke off in the handshake calls that peer no more; elsewhere people would see to it.
        pubkey = bank.resource("LndNode", node)["status"]["identityPubkey"]
        world.demo.outside.is_peer(pubkey, f"{node}-p2p.{bank.name}.svc:9735")
    listed = [
        (one["kind"], one["metadata"]["name"]) for one in bank.get("bank")["items"] if one["kind"] != "ChangePlan"
    ]
    return not idle and all(bank.is_ready(*one) for one in listed)


def test_afterwards_every_payment_was_made_once_and_the_books_are_sound(world: World) -> None:
    verdict = world.demo.customers.check()
    print(verdict)
    assert "lost 0, doubled 0, unknown 0, hung 0 of" in verdict
    assert "books: sound" in verdict
    assert world.bank.resource("ApiDeployment", "bank")["status"].get("avoids") is None
    assert plan(world.bank, "under-load-0")["state"] == "Succeeded"
