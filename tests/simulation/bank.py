"""A bank in memory: every kind with the software they run, and the samples that users apply."""

from collections.abc import Callable
from typing import Any, Final

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, POD, Manifest, Type
from bankstack.engine.ports import Kind, resource_type
from bankstack.kinds.apideployment import kind as apideployment
from bankstack.kinds.apideployment.model import RESOURCE as API_DEPLOYMENTS
from bankstack.kinds.coldwallet import kind as coldwallet
from bankstack.kinds.coldwallet.model import RESOURCE as COLD_WALLETS
from bankstack.kinds.ledgercluster import kind as ledgercluster
from bankstack.kinds.ledgercluster.model import RESOURCE as LEDGER_CLUSTERS
from bankstack.kinds.lndnode import kind as lndnode
from bankstack.kinds.lndnode.model import RESOURCE as LND_NODES
from tests.misoperations import sample

from .apiserver import Key
from .bitcoind import Bitcoinds
from .line import Line
from .lnd import Lnds
from .lnd_disk import Disk
from .mongod import Mongods
from .pods import Software
from .programs import Programs
from .redis import Redises
from .store import Stores
from .witness import Witness
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
    "lnd CloseChannel",
    "lnd SendCoins",
    "s3 put",
    "mongo initiate",
    "mongo add_voter",
    "mongo set_policy",
    "mongo put_user",
    "mongo drop_user",
)
COLD_WALLET, LND_NODE = resource_type(COLD_WALLETS), resource_type(LND_NODES)
LEDGER_CLUSTER, API_DEPLOYMENT = resource_type(LEDGER_CLUSTERS), resource_type(API_DEPLOYMENTS)
TYPES: Final = {of.kind: of for of in (COLD_WALLET, LND_NODE, LEDGER_CLUSTER, API_DEPLOYMENT)}
#: Samples that come up together: those with keys, the books alone, the whole bank.
WALLETS, LEDGER, WHOLE = ("vault", "lnd1"), ("ledger",), ("vault", "lnd1", "lnd2", "ledger", "bank")
COMPONENTS: Final = ("migrate", "api", "trigger", "history")


class Bank(World):
    """A world with resources of all kinds in it."""

    def __init__(self, **world: Any) -> None:  # noqa: ANN401 - as World takes them
        self.bitcoinds, self.lnds, self.mongods, self.redises = Bitcoinds(), Lnds(), Mongods(), Redises()
        self.stores = Stores()
        self.programs = Programs(self.mongods, self.redises, *COMPONENTS)
        programs = (self.bitcoinds, self.lnds, self.mongods, self.redises)
        self.software = Software(*programs, *self.programs.all)
        for one in (*programs, self.programs):
            one.software = self.software
        #: The samples that somebody has applied.
        self.opened: tuple[str, ...] = ()
        made = (self._cold_wallets, self._lnd_nodes, self._ledger_clusters, self._api_deployments)
        super().__init__(*made, outside=self.software, healthy=self.programs.healthy, **world)
        self.witness = Witness(self.server)
        self.server.watchers.append(self.witness.see)

    def _cold_wallets(self, line: Line) -> Kind:
        return coldwallet.kind(self.bitcoinds.connect(line))

    def _lnd_nodes(self, line: Line) -> Kind:
        return lndnode.kind(self.lnds.doors(line, self.stores, self._clock))

    def _ledger_clusters(self, line: Line) -> Kind:
        return ledgercluster.kind(self.mongods.doors(line))

    def _api_deployments(self, line: Line) -> Kind:
        return apideployment.kind(self.redises.doors(line))

    def opens(self, *names: str) -> "Bank":
        """Somebody applies samples: the wallets, if nothing else is said."""
        for name in names or WALLETS:
            self.applies(declared(name))
            self.opened = (*self.opened, *(() if name in self.opened else (name,)))
        return self

    def applies(self, manifest: Manifest) -> None:
        self.user_applies(TYPES[manifest["kind"]], manifest)

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
        self.server.edit(self.sample(name), lambda one: change(one["spec"]), "kubectl-edit")

    def deletes(self, *names: str) -> None:
        """Somebody deletes samples."""
        for name in names:
            self.server.delete(self.sample(name))

    def sample(self, name: str) -> Key:
        """Where a sample is."""
        return self.key(of_sample(name), name)

    def status(self, name: str) -> Manifest:
        """What a sample says of itself."""
        return dict((self.server.get(self.sample(name)) or {}).get("status", {}))

    def conditions(self, name: str) -> dict[str, tuple[str, str]]:
        """Of a sample: type → status and reason."""
        return {one["type"]: (one["status"], one["reason"]) for one in self.status(name).get("conditions", [])}

    def is_ready(self, *names: str) -> bool:
        return all(self.conditions(name).get("Ready", ("",))[0] == "True" for name in names or self.opened)

    def said(self) -> dict[str, Any]:
        """Of every sample, why it is as it is: for those who read a failure."""
        return {name: self.conditions(name) for name in self.opened}


def of_sample(name: str) -> Type:
    """Which kind a sample is of; any other name is a Lightning node's."""
    return {"vault": COLD_WALLET, "ledger": LEDGER_CLUSTER, "bank": API_DEPLOYMENT}.get(name, LND_NODE)


def declared(name: str) -> Manifest:
    """A sample as it is applied; the bank's API with both nodes."""
    manifest = sample(name)
    if name == "bank":
        second = {"node": "lnd2", "roles": ["offchain"]}
        manifest["spec"]["lightning"] = [*manifest["spec"]["lightning"], second]
    return manifest


_UP: Final[dict[tuple[str, ...], Bank]] = {}


async def up(*names: str) -> Bank:
    """A bank in which these samples came up: a copy of one, in which no call was made yet."""
    if names not in _UP:
        _UP[names] = await Bank().opens(*names).settle(2000)
    bank = _UP[names].forked()
    bank.calls.made.clear()
    return bank
