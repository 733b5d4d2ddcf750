"""What MongoDB answers, in types (pure). No answer holds a password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What a member says it is, by MongoDB's own names."""

    STARTUP = "STARTUP"
    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"
    RECOVERING = "RECOVERING"
    STARTUP2 = "STARTUP2"
    UNKNOWN = "UNKNOWN"
    ARBITER = "ARBITER"
    DOWN = "DOWN"
    ROLLBACK = "ROLLBACK"
    REMOVED = "REMOVED"


@dataclass(frozen=True)
class Voter:
    """A member as the set's configuration has it."""

    id: int
    host: str
    votes: int = 1
    priority: float = 1
    arbiter: bool = False
    #: Added, but without a vote until it has all data: MongoDB gives it the vote by itself.
    joining: bool = False


@dataclass(frozen=True)
class Config:
    """A replica set's configuration; `committed` where a majority has it."""

    replica_set_id: str
    version: int
    members: tuple[Voter, ...]
    journals_majority: bool = True
    committed: bool = True

    @property
    def hosts(self) -> frozenset[str]:
        """Who belongs to the set."""
        return frozenset(one.host for one in self.members)


@dataclass(frozen=True)
class Peer:
    """Another member, as heartbeats have it: some seconds old."""

    host: str
    state: State
    applied: int


@dataclass(frozen=True)
class InSet:
    """A mongod that belongs to a replica set. `applied` is the second of its newest write."""

    state: State
    term: int
    applied: int
    config: Config
    version: str
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True)
class Blank:
    """A mongod that belongs to no replica set. `collections` that are not its own: 0 where it is empty."""

    collections: int
    version: str


@dataclass(frozen=True)
class Policy:
    """The default write concern of the cluster; `chosen` where somebody set it, else MongoDB's own."""

    w: str
    journal: bool
    wtimeout: int = 0
    chosen: bool = True


@dataclass(frozen=True)
class User:
    """A database user. `made_from` is our mark: which life of which Secret its password came from."""

    database: str
    name: str
    roles: frozenset[str]
    made_from: str | None = None


@dataclass(frozen=True)
class Canary:
    """The newest write that was made to be read back: in which term, when."""

    term: int
    at: int


@dataclass(frozen=True)
class Holdings:
    """What only the primary can tell. `weak` counts writes since its start that asked for less, as `insert w:1`."""

    policy: Policy
    users: tuple[User, ...] = ()
    canary: Canary | None = None
    weak: Mapping[str, int] = field(default_factory=dict)
    #: Databases that somebody other than MongoDB and we made.
    databases: frozenset[str] = frozenset()
