"""The operator dies, is cut off or is two, anywhere in a Restart: LND is stopped once, and the end is the same."""

import pytest

from .bank import WRITES, Bank
from .faults import Fault, When, at, every_first, some
from .oracle import laws_hold
from .test_bad_days import FAULTS
from .test_crash_anywhere import ALL
from .test_restart import approved, asked, book, looked_at, open_bank, pods_made, reference, restarted, went_well

CRASH = Fault("crash", When.AFTER)


def first_call(undisturbed: Bank) -> int:
    """The number of the first call since the plan was made."""
    return next(number for number, call in enumerate(undisturbed.calls.made, 1) if call.startswith("dry run"))


def points(undisturbed: Bank) -> list[tuple[int, str]]:
    """Every call since the plan was made; in the small run only those that change something."""
    first, calls = first_call(undisturbed), enumerate(undisturbed.calls.made, 1)
    return [(number, call) for number, call in calls if number >= first and (ALL or call.startswith(WRITES))]


@pytest.mark.parametrize("point", points(reference()), ids=lambda one: f"{one[0]} {one[1]}")
async def test_a_crash_after_this_call_changes_nothing_in_the_end(point: tuple[int, str]) -> None:
    bank = await restarted(await open_bank(schedule=at(point[0], CRASH)))
    assert bank.restarts == 1
    went_well(bank)


async def test_an_operator_that_dies_after_every_new_thing_it_does_still_gets_there() -> None:
    bank = await restarted(await open_bank(schedule=every_first(CRASH)))
    assert bank.restarts > 80
    went_well(bank)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_every_call_fails_the_first_time(fault: Fault) -> None:
    bank = await restarted(await open_bank(schedule=every_first(fault)))
    went_well(bank)


@pytest.mark.parametrize("seed", range(8))
async def test_a_third_of_all_calls_fails_somehow(seed: int) -> None:
    faults = (*FAULTS.values(), Fault("crash"), Fault("crash", When.AFTER))
    bank = await open_bank()
    bank.calls.schedule = some(seed, 0.3, faults, len(bank.calls.made) + 600)
    went_well(await restarted(bank))


@pytest.mark.parametrize("seed", range(6))
async def test_two_operators_at_once_restart_once(seed: int) -> None:
    bank = await open_bank(operators=2)
    bank.asks()
    await bank.interleaved(seed, 3000)
    bank.approves()
    await bank.interleaved(seed, 6000)
    went_well(bank)


async def restarted_in_time(bank: Bank) -> Bank:
    """A plan or an approval that an old read left out is found with the next look at its target."""
    await looked_at(await asked(bank))
    return await looked_at(await approved(bank))


@pytest.mark.parametrize("behind", [1, 5])
async def test_reads_that_are_old_stop_lnd_once(behind: int) -> None:
    bank = await open_bank()
    bank.calls.schedule = some(behind, 0.2, (Fault("stale", behind=behind),), len(bank.calls.made) + 400)
    went_well(await restarted_in_time(bank))


@pytest.mark.parametrize("seed", range(6))
async def test_reads_from_before_the_plan_was_made_end_it_as_if_it_was_deleted_and_lnd_runs(seed: int) -> None:
    """No quorum reads so far back, twice in a row; whoever did could not know of the plan. LND stops once at most."""
    bank = await open_bank()
    bank.calls.schedule = some(seed, 0.2, (Fault("stale", behind=25),), len(bank.calls.made) + 400)
    await looked_at(await restarted_in_time(bank), later=4000)
    assert bank.plan()["state"] in ("Succeeded", "Cancelled", "Failed"), bank.plan()
    assert pods_made(bank) <= 2, "LND was stopped once at most"
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    assert (bank.disk.disabled, book(bank).active) == (set(), {})
    laws_hold(bank)
