"""Lives of resources: deleted and applied again, paused, upgraded, waiting for others, found to be another."""

from collections.abc import Callable
from typing import Any

import pytest

from bankstack.engine import manifests
from bankstack.engine.objects import (
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Manifest,
)
from bankstack.kinds.lndnode import children as lnds_children
from tests.misoperations import sample

from .apiserver import Key
from .bank import LND_NODE, WRITES, Bank
from .faults import Fault, When, always
from .oracle import laws_hold, lives, picture
from .test_children import lives as uids
from .test_children import pinned, settled


async def test_in_a_steady_state_nothing_is_written_at_all() -> None:
    bank = await settled()
    calls, written = len(bank.calls.made), len(bank.server.written)
    for _ in range(5):
        bank.operators[0].resync()
        await bank.settle()
    assert [call for call in bank.calls.made[calls:] if call.startswith(WRITES)] == []
    assert len(bank.server.written) == written


@pytest.mark.parametrize("order", [("vault", "lnd1"), ("lnd1", "vault")], ids=" then ".join)
async def test_deleted_and_applied_again_it_is_the_same_bank(order: tuple[str, ...]) -> None:
    bank = await settled()
    identities, before = pinned(bank), picture(bank)
    data = uids(bank, PERSISTENT_VOLUME_CLAIM, SECRET)
    for name in order:
        bank.deletes(name)
        await bank.settle()
    left = {key.type.kind for key in bank.server.all() if key.namespace}
    assert left == {"PersistentVolumeClaim", "Secret"}
    assert uids(bank, PERSISTENT_VOLUME_CLAIM, SECRET) == data
    await bank.opens(*order).settle()
    assert bank.is_ready()
    assert pinned(bank) == identities
    assert uids(bank, PERSISTENT_VOLUME_CLAIM, SECRET) == data
    assert picture(bank) == before
    laws_hold(bank)


async def test_deleted_and_applied_at_once_it_is_the_same_bank() -> None:
    bank = await settled()
    identities = pinned(bank)
    bank.deletes("vault", "lnd1")
    for _ in range(200):
        await bank.settle(400)
        if not any(key.type.kind in ("LndNode", "ColdWallet") for key in bank.server.all()):
            break
    await bank.opens().settle()
    assert bank.is_ready()
    assert pinned(bank) == identities


async def test_a_retained_volume_is_not_given_to_another_wallet() -> None:
    bank = await settled()
    bank.deletes("vault", "lnd1")
    await bank.settle()
    other = sample("vault")
    other["spec"]["multisig"]["threshold"] = 3
    bank.applies(other)
    await bank.settle()
    assert bank.conditions("vault")["Stalled"] == ("True", "VolumeOfAnotherWallet")
    assert not [key for key in bank.server.all() if key.type in (POD, STATEFUL_SET)]


async def test_with_deletion_policy_delete_regtest_leaves_nothing() -> None:
    bank = await settled()
    for name in ("vault", "lnd1"):
        bank.changes(name, lambda spec: spec.update(deletionPolicy="Delete"))
    await bank.settle()
    bank.deletes("lnd1", "vault")
    await bank.settle()
    assert [str(key) for key in bank.server.all() if key.namespace] == []


async def on_signet_to_be_deleted_with_its_data() -> Bank:
    bank = Bank()
    for name in ("vault", "lnd1"):
        manifest = sample(name)
        manifest["spec"] |= {"network": "signet", "deletionPolicy": "Delete"}
        bank.applies(manifest)
    return await bank.settle()


async def test_a_wallet_with_coins_is_not_deleted_with_its_data() -> None:
    bank = await on_signet_to_be_deleted_with_its_data()
    assert bank.is_ready(), (bank.conditions("vault"), bank.conditions("lnd1"))
    next(iter(bank.lnds.disks.values())).local_sat = 1000
    for disk in bank.bitcoinds.disks.values():
        next(iter(disk.wallets.values())).coins_sat.append(5000)
    bank.deletes("vault", "lnd1")
    await bank.settle()
    assert bank.conditions("vault")["Stalled"] == ("True", "NotProvenEmpty")
    assert bank.conditions("lnd1")["Stalled"] == ("True", "NotEmpty")
    assert len([key for key in bank.server.all() if key.type == POD]) == 3
    laws_hold(bank)


async def test_silence_is_no_proof_of_emptiness() -> None:
    bank = await on_signet_to_be_deleted_with_its_data()
    bank.calls.schedule = lambda number, call: (
        always("lnd", Fault(0))(number, call) or always("bitcoind", Fault(0))(number, call)
    )
    bank.deletes("vault", "lnd1")
    await bank.settle()
    assert bank.conditions("lnd1")["Ready"] == ("False", "EmptinessUnknown")
    assert bank.conditions("vault")["Ready"] == ("False", "NotProvenEmpty")
    assert len([key for key in bank.server.all() if key.type == POD]) == 3
    laws_hold(bank)


async def test_the_stop_is_never_decided_on_an_old_look() -> None:
    """A read from before a re-creation must not delete what stands there now."""
    bank = await settled()
    bank.deletes("lnd1")
    await bank.settle()
    await bank.opens("lnd1").settle()
    bank.calls.schedule = always("get LndNode", Fault("stale", behind=30))
    bank.operators[0].resync()
    before = uids(bank, POD, STATEFUL_SET, PERSISTENT_VOLUME_CLAIM, SECRET)
    for _ in range(3):
        for key in list(bank.operators[0].due):
            await bank.operators[0].step(key)
    assert uids(bank, POD, STATEFUL_SET, PERSISTENT_VOLUME_CLAIM, SECRET) == before
    assert (bank.live(STATEFUL_SET, "lnd1") or {})["spec"]["replicas"] == 1


async def test_a_namespace_that_is_deleted_goes_with_everything() -> None:
    bank = await settled()
    bank.server.delete(Key(NAMESPACE, "", "bank"))
    await bank.settle()
    assert bank.server.all() == []


async def test_a_namespace_goes_also_while_the_software_is_silent() -> None:
    bank = await settled()
    bank.calls.schedule = lambda number, call: (
        always("lnd", Fault(0))(number, call) or always("bitcoind", Fault(0))(number, call)
    )
    bank.server.delete(Key(NAMESPACE, "", "bank"))
    await bank.settle()
    assert bank.server.all() == []


def another_label(template: Manifest) -> Manifest:
    template["metadata"]["labels"]["bankstack.io/newer"] = "true"
    return template


def another_image(template: Manifest) -> Manifest:
    template["spec"] = template["spec"] | {
        "containers": [one | {"image": f"{one['image']}-newer"} for one in template["spec"]["containers"]]
    }
    return template


@pytest.mark.parametrize("change", [another_label, another_image], ids=lambda one: one.__name__)
async def test_a_newer_operator_that_would_make_other_pods_restarts_nothing(
    change: Callable[[Manifest], Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = await settled()
    pods = uids(bank, POD)
    sets = {name: (bank.live(STATEFUL_SET, name) or {})["spec"] for name in ("lnd1", "vault-bitcoind")}
    builder = manifests.pod_template
    monkeypatch.setattr(manifests, "pod_template", lambda *given: change(builder(*given)))
    bank.operators[0].start()
    await bank.settle()
    assert uids(bank, POD) == pods
    assert {name: (bank.live(STATEFUL_SET, name) or {})["spec"] for name in sets} == sets
    for resource in ("vault", "lnd1"):
        assert bank.conditions(resource)["ChangePending"] == ("True", "NeedsRestart")
    assert bank.is_ready()
    monkeypatch.undo()
    bank.operators[0].start()
    await bank.settle()
    assert "ChangePending" not in bank.conditions("lnd1")


async def test_a_newer_operator_may_change_what_restarts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = await settled()
    pods, builder = uids(bank, POD), lnds_children.api_service

    def newer(node: Any) -> Manifest:  # noqa: ANN401 - an LndNode
        made = builder(node)
        made["metadata"]["labels"] |= {"bankstack.io/newer": "true"}
        return made

    monkeypatch.setattr(lnds_children, "api_service", newer)
    bank.operators[0].start()
    await bank.settle()
    assert (bank.live(SERVICE, "lnd1") or {})["metadata"]["labels"]["bankstack.io/newer"] == "true"
    assert uids(bank, POD) == pods


async def test_a_node_waits_for_its_cold_wallet_and_starts_when_that_is_ready() -> None:
    bank = await Bank().opens("lnd1").settle()
    assert bank.conditions("lnd1")["Ready"][0] == "False"
    assert bank.live(STATEFUL_SET, "lnd1") is None
    await bank.opens("vault").settle()
    assert bank.is_ready()


async def test_a_node_runs_on_when_its_cold_wallet_is_deleted() -> None:
    bank = await settled()
    pod = uids(bank, POD)["Pod lnd1-0"]
    bank.deletes("vault")
    await bank.settle()
    assert uids(bank, POD)["Pod lnd1-0"] == pod
    assert bank.conditions("lnd1")["Ready"][0] == "False"
    await bank.opens("vault").settle()
    assert bank.is_ready()
    assert uids(bank, POD)["Pod lnd1-0"] == pod


async def test_two_nodes_with_one_wallet_never_both_run() -> None:
    bank = await settled()
    other = sample("lnd1")
    other["metadata"]["name"] = "lnd2"
    bank.applies(other)
    await bank.settle()
    assert bank.live(STATEFUL_SET, "lnd2") is None
    told = (bank.live(LND_NODE, "lnd2") or {})["status"]["conditions"]
    assert ("Stalled", "True", "WalletInUse") in [(one["type"], one["status"], one["reason"]) for one in told]
    assert bank.is_ready()
    laws_hold(bank)


async def test_two_nodes_with_one_wallet_applied_at_once_never_both_run() -> None:
    bank = Bank().opens()
    other = sample("lnd1")
    other["metadata"]["name"] = "lnd0"
    bank.applies(other)
    await bank.settle()
    assert len([key for key in bank.server.all() if key.type == STATEFUL_SET and key.name.startswith("lnd")]) == 1
    laws_hold(bank)


async def test_another_identity_under_the_same_name_is_never_ready() -> None:
    bank = await settled()
    disk = next(iter(bank.lnds.disks.values()))
    assert disk.wallet is not None
    disk.wallet = type(disk.wallet)(disk.wallet.password, bank.lnds.fresh_seed(), disk.wallet.root_key)
    bank.operators[0].resync()
    await bank.settle()
    assert bank.conditions("lnd1")["Stalled"] == ("True", "IdentityChanged")
    assert not bank.is_ready("lnd1")


async def test_an_emptied_volume_gets_no_second_wallet() -> None:
    bank = await settled()
    next(iter(bank.lnds.disks.values())).wallet = None
    bank.server.delete(bank.key(POD, "lnd1-0"))
    await bank.settle()
    assert bank.conditions("lnd1")["Stalled"] == ("True", "VolumeEmpty")
    laws_hold(bank)


async def test_an_unanswered_bitcoind_is_waited_for_and_nothing_is_made_in_it() -> None:
    bank = await settled()
    before = lives(bank)
    bank.calls.schedule = always("bitcoind", Fault(0))
    bank.operators[0].resync()
    await bank.settle()
    assert bank.conditions("vault")["Ready"] == ("False", "BitcoindSilent")
    assert bank.conditions("vault")["WalletReady"][0] == "Unknown"
    assert lives(bank) == before
    bank.calls.schedule = lambda _number, _call: None
    bank.operators[0].resync()
    await bank.settle()
    assert bank.is_ready()


async def test_the_power_goes_and_comes_back() -> None:
    bank = await settled()
    identities = pinned(bank)
    bank.software.restart()
    bank.operators[0].start()
    await bank.settle()
    assert bank.is_ready()
    assert pinned(bank) == identities


async def test_a_new_channel_is_backed_up_and_a_forgotten_one_is_not_forgotten_by_the_backup() -> None:
    bank = await settled()
    disk = next(iter(bank.lnds.disks.values()))
    disk.channels |= {"aa:0", "bb:1"}
    bank.operators[0].resync()
    await bank.settle()
    assert bank.conditions("lnd1")["ChannelBackup"] == ("True", "Current")
    saved = (bank.live(SECRET, "lnd1-channel-backup") or {})["data"]["channels"]
    disk.channels -= {"aa:0"}
    bank.operators[0].resync()
    await bank.settle()
    assert (bank.live(SECRET, "lnd1-channel-backup") or {})["data"]["channels"] == saved
    assert bank.conditions("lnd1")["Stalled"] == ("True", "ChannelBackupShrank")
    disk.closed |= {"aa:0"}
    bank.operators[0].resync()
    await bank.settle()
    assert bank.is_ready()


@pytest.mark.parametrize("after", range(1, 12))
async def test_a_crash_while_a_bank_is_deleted_leaves_nothing_hanging(after: int) -> None:
    bank = await settled()
    made = len(bank.calls.made)
    words = ("apply", "status", "finalize", "delete")
    seen: list[str] = []

    def schedule(_number: int, call: str) -> Fault | None:
        if not call.startswith(words):
            return None
        seen.append(call)
        return Fault("crash", When.AFTER) if len(seen) == after else None

    bank.calls.schedule = schedule
    bank.deletes("vault", "lnd1")
    await bank.settle()
    assert {key.type.kind for key in bank.server.all() if key.namespace} == {"PersistentVolumeClaim", "Secret"}
    assert len(bank.calls.made) > made
    laws_hold(bank)
