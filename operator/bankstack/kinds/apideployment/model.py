"""What users write and read of an ApiDeployment (pure)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from bankstack.engine import model
from bankstack.engine.model import Host, ImageReference, Name, Part, PodOverride, Port, Rule, Status, keyed_by
from bankstack.engine.schema import Column, Resource
from bankstack.kinds.apideployment.component import Component, Running

DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=38)]


class LedgerUse(Part):
    """The database that the bank's books are in."""

    name: Name = Field(description="The LedgerCluster.")
    database: DatabaseName = Field(description="One of its databases.")
    user: DatabaseName = Field(description="One of that database's users.")
    secret: Name | None = Field(
        default=None,
        description="Secret of the user, keys password and uri; the one that the LedgerCluster names when absent. An "
        "external LedgerCluster names none.",
    )


class LightningUse(Part):
    """A Lightning node that the API may use; the first is LND1_*, the second LND2_* in its environment."""

    node: Name = Field(description="The LndNode.")
    roles: list[Literal["onchain", "offchain"]] = Field(
        min_length=1,
        max_length=2,
        description="What it is used for.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )


class ManagedRedis(Part):
    """A Redis with replicas and Sentinel that the operator runs; Sentinel alone elects its master."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", max_length=16)] = Field(
        description="Release, like 8.0; the image is redis:<version>."
    )
    image: ImageReference | None = Field(default=None, description="Full image reference, instead of version's.")
    members: Annotated[int, Field(ge=1, le=7)] = Field(
        default=3, description="Redis servers, each with a Sentinel beside it. Odd, three at least. Immutable."
    )
    storage: model.Storage | None = Field(
        default=None, description="Volume of each member, on which locks survive restarts; 1Gi when absent."
    )
    pod: PodOverride | None = Field(default=None, description="Settings of the members' pods.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self.members >= 3 && self.members % 2 == 1",
            message="redis.managed.members has to be odd and three at least: with two nobody can outvote the other, "
            "and locks would be held twice. Use 3 or 5",
        ),
        Rule(
            rule="self.members == oldSelf.members",
            message="redis.managed.members is immutable: another number changes Sentinel's quorum under held locks. "
            "Set it back",
        ),
        Rule(
            rule="has(self.storage) ? (has(oldSelf.storage) || (!has(self.storage.className)"
            " && quantity(self.storage.size).compareTo(quantity('1Gi')) >= 0)) : !has(oldSelf.storage)",
            message="redis.managed.storage cannot shrink below the 1Gi it began with, change its class or be removed: "
            "a volume never does. Set it back",
        ),
    )


class Sentinel(Part):
    """Where a Sentinel answers."""

    host: Host = Field(description="Name or address.")
    port: Port = Field(default=26379, description="Port.")


class ExternalRedis(Part):
    """A Redis with Sentinel that somebody else runs."""

    sentinels: list[Sentinel] = Field(
        min_length=1, max_length=9, description="Its Sentinels.", json_schema_extra=keyed_by("host")
    )
    master_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", min_length=1, max_length=63)] = Field(
        default="mymaster", description="What the Sentinels call the master."
    )
    password_secret: Name = Field(description="Secret with key password, for Redis and its Sentinels.")


class RedisUse(Part):
    """Where the API takes its locks."""

    managed: ManagedRedis | None = Field(default=None, description="Run by the operator.")
    external: ExternalRedis | None = Field(default=None, description="Run by somebody else.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.managed) != has(self.external)",
            message="redis: give either managed (to run one) or external",
        ),
        Rule(
            rule="has(self.managed) == has(oldSelf.managed)",
            message="redis: managed and external cannot be exchanged in place: a lock held in the one is free in the "
            "other, and a payment could be made twice. Set it back",
        ),
    )


_TAKES_IN = "has({0}.intake) && {0}.intake && has({0}.ports)"


class ApiDeploymentSpec(Part):
    """What a bank's API should be."""

    ledger: LedgerUse = Field(description="Where the books are.")
    lightning: list[LightningUse] | None = Field(
        default=None,
        max_length=9,
        description="The Lightning nodes, in the order of their priority.",
        json_schema_extra=keyed_by("node"),
    )
    cold_wallet: Name | None = Field(default=None, description="The ColdWallet whose chain the bank follows.")
    redis: RedisUse = Field(description="Where locks are taken.")
    components: list[Component] = Field(
        min_length=1, max_length=16, description="The bank's own programs.", json_schema_extra=keyed_by("name")
    )
    paused: bool = Field(default=False, description="true: the operator watches and changes nothing.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule=f"self.components.all(c, !({_TAKES_IN.format('c')}) || self.components.all(d, c.name == d.name"
            f" || !({_TAKES_IN.format('d')}) || c.ports.all(p, d.ports.all(q, q.port != p.port && q.name != p.name))))",
            message="two components with intake have the same port or the same name of a port: a request could reach "
            "either. Give each its own",
        ),
        Rule(
            rule="!(has(self.lightning) || has(self.coldWallet)) || self.components.all(c, !has(c.env) || "
            "c.env.all(e, e.name != 'NETWORK'))",
            message="env sets NETWORK, which the operator sets itself to the network of lightning and coldWallet: two "
            "values would mix chains. Remove it",
        ),
    )


Mode = Literal["Full", "ReceiveOnly", "IntraledgerOnly", "ReadOnly", "Closed"]


class RedisStatus(Part):
    """What a person asks of Redis first."""

    master: Annotated[str, StringConstraints(max_length=260)] | None = Field(
        default=None, description="Host of the master that most Sentinels name."
    )
    members: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Members that answer.")


class ApiDeploymentStatus(Status):
    """What is true of an ApiDeployment."""

    mode: Mode | None = Field(default=None, description="What the API may do now, by what it depends on.")
    mode_reasons: list[Annotated[str, StringConstraints(max_length=1024)]] | None = Field(
        default=None, max_length=32, description="What keeps it from more, one sentence each."
    )
    avoids: list[Name] | None = Field(
        default=None,
        max_length=9,
        description="LndNodes that every pod has been told to leave alone: a ChangePlan that stops one waits for this.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    revision: Annotated[str, StringConstraints(max_length=32)] | None = Field(
        default=None, description="The revision whose jobs have all succeeded: its components may run."
    )
    redis: RedisStatus | None = Field(default=None, description="The Redis of the locks.")
    components: list[Running] | None = Field(
        default=None, max_length=16, description="Pods by component.", json_schema_extra=keyed_by("name")
    )


RESOURCE = Resource(
    kind="ApiDeployment",
    plural="apideployments",
    short="api",
    spec=ApiDeploymentSpec,
    status=ApiDeploymentStatus,
    description="A bank's API: its programs, their Redis, and what they may do while something is missing.",
    columns=(
        Column("Mode", ".status.mode"),
        Column("Master", ".status.redis.master", priority=1),
        Column("Revision", ".status.revision", priority=1),
    ),
    max_name=24,
)
