"""What is done once only, and what is never written over: on the simulated API server, with an LND of memory."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.misoperations import sample
from tests.simulation.bank import LND_NODE, Bank
from tests.simulation.lnd import LndProcess
from tests.simulation.world import NAMESPACE

from bankstack.clients.lnd.answers import Permission, Use
from bankstack.engine import declared, manifests, signing
from bankstack.engine.decision import Ask
from bankstack.engine.drift import owned
from bankstack.engine.finding import FORBIDDEN, Finding, Interrupted, Stalled, Transient
from bankstack.engine.objects import POD, SECRET, Manifest, Ref
from bankstack.kinds.lndnode import act, consumers, macaroons, names, pki, saving, sealed, stages
from bankstack.kinds.lndnode.model import RESOURCE
from bankstack.kinds.lndnode.subject import LndNode

WALLET, CA, TLS, API, BACKUP = "lnd1-wallet", "lnd1-ca", "lnd1-tls", "lnd1-api", "lnd1-channel-backup"
POINTS = {"aa:0", "bb:1"}


async def running() -> Bank:
    return await Bank().opens().settle()


def secret(bank: Bank, name: str) -> Manifest:
    found = bank.live(SECRET, name)
    assert found is not None
    return found


def content(bank: Bank, name: str) -> dict[str, bytes]:
    return manifests.opened(secret(bank, name))


def annotations(bank: Bank, name: str) -> dict[str, str]:
    found: dict[str, str] = secret(bank, name)["metadata"].get("annotations", {})
    return found


def lnd1(bank: Bank) -> LndNode:
    live = bank.live(LND_NODE, "lnd1")
    assert live is not None
    subject: Any = declared.read(RESOURCE, live)
    return subject  # type: ignore[no-any-return]  # read gives the types of RESOURCE


async def ask(bank: Bank, action: str, **words: str) -> None:
    doors = bank.lnds.doors(bank.operators[0].line, bank.stores, lambda: bank.now)
    await act.acts(doors)[action](lnd1(bank), Ask(action, "Test", words), bank.operators[0].cluster)


async def refused(bank: Bank, action: str, **words: str) -> Interrupted:
    with pytest.raises(Interrupted) as stop:
        await ask(bank, action, **words)
    return stop.value


def disk(bank: Bank) -> Any:  # noqa: ANN401 - the simulation's
    (only,) = bank.lnds.disks.values()
    return only


def edits(bank: Bank, name: str, change: Callable[[Manifest], None]) -> None:
    bank.server.edit(bank.key(SECRET, name), change, "somebody")


async def test_password_and_seed_outlive_every_later_write_to_their_secret() -> None:
    bank = await running()
    held = content(bank, WALLET)
    assert (sorted(held), len(held["seed"].split()), len(held["password"])) == (["password", "seed"], 24, 43)
    assert disk(bank).wallet.seed == tuple(held["seed"].decode().split())
    for _ in range(2):
        await ask(bank, "claim_wallet", identity=lnd1(bank).status.identity_pubkey or "")
    assert content(bank, WALLET) == held
    assert annotations(bank, WALLET)[names.IDENTITY] == disk(bank).wallet.identity


async def test_a_seed_that_is_there_is_never_drawn_anew() -> None:
    bank = await running()
    held = content(bank, WALLET)
    await ask(bank, "make_seed")
    stop = await refused(bank, "make_wallet")
    assert isinstance(stop.finding.policy, Transient)
    assert content(bank, WALLET) == held


async def test_a_wallet_that_has_an_identity_is_never_given_to_lnd_again() -> None:
    bank = await running()
    stop = await refused(bank, "init_wallet")
    assert stop.finding.reason == "WalletInUse"
    assert len(disk(bank).made) == 1


@pytest.mark.parametrize("words", [0, 12, 23, 25])
async def test_a_seed_that_is_not_24_words_never_reaches_lnd(words: int) -> None:
    bank = await running()
    bank.server.remove(bank.key(SECRET, WALLET))
    files = {"password": b"hunter2222", "seed": " ".join(["word"] * words).encode()}
    meta = {"name": WALLET, "namespace": NAMESPACE, "annotations": {names.CLAIMED_BY: "lnd1"}}
    bank.user_applies(SECRET, manifests.secret(meta, files))
    before = len(bank.calls.made)
    stop = await refused(bank, "init_wallet")
    assert (stop.finding.reason, type(stop.finding.policy)) == ("WalletSecretIncomplete", Transient)
    assert f"{words} words instead of 24" in stop.finding.message
    assert not [call for call in bank.calls.made[before:] if call.startswith("lnd ")]


async def test_of_a_wallet_that_someone_brought_only_annotations_are_ours() -> None:
    bank = Bank()
    words = " ".join(f"word{place}" for place in range(24))
    brought = {"password": b"hunter2222\n", "seed": words.encode()}
    theirs = manifests.secret({"name": WALLET, "namespace": NAMESPACE}, brought)
    bank.user_applies(SECRET, theirs)
    await bank.opens().settle()
    assert content(bank, WALLET) == brought
    assert owned(secret(bank, WALLET)).keys() == {"f:metadata"}
    assert disk(bank).wallet.password == b"hunter2222"
    await ask(bank, "release_wallet")
    assert names.CLAIMED_BY not in annotations(bank, WALLET)
    assert names.IDENTITY not in annotations(bank, WALLET)
    assert content(bank, WALLET) == brought


async def test_a_wallet_of_another_is_neither_claimed_nor_released() -> None:
    bank = await running()
    edits(bank, WALLET, lambda live: live["metadata"]["annotations"].update({names.CLAIMED_BY: "lnd2"}))
    stop = await refused(bank, "claim_wallet")
    assert stop.finding.reason == "WalletInUse"
    await ask(bank, "release_wallet")
    assert annotations(bank, WALLET)[names.CLAIMED_BY] == "lnd2"


async def test_a_wallet_that_went_away_is_looked_at_anew() -> None:
    bank = await running()
    bank.server.remove(bank.key(SECRET, WALLET))
    assert (await refused(bank, "claim_wallet")).finding.reason == "SecretMissing"
    await ask(bank, "release_wallet")


async def test_an_authority_is_made_once() -> None:
    bank = await running()
    before = content(bank, CA)
    await ask(bank, "make_authority")
    assert content(bank, CA) == before


async def test_an_authority_of_someone_else_s_is_not_taken() -> None:
    bank = await running()
    bank.server.remove(bank.key(SECRET, CA))
    bank.user_applies(SECRET, manifests.secret({"name": CA, "namespace": NAMESPACE}, {"tls.crt": b"theirs"}))
    stop = await refused(bank, "make_authority")
    assert (stop.finding.reason, type(stop.finding.policy)) == ("NameTaken", Stalled)


async def test_a_new_certificate_stands_beside_those_that_are_trusted_already() -> None:
    bank = await running()
    former = [*pki.read_bundle(content(bank, CA)["tls.crt"])]
    bank.server.remove(bank.key(SECRET, CA))
    await ask(bank, "make_authority")
    await ask(bank, "issue_certificate", trust=" ".join(former))
    assert [*pki.read_bundle(content(bank, TLS)["ca.crt"])] == [
        *pki.read_bundle(content(bank, CA)["tls.crt"]), *former,
    ]  # fmt: skip
    await ask(bank, "issue_certificate")
    assert len(pki.read_bundle(content(bank, TLS)["ca.crt"])) == 1


async def test_a_given_authority_signs_and_is_trusted() -> None:
    bank = Bank()
    theirs = signing.make_authority("theirs", bank.now)
    files = {"tls.crt": theirs.certificate, "tls.key": theirs.key}
    bank.user_applies(SECRET, manifests.secret({"name": "our-ca", "namespace": NAMESPACE}, files))
    bank.opens("vault")
    given = sample("lnd1")
    bank.applies(given | {"spec": given["spec"] | {"tls": {"caSecret": "our-ca"}}})
    await bank.settle()
    assert bank.is_ready()
    assert bank.live(SECRET, CA) is None
    assert content(bank, API)["tls.cert"] == theirs.certificate


@pytest.mark.parametrize("consumer", consumers.CONSUMERS, ids=lambda one: one.name)
async def test_a_consumer_gets_what_existing_charts_mount(consumer: consumers.Consumer) -> None:
    bank = await running()
    held = content(bank, f"lnd1-{consumer.name}")
    assert held.keys() == {"tls.cert", "tls_base64", "pubkey", consumer.macaroon_key}
    assert held["pubkey"].decode() == disk(bank).wallet.identity
    live = sealed.published(secret(bank, f"lnd1-{consumer.name}"), consumer)
    assert live.intact
    edits(bank, f"lnd1-{consumer.name}", lambda found: found["data"].update({"pubkey": "eA=="}))
    assert not sealed.published(secret(bank, f"lnd1-{consumer.name}"), consumer).intact


async def test_nobody_gets_access_to_an_lnd_that_answers_as_another() -> None:
    bank = await running()
    before = content(bank, API)
    disk(bank).wallet = replace(disk(bank).wallet, seed=("other",) * 24)
    stop = await refused(bank, "publish", consumer="api", trust="")
    assert stop.finding.reason == "IdentityChanged"
    assert content(bank, API) == before


async def test_the_newest_ten_backups_are_kept_and_the_newest_is_found_by_its_name() -> None:
    bank = await running()
    for number in range(14):
        bank.now += timedelta(minutes=1)
        disk(bank).channels = {f"{number:02}:0"} | POINTS
        disk(bank).closed |= {f"{number - 1:02}:0"}
        await ask(bank, "save_channel_backup", channels=f"digest-{number}")
    held = content(bank, BACKUP)
    dated = sorted(key for key in held if key.endswith(".backup") and key != sealed.NEWEST)
    assert len(dated) == saving.BACKUPS
    assert [held[key].split()[2] for key in dated] == [f"{number:02}:0".encode() for number in range(4, 14)]
    assert held[dated[-1]] == held[sealed.NEWEST]
    assert held[sealed.OUTPOINTS].decode().split() == ["13:0", *sorted(POINTS)]
    assert annotations(bank, BACKUP)[names.CHANNELS] == "digest-13"


@pytest.mark.parametrize(("times", "kept"), [(1.9, 0), (2.9, 1), (3.9, 2), (30, 4)])
async def test_backups_that_are_too_large_together_make_room_for_the_newest(
    monkeypatch: pytest.MonkeyPatch, times: float, kept: int
) -> None:
    """A Secret has room for so many times one of them."""
    bank = await running()
    disk(bank).channels = set(POINTS)
    await ask(bank, "save_channel_backup", channels="first")
    outpoints = len(content(bank, BACKUP)[sealed.OUTPOINTS])
    monkeypatch.setattr(saving, "SECRET_BYTES", outpoints + times * len(content(bank, BACKUP)[sealed.NEWEST]))
    for number in range(3):
        bank.now += timedelta(minutes=1)
        await ask(bank, "save_channel_backup", channels=f"digest-{number}")
    held = content(bank, BACKUP)
    assert sum(map(len, held.values())) <= saving.SECRET_BYTES
    dated = sorted(key for key in held if key.endswith(".backup") and key != sealed.NEWEST)
    assert len(dated) == kept
    assert annotations(bank, BACKUP)[names.CHANNELS] == "digest-2"


async def test_a_backup_that_lost_an_open_channel_is_refused() -> None:
    bank = await running()
    disk(bank).channels = set(POINTS)
    await ask(bank, "save_channel_backup", channels="two")
    before = secret(bank, BACKUP)
    disk(bank).channels = {"aa:0"}
    stop = await refused(bank, "save_channel_backup", channels="one")
    assert (stop.finding.reason, type(stop.finding.policy)) == ("ChannelBackupShrank", Stalled)
    assert "bb:1" in stop.finding.message
    assert secret(bank, BACKUP) == before
    disk(bank).closed = {"bb:1"}
    await ask(bank, "save_channel_backup", channels="one")
    assert content(bank, BACKUP)[sealed.OUTPOINTS] == b"aa:0"


async def test_a_backup_somebody_touched_is_not_taken_for_ours() -> None:
    bank = await running()
    disk(bank).channels = set(POINTS)
    await ask(bank, "save_channel_backup", channels="two")
    read = sealed.backup(secret(bank, BACKUP))
    assert read is not None
    assert (read.channels, read.intact) == ("two", True)
    edits(bank, BACKUP, lambda live: live["data"].update({sealed.NEWEST: "eA=="}))
    touched = sealed.backup(secret(bank, BACKUP))
    assert touched is not None
    assert not touched.intact
    assert sealed.backup(None) is None
    assert sealed.backup({"metadata": {}}) is None


async def test_a_secret_that_changed_since_it_was_read_is_not_written() -> None:
    """The API server compares: what was read must still be what is there."""
    bank = await running()
    cluster = bank.operators[0].cluster
    read = cluster.get

    async def late(ref: Ref, namespace: str) -> Manifest | None:
        found = await read(ref, namespace)
        if ref.name == WALLET:
            edits(bank, WALLET, lambda live: live["metadata"].setdefault("labels", {}).update({"touched": "yes"}))
        return found

    cluster.get = late  # type: ignore[method-assign]  # somebody is quicker than this act
    before = annotations(bank, WALLET)
    with pytest.raises(Interrupted):
        await ask(bank, "claim_wallet", identity="02" + "0" * 64)
    assert annotations(bank, WALLET) == before


def test_a_consumer_s_permissions_have_no_way_to_close_open_or_bake() -> None:
    for consumer in consumers.CONSUMERS:
        allowed = {(one.entity, one.action) for one in consumer.permissions}
        assert not allowed & {("offchain", "write"), ("onchain", "write"), ("macaroon", "generate"), ("info", "write")}
        assert not any("Close" in action or "Open" in action or "Abandon" in action for _, action in allowed)
    assert {one.action for one in consumers.READONLY.permissions} == {"read"}
    assert len({one.root_key_id for one in consumers.CONSUMERS}) == len(consumers.CONSUMERS)
    assert 0 not in {one.root_key_id for one in consumers.CONSUMERS}


async def test_exactly_the_pod_that_runs_is_held_and_let_go_again() -> None:
    bank = await running()
    pod = bank.live(POD, "lnd1-0")
    assert pod is not None
    stop = await refused(bank, "hold_pod", uid="another")
    assert isinstance(stop.finding.policy, Transient)
    for _ in range(2):
        await ask(bank, "hold_pod", uid=pod["metadata"]["uid"])
    assert (bank.live(POD, "lnd1-0") or {})["metadata"]["finalizers"] == [stages.PROOF]
    for _ in range(2):
        await ask(bank, "let_go_pod")
    assert not stages.is_held(bank.live(POD, "lnd1-0"))


async def test_a_pod_that_ends_is_not_held_and_not_let_go_before_its_end_is_told() -> None:
    bank = await running()
    pod = bank.live(POD, "lnd1-0")
    assert pod is not None
    await ask(bank, "hold_pod", uid=pod["metadata"]["uid"])
    bank.server.delete(bank.key(POD, "lnd1-0"))
    assert isinstance((await refused(bank, "hold_pod", uid=pod["metadata"]["uid"])).finding.policy, Transient)
    await ask(bank, "let_go_pod")
    assert stages.is_held(bank.live(POD, "lnd1-0"))
    await act.farewell(lnd1(bank), bank.operators[0].cluster)
    assert not stages.is_held(bank.live(POD, "lnd1-0"))


@pytest.mark.parametrize("reason", [FORBIDDEN, "ApiServerSilent"])
async def test_a_namespace_whose_role_went_first_is_not_held_up(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    bank = await running()
    cluster = bank.operators[0].cluster

    async def get(*_: object) -> None:
        raise Interrupted(Finding(reason, "no answer", Transient()))

    monkeypatch.setattr(cluster, "get", get)
    with nullcontext() if reason == FORBIDDEN else pytest.raises(Interrupted):
        await act.farewell(lnd1(bank), cluster)


async def test_channels_are_announced_with_a_macaroon_that_can_do_nothing_else() -> None:
    bank = await running()
    disk(bank).channels |= POINTS
    disk(bank).inactive.add("bb:1")
    await ask(bank, "disable_channels")
    assert disk(bank).disabled == {"aa:0"}
    disk(bank).disabled.add("bb:1")
    await ask(bank, "enable_channels")
    assert disk(bank).disabled == {"bb:1"}, "its peer is away"
    assert (Permission("uri", "/routerrpc.Router/UpdateChanStatus"),) == macaroons.ANNOUNCE


async def test_a_channel_whose_peer_comes_back_meanwhile_is_enabled_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = await running()
    disk(bank).channels |= POINTS
    disk(bank).disabled |= {"aa:0", "bb:1"}
    disk(bank).inactive.add("bb:1")
    announce = LndProcess.announce

    def comes_back(lnd: LndProcess, macaroon: bytes, outpoint: str, use: Use) -> None:
        announce(lnd, macaroon, outpoint, use)
        disk(bank).inactive.clear()

    monkeypatch.setattr(LndProcess, "announce", comes_back)
    await ask(bank, "enable_channels")
    assert disk(bank).disabled == set()


async def test_what_lnd_took_and_does_not_announce_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = await running()
    disk(bank).channels |= POINTS
    disk(bank).disabled.add("aa:0")
    monkeypatch.setattr(LndProcess, "announce", lambda *_: None)
    stop = await refused(bank, "enable_channels")
    assert (stop.finding.reason, stop.finding.policy) == ("StillDisabled", Transient())
