"""A ColdWallet from its first look on, in a bank in memory: observe, decide and act together."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.simulation.world import NAMESPACE, World

from bankstack.clients.bitcoind import Account, Bitcoind, NoAnswer, Refused
from bankstack.engine.objects import (
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Manifest,
)
from bankstack.kinds.coldwallet.facts import Silent
from bankstack.kinds.coldwallet.kind import gauges, kind, references

from .bank import OURS, WATCHING, Bank
from .fake_bitcoind import FakeBitcoind
from .given import EXTERNAL, PAIR, facts, manifest, wallet


@pytest.fixture
async def bank() -> Bank:
    made = Bank()
    made.declare()
    return await made.settle()


async def test_a_declared_wallet_becomes_ready_and_pins_who_it_is(bank: Bank) -> None:
    assert bank.says("Ready") == ("True", "AsDeclared")
    assert [bank.says(one)[0] for one in ("ChainReady", "WalletReady", "SpecterReady")] == ["True"] * 3
    status = bank.status
    assert status["descriptorChecksums"] == list(PAIR.checksums)
    assert status["completeSince"] == "2026-01-01T00:00:00Z"
    assert status["wallet"] == WATCHING
    assert status["endpoint"] == {
        "host": "vault-bitcoind.bank.svc",
        "rpcPort": 18443,
        "zmqBlockPort": 28332,
        "zmqTxPort": 28333,
        "credentialsSecret": "vault-rpc-lnd",
        "address": "10.96.0.10",
    }
    assert status["specter"]["adminSecret"] == "vault-specter-admin"
    imported = bank.bitcoind.on_disk[WATCHING].descriptors
    assert [(one["desc"], one["internal"], one["timestamp"]) for one in imported] == [
        (PAIR.receive, False, 1767225600),
        (PAIR.change, True, 1767225600),
    ]


async def test_nothing_is_written_while_nothing_changes(bank: Bank) -> None:
    written = len(bank.server.written)
    bank.operators[0].resync()
    await bank.settle()
    assert bank.server.written[written:] == []


async def test_every_child_deleted_by_hand_comes_back_as_it_was(bank: Bank) -> None:
    before, pods = bank.contents(), bank.pods()
    for key in bank.server.all():
        if key.type not in (OURS, POD, STATEFUL_SET, PERSISTENT_VOLUME_CLAIM) and key.name.startswith("vault-"):
            bank.server.delete(key)
            await bank.settle()
    after = bank.contents()
    # All but Specter's session key, which lives nowhere else: people log in again.
    assert [name for name in before if before[name] != after.get(name)] == [str(bank.key(SECRET, "vault-specter"))]
    assert bank.pods() == pods


async def test_a_changed_field_is_put_back_and_a_foreign_one_stays(bank: Bank) -> None:
    def change(live: Manifest) -> None:
        live["spec"]["ports"][0]["port"] = 1
        live["metadata"]["annotations"]["theirs.example/note"] = "stays"

    bank.server.edit(bank.key(SERVICE, "vault-bitcoind"), change, "kubectl-edit")
    await bank.settle()
    live = bank.live(SERVICE, "vault-bitcoind")
    assert live is not None
    assert live["metadata"]["annotations"]["theirs.example/note"] == "stays"
    assert 18443 in [one["port"] for one in live["spec"]["ports"]]


async def test_a_password_edited_by_hand_is_put_back(bank: Bank) -> None:
    before = bank.secret("vault-rpc-lnd")

    def change(live: Manifest) -> None:
        live["data"]["password"] = base64.b64encode(b"forged").decode()

    bank.server.edit(bank.key(SECRET, "vault-rpc-lnd"), change, "kubectl-edit")
    await bank.settle()
    assert bank.secret("vault-rpc-lnd") == before


async def test_a_secret_of_somebody_else_under_our_name_is_left_alone() -> None:
    bank = Bank()
    bank.make_secret("vault-rpc-lnd", password="theirs")  # noqa: S106 - a story
    bank.declare()
    await bank.settle()
    assert bank.says("Ready") == ("False", "NameTaken")
    assert bank.secret("vault-rpc-lnd") == {"password": "theirs"}


async def test_a_change_of_configuration_waits_and_touches_nothing(bank: Bank) -> None:
    pods = bank.pods()
    bank.declare(bitcoind__config=[{"key": "maxmempool", "value": "5"}])
    await bank.settle()
    assert (bank.says("Ready")[0], bank.says("ChangePending")[0]) == ("True", "True")
    message = next(one["message"] for one in bank.status["conditions"] if one["type"] == "ChangePending")
    assert "the change of bitcoin.conf needs a restart" in message
    assert bank.pods() == pods
    bank.declare()
    await bank.settle()
    assert "ChangePending" not in [one["type"] for one in bank.status["conditions"]]


async def test_specter_that_is_not_wanted_goes_and_its_volume_stays(bank: Bank) -> None:
    bank.declare(specter__enabled=False)
    await bank.settle()
    assert bank.live(STATEFUL_SET, "vault-specter") is None
    assert bank.live(PERSISTENT_VOLUME_CLAIM, "vault-specter") is not None
    assert "specter" not in bank.status
    bank.declare()
    await bank.settle()
    assert bank.says("SpecterReady")[0] == "True"


async def test_deleted_and_declared_again_it_is_the_same_wallet(bank: Bank) -> None:
    first, passwords = bank.status["firstAddress"], bank.secret("vault-rpcauth")
    volume = bank.live(PERSISTENT_VOLUME_CLAIM, "vault-bitcoind")
    bank.remove(OURS, "vault")
    await bank.settle()
    assert bank.live(OURS, "vault") is None
    assert bank.live(STATEFUL_SET, "vault-bitcoind") is None
    bank.bitcoind.loaded.clear()
    bank.declare()
    await bank.settle()
    assert bank.says("Ready")[0] == "True"
    assert bank.status["firstAddress"] == first
    assert bank.secret("vault-rpcauth") == passwords
    again = bank.live(PERSISTENT_VOLUME_CLAIM, "vault-bitcoind")
    assert again is not None
    assert volume is not None
    assert again["metadata"]["uid"] == volume["metadata"]["uid"]
    assert [one["next_index"] for one in bank.bitcoind.on_disk[WATCHING].descriptors] == [7, 7]


async def test_a_volume_is_not_adopted_by_another_wallet(bank: Bank) -> None:
    bank.remove(OURS, "vault")
    await bank.settle()
    bank.declare(multisig__threshold=1)
    await bank.settle()
    assert bank.says("Ready") == ("False", "VolumeOfAnotherWallet")
    assert bank.live(STATEFUL_SET, "vault-bitcoind") is None


async def test_a_removed_wallet_is_made_and_scanned_anew(bank: Bank) -> None:
    bank.bitcoind.on_disk.clear()
    bank.bitcoind.loaded.clear()
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("WalletReady")[0] == "True"
    assert bank.bitcoind.calls.count("importdescriptors") == 2


async def test_two_operators_make_one_wallet() -> None:
    bank = Bank(operators=2)
    bank.declare()
    await bank.settle()
    assert bank.says("Ready")[0] == "True"
    assert list(bank.bitcoind.on_disk) == [WATCHING]


async def test_bad_versions_get_no_wallet() -> None:
    bank = Bank()
    bank.bitcoind.network["version"] = 300100
    bank.declare()
    await bank.settle()
    assert bank.says("Ready") == ("False", "VersionRefused")
    assert bank.bitcoind.on_disk == {}


async def test_a_wallet_with_keys_is_not_used(bank: Bank) -> None:
    bank.bitcoind.on_disk[WATCHING].private_keys = True
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("Ready") == ("False", "PrivateKeysFound")


async def test_a_refused_import_is_told_with_bitcoinds_words() -> None:
    bank = Bank()
    bank.bitcoind.refuses["importdescriptors"] = Refused("importdescriptors", -1, "Rescan failed: pruned")
    bank.declare()
    await bank.settle()
    assert bank.says("Ready") == ("False", "WatchRefused")
    bank.bitcoind.refuses.clear()
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("Ready")[0] == "True"


async def test_a_busy_or_silent_bitcoind_is_asked_again() -> None:
    bank = Bank()
    bank.bitcoind.refuses["createwallet"] = Refused("createwallet", -4, "Wallet is loading")
    bank.declare()
    await bank.settle()
    assert bank.says("Ready") == ("False", "CreateWalletRefused")
    bank.bitcoind.refuses.clear()
    bank.bitcoind.silence = NoAnswer("BitcoindLoading", "bitcoind is starting: Verifying blocks…")
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("ChainReady") == ("Unknown", "BitcoindLoading")
    bank.bitcoind.silence = None
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("Ready")[0] == "True"


async def test_a_pod_that_cannot_start_says_why() -> None:
    bank = Bank()
    bank.sick.add("vault-bitcoind-0")
    bank.declare()
    await bank.settle()
    assert bank.says("Ready") == ("False", "BitcoindStarting")


async def test_an_external_bitcoind_is_used_and_nothing_is_run_for_it() -> None:
    bank = Bank()
    bank.declare(bitcoind=None, external=EXTERNAL, specter=None)
    await bank.settle()
    assert bank.says("Ready") == ("False", "CredentialsMissing")
    bank.make_secret("theirs", username="bank", password="theirs")  # noqa: S106 - a story
    await bank.settle()
    assert bank.says("Ready")[0] == "True"
    assert bank.status["endpoint"] == {
        "host": "bitcoind.example",
        "rpcPort": 18443,
        "zmqBlockPort": 28332,
        "zmqTxPort": 28333,
        "credentialsSecret": "theirs",
    }
    assert bank.server.all("StatefulSet") == []
    bank.bitcoind.silence = NoAnswer("BitcoindUnreachable", "bitcoind cannot be reached")
    bank.operators[0].resync()
    await bank.settle()
    assert bank.status["endpoint"]["host"] == "bitcoind.example"
    assert bank.says("WalletReady") == ("Unknown", "BitcoindUnreachable")


async def test_a_users_log_in_may_come_later() -> None:
    bank = Bank()
    bank.declare(specter__adminSecret="mine")
    await bank.settle()
    assert bank.says("SpecterReady") == ("False", "LogInMissing")
    assert bank.says("WalletReady")[0] == "True"
    bank.make_secret("mine", username="boss", password="theirs")  # noqa: S106 - a story
    await bank.settle()
    assert bank.says("Ready")[0] == "True"
    assert bank.live(SECRET, "vault-specter-admin") is None


async def test_a_paused_wallet_is_only_looked_at() -> None:
    bank = Bank()
    bank.declare(paused=True)
    await bank.settle()
    assert [key for key in bank.server.all() if key.name.startswith("vault-")] == []
    assert bank.says("Paused")[0] == "True"


async def test_data_go_with_the_resource_on_regtest_when_that_is_asked_for() -> None:
    bank = Bank()
    bank.declare(deletionPolicy="Delete")
    await bank.settle()
    bank.remove(OURS, "vault")
    await bank.settle()
    assert [key for key in bank.server.all() if key.name.startswith("vault")] == []


async def test_no_secret_shows_anywhere(bank: Bank, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        bank.remove(SECRET, "vault-rpcauth")
        bank.bitcoind.refuses["listdescriptors"] = Refused("listdescriptors", -1, "odd")
        bank.operators[0].resync()
        await bank.settle()
    planted = {value for name in ("vault-rpcauth", "vault-specter", "vault-specter-admin", "vault-rpc-lnd")
               for key, value in bank.secret(name).items() if "username" not in key}  # fmt: skip
    told = json.dumps(bank.live(OURS, "vault")) + repr(bank.server.announced) + caplog.text
    manifests = json.dumps([bank.server.objects[key].manifest for key in bank.server.all() if key.type != SECRET])
    assert len(planted) > 5
    assert not [one for one in planted if one in told or one in manifests or one in repr(bank.outcomes)]


async def test_coins_that_are_too_many_to_be_listed_in_time_change_nothing_else(bank: Bank) -> None:
    bank.bitcoind.refuses["listunspent"] = NoAnswer("BitcoindSilent", "bitcoind did not answer listunspent")
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("Ready")[0] == "True"
    numbers = dict(bank.outcomes[-1][1].gauges)
    assert "bankstack_coldwallet_balance_sat" in numbers
    assert "bankstack_coldwallet_utxos" not in numbers


async def test_a_wrong_password_of_ours_is_told_apart_from_silence(bank: Bank) -> None:
    bank.bitcoind.accepts["operator"] = "what bitcoind was started with"
    bank.operators[0].resync()
    await bank.settle()
    assert bank.says("Ready") == ("False", "CredentialsRefused")


async def test_a_long_scan_holds_up_no_pass_and_its_end_is_seen() -> None:
    end = asyncio.Event()
    fake = FakeBitcoind()

    @asynccontextmanager
    async def slow(account: Account) -> AsyncIterator[Bitcoind]:
        async with fake.connect(account):
            yield Slow(fake.call)

    class Slow(Bitcoind):
        async def watch(self, name: str, imports: Any) -> None:  # noqa: ANN401 - as the client has it
            await super().watch(name, imports)
            fake.on_disk[name].scanning = 0.25
            await end.wait()
            fake.on_disk[name].scanning = None

    world = World(kind(slow, patience=0))
    made = manifest()
    made["metadata"] = {"name": "vault", "namespace": NAMESPACE}
    world.user_applies(OURS, made)
    await world.settle()
    live = world.live(OURS, "vault")
    assert live is not None
    assert "completeSince" not in live["status"]
    ready = next(one for one in live["status"]["conditions"] if one["type"] == "Ready")
    assert (ready["reason"], "20 % done" in ready["message"]) == ("Scanning", True)
    end.set()
    await asyncio.sleep(0)
    world.operators[0].resync()
    await world.settle()
    live = world.live(OURS, "vault")
    assert live is not None
    assert live["status"]["completeSince"] == "2026-01-01T00:00:00Z"


def test_numbers_that_move_are_metrics() -> None:
    numbers = gauges(facts())
    assert numbers["bankstack_coldwallet_balance_sat"] == 250_000
    assert set(numbers) == {
        f"bankstack_coldwallet_{one}"
        for one in ("balance_sat", "utxos", "blocks", "headers", "verification_progress", "peers", "disk_bytes")
    }
    silent = Silent("BitcoindSilent", "no answer")
    assert gauges(facts(chain=silent, wallet=silent)) == {}


def test_what_a_user_brings_is_waited_for() -> None:
    one = wallet(bitcoind=None, external=EXTERNAL, specter__adminSecret="mine").spec
    assert [str(ref) for ref in references(one)] == ["Secret theirs", "Secret mine"]
    assert references(wallet().spec) == ()
