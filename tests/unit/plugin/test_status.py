"""The bank on one screen, letter by letter."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from bankstack.engine.objects import Manifest, Ref
from bankstack.plugin import at_work
from bankstack.plugin.access import Refused

from . import given
from .given import NOW, Bank, condition, told

SILENT = "lnd2 does not answer: payments wait, nothing is lost. Look at its pod's log"
LND2 = given.resource(
    "LndNode",
    "lnd2",
    condition("Ready", "False", "LndSilent", SILENT),
    condition("Reconciling", "True", "LndSilent", SILENT),
    condition("Synced", "Unknown", "LndSilent", "LND has not said where it stands"),
    condition("ChangePending", "True", "NeedsRestart", "lnd.conf (config)"),
    state="Unknown",
)


def lease(renewed: datetime, seconds: int = 15) -> Manifest:
    spec = {"renewTime": f"{renewed:%Y-%m-%dT%H:%M:%S.%fZ}", "leaseDurationSeconds": seconds, "holderIdentity": "a"}
    return {"kind": "Lease", "metadata": {"name": "bankstack-operator"}, "spec": spec}


async def test_a_bank_that_is_well() -> None:
    ledger = copy.deepcopy(given.LEDGER)
    ledger["status"]["conditions"] = [given.READY]
    answer = await told(Bank([given.VAULT, given.LND1, ledger, given.API]), "status")
    assert answer.lines == [
        "KIND           NAME    READY  REASON      TODAY",
        "ColdWallet     vault   True   AsDeclared  regtest, chain at its tip, wallet verified, people can sign",
        "LndNode        lnd1    True   AsDeclared  SERVER_ACTIVE, 1 channel, synced, backed up",
        "LedgerCluster  ledger  True   AsDeclared  primary ledger-east-0, term 3, 2 of 3 members current, w majority",
        "ApiDeployment  bank    True   AsDeclared  mode Full, 3 of 3 pods, Redis master bank-redis-0",
    ]
    assert answer.code == 0


async def test_a_bank_that_is_not() -> None:
    answer = await told(Bank([given.LND1, LND2, given.awaiting("r-1"), given.running("r-2")]), "status")
    assert answer.lines == [
        "KIND     NAME  READY  REASON      TODAY",
        "LndNode  lnd1  True   AsDeclared  SERVER_ACTIVE, 1 channel, synced, backed up",
        "LndNode  lnd2  False  LndSilent   silent, Synced unknown (LndSilent), ChangePending (NeedsRestart)",
        "",
        "LndNode lnd2 is not Ready: LndSilent",
        "  lnd2 does not answer: payments wait, nothing is lost. Look at its pod's log",
        "  kubectl bank explain lndnode/lnd2 -n bank",
        "",
        "PLAN  TARGET        OPERATION  RISK   STATE             WAITS FOR",
        "r-1   lndnode/lnd1  Restart    Amber  AwaitingApproval  1 approval is missing, by people other than alice",
        "r-2   lndnode/lnd1  Restart    Amber  Running           Drain: 2 HTLCs are on their way",
    ]
    assert answer.code == 1


async def test_a_plan_alone_is_no_trouble() -> None:
    assert (await told(Bank([given.LND1, given.awaiting()]), "status")).code == 0


async def test_a_plan_that_has_ended_is_not_on_the_screen() -> None:
    ended = given.plan(status={"state": "Succeeded", "message": "all 10 steps are done"})
    assert len((await told(Bank([given.LND1, ended]), "status")).lines) == 2


async def test_a_dry_run_is_told_as_one_and_a_new_plan_too() -> None:
    answer = await told(Bank([given.LND1, given.plan(dryRun=True)]), "status")
    assert answer.lines[-1] == (
        "restart-1  lndnode/lnd1  Restart    -     Pending, dry run  "
        "the operator has said nothing of it yet: ask again in a moment. If this stays, see that it runs"
    )


async def test_a_word_about_an_older_spec_is_not_ready() -> None:
    changed = copy.deepcopy(given.LND1)
    changed["metadata"]["generation"] = 2
    answer = await told(Bank([changed]), "status")
    assert answer.lines[1].startswith("LndNode  lnd1  Unknown  NotLookedAt")
    assert "(generation 2), and the operator's last word is of generation 1" in answer.lines[4]
    assert answer.code == 1


async def test_what_the_operator_never_spoke_of_is_not_ready() -> None:
    new = {key: value for key, value in given.LND1.items() if key != "status"}
    answer = await told(Bank([new]), "status")
    assert answer.lines[1] == "LndNode  lnd1  Unknown  NotLookedAt  silent"
    assert "has said nothing of LndNode lnd1 yet: nobody knows how it stands" in answer.lines[4]
    assert answer.code == 1


async def test_paused_and_leaving_are_told_first() -> None:
    leaving = copy.deepcopy(given.LND1) | {"spec": {"paused": True}}
    leaving["metadata"]["deletionTimestamp"] = "2026-11-21T11:00:00Z"
    assert "being deleted, paused, SERVER_ACTIVE" in (await told(Bank([leaving]), "status")).lines[1]


async def test_a_ledger_without_primary_and_an_api_without_pods_say_so() -> None:
    ledger = given.resource("LedgerCluster", "ledger", condition("Ready", "False", "NoPrimary", "they elect"))
    api = given.resource("ApiDeployment", "bank", condition("FullService", "False", "ReadOnly", "no primary"))
    lines = (await told(Bank([ledger, api]), "status")).lines
    assert lines[1] == "LedgerCluster  ledger  False    NoPrimary    no primary"
    assert lines[2] == "ApiDeployment  bank    Unknown  NotLookedAt  mode unknown, FullService false (ReadOnly)"


async def test_no_bank_is_not_a_bank_that_is_well() -> None:
    answer = await told(Bank(), "status")
    assert (answer.lines, answer.code) == (["There is no bank in namespace bank: name its namespace with -n."], 1)


@pytest.mark.parametrize("command", ["status", "explain lnd/lnd1"])
async def test_old_news_is_told_as_old_news(command: str) -> None:
    gone = lease(NOW - timedelta(minutes=10))
    answer = await told(Bank([given.LND1, gone]), command)
    assert "no operator is at work since 2026-11-21T11:50:00Z" in "\n".join(answer.lines)
    assert answer.code == 1


async def test_an_operator_at_work_is_not_worth_a_word() -> None:
    assert (await told(Bank([given.LND1, lease(NOW - timedelta(seconds=70))]), "status")).code == 0
    assert at_work.silence(None, NOW) == ""


async def test_who_may_not_read_the_lease_is_told_nothing_of_it() -> None:
    class Narrow(Bank):
        async def get(self, one: Ref, namespace: str) -> Manifest | None:
            if one == at_work.REF:
                raise Refused("leases is forbidden")
            return await super().get(one, namespace)

    assert (await told(Narrow([given.LND1]), "status")).code == 0


def test_the_lease_is_read_as_the_operator_writes_it() -> None:
    from bankstack.engine.lease import _stamp  # noqa: PLC0415 - its own way to write it

    written = _stamp()
    long_after = datetime.now(UTC) + timedelta(hours=1)
    assert at_work.silence({"spec": {"renewTime": written, "leaseDurationSeconds": 15}}, long_after)
