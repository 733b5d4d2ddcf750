"""Lives of a whole bank: its books, its locks and its programs, through deletions, changes and losses."""

import base64
from dataclasses import replace

import pytest

from bankstack.clients.mongo.answers import Policy
from bankstack.engine import manifests
from bankstack.engine.objects import (
    DEPLOYMENT,
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    STATEFUL_SET,
    Manifest,
)

from .apiserver import Key
from .bank import LEDGER, WHOLE, WRITES, Bank, declared, up
from .faults import Fault, When, always, at, some
from .oracle import laws_hold, picture
from .test_children import lives, pinned, steady
from .test_crash_anywhere import ALL

API, TRIGGER = 1, 2
KEEPERS = (DEPLOYMENT, STATEFUL_SET)
CRASH = Fault("crash", When.AFTER)
FIVE = [{"region": "east", "count": 2}, {"region": "west", "count": 2}, {"region": "central", "count": 1}]


def runs(bank: Bank) -> set[str]:
    return {key.name for key in bank.server.all() if key.type == POD and "migrate" not in key.name}


def jobs(bank: Bank) -> int:
    return sum(line.startswith("create Job ") for line in bank.server.written)


async def test_in_a_steady_state_nothing_is_written_at_all() -> None:
    bank = await up(*WHOLE)
    written = len(bank.server.written)
    for _ in range(3):
        bank.operators[0].resync()
        await bank.settle()
    assert [call for call in bank.calls.made if call.startswith(WRITES)] == []
    assert len(bank.server.written) == written


@pytest.mark.parametrize("order", [("bank", "ledger"), ("ledger", "bank"), WHOLE], ids=" then ".join)
async def test_deleted_and_applied_again_it_is_the_same_bank(order: tuple[str, ...]) -> None:
    bank = await up(*WHOLE)
    identities, before = pinned(bank), picture(bank)
    data = lives(bank, PERSISTENT_VOLUME_CLAIM, SECRET)
    books, lock = bank.mongods.made[0], {"locks:wallet:1"}
    for disk in bank.redises.disks.values():
        disk.locks = set(lock)
    for name in order:
        bank.deletes(name)
        await bank.settle()
    assert lives(bank, PERSISTENT_VOLUME_CLAIM, SECRET) == data
    await bank.opens(*order).settle(2000)
    assert bank.is_ready(), bank.said()
    assert pinned(bank) == identities
    assert lives(bank, PERSISTENT_VOLUME_CLAIM, SECRET) == data
    assert {id(disk.books) for disk in bank.mongods.disks.values()} == {id(books)}
    assert [disk.locks for disk in bank.redises.disks.values()] == [lock] * 3
    assert without_terms(picture(bank)) == without_terms(before)
    laws_hold(bank)


def without_terms(pictured: Manifest) -> Manifest:
    """Whoever starts again is elected again, and a pod made again was rolled before."""
    kept = {name: one for name, one in pictured.items() if not name.startswith(("Pod bank-", "Deployment bank-"))}
    for one in kept.values():
        for told in ("term", "primary", "members", "redis", "conditions"):
            one.get("status", {}).pop(told, None)
    return kept


@pytest.mark.parametrize("after", range(1, 15, 1 if ALL else 2))
async def test_a_crash_while_a_bank_is_deleted_leaves_nothing_hanging(after: int) -> None:
    bank = await up(*WHOLE)
    seen: list[str] = []

    def schedule(_number: int, call: str) -> Fault | None:
        seen.extend([call] * call.startswith(("apply", "status", "finalize", "delete")))
        return CRASH if len(seen) == after and seen[-1] == call else None

    bank.calls.schedule = schedule
    bank.deletes("bank", "ledger")
    await bank.settle()
    assert {key.name.partition("-")[0] for key in bank.server.all() if key.type == POD} == {"vault", "lnd1", "lnd2"}
    laws_hold(bank)


async def test_programs_go_before_redis_and_redis_before_its_resource() -> None:
    bank = await up(*WHOLE)
    base = len(bank.server.written)
    bank.deletes("bank")
    await bank.settle()
    gone = bank.server.written[base:]
    assert gone.index("delete Pod bank-api-1-0") < gone.index("delete Pod bank-redis-0")
    assert gone.index("delete Pod bank-redis-2") < gone.index("delete ApiDeployment bank")


async def test_a_namespace_that_is_deleted_goes_with_everything() -> None:
    bank = await up(*WHOLE)
    bank.server.delete(Key(NAMESPACE, "", "bank"))
    await bank.settle()
    assert bank.server.all() == []


def another_image(spec: Manifest) -> None:
    for one in spec["components"]:
        one["image"] = "bank/api:2"


async def changed(bank: Bank) -> Bank:
    """A new release of every program is declared."""
    bank.changes("bank", another_image)
    return await bank.settle(5000)


async def test_a_new_release_is_migrated_to_once_and_then_rolled_while_redis_and_books_run_on() -> None:
    bank = await up(*WHOLE)
    pods = steady(bank)
    await changed(bank)
    assert bank.is_ready(), bank.said()
    assert steady(bank) == pods
    assert jobs(bank) == 2
    assert {"bank-api-2-0", "bank-api-2-1", "bank-trigger-2-0"} <= runs(bank)
    laws_hold(bank)


async def test_a_crash_after_any_write_of_a_new_release_ends_in_the_same_release() -> None:
    smooth = await changed(await up(*WHOLE))
    writes = [number for number, call in enumerate(smooth.calls.made, 1) if call.startswith(WRITES)]
    assert len(writes) > 5
    for number in writes if ALL else writes[::3]:
        bank = await up(*WHOLE)
        bank.calls.schedule = at(number, CRASH)
        await changed(bank)
        assert (bank.restarts, jobs(bank), runs(bank)) == (1, 2, runs(smooth))
        assert bank.is_ready(), bank.said()
        laws_hold(bank)


@pytest.mark.parametrize("behind", [1, 5, 25, 50])
async def test_old_looks_at_a_new_release_run_no_migration_twice(behind: int) -> None:
    bank = await up(*WHOLE)
    bank.calls.schedule = some(behind, 0.3, (Fault("stale", behind=behind),), 300)
    await changed(bank)
    assert bank.is_ready(), bank.said()
    assert jobs(bank) == 2
    laws_hold(bank)


async def test_a_singleton_that_gets_a_volume_is_never_there_twice() -> None:
    bank = await up(*WHOLE)
    volume = {"name": "data", "mountPath": "/data", "size": "1Gi"}
    bank.changes("bank", lambda spec: spec["components"][TRIGGER].update(volumes=[volume]))
    await bank.settle()
    assert bank.is_ready(), bank.said()
    assert bank.live(DEPLOYMENT, "bank-trigger") is None
    assert "bank-trigger-0" in runs(bank)
    laws_hold(bank)


@pytest.mark.parametrize("name", ["trigger", "history"])
async def test_a_program_whose_keeper_is_deleted_waits_for_its_former_pod_where_it_is_a_singleton(name: str) -> None:
    bank = await up(*WHOLE)
    pod = next(key for key in bank.server.all() if key.type == POD and key.name.startswith(f"bank-{name}"))
    keeper = next(key for key in bank.server.all() if key.name == f"bank-{name}" and key.type in KEEPERS)
    life = bank.server.objects[pod].manifest["metadata"]["uid"]
    bank.server.cut_off.add(life)
    bank.server.delete(keeper)
    await bank.settle()
    assert (keeper in bank.server.objects) == (name == "history")
    bank.server.cut_off.discard(life)
    await bank.settle()
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


async def test_a_changed_password_reaches_the_ledger_and_the_programs() -> None:
    bank = await up(*WHOLE)
    pods = steady(bank)
    written = {"password": base64.b64encode(b"another").decode()}
    bank.server.edit(bank.key(SECRET, "ledger-api"), lambda one: one["data"].update(written), "kubectl-edit")
    await bank.settle()
    assert bank.mongods.made[0].passwords["galoy", "api"] == "another"
    assert bank.is_ready(), bank.said()
    assert steady(bank) == pods
    laws_hold(bank)


async def test_a_weakened_default_write_concern_is_put_back_though_every_answer_is_lost_at_first() -> None:
    bank = await up(*WHOLE)
    bank.mongods.made[0].policy = Policy("1", journal=False)
    bank.calls.schedule = some(3, 0.5, (Fault(0), Fault(0, When.AFTER)), 100)
    bank.operators[0].resync()
    await bank.settle(3000)
    assert bank.mongods.made[0].policy == Policy("majority", journal=True)
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


async def test_a_killed_primary_and_a_killed_master_are_replaced_by_their_own_election() -> None:
    bank = await up(*WHOLE)
    identities, lock = pinned(bank), {"locks:paymenthash:2"}
    assert (bank.status("ledger")["primary"], bank.status("ledger")["term"]) == ("ledger-east-0", 1)
    for disk in bank.redises.disks.values():
        disk.locks = set(lock)
    for pod in ("ledger-east-0-0", "bank-redis-0"):
        bank.server.delete(bank.key(POD, pod))
    await bank.settle()
    assert bank.is_ready(), bank.said()
    assert pinned(bank) == identities
    assert bank.conditions("ledger")["Writable"] == ("True", "Proven")
    assert [disk.locks for disk in bank.redises.disks.values()] == [lock] * 3
    laws_hold(bank)


async def test_the_power_goes_and_comes_back() -> None:
    bank = await up(*WHOLE)
    identities, pods = pinned(bank), lives(bank, POD)
    bank.software.restart()
    bank.operators[0].start()
    await bank.settle(2000)
    assert bank.is_ready(), bank.said()
    assert (pinned(bank), lives(bank, POD)) == (identities, pods)
    laws_hold(bank)


async def test_silence_of_all_software_rolls_and_makes_nothing() -> None:
    bank = await up(*WHOLE)
    before, base = picture(bank), len(bank.server.written)
    bank.calls.schedule = lambda number, call: next(
        filter(None, (always(one, Fault(0))(number, call) for one in ("mongo", "redis", "lnd", "bitcoind"))), None
    )
    bank.operators[0].resync()
    await bank.settle()
    assert not bank.is_ready()
    assert {line.partition(" ")[0] for line in bank.server.written[base:]} == {"update"}
    bank.calls.schedule = lambda _number, _call: None
    bank.operators[0].resync()
    await bank.settle()
    assert bank.is_ready(), bank.said()
    assert picture(bank) == before
    laws_hold(bank)


async def grown(bank: Bank) -> Bank:
    """Five members are declared instead of three."""
    bank.changes("ledger", lambda spec: spec.update(members=FIVE))
    return await bank.settle(3000)


async def test_a_crash_after_any_write_while_members_join_lets_them_join_one_by_one() -> None:
    smooth = await grown(await up(*LEDGER))
    assert [one.id for one in smooth.mongods.made[0].config.members] == [0, 1, 2, 3, 4]
    for number in [number for number, call in enumerate(smooth.calls.made, 1) if call.startswith(WRITES)]:
        bank = await up(*LEDGER)
        bank.calls.schedule = at(number, CRASH)
        await grown(bank)
        assert bank.is_ready(), bank.said()
        assert bank.mongods.made[0].config == smooth.mongods.made[0].config
        laws_hold(bank)


@pytest.mark.parametrize("seed", range(4))
async def test_two_operators_let_members_join_one_by_one(seed: int) -> None:
    bank = await Bank(operators=2).opens(*LEDGER).interleaved(seed)
    bank.changes("ledger", lambda spec: spec.update(members=FIVE))
    await bank.interleaved(seed, 3000)
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


async def test_a_silent_ledger_that_lost_members_rolls_nobody() -> None:
    """What it said last of where it is stands while it says nothing: programs are not stopped over a guess."""
    bank = await up(*WHOLE)
    bank.changes("ledger", lambda spec: spec.update(members=FIVE))
    await bank.settle(3000)
    bank.changes("ledger", lambda spec: spec.update(members=declared("ledger")["spec"]["members"]))
    await bank.settle(3000)
    config = bank.mongods.made[0].config
    bank.mongods.made[0].config = replace(config, version=config.version + 1, members=config.members[:3])
    bank.operators[0].resync()
    await bank.settle(3000)
    pods, hosts = lives(bank, POD), bank.status("ledger")["endpoint"]["hosts"]
    assert len(hosts) == 3
    bank.calls.schedule = always("mongo", Fault(0))
    bank.operators[0].resync()
    await bank.settle()
    assert bank.status("ledger")["endpoint"]["hosts"] == hosts
    assert lives(bank, POD) == pods


async def test_a_newer_operator_that_would_make_other_pods_restarts_neither_books_nor_locks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank = await up(*WHOLE)
    pods, builder = steady(bank), manifests.pod_template

    def newer(*given: object) -> Manifest:
        made = builder(*given)  # type: ignore[arg-type]
        made["metadata"]["labels"]["bankstack.io/newer"] = "true"
        return made

    monkeypatch.setattr(manifests, "pod_template", newer)
    bank.operators[0].start()
    await bank.settle()
    assert steady(bank) == pods
    for name in ("bank", "ledger"):
        assert bank.conditions(name)["ChangePending"] == ("True", "NeedsRestart")
    assert bank.is_ready(), bank.said()


async def test_books_and_locks_are_run_on_without_their_keys_and_never_begun_anew() -> None:
    bank = await up(*WHOLE)
    pods, identities = steady(bank), pinned(bank)
    for name in ("ledger-internal", "ledger-internal-copy"):
        bank.server.delete(bank.key(SECRET, name))
    await bank.settle()
    assert bank.conditions("ledger")["Stalled"] == ("True", "CredentialsLost")
    assert (steady(bank), pinned(bank)) == (pods, identities)
    assert len(lives(bank, STATEFUL_SET)) == len(lives(await up(*WHOLE), STATEFUL_SET))
    laws_hold(bank)


async def test_an_api_applied_before_all_that_it_needs_waits_and_starts_by_itself() -> None:
    bank = await Bank().opens("bank").settle()
    assert bank.live(DEPLOYMENT, "bank-api") is None
    assert jobs(bank) == 0
    for name in ("ledger", "lnd2", "lnd1", "vault"):
        await bank.opens(name).settle(2000)
    assert bank.is_ready(), bank.said()
    assert jobs(bank) == 1
    bank.applies(declared("bank"))
    await bank.settle()
    laws_hold(bank)
