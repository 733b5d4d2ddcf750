"""The table that the engine is handed: every kind, in the order a bank is built.

What speaks to an outside system (gRPC, cryptography, MongoDB's and Redis' clients: 5
to 16 MiB each) is imported when the first resource of its kind is looked at: an
operator that has no ledger to run carries no ledger's client.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from bankstack.engine.objects import Type
from bankstack.engine.operation import Operation
from bankstack.engine.ports import Act, Kind
from bankstack.engine.schema import Resource
from bankstack.kinds.apideployment import model as apideployment
from bankstack.kinds.apideployment.names import CHILDREN as OF_AN_API_DEPLOYMENT
from bankstack.kinds.coldwallet.kind import kind as cold_wallet
from bankstack.kinds.ledgercluster import model as ledgercluster
from bankstack.kinds.ledgercluster.names import CHILDREN as OF_A_LEDGER_CLUSTER
from bankstack.kinds.lndnode import model as lndnode
from bankstack.kinds.lndnode.names import CHILDREN as OF_AN_LND_NODE

Named = TypeVar("Named")


@cache
def _lnd_node() -> Kind:
    from bankstack.kinds.lndnode.kind import kind  # noqa: PLC0415 - late, see above

    return kind()


@cache
def _ledger_cluster() -> Kind:
    from bankstack.kinds.ledgercluster.kind import kind  # noqa: PLC0415 - late, see above

    return kind()


@cache
def _api_deployment() -> Kind:
    from bankstack.kinds.apideployment.kind import kind  # noqa: PLC0415 - late, see above

    return kind()


def late(resource: Resource, children: tuple[Type, ...], row: Callable[[], Kind]) -> Kind:
    """A row that is `row()` once something is asked of it; what is watched is known before."""
    return Kind(
        resource=resource,
        children=children,
        observe=lambda subject, reader: row().observe(subject, reader),
        decide=lambda subject, facts, now: row().decide(subject, facts, now),
        act=LateActs(row),
        references=lambda spec: row().references(spec),
        heard_by=lambda status: row().heard_by(status),
        learns=lambda of, live: row().learns(of, live),
        gauges=lambda facts: row().gauges(facts),
        bounds=lambda subject: row().bounds(subject),
        operations=LateOperations(row),
        farewell=lambda subject, cluster: row().farewell(subject, cluster),
    )


@dataclass(frozen=True)
class Late(Mapping[str, Named]):
    """A mapping of the row, once something in it is asked for."""

    row: Callable[[], Kind]

    @abstractmethod
    def whole(self) -> Mapping[str, Named]:
        """Which one."""

    def __getitem__(self, name: str) -> Named:
        return self.whole()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def __len__(self) -> int:
        return len(self.whole())


class LateActs(Late[Act]):
    """The row's own actions."""

    def whole(self) -> Mapping[str, Act]:
        """Which one."""
        return self.row().act


class LateOperations(Late[Operation]):
    """What plans may ask of the row's kind."""

    def whole(self) -> Mapping[str, Operation]:
        """Which one."""
        return self.row().operations


KINDS: Final[tuple[Kind, ...]] = (
    cold_wallet(),
    late(lndnode.RESOURCE, OF_AN_LND_NODE, _lnd_node),
    late(ledgercluster.RESOURCE, OF_A_LEDGER_CLUSTER, _ledger_cluster),
    late(apideployment.RESOURCE, OF_AN_API_DEPLOYMENT, _api_deployment),
)
