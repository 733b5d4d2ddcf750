"""The operator dies between any two calls: the next one reads the world and comes to the same end.

A death before a call is the same as one after the call before it, so each call is
followed by one. Reads change nothing: in the small run only those after writes are
told; `SIMULATION=all` tells every one.
"""

import asyncio
import os
from functools import cache

import pytest

from .bank import Bank
from .faults import Fault, When, at, every_first
from .oracle import same

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
)
CRASH = Fault("crash", When.AFTER)


@cache
def reference() -> Bank:
    return asyncio.run(_told())


async def _told() -> Bank:
    return await Bank().opens().settle()


def points() -> list[tuple[int, str]]:
    calls = list(enumerate(reference().calls.made, 1))
    return [(number, call) for number, call in calls if ALL or not call.startswith(READS)]


async def test_the_same_story_twice_takes_the_same_course() -> None:
    assert (await _told()).calls.made == reference().calls.made
    same(await _told(), reference())


def test_a_day_without_incidents_ends_well() -> None:
    assert reference().is_ready()
    assert len(points()) > 60


@pytest.mark.parametrize("point", points(), ids=lambda one: f"{one[0]} {one[1]}")
async def test_a_crash_after_this_call_changes_nothing_in_the_end(point: tuple[int, str]) -> None:
    bank = await Bank(schedule=at(point[0], CRASH)).opens().settle()
    assert bank.restarts == 1
    assert bank.is_ready()
    same(bank, reference())


async def test_an_operator_that_dies_after_every_new_thing_it_does_still_gets_there() -> None:
    bank = await Bank(schedule=every_first(CRASH)).opens().settle(5000)
    assert bank.restarts > 60
    assert bank.is_ready()
    same(bank, reference())
