"""What is true of an LndNode and around it, at one moment (pure). No fact holds a secret's content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bankstack.clients.dialing import within
from bankstack.clients.lnd.answers import Announced, Channels, Closure, Funds, Info, State, Transaction
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest, Ref

NOT_ASKED: Final = Unknown("it was not asked")


@dataclass(frozen=True)
class Wallet:
    """The wallet Secret, without what is in it."""

    keys: frozenset[str] = frozenset()
    seed_words: int = 0
    password_bytes: int = 0
    claimed_by: str | None = None
    identity: str | None = None
    made_by_us: bool = False


@dataclass(frozen=True)
class Certificate:
    """A certificate as everybody may see it. `issuer` is the fingerprint of the authority that signed it."""

    fingerprint: str
    names: frozenset[str]
    not_before: datetime
    not_after: datetime
    issuer: str | None = None


@dataclass(frozen=True)
class Authority:
    """A certificate authority that can sign."""

    fingerprint: str
    pem: str
    not_after: datetime


@dataclass(frozen=True)
class Unusable:
    """A Secret that is there but not what it should be, and why."""

    reason: str


@dataclass(frozen=True)
class Published:
    """A consumer's Secret: what it was written with. `intact` where nobody touched its keys."""

    permissions: str | None
    identity: str | None
    trust: frozenset[str] = frozenset()
    intact: bool = True


@dataclass(frozen=True)
class Backup:
    """The newest channel backup that is stored outside LND."""

    channels: str
    saved_at: str
    intact: bool = True
    outpoints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shelf:
    """The newest channel backup in the object store, or its lack there.

    `key` is what it is called there, None where there is none to store yet. `holds`: whether
    what is there is that very backup. `noted` where that is written down and young enough to
    be relied on, or where the store need not be asked again so soon.
    """

    key: str | None = None
    holds: "bool | Refused | Unknown" = False
    since: str | None = None
    noted: bool = True


@dataclass(frozen=True)
class Endpoint:
    """Where bitcoind is."""

    host: str
    rpc_port: int
    zmq_block_port: int
    zmq_tx_port: int
    credentials_secret: str
    #: Of the cluster, where it is known.
    domain: str | None = None

    @property
    def dialled(self) -> str:
        """By what LND finds it: a Service by a name that nobody but the cluster's DNS answers, in one question.

        LND looks it up, and tells it the password, for every question it has: some six to say how it is.
        """
        return within(self.host, self.domain)


@dataclass(frozen=True)
class Chain:
    """The bitcoind that LND follows. `ready`: it answers and follows the chain; `told`: what is said of it."""

    endpoint: Endpoint | None = None
    ready: bool | Unknown = True
    told: str = ""
    network: str | None = None
    #: What is said of coins at addresses of retired identities: status, reason, sentence.
    retired_coins: tuple[str, str, str] | None = None
    missing: bool = False
    credentials: frozenset[str] | None = frozenset({"username", "password"})


@dataclass(frozen=True)
class Refused:
    """LND, or the object store, answered that it does not accept what it was shown."""

    reason: str


@dataclass(frozen=True)
class User:
    """An ApiDeployment that makes Lightning payments through the node.

    `avoids`: it has told its pods to leave the node alone. `listens`: it would, being neither
    paused nor deleted. `others`: the further nodes that it pays through, each with what keeps
    it from carrying payments; empty where nothing does.
    """

    name: str
    avoids: bool = False
    listens: bool = True
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Those that can take the payments over."""
        return tuple(name for name, obstacle in self.others.items() if not obstacle)


@dataclass(frozen=True)
class Place:
    """The Kubernetes node that LND's pod is on. `tied`: a volume that can be nowhere else keeps LND there."""

    node: str
    pod_uid: str
    cordoned: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Tombstone:
    """What remains of an identity that was retired, and where."""

    identity: str
    retired_at: str
    secret: str
    #: Which wallet in a row came after it.
    successor: int


@dataclass(frozen=True)
class Facts:
    """Everything decide may know. Children by what they are; Secrets only as what they show."""

    children: Mapping[Ref, Manifest] = field(default_factory=dict)
    #: Secrets that were made for the node: which life of each, nothing of what is in them.
    secrets: Mapping[Ref, str] = field(default_factory=dict)
    #: Which wallet in a row is in use; what the earlier ones had lies under other names.
    generation: int = 1
    #: What the Secret that the spec names says of that; None where it is gone.
    noted: int | None = 1
    tombstones: tuple[Tombstone, ...] = ()
    wallet: Wallet | None = None
    authority: Authority | Unusable | None = None
    certificate: Certificate | None = None
    #: What LND shows to those who connect.
    presented: Certificate | Unknown = NOT_ASKED
    #: Fingerprint and PEM of every authority that some consumer trusts already.
    trusted: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)
    backup: Backup | None = None
    #: None where no object store is declared.
    shelf: Shelf | None = None
    chain: Chain = Chain()
    users: tuple[User, ...] = ()
    place: Place | Unknown = NOT_ASKED
    state: State | Unknown = NOT_ASKED
    info: Info | Refused | Unknown = NOT_ASKED
    funds: Funds | Unknown = NOT_ASKED
    channels: Channels | Unknown = NOT_ASKED
    # Only while a plan needs to know:
    recovering: bool | Unknown = NOT_ASKED
    announced: Announced | Unknown = NOT_ASKED
    #: By payments begun since the plan recorded the balances.
    sent_msat: int | Unknown = NOT_ASKED
    # Only while a plan replaces the identity, since its channels began to be closed:
    closures: tuple[Closure, ...] | Unknown = NOT_ASKED
    transactions: tuple[Transaction, ...] | Unknown = NOT_ASKED
