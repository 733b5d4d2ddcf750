"""A Restart in a whole bank: no LND is stopped before the bank's programs have been told to leave it alone."""

from typing import Final

from bankstack.engine.objects import CHANGE_PLAN, POD, STATEFUL_SET, Manifest
from bankstack.kinds.apideployment import names
from bankstack.plans.desk import Desk

from .apiserver import Event
from .bank import LND_NODE, WHOLE, WRITES, Bank
from .faults import Fault, When, always, at
from .lnd_disk import Disk
from .oracle import laws_hold
from .test_crash_anywhere import ALL
from .test_restart import looked_at

NODES = ("lnd1", "lnd2")
PLANS = {f"restart-{name}": name for name in NODES}
CRASH = Fault("crash", When.AFTER)


class Stops:
    """Every time that a node is scaled to nothing: what the API had said and its programs had been told."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self.seen: list[tuple[str, list[str], set[str]]] = []
        bank.server.watchers.append(self.see)

    def see(self, event: Event) -> None:
        if event.key.type == STATEFUL_SET and event.key.name in NODES and event.manifest["spec"]["replicas"] == 0:
            told = {str(one["metadata"].get("annotations", {}).get(names.TOLD)) for one in programs(self._bank)}
            self.seen.append((event.key.name, self._bank.status("bank").get("avoids", []), told))

    def were_known(self, name: str) -> None:
        assert self.seen
        for stopped, avoids, told in self.seen:
            assert (stopped, avoids) == (name, [name])
            assert told == {f"Full, avoiding {name}"}


def programs(bank: Bank) -> list[Manifest]:
    pods = (one.manifest for one in bank.server.owned_by(POD, "ApiDeployment.bank").values())
    return [one for one in pods if names.is_of_a_component(one) and one.get("status", {}).get("phase") == "Running"]


def announced(bank: Bank) -> list[str]:
    return [call for call in bank.calls.made if call.startswith("lnd UpdateChanStatus")]


_BEGUN: Final[list[Bank]] = []


def second(bank: Bank) -> Disk:
    """What the node that takes over has on its volume."""
    return list(bank.lnds.disks.values())[1]


async def open_bank() -> Bank:
    """All of a bank, and channels for both of its nodes; a copy of one that came up."""
    if not _BEGUN:
        bank = await Bank(plans=Desk()).opens(*WHOLE).settle(6000)
        for number, disk in enumerate(bank.lnds.disks.values()):
            disk.channels, disk.local_sat = {f"{number:02}:0"}, 1_000_000
        _BEGUN.append(await looked_at(bank))
    bank = _BEGUN[0].forked()
    bank.calls.made.clear()
    return bank


async def planned(bank: Bank) -> Bank:
    bank.asks()
    await bank.settle(6000)
    bank.approves()
    return await bank.settle(6000)


def is_back(bank: Bank) -> None:
    assert bank.plan()["state"] == "Succeeded", bank.plan()
    status = bank.status("bank")
    assert (status["mode"], status.get("avoids"), status.get("modeReasons")) == ("Full", None, None)
    assert names.AVOID not in (bank.live(names.mode("bank").type, "bank-mode") or {})["data"]
    assert {one["metadata"]["annotations"][names.TOLD] for one in programs(bank)} == {"Full"}
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


async def test_programs_are_told_before_the_stop_and_again_after_it() -> None:
    bank = await open_bank()
    stops = Stops(bank)
    await planned(bank)
    is_back(bank)
    stops.were_known("lnd1")
    evidence = {one["name"]: one["evidence"] for one in bank.plan()["steps"]}
    assert evidence["Divert"] == "payments go elsewhere: bank: lnd2"


async def test_payments_come_back_in_the_pass_that_ends_the_plan() -> None:
    bank = await open_bank()
    passes: dict[str, int] = {}

    def see(event: Event) -> None:
        status = event.manifest.get("status", {})
        number = len([call for call in bank.calls.made if call == "get LndNode lnd1"])
        if event.key.type == CHANGE_PLAN and status.get("state") == "Succeeded":
            passes.setdefault("the end", number)
        if (event.key.type, event.key.name) == (LND_NODE, "lnd1") and passes and status.get("traffic") is None:
            passes.setdefault("its payments", number)

    bank.server.watchers.append(see)
    is_back(await planned(bank))
    assert len(set(passes.values())) == 1, passes
    assert len(passes) == 2
    assert [call.rpartition(" ")[2] for call in announced(bank)] == ["DISABLE", "ENABLE"]


async def test_a_crash_after_any_write_of_it_ends_the_same_and_never_stops_a_node_that_is_in_use() -> None:
    reference = await planned(await open_bank())
    points = [number for number, call in enumerate(reference.calls.made, 1) if call.startswith(WRITES)]
    assert len(points) > 30
    for number in points if ALL else points[::15]:
        bank = await open_bank()
        stops = Stops(bank)
        bank.calls.schedule = at(number, CRASH)
        await looked_at(await planned(bank))
        assert bank.restarts == 1
        is_back(bank)
        stops.were_known("lnd1")


async def test_a_paused_api_holds_the_plan_before_anything_is_done_to_lnd() -> None:
    bank = await open_bank()
    stops = Stops(bank)
    bank.changes("bank", lambda spec: spec.update(paused=True))
    await bank.settle()
    await planned(bank)
    assert bank.plan()["state"] == "Running"
    assert "ApiDeployment bank has not said yet that its pods leave lnd1 alone" in bank.plan()["message"]
    assert (stops.seen, announced(bank)) == ([], [])
    bank.changes("bank", lambda spec: spec.pop("paused"))
    await looked_at(bank)
    is_back(bank)
    stops.were_known("lnd1")


async def test_an_api_that_cannot_be_told_keeps_its_node_though_the_network_was_told_beside_it() -> None:
    bank = await open_bank()
    stops = Stops(bank)
    fails = always("apply ConfigMap bank-mode", Fault(500))
    bank.calls.schedule = lambda number, call: fails(number, call) if len(announced(bank)) < 2 else None
    await planned(bank)
    assert [call.rpartition(" ")[2] for call in announced(bank)] == ["DISABLE", "ENABLE", "DISABLE", "ENABLE"]
    is_back(bank)
    stops.were_known("lnd1")


async def test_a_second_node_that_fails_is_waited_for() -> None:
    bank = await open_bank()
    stops = Stops(bank)
    second(bank).inactive = {"01:0"}
    await looked_at(bank)
    await planned(bank)
    assert "lnd2, and that cannot carry its payments now" in bank.plan()["message"]
    assert (bank.plan()["state"], stops.seen) == ("Pending", [])
    second(bank).inactive = set()
    await looked_at(bank)
    bank.approves()
    await looked_at(bank)
    is_back(bank)
    stops.were_known("lnd1")


async def both_asked_for() -> Bank:
    bank = await open_bank()
    for name, node in PLANS.items():
        bank.asks(name, target={"kind": "LndNode", "name": node})
    return await bank.settle(6000)


async def test_of_two_nodes_one_is_stopped_after_the_other_though_an_operator_died_as_one_began() -> None:
    reference = await both_asked_for()
    asked = len(reference.calls.made)
    reference.approves("restart-lnd2")
    await reference.settle(6000)
    writes = [n for n, call in enumerate(reference.calls.made, 1) if n > asked and call.startswith(WRITES)]
    for dying in writes if ALL else writes[:8]:
        bank = await both_asked_for()

        def schedule(number: int, _call: str, bank: Bank = bank, dying: int = dying) -> Fault | None:
            if number != dying:
                return None
            bank.approves("restart-lnd1")
            return CRASH

        bank.calls.schedule = schedule
        bank.approves("restart-lnd2")
        # As many hands as the bank has resources: the other node begins while this one is found where it died.
        await bank.interleaved(dying, 6000, hands=5)
        for _ in range(3):
            await looked_at(bank, later=60)
        assert bank.restarts == 1
        ended = {name: (bank.plan(name)["state"], bank.plan(name)["message"]) for name in PLANS}
        assert {state for state, _ in ended.values()} == {"Succeeded"}, (dying, ended)
        laws_hold(bank)
