"""What is true of a LedgerCluster, at one moment (pure). No fact holds a secret's content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from bankstack.clients.mongo.answers import Blank, Holdings, InSet
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import Manifest, Ref

NOT_ASKED: Final = Unknown("it was not asked")

Answer: TypeAlias = InSet | Blank | Unknown


@dataclass(frozen=True)
class Sealed:
    """The two Secrets with keyfile, certificates and the operator's password, without what is in them."""

    #: The keys that are in both, in one, in none of them.
    both: frozenset[str] = frozenset()
    either: frozenset[str] = frozenset()
    #: Keys that are in both and not the same.
    differ: frozenset[str] = frozenset()
    #: What clients have to trust; public.
    authority: str | None = None


@dataclass(frozen=True)
class UserSecret:
    """The Secret a database user's password comes from: which life of it, and whether it has one."""

    version: str
    has_password: bool = True


@dataclass(frozen=True)
class Facts:
    """Everything decide may know. Children by what they are; Secrets only as what they show."""

    children: Mapping[Ref, Manifest] = field(default_factory=dict)
    #: Secrets made for this resource: which life of each.
    secrets: Mapping[Ref, str] = field(default_factory=dict)
    sealed: Sealed = Sealed()
    user_secrets: Mapping[str, UserSecret] = field(default_factory=dict)
    #: What each member says, by its name.
    members: Mapping[str, Answer] = field(default_factory=dict)
    #: What the primary tells.
    holdings: Holdings | Unknown = NOT_ASKED
    #: Whether the primary lets the operator's own user in, with all it needs.
    admitted: bool | Unknown = NOT_ASKED
    #: The Secret with the URI of an external MongoDB: True where it has one.
    uri: bool = False
