"""Channels are asked to close a few at a time; what a peer or LND refuses is told, and holds up nothing else."""

from tests.simulation.bank import Bank
from tests.simulation.faults import Fault, When, always

from bankstack.engine.finding import Transient, Waiting
from bankstack.kinds.lndnode import leaving, parting

from .test_act import ask, refused, running

CHANNELS = tuple(f"{place:02x}:0" for place in range(12))


async def with_channels() -> Bank:
    bank = await running()
    bank.channels(*CHANNELS)
    bank.disk.mines = False
    return bank


async def test_so_many_are_closed_in_one_act_and_the_others_in_the_next_ones() -> None:
    bank = await with_channels()
    left = []
    for _ in range(4):
        await ask(bank, "close_channels")
        left.append(len(bank.disk.channels))
    assert left == [7, 2, 0, 0]
    assert parting.CLOSED_AT_ONCE == 5


async def test_a_peer_that_does_not_want_to_holds_up_no_other() -> None:
    bank = await with_channels()
    bank.disk.unwilling = {CHANNELS[0], CHANNELS[3]}
    for _ in range(2):
        await ask(bank, "close_channels")
    assert bank.disk.channels == bank.disk.unwilling


async def test_one_that_nobody_closes_is_named_and_asked_again_soon() -> None:
    bank = await with_channels()
    bank.disk.unwilling = set(CHANNELS)
    stop = await refused(bank, "close_channels")
    assert stop.finding.message.startswith(f"channel {CHANNELS[0]} is not closed: ")
    assert "remote canceled close" in stop.finding.message
    assert stop.finding.policy == Waiting(leaving.BLOCK), "not later and later: the node's own care waits with it"
    assert bank.disk.channels == set(CHANNELS)


async def test_one_whose_peer_is_away_is_not_even_asked() -> None:
    bank = await with_channels()
    bank.disk.inactive = set(CHANNELS)
    await ask(bank, "close_channels")
    assert bank.disk.channels == set(CHANNELS)


ADDRESS, LABEL = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bankstack plan p1"


async def with_coins() -> Bank:
    bank = await running()
    bank.disk.mines, bank.disk.coins_sat = False, 5000
    return bank


async def test_coins_that_are_not_worth_their_fee_are_told_and_asked_for_again_soon() -> None:
    bank = await with_coins()
    bank.disk.sending_fee_sat = 5001
    stop = await refused(bank, "sweep", address=ADDRESS, label=LABEL)
    assert stop.finding.policy == Waiting(leaving.BLOCK), "not later and later: the node's own care waits with it"
    told = ("not all coins are sent: ", "insufficient input to create sweep tx", "lncli sendcoins", ADDRESS, LABEL)
    assert [words for words in told if words not in stop.finding.message] == []
    assert (bank.disk.sent, bank.disk.coins_sat) == ([], 5000)


async def test_an_lnd_that_does_not_say_whether_it_sent_is_asked_again_soon_and_sends_once() -> None:
    bank = await with_coins()
    bank.calls.schedule = always("lnd SendCoins", Fault(0, When.AFTER))
    stop = await refused(bank, "sweep", address=ADDRESS, label=LABEL)
    assert stop.finding.policy == Waiting(leaving.BLOCK)
    await ask(bank, "sweep", address=ADDRESS, label=LABEL)
    assert len(bank.disk.sent) == 1


async def test_an_lnd_that_cannot_even_be_looked_at_is_asked_later_and_later() -> None:
    bank = await with_coins()
    bank.calls.schedule = always("lnd GetTransactions", Fault(0))
    stop = await refused(bank, "sweep", address=ADDRESS, label=LABEL)
    assert isinstance(stop.finding.policy, Transient)
    assert bank.disk.sent == []
