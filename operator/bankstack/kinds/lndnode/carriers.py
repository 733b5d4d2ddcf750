"""Who carries payments while a node is away, and whether those who make them know (pure).

A bank that pays through two nodes loses no payment when one is restarted, if the other
can carry them: that is looked at before anything is begun and directly before LND is
stopped. Who wants a restart nonetheless says so in the plan, and approvers read it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from bankstack.clients.lnd.answers import Channels
from bankstack.engine.conditions import Claim
from bankstack.kinds.lndnode.facts import Facts, User
from bankstack.kinds.lndnode.model import Liquidity
from bankstack.kinds.lndnode.subject import LndNode

#: The plan's parameter, and its one value: nobody has to carry payments.
CARRIER, NOBODY = "carrier", "nobody"
#: The condition with which a node says that it could.
CARRIES: Final = "CarriesPayments"


def refused(parameters: Mapping[str, str]) -> str | None:
    """What to say of a value that means nothing."""
    if parameters.get(CARRIER, NOBODY) == NOBODY:
        return None
    return f"parameter {CARRIER} can only be {NOBODY}: nobody has to carry payments meanwhile"


def missing(facts: Facts, parameters: Mapping[str, str]) -> str | None:
    """Whose payments nobody would carry, though another node is there for it; why, and what to do."""
    if parameters.get(CARRIER) == NOBODY:
        return None
    found = next((one for one in facts.users if one.others and not one.carriers), None)
    if found is None:
        return None
    name, obstacle = next(iter(found.others.items()))
    return (
        f"ApiDeployment {found.name} also pays through LndNode {name}, and that cannot carry its payments now: "
        f"{obstacle}. It is waited for; to do without, make the plan with parameter {CARRIER}: {NOBODY}"
    )


def beside(facts: Facts, parameters: Mapping[str, str], running: Collection[str]) -> str | None:
    """Whose payments nobody would carry beside the plans that run: of two nodes one is stopped after the other."""
    if parameters.get(CARRIER) == NOBODY:
        return None
    for one in facts.users:
        taken = [name for name in one.others if f"LndNode {name}" in running]
        if taken and not set(one.carriers) - set(taken):
            return (
                f"nothing is missing: it begins when the ChangePlan of LndNode {taken[0]} has ended, for ApiDeployment "
                f"{one.name} pays through no other meanwhile"
            )
    return None


def planned(facts: Facts) -> str:
    """Who is to take whose payments over: as declared, for what can carry them now is another every minute."""
    return _listed((one.name, tuple(one.others)) for one in facts.users)


def told(facts: Facts) -> str:
    """Who takes whose payments over now."""
    return _listed((one.name, one.carriers) for one in facts.users)


def _listed(carried: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    return ", ".join(f"{name}: {' or '.join(by) or NOBODY}" for name, by in carried) or "no API pays through it"


def unaware(users: Iterable[User]) -> tuple[User, ...]:
    """Those that have not said that their pods leave the node alone."""
    return tuple(one for one in users if not one.avoids)


def claim(node: LndNode, facts: Facts) -> Claim:
    """Whether it could carry another node's payments: its peers are there, and coins on both sides."""
    channels, wanted = facts.channels, node.spec.liquidity or Liquidity()
    if not isinstance(channels, Channels):
        return Claim(CARRIES, "Unknown", "LndSilent", "LND has not said what it holds")
    if not channels.active:
        return Claim(CARRIES, "False", "NoActiveChannel", "no channel is active: nothing can be paid through it")
    if channels.sendable_sat < wanted.min_outbound_sat:
        return Claim(CARRIES, "False", "LowOutbound", _short("can send", "minOutboundSat", wanted.min_outbound_sat))
    if channels.receivable_sat < wanted.min_inbound_sat:
        return Claim(CARRIES, "False", "LowInbound", _short("can receive", "minInboundSat", wanted.min_inbound_sat))
    return Claim(CARRIES, "True", "Liquid", "its channels can carry another node's payments")


def _short(what: str, field: str, least: int) -> str:
    # Without the amount: it changes with every payment, and the status would be written with it.
    return f"the node {what} less than liquidity.{field} ({least} sat): move coins, or open a channel"
