"""What an LndNode needs next.

Facts in, decision out. No clock, no network, no randomness: what can't be replayed
can't be trusted with money.
"""

from datetime import datetime
from typing import Final

from bankstack.clients.lnd.answers import Announced, Channels, Info, State
from bankstack.engine import drift, frozen
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Action, Ask, Decision, Delete
from bankstack.engine.finding import Finding, Unknown, Waiting, first
from bankstack.engine.objects import CONFIG_MAP, Manifest, digest, uid
from bankstack.kinds.lndnode import (
    backups,
    carriers,
    certificates,
    checks,
    children,
    consumers,
    names,
    pinned,
    releases,
    running,
    stages,
    stopping,
    stored,
    template,
    wishes,
)
from bankstack.kinds.lndnode.facts import Endpoint, Facts
from bankstack.kinds.lndnode.model import LndNodeStatus
from bankstack.kinds.lndnode.retire import retire
from bankstack.kinds.lndnode.subject import LndNode

#: LND tells nobody when a channel opens or the chain stops: it is asked this often.
LOOK_AGAIN: Final = 30.0


def decide(node: LndNode, facts: Facts, now: datetime) -> Decision:
    """What to do, and what to say."""
    if node.deleting:
        return retire(node, facts)
    obstacle = first(checks.OBSTACLES, node, facts)
    stopped = obstacle if obstacle and obstacle.stops else None
    status, actions = summary(node, facts), () if stopped else _actions(node, facts, now)
    finding = stopped or _recycling(node, facts) or first(checks.SHORTFALLS, node, facts)
    return Decision(
        status=status,
        # Not before LND has taken it: a channel that stays disabled by our word is remembered by nothing else.
        then=status.model_copy(update={"traffic": None}) if stages.ENABLES in actions else None,
        actions=actions,
        finding=finding,
        claims=_claims(node, facts),
        # A change of channels has to be in the store ten seconds later: no event tells of it.
        look_again=stored.LOOK_AGAIN if stored.declared(node) else LOOK_AGAIN,
    )


def summary(node: LndNode, facts: Facts) -> LndNodeStatus:
    """The kind's own fields. What cannot be seen now keeps saying what was seen last."""
    last = node.status
    if first(pinned.UNFOUNDED, node, facts):
        return last
    # Only an identity that nothing contradicts is written down: it can never be changed again.
    agreed = first((pinned.pinned_identities_agree, pinned.wallet_is_the_one_in_use), node, facts) is None
    known = last.identity_pubkey if pinned.is_of_the_wallet_in_use(node, facts) else None
    away = stages.kept(node, stages.START, stages.DOWNTIME)
    return LndNodeStatus(
        identity_pubkey=known or (pinned.identity(node, facts) if agreed else None),
        generation=facts.generation if facts.generation > 1 else None,
        retired=pinned.former(last.retired or (), facts.tombstones) or None,
        state="Unknown" if isinstance(facts.state, Unknown) else facts.state.value,
        version=facts.info.version if isinstance(facts.info, Info) else last.version,
        channels=len(facts.channels.open) if isinstance(facts.channels, Channels) else last.channels,
        stored_at=facts.shelf.since if facts.shelf else None,
        backed_up_at=facts.backup.saved_at if facts.backup else last.backed_up_at,
        traffic="Draining" if _is_drained(node, facts) else None,
        last_downtime_seconds=max(0, int(away)) if away else last.last_downtime_seconds,
    )


def _is_drained(node: LndNode, facts: Facts) -> bool:
    """While a plan wants it so; then until LND was told of every channel that it announces as disabled."""
    if stages.is_drained(node) or node.status.traffic is None:
        return stages.is_drained(node)
    return not isinstance(facts.announced, Announced) or bool(facts.announced.disabled)


def _recycling(node: LndNode, facts: Facts) -> Finding | None:
    if node.plan is None or not stopping.is_wanted(node, facts):
        return None
    told = f"ChangePlan {node.plan.name} has LND of {node.name} stopped, and starts it again: payments wait"
    return Finding("Recycling", told, Waiting(running.SOON))


def _actions(node: LndNode, facts: Facts, now: datetime) -> tuple[Action, ...]:
    """In an order in which every prefix is safe: the seed is claimed before anything could use it."""
    endpoint = facts.chain.endpoint
    if endpoint is None:
        return ()
    return (
        *_claim(node, facts),
        # Before the backup, which is refused where LND has forgotten a channel: the others are given back all the same.
        *_after_a_plan(node, facts),
        # Before the children: one that the API server refuses (a volume that cannot grow) must not hold up a backup.
        *_save_channels(node, facts),
        *_store_channels(node, facts),
        *certificates.steps(node, facts, now),
        *_publish(node, facts),
        # Before the StatefulSet, which stops it: where one of these fails nothing is stopped.
        *_before_the_stop(node, facts),
        *drift.changes(_wanted(node, facts, endpoint), facts.children),
        *_restart_a_false_start(node, facts),
        *_sweep(node, facts, endpoint),
        *_wallet(node, facts),
        *_note(facts),
    )


def _after_a_plan(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """What a plan leaves behind, however it ended: a held pod, disabled channels."""
    pod = (Ask("let_go_pod", "Proved"),) if stopping.to_let_go(node, facts) else ()
    return (*pod, stages.ENABLES) if _resumes(node, facts) else pod


def _resumes(node: LndNode, facts: Facts) -> bool:
    """Whether LND is told to announce its channels by itself again."""
    resumes = node.status.traffic is not None and not stages.is_drained(node)
    return resumes and isinstance(facts.announced, Announced) and bool(facts.announced.disabled)


def _before_the_stop(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """Exactly this pod is kept until its end is proved, and LND is asked once more what is on its way."""
    pod = stopping.to_hold(node, facts)
    held = (Ask("hold_pod", "Plan", {"uid": uid(pod)}),) if pod else ()
    return (*held, Ask("last_look", "Plan")) if stopping.is_coming(node, facts) else held


def _claim(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """The wallet Secret says whose it is, and which identity came of it."""
    wallet, known = facts.wallet, pinned.identity(node, facts)
    if wallet is None:
        # Only where it may be made: wallet_secret_is_there would have stopped us otherwise.
        return (Ask("make_wallet", "Missing"),)
    if wallet.claimed_by == node.name and wallet.identity == known:
        return ()
    return (Ask("claim_wallet", "Unclaimed", {"identity": known} if known else {}),)


def _wanted(node: LndNode, facts: Facts, endpoint: Endpoint) -> tuple[Manifest, ...]:
    held = template.held(node, facts, endpoint)
    identity = pinned.identity(node, facts)
    # A first start that was declared wrong may still be mended: nothing is on its volume.
    starts = identity is not None and template.is_being_written(node, facts, held)
    return (
        # Before the StatefulSet: what is started is on record.
        children.volume(node, identity, releases.noted(node, facts, starts=starts), facts.generation),
        children.config_map(node, held["metadata"]["annotations"][names.CONFIG]),
        children.api_service(node),
        children.p2p_service(node),
        children.network_policy(node),
        children.disruption_budget(node),
        held,
    )


def _restart_a_false_start(node: LndNode, facts: Facts) -> tuple[Delete, ...]:
    """A pod of an outdated declaration that never became a node: nobody else would replace it."""
    live, pod = facts.children.get(names.stateful_set(node.name)), facts.children.get(names.pod(node.name))
    if live is None or pod is None or pinned.identity(node, facts) or "deletionTimestamp" in pod["metadata"]:
        return ()
    wanted = live.get("status", {}).get("updateRevision")
    is_told = live.get("status", {}).get("observedGeneration") == live["metadata"].get("generation")
    made = pod["metadata"].get("labels", {}).get("controller-revision-hash")
    return (Delete(names.pod(node.name), uid(pod), "FalseStart"),) if is_told and wanted != made else ()


def _sweep(node: LndNode, facts: Facts, endpoint: Endpoint) -> tuple[Delete, ...]:
    """Configurations that no template mounts any more."""
    mounted = names.config(
        node.name, digest(template.held(node, facts, endpoint)["metadata"]["annotations"][names.CONFIG])
    )
    return tuple(
        Delete(one, uid(live), "Unused")
        for one, live in sorted(facts.children.items())
        if one.type == CONFIG_MAP and one != mounted
    )


def _wallet(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """A wallet is made once, on a volume that never had one, after its seed is safe in the Secret."""
    if facts.state != State.NON_EXISTING or pinned.pins(node, facts) or facts.wallet is None:
        return ()
    init = Ask("init_wallet", "Missing")
    return (init,) if "seed" in facts.wallet.keys else (Ask("make_seed", "Missing"), init)


def _note(facts: Facts) -> tuple[Ask, ...]:
    """A second place for which wallet is in use, should somebody delete the tombstone."""
    if facts.noted is None or facts.noted >= facts.generation:
        return ()
    return (Ask("note_generation", "Unnoted", {"generation": str(facts.generation)}),)


def _publish(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """Access for consumers, once the identity is written down where no crash can lose it."""
    serves = facts.state == State.SERVER_ACTIVE and isinstance(facts.info, Info)
    if not serves or not pinned.is_pinned(node, facts):
        return ()
    return tuple(
        Ask(
            "publish",
            "Missing" if one.name not in facts.published else "Changed",
            {"consumer": one.name, "trust": certificates.trust(facts)},
        )
        for one in consumers.CONSUMERS
        if not checks.is_published(node, facts, one)
    )


def _save_channels(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """A backup outside LND whenever the set of channels is another."""
    serves = facts.state == State.SERVER_ACTIVE and pinned.is_pinned(node, facts)
    if not serves or not isinstance(facts.channels, Channels) or backups.is_current(facts, facts.channels):
        return ()
    return (Ask("save_channel_backup", "Changed", {"channels": backups.channel_digest(facts.channels)}),)


def _store_channels(node: LndNode, facts: Facts) -> tuple[Ask, ...]:
    """What was just saved is stored in the same pass, if there is a store: it shall be there in seconds."""
    if facts.shelf is not None and _save_channels(node, facts):
        return (Ask("store_channel_backup", "Changed"),)
    return stored.steps(node, facts)


def _claims(node: LndNode, facts: Facts) -> tuple[Claim, ...]:
    return (
        _synced(facts),
        carriers.claim(node, facts),
        _channel_backup(facts),
        *stored.claim(facts),
        *_retired_coins(node, facts),
        *_change_pending(node, facts),
    )


def _retired_coins(node: LndNode, facts: Facts) -> tuple[Claim, ...]:
    """What comes to addresses of its former identities; its ColdWallet watches them."""
    told = facts.chain.retired_coins
    return (Claim("RetiredCoins", *told),) if told and (node.status.retired or facts.tombstones) else ()


def _synced(facts: Facts) -> Claim:
    if not isinstance(facts.info, Info):
        return Claim("Synced", "Unknown", "LndSilent", "LND has not said where it stands")
    if facts.info.synced:
        return Claim("Synced", "True", "AtTip", "LND follows the chain")
    return Claim("Synced", "False", "ChainSyncing", "LND is behind the chain: payments wait")


def _channel_backup(facts: Facts) -> Claim:
    if not isinstance(facts.channels, Channels):
        return Claim("ChannelBackup", "Unknown", "LndSilent", "LND has not said which channels it has")
    if not facts.channels.to_back_up:
        return Claim("ChannelBackup", "True", "NoChannels", "there is no channel to back up")
    if backups.is_current(facts, facts.channels):
        return Claim("ChannelBackup", "True", "Current", "every channel is in the newest channel backup")
    return Claim(
        "ChannelBackup",
        "False",
        "Outdated",
        "the newest channel backup lacks a channel: were the volume lost now, that channel's money could not be "
        "asked back. It is being written",
    )


def _change_pending(node: LndNode, facts: Facts) -> tuple[Claim, ...]:
    """Everything that waits for a restart, in one condition."""
    endpoint = facts.chain.endpoint
    running = names.stateful_set(node.name) in facts.children
    if not running:
        return ()
    found: list[Claim] = []
    plans: list[str] = []
    if refused := releases.downgrade(node, facts):
        found.append(Claim("ChangePending", "True", "DowngradeRefused", refused))
    elif endpoint is not None and (paths := template.pending(node, facts, endpoint)):
        found += frozen.change_pending(paths, f"LND of {node.name}")
        plans.append(_plan_of_a_change(node, facts, endpoint))
    if renewed := certificates.renewed(facts):
        found.append(renewed)
        plans.append(_plan_of(node, wishes.CERTIFICATE))
    if moved := wishes.cordoned(facts):
        found.append(moved)
        plans += [_plan_of(node, wishes.CORDON)] if wishes.CORDON in node.told else []
    return (_together(found, plans),) if found else ()


def _plan_of_a_change(node: LndNode, facts: Facts, endpoint: Endpoint) -> str:
    if template.is_declared_anew(node, facts, endpoint):
        return _plan_of(node, wishes.CHANGE)
    told = "Nothing in the spec changed, this version of the operator would only write it otherwise: no plan is made"
    return f"{told} by itself. {_by_hand(node)}"


def _plan_of(node: LndNode, cause: str) -> str:
    """The plan that brings it, or how to make one."""
    running = f"ChangePlan {node.plan.name} runs" if node.plan else None
    return running or node.told.get(cause) or _by_hand(node)


def _by_hand(node: LndNode) -> str:
    return f"To apply it, make a ChangePlan: operation Restart, target LndNode {node.name}"


def _together(claims: list[Claim], plans: list[str]) -> Claim:
    """One plan brings all of it, so it is told of once."""
    told = ". ".join([*(claim.message for claim in claims), *dict.fromkeys(plans)])
    return Claim(claims[0].type, claims[0].status, claims[0].reason, told)
