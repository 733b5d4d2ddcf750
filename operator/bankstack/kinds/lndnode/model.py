"""What users write and read of an LndNode (pure). Amounts are sat, times Go durations."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from bankstack.engine import bitcoin, model
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
    Text,
    Timestamp,
    Word,
    immutable,
)
from bankstack.engine.schema import Column, Resource
from bankstack.engine.windows import Window

#: Options of lnd.conf that identity, credentials, probes and the store rely on.
LND_OWNS = (
    "lnddir", "configfile", "datadir", "logdir", "rpclisten", "restlisten", "listen", "no-macaroons", "macaroonpath",
    "adminmacaroonpath", "readonlymacaroonpath", "invoicemacaroonpath", "tlscertpath", "tlskeypath", "tlsautorefresh",
    "tlsencryptkey", "letsencryptdomain", "no-rest-tls", "noseedbackup", "wallet-unlock-password-file",
    "wallet-unlock-allow-create", "externalip", "externalhosts", "nat", "prometheus.enable", "prometheus.listen",
    "db.backend", "bitcoin.node", "bitcoin.mainnet", "bitcoin.testnet", "bitcoin.signet", "bitcoin.regtest",
    "bitcoind.rpchost", "bitcoind.rpcuser", "bitcoind.rpcpass", "bitcoind.zmqpubrawblock", "bitcoind.zmqpubrawtx",
    "bitcoind.rpccookie", "no-backup-archive", "backupfilepath", "cluster.enable-leader-election",
    "remotesigner.enable",
)  # fmt: skip

Identity = Annotated[str, StringConstraints(pattern=r"^0[23][0-9a-f]{64}$", max_length=66)]
#: Replacements that a node can have: its status has to name them all.
RETIRED_MOST = 32
Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:\[\]-]+$", min_length=1, max_length=260)]


class Bitcoind(Part):
    """The bitcoind this node follows."""

    cold_wallet: Name | None = Field(default=None, description="The ColdWallet whose bitcoind to use; or host.")
    host: Host | None = Field(default=None, description="Name or address of any other bitcoind; or coldWallet.")
    rpc_port: Port | None = Field(default=None, description="RPC port; the network's usual one when absent.")
    zmq_block_port: Port | None = Field(default=None, description="ZMQ port of raw blocks; 28332 when absent.")
    zmq_tx_port: Port | None = Field(default=None, description="ZMQ port of raw transactions; 28333 when absent.")
    credentials_secret: Name | None = Field(
        default=None, description="Secret with keys username and password, with host."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.coldWallet) != has(self.host)",
            message="bitcoind: give either coldWallet or host, not both and not neither",
        ),
        Rule(
            rule="!has(self.host) || has(self.credentialsSecret)",
            message="bitcoind.host needs credentialsSecret, a Secret with keys username and password",
        ),
        Rule(
            rule="has(self.host) || !(has(self.rpcPort) || has(self.zmqBlockPort) || has(self.zmqTxPort)"
            " || has(self.credentialsSecret))",
            message="bitcoind: ports and credentialsSecret go with host; a ColdWallet knows its own. Remove them",
        ),
    )


class Storage(model.Storage):
    """Where the channel state is. It is never copied, never shrunk and never deleted by itself."""

    backend: Literal["sqlite", "bbolt"] = Field(
        default="sqlite", description="LND's database. Immutable. bbolt is end-of-life for new nodes."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("backend", "LND's data are not moved between databases in place. Set it back, or Replace the node"),
        *model.Storage.rules,
    )


class Wallet(Part):
    """The Secret with the wallet's password and seed (keys password and seed)."""

    secret: Name = Field(description="Its name. Immutable: another seed is another node.")
    create: bool = Field(
        default=False,
        description="Make password and seed once if the Secret is absent; never after an identity was pinned.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("secret", "another seed is another node. Set it back, or Replace the node"),
    )


class Tls(Part):
    """Who signs the certificate of LND's API."""

    ca_secret: Name | None = Field(
        default=None, description="Secret of a CA (tls.crt, tls.key); one made by the operator when absent."
    )


class P2pService(Part):
    """The Service that peers reach the node by."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field(default="ClusterIP", description="Its type.")
    annotations: dict[Word, Text] | None = Field(
        default=None, description="Annotations, as load balancers want them.", json_schema_extra={"maxProperties": 32}
    )


class P2p(Part):
    """Where peers find the node."""

    service: P2pService | None = Field(default=None, description="The Service for peers.")
    addresses: list[Address] | None = Field(
        default=None, max_length=8, description="host:port announced to the network; none: the node is not announced."
    )


class Liquidity(Part):
    """What its channels must hold for the node to count as able to carry another node's payments."""

    min_outbound_sat: Annotated[int, Field(ge=0, le=21_000_000 * 10**8)] = Field(
        default=1, description="What it can send, in sat: over channels whose peer is there, above their reserves."
    )
    min_inbound_sat: Annotated[int, Field(ge=0, le=21_000_000 * 10**8)] = Field(
        default=0, description="What it can receive, in sat, likewise."
    )


class Recycle(Part):
    """How a Restart plan may go about it."""

    drain_timeout: model.Duration = Field(
        default="30m", description="How long payments on their way (HTLCs) are waited for; then each is judged."
    )
    max_downtime_blocks: Annotated[int, Field(ge=1, le=144)] = Field(
        default=6, description="Blocks that LND may be away for: a payment that would run out sooner forbids the stop."
    )
    max_database_size: model.Size = Field(
        default="8Gi",
        description="Where its volume holds more, alert LndDatabaseTooBig asks for a restart (docs/alerts.md).",
    )
    windows: list[Window] | None = Field(
        default=None,
        max_length=8,
        description="When a restart may begin, like `Sun 02:00-05:00 UTC` or `Daily 23:00-01:00 UTC`; none: any time.",
    )


class ChannelBackup(Part):
    """Where channel backups go besides Secret <name>-channel-backup."""

    object_store: model.ObjectStore = Field(description="A bucket that every channel backup is added to.")


class LndNodeSpec(Part):
    """What an LndNode should be."""

    network: bitcoin.Network = Field(description="The chain. Immutable; mainnet also needs confirmMainnet: true.")
    confirm_mainnet: bool | None = Field(default=None, description="true where network is mainnet.")
    version: Annotated[str, StringConstraints(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$", max_length=32)] = (
        Field(description="Release, like v0.21.2-beta; the image is lightninglabs/lnd:<version>.")
    )
    image: ImageReference | None = Field(default=None, description="Full image reference, instead of version's.")
    bitcoind: Bitcoind = Field(description="The bitcoind this node follows.")
    storage: Storage = Field(description="Where the channel state is.")
    wallet: Wallet = Field(description="Password and seed.")
    tls: Tls | None = Field(default=None, description="Who signs LND's certificate.")
    config: list[KeyValue] | None = Field(
        default=None, max_length=64, description="More lines of lnd.conf, like alias; keys may repeat."
    )
    p2p: P2p | None = Field(default=None, alias="p2p", description="Where peers find the node.")
    recycle: Recycle | None = Field(default=None, description="How a Restart plan may go about it.")
    liquidity: Liquidity | None = Field(
        default=None, description="When it counts as able to carry the payments of another node that is stopped."
    )
    channel_backup: ChannelBackup | None = Field(
        default=None, description="Where channel backups go besides Secret <name>-channel-backup."
    )
    pod: PodOverride | None = Field(default=None, description="Settings of lnd's pod.")
    deletion_policy: Literal["Retain", "Delete"] = Field(
        default="Retain",
        description="Whether volume and seed go with the resource. Delete only on regtest or with zero balance.",
    )
    paused: bool = Field(default=False, description="true: the operator watches and changes nothing.")

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("network", "a node's channels belong to one chain. Make a new LndNode for another"),
        bitcoin.CONFIRM_MAINNET,
        bitcoin.reserved(LND_OWNS, "the LndNode"),
        Rule(
            rule="self.network == 'regtest' || !has(self.channelBackup)"
            " || self.channelBackup.objectStore.endpoint.startsWith('https://')",
            message="channelBackup.objectStore.endpoint has to begin with https:// but on regtest: whoever listens"
            " could otherwise give back another backup than was stored",
        ),
    )


class RetiredIdentity(Part):
    """An identity that the node had before a Replace plan."""

    identity_pubkey: Identity = Field(description="Its pubkey.")
    retired_at: Timestamp = Field(description="When it was retired.")
    secret: Name = Field(description="Secret with its password, seed and newest channel backup. Never deleted.")


class LndNodeStatus(Status):
    """What is true of an LndNode. Heights, balances and HTLCs are metrics: they change without anyone acting."""

    identity_pubkey: Identity | None = Field(
        default=None, description="Pinned identity: another one later is another wallet, and Stalled."
    )
    generation: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="Which wallet in a row the identity is of, where a Replace plan made another."
    )
    retired: list[RetiredIdentity] | None = Field(
        default=None, max_length=RETIRED_MOST, description="Identities that the node had before, the oldest first."
    )
    state: Annotated[str, StringConstraints(max_length=32)] | None = Field(
        default=None, description="What lnd says of its own state, like SERVER_ACTIVE."
    )
    version: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="What lnd says of its own version."
    )
    channels: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Open channels, active or not.")
    backed_up_at: Timestamp | None = Field(default=None, description="When the channel backup last changed.")
    stored_at: Timestamp | None = Field(
        default=None, description="Since when the newest channel backup is proved to be in the object store."
    )
    traffic: Literal["Draining"] | None = Field(
        default=None, description="Draining: LND is about to be stopped, new payments should take another node."
    )
    last_downtime_seconds: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How long the last Restart plan kept LND away."
    )


RESOURCE = Resource(
    kind="LndNode",
    plural="lndnodes",
    short="lnd",
    spec=LndNodeSpec,
    status=LndNodeStatus,
    description="A Lightning node: one LND, one identity, one writer.",
    columns=(
        Column("Network", ".spec.network"),
        Column("State", ".status.state"),
        Column("Channels", ".status.channels", "integer"),
        Column("Identity", ".status.identityPubkey", priority=1),
        Column("Version", ".status.version", priority=1),
    ),
)
