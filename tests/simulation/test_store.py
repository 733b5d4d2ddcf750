"""Channel backups in an object store: there in seconds, never lost, never pressed for, and no reason to stop LND."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from bankstack.engine import manifests
from bankstack.engine.conditions import moment
from bankstack.engine.objects import SECRET
from bankstack.kinds.lndnode import names, sealed, stored
from bankstack.plans.desk import Desk

from .bank import Bank
from .faults import Fault, When, at, every_first, some
from .oracle import laws_hold
from .store import ACCESS_KEY, BUCKET, SECRET_KEY
from .test_bad_days import FAULTS
from .test_restart import CHANNELS, approved, asked, evidence, looked_at, restarted, steps, went_well

STORE = {"endpoint": "http://store:7070", "bucket": BUCKET, "prefix": "bank", "credentialsSecret": "s3"}
CRASH = Fault("crash", When.AFTER)


def declares(bank: Bank, secret_key: str = SECRET_KEY) -> None:
    """Somebody wants a second place for lnd1's channel backups."""
    data = {"accessKey": ACCESS_KEY, "secretKey": secret_key}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "data": encoded}
    bank.server.apply(bank.key(SECRET, "s3"), secret, "kubectl")
    bank.changes("lnd1", lambda spec: spec.update(channelBackup={"objectStore": STORE}))


async def storing_bank(**world: Any) -> Bank:  # noqa: ANN401 - as World takes them
    """A bank with channels, whose operator knows of plans and has an object store."""
    bank = Bank(plans=Desk(), **world).opens()
    declares(bank)
    await bank.settle(6000)
    bank.channels(*CHANNELS)
    return await looked_at(bank)


def backup(bank: Bank) -> dict[str, bytes]:
    live = bank.live(SECRET, "lnd1-channel-backup")
    return manifests.opened(live) if live else {}


def standing(bank: Bank) -> tuple[str, str]:
    return bank.conditions("lnd1")["BackupStored"]


def message(bank: Bank) -> str:
    (told,) = [one["message"] for one in bank.status("lnd1")["conditions"] if one["type"] == "BackupStored"]
    return str(told)


def is_stored(bank: Bank) -> None:
    """Exactly the newest backup is the newest object, and nothing on the way there broke a law."""
    newest = backup(bank)[sealed.NEWEST]
    assert newest in bank.stores.objects.values()
    assert set(newest.decode().split()[2:]) == bank.disk.channels
    assert standing(bank) == ("True", "Stored")
    assert bank.is_ready("lnd1")
    laws_hold(bank)


async def test_a_backup_is_in_the_store_under_the_name_of_its_identity_and_content() -> None:
    bank = await storing_bank()
    is_stored(bank)
    (key,) = bank.stores.objects
    assert key.startswith(f"bank/{bank.status('lnd1')['identityPubkey']}/2")
    assert moment(bank.status("lnd1")["storedAt"]) <= bank.now


async def test_a_change_is_in_the_store_within_ten_seconds() -> None:
    bank = await storing_bank()
    bank.channels("cc:2")
    began = bank.now
    while not any(b"cc:2" in one for one in bank.stores.objects.values()):
        assert bank.now - began < timedelta(seconds=10)
        for operator in bank.operators:
            if key := operator.next():
                await operator.step(key)
                break
        else:
            bank._let_time_pass()  # noqa: SLF001 - second by second, not until all is calm
    await looked_at(bank)
    is_stored(bank)
    assert len(bank.stores.objects) == 2


async def test_where_nothing_changes_nothing_is_written_or_asked_for_an_hour() -> None:
    bank = await storing_bank()
    written, made = len(bank.server.written), len(bank.calls.made)
    for _ in range(5):
        await looked_at(bank, later=600)
    assert len(bank.server.written) == written
    assert not [one for one in bank.calls.made[made:] if one.startswith("s3")]
    await looked_at(bank, later=601)
    assert [one.split()[1] for one in bank.calls.made[made:] if one.startswith("s3")] == ["get", "get", "get"]
    assert bank.server.written[written:] == ["update Secret lnd1-channel-backup"]


async def test_a_backup_that_somebody_deleted_there_comes_back() -> None:
    bank = await storing_bank()
    since = bank.status("lnd1")["storedAt"]
    before = dict(bank.stores.objects)
    bank.stores.objects.clear()
    await looked_at(bank, later=3601)
    assert bank.stores.objects == before
    is_stored(bank)
    assert bank.status("lnd1")["storedAt"] == since


async def test_without_a_store_nothing_is_said_of_one() -> None:
    bank = await Bank().opens().settle(6000)
    assert "BackupStored" not in bank.conditions("lnd1")
    assert not [one for one in bank.calls.made if one.startswith("s3")]


# A store that is away


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ({"s3": None}, ("Unknown", "StoreSilent")),
        ({"s3": "AccessDenied"}, ("False", "StoreRefused")),
        ({"s3 put": "AccessDenied"}, ("False", "StoreRefused")),
        ({"s3 put": None}, ("Unknown", "StoreSilent")),
        ({"s3 list": "AccessDenied"}, ("False", "StoreRefused")),
    ],
    ids=str,
)
async def test_a_store_that_is_away_stops_nothing_and_gets_its_backup_later(
    fails: dict[str, str | None], said: tuple[str, str]
) -> None:
    bank = await storing_bank()
    bank.stores.objects["bank/elsewhere"] = b"another's"
    bank.stores.fails = fails
    bank.channels("cc:2")
    await looked_at(bank, later=10)
    assert standing(bank) == said
    assert bank.is_ready("lnd1")
    assert "cc:2" in backup(bank)[sealed.NEWEST].decode()
    made, began = len(bank.calls.made), bank.now
    await looked_at(bank, later=5)
    puts = [one for one in bank.calls.made[made:] if one.startswith("s3 put")]
    assert len(puts) <= 1 + (bank.now - began).total_seconds() // stored.LOST, "it is not pressed"
    bank.stores.fails = {}
    await looked_at(bank, later=stored.PATIENCE + 1)
    del bank.stores.objects["bank/elsewhere"]
    is_stored(bank)


async def test_a_key_that_is_wrong_is_told_and_a_right_one_is_used_at_once() -> None:
    bank = await storing_bank()
    declares(bank, "another")
    bank.channels("cc:2")
    await looked_at(bank)
    assert standing(bank) == ("False", "StoreRefused")
    assert "SignatureDoesNotMatch" in message(bank)
    assert "another" not in message(bank)
    declares(bank)
    await looked_at(bank, later=stored.PATIENCE + 1)
    is_stored(bank)


async def test_secrets_that_are_not_whole_are_told_by_name() -> None:
    bank = await storing_bank()
    bank.changes("lnd1", lambda spec: spec["channelBackup"]["objectStore"].update(bucket="other", caSecret="s3-ca"))
    await looked_at(bank)
    assert standing(bank) == ("False", "StoreRefused")
    assert "Secret s3-ca with key ca.crt is not there" in message(bank)
    bank.server.remove(bank.key(SECRET, "s3"))
    await looked_at(bank)
    assert "Secret s3 with keys accessKey and secretKey is not there" in message(bank)
    assert bank.is_ready("lnd1")
    assert len(bank.stores.objects) == 1


async def test_another_s_object_in_its_place_is_left_and_told() -> None:
    bank = await storing_bank()
    (key,) = bank.stores.objects
    bank.stores.objects[key] = b"forged"
    await looked_at(bank, later=3601)
    assert standing(bank) == ("False", "StoreRefused")
    assert bank.stores.objects == {key: b"forged"}
    bank.channels("cc:2")
    await looked_at(bank)
    is_stored(bank)
    assert bank.stores.objects[key] == b"forged"


async def test_a_store_that_takes_a_backup_and_does_not_keep_it_is_not_believed() -> None:
    bank = await storing_bank()
    bank.stores.keeps_nothing = True
    bank.channels("cc:2")
    await looked_at(bank)
    assert standing(bank) == ("False", "StoreRefused")
    assert "does not give it back" in message(bank)
    bank.stores.keeps_nothing = False
    await looked_at(bank, later=stored.PATIENCE + 1)
    is_stored(bank)


# What LND has forgotten


async def test_a_forgotten_channel_never_reaches_the_store() -> None:
    """Not even where the Secret, which knew of it, was lost: the store itself knows."""
    bank = await storing_bank()
    before = dict(bank.stores.objects)
    bank.disk.channels.discard("aa:0")
    await looked_at(bank)
    assert bank.conditions("lnd1")["Ready"] == ("False", "ChannelBackupShrank")
    bank.server.remove(bank.key(SECRET, "lnd1-channel-backup"))
    await looked_at(bank)
    assert bank.conditions("lnd1")["Ready"] == ("False", "ChannelBackupShrank")
    assert bank.stores.objects == before
    bank.disk.closed.add("aa:0")
    await looked_at(bank)
    is_stored(bank)
    assert len(bank.stores.objects) == 2


async def test_an_object_that_is_no_backup_of_this_wallet_is_no_reason_to_store_none() -> None:
    bank = await storing_bank()
    (key,) = bank.stores.objects
    bank.stores.objects[f"{key.rpartition('/')[0]}/20250101T000000Z-0.scb"] = b"what somebody put there"
    bank.channels("cc:2")
    await looked_at(bank)
    is_stored(bank)


# A Restart


async def test_a_restart_proves_its_backup_in_the_store_before_lnd_is_stopped() -> None:
    bank = await storing_bank()
    await restarted(bank)
    went_well(bank)
    is_stored(bank)
    assert "scb of the store is the same" in evidence(bank, "Backup")


async def test_a_restart_does_not_begin_while_the_store_is_away() -> None:
    bank = await storing_bank()
    await asked(bank)
    bank.stores.fails = {"s3": None}
    await looked_at(bank, later=3601)
    await approved(bank)
    assert bank.plan()["state"] in ("AwaitingApproval", "Running")
    assert set(steps(bank).values()) <= {"Pending", "Running"}
    assert "traffic" not in bank.status("lnd1")
    bank.stores.fails = {}
    await looked_at(bank, later=61)
    went_well(bank)


async def test_the_backup_step_waits_for_the_store_with_a_sentence() -> None:
    bank = await storing_bank()
    await asked(bank)
    bank.stores.fails = {"s3 put": "AccessDenied"}
    await approved(bank)
    assert (bank.plan()["state"], steps(bank)["Backup"]) == ("Running", "Running")
    assert "LND is not stopped before its channel backup is there too" in bank.plan()["message"]
    assert "AccessDenied" in bank.plan()["message"]
    bank.stores.fails = {}
    await looked_at(bank, later=61)
    went_well(bank)
    is_stored(bank)


# The operator dies


async def changed(bank: Bank) -> Bank:
    """A channel more, and time until all is calm."""
    bank.channels("cc:2")
    for _ in range(5):
        await looked_at(bank, later=stored.LOST)
    return await looked_at(bank, later=stored.PATIENCE + 1)


async def test_a_crash_after_any_call_of_a_change_stores_it_once() -> None:
    reference = await storing_bank()
    first = len(reference.calls.made) + 1
    await changed(reference)
    points = [
        number
        for number, call in enumerate(reference.calls.made, 1)
        if number >= first and call.startswith(("s3", "apply Secret", "lnd Export", "lnd Verify"))
    ]
    assert len(points) >= 8
    for point in points:
        bank = await storing_bank()
        bank.calls.schedule = at(point, CRASH)
        await changed(bank)
        assert bank.restarts == 1, reference.calls.made[point - 1]
        is_stored(bank)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_every_call_fails_the_first_time(fault: Fault) -> None:
    bank = await storing_bank()
    bank.calls.schedule = every_first(fault)
    is_stored(await changed(bank))


@pytest.mark.parametrize("seed", range(6))
async def test_a_third_of_all_calls_fails_somehow(seed: int) -> None:
    bank = await storing_bank()
    faults = (*FAULTS.values(), Fault("crash"), CRASH)
    bank.calls.schedule = some(seed, 0.3, faults, len(bank.calls.made) + 150)
    await changed(bank)
    bank.calls.schedule = at(0, CRASH)
    is_stored(await looked_at(bank, later=3601))


async def test_no_key_of_the_store_is_told() -> None:
    bank = await storing_bank()
    bank.stores.fails = {"s3 put": "AccessDenied"}
    await changed(bank)
    everything = f"{bank.server.announced} {bank.outcomes} {bank.calls.made} {bank.status('lnd1')}"
    live = bank.live(SECRET, "lnd1-channel-backup")
    assert live is not None
    assert names.STORE_SAID in live["metadata"]["annotations"]
    assert SECRET_KEY not in everything + str(live["metadata"])
    assert ACCESS_KEY not in everything + str(live["metadata"])
