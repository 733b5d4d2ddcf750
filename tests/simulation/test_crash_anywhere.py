"""The operator dies between any two calls: the next one reads the world and comes to the same end.

A death before a call is the same as one after the call before it, so each call is
followed by one. Reads change nothing: in the small run only those after writes are
told, and of the longer stories some of them, always the same; `SIMULATION=all` tells
every one.
"""

import asyncio
import os
import random
from functools import cache

import pytest

from .bank import Bank
from .faults import Fault, When, at, every_first
from .oracle import same
from .stories import API_COMES_UP, BANK_COMES_UP, BOOKS_COME_UP, EACH, WALLETS_COME_UP, Story

ALL = os.environ.get("SIMULATION") == "all"
READS = (
    "get ",
    "list ",
    "bitcoind get",
    "bitcoind list",
    "bitcoind derive",
    "lnd Get",
    "lnd presented",
    "lnd Balances",
    "mongo look",
    "mongo holdings",
    "redis ",
)
CRASH = Fault("crash", When.AFTER)
#: How many of a story's deaths are told in the small run.
TOLD = {WALLETS_COME_UP: 1000, BOOKS_COME_UP: 1000, API_COMES_UP: 20, BANK_COMES_UP: 10}


@cache
def reference(story: Story = WALLETS_COME_UP) -> Bank:
    return asyncio.run(story.told())


def points(story: Story) -> list[tuple[Story, int, str]]:
    calls = [(story, number, call) for number, call in enumerate(reference(story).calls.made, 1)]
    if ALL:
        return calls
    writes = [one for one in calls if not one[2].startswith(READS)]
    dice = random.Random(20)  # noqa: S311 - a dice, not a key
    return sorted(dice.sample(writes, min(TOLD[story], len(writes))), key=lambda one: one[1])


@pytest.mark.parametrize("story", TOLD, ids=str)
async def test_the_same_story_twice_takes_the_same_course(story: Story) -> None:
    again = await story.told()
    assert again.calls.made == reference(story).calls.made
    same(again, reference(story))


@pytest.mark.parametrize("story", TOLD, ids=str)
def test_a_day_without_incidents_ends_well(story: Story) -> None:
    assert reference(story).is_ready()
    assert len(points(story)) >= min(TOLD[story], 30)


@pytest.mark.parametrize(
    "point", [one for story in TOLD for one in points(story)], ids=lambda one: f"{one[0]}: {one[1]} {one[2]}"
)
async def test_a_crash_after_this_call_changes_nothing_in_the_end(point: tuple[Story, int, str]) -> None:
    story, number, _call = point
    bank = await story.told(at(number, CRASH))
    assert bank.restarts == 1
    assert bank.is_ready(), bank.said()
    same(bank, reference(story))


@pytest.mark.parametrize("story", EACH, ids=str)
async def test_an_operator_that_dies_after_every_new_thing_it_does_still_gets_there(story: Story) -> None:
    bank = await story.told(every_first(CRASH), 5000)
    assert bank.restarts > 30
    assert bank.is_ready(), bank.said()
    same(bank, reference(story))
