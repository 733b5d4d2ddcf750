"""The demo's one bank: what each step does to it. Whatever is there already is kept."""

import contextlib
import os
import shutil
import sys
import time
from dataclasses import dataclass, field

from demokit import board, payments, shipped
from demokit.kube import Kubectl, Room, eventually
from demokit.outside import MATURE, NAMESPACE, Outside
from demokit.payments import Customers
from demokit.requirements import Machine
from labkit import cli, cluster, engine, paths, preflight, run
from labkit.errors import StepFailed

BANK = "bank"
SAMPLE = paths.CHECKOUT / "manifests" / "samples" / "bank"
LAB = paths.CHECKOUT / "hack" / "lab"
IMAGES = ("lnd", "bitcoind", "mongo", "redis", "specter")
#: What only the images of ours are built from.
BASES = ("python", "node")
LND = ("lnd1", "lnd2")
CHANNEL_SAT = 10_000_000
READY_SECONDS = 420
#: LND and the API's programs stop in good order: a payment on its way takes up to 45 s.
STOP_SECONDS = 300


@dataclass
class Demo:
    """One bank, and what came of its customers' payments."""

    lab: Kubectl = field(default_factory=Kubectl)
    declared: float = 0
    """When, by the monotonic clock."""
    load: str = ""
    verdict: str = ""

    @property
    def bank(self) -> Room:
        """Its namespace."""
        return Room(self.lab, BANK)

    @property
    def outside(self) -> Outside:
        """The world around it."""
        return Outside(Room(self.lab, NAMESPACE))

    @property
    def customers(self) -> Customers:
        """Those who bring payments."""
        return Customers(self.outside, self.bank)

    @property
    def peer(self) -> str:
        """Where the miner's blocks reach the bank."""
        return f"vault-bitcoind-p2p.{BANK}.svc:18444"


def is_lab_up() -> bool:
    """Whether there is a cluster to ask."""
    return paths.kubectl().exists() and engine.answers() and cluster.wanted() is not None


def look(demo: Demo) -> Machine:
    """Read the machine and its lab. Nothing is changed."""
    wanted = cluster.wanted() if is_lab_up() else None
    banks = namespaces(demo) if wanted else set()
    host = preflight.look(engine=True, built=True, running=bool(wanted))
    api = ("docker", "image", "inspect", payments.IMAGE)
    return Machine(
        free_memory=host.free_memory,
        lab=wanted.regions if wanted else (),
        clusters=wanted.clusters if wanted else 0,
        has_bank=BANK in banks,
        other_banks=tuple(sorted(banks - {BANK})),
        has_npm=shutil.which("npm") is not None,
        has_api_image=run.works(*api, env=engine.environment()),
    )


def namespaces(demo: Demo) -> set[str]:
    """Where there are resources of a bank; none where nobody ever made their kinds known."""
    columns = "custom-columns=:.metadata.namespace"
    return set(demo.lab.found("bank", "--all-namespaces", "--no-headers", "-o", columns).split())


def bring_up_lab(_: Demo) -> None:
    """A cluster, and the images that its pods run; hack/lab tells of it itself."""
    _hack_lab("up")
    _hack_lab("images", *(word for name in (*IMAGES, *BASES) for word in ("--only", name)))


def _hack_lab(*words: str) -> None:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - os.devnull is no Path
        code = cli.main(words)
    if code:
        sys.exit(code)  # it has said why


def load_images(_: Demo) -> None:
    """Ours are built if need be."""
    shipped.image()
    payments.image()
    run.do(LAB, "load", *IMAGES)


def deploy_operator(demo: Demo) -> None:
    """As it is shipped: watching the namespace `bank`."""
    eventually(lambda: not _is_leaving(demo), STOP_SECONDS, f"what was in namespace {BANK} before is gone")
    shipped.deploy(demo.lab, BANK)
    shipped.await_ready(demo.lab)


def _is_leaving(demo: Demo) -> bool:
    return "Terminating" in demo.lab.found("namespaces", BANK, NAMESPACE)


def declare(demo: Demo) -> None:
    """By kubectl's own memory of what was applied: whatever somebody added since is taken away."""
    demo.declared = time.monotonic()
    demo.bank.kubectl("apply", "-k", str(SAMPLE))


def surround(demo: Demo) -> None:
    """A miner and a Lightning node of nobody's; blocks, without which no Lightning node serves."""
    outside = Outside.at_hand(demo.lab, demo.peer)
    outside.await_peer(demo.peer)
    outside.mine(1 if outside.has_coins() else MATURE)
    outside.await_chain()


def await_bank(demo: Demo) -> None:
    """Until every resource is Ready, with one line for each."""
    shown = board.Board()
    found: list[board.Line] = []

    def is_ready() -> bool:
        found[:] = board.lines(demo.bank.get("bank")["items"])
        shown.show(found, time.monotonic() - demo.declared)
        return bool(found) and all(line.is_ready for line in found)

    try:
        eventually(is_ready, READY_SECONDS, "the bank is Ready", every=1)
    except StepFailed:
        late = "\n".join(f"{line.name}: {line.message or line.reason}" for line in found if not line.is_ready)
        raise StepFailed(f"Not Ready after {READY_SECONDS} s:\n{late}") from None


def open_channels(demo: Demo) -> None:
    """From outside to each of the bank's nodes."""
    for name in LND:
        identity = demo.bank.get("lndnode", name)["status"]["identityPubkey"]
        demo.outside.ensure_channel(identity, f"{name}-p2p.{BANK}.svc:9735", CHANNEL_SAT)


def let_customers_pay(demo: Demo) -> None:
    """Over Lightning in both directions, and to each other."""
    demo.customers.arrive()
    demo.load = demo.customers.pay()


def ask_after_payments(demo: Demo) -> None:
    """The API, MongoDB and both ends of Lightning."""
    demo.verdict = demo.customers.check()


def stop_bank(demo: Demo) -> None:
    """In good order, which is the operator's work: it is put back where somebody took it away before."""
    if BANK not in namespaces(demo):
        return
    if not shipped.is_there(demo.lab):
        deploy_operator(demo)
    demo.bank.kubectl("delete", "bank", "--all", f"--timeout={STOP_SECONDS}s", timeout=STOP_SECONDS + 30)


def remove_namespaces(demo: Demo) -> None:
    """With every coin and seed in them: they are worth nothing."""
    words = ("delete", "namespace", BANK, NAMESPACE, "--ignore-not-found", "--timeout=180s")
    demo.lab.kubectl(*words, timeout=200)


def remove_operator(demo: Demo) -> None:
    """And its kinds."""
    shipped.remove(demo.lab)


def take_down_lab(_: Demo) -> None:
    """The cluster; its cache stays."""
    _hack_lab("down")
