"""What the bank's API may do, by what it depends on (pure).

    Full             everything that is declared
    ReceiveOnly      Lightning takes payments in and makes none
    IntraledgerOnly  customers pay each other; nothing enters or leaves
    ReadOnly         balances are shown; no money moves
    Closed           there are no books to look at

Nothing better is concluded from a silence, and nothing worse: where something is
unknown, what was said last stands, as far as what is known allows it (law 3).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment.model import Mode


class Standing(IntEnum):
    """How much of it is usable. PARTLY: a ledger that can only be read, a node that can only be paid."""

    DOWN = 0
    PARTLY = 1
    UP = 2


@dataclass(frozen=True)
class Dependency:
    """One thing that the API needs, and what there is to say of it. `told` is empty where all is well."""

    standing: Standing | Unknown
    told: str = ""


@dataclass(frozen=True)
class Needs:
    """All that the API needs. `lightning` are the nodes that make Lightning payments."""

    ledger: Dependency
    redis: Dependency
    lightning: tuple[Dependency, ...] = ()
    #: What is worth telling but restricts nothing by itself: the nodes above see its effect.
    others: tuple[Dependency, ...] = ()

    def each(self) -> tuple[Dependency, ...]:
        """All of them."""
        return (self.ledger, self.redis, *self.lightning, *self.others)


#: From the most to the least.
MODES: Final[tuple[Mode, ...]] = ("Full", "ReceiveOnly", "IntraledgerOnly", "ReadOnly", "Closed")


@dataclass(frozen=True)
class _World:
    """The needs with every silence filled in one way."""

    ledger: Standing
    redis: Standing
    lightning: tuple[Standing, ...]

    @property
    def best_node(self) -> Standing:
        # A bank that declares no Lightning node misses none.
        return max(self.lightning, default=Standing.UP)


#: The first that holds is the mode.
_TABLE: Final[tuple[tuple[Mode, Callable[[_World], bool]], ...]] = (
    ("Closed", lambda world: world.ledger == Standing.DOWN),
    ("ReadOnly", lambda world: world.ledger == Standing.PARTLY),
    # Without locks two payments could spend one balance.
    ("ReadOnly", lambda world: world.redis != Standing.UP),
    ("IntraledgerOnly", lambda world: world.best_node == Standing.DOWN),
    ("ReceiveOnly", lambda world: world.best_node == Standing.PARTLY),
    ("Full", lambda _world: True),
)


def derive(needs: Needs, last: Mode | None) -> Mode:
    """The mode now; `last` is what was said before."""
    best, worst = (_of(_world(needs, silent)) for silent in (Standing.UP, Standing.DOWN))
    if last is None:
        return worst
    return MODES[min(max(MODES.index(last), MODES.index(best)), MODES.index(worst))]


def reasons(needs: Needs) -> tuple[str, ...]:
    """One sentence for each thing that is not as it should be."""
    return tuple(one.told for one in needs.each() if one.told)


def _world(needs: Needs, silent: Standing) -> _World:
    return _World(
        _filled(needs.ledger, silent),
        _filled(needs.redis, silent),
        tuple(_each(needs.lightning, silent)),
    )


def _each(some: Iterable[Dependency], silent: Standing) -> Iterable[Standing]:
    return (_filled(one, silent) for one in some)


def _filled(one: Dependency, silent: Standing) -> Standing:
    return silent if isinstance(one.standing, Unknown) else one.standing


def _of(world: _World) -> Mode:
    return next(mode for mode, holds in _TABLE if holds(world))
