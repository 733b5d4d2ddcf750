"""What everything made for a ColdWallet is called (pure). A name once shipped never changes."""

from typing import Final

from bankstack.engine import bitcoin
from bankstack.engine.declared import Declared
from bankstack.engine.objects import STATEFUL_SET, Ref
from bankstack.kinds.coldwallet.model import ColdWalletSpec, ColdWalletStatus

ColdWallet = Declared[ColdWalletSpec, ColdWalletStatus]

BITCOIND: Final = "bitcoind"
SPECTER: Final = "specter"

#: Specter looks for its wallets in bitcoind under `specter<uid>/`, and <uid> cannot be
#: empty. This one is fixed, so that the wallet we prove is the one that people see.
SPECTER_UID: Final = "-bankstack"

SPECTER_PORT: Final = 25441
ZMQ_BLOCK_PORT: Final = bitcoin.ZMQ_BLOCK_PORT
ZMQ_TX_PORT: Final = bitcoin.ZMQ_TX_PORT
#: As bitcoind and Specter call the networks.
CHAINS: Final = {"mainnet": "main", "testnet": "test", "signet": "signet", "regtest": "regtest"}


def bitcoind(wallet: ColdWallet) -> str:
    """StatefulSet, Service and volume of bitcoind."""
    return f"{wallet.name}-{BITCOIND}"


def p2p(wallet: ColdWallet) -> str:
    """Service for other bitcoinds."""
    return f"{wallet.name}-{BITCOIND}-p2p"


def specter(wallet: ColdWallet) -> str:
    """StatefulSet, Service and volume of Specter; and the Secret that its other one is made from."""
    return f"{wallet.name}-{SPECTER}"


def specter_admin(wallet: ColdWallet) -> str:
    """Secret with which people log in to Specter."""
    given = wallet.spec.specter.admin_secret if wallet.spec.specter else None
    return given or f"{wallet.name}-{SPECTER}-admin"


def rpc_secret(wallet: ColdWallet, user: str) -> str:
    """Secret of one RPC user: username and password."""
    return f"{wallet.name}-rpc-{user}"


def rpcauth(wallet: ColdWallet) -> str:
    """Secret with bitcoind's side of all RPC users."""
    return f"{wallet.name}-rpcauth"


def watching(wallet: ColdWallet) -> str:
    """The wallet in bitcoind."""
    return f"specter{SPECTER_UID}/{wallet.name}"


def host(wallet: ColdWallet, service: str) -> str:
    """A Service's name as others in the cluster resolve it."""
    return f"{service}.{wallet.namespace}.svc"


def stateful_set(name: str) -> Ref:
    """Which StatefulSet."""
    return Ref(STATEFUL_SET, name)
