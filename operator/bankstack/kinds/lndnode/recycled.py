"""The steps of a Restart from LND's end on (pure): what runs again must be what was stopped.

None of them is needed for the node to come back: `decide` wants LND to run whatever
becomes of the plan. They prove that it did.
"""

from datetime import datetime, timedelta
from typing import Final

from bankstack.clients.lnd.answers import Announced, Channels, Funds, Info
from bankstack.engine.conditions import moment
from bankstack.engine.finding import Unknown, first
from bankstack.engine.operation import Do, Done, Verdict, Wait
from bankstack.kinds.lndnode import checks, names, releases, stages, template
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

SOON: Final = 1.0
#: Peers come back within seconds, where they are there; one that is away is not waited for longer.
PEERS_WAITED_FOR: Final = timedelta(minutes=2)


def renew(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """The template as it was approved, written while nothing runs."""
    live, endpoint = facts.children.get(names.stateful_set(node.name)), facts.chain.endpoint
    if not stages.is_at_rest(node, facts):
        return Wait("LND's pod is on its way out: it is waited for", SOON)
    if live is None or endpoint is None:
        return Wait("StatefulSet or bitcoind are not there: they are waited for", SOON)
    change = stages.kept(node, stages.CHECK, stages.CHANGE)
    if not template.may_be_renewed(node, facts, endpoint):
        return Done(
            "the spec, or the operator, is another than when the plan was approved: LND starts as it ran before, and "
            "what is declared now needs a plan of its own"
        )
    if not template.is_written(node, live, endpoint, facts.generation):
        return Wait("the template is written anew", SOON)
    return Done("nothing had to be changed" if change == "none" else f"changed: {change}")


def start(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """LND runs, serves and sees the tip."""
    obstacle = first((*checks.OBSTACLES, *checks.SHORTFALLS), node, facts)
    if obstacle or not isinstance(facts.info, Info):
        told = obstacle.message if obstacle else "LND does not answer yet"
        return Wait(f"{told}{releases.changing(node, facts)}", SOON)
    at = stages.kept(node, stages.RECORD, stages.AT)
    # Another operator's clock may have written it down.
    away = max(0, int((now - moment(at)).total_seconds())) if at else 0
    version, height = facts.info.version.partition(" ")[0], facts.info.block_height
    told = f"LND {version} serves, synced at height {height}; it was away for {away} s"
    return Done(told, {stages.DOWNTIME: str(away)})


def reconcile(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """The same identity, no channel forgotten, no sat missing that a payment does not explain."""
    channels, funds, info = facts.channels, facts.funds, facts.info
    if not isinstance(channels, Channels) or not isinstance(funds, Funds) or not isinstance(info, Info):
        return Wait("LND does not answer just now: nothing is concluded from that", SOON)
    if isinstance(facts.sent_msat, Unknown):
        return Wait(f"LND does not say what it sent since ({facts.sent_msat.reason})", SOON)
    if told := _lost(node, facts, channels, funds, info):
        return Wait(told)
    wanted = int(stages.kept(node, stages.RECORD, stages.ACTIVE) or 0)
    if len(channels.active) < wanted and now < stages.since(node, now) + PEERS_WAITED_FOR:
        return Wait(f"{len(channels.active)} of {wanted} channels are active: their peers come back", SOON)
    own, was = funds.own_sat + funds.commit_fees_sat, stages.kept(node, stages.RECORD, stages.OWN_SAT)
    return Done(
        f"same identity, {len(channels.open)} channels of which {len(channels.active)} active (before: {wanted}), "
        f"{own} sat (before: {was}, sent since: {-(-facts.sent_msat // 1000)})"
    )


def _lost(node: LndNode, facts: Facts, channels: Channels, funds: Funds, info: Info) -> str | None:
    """What is not as it was, and what to do."""
    if (before := stages.kept(node, stages.RECORD, stages.IDENTITY)) not in (None, info.identity_pubkey):
        return f"LND answers as {info.identity_pubkey} and was {before}: nothing is paid through it. See its status"
    if (forgotten := _forgotten(facts, channels)) and isinstance(facts.closures, Unknown):
        return f"LND does not say whether channel {forgotten[0]} was closed ({facts.closures.reason})"
    if forgotten:
        return (
            f"LND no longer knows channel {forgotten[0]} ({len(forgotten)} in all) that the stored backup has: do not "
            f"delete anything. Compare Secret {names.channel_backup(node.name, facts.generation).name} with lncli "
            "closedchannels"
        )
    if (short := _short_sat(node, facts, channels, funds)) > 0:
        return (
            f"LND holds {short} sat less than before it was stopped, and no Lightning payment explains it: an on-chain "
            "one would. Compare its balances with the books. LND runs; cancel this plan once it is explained"
        )
    return None


def enable(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """The network may use the channels again; LND itself sees to those whose peers are away."""
    if not isinstance(facts.announced, Announced) or not isinstance(facts.channels, Channels):
        return Wait("LND does not say what the network is told", SOON)
    if obstacle := first(checks.OBSTACLES, node, facts):
        return Wait(obstacle.message, SOON)
    waiting = len(facts.announced.disabled & facts.channels.active)
    if waiting:
        # The action looks itself at what LND announces then.
        seen = f"{waiting} public channels were to be enabled: LND was told, and announces none as disabled whose peer "
        told = f"the network is told to use {waiting} channels again"
        return Do((stages.ENABLES,), told, then=Done(f"{seen}is there"))
    away = len(facts.announced.disabled)
    later = f"; {away} follow when their peers are back" if away else ""
    return Done(f"{len(facts.announced.enabled)} public channels are announced as enabled{later}")


def _forgotten(facts: Facts, channels: Channels) -> list[str]:
    stored = facts.backup.outpoints if facts.backup else frozenset()
    # The backup of a node without channels has still those that it had last.
    closed = () if isinstance(facts.closures, Unknown) else facts.closures
    return sorted(stored - channels.to_back_up - channels.closing - {one.outpoint for one in closed})


def _short_sat(node: LndNode, facts: Facts, channels: Channels, funds: Funds) -> int:
    """What is missing beyond payments sent, payments that were on their way, and rounding."""
    words = (stages.OWN_SAT, stages.UNSETTLED_SAT, stages.HTLCS)
    own, unsettled, htlcs = (int(stages.kept(node, stages.RECORD, word) or 0) for word in words)
    sent_msat = 0 if isinstance(facts.sent_msat, Unknown) else facts.sent_msat
    explained = unsettled + -(-sent_msat // 1000) + len(channels.open) + len(channels.htlcs) + htlcs
    return own - explained - funds.own_sat - funds.commit_fees_sat
