"""From any world that people, neighbours and faults can make: an end, laws kept on the way, and then silence.

Things are done to a bank at random; after each, the operator runs a while on a bad
line. Put right what only people can put right, and it has to be the bank it was.
"""

import asyncio
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bankstack.engine.objects import POD, SECRET
from tests.misoperations import sample
from tests.simulation.bank import Bank
from tests.simulation.faults import Fault, When, some
from tests.simulation.oracle import laws_hold
from tests.simulation.test_children import children, pinned, replaceable

DELETED = [str(key) for key in children() if replaceable(key)]
EDITED = [str(key) for key in children() if key.type != SECRET]
FAULTS = (Fault(409), Fault(500), Fault(0), Fault(0, When.AFTER), Fault("crash"), Fault("crash", When.AFTER))

deeds = st.one_of(
    st.tuples(st.just("delete"), st.sampled_from(DELETED)),
    st.tuples(st.just("edit"), st.sampled_from(EDITED)),
    st.tuples(st.just("kill pods"), st.just("")),
    st.tuples(st.just("power cut"), st.just("")),
    st.tuples(st.just("restart the operator"), st.just("")),
    st.tuples(st.just("pause"), st.sampled_from(["vault", "lnd1"])),
    st.tuples(st.just("resume"), st.sampled_from(["vault", "lnd1"])),
    st.tuples(st.just("change"), st.sampled_from(["vault", "lnd1"])),
    st.tuples(st.just("delete"), st.sampled_from(["ColdWallet vault", "LndNode lnd1"])),
    st.tuples(st.just("apply"), st.sampled_from(["vault", "lnd1"])),
    st.tuples(st.just("open a channel"), st.just("")),
)
Deed = tuple[str, str]


def do(bank: Bank, deed: Deed) -> None:  # noqa: C901 - a table of deeds
    what, whom = deed
    key = next((one for one in bank.server.all() if str(one) == whom), None)
    exists = {one.name for one in bank.server.all() if one.type.kind in ("ColdWallet", "LndNode")}
    match what:
        case "delete" if key:
            bank.server.delete(key)
        case "edit" if key:
            bank.server.edit(key, meddle, "kubectl-edit")
        case "kill pods":
            for pod in [one for one in bank.server.all() if one.type == POD]:
                bank.server.delete(pod)
        case "power cut":
            bank.software.restart()
        case "restart the operator":
            bank.operators[0].start()
        case "pause" | "resume" if whom in exists:
            bank.changes(whom, lambda spec: spec.update(paused=what == "pause"))
        case "change" if whom == "lnd1" and whom in exists:
            bank.changes(whom, lambda spec: spec.update(config=[{"key": "alias", "value": "other"}]))
        case "change" if whom in exists:
            bank.changes(whom, lambda spec: spec["bitcoind"].update(config=[{"key": "maxconnections", "value": "9"}]))
        case "apply":
            bank.opens(whom)
        case "open a channel":
            for disk in bank.lnds.disks.values():
                disk.channels.add(f"aa:{len(disk.channels)}")


def meddle(one: dict[str, Any]) -> None:
    one["metadata"]["labels"]["app.kubernetes.io/instance"] = "theirs"
    one["metadata"].setdefault("annotations", {})["example.com/theirs"] = "x"


async def story(told: list[Deed], seed: int) -> None:
    bank = await Bank().opens().settle()
    identities = pinned(bank)
    for number, deed in enumerate(told):
        do(bank, deed)
        base = len(bank.calls.made)
        faulty = some(seed + number, 0.2, FAULTS, 200)
        bank.calls.schedule = lambda call, words, base=base, faulty=faulty: faulty(call - base, words)  # type: ignore[misc]
        await bank.settle(4000)
        laws_hold(bank)
    bank.calls.schedule = lambda _call, _words: None
    await bank.settle(4000)
    await put_right(bank)
    assert bank.is_ready(), (bank.conditions("vault"), bank.conditions("lnd1"))
    assert pinned(bank) == identities
    laws_hold(bank)
    written = len(bank.server.written)
    bank.operators[0].resync()
    await bank.settle(4000)
    assert len(bank.server.written) == written


async def put_right(bank: Bank) -> None:
    """What only people can do: resume what was paused, apply again what was deleted, set back what was changed."""
    for one in [one for one in bank.server.all() if one.type.kind in ("ColdWallet", "LndNode")]:
        bank.changes(one.name, lambda spec: spec.update(paused=False))
    await bank.settle(4000)
    for name in ("vault", "lnd1"):
        bank.applies(sample(name))
    bank.operators[0].resync()
    await bank.settle(4000)


# Shrinking a story takes longer than reading it.
@settings(max_examples=12 if settings().derandomize else 400, phases=(Phase.explicit, Phase.generate))
@given(st.lists(deeds, min_size=2, max_size=8), st.integers(0, 10_000))
def test_whatever_happened_the_bank_comes_back_and_is_the_same(told: list[Deed], seed: int) -> None:
    asyncio.run(story(told, seed))
