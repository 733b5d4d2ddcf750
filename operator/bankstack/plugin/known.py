"""What people may name: the kinds of a bank, as kubectl lets them be written (pure).

A table of its own, so that a command starts without the models of every kind; a test
holds it against them.
"""

from dataclasses import dataclass
from typing import Final

from bankstack.engine.objects import API_VERSION, CHANGE_PLAN, Ref, Type


class Usage(Exception):
    """What was typed makes no sense; one sentence with the cure."""


@dataclass(frozen=True)
class Known:
    """A kind, by the names that kubectl knows."""

    type: Type
    short: str

    @property
    def names(self) -> frozenset[str]:
        """Small letters."""
        return frozenset({self.type.kind.lower(), self.type.plural, self.short})

    @property
    def page(self) -> str:
        """Where to read on."""
        return f"docs/{self.type.kind.lower()}.md"


PLAN: Final = Known(CHANGE_PLAN, "plan")
#: What people declare, in the order a bank is built.
BANK: Final = (
    Known(Type(API_VERSION, "ColdWallet", "coldwallets"), "cw"),
    Known(Type(API_VERSION, "LndNode", "lndnodes"), "lnd"),
    Known(Type(API_VERSION, "LedgerCluster", "ledgerclusters"), "ledger"),
    Known(Type(API_VERSION, "ApiDeployment", "apideployments"), "api"),
)
_EVERY: Final = (*BANK, PLAN)


def named(text: str) -> tuple[Known, Ref]:
    """Which object `KIND/NAME` is. Raises Usage."""
    kind, slash, name = text.partition("/")
    if not slash or not name or "/" in name:
        raise Usage(f"{text!r} names no resource: write KIND/NAME, like lndnode/lnd1 ({_kinds()})")
    # `kubectl get bank` writes lndnode.bankstack.io/lnd1, and people copy that.
    wanted = kind.partition(".")[0].lower()
    known = next((one for one in _EVERY if wanted in one.names), None)
    if known is None:
        raise Usage(f"{kind!r} is no kind of a bank: there are {_kinds()}")
    return known, Ref(known.type, name)


def written(kind: str, name: str) -> str:
    """The other way round."""
    return f"{kind.lower()}/{name}"


def _kinds() -> str:
    return ", ".join(one.type.kind.lower() for one in _EVERY)
