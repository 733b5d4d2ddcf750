"""The steps of a Restart up to LND's end (pure): nothing is lost yet, and every one can be given up.

Each is asked anew in every pass and answers from the facts alone.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bankstack.clients.lnd.answers import Announced, Channels, Funds, Info
from bankstack.engine.conditions import moment, stamp
from bankstack.engine.decision import AT_ONCE, Action, Ask
from bankstack.engine.finding import Unknown, first
from bankstack.engine.model import seconds
from bankstack.engine.operation import Abort, Do, Done, Verdict, Wait
from bankstack.kinds.lndnode import (
    backups,
    carriers,
    checks,
    children,
    htlcs,
    names,
    stages,
    stopping,
    stored,
    template,
)
from bankstack.kinds.lndnode.facts import Facts, User
from bankstack.kinds.lndnode.stages import SOON
from bankstack.kinds.lndnode.subject import LndNode

#: An API's word comes within seconds, and wakes its nodes.
ACKNOWLEDGED: Final = 5.0
#: An API that has not given it by then may never do so.
PROMPT: Final = timedelta(seconds=10)
#: Nobody is woken by a word of their own.
WRITTEN: Final = AT_ONCE
#: The kubelet has this long beyond LND's own time to say that it ended.
KUBELET_SECONDS: Final = 60


def check(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """Nothing is begun on a node that is not well: it may need its memory more than its restart."""
    if lacking := _not_well(node, facts):
        return lacking
    if not isinstance(facts.channels, Channels) or not isinstance(facts.info, Info):
        return stages.silent()
    if under_way := sorted(facts.channels.opening | facts.channels.closing):
        return Wait(
            f"channel {under_way[0]}{_more(under_way)} is being opened or closed: LND is not stopped before that is "
            "buried in the chain. Wait, or cancel the plan",
            30.0,
        )
    endpoint = facts.chain.endpoint
    if endpoint is None:
        return Wait("its bitcoind is not known")
    if another := template.not_as_approved(node, facts, endpoint):
        return Abort(f"{another}. Nothing was done. Make another plan: it shows what is to be applied now")
    change = ", ".join(template.pending(node, facts, endpoint)) or "none"
    kept = {stages.TEMPLATE: template.wish_digest(node, endpoint, facts.generation), stages.CHANGE: change[:512]}
    told = f"synced at height {facts.info.block_height}, {len(facts.channels.open)} channels, none opening or closing"
    return Done(f"{told}; change to apply: {change}", kept)


def _not_well(node: LndNode, facts: Facts) -> Wait | None:
    if obstacle := first((*checks.OBSTACLES, *checks.SHORTFALLS), node, facts):
        return Wait(obstacle.message)
    if lacking := stopping.alone(node, facts) or _unstored(facts):
        return Wait(lacking)
    if isinstance(facts.recovering, Unknown):
        return Wait(f"LND does not say whether it still looks for coins of its seed ({facts.recovering.reason})", SOON)
    if facts.recovering:
        return Wait("LND still looks for coins of its seed: a stop would lose its place. It is waited for", 30.0)
    return None


def _unstored(facts: Facts) -> str | None:
    """Told before payments go elsewhere: the plan would only wait for the store later."""
    has_channels = isinstance(facts.channels, Channels) and facts.channels.to_back_up
    return stored.missing(facts) if has_channels else None


def divert(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """Whoever makes payments through the node has told its programs to leave it alone. Beside that the network is."""
    if unaware := carriers.unaware(facts.users):
        told = (
            f"ApiDeployment {unaware[0].name} has not said yet that its pods leave {node.name} alone: LND stays in use "
            "until then. If it is paused or its pods do not run, see to that first, or cancel this plan"
        )
        actions = _meanwhile(node, facts, now, unaware)
        return Do(actions, told, ACKNOWLEDGED) if actions else Wait(told, ACKNOWLEDGED)
    if node.status.traffic is None:
        # Others go by this word, and steps that find nothing to do would come to LND's stop without it.
        return Wait("it is written down first that payments go elsewhere", WRITTEN)
    return Done(f"payments go elsewhere: {carriers.told(facts)}")


def _meanwhile(node: LndNode, facts: Facts, now: datetime, unaware: tuple[User, ...]) -> tuple[Action, ...]:
    """The network is told beside the API, which takes as long, and its programs go on paying through such channels.

    An API that does not hear of it keeps its node, also for what the network pays to it.
    """
    if not isinstance(facts.announced, Announced) or not isinstance(facts.channels, Channels):
        return ()
    if all(one.listens for one in unaware) and now < stages.since(node, now) + PROMPT:
        return _disables(node, facts, facts.announced, facts.channels, now)
    return (stages.ENABLES,) if facts.announced.disabled & facts.channels.active else ()


def disable(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """The network is told to send nothing more through public channels."""
    if not isinstance(facts.announced, Announced) or not isinstance(facts.channels, Channels):
        return stages.silent()
    if actions := _disables(node, facts, facts.announced, facts.channels, now):
        return Do(actions, "the network is told not to use public channels")
    return Done(f"{len(facts.announced.disabled)} public channels are announced as disabled")


def _disables(
    node: LndNode, facts: Facts, announced: Announced, channels: Channels, now: datetime
) -> tuple[Action, ...]:
    """What tells the network; nothing where it knows."""
    if not announced.enabled & channels.active:
        return ()
    # A later step's: exported while payments end, payments go elsewhere for one pass less. One that is not even of
    # these channels is written anew by itself.
    export = _export(node, facts, channels, now) if backups.is_current(facts, channels) else ()
    return (Ask("disable_channels", "Plan"), *export)


def drain(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """Payments on their way end; what remains after the time for it must outlast the restart."""
    if not isinstance(facts.channels, Channels) or not isinstance(facts.info, Info):
        return stages.silent()
    if closing := stopping.closing(facts.channels):
        return Wait(closing, 30.0)
    pending, tip = facts.channels.htlcs, facts.info.block_height
    if tight := htlcs.too_tight(node, pending, tip):
        return Abort(tight)
    found = htlcs.tightest(pending, tip)
    if found is None:
        return Done(f"0 pending HTLCs at height {tip}")
    until = stages.since(node, now) + timedelta(seconds=seconds(htlcs.recycle(node).drain_timeout))
    told = f"{len(pending)} HTLCs are pending; {htlcs.described(found, tip)}"
    if now < until:
        return Wait(f"{told}. They are waited for until {stamp(until)}; channels stay disabled", SOON)
    return Done(f"{told}, more than the {htlcs.needed_blocks(node)} that a restart needs")


def backup(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """A backup of exactly these channels, exported, verified by LND and stored since the plan began."""
    if not isinstance(facts.channels, Channels):
        return stages.silent()
    if not facts.channels.to_back_up:
        return Done("there is no channel to back up")
    export, saved = _export(node, facts, facts.channels, now), facts.backup
    if export or saved is None:
        return Do(export, "a channel backup is exported, verified and stored")
    if lacking := stored.missing(facts):
        return Wait(lacking, SOON)
    where = f"Secret {names.channel_backup(node.name, facts.generation).name}"
    also = f", and object {facts.shelf.key} of the store is the same" if facts.shelf else ""
    return Done(f"{where} of {saved.saved_at} holds all {len(facts.channels.to_back_up)} channels{also}")


def _export(node: LndNode, facts: Facts, channels: Channels, now: datetime) -> tuple[Ask, ...]:
    """What brings the backup that the plan needs; nothing where it is there."""
    saved = facts.backup
    fresh = saved is not None and moment(saved.saved_at) >= stages.began(node, now)
    if not channels.to_back_up or (fresh and backups.is_current(facts, channels)):
        return ()
    return (Ask("save_channel_backup", "Plan", {"channels": backups.channel_digest(channels)}),)


def record(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """What must be the same afterwards, seen in the look in which LND is told to stop."""
    pod = stages.pod(node, facts)
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return Wait("LND's pod is being replaced by somebody else: it is waited for", SOON)
    channels, funds, info = facts.channels, facts.funds, facts.info
    if not isinstance(channels, Channels) or not isinstance(funds, Funds) or not isinstance(info, Info):
        return stages.silent()
    if forbidden := stopping.forbids(node, facts):
        return forbidden
    kept = {
        stages.AT: stamp(now),
        stages.IDENTITY: info.identity_pubkey,
        stages.OWN_SAT: str(funds.own_sat + funds.commit_fees_sat),
        stages.UNSETTLED_SAT: str(funds.unsettled_sat),
        stages.HTLCS: str(len(channels.htlcs)),
        stages.CHANNELS: str(len(channels.to_back_up)),
        stages.ACTIVE: str(len(channels.active)),
    }
    told = (
        f"{len(channels.open)} channels, {funds.own_sat} sat, {len(channels.htlcs)} HTLCs at height {info.block_height}"
    )
    return Done(told, kept)


def stop(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """LND ends as it ends itself, and the kubelet says so. A pod that is merely gone proves nothing."""
    if not stages.is_scaled_down(node, facts):
        return _not_told_yet(node, facts)
    pod = stages.pod(node, facts)
    if proof := stages.exit_of(pod):
        return Done(proof)
    if pod is None:
        return Wait(_unproved(node), 30.0)
    if "deletionTimestamp" not in pod["metadata"]:
        return Wait("LND is told to stop", SOON)
    late = now > stages.since(node, now) + timedelta(seconds=children.GRACE_SECONDS + KUBELET_SECONDS)
    told = f"LND writes its state and stops, within {children.GRACE_SECONDS} s"
    return Wait(_overdue(node, pod["spec"].get("nodeName", "?")) if late else told, SOON)


def _not_told_yet(node: LndNode, facts: Facts) -> Wait | Abort:
    """Nobody has stopped it, whatever a pod's end says: another pod may have been made since."""
    pod = stages.pod(node, facts)
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        found: Wait | Abort | None = Wait("LND's pod is made again: it is waited for", SOON)
    else:
        found = stopping.forbids(node, facts)
    if isinstance(found, Abort):
        return found
    return replace(found or Wait("LND is told to stop", SOON), nothing_done=True)


def _overdue(node: LndNode, where: str) -> str:
    return (
        f"the kubelet of node {where} has not said that LND of pod {node.name}-0 ended: nothing is started, for two "
        f"LNDs of one wallet lose its money. {stages.ON_A_LOST_NODE}, and then delete this plan"
    )


def _unproved(node: LndNode) -> str:
    return (
        f"pod {node.name}-0 is gone and nobody saw its processes end (it was deleted by force and its finalizer "
        f"{stages.PROOF} taken off): nothing is started, for two LNDs of one wallet lose its money. Make sure on its "
        "node that no lnd runs, then delete this plan: LND is started again as it was"
    )


def _more(listed: list[str]) -> str:
    return f" (and {len(listed) - 1} more)" if len(listed) > 1 else ""
