"""One folder per resource, each with the same six doors (see docs/architecture.md)."""

from typing import Final

from bankstack.engine.schema import Resource
from bankstack.kinds.apideployment import model as apideployment
from bankstack.kinds.coldwallet import model as coldwallet
from bankstack.kinds.ledgercluster import model as ledgercluster
from bankstack.kinds.lndnode import model as lndnode

#: Every kind users declare, in the order a bank is built.
RESOURCES: Final[tuple[Resource, ...]] = (
    coldwallet.RESOURCE,
    lndnode.RESOURCE,
    ledgercluster.RESOURCE,
    apideployment.RESOURCE,
)
