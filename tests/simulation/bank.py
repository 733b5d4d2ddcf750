"""A bank in memory: both kinds with the software they run, and the samples that users apply."""

from collections.abc import Callable
from typing import Any, Final

from bankstack.engine.objects import Manifest
from bankstack.engine.ports import Kind, resource_type
from bankstack.kinds.coldwallet import kind as coldwallet
from bankstack.kinds.coldwallet.model import RESOURCE as COLD_WALLETS
from bankstack.kinds.lndnode import kind as lndnode
from bankstack.kinds.lndnode.model import RESOURCE as LND_NODES
from tests.misoperations import sample

from .apiserver import Key
from .bitcoind import Bitcoinds
from .line import Line
from .lnd import Lnds
from .pods import Software
from .world import World

#: How the calls begin that change something.
WRITES: Final = (
    "apply",
    "create",
    "delete",
    "status",
    "finalize",
    "bitcoind create",
    "bitcoind import",
    "lnd Init",
    "lnd Bake",
)
COLD_WALLET, LND_NODE = resource_type(COLD_WALLETS), resource_type(LND_NODES)


class Bank(World):
    """A world with ColdWallets and LndNodes in it."""

    def __init__(self, **world: Any) -> None:  # noqa: ANN401 - as World takes them
        self.bitcoinds, self.lnds = Bitcoinds(), Lnds()
        self.software = Software(self.bitcoinds, self.lnds)
        self.bitcoinds.software = self.lnds.software = self.software
        super().__init__(self._cold_wallets, self._lnd_nodes, outside=self.software, **world)

    def _cold_wallets(self, line: Line) -> Kind:
        return coldwallet.kind(self.bitcoinds.connect(line))

    def _lnd_nodes(self, line: Line) -> Kind:
        return lndnode.kind(self.lnds.doors(line))

    def opens(self, *names: str) -> "Bank":
        """Somebody applies samples: vault, lnd1."""
        for name in names or ("vault", "lnd1"):
            self.applies(sample(name))
        return self

    def applies(self, manifest: Manifest) -> None:
        of = COLD_WALLET if manifest["kind"] == "ColdWallet" else LND_NODE
        self.user_applies(of, manifest)

    def changes(self, name: str, change: Callable[[Manifest], object]) -> None:
        """Somebody edits a sample's spec."""
        self.server.edit(self._sample(name), lambda one: change(one["spec"]), "kubectl-edit")

    def deletes(self, *names: str) -> None:
        """Somebody deletes samples."""
        for name in names:
            self.server.delete(self._sample(name))

    def _sample(self, name: str) -> Key:
        return self.key(COLD_WALLET if name == "vault" else LND_NODE, name)

    def status(self, name: str) -> Manifest:
        """What a sample says of itself."""
        return dict((self.server.get(self._sample(name)) or {}).get("status", {}))

    def conditions(self, name: str) -> dict[str, tuple[str, str]]:
        """Of a sample: type → status and reason."""
        return {one["type"]: (one["status"], one["reason"]) for one in self.status(name).get("conditions", [])}

    def is_ready(self, *names: str) -> bool:
        return all(self.conditions(name).get("Ready", ("",))[0] == "True" for name in names or ("vault", "lnd1"))
