"""The declared LedgerCluster, by its types (pure)."""

from typing import TypeAlias

from bankstack.engine.declared import Declared
from bankstack.kinds.ledgercluster.model import LedgerClusterSpec, LedgerClusterStatus

LedgerCluster: TypeAlias = Declared[LedgerClusterSpec, LedgerClusterStatus]
