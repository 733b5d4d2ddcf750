"""bitcoin.conf (pure): the same spec gives the same bytes, so that the file's digest names it."""

from typing import Final

from bankstack.engine.bitcoin import P2P_PORTS, RPC_PORTS
from bankstack.kinds.coldwallet.credentials import RPCAUTH
from bankstack.kinds.coldwallet.model import Bitcoind
from bankstack.kinds.coldwallet.names import CHAINS, ZMQ_BLOCK_PORT, ZMQ_TX_PORT
from bankstack.kinds.coldwallet.rights import whitelists

FILE: Final = "bitcoin.conf"
FOLDER: Final = "/etc/bitcoind"
SECRETS: Final = "/etc/bitcoind-rpcauth"
DATA: Final = "/data"


def text(bitcoind: Bitcoind, network: str) -> str:
    """The file. Options of the network's own section win, and some (bind, rpcbind) count only there."""
    theirs = [f"{line.key}={line.value}" for line in bitcoind.config or ()]
    return "\n".join(
        (
            f"chain={CHAINS[network]}",
            "server=1",
            "printtoconsole=1",
            f"txindex={int(bitcoind.txindex)}",
            "# A scan for this wallet's coins takes minutes with it and hours without.",
            "blockfilterindex=1",
            "listenonion=0",
            f"zmqpubrawblock=tcp://0.0.0.0:{ZMQ_BLOCK_PORT}",
            f"zmqpubrawtx=tcp://0.0.0.0:{ZMQ_TX_PORT}",
            "# Who may connect is the NetworkPolicy's business, who may call what is said here.",
            "rpcallowip=0.0.0.0/0",
            "rpcallowip=::/0",
            f"includeconf={SECRETS}/{RPCAUTH}",
            "# 0: the cookie in the data directory may do anything. Only a shell in the pod can read it.",
            "rpcwhitelistdefault=0",
            *whitelists(),
            "",
            f"[{CHAINS[network]}]",
            f"bind=0.0.0.0:{P2P_PORTS[network]}",
            f"rpcbind=0.0.0.0:{RPC_PORTS[network]}",
            f"rpcport={RPC_PORTS[network]}",
            *theirs,
            "",
        )
    )
