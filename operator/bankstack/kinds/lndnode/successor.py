"""The steps of a Replace from LND's end on (pure): the old wallet is kept for ever, the next one is made beside it.

The tombstone is the turning point: it is made once and never written over, and from the
moment it is there every name that `decide` uses is the next wallet's. Before it, whatever
becomes of the plan starts the old wallet on its old volume; after it, never again.
"""

from datetime import datetime
from typing import Final

from bankstack.clients.lnd.answers import Info
from bankstack.engine.conditions import moment, stamp
from bankstack.engine.decision import Ask
from bankstack.engine.finding import first
from bankstack.engine.operation import Do, Done, Verdict, Wait
from bankstack.kinds.lndnode import checks, names, pinned, stages, template
from bankstack.kinds.lndnode.facts import Facts, Tombstone
from bankstack.kinds.lndnode.subject import LndNode

SOON: Final = 1.0


def retire(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """Seed, password and newest channel backup are kept apart, under the old identity's name."""
    if stages.pod(node, facts) is not None:
        return Wait("LND has ended, and what is left of its pod goes", SOON)
    live = facts.children.get(names.stateful_set(node.name))
    if live is not None and live["spec"].get("replicas") != 0:
        return Wait("LND is kept stopped", SOON)
    stone = _tombstone(node, facts)
    if stone is None:
        words = {
            "identity": _former(node),
            "generation": str(facts.generation + 1),
            "at": stamp(stages.since(node, now)),
            "plan": node.plan.name if node.plan else "",
        }
        return Do(
            (Ask("retire_identity", "Plan", words),), "the tombstone is being made: seed, password and channel backup"
        )
    former = stone.successor - 1
    return Done(
        f"{stone.identity} is retired: Secret {stone.secret} has its password, seed and, if there was one, channel "
        f"backup. Secret {names.wallet(node.spec.wallet.secret, former)} and volume "
        f"{names.volume(node.name, former).name} stay too"
    )


def renew(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """Password and volume of the next wallet are there, and LND's template has these and no others."""
    if stages.pod(node, facts) is not None:
        return Wait("what is left of LND's pod goes", SOON)
    if _tombstone(node, facts) is None:
        return Wait(f"the tombstone of {_former(node)} is not there: nothing is made until it is", SOON)
    if obstacle := first(checks.OBSTACLES, node, facts):
        return Wait(obstacle.message, SOON)
    if lacking := _unwritten(node, facts):
        return Wait(lacking, SOON)
    return Done(f"Secret {pinned.secret(node, facts)} and volume {pinned.volume(node, facts)} are the next wallet's")


def _unwritten(node: LndNode, facts: Facts) -> str | None:
    live, endpoint = facts.children.get(names.stateful_set(node.name)), facts.chain.endpoint
    if facts.wallet is None or names.volume(node.name, facts.generation) not in facts.children:
        return "password and volume of the next wallet are being made"
    if endpoint and (another := template.not_as_approved(node, facts, endpoint)):
        return f"{another}: the next wallet is not started so. Put the spec back, or cancel the plan"
    if live is None or endpoint is None or not template.is_written(node, live, endpoint, facts.generation):
        return "LND's template is written for the next wallet"
    return None


def start(node: LndNode, facts: Facts, now: datetime) -> Verdict:
    """LND runs with a wallet that was just made, serves and sees the tip."""
    obstacle = first((*checks.OBSTACLES, *checks.SHORTFALLS), node, facts)
    if obstacle or not isinstance(facts.info, Info):
        return Wait(obstacle.message if obstacle else "LND does not answer yet", SOON)
    at = stages.kept(node, stages.ACCOUNT, stages.AT)
    away = int((now - moment(at)).total_seconds()) if at else 0
    return Done(f"LND serves, synced at height {facts.info.block_height}; it was away for {away} s")


def fresh(node: LndNode, facts: Facts, _now: datetime) -> Verdict:
    """It is somebody new, and that is written down everywhere."""
    known = pinned.pins(node, facts)
    if not pinned.is_pinned(node, facts) or not isinstance(facts.info, Info):
        return Wait("the new identity is being written down", SOON)
    if {_former(node), *(one.identity for one in facts.tombstones)} & {facts.info.identity_pubkey, *known.values()}:
        return Wait("LND answers as an identity that was retired: nothing is paid through it. See the node's status")
    return Done(
        f"{facts.info.identity_pubkey} instead of {_former(node)}. It has no channel yet: open some, so that payments "
        "can be made through it"
    )


def _former(node: LndNode) -> str:
    return stages.kept(node, stages.ACCOUNT, stages.IDENTITY) or ""


def _tombstone(node: LndNode, facts: Facts) -> Tombstone | None:
    return next((one for one in facts.tombstones if one.identity == _former(node)), None)
