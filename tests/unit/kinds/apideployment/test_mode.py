"""What the API may do: the whole table, and what silence does to it."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment.mode import MODES, Dependency, Needs, Standing, derive, reasons
from bankstack.kinds.apideployment.model import Mode

UP, PARTLY, DOWN = (
    Dependency(one, told) for one, told in ((Standing.UP, ""), (Standing.PARTLY, "p"), (Standing.DOWN, "d"))
)
SILENT = Dependency(Unknown("s"), "s")
WELL = Needs(UP, UP, (UP, UP))

dependencies = st.sampled_from([UP, PARTLY, DOWN, SILENT])
needs = st.builds(Needs, dependencies, dependencies, st.lists(dependencies, max_size=3).map(tuple))


@pytest.mark.parametrize(
    ("seen", "mode"),
    [
        (WELL, "Full"),
        (replace(WELL, lightning=(DOWN, UP)), "Full"),
        (replace(WELL, lightning=()), "Full"),
        (replace(WELL, lightning=(PARTLY, DOWN)), "ReceiveOnly"),
        (replace(WELL, lightning=(DOWN, DOWN)), "IntraledgerOnly"),
        (replace(WELL, redis=DOWN), "ReadOnly"),
        (replace(WELL, ledger=PARTLY), "ReadOnly"),
        (replace(WELL, ledger=DOWN), "Closed"),
        (replace(WELL, ledger=DOWN, redis=DOWN, lightning=(DOWN,)), "Closed"),
        (replace(WELL, others=(DOWN,)), "Full"),
    ],
)
def test_the_mode_is_what_is_left(seen: Needs, mode: Mode) -> None:
    assert derive(seen, None) == mode
    assert derive(seen, "Closed") == mode
    assert derive(seen, "Full") == mode


@pytest.mark.parametrize("last", MODES)
def test_a_silence_alone_changes_nothing_that_was_said(last: Mode) -> None:
    everything_silent = Needs(SILENT, SILENT, (SILENT,))
    assert derive(everything_silent, last) == last


def test_a_bank_that_never_spoke_trusts_no_silence() -> None:
    assert derive(replace(WELL, ledger=SILENT), None) == "Closed"
    assert derive(replace(WELL, lightning=(SILENT,)), None) == "IntraledgerOnly"


def test_what_is_known_goes_before_what_was_said() -> None:
    assert derive(Needs(UP, DOWN, (SILENT,)), "Full") == "ReadOnly"
    # The ledger is back: only the silent node still holds it down.
    assert derive(Needs(UP, UP, (SILENT,)), "Closed") == "IntraledgerOnly"


@given(needs, st.sampled_from(MODES))
def test_silence_lies_between_the_best_and_the_worst_it_could_mean(seen: Needs, last: Mode) -> None:
    silent = [one for one in (seen.ledger, seen.redis, *seen.lightning) if one is SILENT]
    possible = set()
    for filled in itertools.product([UP, DOWN], repeat=len(silent)):
        stands = iter(filled)
        ledger, redis, *nodes = (
            next(stands) if one is SILENT else one for one in (seen.ledger, seen.redis, *seen.lightning)
        )
        world = Needs(ledger, redis, tuple(nodes))
        possible.add(MODES.index(derive(world, None)))
    assert min(possible) <= MODES.index(derive(seen, last)) <= max(possible)


def test_every_shortfall_has_its_sentence() -> None:
    assert reasons(Needs(PARTLY, UP, (DOWN,), (SILENT,))) == ("p", "d", "s")
