"""What is made for a resource stays as declared, whoever touches it, and nothing that runs is disturbed by it."""

import asyncio
from functools import cache

import pytest

from bankstack.engine.drift import APPLIED
from bankstack.engine.objects import (
    CONFIG_MAP,
    JOB,
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Manifest,
    Type,
)

from .apiserver import Key
from .bank import TYPES, WALLETS, WHOLE, Bank, up
from .oracle import laws_hold

#: What only a person can bring back: the identity was made of it, and it is never made anew.
IRREPLACEABLE = ("lnd1-wallet", "lnd2-wallet")
#: Read by others, too.
SHARED = ("lnd1", "lnd1-api")
RESTORED = {"data", "spec", "type", "immutable"}


async def settled() -> Bank:
    return await up(*WALLETS)


async def around(key: Key) -> Bank:
    """The smallest bank in which everybody who has to do with an object is there."""
    return await up(*(WALLETS if key.name.startswith(("vault", "lnd1")) and key.name not in SHARED else WHOLE))


@cache
def reference(names: tuple[str, ...] = WALLETS) -> Bank:
    return asyncio.run(Bank().opens(*names).settle(2000))


def children(*of: Type, names: tuple[str, ...] = WALLETS) -> list[Key]:
    """Everything that the operator made, but for what others make of it."""
    bank = reference(names)
    return [
        key
        for key in bank.server.all()
        if key.type not in (POD, JOB, *TYPES.values())
        and OWNER_LABEL in bank.server.objects[key].manifest["metadata"].get("labels", {})
        and (not of or key.type in of)
    ]


def everybodys(*of: Type) -> list[Key]:
    """Children of the whole bank; one Lightning node stands for both."""
    return [key for key in children(*of, names=WHOLE) if not key.name.startswith("lnd2")]


def lives(bank: Bank, *of: Type) -> dict[str, str]:
    return {
        str(key): bank.server.objects[key].manifest["metadata"]["uid"] for key in bank.server.all() if key.type in of
    }


def steady(bank: Bank) -> dict[str, str]:
    """Pods that nothing but their own deletion ends; the others are rolled when what they read changes."""
    rolled = ("Pod bank-api", "Pod bank-trigger", "Pod bank-history", "Pod bank-migrate")
    return {pod: life for pod, life in lives(bank, POD).items() if not pod.startswith(rolled)}


def pinned(bank: Bank) -> tuple[str, ...]:
    node, vault, ledger = bank.status("lnd1"), bank.status("vault"), bank.status("ledger")
    return str(node.get("identityPubkey")), str(vault.get("firstAddress")), str(ledger.get("replicaSetId"))


def replaceable(key: Key) -> bool:
    return key.type != PERSISTENT_VOLUME_CLAIM and key.name not in IRREPLACEABLE


@pytest.mark.parametrize("key", [key for key in everybodys() if replaceable(key)], ids=str)
async def test_a_child_that_somebody_deletes_comes_back_and_nothing_that_runs_is_disturbed(key: Key) -> None:
    bank = await around(key)
    pods, identities = steady(bank), pinned(bank)
    bank.server.delete(key)
    await bank.settle()
    assert key in bank.server.objects
    assert bank.is_ready(), bank.said()
    assert pinned(bank) == identities
    if key.type != STATEFUL_SET:
        assert steady(bank) == pods
    laws_hold(bank)


@pytest.mark.parametrize("key", [key for key in everybodys(SECRET) if replaceable(key)], ids=str)
async def test_a_secret_that_comes_back_still_opens_what_runs_and_what_starts_again(key: Key) -> None:
    bank = await around(key)
    bank.server.delete(key)
    await bank.settle()
    for pod in [one for one in bank.server.all() if one.type == POD]:
        bank.server.delete(pod)
    await bank.settle()
    assert bank.is_ready(), bank.said()
    laws_hold(bank)


async def test_a_migration_whose_job_is_deleted_afterwards_is_not_run_again() -> None:
    bank = await up(*WHOLE)
    (job,) = bank.server.all("Job")
    bank.server.delete(job)
    await bank.settle()
    assert bank.server.all("Job") == []
    assert bank.is_ready()


async def test_a_wallet_secret_that_is_lost_is_never_made_anew() -> None:
    bank = await settled()
    key = bank.key(SECRET, "lnd1-wallet")
    kept = bank.live(SECRET, "lnd1-wallet") or {}
    bank.server.delete(key)
    await bank.settle()
    assert key not in bank.server.objects
    assert bank.conditions("lnd1")["Stalled"] == ("True", "WalletSecretMissing")
    assert bank.live(POD, "lnd1-0") is not None
    restored = {name: kept[name] for name in ("apiVersion", "kind", "data", "type")}
    meta = {name: kept["metadata"][name] for name in ("name", "labels", "annotations")}
    bank.server.create(key, restored | {"metadata": meta}, "kubectl")
    await bank.settle()
    assert bank.is_ready()


async def test_an_authority_that_lost_its_key_is_told_about_for_clients_trust_it() -> None:
    bank = await settled()
    bank.server.edit(bank.key(SECRET, "lnd1-ca"), lambda one: one["data"].pop("tls.key"), "kubectl-edit")
    await bank.settle()
    assert bank.conditions("lnd1")["Ready"] == ("True", "AuthorityUnusable")


async def test_a_volume_that_is_deleted_under_its_pod_is_shouted_about_and_its_pod_is_left() -> None:
    bank = await settled()
    pods = lives(bank, POD)
    bank.server.delete(bank.key(PERSISTENT_VOLUME_CLAIM, "lnd1-data"))
    await bank.settle()
    assert bank.conditions("lnd1")["Stalled"] == ("True", "VolumeBeingDeleted")
    assert lives(bank, POD) == pods


RETAINED = (SECRET, PERSISTENT_VOLUME_CLAIM)
#: The user's own once it is made: its password may be changed.
USERS = "ledger-api"


def made_otherwise(key: Key) -> bool:
    """Secrets are made by the kinds' own actions: only their data are watched. This volume is its StatefulSet's."""
    return key.type == SECRET or key.name == "data-bank-history-0"


def kept(key: Key) -> bool:
    """Whether it is looked for by its name, because what is in it can't be had again."""
    return key.type in RETAINED and key.name not in (*IRREPLACEABLE, USERS, "data-bank-history-0")


@pytest.mark.parametrize("key", [key for key in everybodys() if not made_otherwise(key)], ids=str)
async def test_a_foreign_field_stays_and_an_owned_one_that_is_removed_or_changed_is_repaired(key: Key) -> None:
    bank = await around(key)
    before = bank.server.get(key) or {}
    pods = steady(bank)

    def meddle(one: Manifest) -> None:
        meta = one["metadata"]
        meta["annotations"] = meta.get("annotations", {}) | {"example.com/theirs": "x"}
        meta["labels"]["app.kubernetes.io/instance"] = "theirs"
        del meta["labels"]["app.kubernetes.io/managed-by"]
        if key.type not in RETAINED:
            # Also the ones it is found by: whose it is, its controller says.
            del meta["labels"][OWNER_LABEL]

    bank.server.edit(key, meddle, "kubectl-edit")
    await bank.settle()
    after = bank.server.get(key) or {}
    assert after["metadata"]["annotations"]["example.com/theirs"] == "x"
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert after["metadata"]["annotations"].get(APPLIED) == before["metadata"].get("annotations", {}).get(APPLIED)
    assert {name: after.get(name) for name in RESTORED} == {name: before.get(name) for name in RESTORED}
    assert steady(bank) == pods
    assert bank.is_ready()


@pytest.mark.parametrize("key", [key for key in everybodys() if kept(key)], ids=str)
async def test_what_was_retained_and_lost_its_labels_is_told_about_not_taken(key: Key) -> None:
    bank = await around(key)
    pods = steady(bank)
    labels = (bank.server.get(key) or {})["metadata"]["labels"]
    bank.server.edit(key, lambda one: one["metadata"].pop("labels"), "kubectl-edit")
    await bank.settle()
    name = key.name.removeprefix("data-").partition("-")[0]
    assert bank.conditions(name)["Stalled"] == ("True", "NameTaken")
    assert steady(bank) == pods
    bank.server.edit(key, lambda one: one["metadata"].update(labels=labels), "kubectl-edit")
    await bank.settle()
    assert bank.is_ready()


@pytest.mark.parametrize(
    "key", [key for key in everybodys(SECRET) if key.name not in (*IRREPLACEABLE, USERS, "lnd1-ca")], ids=str
)
async def test_a_secret_that_lost_a_part_gets_it_back(key: Key) -> None:
    part = max((reference(WHOLE).server.get(key) or {})["data"])
    bank = await around(key)
    pods = steady(bank)
    bank.server.edit(key, lambda one: one["data"].pop(part), "kubectl-edit")
    await bank.settle()
    assert part in (bank.server.get(key) or {})["data"]
    assert steady(bank) == pods
    assert bank.is_ready()


@pytest.mark.parametrize("key", everybodys(SERVICE), ids=str)
async def test_a_service_that_somebody_points_elsewhere_points_back(key: Key) -> None:
    bank = await around(key)
    before = (bank.server.get(key) or {})["spec"]
    bank.server.edit(key, lambda one: one["spec"]["selector"].update({"app.kubernetes.io/name": "theirs"}), "x")
    await bank.settle()
    assert (bank.server.get(key) or {})["spec"] == before
    assert bank.is_ready()


@pytest.mark.parametrize("key", everybodys(STATEFUL_SET), ids=str)
async def test_a_stateful_set_that_somebody_scales_or_edits_goes_back_and_its_pod_is_left(key: Key) -> None:
    bank = await around(key)
    before = (bank.server.get(key) or {})["spec"]
    pods = steady(bank)

    def edit(one: Manifest) -> None:
        one["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs"
        one["spec"]["template"]["spec"].pop("securityContext")

    bank.server.edit(key, edit, "kubectl-edit")
    await bank.settle()
    assert (bank.server.get(key) or {})["spec"] == before
    assert steady(bank) == pods


async def test_a_configuration_that_no_template_mounts_is_swept_and_the_mounted_one_never() -> None:
    bank = await settled()
    before = {str(key) for key in bank.server.all() if key.type == CONFIG_MAP}
    bank.changes("lnd1", lambda spec: spec.update(config=[{"key": "alias", "value": "other"}]))
    bank.changes("vault", lambda spec: spec["bitcoind"].update(config=[{"key": "maxconnections", "value": "9"}]))
    await bank.settle()
    assert {str(key) for key in bank.server.all() if key.type == CONFIG_MAP} == before
    assert bank.conditions("lnd1")["ChangePending"] == ("True", "NeedsRestart")
    assert bank.conditions("vault")["ChangePending"] == ("True", "NeedsRestart")
    assert bank.is_ready()
    laws_hold(bank)
