"""The table that the engine is handed: every kind, in the order a bank is built."""

from typing import Final

from bankstack.engine.ports import Kind
from bankstack.kinds.apideployment.kind import kind as api_deployment
from bankstack.kinds.coldwallet.kind import kind as cold_wallet
from bankstack.kinds.ledgercluster.kind import kind as ledger_cluster
from bankstack.kinds.lndnode.kind import kind as lnd_node

KINDS: Final[tuple[Kind, ...]] = (cold_wallet(), lnd_node(), ledger_cluster(), api_deployment())
