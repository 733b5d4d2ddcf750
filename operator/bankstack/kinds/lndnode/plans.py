"""What a ChangePlan may ask of an LndNode, and what each of its steps looks for (pure).

Restart takes payments elsewhere, lets those on their way end, stores a backup, stops LND
with proof, writes the template anew as it was approved, and lets LND go on: the same
identity, channels and balances. What cannot be proved keeps the plan where it is, with
the sentence that says what is missing.
"""

from collections.abc import Mapping
from typing import Final

from bankstack.clients.lnd.answers import Channels, Funds
from bankstack.engine.finding import Unknown, first
from bankstack.engine.objects import digest
from bankstack.engine.operation import Cancel, Impact, Operation, Proposal, Risk, Step
from bankstack.kinds.lndnode import (
    carriers,
    checks,
    htlcs,
    recycle,
    recycled,
    releases,
    replace,
    stages,
    stopping,
    template,
    versions,
    wishes,
)
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

#: What a restart usually takes, in seconds: measured in the lab, and no promise.
USUAL_SECONDS: Final = 60
#: Letters of what a plan says it relies on, each.
USES_MOST: Final = 1024

STEPS: Final = (
    Step(stages.CHECK, recycle.check, Cancel.DURING),
    Step(stages.DIVERT, recycle.divert, Cancel.DURING),
    Step(stages.DISABLE, recycle.disable, Cancel.DURING),
    Step(stages.DRAIN, recycle.drain, Cancel.DURING),
    Step(stages.BACKUP, recycle.backup, Cancel.DURING),
    Step(stages.RECORD, recycle.record, Cancel.DURING),
    # Once LND is being stopped there is no way back before its end is proved.
    Step(stages.STOP, recycle.stop, Cancel.BEFORE),
    Step(stages.RENEW, recycled.renew, Cancel.DURING),
    Step(stages.START, recycled.start, Cancel.DURING),
    Step(stages.RECONCILE, recycled.reconcile, Cancel.DURING),
    Step(stages.ENABLE, recycled.enable, Cancel.DURING),
)


def restart(node: LndNode, facts: Facts, parameters: Mapping[str, str]) -> Proposal:
    """What a restart would do now, and cost."""
    refusals = tuple(filter(None, (_parameters(parameters), releases.downgrade(node, facts))))
    obstacle = first((*checks.OBSTACLES, *checks.SHORTFALLS), node, facts)
    endpoint = facts.chain.endpoint
    if obstacle or endpoint is None:
        why = obstacle.message if obstacle else "its bitcoind is not known"
        return Proposal(refusals=refusals, waits=(why,))
    waits = (_silent(facts), stopping.stranded(facts), carriers.missing(facts, parameters))
    return Proposal(
        steps=tuple(step.name for step in STEPS),
        impact=_impact(node, facts),
        uses={
            "version": node.spec.version,
            stages.TEMPLATE: template.wish_digest(node, endpoint, facts.generation),
            "change": _cut(", ".join(template.pending(node, facts, endpoint))) or "none",
            **_migration(node, facts),
            "carriedBy": _cut(carriers.planned(facts)),
            "maxDowntimeBlocks": str(htlcs.recycle(node).max_downtime_blocks),
            "drainTimeout": htlcs.recycle(node).drain_timeout,
        },
        refusals=refusals,
        waits=tuple(filter(None, waits)),
        windows=tuple(htlcs.recycle(node).windows or ()),
    )


def _cut(text: str) -> str:
    """What a plan has room for; what is cut off makes another plan all the same."""
    return text if len(text) <= USES_MOST else f"{text[: USES_MOST - 32]}… ({digest(text)})"


def _parameters(parameters: Mapping[str, str]) -> str | None:
    if unknown := sorted(parameters.keys() - {carriers.CARRIER}):
        return f"Restart takes parameter {carriers.CARRIER} and no other, and {', '.join(unknown)} is given"
    return carriers.refused(parameters)


def _migration(node: LndNode, facts: Facts) -> dict[str, str]:
    """What approvers of a newer release have to know."""
    ran = releases.ran(node, facts)
    if not versions.migrates(ran, node.spec.version):
        return {}
    return {"migration": f"the database is changed from {ran} to {node.spec.version}: there is no way back"}


def _silent(facts: Facts) -> str | None:
    for answer in (facts.info, facts.funds, facts.channels):
        if isinstance(answer, Unknown):
            return f"LND does not say what it holds ({answer.reason}): it is asked again"
    return None


def _impact(node: LndNode, facts: Facts) -> dict[str, Impact]:
    if not isinstance(facts.channels, Channels) or not isinstance(facts.funds, Funds):
        return {}
    channels, on_their_way = len(facts.channels.open), len(facts.channels.htlcs)
    in_channels = facts.funds.local_sat + facts.funds.remote_sat
    seconds = node.status.last_downtime_seconds or USUAL_SECONDS
    most_seconds = htlcs.needed_blocks(node) * htlcs.BLOCK_SECONDS
    return {
        "channels": Impact(channels, channels + channels // 4 + 5),
        "channelSats": Impact(in_channels, in_channels + in_channels // 4 + 1_000_000),
        "pendingHtlcs": Impact(on_their_way, 2 * on_their_way + 50),
        "expectedDowntimeSeconds": Impact(seconds, max(seconds, most_seconds)),
    }


#: Everything that plans may ask: what is not here is Refused with a sentence.
OPERATIONS: Final[Mapping[str, Operation]] = {
    "Restart": Operation(Risk.AMBER, STEPS, restart, wishes.wishes, carriers.beside),
    "Replace": Operation(Risk.RED, replace.STEPS, replace.replace, beside=carriers.beside),
}
