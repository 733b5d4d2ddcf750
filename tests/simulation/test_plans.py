"""Plans and the people around them: who may agree to what, in which order things happen, and what nobody can undo."""

import pytest

from bankstack.engine.objects import CHANGE_PLAN, CONFIG_MAP, PLAN_APPROVAL, POD
from bankstack.plans import journal

from .apiserver import Key
from .bank import LND_NODE, Bank
from .faults import Fault
from .oracle import laws_hold
from .test_restart import approved, asked, book, htlc, looked_at, open_bank, pods_made, restarted, steps


async def planned() -> Bank:
    return await asked(await open_bank())


def missing(bank: Bank, name: str = "restart") -> str:
    return " ".join(bank.plan(name).get("missing", []))


# Whose word counts


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"by": "alice"}, "is by alice, who asked for this plan: another person has to approve it"),
        ({"hash": "sha256:" + "0" * 64}, "is for sha256:00000000, and this plan is now sha256:"),
        ({"notAfter": "2026-02-01T00:00:00Z"}, "counted until 2026-02-01T00:00:00Z: approve it again"),
        (
            {"by": "system:serviceaccount:ci:robot"},
            "is in the name of ServiceAccount ci:robot, and only people approve",
        ),
    ],
    ids=["by the requester", "stale", "expired", "a robot's"],
)
async def test_an_approval_that_does_not_count_says_why(given: dict[str, str], sentence: str) -> None:
    bank = await planned()
    bank.approves(**{"by": "bob", **given})
    await bank.settle(3000)
    assert bank.plan()["state"] == "AwaitingApproval"
    assert sentence in missing(bank)
    assert (pods_made(bank), bank.disk.disabled) == (1, set())


async def test_where_two_are_needed_one_person_is_not_two() -> None:
    bank = await open_bank()
    home = next(key for key in bank.server.all("Namespace") if key.name == "bank")
    bank.server.edit(
        home, lambda one: one["metadata"].update(annotations={"bankstack.io/approvals-amber": "2"}), "kubectl"
    )
    await asked(bank)
    for _ in range(2):
        bank.approves()
    await bank.settle(3000)
    assert bank.plan()["state"] == "AwaitingApproval"
    assert "are both by bob: the second has to be another person's" in missing(bank)
    bank.approves(by="carol")
    await bank.settle(3000)
    assert (bank.plan()["state"], bank.plan()["approvedBy"]) == ("Succeeded", ["bob", "carol"])


async def test_an_approval_that_is_taken_back_in_time_does_not_count() -> None:
    bank = await planned()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    bank.approves()
    await bank.settle(3000)
    assert "spec.paused of LndNode lnd1 is true" in missing(bank)
    (approval,) = [key for key in bank.server.all() if key.type == PLAN_APPROVAL]
    bank.server.delete(approval)
    bank.changes("lnd1", lambda spec: spec.update(paused=False))
    await bank.settle(3000)
    assert bank.plan()["state"] == "AwaitingApproval"
    assert pods_made(bank) == 1


async def test_a_changed_spec_is_another_plan_and_voids_what_was_approved() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    await asked(bank)
    bank.approves()
    await bank.settle(3000)
    bank.changes("lnd1", lambda spec: spec.update(version="v0.21.3-beta", paused=False))
    await bank.settle(3000)
    plan = bank.plan()
    assert plan["state"] == "AwaitingApproval"
    assert "version was v0.21.2-beta and is v0.21.3-beta" in plan["replanned"]
    assert "read it and approve it again" in missing(bank)
    assert pods_made(bank) == 1
    await approved(bank)
    assert bank.plan()["state"] == "Succeeded"


async def test_more_money_than_was_shown_is_another_plan() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    await asked(bank)
    bank.approves()
    bank.disk.local_sat += 1_000_000
    await looked_at(bank)
    assert "replanned" not in bank.plan()
    bank.disk.local_sat += 1_000_000
    await looked_at(bank)
    assert "channelSats is 3000000, beyond the 2250000 that was shown" in bank.plan()["replanned"]


async def test_without_the_admission_policy_nobody_is_believed() -> None:
    bank = await open_bank()
    bank.server.guards_names = False
    await asked(bank)
    assert bank.plan()["state"] == "Refused"
    assert "anybody could approve in another's name: only Green plans run" in bank.plan()["message"]


async def test_whether_the_policy_is_there_may_be_unknown_and_is_waited_for() -> None:
    bank = await open_bank()
    bank.calls.schedule = lambda _, words: Fault(0) if words.startswith("dry run") else None
    await asked(bank)
    assert bank.plan()["state"] == "Pending"
    assert "cannot be told now" in missing(bank)
    bank.calls.schedule = lambda _, _words: None
    await looked_at(bank, later=60)
    assert bank.plan()["state"] == "AwaitingApproval"


# What is not carried out


async def test_a_dry_run_shows_everything_and_never_runs() -> None:
    bank = await asked(await open_bank(), dryRun=True)
    bank.approves()
    await looked_at(bank)
    plan = bank.plan()
    assert (plan["state"], len(plan["steps"]), len(plan["impact"])) == ("Pending", 11, 4)
    assert "never runs" in plan["message"]
    assert (pods_made(bank), book(bank).entries) == (1, ())


@pytest.mark.parametrize("operation", ["Failover", "Upgrade", "RotateCredentials"])
async def test_an_operation_that_this_version_cannot_do_is_refused(operation: str) -> None:
    bank = await asked(await open_bank(), operation=operation)
    assert bank.plan()["state"] == "Refused"
    assert f"cannot carry out {operation} on a LndNode (only Restart, Replace)" in bank.plan()["message"]


async def test_parameters_that_mean_nothing_are_refused() -> None:
    bank = await asked(await open_bank(), parameters={"force": "true"})
    assert bank.plan()["state"] == "Refused"
    assert "takes parameter carrier and no other, and force is given" in bank.plan()["message"]


async def test_a_downgrade_over_a_migration_is_refused_and_not_waited_for() -> None:
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(version="v0.20.3-beta"))
    await asked(bank)
    assert bank.plan()["state"] == "Refused"
    assert "its database was migrated" in bank.plan()["message"]


@pytest.mark.parametrize(
    ("until", "state", "sentence"),
    [
        ("2026-02-28T00:00:00Z", "Refused", "an old plan is not carried out"),
        ("2026-05-01T00:00:00Z", "Refused", "more than 31 days after the plan was made"),
    ],
)
async def test_a_plan_is_for_now(until: str, state: str, sentence: str) -> None:
    bank = await asked(await open_bank(), notAfter=until)
    assert bank.plan()["state"] == state
    assert sentence in bank.plan()["message"]


async def test_a_plan_that_nobody_approves_expires() -> None:
    bank = await planned()
    await looked_at(bank, later=86_400)
    assert bank.plan()["state"] == "Expired"
    assert "nothing was done. It lacked: 1 approval is missing" in bank.plan()["message"]
    bank.approves()
    await looked_at(bank)
    assert (bank.plan()["state"], pods_made(bank)) == ("Expired", 1)


async def test_a_plan_that_was_done_is_not_done_again_when_git_puts_it_back() -> None:
    bank = await restarted(await open_bank())
    bank.server.delete(bank.key(CHANGE_PLAN, "restart"))
    await asked(bank)
    bank.approves()
    await bank.settle(3000)
    assert bank.plan()["state"] == "Refused"
    assert "what was done once is not done again" in bank.plan()["message"]
    assert pods_made(bank) == 2


# One after the other


async def test_of_two_approved_plans_one_runs_and_the_other_waits_for_its_turn() -> None:
    bank = await planned()
    bank.disk.htlcs.append(htlc(left=500))
    await approved(bank)
    await asked(bank, name="again")
    bank.approves("again", by="carol")
    await bank.settle(3000)
    assert (bank.plan()["state"], bank.plan("again")["state"]) == ("Running", "Pending")
    assert "it begins when ChangePlan restart has ended" in bank.plan("again")["message"]
    bank.disk.htlcs.clear()
    await looked_at(bank)
    assert (bank.plan()["state"], bank.plan("again")["state"]) == ("Succeeded", "Succeeded")
    assert [entry.plan for entry in book(bank).entries] == ["restart", "again"]
    assert book(bank).entries[1].previous == bank.plan()["record"]
    assert pods_made(bank) == 3
    laws_hold(bank)


@pytest.mark.parametrize("phase", ["Drain", "Start"])
async def test_a_running_plan_can_be_cancelled_and_lnd_ends_up_as_it_was(phase: str) -> None:
    bank = await planned()
    if phase == "Drain":
        bank.disk.htlcs.append(htlc(left=500))
    else:
        bank.calls.schedule = lambda _, words: blind(bank, words)
    await approved(bank)
    assert steps(bank)[phase] == "Running"
    bank.server.edit(bank.key(CHANGE_PLAN, "restart"), lambda one: one["spec"].update(cancelled=True), "kubectl")
    await bank.settle(3000)
    assert bank.plan()["state"] == "Cancelled"
    assert f"cancelled in step {phase}" in bank.plan()["message"]
    bank.lnds.blind = False
    await looked_at(bank, later=60)
    assert (bank.disk.disabled, bank.is_ready("lnd1"), "traffic" in bank.status("lnd1")) == (set(), True, False)
    assert book(bank).active == {}


def blind(bank: Bank, words: str) -> None:
    """bitcoind is away when LND comes back."""
    bank.lnds.blind = bank.lnds.blind or words.startswith("apply StatefulSet lnd1")


async def test_a_stop_that_was_begun_is_not_cancelled_before_its_end_is_proved() -> None:
    bank = await planned()
    bank.is_cut_off()
    await approved(bank)
    bank.server.edit(bank.key(CHANGE_PLAN, "restart"), lambda one: one["spec"].update(cancelled=True), "kubectl")
    bank.force_deletes()
    await looked_at(bank, later=60)
    assert (bank.plan()["state"], pods_made(bank)) == ("Running", 1)
    bank.server.cut_off.clear()
    bank.lnds.haunted.clear()
    await looked_at(bank)
    assert bank.plan()["state"] == "Cancelled"
    assert bank.is_ready("lnd1")
    laws_hold(bank)


async def test_a_plan_that_is_deleted_while_it_runs_leaves_a_well_node_and_a_record() -> None:
    bank = await planned()
    bank.disk.htlcs.append(htlc(left=500))
    await approved(bank)
    bank.server.delete(bank.key(CHANGE_PLAN, "restart"))
    await looked_at(bank)
    assert [(entry.plan, entry.state) for entry in book(bank).entries] == [("restart", "Cancelled")]
    assert (bank.disk.disabled, bank.is_ready("lnd1"), "traffic" in bank.status("lnd1")) == (set(), True, False)


async def test_a_target_that_does_not_exist_is_waited_for() -> None:
    bank = await asked(await open_bank(), target={"kind": "LndNode", "name": "lnd9"})
    bank.operators[0].wake(Key(LND_NODE, "bank", "lnd9"))
    await bank.settle(3000)
    assert bank.plan()["state"] == "Pending"
    assert "there is no LndNode lnd9 in this namespace" in missing(bank)


async def test_an_edited_journal_stops_plans_and_nothing_else() -> None:
    bank = await planned()
    key = bank.key(CONFIG_MAP, journal.NAME)
    bank.server.create(
        key,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": key.name}, "data": {"begun": "x"}},
        "kubectl",
    )
    bank.approves()
    await bank.settle(3000)
    assert bank.conditions("lnd1")["Ready"][1] == "JournalUnreadable"
    assert pods_made(bank) == 1


async def test_a_window_is_waited_for_unless_approvers_saw_that_it_is_not() -> None:
    """The world begins on a Sunday at noon."""
    bank = await open_bank()
    bank.changes("lnd1", lambda spec: spec.update(recycle={"windows": ["Sun 14:00-15:00 UTC"]}))
    await restarted(bank)
    assert "which opens at 2026-03-01T14:00:00Z" in missing(bank)
    bank.asks("now", ignoreWindows=True)
    await bank.settle(3000)
    bank.approves("now", by="carol")
    await bank.settle(3000)
    assert (bank.plan()["state"], bank.plan("now")["state"]) == ("Pending", "Succeeded")
    await looked_at(bank, later=7200)
    assert bank.plan()["state"] == "Succeeded"


async def test_a_quiet_bank_with_a_waiting_plan_writes_nothing() -> None:
    bank = await planned()
    written = len(bank.server.written)
    for _ in range(3):
        await looked_at(bank, later=30)
    assert bank.server.written[written:] == []


async def test_no_plan_costs_one_list_a_pass() -> None:
    bank = await restarted(await open_bank())
    calls, outcomes = len(bank.calls.made), len(bank.outcomes)
    await looked_at(bank)
    about = [call for call in bank.calls.made[calls:] if "Plan" in call or "journal" in call]
    passes = [key for key, _ in bank.outcomes[outcomes:] if "LndNode" in key]
    assert len(about) == len(passes)
    assert {call.split()[0] for call in about} == {"list"}


async def test_a_plan_between_two_lives_of_its_target_is_for_the_one_it_was_approved_for() -> None:
    bank = await planned()
    bank.changes("lnd1", lambda spec: spec.update(paused=True))
    bank.approves()
    await bank.settle(3000)
    bank.deletes("lnd1")
    bank.changes("lnd1", lambda spec: spec.update(paused=False))
    await bank.settle(3000)
    assert bank.plan()["state"] == "Refused"
    assert "is being deleted: nothing else is done to it" in bank.plan()["message"]
    assert bank.live(POD, "lnd1-0") is None
