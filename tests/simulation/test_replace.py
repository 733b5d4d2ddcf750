"""A Replace plan on a bank in memory: every satoshi is accounted for, and the next identity is another."""

import asyncio
from functools import cache
from typing import Any

import pytest

from bankstack.engine import manifests
from bankstack.engine.objects import CHANGE_PLAN, PERSISTENT_VOLUME_CLAIM, POD, SECRET, STATEFUL_SET, Manifest
from bankstack.kinds.lndnode import names

from .bank import Bank
from .faults import Fault
from .lnd_disk import CLOSING_FEE, KEPT_BACK, RESERVED, SENDING_FEE, Disk
from .oracle import laws_hold
from .test_restart import CHANNELS, book, htlc, looked_at, open_bank

PLAN = "replace"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
COINS = 250_000
START = 1_000_000 + RESERVED + COINS
SWEPT = START - CLOSING_FEE - SENDING_FEE


async def rich_bank(**world: Any) -> Bank:  # noqa: ANN401 - as World takes them
    """LND opened one of its channels itself, and has coins."""
    bank = await open_bank(**world)
    bank.disk.ours, bank.disk.coins_sat = {"aa:0"}, COINS
    return bank


async def asked(bank: Bank, **parameters: str) -> Bank:
    bank.asks(PLAN, operation="Replace", parameters={"destination": ADDRESS} | parameters)
    return await bank.settle(6000)


async def approved(bank: Bank) -> Bank:
    """Red: two people."""
    bank.approves(PLAN)
    bank.approves(PLAN, by="carol")
    return await bank.settle(6000)


async def replaced(bank: Bank) -> Bank:
    return await approved(await asked(bank))


@cache
def reference() -> Bank:
    async def told() -> Bank:
        return await replaced(await rich_bank())

    return asyncio.run(told())


def plan(bank: Bank) -> Manifest:
    return bank.plan(PLAN)


def evidence(bank: Bank) -> dict[str, str]:
    return {one["name"]: str(one.get("evidence")) for one in plan(bank).get("steps", [])}


def at_step(bank: Bank) -> str:
    return next((str(one["name"]) for one in plan(bank)["steps"] if one["state"] == "Running"), "none")


def disks(bank: Bank) -> list[Disk]:
    return list(bank.lnds.disks.values())


def secret(bank: Bank, name: str) -> dict[str, bytes]:
    return manifests.opened(bank.live(SECRET, name) or {})


def former(bank: Bank) -> str:
    wallet = disks(bank)[0].wallet
    assert wallet is not None
    return wallet.identity


def went_well(bank: Bank) -> None:
    """Everything is out of the old wallet and counted, it is kept, and another identity serves."""
    ended, (old, new) = plan(bank), disks(bank)
    assert (ended["state"], {one["state"] for one in ended["steps"]}) == ("Succeeded", {"Done"}), ended
    assert (old.channels, old.coins_sat, sum(sat for _, sat in old.sent)) == (set(), 0, SWEPT)
    assert {address for address, _ in old.sent} == {ADDRESS}
    assert new.wallet is not None
    assert new.wallet.identity != former(bank)
    status = bank.status("lnd1")
    assert (status["identityPubkey"], status["generation"]) == (new.wallet.identity, 2)
    assert [one["identityPubkey"] for one in status["retired"]] == [former(bank)]
    stone = secret(bank, names.tombstone("lnd1", former(bank)).name)
    assert stone["seed"].decode().split() == list(disks(bank)[0].made[0].seed)
    assert stone["pubkey"].decode() == former(bank)
    assert secret(bank, "lnd1-api")["pubkey"].decode() == new.wallet.identity
    assert bank.is_ready("lnd1"), status
    assert "traffic" not in status
    assert ([entry.state for entry in book(bank).entries], book(bank).active) == (["Succeeded"], {})
    laws_hold(bank)


def test_a_replacement_accounts_for_every_satoshi() -> None:
    bank = reference()
    went_well(bank)
    told = evidence(bank)
    assert told["Account"] == (
        f"{START} sat at the start = {SWEPT} at the destination + {SENDING_FEE} fee of sending + {CLOSING_FEE} fees of "
        "closing 2 channels + 0 left, to the satoshi"
    )
    assert told["Sweep"] == f"{SWEPT} sat by sweep-0 for a fee of {SENDING_FEE} sat"
    assert "exit code 0" in told["Stop"]
    assert plan(bank)["approvedBy"] == ["bob", "carol"]


def test_the_old_wallet_and_its_volume_stay_where_they_were() -> None:
    bank = reference()
    old = secret(bank, "lnd1-wallet")
    assert old["seed"].decode().split() == list(disks(bank)[0].made[0].seed)
    claims = {name for name in ("lnd1-data", "lnd1-data-2") if bank.live(PERSISTENT_VOLUME_CLAIM, name)}
    assert claims == {"lnd1-data", "lnd1-data-2"}
    live = bank.live(STATEFUL_SET, "lnd1")
    assert live is not None
    mounted = {one["name"]: one for one in live["spec"]["template"]["spec"]["volumes"]}
    assert mounted["data"]["persistentVolumeClaim"]["claimName"] == "lnd1-data-2"
    assert mounted["wallet"]["secret"]["secretName"] == "lnd1-wallet-2"


async def test_an_opened_channel_of_the_next_identity_is_backed_up_beside_the_old_ones() -> None:
    bank = await replaced(await rich_bank())
    new = disks(bank)[1]
    new.channels, new.local_sat = {"cc:0"}, 5
    await looked_at(bank)
    assert secret(bank, "lnd1-channel-backup-2")["channels"] == b"cc:0"
    assert set(secret(bank, "lnd1-channel-backup")["channels"].decode().split()) == set(CHANNELS)


# Waiting


async def test_a_channel_whose_peer_is_away_is_named_and_never_closed_by_force() -> None:
    bank = await rich_bank()
    bank.disk.inactive.add("bb:1")
    await replaced(bank)
    assert (at_step(bank), bank.disk.channels) == ("Close", {"bb:1"})
    told = plan(bank)["message"]
    for words in ("channel bb:1 cannot be closed", "its peer 02", "500000 sat in it are ours", "by force"):
        assert words in told
    bank.disk.inactive.clear()
    await looked_at(bank)
    went_well(bank)


async def test_a_plan_that_is_cancelled_while_a_peer_is_away_leaves_a_node_that_runs() -> None:
    bank = await rich_bank()
    bank.disk.inactive.add("bb:1")
    await replaced(bank)
    bank.server.edit(bank.key(CHANGE_PLAN, PLAN), lambda one: one["spec"].update(cancelled=True), "kubectl-edit")
    await looked_at(bank)
    assert plan(bank)["state"] == "Cancelled"
    assert (bank.disk.channels, bank.is_ready("lnd1"), "traffic" in bank.status("lnd1")) == ({"bb:1"}, True, False)
    assert len(disks(bank)) == 1
    laws_hold(bank)


async def test_a_payment_on_its_way_is_waited_for_and_no_channel_closed_before() -> None:
    bank = await rich_bank()
    bank.disk.htlcs.append(htlc(left=3))
    await replaced(bank)
    assert (at_step(bank), bank.disk.channels) == ("Drain", set(CHANNELS))
    bank.disk.htlcs.clear()
    await looked_at(bank)
    went_well(bank)


async def test_blocks_are_waited_for() -> None:
    bank = await rich_bank()
    bank.disk.mines = False
    await replaced(bank)
    assert at_step(bank) == "Bury"
    bank.disk.mine()
    await looked_at(bank)
    assert (at_step(bank), len(bank.disk.sent)) == ("Sweep", 1)
    assert "waits for a block" in plan(bank)["message"]
    bank.disk.mine()
    await looked_at(bank)
    went_well(bank)


async def test_money_that_cannot_be_accounted_for_keeps_lnd_running() -> None:
    bank = await rich_bank()
    bank.disk.mines = False
    await replaced(bank)
    bank.disk.mine()
    bank.disk.coins_sat -= 7777
    await looked_at(bank)
    bank.disk.mine()
    await looked_at(bank)
    assert at_step(bank) == "Account"
    assert f"7777 of {START} sat cannot be accounted for" in plan(bank)["message"]
    assert len(disks(bank)) == 1


@pytest.mark.parametrize("call", ["lnd CloseChannel", "lnd SendCoins", "lnd ListAccounts"])
async def test_a_channel_that_a_peer_opens_while_the_others_leave_is_closed_too(call: str) -> None:
    """Directly before LND is asked for something else."""
    bank = await asked(await rich_bank())
    opened: list[str] = []

    def opens(_number: int, words: str) -> Fault | None:
        if not opened and words == call:
            opened.append("cc:2")
            bank.disk.channels.add("cc:2")
        return None

    bank.calls.schedule = opens
    await looked_at(await approved(bank))
    old, told = disks(bank)[0], evidence(bank)
    assert (plan(bank)["state"], opened, old.channels, old.coins_sat) == ("Succeeded", ["cc:2"], set(), 0), plan(bank)
    assert "cc:2" in {one.outpoint for one in old.closures}
    assert told["Account"].endswith("to the satoshi")
    fees = SENDING_FEE * len(old.sent)
    assert sum(sat for _, sat in old.sent) == START - CLOSING_FEE - fees
    assert [sat for _, sat in old.sent[1:]] == ([KEPT_BACK - SENDING_FEE] if call == "lnd SendCoins" else [])
    laws_hold(bank)


async def test_coins_that_are_not_worth_their_fee_are_waited_for_where_it_can_be_read_what_to_do() -> None:
    bank = await asked(await rich_bank())
    bank.disk.sending_fee_sat = 2 * START
    await approved(bank)
    assert at_step(bank) == "Sweep"
    assert "condition Ready of lnd1" in plan(bank)["message"]
    ready = next(one for one in bank.status("lnd1")["conditions"] if one["type"] == "Ready")
    assert "insufficient input to create sweep tx" in ready["message"]
    assert "lncli sendcoins" in ready["message"]
    assert bank.disk.sent == []
    bank.disk.sending_fee_sat = SENDING_FEE
    await looked_at(bank)
    went_well(bank)


async def test_coins_that_come_in_meanwhile_are_sent_too_and_told() -> None:
    bank = await rich_bank()
    bank.disk.mines = False
    await replaced(bank)
    bank.disk.mine()
    bank.disk.coins_sat += 5000
    await looked_at(bank)
    bank.disk.mine()
    await looked_at(bank)
    assert evidence(bank)["Account"].endswith("5000 sat came in since")


# Refused


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"destination": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}, "is no address of regtest"),
        ({"satPerVbyte": "0"}, "whole number of sat/vB"),
        ({"force": "true"}, "and force is given"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_sentence(parameters: dict[str, str], words: str) -> None:
    bank = await asked(await rich_bank(), **parameters)
    assert (plan(bank)["state"], words in plan(bank)["message"]) == ("Refused", True), plan(bank)


async def test_a_seed_that_was_brought_along_is_not_replaced_by_one_that_nobody_has() -> None:
    bank = await rich_bank()
    bank.changes("lnd1", lambda spec: spec["wallet"].update(create=False))
    await asked(bank)
    assert plan(bank)["state"] == "Refused"
    assert "set spec.wallet.create: true" in plan(bank)["message"]


# Lost by hand


async def test_a_seed_that_somebody_left_for_the_next_wallet_is_not_used() -> None:
    bank = await asked(await rich_bank())
    planted = {"metadata": {"name": "lnd1-wallet-2"}, "apiVersion": "v1", "kind": "Secret", "data": {}}
    bank.user_applies(SECRET, planted)
    await approved(bank)
    assert bank.conditions("lnd1")["Stalled"] == ("True", "NameTaken")
    assert (at_step(bank), [one.wallet is None for one in disks(bank)]) == ("Retire", [False])
    bank.server.remove(bank.key(SECRET, "lnd1-wallet-2"))
    await looked_at(bank)
    went_well(bank)


async def test_a_tombstone_that_is_deleted_changes_nothing() -> None:
    bank = await replaced(await rich_bank())
    bank.server.remove(bank.key(SECRET, names.tombstone("lnd1", former(bank)).name))
    await looked_at(bank)
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    assert bank.status("lnd1")["generation"] == 2
    assert [one["identityPubkey"] for one in bank.status("lnd1")["retired"]] == [former(bank)]
    assert len(disks(bank)) == 2


async def test_where_the_first_wallet_s_secret_is_lost_too_nothing_is_started() -> None:
    bank = await replaced(await rich_bank())
    bank.server.remove(bank.key(SECRET, names.tombstone("lnd1", former(bank)).name))
    bank.server.remove(bank.key(SECRET, "lnd1-wallet"))
    pod = bank.live(POD, "lnd1-0")
    await looked_at(bank)
    assert bank.conditions("lnd1")["Stalled"] == ("True", "WalletGenerationLost")
    assert bank.live(POD, "lnd1-0") == pod
    assert bank.live(SECRET, "lnd1-wallet") is None
    laws_hold(bank)


async def test_a_node_that_is_deleted_and_applied_anew_is_the_new_identity() -> None:
    bank = await replaced(await rich_bank())
    now = bank.status("lnd1")["identityPubkey"]
    bank.deletes("lnd1")
    await bank.settle(6000)
    bank.opens("lnd1")
    await looked_at(bank)
    assert bank.is_ready("lnd1"), bank.status("lnd1")
    assert (bank.status("lnd1")["identityPubkey"], bank.status("lnd1")["generation"]) == (now, 2)
    assert [one["identityPubkey"] for one in bank.status("lnd1")["retired"]] == [former(bank)]
    assert len(disks(bank)) == 2


async def test_what_was_retired_outlives_even_a_node_that_takes_its_data_along() -> None:
    bank = await replaced(await rich_bank())
    stone = names.tombstone("lnd1", former(bank)).name
    bank.changes("lnd1", lambda spec: spec.update(deletionPolicy="Delete"))
    bank.deletes("lnd1")
    await bank.settle(6000)
    assert bank.live(PERSISTENT_VOLUME_CLAIM, "lnd1-data-2") is None
    assert bank.live(PERSISTENT_VOLUME_CLAIM, "lnd1-data")
    for name in (stone, "lnd1-wallet", "lnd1-channel-backup"):
        assert bank.live(SECRET, name), name
    assert bank.live(SECRET, "lnd1-wallet-2") is None


async def test_a_second_replacement_begins_where_the_first_ended() -> None:
    bank = await replaced(await rich_bank())
    bank.asks("replace-2", operation="Replace", parameters={"destination": ADDRESS})
    await bank.settle(6000)
    bank.approves("replace-2")
    bank.approves("replace-2", by="carol")
    await bank.settle(6000)
    assert bank.plan("replace-2")["state"] == "Succeeded", bank.plan("replace-2")
    assert bank.status("lnd1")["generation"] == 3
    made = [one.wallet.identity for one in disks(bank) if one.wallet]
    assert [one["identityPubkey"] for one in bank.status("lnd1")["retired"]] == made[:2]
    assert (bank.status("lnd1")["identityPubkey"], len(set(made))) == (made[2], 3)
    laws_hold(bank)


# Late payments


async def test_what_comes_to_an_old_address_later_is_found() -> None:
    bank = await replaced(await rich_bank())
    await looked_at(bank)
    (watching,) = [disk.wallets[retired(bank)] for disk in bank.bitcoinds.disks.values()]
    assert (watching.private_keys, len(watching.descriptors)) == (False, 2)
    assert {tuple(one["range"]) for one in watching.descriptors} == {(0, 1003), (0, 1001)}
    assert {bank.conditions(name)["RetiredCoins"] for name in ("vault", "lnd1")} == {("False", "None")}
    watching.coins_sat.append(12_345)
    await looked_at(bank)
    for name in ("vault", "lnd1"):
        told = next(one for one in bank.status(name)["conditions"] if one["type"] == "RetiredCoins")
        assert (told["status"], told["reason"]) == ("True", "Arrived")
        assert f"12345 sat are at an address of {former(bank)[:12]}…, which LndNode lnd1 was" in told["message"]
        assert f"the seed of Secret {names.tombstone('lnd1', former(bank)).name}" in told["message"]
    assert bank.is_ready("vault", "lnd1")
    laws_hold(bank)


def retired(bank: Bank) -> str:
    return f"retired-{former(bank)[:12]}"


async def test_the_watching_of_a_retired_wallet_comes_back() -> None:
    bank = await replaced(await rich_bank())
    await looked_at(bank)
    for disk in bank.bitcoinds.disks.values():
        del disk.wallets[retired(bank)]
    bank.software.restart()
    await looked_at(bank)
    await looked_at(bank)
    assert all(disk.wallets[retired(bank)].descriptors for disk in bank.bitcoinds.disks.values())
