"""A newer LND changes the database: that is on record before it starts, and no older one is started afterwards."""

import asyncio
from functools import cache

import pytest

from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET, annotation, uid
from bankstack.kinds.lndnode.names import LND_VERSION

from .bank import WRITES, Bank
from .faults import Fault, When, at, every_first
from .oracle import laws_hold
from .test_crash_anywhere import ALL
from .test_restart import approved, asked, evidence, image, looked_at, open_bank, restarted, steps, went_well

OLDER, NEWER = "v0.21.2-beta", "v0.22.0-beta"
CRASH = Fault("crash", When.AFTER)


def declares(bank: Bank, version: str) -> None:
    bank.changes("lnd1", lambda spec: spec.update(version=version))


async def upgraded(bank: Bank) -> Bank:
    declares(bank, NEWER)
    return await restarted(bank)


@cache
def reference() -> Bank:
    async def told() -> Bank:
        return await upgraded(await open_bank())

    return asyncio.run(told())


def points() -> list[int]:
    """Calls since the newer release was declared; in the small run only those that change something."""
    calls = list(enumerate(reference().calls.made, 1))
    first = next(number for number, call in calls if call.startswith("dry run"))
    return [number for number, call in calls if number >= first and (ALL or call.startswith(WRITES))]


def noted(bank: Bank) -> str | None:
    return annotation(bank.live(PERSISTENT_VOLUME_CLAIM, "lnd1-data") or {}, LND_VERSION)


def deletes_the_set(bank: Bank) -> None:
    """By hand: its pod goes with it."""
    if bank.live(STATEFUL_SET, "lnd1"):
        bank.server.delete(bank.key(STATEFUL_SET, "lnd1"))


def test_a_newer_release_is_started_by_its_plan_and_noted() -> None:
    bank = reference()
    went_well(bank)
    assert (image(bank), noted(bank)) == (f"lightninglabs/lnd:{NEWER}", "v0.22.0")
    assert evidence(bank, "Renew") == "changed: version"
    assert bank.status("lnd1")["version"] == "0.22.0-beta"


async def test_an_operator_that_dies_after_every_new_thing_it_does_upgrades_once() -> None:
    bank = await upgraded(await open_bank(schedule=every_first(CRASH)))
    assert bank.restarts > 80
    went_well(bank)
    assert noted(bank) == "v0.22.0"


async def test_the_way_back_is_refused_and_what_runs_runs_on() -> None:
    bank = await upgraded(await open_bank())
    pod = uid(bank.live(POD, "lnd1-0") or {})
    declares(bank, OLDER)
    await looked_at(bank)
    assert bank.conditions("lnd1")["ChangePending"] == ("True", "DowngradeRefused")
    assert (uid(bank.live(POD, "lnd1-0") or {}), bank.is_ready("lnd1")) == (pod, True)
    deletes_the_set(bank)
    await looked_at(bank)
    assert (bank.live(STATEFUL_SET, "lnd1"), bank.live(POD, "lnd1-0")) == (None, None)
    assert bank.conditions("lnd1")["Stalled"] == ("True", "DowngradeRefused")
    declares(bank, NEWER)
    await looked_at(bank)
    assert (image(bank), bank.is_ready("lnd1")) == (f"lightninglabs/lnd:{NEWER}", True)
    laws_hold(bank)


@pytest.mark.parametrize("point", points())
async def test_set_back_at_any_moment_and_its_pod_taken_away_no_older_lnd_reads_a_newer_s_database(point: int) -> None:
    """The operator dies at that moment, too: what it has not seen has happened all the same."""
    bank = await open_bank(schedule=at(point, CRASH))
    schedule = bank.calls.schedule

    def changes_mind(number: int, words: str) -> Fault | None:
        if number == point + 1:
            declares(bank, OLDER)
            deletes_the_set(bank)
        return schedule(number, words)

    bank.calls.schedule = changes_mind
    declares(bank, NEWER)
    await looked_at(await restarted(bank), later=600)
    laws_hold(bank)
    conditions = bank.conditions("lnd1")
    assert bank.is_ready("lnd1") or conditions["Stalled"] == ("True", "DowngradeRefused"), conditions


async def test_a_newer_lnd_that_does_not_come_up_gives_way_to_one_that_does() -> None:
    bank = await open_bank()
    declares(bank, NEWER)
    await asked(bank)
    schedule = bank.calls.schedule

    def goes_blind(number: int, words: str) -> Fault | None:
        bank.lnds.blind = bank.lnds.blind or words.startswith("apply StatefulSet lnd1")
        return schedule(number, words)

    bank.calls.schedule = goes_blind
    await approved(bank)
    assert steps(bank)["Start"] == "Running"
    declares(bank, "v0.22.1-beta")
    deletes_the_set(bank)
    bank.calls.schedule, bank.lnds.blind = schedule, False
    await looked_at(bank)
    assert bank.plan()["state"] == "Succeeded", bank.plan()
    assert (image(bank), noted(bank)) == ("lightninglabs/lnd:v0.22.1-beta", "v0.22.1")
    assert bank.is_ready("lnd1")
    laws_hold(bank)
