"""ColdWallet's decisions over facts that nobody arranged: every law on each, and an end to all writing."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.decision import Action, Apply, Delete
from bankstack.engine.finding import Stalled
from bankstack.engine.objects import STATEFUL_SET, Manifest, Ref, ref
from bankstack.kinds.coldwallet.decide import CREATE_WALLET, LOAD_WALLET, WATCH, decide
from bankstack.kinds.coldwallet.facts import Chain, Facts, Place, Pod, Scan, Silent, Wallet
from bankstack.kinds.coldwallet.model import ColdWalletStatus
from bankstack.kinds.coldwallet.names import BITCOIND, SPECTER, ColdWallet
from tests.simulation.fieldsets import applied
from tests.unit.kinds.coldwallet import given as world
from tests.unit.kinds.coldwallet.given import EXTERNAL, PAIR, PINNED, SYNCED, WATCHING

from .laws import asked, decided, lost, stopped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TO_BITCOIND = {CREATE_WALLET, LOAD_WALLET, WATCH}
SILENT = Silent("BitcoindSilent", "no answer")
OTHER = "wpkh(tpub)#xxxxxxxx"

specs = st.fixed_dictionaries(
    {},
    optional={
        "deletionPolicy": st.just("Delete"),
        "network": st.sampled_from(["signet", "testnet"]),
        "specter": st.sampled_from([None, {"enabled": False}, {"adminSecret": "mine"}]),
        "bitcoind__config": st.sampled_from([[{"key": "maxconnections", "value": "9"}]]),
        "bitcoind__version": st.sampled_from(["30.0", "30.2"]),
        "birthday": st.none(),
        "multisig__threshold": st.just(3),
        "pod": st.sampled_from(
            [{}, {"resources": {}, "labels": {"team": "x"}}, {"nodeSelector": {}, "tolerations": []}]
        ),
    },
)
external = st.just({"bitcoind": None, "external": EXTERNAL})
statuses = st.sampled_from(
    [
        None,
        PINNED,
        PINNED | {"completeSince": None},
        {"endpoint": {"host": "h", "rpcPort": 1, "credentialsSecret": "s"}},
    ]
)
wallets = st.builds(
    lambda spec, status, going: world.wallet(
        {key: value for key, value in status.items() if value} if status else None, deleting=going, **spec
    ),
    specs | external,
    statuses,
    st.booleans(),
)
chains: st.SearchStrategy[Chain | Silent] = st.sampled_from(
    [SILENT, SYNCED, replace(SYNCED, name="main"), replace(SYNCED, version=300000), replace(SYNCED, headers=900)]
)
seen: st.SearchStrategy[Wallet | Place | Silent] = st.one_of(
    st.sampled_from([SILENT, Place.MISSING, Place.UNLOADED, WATCHING]),
    st.builds(
        Wallet,
        private_keys=st.booleans(),
        receive=st.sampled_from([(), (PAIR.receive,), (PAIR.receive, OTHER)]),
        change=st.sampled_from([(), (PAIR.change,)]),
        scanned=st.sampled_from([None, 0.5]),
        balance_sat=st.sampled_from([0, 1]),
        utxos=st.just(0),
        first_address=st.sampled_from([None, world.FIRST, "bcrt1qother"]),
        owns_first=st.sampled_from([None, True, False]),
    ),
)
pods = st.sampled_from(
    [(), (Pod(BITCOIND, ready=False),), world.RUNNING, (Pod(BITCOIND, ready=True), Pod(SPECTER, ready=False))]
)


def carried_out(facts: Facts, actions: tuple[Action, ...]) -> Facts:
    children = dict(facts.live)
    for action in actions:
        if isinstance(action, Apply):
            children[ref(action.manifest)] = applied(action.manifest)
        elif isinstance(action, Delete):
            children.pop(action.ref, None)
        else:
            facts = replace(facts, credentials_intact=True, specter_secrets_intact=True, scan=Scan.DONE)
    return replace(facts, live=children)


@cache
def children(limit: str) -> dict[Ref, Manifest]:
    """What was made for some earlier declaration."""
    config = [{"key": "maxconnections", "value": limit}]
    wallet = world.wallet(PINNED, bitcoind__config=config)
    return dict(carried_out(world.facts(wallet), decide(wallet, world.facts(wallet), NOW).actions).live)


@st.composite
def cases(draw: st.DrawFn) -> tuple[ColdWallet, Facts]:
    wallet, made = draw(wallets), children(draw(st.sampled_from(["8", "9"])))
    kept = draw(st.sets(st.sampled_from(sorted(made)))) if draw(st.booleans()) else set(made)
    found = {one: made[one] for one in made if one in kept}
    for one in draw(st.sets(st.sampled_from(sorted(made)))) & kept:
        torn: dict[str, Any] = (
            {"managedFields": []} if draw(st.booleans()) else {"deletionTimestamp": "2026-03-01T11:00:00Z"}
        )
        found[one] = found[one] | {"metadata": found[one]["metadata"] | torn}
    if draw(st.booleans()):
        found |= world.volume_of(draw(st.sampled_from([PAIR.checksums[0], "another0"])))
    all_wrong = world.facts(
        wallet,
        live=found,
        secrets={"vault-rpcauth": "u"},
        credentials_intact=draw(st.booleans()),
        specter_secrets_intact=draw(st.booleans()),
        log_in_is_there=draw(st.booleans()),
        pods=draw(pods),
        chain=draw(chains),
        wallet=draw(seen),
        scan=draw(st.sampled_from(Scan)),
    )
    # Where everything is wrong at once, the first check hides the others: often only a little is.
    if draw(st.booleans()):
        return wallet, all_wrong
    wrong = draw(st.sets(st.sampled_from([one.name for one in fields(Facts)]), max_size=2))
    some = {name: getattr(all_wrong, name) for name in wrong if name not in ("watched", "unusable")}
    sound = world.wallet(PINNED, deleting=draw(st.booleans()))
    return sound, replace(world.facts(sound, live=children("8")), **some)


@given(cases())
def test_money_data_and_running_things_are_left_unless_deletion_was_asked_for(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    decision = decided(decide, wallet, facts, NOW)
    if not wallet.deleting:
        assert lost(decision.actions) == []
        assert not decision.released
        mine = [name for name in stopped(decision.actions) if name != "vault-specter" or _wants_specter(wallet)]
        assert wallet.spec.external or mine == []
    if lost(decision.actions):
        assert wallet.spec.deletion_policy == "Delete"
        assert decision.released
    if wallet.deleting:
        assert all(one.manifest["spec"]["replicas"] == 0 for one in decision.actions if isinstance(one, Apply))
        assert asked(decision.actions) == set()


def _wants_specter(wallet: ColdWallet) -> bool:
    return wallet.spec.specter is not None and wallet.spec.specter.enabled


@given(cases())
def test_what_is_not_proven_empty_is_not_stopped_to_be_deleted(case: tuple[ColdWallet, Facts]) -> None:
    _, facts = case
    wallet = world.wallet(PINNED, deleting=True, network="signet", deletionPolicy="Delete")
    balance = facts.wallet.balance_sat if isinstance(facts.wallet, Wallet) else None
    for chain in (facts.chain, replace(SYNCED, name="signet")):
        if balance != 0 or isinstance(chain, Silent) or chain.name != "signet":
            assert stopped(decide(wallet, replace(facts, chain=chain), NOW).actions) == []


@given(cases())
def test_silence_leads_to_no_act_on_bitcoind_and_unpins_nothing(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    decision = decide(wallet, replace(facts, chain=SILENT, wallet=SILENT), NOW)
    assert asked(decision.actions) & TO_BITCOIND == set()
    assert status(decision.status).first_address == wallet.status.first_address
    assert status(decision.status).descriptor_checksums == wallet.status.descriptor_checksums


def status(found: object) -> ColdWalletStatus:
    assert isinstance(found, ColdWalletStatus)
    return found


@given(cases())
def test_nothing_is_made_in_a_bitcoind_of_another_chain_or_one_that_deletes_wallets(
    case: tuple[ColdWallet, Facts],
) -> None:
    wallet, facts = case
    for chain in (replace(SYNCED, name="main"), replace(SYNCED, version=300100)):
        decision = decide(wallet, replace(facts, chain=chain), NOW)
        assert asked(decision.actions) & TO_BITCOIND == set()
        assert status(decision.status).first_address == wallet.status.first_address


@given(cases())
def test_a_pinned_wallet_stays_pinned_and_another_stalls(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    decision = decide(wallet, facts, NOW)
    if wallet.status.first_address is not None:
        assert status(decision.status).first_address == wallet.status.first_address
    pinned = wallet.status.descriptor_checksums
    if not wallet.deleting and facts.watched and pinned and tuple(pinned) != facts.watched.checksums:
        assert decision.finding is not None
        assert isinstance(decision.finding.policy, Stalled)
        assert decision.actions == ()


@given(cases())
def test_a_wallet_that_may_hold_keys_is_never_used(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    decision = decide(wallet, replace(facts, wallet=replace(WATCHING, private_keys=True)), NOW)
    assert asked(decision.actions) & TO_BITCOIND == set()
    if not wallet.deleting:
        assert decision.finding is not None
        assert decision.finding.stops


@given(cases())
def test_no_pod_gets_another_template(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    for one in decide(wallet, facts, NOW).actions:
        if isinstance(one, Apply) and one.manifest["kind"] == STATEFUL_SET.kind and ref(one.manifest) in facts.live:
            assert one.manifest["spec"]["template"] == facts.live[ref(one.manifest)]["spec"]["template"]


@given(cases())
def test_what_is_carried_out_is_not_written_again(case: tuple[ColdWallet, Facts]) -> None:
    wallet, facts = case
    for _ in range(5):
        decision = decided(decide, wallet, facts, NOW)
        writes = [one for one in decision.actions if isinstance(one, Apply | Delete)]
        if decision.released or not writes:
            return
        wallet = replace(wallet, status=status(decision.status))
        facts = carried_out(facts, decision.actions)
    raise AssertionError(f"still writing: {[str(one) for one in writes]}")


@given(specs | external)
def test_every_declaration_makes_manifests_that_the_api_server_keeps(spec: dict[str, Any]) -> None:
    wallet = world.wallet(PINNED, **spec)
    decided(decide, wallet, world.facts(wallet), NOW)
