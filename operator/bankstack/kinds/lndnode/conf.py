"""lnd.conf (pure). No secret is in it: LND reads bitcoind's user and password from its environment.

Keys that users may not set are `model.LND_OWNS`; everything written here is among them
or may be overridden by a later line of theirs.
"""

from ipaddress import ip_address
from typing import Final

from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.facts import Endpoint
from bankstack.kinds.lndnode.model import LndNodeSpec

HOME: Final = "/home/lnd"
#: The volume is LND's default directory below its home: given another one by --lnddir, LND v0.21 drops tlscertpath
#: and makes itself a certificate of its own.
DATA: Final = f"{HOME}/.lnd"
FOLDER: Final = "/etc/lnd"
FILE: Final = "lnd.conf"
WALLET: Final = "/run/secrets/wallet"
TLS: Final = "/run/secrets/tls"
#: Macaroons that LND writes for itself at each start: in memory, gone with the pod.
MACAROONS: Final = "/run/lnd"
RPC_USER: Final = "BITCOIND_RPC_USER"
RPC_PASSWORD: Final = "BITCOIND_RPC_PASSWORD"  # noqa: S105 - the name of a variable

#: Options of one database only.
_BACKEND: Final = {
    "sqlite": (),
    # A bbolt file never shrinks by itself: a restart is when it may.
    "bbolt": (("db.bolt.auto-compact", "true"),),
}


def text(spec: LndNodeSpec, bitcoind: Endpoint) -> str:
    """The whole file. The user's lines come last, where LND lets the last one win."""
    lines = (*_ours(spec, bitcoind), *_announced(spec), *((one.key, one.value) for one in spec.config or ()))
    return "".join(f"{key}={value}\n" for key, value in lines)


def _ours(spec: LndNodeSpec, bitcoind: Endpoint) -> tuple[tuple[str, str], ...]:
    return (
        ("listen", f"0.0.0.0:{names.P2P}"),
        ("rpclisten", f"0.0.0.0:{names.RPC}"),
        ("restlisten", f"0.0.0.0:{names.REST}"),
        ("prometheus.enable", "true"),
        ("prometheus.listen", f"0.0.0.0:{names.METRICS}"),
        ("tlscertpath", f"{TLS}/tls.crt"),
        ("tlskeypath", f"{TLS}/tls.key"),
        ("adminmacaroonpath", f"{MACAROONS}/admin.macaroon"),
        ("readonlymacaroonpath", f"{MACAROONS}/readonly.macaroon"),
        ("invoicemacaroonpath", f"{MACAROONS}/invoice.macaroon"),
        ("wallet-unlock-password-file", f"{WALLET}/password"),
        # Only while there is no wallet: the operator then makes one from the seed in the Secret. Whoever else
        # might reach the port is kept out by the NetworkPolicy, and found out by the pinned identity.
        ("wallet-unlock-allow-create", "true"),
        ("db.backend", {"bbolt": "bolt"}.get(spec.storage.backend, spec.storage.backend)),
        *_BACKEND[spec.storage.backend],
        (f"bitcoin.{spec.network}", "true"),
        ("bitcoin.node", "bitcoind"),
        ("bitcoind.rpchost", f"{bitcoind.dialled}:{bitcoind.rpc_port}"),
        ("bitcoind.rpcuser", f"${{{RPC_USER}}}"),
        ("bitcoind.rpcpass", f"${{{RPC_PASSWORD}}}"),
        ("bitcoind.zmqpubrawblock", f"tcp://{bitcoind.dialled}:{bitcoind.zmq_block_port}"),
        ("bitcoind.zmqpubrawtx", f"tcp://{bitcoind.dialled}:{bitcoind.zmq_tx_port}"),
    )


def _announced(spec: LndNodeSpec) -> tuple[tuple[str, str], ...]:
    addresses = spec.p2p.addresses if spec.p2p else None
    return tuple((_option(address), address) for address in addresses or ())


def _option(address: str) -> str:
    """A name as `externalip` is looked up once, and LND dies where DNS is away just then; `externalhosts` goes on."""
    host = address.rpartition("]")[0].lstrip("[") if address.startswith("[") else address.partition(":")[0]
    if host.endswith(".onion"):
        return "externalip"
    try:
        ip_address(host)
    except ValueError:
        return "externalhosts"
    return "externalip"
