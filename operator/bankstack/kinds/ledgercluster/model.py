"""What users write and read of a LedgerCluster (pure). Sizes are quantities, times Go durations."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from bankstack.engine.model import (
    Duration,
    ImageReference,
    Name,
    Part,
    PodOverride,
    Rule,
    Status,
    Storage,
    keyed_by,
)
from bankstack.engine.schema import Column, Resource

#: MongoDB counts up to this many votes.
VOTERS_MOST = 7

Region = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", max_length=24)]
DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=63)]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", min_length=1, max_length=63)]
Version = Annotated[str, StringConstraints(pattern=r"^([6-9]|[1-9][0-9])\.[0-9](\.[0-9]{1,3})?$", max_length=8)]
HostAndPort = Annotated[str, StringConstraints(max_length=260)]
#: A word or a number, as MongoDB has it: so that `w: 1` is refused with a sentence, not with a type.
W = Annotated[str | int, WithJsonSchema({"x-kubernetes-int-or-string": True})]


class Members(Part):
    """Members in one region; each has a vote and all data."""

    region: Region = Field(
        default="", description="Value of the nodes' label topology.kubernetes.io/region; empty: anywhere."
    )
    count: Annotated[int, Field(ge=1, le=VOTERS_MOST)] = Field(description="How many.")


class WriteConcern(Part):
    """When a write counts as done, for clients that do not say."""

    w: W = Field(default="majority", description="majority: acknowledged by most voters. Nothing weaker is kept.")
    journal: bool = Field(default=True, description="true: acknowledged once it is on disk.")
    wtimeout: Duration | None = Field(
        default=None,
        description="How long a write may wait. A write that timed out may still be done: clients that simply "
        "try again would post twice. For ever when absent.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="type(self.w) == string && self.w == 'majority'",
            message="writeConcern.w is weaker than majority: a payment could be acknowledged and taken back by the "
            "next failover. Write majority, or leave it out",
        ),
        Rule(
            rule="self.journal",
            message="writeConcern.journal is false: a payment could be acknowledged and lost with the power. "
            "Write true, or leave it out",
        ),
    )


class Tls(Part):
    """Whether members and clients talk encrypted."""

    mode: Literal["requireTLS", "disabled"] = Field(
        default="requireTLS", description="requireTLS, with an authority made by the operator; or disabled. Immutable."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self.mode == oldSelf.mode",
            message="tls.mode is immutable: members with and without TLS do not find each other. Set it back",
        ),
    )


class LedgerUser(Part):
    """Somebody who may use one database."""

    name: UserName = Field(description="The name to log in with; authSource is the database.")
    secret: Name = Field(description="Secret with the key password.")
    create: bool = Field(
        default=False,
        description="Make the Secret once if it is absent (keys username, password, database, uri).",
    )
    roles: list[Literal["read", "readWrite", "dbAdmin"]] = Field(
        min_length=1, max_length=3, description="What it may do in this database."
    )


class Database(Part):
    """A database of the ledger and its users."""

    name: DatabaseName = Field(description="Its name.")
    users: list[LedgerUser] | None = Field(
        default=None, max_length=16, description="Who may use it.", json_schema_extra=keyed_by("name")
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="!(self.name in ['admin', 'config', 'local', 'bankstack'])",
            message="databases: admin, config and local are MongoDB's own, bankstack is the operator's. "
            "Choose another name",
        ),
    )


class External(Part):
    """A MongoDB that is run elsewhere."""

    uri_secret: Name = Field(
        description="Secret with key uri, a connection string whose user has the role clusterMonitor; and ca.crt "
        "where the authority is not a public one."
    )


class LedgerClusterSpec(Part):
    """What a LedgerCluster should be."""

    version: Version | None = Field(
        default=None, description='Release of MongoDB, like "6.0" (in quotes); the image is mongo:<version>.'
    )
    image: ImageReference | None = Field(default=None, description="Full image reference, instead of version's.")
    members: list[Members] | None = Field(
        default=None,
        min_length=1,
        max_length=VOTERS_MOST,
        description="How many members where; or external. An odd number, at least 3, no region with most of them.",
        json_schema_extra=keyed_by("region"),
    )
    arbiters: Annotated[int, Field(ge=0, le=VOTERS_MOST)] | None = Field(
        default=None, description="Must be 0: a member without data cannot keep a write."
    )
    external: External | None = Field(default=None, description="A MongoDB to watch, not to run; or members.")
    storage: Storage | None = Field(default=None, description="The volume of each member.")
    tls: Tls = Field(
        default=Tls(),
        description="Whether members and clients talk encrypted.",
        json_schema_extra={"default": {"mode": "requireTLS"}},
    )
    write_concern: WriteConcern = Field(
        default=WriteConcern(),
        description="The default for every client; kept, and proven by a write read back.",
        json_schema_extra={"default": {"w": "majority", "journal": True}},
    )
    databases: list[Database] | None = Field(
        default=None, max_length=16, description="Databases and their users.", json_schema_extra=keyed_by("name")
    )
    pod: PodOverride | None = Field(default=None, description="Settings of the members' pods.")
    deletion_policy: Literal["Retain", "Delete"] = Field(
        default="Retain", description="Whether volumes go with the resource. Delete only where no database is left."
    )
    paused: bool = Field(default=False, description="true: the operator watches and changes nothing.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.members) != has(self.external)",
            message="give either members (to run MongoDB) or external (to watch one), not both and not neither",
        ),
        Rule(
            rule="has(self.members) == has(oldSelf.members)",
            message="members cannot be exchanged for external or back: the books do not move by themselves. "
            "Make a new LedgerCluster",
        ),
        Rule(
            rule="!has(self.members) || (has(self.version) && has(self.storage))",
            message="members need version and storage: say which MongoDB to run and how large each volume is",
        ),
        Rule(
            rule="!has(self.external)"
            " || !(has(self.version) || has(self.image) || has(self.storage) || has(self.databases))",
            message="external goes alone: version, image, storage and databases belong to whoever runs it. Remove them",
        ),
        Rule(
            rule="!has(self.members) || self.members.map(one, one.count).sum() >= 3",
            message="members make fewer than 3 voters: with one lost no majority would be left to keep the books. "
            "Have 3, 5 or 7",
        ),
        Rule(
            rule="!has(self.members) || self.members.map(one, one.count).sum() % 2 == 1",
            message="members make an even number of voters: cut in halves, neither could go on. Have 3, 5 or 7",
        ),
        Rule(
            rule=f"!has(self.members) || self.members.map(one, one.count).sum() <= {VOTERS_MOST}",
            message=f"members make more than {VOTERS_MOST} voters: MongoDB counts no more. Have 3, 5 or 7",
        ),
        Rule(
            rule="!has(self.members) || size(self.members) == 1"
            " || self.members.all(one, 2 * one.count < self.members.map(other, other.count).sum())",
            message="members: one region has most of the voters, so a write it alone acknowledged would be lost with "
            "it. Spread them so that no region has a majority, like 1+1+1 or 2+2+1",
        ),
        Rule(
            rule="!has(self.members) || size(self.members) == 1 || self.members.all(one, one.region != '')",
            message="members: an entry without region (anywhere) goes alone. Give each its region",
        ),
        Rule(
            rule="!has(self.arbiters) || self.arbiters == 0",
            message="arbiters vote without keeping data: with one, a majority may have acknowledged what no living "
            "member has. Add a small member instead",
        ),
        Rule(
            rule="!has(oldSelf.databases) || oldSelf.databases.all(old, has(self.databases)"
            " && self.databases.exists(one, one.name == old.name))",
            message="databases cannot be renamed or removed: books under a new name would begin empty. Set it back; "
            "further databases may be added",
        ),
    )


class MemberStatus(Part):
    """One member, by its own word."""

    name: Annotated[str, StringConstraints(max_length=260)] = Field(description="Its StatefulSet, or its address.")
    region: Region | None = Field(default=None, description="Where it is.")
    state: Annotated[str, StringConstraints(max_length=32)] = Field(description="PRIMARY, SECONDARY, ... or Unknown.")
    lag: Literal["Current", "Behind", "FarBehind", "Unknown"] = Field(
        description="Behind the primary: Current up to 10 s, Behind up to 5 min."
    )


class EffectivePolicy(Part):
    """The default write concern as MongoDB itself gives it."""

    w: Annotated[str, StringConstraints(max_length=64)] = Field(description="How many must acknowledge.")
    journal: bool = Field(description="Whether on disk.")
    wtimeout_milliseconds: Annotated[int, Field(ge=0)] | None = Field(default=None, description="How long it may take.")


class Endpoint(Part):
    """Where clients find the ledger."""

    hosts: list[HostAndPort] = Field(max_length=50, description="Members, as host:port.")
    replica_set: Name = Field(description="The name of the replica set.")
    tls: bool = Field(description="Whether clients must speak TLS.")
    ca_config_map: Name | None = Field(default=None, description="ConfigMap with the authority to trust: key ca.crt.")


class LedgerClusterStatus(Status):
    """What is true of a LedgerCluster. Lags and counts are metrics: they change without anyone acting."""

    replica_set_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$", max_length=24)] | None = Field(
        default=None, description="Pinned identity: members of another set are other books, and Stalled."
    )
    version: Annotated[str, StringConstraints(max_length=32)] | None = Field(
        default=None, description="What the primary says of its own version."
    )
    primary: Annotated[str, StringConstraints(max_length=260)] | None = Field(
        default=None, description="The member that takes writes; absent while there is none."
    )
    term: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Elections so far, MongoDB's count.")
    members: list[MemberStatus] | None = Field(
        default=None, max_length=50, description="Each member.", json_schema_extra=keyed_by("name")
    )
    write_concern: EffectivePolicy | None = Field(default=None, description="The default that clients get.")
    endpoint: Endpoint | None = Field(default=None, description="Where clients find it; absent before it is initiated.")


RESOURCE = Resource(
    kind="LedgerCluster",
    plural="ledgerclusters",
    short="ledger",
    spec=LedgerClusterSpec,
    status=LedgerClusterStatus,
    description="The bank's books: a MongoDB replica set whose write concern is kept and proven.",
    columns=(
        Column("Primary", ".status.primary"),
        Column("Term", ".status.term", "integer"),
        Column("W", ".status.writeConcern.w"),
        Column("Version", ".status.version", priority=1),
        Column("Replica-Set", ".status.replicaSetId", priority=1),
    ),
    # With region, number and the digest of a StatefulSet's revision it must fit a label's 63.
    max_name=24,
)
