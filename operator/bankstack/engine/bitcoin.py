"""Words and numbers of Bitcoin that several kinds share (pure)."""

from typing import Final, Literal

from bankstack.engine.model import Rule

Network = Literal["mainnet", "testnet", "signet", "regtest"]

#: bitcoind's own.
RPC_PORTS: Final = {"mainnet": 8332, "testnet": 18332, "signet": 38332, "regtest": 18443}
P2P_PORTS: Final = {"mainnet": 8333, "testnet": 18333, "signet": 38333, "regtest": 18444}
#: bitcoind has none of its own: those that everybody's examples have.
ZMQ_BLOCK_PORT: Final = 28332
ZMQ_TX_PORT: Final = 28333

#: Base58 without 0, O, I, l.
BASE58 = "[1-9A-HJ-NP-Za-km-z]"
#: Extended private keys in all of SLIP-132's spellings. The length keeps an xpub
#: that happens to hold the letters "prv" from being taken for one.
EXTENDED_PRIVATE_KEY = f"[xtyzuvYZUV]prv{BASE58}{{100,}}"
EXTENDED_PUBLIC_KEY = f"[xtyzuvYZUV]pub{BASE58}{{107}}"
#: A single private key (WIF) where a descriptor may have one.
WIF = f"[(,\\]]([5KL9c]{BASE58}{{50,51}})[),/]"

CONFIRM_MAINNET = Rule(
    rule="self.network != 'mainnet' || (has(self.confirmMainnet) && self.confirmMainnet)",
    message="network mainnet handles real money: confirm it with confirmMainnet: true",
)


def reserved(keys: tuple[str, ...], whose: str) -> Rule:
    """A configuration list may set none of the options that the operator sets itself."""
    listed = ", ".join(f"'{key}'" for key in keys)
    return Rule(
        rule=f"!has(self.config) || self.config.all(line, !(line.key in [{listed}]))",
        message=f"config sets an option that the operator sets itself ({', '.join(keys)}): "
        f"remove it and use the fields of {whose} instead",
    )
