"""Everything that can go wrong on the line, for both kinds at once: the end is the reference's all the same."""

import random
from functools import partial

import pytest

from bankstack.engine.objects import NETWORK_POLICY

from .apiserver import Event
from .bank import Bank
from .faults import Fault, When, every_first, some
from .oracle import laws_hold, same
from .test_crash_anywhere import reference

POLICY = (NETWORK_POLICY, "lnd1")
FAULTS = {
    "conflict": Fault(409),
    "too busy": Fault(429),
    "failed": Fault(500),
    "away": Fault(503),
    "a cut line": Fault(0),
    "an answer lost after the write": Fault(0, When.AFTER),
    "a failure told after the write": Fault(500, When.AFTER),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_every_call_fails_the_first_time(fault: Fault) -> None:
    bank = await Bank(schedule=every_first(fault)).opens().settle(3000)
    assert bank.is_ready()
    same(bank, reference())


@pytest.mark.parametrize("seed", range(12))
async def test_a_third_of_all_calls_fails_somehow(seed: int) -> None:
    faults = (*FAULTS.values(), Fault("crash"), Fault("crash", When.AFTER))
    bank = await Bank(schedule=some(seed, 0.3, faults, 800)).opens().settle(6000)
    assert bank.is_ready()
    same(bank, reference())


@pytest.mark.parametrize("behind", [1, 5, 25])
async def test_reads_that_are_old_at_first_make_no_second_wallet(behind: int) -> None:
    bank = await Bank(schedule=some(behind, 0.3, (Fault("stale", behind=behind),), 400)).opens().settle(3000)
    assert bank.is_ready()
    laws_hold(bank)


def lost(events: list[Event]) -> list[Event]:
    del events
    return []


def doubled(events: list[Event]) -> list[Event]:
    return [*events, *events]


def shuffled(events: list[Event], dice: random.Random) -> list[Event]:
    return dice.sample(events, len(events))


@pytest.mark.parametrize(
    "courier",
    [lost, doubled, partial(shuffled, dice=random.Random(1))],  # noqa: S311 - a dice, not a key
    ids=["lost", "doubled", "shuffled"],
)
async def test_events_may_be_anything_on_their_way(courier: object) -> None:
    bank = Bank().opens()
    bank.courier = courier  # type: ignore[assignment]
    bank.operators[0].resync()
    await bank.settle(3000)
    assert bank.is_ready()
    same(bank, reference())
    bank.server.remove(bank.key(*POLICY))
    bank.operators[0].resync()
    await bank.settle(3000)
    assert bank.live(*POLICY) is not None


@pytest.mark.parametrize("seed", range(6))
async def test_two_operators_at_once_make_one_wallet(seed: int) -> None:
    bank = await Bank(operators=2).opens().interleaved(seed)
    assert bank.is_ready()
    laws_hold(bank)
    assert len(bank.lnds.disks) == 1
    made = [line for line in bank.server.written if line.startswith("create Secret")]
    assert len(made) == len(set(made))
