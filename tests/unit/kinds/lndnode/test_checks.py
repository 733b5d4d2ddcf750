"""Each check alone: what it finds, what it says, and what it leaves to others."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.lndnode import given
from tests.unit.kinds.lndnode.given import BITCOIND, CERTIFICATE, FRESH, INFO, ME, NOW, OTHER, SILENT, WALLET, node

from bankstack.clients.lnd.answers import State
from bankstack.engine.finding import Finding, Stalled, Unknown, Waiting
from bankstack.engine.objects import Manifest
from bankstack.kinds.lndnode import checks, names, stages
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Chain, Facts, Refused, Unusable
from bankstack.kinds.lndnode.subject import LndNode

VOLUME, STATEFUL, POD = names.volume("lnd1"), names.stateful_set("lnd1"), names.pod("lnd1")
SERVING = given.serving()


def found(facts: Facts, a_node: LndNode | None = None) -> Finding:
    finding = decide(a_node or node(), facts, NOW).finding
    assert finding is not None
    return finding


def with_pod(**container: Any) -> Facts:  # noqa: ANN401 - a container's status
    return replace(SERVING, children={**SERVING.children, POD: given.pod(**container)}, state=SILENT, info=SILENT)


def ended(code: int, message: str = "", now: str = "waiting") -> Manifest:
    last = {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "message": message}}
    if now == "terminated":
        return {"state": last}
    return {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}, "lastState": last}


NO_BITCOIND = "error: unable to create partial chain control: lookup vault: no such host\n[INF] Shutdown complete"
AWAY = Chain(BITCOIND, ready=False, told="bitcoind vault-bitcoind-0 does not answer", network="regtest")

#: Facts, the reason, whether a person is needed, and words that must be in the message.
CASES: dict[str, tuple[Facts, str, type, tuple[str, ...]]] = {
    "another identity answers": (
        replace(SERVING, info=replace(INFO, identity_pubkey=OTHER)),
        "IdentityChanged", Stalled, ("03bbbbbbbbbbbbbb…", "was 02aaaaaaaaaaaaaa…", "no payments"),
    ),
    "the volume is of another wallet": (
        given.annotated(SERVING, VOLUME, {names.IDENTITY: OTHER}),
        "IdentityConflict", Stalled, ("volume lnd1-data says 03bb", "Secret lnd1-wallet says 02aa"),
    ),
    "the wallet is another node's": (
        replace(SERVING, wallet=replace(WALLET, claimed_by="lnd2")),
        "WalletInUse", Stalled, ("LndNode lnd2", "wallet.secret of its own"),
    ),
    "the wallet Secret of a known identity is gone": (
        replace(SERVING, wallet=None), "WalletSecretMissing", Stalled, ("another is never made", "lnd1-wallet"),
    ),
    "the seed is gone": (
        replace(SERVING, wallet=replace(WALLET, keys=frozenset({"password"}), seed_words=0)),
        "WalletSecretIncomplete", Waiting, ("key seed is missing",),
    ),
    "the seed is cut": (
        replace(SERVING, wallet=replace(WALLET, seed_words=23)),
        "WalletSecretIncomplete", Waiting, ("23 words instead of 24",),
    ),
    "the password is gone and short": (
        replace(SERVING, wallet=replace(WALLET, keys=frozenset({"password", "seed"}), password_bytes=3)),
        "WalletSecretIncomplete", Waiting, ("fewer than 8 bytes",),
    ),
    "the volume is gone": (
        given.without(SERVING, VOLUME), "VolumeLost", Stalled, ("would forget its channels", "lnd1-channel-backup"),
    ),
    "the volume goes": (
        given.changed(SERVING, VOLUME, deletionTimestamp="2026-11-21T09:00:00Z"),
        "VolumeBeingDeleted", Stalled, ("Do NOT restart",),
    ),
    "the ColdWallet is gone": (
        replace(SERVING, chain=Chain(missing=True, ready=Unknown("gone"))),
        "ColdWalletMissing", Waiting, ("ColdWallet vault is not there",),
    ),
    "the ColdWallet is on another chain": (
        replace(SERVING, chain=Chain(BITCOIND, network="signet")), "NetworkMismatch", Stalled, ("on signet",),
    ),
    "the ColdWallet says nothing yet": (
        replace(SERVING, chain=Chain(None, ready=Unknown("it is new"), network="regtest")),
        "BitcoindNotReady", Waiting, ("does not say yet", "it is new"),
    ),
    "bitcoind's user is gone": (
        replace(SERVING, chain=Chain(BITCOIND, credentials=None)), "CredentialsMissing", Waiting, ("vault-rpc-lnd",),
    ),
    "bitcoind's user has no password": (
        replace(SERVING, chain=Chain(BITCOIND, credentials=frozenset({"username"}))),
        "CredentialsIncomplete", Waiting, ("lacks password",),
    ),
    "bitcoind is away from a running LND": (
        replace(SERVING, chain=AWAY), "BitcoindAway", Waiting, ("vault-bitcoind-0 does not answer", "left alone"),
    ),
    "bitcoind is away from a starting LND": (
        replace(SERVING, chain=AWAY, state=State.RPC_ACTIVE), "BitcoindAway", Waiting, ("does not answer LND",),
    ),
    "the seed is another's": (
        replace(SERVING, info=Refused("signature mismatch")),
        "SeedIsAnothers", Stalled, ("Put the former Secret back",),
    ),
    "nobody knows who signed": (
        replace(SERVING, presented=replace(CERTIFICATE, issuer=None), state=SILENT, info=SILENT),
        "CertificateUnknown", Stalled, ("no known authority", "lnd1-tls"),
    ),
    "LND is silent": (
        replace(SERVING, state=Unknown("no route"), info=SILENT), "LndSilent", Waiting, ("no route", "left alone"),
    ),
    "LND is active and slow": (
        replace(SERVING, info=Unknown("deadline")), "LndSilent", Waiting, ("does not say where it stands (deadline)",),
    ),
    "LND is locked": (replace(SERVING, state=State.LOCKED, info=SILENT), "WalletLocked", Waiting, ()),
    "LND is unlocked": (replace(SERVING, state=State.UNLOCKED, info=SILENT), "Starting", Waiting, ()),
    "LND catches up": (replace(SERVING, state=State.RPC_ACTIVE), "ChainSyncing", Waiting, ()),
    "LND opens its database": (
        replace(SERVING, state=State.WAITING_TO_START, info=SILENT), "OpeningDatabase", Waiting, ("a newer release",),
    ),
    "LND is behind": (
        replace(SERVING, info=replace(INFO, synced=False)), "ChainSyncing", Waiting, ("block 812", "payments wait"),
    ),
    "access is missing": (
        replace(SERVING, published={}), "Publishing", Waiting, ("lnd1-api and lnd1-readonly",),
    ),
    "the pod is not there": (given.without(SERVING, POD), "Starting", Waiting, ("is being made",)),
    "the pod goes": (
        given.changed(SERVING, POD, deletionTimestamp="2026-11-21T09:00:00Z"), "Restarting", Waiting, ("made again",),
    ),
    "the pod goes and its node may be lost": (
        given.changed(SERVING, POD, deletionTimestamp="2026-11-21T09:00:00Z", finalizers=[stages.PROOF]),
        "Restarting", Waiting, ("once the kubelet of node", "switched off for good", stages.PROOF),
    ),
    "the pod starts": (with_pod(state={"waiting": {"reason": "ContainerCreating"}}), "Starting", Waiting, ()),
    "the image is not there": (
        with_pod(state={"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
        "ImageMissing", Waiting, ("not found", "spec.image", "delete statefulset lnd1"),
    ),
    "the pod lacks something": (
        with_pod(state={"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}}),
        "PodPending", Waiting, ('secret "x" not found',),
    ),
    "LND stopped itself, bitcoind is away": (
        replace(with_pod(**ended(0)), chain=AWAY), "BitcoindAway", Waiting, ("in good order", "vault-bitcoind-0"),
    ),
    "LND stopped itself, bitcoind is back": (with_pod(**ended(0)), "Restarting", Waiting, ("in good order",)),
    "LND could not start without bitcoind": (
        with_pod(**ended(1, NO_BITCOIND, now="terminated")),
        "BitcoindAway", Waiting, ("by itself", "(lookup vault: no such host)"),
    ),
    "LND does not take its configuration": (
        with_pod(**ended(1, "failed to load config: parse address bank.example:9735 failed: no such host\n")),
        "ConfigRefused", Stalled, ("parse address bank.example:9735 failed", "delete statefulset lnd1"),
    ),
    "LND does not open its database": (
        with_pod(**ended(1, "unable to open databases: unable to open graph DB: disk full\n")), "DatabaseRefused",
        Stalled, ("v0.21.2-beta", "(unable to open graph DB: disk full)", "delete statefulset lnd1", "older copy"),
    ),
    "LND crashed on the network": (with_pod(**ended(2, "dial tcp: connection refused")), "Crashed", Waiting, ()),
    "LND crashed": (
        with_pod(**ended(2, "panic: runtime error")), "Crashed", Waiting, ("exit code 2", "logs lnd1-0 --previous"),
    ),
    "LND was killed while bitcoind was away": (
        replace(with_pod(**ended(137)), chain=AWAY), "Crashed", Waiting, ("exit code 137",),
    ),
    "the password is not the wallet's": (
        with_pod(**ended(1, "error unlocking wallet with password from file: invalid passphrase")),
        "WalletPasswordWrong", Stalled, ("lnd1-wallet", "former Secret"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_as_it_should_be_is_named(case: str) -> None:
    facts, reason, policy, words = CASES[case]
    finding = found(facts)
    assert (finding.reason, type(finding.policy)) == (reason, policy)
    assert [word for word in words if word not in finding.message] == []


UNMADE = given.untouched()

FIRST_START: dict[str, tuple[LndNode, Facts, str, type]] = {
    "no wallet, and none may be made": (
        node(identity=None, wallet={"secret": "lnd1-wallet"}), UNMADE, "WalletSecretMissing", Waiting,
    ),
    "bitcoind is not ready": (node(identity=None), replace(UNMADE, chain=AWAY), "BitcoindNotReady", Waiting),
    "bitcoind's state is unknown": (
        node(identity=None),
        replace(UNMADE, chain=replace(AWAY, ready=Unknown("it is asked"))), "BitcoindNotReady", Waiting,
    ),
    "the given authority is missing": (
        node(identity=None, tls={"caSecret": "ours"}), UNMADE, "AuthorityMissing", Waiting,
    ),
    "the given authority cannot sign": (
        node(identity=None, tls={"caSecret": "ours"}), replace(UNMADE, authority=Unusable("it has no key")),
        "AuthorityUnusable", Stalled,
    ),
    "a wallet of someone's without a seed": (
        node(identity=None), replace(UNMADE, wallet=replace(FRESH, keys=frozenset({"password"}), made_by_us=False)),
        "WalletSecretIncomplete", Waiting,
    ),
    "an older LND on a migrated volume": (
        node(version="v0.20.3-beta"), given.without(SERVING, STATEFUL, POD), "DowngradeRefused", Stalled,
    ),
    "LND wants its wallet": (
        node(identity=None),
        replace(given.settled(node(identity=None), UNMADE), state=State.NON_EXISTING), "MakingWallet", Waiting,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FIRST_START)
def test_nothing_is_started_that_cannot_be_finished(case: str) -> None:
    lnd1, facts, reason, policy = FIRST_START[case]
    decision = decide(lnd1, facts, NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, type(decision.finding.policy)) == (reason, policy)
    if reason != "MakingWallet":
        assert decision.actions == ()


def test_a_wallet_of_our_making_may_wait_for_its_seed() -> None:
    ours = replace(FRESH, keys=frozenset({"password"}), seed_words=0)
    assert checks.wallet_secret_is_complete(node(identity=None), replace(UNMADE, wallet=ours)) is None
    assert checks.wallet_secret_is_complete(node(identity=ME), replace(UNMADE, wallet=ours)) is not None


def test_a_running_node_is_not_held_up_by_an_authority_that_is_away() -> None:
    lnd1 = node(tls={"caSecret": "ours"})
    decision = decide(lnd1, replace(SERVING, authority=None), NOW)
    assert decision.finding is not None
    assert (decision.finding.reason, decision.finding.stops) == ("AuthorityMissing", False)
    assert "LND runs on" in decision.finding.message
    lost = decide(node(), replace(SERVING, authority=Unusable("tls.key is not PEM")), NOW)
    assert lost.finding is not None
    assert lost.finding.stops is False
    assert "delete it and another is made" in lost.finding.message


def test_a_running_node_is_never_stopped_because_bitcoind_is_away() -> None:
    decision = decide(node(), replace(SERVING, chain=AWAY), NOW)
    assert decision.actions == ()


def test_a_pod_that_finds_no_place_says_what_kubernetes_says() -> None:
    unplaced = given.pod()
    scheduled = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    unplaced["status"] = {"conditions": [scheduled]}
    finding = found(replace(SERVING, children={**SERVING.children, POD: unplaced}, state=SILENT, info=SILENT))
    assert finding.reason == "PodPending"
    assert "0/3 nodes are available" in finding.message


def test_what_protects_funds_is_told_before_what_is_merely_broken() -> None:
    everything = replace(
        given.without(SERVING, POD), info=replace(INFO, identity_pubkey=OTHER), chain=AWAY, published={}
    )
    assert found(everything).reason == "IdentityChanged"


@pytest.mark.parametrize("case", CASES)
def test_every_message_says_what_it_means_and_stays_short(case: str) -> None:
    message = found(CASES[case][0]).message
    assert len(message) < 420
    assert "\n" not in message
