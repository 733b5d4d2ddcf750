"""What users write and read of a ColdWallet (pure).

No field can hold a private key: the operator never signs, and what it never has it
cannot leak. Amounts are sat, fee rates sat/vB.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from bankstack.engine import bitcoin
from bankstack.engine.model import (
    Host,
    ImageReference,
    KeyValue,
    Name,
    Part,
    PodOverride,
    Port,
    Rule,
    Status,
    Storage,
    Timestamp,
    immutable,
    immutable_once_set,
    keyed_by,
)
from bankstack.engine.schema import Column, Resource

#: Options of bitcoin.conf that probes, users and the wallet rely on.
BITCOIND_OWNS = (
    "server", "daemon", "datadir", "conf", "chain", "regtest", "signet", "testnet", "testnet4", "txindex",
    "rpcauth", "rpcuser", "rpcpassword", "rpccookiefile", "rpcwhitelist", "rpcwhitelistdefault", "rpcbind",
    "rpcallowip", "rpcport", "bind", "port", "zmqpubrawblock", "zmqpubrawtx", "wallet", "walletdir", "disablewallet",
    "includeconf", "settings",
)  # fmt: skip

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$", max_length=8)]
Derivation = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}h?(/[0-9]{1,10}h?){0,9}$", max_length=128)]
Xpub = Annotated[str, StringConstraints(max_length=120)]
Descriptor = Annotated[str, StringConstraints(min_length=10, max_length=4096)]


class Bitcoind(Part):
    """A bitcoind that the operator runs."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", max_length=16)] = Field(
        description="Release, like 29.5; the image is bitcoin/bitcoin:<version>."
    )
    image: ImageReference | None = Field(default=None, description="Full image reference, instead of version's.")
    storage: Storage = Field(description="Volume for blocks and indexes; a full mainnet node with txindex needs 750Gi.")
    txindex: bool = Field(default=True, description="Index all transactions. LND and Specter are quicker with it.")
    config: list[KeyValue] | None = Field(
        default=None, max_length=64, description="More lines of bitcoin.conf; keys may repeat."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        bitcoin.reserved(BITCOIND_OWNS, "bitcoind"),
        Rule(
            rule="!has(self.config) || self.config.all(line, !line.key.contains('.') && !(line.key.startsWith('no')"
            f" && line.key.substring(2) in {list(BITCOIND_OWNS)}))",
            message="bitcoind.config has a section (regtest.x) or a negation (noserver) of an option that the operator "
            "sets itself: remove it; what is given here goes to the section of spec.network",
        ),
        Rule(
            rule="!(self.version in ['30.0', '30.1'])",
            message="bitcoind.version 30.0 and 30.1 can delete wallets while migrating them: use 29.x or 30.2",
        ),
    )


class External(Part):
    """Someone else's bitcoind: watched and used, not run."""

    host: Host = Field(description="Name or address of its RPC server.")
    rpc_port: Port | None = Field(default=None, description="RPC port; the network's usual one when absent.")
    credentials_secret: Name = Field(
        description="Secret with keys username and password of the RPC account that the operator, Specter and LND use."
    )


class Key(Part):
    """One signer's public half."""

    name: Name = Field(description="Whose key: shown in Specter and in messages.")
    fingerprint: Fingerprint = Field(description="Master key fingerprint, 8 hex digits.")
    derivation: Derivation = Field(description="Path from the master key to xpub, like 48h/1h/0h/2h.")
    xpub: Xpub = Field(description="Extended public key at that path (xpub, tpub or a SLIP-132 spelling).")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule=f"!self.xpub.matches('^{bitcoin.EXTENDED_PRIVATE_KEY}')",
            message="xpub holds a PRIVATE key. It was just sent over a network: move its funds. "
            "Only the public half (xpub, tpub) belongs here",
        ),
        Rule(
            rule=f"self.xpub.matches('^{bitcoin.EXTENDED_PRIVATE_KEY}')"
            f" || self.xpub.matches('^{bitcoin.EXTENDED_PUBLIC_KEY}$')",
            message="xpub is not an extended public key: it starts with xpub or tpub and has 111 characters; "
            "export it from the signer again",
        ),
    )


class Multisig(Part):
    """A threshold of signers, as wsh(sortedmulti(threshold, keys))."""

    threshold: Annotated[int, Field(ge=1, le=15)] = Field(description="Signatures needed to spend.")
    keys: list[Key] = Field(min_length=1, max_length=15, description="The signers.", json_schema_extra=keyed_by("name"))

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self.threshold <= size(self.keys)",
            message="multisig.threshold is larger than the number of keys: nobody could ever spend. "
            "Lower it or add keys",
        ),
        Rule(
            rule="self.keys.all(key, self.keys.exists_one(other, other.xpub == key.xpub))",
            message="multisig.keys has the same xpub twice: one person would hold two signatures. "
            "Give each key its own",
        ),
    )


class Specter(Part):
    """Specter Desktop, where people sign."""

    enabled: bool = Field(default=True, description="Run it.")
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){1,3}$", max_length=16)] = Field(
        default="2.1.11", description="Release; the image is lncm/specter-desktop:v<version>."
    )
    image: ImageReference | None = Field(default=None, description="Full image reference, instead of version's.")
    storage: Storage | None = Field(default=None, description="Volume for Specter's own files; 1Gi when absent.")
    admin_secret: Name | None = Field(
        default=None, description="Secret with keys username and password; made by the operator when absent."
    )


class ColdWalletSpec(Part):
    """What a ColdWallet should be."""

    network: bitcoin.Network = Field(description="The chain. Immutable; mainnet also needs confirmMainnet: true.")
    confirm_mainnet: bool | None = Field(default=None, description="true where network is mainnet.")
    bitcoind: Bitcoind | None = Field(default=None, description="The bitcoind to run; or external.")
    external: External | None = Field(default=None, description="A bitcoind that is run elsewhere; or bitcoind.")
    multisig: Multisig | None = Field(default=None, description="Signers and threshold; or descriptors. Immutable.")
    descriptors: list[Descriptor] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="Output descriptors without private keys, [receive, change]; or multisig. Immutable.",
    )
    birthday: Timestamp | None = Field(
        default=None,
        description="No coin of this wallet is older (UTC, like 2026-01-01T00:00:00Z): the scan starts there. "
        "The whole chain when absent. Immutable once set.",
    )
    specter: Specter | None = Field(default=None, description="Where people sign; not run when absent.")
    pod: PodOverride | None = Field(default=None, description="Settings of bitcoind's pod.")
    deletion_policy: Literal["Retain", "Delete"] = Field(
        default="Retain",
        description="Whether volumes go with the resource. Delete only on regtest or with zero balance.",
    )
    paused: bool = Field(default=False, description="true: the operator watches and changes nothing.")

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("network", "a wallet belongs to one chain. Make a new ColdWallet for another"),
        bitcoin.CONFIRM_MAINNET,
        Rule(
            rule="has(self.bitcoind) != has(self.external)",
            message="give either bitcoind (to run one) or external (to use one), not both and not neither",
        ),
        Rule(
            rule="has(self.bitcoind) == has(oldSelf.bitcoind)",
            message="bitcoind cannot be exchanged for external or back: the watching wallet lives in it. "
            "Make a new ColdWallet",
        ),
        Rule(
            rule="has(self.multisig) != has(self.descriptors)",
            message="give either multisig or descriptors, not both and not neither",
        ),
        immutable_once_set(
            "multisig", "other keys are another wallet. Make a new ColdWallet and move the coins by hand"
        ),
        immutable_once_set(
            "descriptors", "other descriptors are another wallet. Make a new ColdWallet and move the coins by hand"
        ),
        immutable_once_set("birthday", "the scan was made from it. Make a new ColdWallet to scan from an earlier day"),
        Rule(
            rule="!has(self.descriptors) || self.descriptors.all(one,"
            f" !one.matches('{bitcoin.EXTENDED_PRIVATE_KEY}') && !one.matches(r'{bitcoin.WIF}'))",
            message="descriptors hold a PRIVATE key. It was just sent over a network: move its funds. "
            "Only public descriptors belong here",
        ),
    )


class Endpoint(Part):
    """Where others find this bitcoind."""

    host: Host = Field(description="Name of its Service, or the external host.")
    rpc_port: Port = Field(description="JSON-RPC.")
    zmq_block_port: Port | None = Field(default=None, description="Raw blocks by ZMQ; absent where there are none.")
    zmq_tx_port: Port | None = Field(default=None, description="Raw transactions by ZMQ; absent where there are none.")
    credentials_secret: Name = Field(description="Secret with keys username and password, for LND.")
    address: Host | None = Field(
        default=None,
        description="The Service's cluster address. A Service that was deleted comes back under it: LND looks it up "
        "once, when it starts.",
    )


class SpecterStatus(Part):
    """Where people sign."""

    host: Host = Field(description="Name of Specter's Service.")
    port: Port = Field(description="Its port, HTTP.")
    admin_secret: Name = Field(description="Secret with keys username and password, to log in with.")


class ColdWalletStatus(Status):
    """What is true of a ColdWallet. Balances and heights are metrics: they change without anyone acting."""

    chain: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        default=None, description="The chain bitcoind says it follows."
    )
    version: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="What bitcoind says of itself."
    )
    endpoint: Endpoint | None = Field(default=None, description="Where an LndNode finds this bitcoind.")
    wallet: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="Name of the watching wallet in bitcoind, as -rpcwallet takes it."
    )
    complete_since: Timestamp | None = Field(
        default=None,
        description="The wallet knows every coin received since then: the scan from there was seen to end.",
    )
    specter: SpecterStatus | None = Field(default=None, description="Where people sign; absent where not run.")
    descriptor_checksums: list[Annotated[str, StringConstraints(max_length=8)]] | None = Field(
        default=None, max_length=2, description="Pinned checksums of the receive and change descriptors."
    )
    first_address: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="Pinned first receive address: compare it with what the signers show."
    )


RESOURCE = Resource(
    kind="ColdWallet",
    plural="coldwallets",
    short="cw",
    spec=ColdWalletSpec,
    status=ColdWalletStatus,
    description="A watch-only multisig wallet: bitcoind, the wallet in it, and Specter to sign with. It holds no key.",
    columns=(
        Column("Network", ".spec.network"),
        Column("Version", ".status.version", priority=1),
        Column("First-Address", ".status.firstAddress", priority=1),
    ),
)
