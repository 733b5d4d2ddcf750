"""An LndNode and what is true around it, in one line; and what its actions make of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.fieldsets import applied

from bankstack.clients.lnd.answers import Announced, Channels, Funds, Info, State
from bankstack.engine.decision import Action, Apply, Ask, Delete
from bankstack.engine.declared import Declared
from bankstack.engine.finding import Unknown
from bankstack.engine.model import Status
from bankstack.engine.objects import STATEFUL_SET, Manifest, Ref, by_ref, ref
from bankstack.kinds.lndnode import consumers, names
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import (
    Authority,
    Backup,
    Certificate,
    Chain,
    Endpoint,
    Facts,
    Published,
    Shelf,
    Wallet,
)
from bankstack.kinds.lndnode.model import LndNodeSpec, LndNodeStatus
from bankstack.kinds.lndnode.stages import PROOF
from bankstack.kinds.lndnode.subject import LndNode

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ME, OTHER = "02" + "a" * 64, "03" + "b" * 64
CA, OLD_CA = Authority("ca", "PEM ca\n", NOW + timedelta(days=9000)), Authority("old", "PEM old\n", NOW)
BITCOIND = Endpoint("vault-bitcoind.bank.svc", 18443, 28332, 28333, "vault-rpc-lnd")
ALL_NAMES = frozenset(names.certificate_names("lnd1", "bank"))
CERTIFICATE = Certificate("leaf", ALL_NAMES, NOW - timedelta(days=1), NOW + timedelta(days=364), "ca")
WALLET = Wallet(frozenset({"password", "seed"}), 24, 43, "lnd1", ME, made_by_us=True)
FRESH = replace(WALLET, identity=None)
INFO = Info(ME, "0.21.2-beta commit=v0.21.2-beta", synced=True, block_height=812)
SILENT = Unknown("it is silent")
ONE_CHANNEL = Channels(open=frozenset({"aa:0"}))

SPEC: Manifest = {
    "network": "regtest",
    "version": "v0.21.2-beta",
    "bitcoind": {"coldWallet": "vault"},
    "storage": {"backend": "sqlite", "size": "1Gi"},
    "wallet": {"secret": "lnd1-wallet", "create": True},
    "config": [{"key": "alias", "value": "bank-1"}],
}


def node(
    *,
    deleting: bool = False,
    identity: str | None = ME,
    status: Status | None = None,
    **spec: Any,  # noqa: ANN401 - what a user writes
) -> LndNode:
    """lnd1, as it was declared and as it was last told of."""
    written = SPEC | spec
    last = status if isinstance(status, LndNodeStatus) else LndNodeStatus(identity_pubkey=identity)
    meta = {"name": "lnd1", "namespace": "bank", "uid": "u1", "generation": 1}
    return Declared(
        kind="LndNode",
        name="lnd1",
        namespace="bank",
        uid="u1",
        generation=1,
        spec=LndNodeSpec.model_validate(written),
        status=last,
        manifest={"metadata": meta, "spec": written},
        deleting=deleting,
    )


def untouched(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    """Nothing made yet; bitcoind is ready."""
    return replace(Facts(chain=Chain(BITCOIND, network="regtest")), **more)


def pod(**container: Any) -> Manifest:  # noqa: ANN401 - a container's status
    """LND's pod; its container runs unless something else is said."""
    status = {"name": "lnd", "restartCount": 0, "state": {"running": {"startedAt": "2026-11-21T08:00:00Z"}}} | container
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lnd1-0", "uid": "pod-1"},
        "status": {"podIP": "10.0.0.9", "containerStatuses": [status]},
    }


def serving(a_node: LndNode | None = None, **more: Any) -> Facts:  # noqa: ANN401 - any facts
    """Everything made, LND active, all as declared."""
    declared = a_node or node()
    unpinned = replace(declared, status=LndNodeStatus())
    made = settled(unpinned, untouched(wallet=FRESH))
    active = replace(made, state=State.SERVER_ACTIVE, info=INFO, funds=Funds(), channels=Channels())
    active = replace(active, certificate=CERTIFICATE, presented=CERTIFICATE)
    facts = settled(declared, settled(unpinned, active))
    return replace(facts, **more)


def settled(a_node: LndNode, facts: Facts) -> Facts:
    """The facts after as many passes as it takes; fails where it takes too many."""
    for _ in range(6):
        decision = decide(a_node, facts, NOW)
        if not decision.actions:
            return facts
        facts = carried_out(a_node, facts, decision.actions)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")


def carried_out(a_node: LndNode, facts: Facts, actions: Iterable[Action]) -> Facts:
    """What is true once the actions are done: a small world without chance."""
    for action in actions:
        match action:
            case Apply(manifest=manifest):
                facts = replace(facts, children={**facts.children, ref(manifest): applied(manifest)})
                if ref(manifest).type == STATEFUL_SET and manifest["spec"]["replicas"] == 1:
                    facts = replace(facts, children={**facts.children, **by_ref([pod()])})
            case Delete(ref=gone):
                rest = {one: kept for one, kept in facts.children.items() if one != gone}
                secrets = {one: uid for one, uid in facts.secrets.items() if one != gone}
                facts = replace(facts, children=rest, secrets=secrets)
            case Ask():
                facts = asked(a_node, facts, action)
    return facts


def asked(a_node: LndNode, facts: Facts, ask: Ask) -> Facts:  # noqa: C901, PLR0911, PLR0912 - one per action
    """What each of the kind's own actions makes true."""
    identity = ask.words.get("identity")
    match ask.action:
        case "make_authority":
            return replace(facts, authority=CA, trusted={**facts.trusted, CA.fingerprint: CA.pem})
        case "issue_certificate":
            assert isinstance(facts.authority, Authority)
            signer, until = facts.authority.fingerprint, NOW + timedelta(days=365)
            fresh = replace(
                CERTIFICATE, fingerprint=f"leaf of {signer}", issuer=signer, not_before=NOW, not_after=until
            )
            return replace(facts, certificate=fresh)
        case "make_wallet":
            return replace(facts, wallet=Wallet(frozenset({"password"}), 0, 43, a_node.name, None, made_by_us=True))
        case "make_seed":
            assert facts.wallet
            return replace(facts, wallet=replace(facts.wallet, keys=facts.wallet.keys | {"seed"}, seed_words=24))
        case "init_wallet":
            return replace(facts, state=State.UNLOCKED)
        case "claim_wallet":
            assert facts.wallet
            held = identity or facts.wallet.identity
            return replace(facts, wallet=replace(facts.wallet, claimed_by=a_node.name, identity=held))
        case "release_wallet":
            assert facts.wallet
            return replace(facts, wallet=replace(facts.wallet, claimed_by=None, identity=None))
        case "publish":
            who = next(one for one in consumers.CONSUMERS if one.name == ask.words["consumer"])
            written = Published(who.digest, a_node.status.identity_pubkey, frozenset(ask.words["trust"].split()))
            return replace(facts, published={**facts.published, who.name: written})
        case "save_channel_backup":
            shelf = facts.shelf and Shelf("me/new.scb", noted=False)
            return replace(facts, backup=Backup(ask.words["channels"], "2026-11-21T09:00:00Z"), shelf=shelf)
        case "store_channel_backup":
            assert facts.shelf
            return replace(facts, shelf=replace(facts.shelf, holds=True, since="2026-11-21T09:00:00Z", noted=True))
        case "note_generation":
            return replace(facts, noted=int(ask.words["generation"]))
        case "enable_channels":
            assert isinstance(facts.announced, Announced)
            return replace(facts, announced=Announced(facts.announced.enabled | facts.announced.disabled))
        case "hold_pod":
            return changed(facts, names.pod(a_node.name), finalizers=[PROOF])
        case "last_look":
            return facts
        case "let_go_pod":
            there = names.pod(a_node.name) in facts.children
            return changed(facts, names.pod(a_node.name), finalizers=[]) if there else facts
    raise AssertionError(ask.action)


def without(facts: Facts, *gone: Ref) -> Facts:
    """The same, without these children."""
    return replace(facts, children={one: kept for one, kept in facts.children.items() if one not in gone})


def changed(facts: Facts, one: Ref, **meta: Any) -> Facts:  # noqa: ANN401 - any metadata
    """The same, with other metadata on one child."""
    kept = facts.children[one]
    return replace(facts, children={**facts.children, one: kept | {"metadata": kept["metadata"] | meta}})


def annotated(facts: Facts, one: Ref, annotations: Mapping[str, str]) -> Facts:
    """The same, with these annotations on one child."""
    before = facts.children[one]["metadata"].get("annotations", {})
    return changed(facts, one, annotations={**before, **annotations})
