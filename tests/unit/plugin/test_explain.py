"""Why a resource is not Ready, letter by letter: what is wrong, which proof is missing, what to do."""

import copy

import pytest

from bankstack.plugin.access import Refused
from bankstack.plugin.page import Page

from . import given
from .given import Bank, condition, resource, told

SILENT = "lnd1 does not answer: payments wait, nothing is lost. Look at its pod's log"
LND1 = resource(
    "LndNode",
    "lnd1",
    condition("Ready", "False", "LndSilent", SILENT),
    condition("Reconciling", "True", "LndSilent", SILENT),
    condition("ChangePending", "True", "NeedsRestart", "lnd.conf (config): a Restart plan applies it"),
    condition("ChannelBackup", "False", "Outdated", "channels are in no backup yet"),
    condition("Synced", "Unknown", "LndSilent", "LND has not said where it stands"),
)


async def test_what_is_wrong_comes_in_the_order_of_importance() -> None:
    answer = await told(Bank([LND1]), "explain lnd/lnd1")
    assert answer.lines == [
        "LndNode lnd1 in bank is not Ready: LndSilent",
        "  The operator is at it, and looks again by itself.",
        "",
        "Ready=False, Reconciling=True  LndSilent since 2026-11-21T02:13:00Z",
        "  lnd1 does not answer: payments wait, nothing is lost. Look at its pod's log",
        "",
        "ChannelBackup=False  Outdated since 2026-11-21T02:13:00Z",
        "  channels are in no backup yet",
        "  Proof that is missing: every channel is in the newest channel backup.",
        "",
        "Synced=Unknown  LndSilent since 2026-11-21T02:13:00Z",
        "  LND has not said where it stands",
        "  Proof that is missing: LND follows the chain.",
        "",
        "ChangePending=True  NeedsRestart since 2026-11-21T02:13:00Z",
        "  lnd.conf (config): a Restart plan applies it",
        "",
        "Next:",
        "  kubectl bank plan create lndnode/lnd1 Restart -n bank --reason '...'",
        "Read on: docs/lndnode.md, LndSilent",
    ]
    assert answer.code == 1


async def test_a_plan_on_its_way_is_what_comes_next() -> None:
    other = given.awaiting("other", target={"kind": "LndNode", "name": "lnd2"})
    ended = given.plan("ended", {"state": "Failed", "message": "a HTLC has 3 blocks left"})
    answer = await told(Bank([LND1, given.awaiting(), other, ended]), "explain lnd/lnd1")
    assert answer.lines[-6:] == [
        "Plans for it that have not ended:",
        "  - restart-1, Restart: AwaitingApproval: 1 approval is missing, by people other than alice",
        "",
        "Next:",
        "  kubectl bank explain plan/restart-1 -n bank",
        "Read on: docs/lndnode.md, LndSilent",
    ]


async def test_what_only_a_person_can_mend_says_so() -> None:
    told_twice = "another identity: it gets no payments"
    stalled = resource(
        "ColdWallet",
        "vault",
        condition("Ready", "False", "DescriptorChanged", told_twice),
        condition("Stalled", "True", "DescriptorChanged", told_twice),
        condition("WalletReady", "False", "DescriptorChanged", told_twice),
    )
    assert (await told(Bank([stalled]), "explain cw/vault")).lines[:6] == [
        "ColdWallet vault in bank is not Ready: DescriptorChanged",
        "  This needs a person: nothing is tried again until something changes.",
        "",
        "Ready=False, Stalled=True, WalletReady=False  DescriptorChanged since 2026-11-21T02:13:00Z",
        "  another identity: it gets no payments",
        "  Proof that is missing: the wallet watches the declared descriptors, nothing else, and knows its coins.",
    ]


async def test_a_degraded_api_names_what_keeps_it_from_more() -> None:
    api = resource(
        "ApiDeployment",
        "bank",
        condition("Ready", "True", "ReceiveOnly", "the API is in mode ReceiveOnly"),
        condition("FullService", "False", "ReceiveOnly", "lnd1 is silent"),
        mode="ReceiveOnly",
        modeReasons=["lnd1 is silent"],
    )
    answer = await told(Bank([api]), "explain api/bank")
    assert answer.lines[0] == "ApiDeployment bank in bank is Ready: ReceiveOnly"
    assert answer.lines[-5:] == [
        "",
        "What keeps it from more:",
        "  - lnd1 is silent",
        "",
        "Read on: docs/apideployment.md, ReceiveOnly",
    ]
    assert answer.code == 0


async def test_what_is_well_is_said_in_two_lines() -> None:
    answer = await told(Bank([given.LND1]), "explain lndnode.bankstack.io/lnd1")
    assert answer.lines == ["LndNode lnd1 in bank is Ready: AsDeclared", "  all is as declared"]
    assert answer.code == 0


async def test_silence_is_explained_too() -> None:
    changed = copy.deepcopy(given.LND1)
    changed["metadata"]["generation"] = 2
    for one in (changed, {key: value for key, value in given.LND1.items() if key != "status"}):
        answer = await told(Bank([one]), "explain lnd/lnd1")
        assert answer.lines[:3] == [
            "LndNode lnd1 in bank is not known to be Ready: NotLookedAt",
            "",
            "Ready=Unknown  NotLookedAt",
        ]
        assert "see that the operator runs" in answer.lines[3]
        assert answer.lines[-1] == "Read on: docs/kubectl-bank.md, NotLookedAt"
        assert answer.code == 1


@pytest.mark.parametrize("reason", ["VolumeCordoned", "DowngradeRefused"])
async def test_no_plan_is_named_that_could_not_help(reason: str) -> None:
    waits = resource("LndNode", "lnd1", condition("ChangePending", "True", reason, "why"))
    assert "Next:" not in (await told(Bank([waits]), "explain lnd/lnd1")).lines


async def test_what_is_paused_is_not_said_to_come_right_by_itself() -> None:
    paused = condition("Paused", "True", "Paused", "spec.paused is true")
    one = resource("LndNode", "lnd1", condition("Ready", "False", "Forbidden", "no right"), paused)
    lines = (await told(Bank([one]), "explain lnd/lnd1")).lines
    assert lines[1] == "  spec.paused is true: nothing is done until a person sets it to false."
    assert lines[-1] == "Read on: docs/kubectl-bank.md, Forbidden"


async def test_on_a_narrow_terminal_sentences_are_folded_and_commands_are_not() -> None:
    lines = (await told(Bank([LND1]), "explain lnd/lnd1", page=Page(width=40))).lines
    assert "  kubectl bank plan create lndnode/lnd1 Restart -n bank --reason '...'" in lines
    assert lines[5:7] == ["  lnd1 does not answer: payments wait,", "  nothing is lost. Look at its pod's log"]


async def test_what_is_not_there_is_told_with_the_way_to_what_is() -> None:
    with pytest.raises(Refused, match="there is no LndNode lnd9 in namespace bank: `kubectl bank status` has"):
        await told(Bank([LND1]), "explain lnd/lnd9")
