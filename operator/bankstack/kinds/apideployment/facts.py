"""What is true of an ApiDeployment and around it, at one moment (pure). No fact holds a secret's content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bankstack.clients.redis import Member, View
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest, Ref

NOT_ASKED: Final = Unknown("it was not asked")


@dataclass(frozen=True)
class Said:
    """One condition of another resource."""

    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class Told:
    """What another resource says of itself in its status."""

    conditions: Mapping[str, Said] = field(default_factory=dict)
    network: str | None = None
    state: str | None = None
    deleting: bool = False
    #: Of an LndNode: "Draining" while a plan takes payments away from it.
    traffic: str | None = None
    #: And identities that it had before, the oldest first.
    retired: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ledger:
    """The LedgerCluster: what it says, where its members are, and in which Secret the user's password is."""

    told: Told = Told()
    #: Whether any of its members says how it is.
    answers: bool = True
    hosts: tuple[str, ...] = ()
    replica_set: str | None = None
    tls: bool = False
    authority: str | None = None
    secret: str | None = None
    has_database: bool = True


@dataclass(frozen=True)
class Content:
    """A Secret or ConfigMap that somebody reads: which life and version of it, and its keys."""

    version: str
    keys: frozenset[str]


@dataclass(frozen=True)
class Redis:
    """What its members and its Sentinels said, each in the order of the spec."""

    members: tuple[Member | Unknown, ...] = ()
    sentinels: tuple[View | Unknown, ...] = ()
    #: Of each member, whether it lets in who has the components' password.
    admits: tuple[bool | Unknown, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything decide may know."""

    #: Objects made for it, but Secrets.
    children: Mapping[Ref, Manifest] = field(default_factory=dict)
    #: Secrets made for it: which life of each.
    secrets: Mapping[Ref, str] = field(default_factory=dict)
    #: Whether Redis' passwords are whole, so that nothing has to be made or put back.
    accounts_intact: bool = True
    ledger: Ledger | None = None
    nodes: Mapping[str, Told | None] = field(default_factory=dict)
    chain: Told | None = None
    #: Every Secret and ConfigMap that a component reads and that is there.
    contents: Mapping[Ref, Content] = field(default_factory=dict)
    redis: Redis = Redis()
