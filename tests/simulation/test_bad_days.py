"""Everything that can go wrong on the line, for all kinds at once: the end is the reference's all the same."""

import random
from functools import partial

import pytest

from bankstack.engine.objects import NETWORK_POLICY, Type

from .apiserver import Event
from .bank import WALLETS, WHOLE, Bank
from .faults import Fault, When, every_first, some
from .oracle import laws_hold, same
from .stories import API_COMES_UP, BANK_COMES_UP, BOOKS_COME_UP, EACH, WALLETS_COME_UP, Story
from .test_crash_anywhere import ALL, reference

FAULTS = {
    "conflict": Fault(409),
    "too busy": Fault(429),
    "failed": Fault(500),
    "away": Fault(503),
    "a cut line": Fault(0),
    "an answer lost after the write": Fault(0, When.AFTER),
    "a failure told after the write": Fault(500, When.AFTER),
}
SOME = ("conflict", "a cut line", "an answer lost after the write")
#: How often each story is told with faults at random.
TIMES = {WALLETS_COME_UP: 12, BOOKS_COME_UP: 12, API_COMES_UP: 4, BANK_COMES_UP: 2}
SEEDS = [(story, seed) for story, times in TIMES.items() for seed in range(times)]


#: To come up through each of them takes the API long: in the small run some stand for all.
EVERY = [(story, name) for story in EACH for name in FAULTS if ALL or story != API_COMES_UP or name in SOME]


@pytest.mark.parametrize(("story", "name"), EVERY, ids=str)
async def test_every_call_fails_the_first_time(story: Story, name: str) -> None:
    fault = FAULTS[name]
    bank = await story.told(every_first(fault), 5000)
    assert bank.is_ready(), bank.said()
    same(bank, reference(story))


@pytest.mark.parametrize(("story", "seed"), SEEDS, ids=str)
async def test_a_third_of_all_calls_fails_somehow(story: Story, seed: int) -> None:
    faults = (*FAULTS.values(), Fault("crash"), Fault("crash", When.AFTER))
    bank = await story.told(some(seed, 0.3, faults, 800), 10000)
    assert bank.is_ready(), bank.said()
    same(bank, reference(story))


@pytest.mark.parametrize("behind", [1, 5, 25])
@pytest.mark.parametrize("story", [*EACH, BANK_COMES_UP], ids=str)
async def test_reads_that_are_old_at_first_make_nothing_twice(story: Story, behind: int) -> None:
    bank = await story.told(some(behind, 0.3, (Fault("stale", behind=behind),), 400), 5000)
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


def lost(events: list[Event]) -> list[Event]:
    del events
    return []


def doubled(events: list[Event]) -> list[Event]:
    return [*events, *events]


def shuffled(events: list[Event], dice: random.Random) -> list[Event]:
    return dice.sample(events, len(events))


POLICIES = {WALLETS_COME_UP: (NETWORK_POLICY, "lnd1"), BANK_COMES_UP: (NETWORK_POLICY, "bank-redis")}


@pytest.mark.parametrize("story", POLICIES, ids=str)
@pytest.mark.parametrize(
    "courier",
    [lost, doubled, partial(shuffled, dice=random.Random(1))],  # noqa: S311 - a dice, not a key
    ids=["lost", "doubled", "shuffled"],
)
async def test_events_may_be_anything_on_their_way(courier: object, story: Story) -> None:
    bank = Bank().opens(*story.then)
    bank.courier = courier  # type: ignore[assignment]
    bank.operators[0].resync()
    await bank.settle(5000)
    assert bank.is_ready(), bank.said()
    same(bank, reference(story))
    policy: tuple[Type, str] = POLICIES[story]
    bank.server.remove(bank.key(*policy))
    bank.operators[0].resync()
    await bank.settle(5000)
    assert bank.live(*policy) is not None


TWICE = [(WALLETS, seed) for seed in range(6)] + [(WHOLE, seed) for seed in range(12 if ALL else 2)]


@pytest.mark.parametrize(("names", "seed"), TWICE, ids=lambda one: str(one) if isinstance(one, int) else len(one))
async def test_two_operators_at_once_make_one_bank(names: tuple[str, ...], seed: int) -> None:
    bank = await Bank(operators=2).opens(*names).interleaved(seed, 5000)
    assert bank.is_ready(), bank.said()
    laws_hold(bank)
    assert len(bank.lnds.disks) == sum(name.startswith("lnd") for name in names)
    made = [line for line in bank.server.written if line.startswith(("create Secret", "create Job"))]
    assert len(made) == len(set(made))
