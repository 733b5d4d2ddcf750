"""The ColdWallet's row in the engine's table."""

from functools import partial

from bankstack.clients import bitcoind as client
from bankstack.engine.objects import SECRET, Ref
from bankstack.engine.ports import Kind
from bankstack.kinds.coldwallet.act import PATIENCE, acts
from bankstack.kinds.coldwallet.decide import decide
from bankstack.kinds.coldwallet.facts import Chain, Facts, Wallet
from bankstack.kinds.coldwallet.model import RESOURCE, ColdWalletSpec
from bankstack.kinds.coldwallet.observe import CHILDREN, observe
from bankstack.kinds.coldwallet.scans import Scans


def kind(connect: client.Connect = client.connect, patience: float = PATIENCE) -> Kind:
    """How a ColdWallet is seen, decided and acted on.

    `connect` is how bitcoind is reached, `patience` how long a pass waits for a scan.
    """
    scans = Scans()
    return Kind(
        resource=RESOURCE,
        children=CHILDREN,
        observe=partial(observe, connect=connect, scans=scans),
        decide=decide,
        act=acts(connect, scans, patience),
        references=references,
        gauges=gauges,
    )


def references(spec: ColdWalletSpec) -> tuple[Ref, ...]:
    """Secrets that the user brings."""
    external = spec.external.credentials_secret if spec.external else None
    admin = spec.specter.admin_secret if spec.specter else None
    return tuple(Ref(SECRET, name) for name in (external, admin) if name)


def gauges(facts: Facts) -> dict[str, float]:
    """Numbers that change without anyone acting; absent while nobody can say."""
    numbers: dict[str, float] = {}
    if isinstance(facts.chain, Chain):
        numbers |= {
            "bankstack_coldwallet_blocks": facts.chain.blocks,
            "bankstack_coldwallet_headers": facts.chain.headers,
            "bankstack_coldwallet_verification_progress": facts.chain.progress,
            "bankstack_coldwallet_peers": facts.chain.peers,
            "bankstack_coldwallet_disk_bytes": facts.chain.disk_bytes,
        }
    if isinstance(facts.wallet, Wallet):
        numbers["bankstack_coldwallet_balance_sat"] = facts.wallet.balance_sat
        if facts.wallet.utxos is not None:
            numbers["bankstack_coldwallet_utxos"] = facts.wallet.utxos
    arrived = [one.balance_sat for one in facts.formers if isinstance(one.balance_sat, int)]
    if arrived:
        numbers["bankstack_coldwallet_retired_sat"] = sum(arrived)
    return numbers
