"""Every plan that ended in the order of the chain; what was changed by hand is told, and where."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import Manifest
from bankstack.plans import journal

from . import given
from .given import Bank, entry, told

ENTRIES = (entry("r-1", 1), entry("r-2", 2, state="Failed", approved_by=()), entry("r-3", 3))


def tampered(change: Callable[[list[dict[str, Any]]], object]) -> Manifest:
    kept = given.chain(*ENTRIES)
    lines = [json.loads(line) for line in kept["data"]["entries"].splitlines()]
    change(lines)
    kept["data"]["entries"] = "\n".join(map(json.dumps, lines))
    return kept


async def test_the_chain_as_it_is_kept() -> None:
    answer = await told(Bank([given.chain(*ENTRIES)]), "plan log")
    assert answer.lines == [
        "ENDED                 PLAN  TARGET        OPERATION  STATE      ASKED FOR BY  APPROVED BY  RECORD",
        "2026-11-21T11:01:00Z  r-1   LndNode lnd1  Restart    Succeeded  alice         bob          sha256:84d9b627",
        "2026-11-21T11:02:00Z  r-2   LndNode lnd1  Restart    Failed     alice         -            sha256:e3eb9042",
        "2026-11-21T11:03:00Z  r-3   LndNode lnd1  Restart    Succeeded  alice         bob          sha256:3b969836",
        "",
        "The chain is whole: 3 entries.",
    ]
    assert answer.code == 0


BROKEN: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "a word changed": (lambda lines: lines[1].update(requested_by="carol"), "entry r-2 of .* was changed after"),
    "one taken out": (lambda lines: lines.pop(1), "before entry r-3 of .* something was removed, added or moved"),
    "two exchanged": (lambda lines: lines.insert(0, lines.pop(1)), "before entry r-1 of"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_chain_says_where(what: str) -> None:
    change, sentence = BROKEN[what]
    answer = await told(Bank([tampered(change)]), "plan log")
    after = answer.lines[answer.lines.index("The chain of bank is BROKEN:") + 1 :]
    assert re.search(f"^  - {sentence}", "\n".join(after), re.MULTILINE)
    assert after[-1].startswith("Somebody changed the journal by hand")
    assert answer.code == 1


async def test_an_end_that_was_cut_off_is_seen_by_the_plan_that_remembers_it() -> None:
    last = ENTRIES[2]
    whole = journal.read(given.chain(*ENTRIES)).entries[2]
    status = {"state": "Succeeded", "finishedAt": last.finished_at, "record": whole.record, "previous": whole.previous}
    bank = Bank([given.chain(*ENTRIES[:2]), given.plan("r-3", status)])
    answer = await told(bank, "plan log")
    assert "  - ChangePlan r-3 has ended, and its entry is missing" in answer.lines
    assert answer.code == 1


async def test_a_journal_that_is_gone_is_seen_too() -> None:
    status = {"state": "Succeeded", "finishedAt": "2026-11-21T11:03:00Z", "record": given.HASH}
    assert (await told(Bank([given.plan(status=status)]), "plan log")).code == 1


async def test_no_plan_yet() -> None:
    answer = await told(Bank(), "plan log")
    assert (answer.lines, answer.code) == (["No plan of namespace bank has ended yet."], 0)


async def test_what_runs_by_the_journals_word_is_named() -> None:
    kept = given.chain()
    kept["data"]["active"] = json.dumps({"LndNode lnd1": ["r-4", "uid-4"]})
    assert (await told(Bank([kept]), "plan log")).lines[0] == "r-4 on LndNode lnd1 runs"


@pytest.mark.parametrize("text", ["{", '{"plan": "a"}', "[]"])
async def test_a_journal_nobody_can_read_is_told_as_such(text: str) -> None:
    kept = given.chain()
    kept["data"]["entries"] = text
    with pytest.raises(Interrupted, match="was edited by hand and cannot be read"):
        await told(Bank([kept]), "plan log")


async def test_an_entry_without_its_record_is_unreadable_and_no_traceback() -> None:
    with pytest.raises(Interrupted, match="was edited by hand and cannot be read"):
        await told(Bank([tampered(lambda lines: lines[0].pop("record"))]), "plan log")
