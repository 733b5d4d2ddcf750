"""LndNode's decisions over facts that nobody arranged: every law on each, and an end to all acting."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from bankstack.clients.lnd.answers import Channels, Funds, Info, State
from bankstack.engine.decision import Apply, Decision
from bankstack.engine.finding import Stalled, Unknown
from bankstack.engine.objects import STATEFUL_SET, Manifest, Ref
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Backup, Chain, Facts, Place, Published, Refused, Shelf, Unusable, Wallet
from bankstack.kinds.lndnode.model import LndNodeSpec, LndNodeStatus
from bankstack.kinds.lndnode.subject import LndNode
from tests.simulation.fieldsets import applied
from tests.unit.kinds.lndnode import given as world
from tests.unit.kinds.lndnode.given import CA, CERTIFICATE, INFO, ME, NOW, OLD_CA, ONE_CHANNEL, OTHER, SILENT, WALLET

from .laws import asked, decided, lost, stopped

TO_LND = {"make_seed", "init_wallet", "publish", "save_channel_backup", "store_channel_backup"}
identities = st.sampled_from([None, ME, OTHER])
unknown = st.just(SILENT)

specs = st.fixed_dictionaries(
    {},
    optional={
        "storage": st.sampled_from(
            [{"backend": "bbolt", "size": "2Gi"}, {"backend": "sqlite", "size": "9Gi", "className": "fast"}]
        ),
        "config": st.sampled_from([[{"key": "alias", "value": "other"}], [{"key": "color", "value": ""}]]),
        "p2p": st.sampled_from([{"service": {"type": "NodePort"}}, {"addresses": ["a:9735"]}]),
        "deletionPolicy": st.just("Delete"),
        "network": st.sampled_from(["signet", "testnet"]),
        "tls": st.sampled_from([{"caSecret": "ca"}, {}]),
        "wallet": st.just({"secret": "lnd1-wallet"}),
        "image": st.just("example.com/lnd:1"),
        "channelBackup": st.just(
            {"objectStore": {"endpoint": "https://s3.example.com", "bucket": "backups", "credentialsSecret": "s3"}}
        ),
        "bitcoind": st.just({"host": "b", "credentialsSecret": "c"}),
        "pod": st.sampled_from(
            [{}, {"labels": {"team": "x"}, "resources": {}}, {"nodeSelector": {}, "tolerations": []}]
        ),
    },
)
containers: st.SearchStrategy[Manifest] = st.sampled_from(
    [{}, {"state": {"waiting": {"reason": "ImagePullBackOff"}}}, {"state": {"terminated": {"exitCode": 1}}}]
)
nodes = st.builds(
    lambda spec, pinned, going: world.node(deleting=going, identity=pinned, **spec), specs, identities, st.booleans()
)
wallets = st.none() | st.builds(
    Wallet,
    keys=st.sampled_from([frozenset(), frozenset({"password"}), frozenset({"password", "seed"})]),
    seed_words=st.sampled_from([0, 12, 24]),
    password_bytes=st.sampled_from([0, 7, 43]),
    claimed_by=st.sampled_from([None, "lnd1", "lnd2"]),
    identity=identities,
    made_by_us=st.booleans(),
)
chains = st.builds(
    Chain,
    endpoint=st.none() | st.just(world.BITCOIND),
    ready=st.sampled_from([True, False, Unknown("silent")]),
    network=st.sampled_from([None, "regtest", "signet"]),
    missing=st.booleans(),
    credentials=st.sampled_from([None, frozenset(), frozenset({"username", "password"})]),
)
published = st.dictionaries(
    st.sampled_from(["api", "readonly"]),
    st.builds(Published, st.sampled_from([None, "x"]), identities, st.sampled_from([frozenset(), frozenset({"ca"})])),
)
infos: st.SearchStrategy[Info | Refused] = st.sampled_from(
    [INFO, replace(INFO, identity_pubkey=OTHER), replace(INFO, synced=False), Refused("no")]
)
shelves = st.builds(
    Shelf,
    key=st.sampled_from([None, "me/one.scb"]),
    holds=st.sampled_from([True, False, SILENT, Refused("no")]),
    since=st.sampled_from([None, "2026-11-21T08:00:00Z"]),
    noted=st.booleans(),
)
certificates = st.sampled_from([CERTIFICATE, replace(CERTIFICATE, not_after=NOW), replace(CERTIFICATE, issuer=None)])


@cache
def children(alias: str) -> dict[Ref, Manifest]:
    """What was made for some earlier declaration."""
    spec: dict[str, Any] = {"config": [{"key": "alias", "value": alias}]}
    return dict(
        world.settled(
            world.node(identity=None, **spec), world.untouched(wallet=replace(WALLET, identity=None))
        ).children
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[LndNode, Facts]:
    made = children(draw(st.sampled_from(["bank-1", "older"])))
    kept = draw(st.sets(st.sampled_from(sorted(made)))) if draw(st.booleans()) else set(made)
    live = {one: made[one] for one in made if one in kept}
    volume, pinned = names.volume("lnd1"), draw(identities)
    if volume in live and pinned:
        live[volume] = applied(
            live[volume], annotations=live[volume]["metadata"].get("annotations", {}) | {names.IDENTITY: pinned}
        )
    if names.pod("lnd1") in live:
        live[names.pod("lnd1")] = world.pod(**draw(containers))
    for one in draw(st.sets(st.sampled_from(sorted(made)))) & kept:
        gone: Manifest = {"deletionTimestamp": "2026-11-21T08:00:00Z"} if draw(st.booleans()) else {"managedFields": []}
        live[one] = live[one] | {"metadata": live[one]["metadata"] | gone}
    torn = Facts(
        children=live,
        secrets={names.authority("lnd1"): "u"} if draw(st.booleans()) else {},
        wallet=draw(wallets),
        authority=draw(st.sampled_from([None, CA, OLD_CA, Unusable("torn")])),
        certificate=draw(st.none() | certificates),
        presented=draw(unknown | certificates),
        trusted=draw(st.sampled_from([{}, {"ca": CA.pem}, {"old": OLD_CA.pem}])),
        published=draw(published),
        backup=draw(st.none() | st.builds(Backup, st.just("x"), st.just("2026-11-21T08:00:00Z"))),
        shelf=draw(st.none() | shelves),
        chain=draw(chains),
        place=draw(unknown | st.builds(Place, st.just("worker-1"), st.just("pod-1"), st.booleans(), st.booleans())),
        state=draw(unknown | st.sampled_from(State)),
        info=draw(unknown | infos),
        funds=draw(unknown | st.sampled_from([Funds(), Funds(local_sat=5)])),
        channels=draw(unknown | st.sampled_from([Channels(), ONE_CHANNEL])),
    )
    # Where everything is wrong at once, the first check hides the others: often only a little is.
    if draw(st.booleans()):
        return draw(nodes), torn
    wrong = draw(st.sets(st.sampled_from([one.name for one in fields(Facts)]), max_size=2))
    node = world.node(deleting=draw(st.booleans()), identity=draw(st.sampled_from([None, ME, ME])))
    return node, replace(well(), **{name: getattr(torn, name) for name in wrong})


@cache
def well() -> Facts:
    return world.serving()


def identity(decision: Decision) -> str | None:
    assert isinstance(decision.status, LndNodeStatus)
    return decision.status.identity_pubkey


@given(cases())
def test_money_data_and_running_things_are_left_unless_deletion_was_asked_for_and_proven(
    case: tuple[LndNode, Facts],
) -> None:
    node, facts = case
    decision = decided(decide, node, facts, NOW)
    if not node.deleting:
        assert lost(decision.actions) == []
        assert stopped(decision.actions) == []
        assert not decision.released
    if lost(decision.actions):
        assert node.spec.deletion_policy == "Delete"
        assert decision.released
    if node.deleting:
        assert all(one.manifest["spec"]["replicas"] == 0 for one in decision.actions if isinstance(one, Apply))
        assert not asked(decision.actions) - {"release_wallet"}


@given(cases())
def test_what_holds_or_may_hold_money_is_not_stopped_to_be_deleted(case: tuple[LndNode, Facts]) -> None:
    _, facts = case
    node = world.node(deleting=True, network="signet", deletionPolicy="Delete")
    decision = decide(node, facts, NOW)
    if facts.funds != Funds() or facts.channels != Channels():
        assert stopped(decision.actions) == []


@given(cases())
def test_silence_leads_to_no_act_on_lnd(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    decision = decide(node, replace(facts, state=SILENT, info=SILENT, funds=SILENT, channels=SILENT), NOW)
    assert asked(decision.actions) & TO_LND == set()
    assert identity(decision) == node.status.identity_pubkey or identity(decision) in {
        facts.wallet.identity if facts.wallet else None,
        *(one["metadata"].get("annotations", {}).get(names.IDENTITY) for one in facts.children.values()),
    }


@given(cases())
def test_an_identity_is_pinned_once_and_another_is_never_ready(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    decision = decide(node, facts, NOW)
    pinned = node.status.identity_pubkey
    if pinned is not None:
        assert identity(decision) == pinned
    if not node.deleting and pinned and getattr(facts.info, "identity_pubkey", pinned) != pinned:
        assert decision.finding is not None
        assert isinstance(decision.finding.policy, Stalled)
        assert asked(decision.actions) & TO_LND == set()


@given(cases())
def test_a_wallet_is_made_only_where_none_was_ever_known(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    known = [node.status.identity_pubkey, facts.wallet.identity if facts.wallet else None]
    known += [one["metadata"].get("annotations", {}).get(names.IDENTITY) for one in facts.children.values()]
    decision = decide(node, facts, NOW)
    if asked(decision.actions) & {"make_wallet", "make_seed", "init_wallet"}:
        assert not any(known)
        assert facts.wallet is None or facts.wallet.claimed_by in (None, "lnd1")
        if "make_wallet" in asked(decision.actions):
            assert facts.wallet is None
            assert node.spec.wallet.create


@given(cases())
def test_no_pod_of_a_known_wallet_gets_another_template(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    live = facts.children.get(names.stateful_set("lnd1"))
    assume(live is not None and node.status.identity_pubkey)
    for one in decide(node, facts, NOW).actions:
        if isinstance(one, Apply) and one.manifest["kind"] == STATEFUL_SET.kind and live is not None:
            assert one.manifest["spec"]["template"] == live["spec"]["template"]


@given(cases())
def test_what_is_carried_out_is_not_asked_for_again(case: tuple[LndNode, Facts]) -> None:
    """From any facts: after a few passes nothing is left to do, and every pass on the way keeps the laws."""
    node, facts = case
    for _ in range(6):
        decision = decided(decide, node, facts, NOW)
        if decision.released or not decision.actions:
            return
        if decision.status != node.status:
            node = replace(node, status=LndNodeStatus.model_validate(decision.status.model_dump(by_alias=True)))
        facts = world.carried_out(node, facts, decision.actions)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")


@given(cases())
def test_a_store_decides_over_nothing_but_its_own_condition(case: tuple[LndNode, Facts]) -> None:
    """Whatever it says, or does not say: Ready, children and everything else are as without it."""
    node, facts = case
    without, with_it = decided(decide, node, replace(facts, shelf=None), NOW), decided(decide, node, facts, NOW)
    assert with_it.finding == without.finding
    assert [one for one in with_it.claims if one.type != "BackupStored"] == list(without.claims)
    assert [one for one in with_it.actions if str(one).split()[0] != "store_channel_backup"] == list(without.actions)


@given(specs)
def test_every_declaration_makes_manifests_that_the_api_server_keeps(spec: dict[str, Any]) -> None:
    LndNodeSpec.model_validate(world.SPEC | spec)
    decided(decide, world.node(identity=None, **spec), world.untouched(wallet=replace(WALLET, identity=None)), NOW)
