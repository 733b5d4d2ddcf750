"""Channel backups in a real object store: there within ten seconds of a change, and LND reads them."""

import json
import time
from collections.abc import Iterator

import pytest

from bankstack.engine import manifests
from bankstack.kinds.lndnode import sealed, stages
from demokit.outside import Outside

from . import store
from .bank import Bank
from .conftest import Lab, Manifest, eventually
from .operated import Operator
from .test_fakes_are_honest import forwarded
from .test_plans import approval, await_state, made, may, restart, status

BANK = "stored"
WITHIN = 10
DECLARED = {
    "endpoint": f"http://{store.NAME}.{BANK}.svc:{store.PORT}",
    "bucket": store.BUCKET,
    "prefix": "bank",
    "credentialsSecret": "s3",
}


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "bitcoind", "specter", "s3")
    return Operator.deployed(lab, BANK)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    yield Outside.started(lab, f"vault-bitcoind-p2p.{BANK}.svc:18444")
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator, outside: Outside) -> Iterator[Bank]:  # noqa: ARG001 - order
    """Both samples Ready, with a store for lnd1's backups; the outside node is its peer and has coins."""
    room = Bank.of(lab, BANK)
    keys = {"accessKey": store.ACCESS_KEY.encode(), "secretKey": store.SECRET_KEY.encode()}
    room.apply(*store.manifests(), manifests.secret({"name": "s3"}, keys))
    room.apply(may("alice", "bankstack-view"), may("alice", "bankstack-edit"), may("bob", "bankstack-approve"))
    room.await_ready(store.NAME)
    room.apply_samples()
    declares = {"spec": {"channelBackup": {"objectStore": DECLARED}}}
    room.kubectl("patch", "lndnode", "lnd1", "--type=merge", "-p", json.dumps(declares))
    room.await_resources("ColdWallet/vault", "LndNode/lnd1")
    outside.fund_lnd("1")
    yield room
    lab.kubectl("delete", "namespace", BANK, "--timeout=150s", timeout=180)


@pytest.fixture
def bucket(bank: Bank) -> Iterator[int]:
    with forwarded(bank, store.NAME, store.PORT) as port:
        yield port


def folder(bank: Bank) -> str:
    return f"bank/{status(bank)['identityPubkey']}/"


def newest(bank: Bank, bucket: int) -> str | None:
    where = folder(bank)
    return store.asked(bucket, lambda held: held.newest(where))


def read_by_lnd(bank: Bank, bucket: int, key: str) -> list[str]:
    """The channels that lncli verifychanbackup finds in an object."""
    content = store.asked(bucket, lambda held: held.get(key))
    assert content
    return list(bank.as_api("verifychanbackup", f"--multi_backup={content.hex()}")["chan_points"])


def standing(bank: Bank) -> tuple[str | None, str | None]:
    found = bank.condition("LndNode", "lnd1", "BackupStored")
    return found.get("status"), found.get("reason")


def begin_channel(bank: Bank, outside: Outside) -> str:
    """A channel that only waits for its blocks; where it is funded."""
    identity, host = status(bank)["identityPubkey"], f"lnd1-p2p.{BANK}.svc:9735"
    eventually(lambda: outside.is_peer(identity, host), 60, "the nodes are peers")
    eventually(lambda: outside.lncli("openchannel", identity, "500000"), 60, "the channel is opened")
    pending = outside.lncli("pendingchannels")["pending_open_channels"]
    return str(pending[-1]["channel"]["channel_point"])


def test_without_channels_there_is_nothing_to_store(bank: Bank, bucket: int) -> None:
    eventually(lambda: standing(bank) == ("True", "NoChannels"), 30, "it says so")
    assert newest(bank, bucket) is None


def test_a_new_channel_is_in_the_bucket_within_ten_seconds_and_lnd_reads_it(
    bank: Bank, outside: Outside, bucket: int
) -> None:
    funded = begin_channel(bank, outside)
    began = time.monotonic()
    eventually(lambda: newest(bank, bucket), 30, "a backup is in the bucket")
    took = time.monotonic() - began
    print(f"a new channel was in the bucket after {took:.1f} s")
    assert took <= WITHIN
    key = newest(bank, bucket)
    assert key is not None
    assert read_by_lnd(bank, bucket, key) == [funded]
    saved = manifests.opened(bank.get("secret", "lnd1-channel-backup"))[sealed.NEWEST]
    assert store.asked(bucket, lambda held: held.get(key)) == saved
    eventually(lambda: standing(bank) == ("True", "Stored"), 10, "the condition says so")
    outside.mine(6)
    outside.await_channel(status(bank)["identityPubkey"])


def test_a_restart_stores_its_own_backup_before_lnd_is_stopped(bank: Bank, bucket: int) -> None:
    eventually(lambda: status(bank).get("channels") == 1, 60, "lnd1 has its channel")
    before = newest(bank, bucket)
    made(bank, "alice", restart("stored"))
    shown = await_state(bank, "stored", "AwaitingApproval")
    made(bank, "bob", approval("stored-bob", "stored", "bob", shown["hash"]))
    ended: Manifest = await_state(bank, "stored", "Succeeded", within=240)
    evidence = {one["name"]: one["evidence"] for one in ended["steps"]}
    key = newest(bank, bucket)
    assert key is not None
    assert key != before
    assert f"object {key} of the store is the same" in evidence[stages.BACKUP]
    assert len(read_by_lnd(bank, bucket, key)) == 1


def test_a_store_that_is_away_stops_nothing_and_gets_the_backup_when_it_is_back(bank: Bank, outside: Outside) -> None:
    bank.kubectl("delete", "pod", store.NAME, "--wait")
    funded = begin_channel(bank, outside)
    eventually(lambda: standing(bank) == ("Unknown", "StoreSilent"), 30, "its silence is told")
    assert bank.is_ready("LndNode", "lnd1")
    bank.apply(*store.manifests())
    bank.await_ready(store.NAME)
    eventually(lambda: standing(bank) == ("True", "Stored"), 60, "it has the backup")
    with forwarded(bank, store.NAME, store.PORT) as port:
        key = newest(bank, port)
        assert key is not None
        assert funded in read_by_lnd(bank, port, key)
    outside.mine(6)
