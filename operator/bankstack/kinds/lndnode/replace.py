"""Operation Replace of an LndNode (pure): channels closed, coins sent away, and a new identity in its place.

Until the first channel is asked to be closed everything can be given up. What is closed
stays closed: a plan that is cancelled then leaves a node with fewer channels, or none.
"""

from collections.abc import Mapping
from typing import Final

from bankstack.clients.lnd.answers import Channels, Funds
from bankstack.engine.address import is_address
from bankstack.engine.finding import first
from bankstack.engine.operation import Cancel, Impact, Proposal, Step
from bankstack.kinds.lndnode import carriers, checks, htlcs, leaving, recycle, stages, successor, template
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.model import RETIRED_MOST
from bankstack.kinds.lndnode.subject import LndNode

STEPS: Final = (
    Step(stages.CHECK, recycle.check, Cancel.DURING),
    Step(stages.DIVERT, recycle.divert, Cancel.DURING),
    Step(stages.DISABLE, recycle.disable, Cancel.DURING),
    Step(stages.DRAIN, leaving.drain, Cancel.DURING),
    Step(stages.CLOSE, leaving.close, Cancel.DURING),
    Step(stages.BURY, leaving.bury, Cancel.DURING),
    Step(stages.SWEEP, leaving.sweep, Cancel.DURING),
    Step(stages.ACCOUNT, leaving.account, Cancel.DURING),
    Step(stages.STOP, recycle.stop, Cancel.BEFORE),
    Step(stages.RETIRE, successor.retire, Cancel.BEFORE),
    Step(stages.RENEW, successor.renew, Cancel.DURING),
    Step(stages.START, successor.start, Cancel.DURING),
    Step(stages.FRESH, successor.fresh, Cancel.DURING),
)
PARAMETERS: Final = frozenset({carriers.CARRIER, leaving.DESTINATION, leaving.FEE_RATE})
FEE_RATE_MOST: Final = 1000


def replace(node: LndNode, facts: Facts, parameters: Mapping[str, str]) -> Proposal:
    """What a replacement would do now, and cost."""
    refusals = tuple(filter(None, (_parameters(node, parameters), _seed(node), _enough(node))))
    obstacle = first((*checks.OBSTACLES, *checks.SHORTFALLS), node, facts)
    endpoint = facts.chain.endpoint
    if obstacle or endpoint is None:
        return Proposal(refusals=refusals, waits=(obstacle.message if obstacle else "its bitcoind is not known",))
    if not isinstance(facts.channels, Channels) or not isinstance(facts.funds, Funds):
        return Proposal(refusals=refusals, waits=("LND does not say what it holds: it is asked again",))
    missing = carriers.missing(facts, parameters)
    return Proposal(
        steps=tuple(step.name for step in STEPS),
        impact=_impact(facts.channels, facts.funds),
        uses={
            "destination": parameters.get(leaving.DESTINATION, ""),
            "fees": _fees(parameters),
            "retires": node.status.identity_pubkey or "",
            "version": node.spec.version,
            template.DECLARED: template.declared(node, endpoint),
            "carriedBy": carriers.planned(facts),
        },
        refusals=refusals,
        waits=(missing,) if missing else (),
        windows=tuple(htlcs.recycle(node).windows or ()),
    )


def _fees(parameters: Mapping[str, str]) -> str:
    rate = parameters.get(leaving.FEE_RATE)
    return f"{rate} sat/vB" if rate else "as LND estimates them for 6 blocks"


def _impact(channels: Channels, funds: Funds) -> dict[str, Impact]:
    count, stakes = len(channels.open), channels.stakes.values()
    own, reserved = sum(one.own_sat for one in stakes), sum(one.reserved_sat for one in stakes)
    on_chain = funds.on_chain_sat
    return {
        # For good: they cannot be had back, only opened anew.
        "channelsClosed": Impact(count, count + count // 4 + 5),
        "channelSats": Impact(own, own + own // 4 + 1_000_000),
        "onchainSats": Impact(on_chain, on_chain + on_chain // 4 + 1_000_000),
        # What the node as opener has set aside for the ends of its channels: their fees are of this order.
        "reservedForClosingSats": Impact(reserved, 2 * reserved + 100_000),
        "pendingHtlcs": Impact(len(channels.htlcs), 2 * len(channels.htlcs) + 50),
    }


def _parameters(node: LndNode, parameters: Mapping[str, str]) -> str | None:
    destination, rate = parameters.get(leaving.DESTINATION), parameters.get(leaving.FEE_RATE)
    if unknown := sorted(parameters.keys() - PARAMETERS):
        return f"Replace takes parameters {', '.join(sorted(PARAMETERS))}, and {', '.join(unknown)} is given"
    if destination is None:
        return f"Replace sends all coins away: parameter {leaving.DESTINATION} has to be an address of another wallet"
    if not is_address(destination, node.spec.network):
        return (
            f"parameter {leaving.DESTINATION} is no address of {node.spec.network} ({destination[:100]}): coins sent "
            "there would be lost. Correct it"
        )
    if rate is not None and not (rate.isascii() and rate.isdigit() and 1 <= int(rate) <= FEE_RATE_MOST):
        return f"parameter {leaving.FEE_RATE} has to be a whole number of sat/vB from 1 to {FEE_RATE_MOST}"
    return carriers.refused(parameters)


def _seed(node: LndNode) -> str | None:
    if node.spec.wallet.create:
        return None
    return (
        f"the seed of {node.name} was brought along, and the next one would be made by the operator, where your own "
        "backup of seeds does not have it. If that is wanted set spec.wallet.create: true, then make another plan; "
        "if not, make a new LndNode with a Secret of its own beside this one"
    )


def _enough(node: LndNode) -> str | None:
    if len(node.status.retired or ()) < RETIRED_MOST:
        return None
    return f"{node.name} was replaced {RETIRED_MOST} times already: make a new LndNode beside it"
