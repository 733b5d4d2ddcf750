"""An LndNode on which a plan runs, at any step and with any facts: what a plan may make of the world, and no more."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import find, given
from hypothesis import strategies as st

from bankstack.clients.lnd.answers import Announced, Channels, Closure, Funds, Htlc, Info, Transaction
from bankstack.engine.decision import Action, Apply, Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import STATEFUL_SET, Manifest
from bankstack.engine.operation import Abort, Active, Do, Done, Wait
from bankstack.kinds.lndnode import backups, names, plans, stages, template
from bankstack.kinds.lndnode import htlcs as budgets
from bankstack.kinds.lndnode import replace as replacement
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Backup, Facts, Tombstone, Wallet
from bankstack.kinds.lndnode.model import LndNodeStatus
from bankstack.kinds.lndnode.stopping import is_coming
from bankstack.kinds.lndnode.subject import LndNode
from tests.unit.kinds.lndnode.given import BITCOIND, INFO, ME, NOW, SILENT, carried_out, serving
from tests.unit.kinds.lndnode.given import node as a_node
from tests.unit.kinds.lndnode.given import pod as living

from .laws import decided, lost
from .test_lndnode import cases

htlcs = st.builds(
    Htlc,
    channel=st.just("aa:0"),
    incoming=st.booleans(),
    amount_sat=st.just(1000),
    expiry_height=st.integers(810, 1000),
)
channels = st.builds(
    lambda active, found: Channels(frozenset({"aa:0"}), active=active, public=frozenset({"aa:0"}), htlcs=tuple(found)),
    st.sampled_from([frozenset(), frozenset({"aa:0"})]),
    st.lists(htlcs, max_size=2),
)
announced = st.sampled_from([Announced(frozenset({"aa:0"})), Announced(disabled=frozenset({"aa:0"})), Announced()])
truths: st.SearchStrategy[bool | Unknown] = st.just(SILENT) | st.booleans()
amounts: st.SearchStrategy[int | Unknown] = st.just(SILENT) | st.sampled_from([0, 5000])
closures: st.SearchStrategy[tuple[Closure, ...] | Unknown] = st.just(SILENT) | st.just(())
transactions: st.SearchStrategy[tuple[Transaction, ...] | Unknown] = st.just(SILENT) | st.just(())
records = {stages.AT: "2026-11-21T08:59:00Z", stages.IDENTITY: ME, stages.OWN_SAT: "5", stages.ACTIVE: "1"}
ACCOUNTED = {stages.AT: "2026-11-21T08:59:00Z", stages.IDENTITY: ME}
kept = st.sampled_from(
    [{}, {stages.CHECK: {stages.TEMPLATE: "x"}}, {stages.RECORD: records}, {stages.ACCOUNT: ACCOUNTED}]
)
STONE = Tombstone(ME, "2026-11-21T08:59:00Z", "lnd1-retired-02aaaaaaaaaa", 2)
ENDED: Manifest = {"terminated": {"exitCode": 0, "finishedAt": "2026-11-21T08:59:30Z"}}


@st.composite
def planned(draw: st.DrawFn) -> tuple[LndNode, Facts]:
    node, facts = draw(cases())
    operation, steps = draw(st.sampled_from([("Restart", plans.STEPS), ("Replace", replacement.STEPS)]))
    step = draw(st.sampled_from(steps)).name
    plan = Active("a-plan", "p1", operation, step, {}, NOW, NOW - timedelta(minutes=1), draw(kept))
    status = node.status.model_copy(update={"traffic": draw(st.sampled_from([None, "Draining"]))})
    live = dict(facts.children)
    if (pod := live.get(names.pod("lnd1"))) and draw(st.booleans()):
        meta = pod["metadata"] | {"finalizers": [stages.PROOF]}
        state = ENDED if draw(st.booleans()) else pod["status"]["containerStatuses"][0]["state"]
        told = {"containerStatuses": [pod["status"]["containerStatuses"][0] | {"state": state}]}
        live[names.pod("lnd1")] = pod | {"metadata": meta, "status": pod["status"] | told}
    stateful = names.stateful_set("lnd1")
    if stateful in live and draw(st.booleans()):
        live[stateful] = live[stateful] | {"spec": live[stateful]["spec"] | {"replicas": 0}}
    facts = replace(
        facts,
        children=live,
        channels=draw(st.just(SILENT) | channels),
        announced=draw(st.just(SILENT) | announced),
        funds=draw(st.just(SILENT) | st.just(Funds(local_sat=5))),
        recovering=draw(truths),
        sent_msat=draw(amounts),
        closures=draw(closures),
        transactions=draw(transactions),
    )
    if operation == "Replace" and draw(st.booleans()):
        # The turning point is behind it: the next wallet is not there yet, or nobody's.
        fresh = draw(st.sampled_from([None, Wallet(frozenset({"password"}), 0, 43, "lnd1", made_by_us=True)]))
        noted = draw(st.sampled_from([None, 1, 2]))
        facts = replace(facts, generation=2, noted=noted, tombstones=(STONE,), wallet=fresh, info=SILENT)
    return replace(node, status=status, plan=plan), facts


def applied_to_lnd(node: LndNode, facts: Facts) -> list[Manifest]:
    actions = decided(decide, node, facts, NOW).actions
    return [one.manifest for one in actions if isinstance(one, Apply) and one.manifest["kind"] == STATEFUL_SET.kind]


SERVING = serving()
NEWER = a_node(version="v0.21.3-beta")


@st.composite
def stopping(draw: st.DrawFn) -> tuple[LndNode, Facts]:
    """At the step that stops LND, which runs and mostly says what it has: rare among all that may be planned."""
    seen = Channels(frozenset({"aa:0"}), active=frozenset({"aa:0"}), htlcs=tuple(draw(st.lists(htlcs, max_size=2))))
    saved = Backup(backups.channel_digest(seen), "2026-11-21T09:00:00Z")
    meta = living()["metadata"] | {"finalizers": [stages.PROOF] if draw(st.booleans()) else []}
    facts = replace(
        SERVING,
        children={**SERVING.children, names.pod("lnd1"): living() | {"metadata": meta}},
        channels=draw(st.just(SILENT) | st.just(seen)),
        info=draw(st.just(SILENT) | st.sampled_from([INFO, replace(INFO, synced=False)])),
        backup=draw(st.none() | st.just(saved)),
    )
    plan = Active("a-plan", "p1", "Restart", stages.STOP, {}, NOW, NOW - timedelta(minutes=1))
    status = LndNodeStatus(identity_pubkey=ME, traffic="Draining")
    return replace(a_node(), status=status, plan=plan), facts


cases_of_a_stop = planned() | stopping()


@given(cases_of_a_stop)
def test_lnd_is_stopped_only_in_its_step_and_never_before_its_pod_is_held(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    live = facts.children.get(names.stateful_set("lnd1"))
    runs = live is not None and live["spec"]["replicas"] == 1
    pod = facts.children.get(names.pod("lnd1"))
    is_held, was_asked = stages.is_held(pod), pod is not None and "deletionTimestamp" in pod["metadata"]
    for one in decided(decide, node, facts, NOW).actions if runs and not node.deleting else ():
        # Carried out in order, up to the first that fails.
        is_held = is_held or _is_asked(one, "hold_pod")
        was_asked = was_asked or _is_asked(one, "last_look")
        if (
            isinstance(one, Apply)
            and one.manifest["kind"] == STATEFUL_SET.kind
            and one.manifest["spec"]["replicas"] == 0
        ):
            assert stages.step(node) in stages.AWAY
            assert (is_held and was_asked) or stages.step(node) in (stages.RETIRE, stages.RENEW)


def _is_asked(one: Action, what: str) -> bool:
    return isinstance(one, Ask) and one.action == what


@given(stopping())
def test_lnd_is_told_to_stop_only_by_a_pass_that_saw_its_payments_outlast_it(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    if any(_is_asked(one, "last_look") for one in decide(node, facts, NOW).actions):
        assert isinstance(facts.channels, Channels)
        assert isinstance(facts.info, Info)
        assert facts.info.synced
        assert backups.is_current(facts, facts.channels)
        assert budgets.too_tight(node, facts.channels.htlcs, facts.info.block_height) is None


def test_among_the_cases_of_a_stop_are_some_that_stop_lnd() -> None:
    """The two above would hold of nothing."""
    node, facts = find(stopping(), lambda case: is_coming(*case))
    asked = [one.action for one in decide(node, facts, NOW).actions if isinstance(one, Ask)]
    assert asked == ["hold_pod", "last_look"]


@st.composite
def renewing(draw: st.DrawFn) -> tuple[LndNode, Facts]:
    """At the step that writes a template that people approved; LND's pod is there, on its way out, ended, or gone."""
    approved = {stages.TEMPLATE: template.wish_digest(NEWER, BITCOIND), stages.CHANGE: "version"}
    plan = Active("a-plan", "p1", "Restart", stages.RENEW, {}, NOW, NOW, {stages.CHECK: approved})
    pod = living()
    left = {"deletionTimestamp": "2026-11-21T08:59:10Z"} if draw(st.booleans()) else {}
    state = ENDED if draw(st.booleans()) else {"running": {}}
    ended = {"containerStatuses": [pod["status"]["containerStatuses"][0] | {"state": state}]}
    pod |= {"metadata": pod["metadata"] | left, "status": pod["status"] | ended}
    children = {one: live for one, live in SERVING.children.items() if one != names.pod("lnd1")}
    there = {names.pod("lnd1"): pod} if draw(st.booleans()) else {}
    node = replace(NEWER, plan=plan, status=LndNodeStatus(identity_pubkey=ME, traffic="Draining"))
    return node, replace(SERVING, children=children | there)


@given(planned() | renewing())
def test_a_known_wallet_s_template_changes_only_where_nothing_runs(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    for made in newly_written(node, facts):
        pod = facts.children.get(names.pod("lnd1"))
        assert stages.step(node) == stages.RENEW
        assert pod is None or "finishedAt" in pod["status"]["containerStatuses"][0]["state"].get("terminated", {})
        assert pod is None or "deletionTimestamp" in pod["metadata"], "of a pod that stays, what ended is started again"
        assert made["spec"]["replicas"] == 0


def newly_written(node: LndNode, facts: Facts) -> list[Manifest]:
    """Of a wallet in use: the next one of a Replace is nobody's yet, and its template another's from the first."""
    live = facts.children.get(names.stateful_set("lnd1"))
    if live is None or not node.status.identity_pubkey or facts.generation > 1:
        return []
    return [one for one in applied_to_lnd(node, facts) if one["spec"]["template"] != live["spec"]["template"]]


def test_among_the_cases_of_a_template_are_some_that_write_it_beside_an_ended_pod() -> None:
    node, facts = find(renewing(), lambda case: bool(newly_written(*case)) and names.pod("lnd1") in case[1].children)
    assert stages.exit_of(facts.children[names.pod("lnd1")]) is not None
    assert newly_written(node, facts)


@given(planned())
def test_lnd_is_never_given_one_wallet_s_volume_and_another_s_password(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    secret = node.spec.wallet.secret
    pairs = {("lnd1-data", secret), ("lnd1-data-2", f"{secret}-2")}
    for made in applied_to_lnd(node, facts):
        volumes = {one["name"]: one for one in made["spec"]["template"]["spec"]["volumes"]}
        claim = volumes["data"]["persistentVolumeClaim"]["claimName"]
        assert (claim, volumes["wallet"]["secret"]["secretName"]) in pairs


@given(planned())
def test_a_pod_whose_end_is_not_proved_is_not_let_go(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    pod = facts.children.get(names.pod("lnd1"))
    lets_go = any(isinstance(one, Ask) and one.action == "let_go_pod" for one in decide(node, facts, NOW).actions)
    if lets_go and pod:
        assert "deletionTimestamp" not in pod["metadata"] or stages.exit_of(pod) is not None


@given(planned())
def test_a_plan_costs_no_money_data(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    if not node.deleting:
        assert lost(decided(decide, node, facts, NOW).actions) == []


@given(planned())
def test_every_step_has_an_answer_to_any_facts_and_silence_ends_nothing_but_a_stop(
    case: tuple[LndNode, Facts],
) -> None:
    node, facts = case
    silent = replace(facts, state=SILENT, info=SILENT, funds=SILENT, channels=SILENT, announced=SILENT)
    for step in (*plans.STEPS, *replacement.STEPS):
        verdict = step.judge(node, facts, NOW)
        assert verdict == step.judge(node, facts, NOW)
        assert isinstance(verdict, Done | Do | Wait | Abort)
        # Divert asks those who pay, not LND.
        if step.name not in (stages.DIVERT, stages.STOP, stages.RETIRE, stages.RENEW):
            assert not isinstance(step.judge(node, silent, NOW), Done | Abort), step.name


@given(planned())
def test_while_a_plan_runs_what_is_carried_out_is_not_asked_for_again(case: tuple[LndNode, Facts]) -> None:
    node, facts = case
    for _ in range(8):
        decision = decided(decide, node, facts, NOW)
        if decision.released or not decision.actions:
            return
        node = replace(node, status=LndNodeStatus.model_validate(decision.status.model_dump(by_alias=True)))
        facts = carried_out(node, facts, decision.actions)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")
