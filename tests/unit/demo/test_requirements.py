"""A machine or lab on which the bank would not come up is refused before anything is begun, in a sentence."""

from dataclasses import replace

import pytest

from demokit.requirements import Machine, failures
from labkit.preflight import GIB

GOOD = Machine(
    free_memory=16 * GIB, lab=(), clusters=0, has_bank=False, other_banks=(), has_npm=True, has_api_image=False
)
UP = replace(GOOD, lab=("east", "west", "central"), clusters=1)


def test_a_fresh_machine_will_do_and_so_will_one_with_a_bank_and_no_room_for_a_second() -> None:
    assert failures(GOOD) == []
    assert failures(replace(UP, has_bank=True, free_memory=GIB, has_npm=False, has_api_image=True)) == []


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (replace(GOOD, free_memory=5 * GIB), "5.0 GiB of memory are free and the bank needs 6: stop something large."),
        (replace(UP, free_memory=GIB), "1.0 GiB of memory are free and the bank needs 2: stop something large."),
        (replace(UP, lab=("a", "b")), "The lab runs a, b in 1 cluster(s) and the sample bank needs central, east, "),
        (replace(UP, clusters=3), "needs central, east, west in one: `hack/lab down` first."),
        (replace(UP, other_banks=("books",)), "There is a bank in books, which the demo's operator would not watch"),
        (replace(GOOD, has_npm=False), "install it (`apt-get install npm`)."),
    ],
)
def test_what_would_fail_later_is_said_at_once(machine: Machine, says: str) -> None:
    (sentence,) = failures(machine)
    assert says in sentence
