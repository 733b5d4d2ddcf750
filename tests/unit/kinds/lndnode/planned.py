"""LndNodes on which a plan runs, at any step, and what is asked of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bankstack.clients.lnd.answers import Announced, Channels, Funds, Htlc
from bankstack.engine.decision import Ask
from bankstack.engine.objects import Manifest
from bankstack.engine.operation import Active, Verdict, Wait
from bankstack.kinds.lndnode import backups, htlcs, names, plans, stages
from bankstack.kinds.lndnode.facts import Backup, Facts
from bankstack.kinds.lndnode.subject import LndNode

from .given import INFO, ME, NOW, changed, node, serving

CHANNELS = Channels(frozenset({"aa:0", "bb:1"}), active=frozenset({"aa:0"}), public=frozenset({"aa:0", "bb:1"}))
POD, STATEFUL = names.pod("lnd1"), names.stateful_set("lnd1")
SAVE = Ask("save_channel_backup", "Plan", {"channels": backups.channel_digest(CHANNELS)})
LOOK = Ask("last_look", "Plan")
#: A second before the plan began.
BEFORE = "2026-11-21T08:58:59Z"
HOLD = Ask("hold_pod", "Plan", {"uid": "pod-1"})
RECORD = {
    stages.AT: "2026-11-21T08:59:00Z", stages.IDENTITY: ME, stages.OWN_SAT: "1000", stages.UNSETTLED_SAT: "0",
    stages.HTLCS: "0", stages.ACTIVE: "1",
}  # fmt: skip


def at(step: str, a_node: LndNode | None = None, **kept: dict[str, str]) -> LndNode:
    """lnd1 with a plan at this step since a minute."""
    since = NOW - timedelta(minutes=1)
    return replace(a_node or node(), plan=Active("restart", "p1", "Restart", step, {}, since, since, kept))


def facts(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    known: dict[str, Any] = {
        "channels": CHANNELS,
        "funds": Funds(local_sat=1000),
        "announced": Announced(),
        "recovering": False,
    }
    return serving(**known | {"sent_msat": 0, "backup": stored()} | more)


def stored(**more: Any) -> Backup:  # noqa: ANN401 - any of its fields
    made = Backup(backups.channel_digest(CHANNELS), "2026-11-21T09:00:00Z", outpoints=CHANNELS.open)
    return replace(made, **more)


def asked(
    step: str,
    known: Facts,
    a_node: LndNode | None = None,
    uses: dict[str, str] | None = None,
    **kept: dict[str, str],
) -> Verdict:
    (one,) = [one for one in plans.STEPS if one.name == step]
    there = at(step, a_node, **kept)
    plan = there.plan and replace(there.plan, uses=uses or {})
    verdict: Verdict = one.judge(replace(there, plan=plan), known, NOW)
    return verdict


def pod_is(known: Facts, *, leaving: bool = True, held: bool = True, **state: Manifest) -> Facts:
    meta: Manifest = {"finalizers": [stages.PROOF]} if held else {}
    meta |= {"deletionTimestamp": "2026-11-21T08:59:10Z"} if leaving else {}
    after = changed(known, POD, **meta)
    status = {"containerStatuses": [{"name": "lnd", "state": state or {"running": {}}}]}
    pod = after.children[POD] | {"status": status, "spec": {"nodeName": "east", "containers": [{"name": "lnd"}]}}
    return replace(after, children={**after.children, POD: pod})


def scaled_down(known: Facts) -> Facts:
    live = known.children[STATEFUL]
    return replace(known, children={**known.children, STATEFUL: live | {"spec": live["spec"] | {"replicas": 0}}})


def waits(verdict: Verdict, *words: str) -> None:
    assert isinstance(verdict, Wait), verdict
    for word in words:
        assert word in verdict.sentence


def on_its_way(left: int, *, incoming: bool = False) -> Channels:
    expiry = INFO.block_height + left + (htlcs.INCOMING_DELTA if incoming else 0)
    return replace(CHANNELS, htlcs=(Htlc("aa:0", incoming, 7, expiry, "ab" * 32),))
