"""Asking for an operation: in one's own name, with a reason, for a time."""

import pytest

from bankstack.plans.model import ChangePlanSpec
from bankstack.plugin import commands, made
from bankstack.plugin.access import Refused
from bankstack.plugin.known import Usage

from . import given
from .given import NOW, Bank, Somebody, told

NAME = "restart-lnd1-20261121-120000"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PAUSE", 0)


async def test_a_plan_is_made_in_the_persons_own_name() -> None:
    bank = Bank(me="alice")
    await told(bank, "plan create lnd/lnd1 reSTart --reason size")
    (written,) = bank.written
    assert written["metadata"] == {"name": NAME, "namespace": "bank"}
    assert written["spec"] == {
        "target": {"kind": "LndNode", "name": "lnd1"},
        "operation": "Restart",
        "requestedBy": "alice",
        "notAfter": "2026-11-22T12:00:00Z",
        "reason": "size",
    }
    ChangePlanSpec.model_validate(written["spec"])


async def test_it_is_shown_as_the_operator_draws_it_up() -> None:
    bank = Bank(drawn=[given.plan(NAME), given.awaiting(NAME)])
    lines = (await told(bank, "plan create lnd/lnd1 Restart --reason size")).lines
    assert lines[:4] == [
        f"ChangePlan {NAME} was made.",
        "",
        f"ChangePlan {NAME} in bank: AwaitingApproval",
        "  1 approval is missing, by people other than alice",
    ]
    assert f"  kubectl bank plan approve {NAME} -n bank --hash {given.HASH}" in lines


async def test_an_operator_that_does_not_come_holds_nobody_up() -> None:
    answer = await told(Bank(), "plan create lnd/lnd1 Restart --reason size")
    assert "the operator has said nothing of it yet" in answer.lines[3]
    assert answer.code == 0


async def test_every_wish_is_in_it() -> None:
    bank = Bank()
    words = "--name mine --not-after 90m --dry-run --ignore-windows --parameter a=b=c --parameter d= --reason x"
    await told(bank, f"plan create lnd/lnd1 Restart {words}")
    (written,) = bank.written
    assert written["metadata"]["name"] == "mine"
    assert written["spec"] == {
        "target": {"kind": "LndNode", "name": "lnd1"},
        "operation": "Restart",
        "requestedBy": "bob",
        "notAfter": "2026-11-21T13:30:00Z",
        "reason": "x",
        "parameters": {"a": "b=c", "d": ""},
        "dryRun": True,
        "ignoreWindows": True,
    }


async def test_on_a_terminal_the_reason_is_asked_for() -> None:
    bank, person = Bank(), Somebody("9.8 GiB\n")
    await told(bank, "plan create lnd/lnd1 Restart", person)
    assert bank.written[0]["spec"]["reason"] == "9.8 GiB"
    assert person.asked == ["Why? Those who approve and the journal have to know: "]


WRONG = {
    "lnd/lnd1 Restart": "--reason is missing",
    "lnd1 Restart --reason x": "names no resource: write KIND/NAME",
    "plan/p Restart --reason x": "a plan is for a resource of the bank, not for another plan",
    "lnd/lnd1 Restart --reason x --not-after tomorrow": "is no time: write a moment in UTC",
    "lnd/lnd1 Restart --reason x --not-after 2026-02-30T00:00:00Z": "is no time: write a moment in UTC",
    "lnd/lnd1 Restart --reason x --parameter a": "is not KEY=VALUE",
    "lnd/lnd1 Restart --reason x --parameter =a": "is not KEY=VALUE",
}


@pytest.mark.parametrize("words", WRONG)
async def test_what_makes_no_sense_changes_nothing(words: str) -> None:
    bank = Bank()
    with pytest.raises(Usage, match=WRONG[words]):
        await told(bank, f"plan create {words}")
    assert bank.written == []


async def test_an_operation_that_is_not_known_here_is_the_api_servers_to_refuse() -> None:
    refusal = "operation of LndNode has to be one of Restart. Correct it, or target.kind"
    with pytest.raises(Refused, match="has to be one of Restart"):
        await told(Bank(refusal=refusal), "plan create lnd/lnd1 Replace --reason x")


@pytest.mark.parametrize(("typed", "moment"), [
    ("90m", "2026-11-21T13:30:00Z"), ("2d", "2026-11-23T12:00:00Z"), ("2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"),
])  # fmt: skip
def test_a_time_is_a_moment_or_so_long_from_now(typed: str, moment: str) -> None:
    assert made.until(typed, NOW) == moment


@pytest.mark.parametrize(
    ("operation", "target"), [("RestoreChannelBackup", "a" * 63), ("Restart", "a" * 39 + "-b"), ("Restart", "lnd1")]
)
def test_a_made_name_always_fits(operation: str, target: str) -> None:
    name = made.plan_name(operation, target, NOW)
    assert len(name) <= 63
    assert "--" not in name
