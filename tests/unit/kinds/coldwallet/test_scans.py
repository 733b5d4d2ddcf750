import asyncio
import logging

import pytest

from bankstack.clients.bitcoind import NoAnswer
from bankstack.kinds.coldwallet.facts import Scan
from bankstack.kinds.coldwallet.scans import Scans


async def settled(scans: Scans) -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    assert scans.state("a") is not Scan.RUNNING


async def test_a_long_scan_goes_on_beside_the_passes_and_its_end_is_seen() -> None:
    scans, end = Scans(), asyncio.Event()

    async def asking() -> None:
        await end.wait()

    assert scans.state("a") is Scan.UNSEEN
    await scans.start("a", asking(), patience=0)
    assert scans.state("a") is Scan.RUNNING
    await scans.start("a", asking(), patience=0)  # asked again, and not started twice
    end.set()
    await settled(scans)
    assert scans.state("a") is Scan.DONE


async def test_a_scan_that_fails_at_once_says_so() -> None:
    scans = Scans()

    async def asking() -> None:
        raise NoAnswer("BitcoindUnreachable", "bitcoind cannot be reached")

    with pytest.raises(NoAnswer):
        await scans.start("a", asking(), patience=5)
    assert scans.state("a") is Scan.UNSEEN


async def test_a_scan_that_fails_later_was_not_seen_to_end(caplog: pytest.LogCaptureFixture) -> None:
    scans, end = Scans(), asyncio.Event()

    async def asking() -> None:
        await end.wait()
        raise NoAnswer("BitcoindUnreachable", "bitcoind cannot be reached")

    with caplog.at_level(logging.WARNING):
        await scans.start("a", asking(), patience=0)
        end.set()
        await settled(scans)
        await asyncio.sleep(0)
    assert scans.state("a") is Scan.UNSEEN
    assert "will be asked for again: bitcoind cannot be reached" in caplog.text


async def test_what_was_scanned_says_nothing_about_a_new_wallet() -> None:
    scans = Scans()

    async def asking() -> None:
        return

    await scans.start("a", asking(), patience=5)
    scans.forget("a")
    scans.forget("a")
    assert scans.state("a") is Scan.UNSEEN
