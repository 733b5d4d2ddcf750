"""A bank in memory: both kinds with the software they run, and the samples that users apply."""

from collections.abc import Callable
from typing import Any, Final

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, POD, Manifest
from bankstack.engine.ports import Kind, resource_type
from bankstack.kinds.coldwallet import kind as coldwallet
from bankstack.kinds.coldwallet.model import RESOURCE as COLD_WALLETS
from bankstack.kinds.lndnode import kind as lndnode
from bankstack.kinds.lndnode.model import RESOURCE as LND_NODES
from tests.misoperations import sample

from .apiserver import Key
from .bitcoind import Bitcoinds
from .line import Line
from .lnd import Disk, Lnds
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
    "lnd Update",
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

    def channels(self, *outpoints: str, sat: int = 1_000_000) -> None:
        """Peers opened channels with LND."""
        disk = self.disk
        disk.channels |= set(outpoints)
        disk.local_sat += sat

    @property
    def disk(self) -> Disk:
        """What LND has on its volume."""
        (disk,) = self.lnds.disks.values()
        return disk

    def asks(self, name: str = "restart", **spec: Any) -> None:  # noqa: ANN401 - of a ChangePlan
        """Alice makes a ChangePlan."""
        asked = {
            "target": {"kind": "LndNode", "name": "lnd1"},
            "operation": "Restart",
            "requestedBy": "alice",
            "notAfter": "2026-03-02T00:00:00Z",
            "reason": "the database has grown",
        }
        head = {"apiVersion": CHANGE_PLAN.api_version, "kind": CHANGE_PLAN.kind}
        self.user_applies(CHANGE_PLAN, {**head, "metadata": {"name": name}, "spec": asked | spec})

    def plan(self, name: str = "restart") -> Manifest:
        """What a plan says of itself."""
        return dict((self.live(CHANGE_PLAN, name) or {}).get("status", {}))

    def approves(self, name: str = "restart", by: str = "bob", **spec: Any) -> None:  # noqa: ANN401 - of a PlanApproval
        """Somebody agrees to a plan as it is shown."""
        given = {"plan": name, "hash": self.plan(name).get("hash"), "approver": by} | spec
        head = {"apiVersion": PLAN_APPROVAL.api_version, "kind": PLAN_APPROVAL.kind}
        number = len([key for key in self.server.all() if key.type == PLAN_APPROVAL])
        self.user_applies(PLAN_APPROVAL, {**head, "metadata": {"name": f"{name}-{number}"}, "spec": given})

    def is_cut_off(self) -> None:
        """Nobody reaches the node of LND's pod any more; LND runs on."""
        pod = self.live(POD, "lnd1-0")
        assert pod is not None
        self.server.cut_off.add(pod["metadata"]["uid"])
        self.lnds.haunted |= self.lnds.disks.keys()

    def force_deletes(self) -> None:
        """Somebody deletes LND's pod by force: only a finalizer keeps the object."""
        key = self.key(POD, "lnd1-0")
        self.server.delete(key)
        if not self.server.objects[key].manifest["metadata"].get("finalizers"):
            self.server.remove(key)

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
