"""The operator dies, is cut off or is two, anywhere in a Replace: one identity is retired, and no satoshi lost."""

import pytest

from bankstack.engine.objects import CHANGE_PLAN
from bankstack.kinds.lndnode import stages

from .faults import Fault, at, every_first, some
from .oracle import laws_hold
from .test_bad_days import FAULTS
from .test_replace import ADDRESS, PLAN, approved, asked, disks, plan, reference, replaced, rich_bank, went_well
from .test_restart import looked_at
from .test_restart_anywhere import CRASH, points


@pytest.mark.parametrize("point", points(reference()), ids=lambda one: f"{one[0]} {one[1]}")
async def test_a_crash_after_this_call_changes_nothing_in_the_end(point: tuple[int, str]) -> None:
    bank = await replaced(await rich_bank(schedule=at(point[0], CRASH)))
    assert bank.restarts == 1
    went_well(bank)


@pytest.mark.parametrize("fault", [*FAULTS.values(), CRASH], ids=[*FAULTS, "crash"])
async def test_every_call_fails_the_first_time(fault: Fault) -> None:
    went_well(await replaced(await rich_bank(schedule=every_first(fault))))


@pytest.mark.parametrize("seed", range(6))
async def test_a_third_of_all_calls_fails_somehow(seed: int) -> None:
    bank = await rich_bank()
    bank.calls.schedule = some(seed, 0.3, (*FAULTS.values(), Fault("crash"), CRASH), len(bank.calls.made) + 900)
    went_well(await replaced(bank))


@pytest.mark.parametrize("seed", range(3))
async def test_two_operators_at_once_replace_once(seed: int) -> None:
    bank = await rich_bank(operators=2)
    bank.asks(PLAN, operation="Replace", parameters={"destination": ADDRESS})
    await bank.interleaved(seed, 3000)
    bank.approves(PLAN)
    bank.approves(PLAN, by="carol")
    await bank.interleaved(seed, 9000)
    went_well(bank)


@pytest.mark.parametrize("behind", [1, 5])
async def test_reads_that_are_old_retire_one_identity_once(behind: int) -> None:
    bank = await rich_bank()
    bank.calls.schedule = some(behind, 0.2, (Fault("stale", behind=behind),), len(bank.calls.made) + 600)
    await looked_at(await asked(bank))
    went_well(await looked_at(await approved(bank)))


@pytest.mark.parametrize("step", [stages.STOP, stages.RETIRE, stages.RENEW, stages.START])
async def test_a_plan_that_is_deleted_at_any_step_leaves_one_wallet_in_use(step: str) -> None:
    """The operator dies as the step begins, and the plan is gone when it is back."""
    bank = await asked(await rich_bank())
    schedule = bank.calls.schedule
    gone: list[str] = []

    def deletes(number: int, words: str) -> Fault | None:
        if not gone and any(one["name"] == step and one["state"] == "Running" for one in plan(bank).get("steps", [])):
            gone.append(step)
            bank.server.delete(bank.key(CHANGE_PLAN, PLAN))
        return schedule(number, words)

    bank.calls.schedule = deletes
    await approved(bank)
    await looked_at(bank, later=60)
    assert gone == [step]
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    in_use = [one.wallet for one in disks(bank)][-1]
    assert in_use is not None
    assert bank.status("lnd1")["identityPubkey"] == in_use.identity
    laws_hold(bank)
