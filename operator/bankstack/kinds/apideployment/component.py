"""What users write of one of the bank's own programs (pure). Probes and environment as a pod's spec has them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from bankstack.engine.model import (
    ImageReference,
    Part,
    PodOverride,
    Port,
    Rule,
    Size,
    Text,
    Word,
    keyed_by,
)

#: Names that a component may not have: what the operator makes itself is called so.
TAKEN = ("mode", "redis")
#: Variables that the operator sets in every component.
OURS = (
    "MONGODB_(CON|ADDRESS|USER|PASSWORD)|REDIS_(TYPE|MASTER_NAME|PASSWORD|[0-9]+_(DNS|PORT))|LND[0-9]+_.*|BANKSTACK_.*"
)

ComponentName = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=20)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=128)]
Path = Annotated[str, StringConstraints(pattern=r"^/", min_length=1, max_length=256)]
Argument = Annotated[str, StringConstraints(max_length=2048)]
Count = Annotated[int, Field(ge=1, le=3600)]


class KeyRef(Part):
    """One key of a Secret or ConfigMap."""

    name: Word = Field(description="The object's name.")
    key: Word = Field(description="The key in it.")


class ValueFrom(Part):
    """Where a variable's value is kept."""

    secret_key_ref: KeyRef | None = Field(default=None, description="A key of a Secret.")
    config_map_key_ref: KeyRef | None = Field(default=None, description="A key of a ConfigMap.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",
            message="valueFrom: give either secretKeyRef or configMapKeyRef, not both and not neither",
        ),
    )


class Variable(Part):
    """An environment variable of the component's own."""

    name: VariableName = Field(description="Its name.")
    value: Annotated[str, StringConstraints(max_length=8192)] | None = Field(default=None, description="Its value.")
    value_from: ValueFrom | None = Field(default=None, description="Where the value is kept, instead of value.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule=f"!self.name.matches('^({OURS})$')",
            message="env sets a variable that the operator sets itself (MONGODB_*, REDIS_*, LND1_*, BANKSTACK_*): two "
            "values would let the API pay from another ledger or node than declared. Remove it; ledger, redis and "
            "lightning of the ApiDeployment say where it points",
        ),
        Rule(
            rule="!(has(self.value) && has(self.valueFrom))",
            message="env: give either value or valueFrom, not both and not neither",
        ),
    )


class ObjectName(Part):
    """A Secret or ConfigMap as a whole."""

    name: Word = Field(description="The object's name.")


class EnvironmentFrom(Part):
    """Every key of a Secret or ConfigMap as a variable. Those of the operator and of env go before."""

    secret_ref: ObjectName | None = Field(default=None, description="A Secret.")
    config_map_ref: ObjectName | None = Field(default=None, description="A ConfigMap.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.secretRef) != has(self.configMapRef)",
            message="envFrom: give either secretRef or configMapRef, not both and not neither",
        ),
    )


class ContainerPort(Part):
    """A port that the program listens on."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=15)] = Field(
        description="Its name, like http."
    )
    port: Port = Field(description="Its number.")


class HttpGet(Part):
    """A page that has to answer with 200 to 399."""

    path: Path = Field(description="Path, like /healthz.")
    port: Port = Field(description="Port.")


class TcpSocket(Part):
    """A port that has to be open."""

    port: Port = Field(description="Port.")


class Grpc(Part):
    """The standard health service of gRPC."""

    port: Port = Field(description="Port.")
    service: Word | None = Field(default=None, description="The service's name, where the program tells several.")


class Exec(Part):
    """A command in the container that has to end with 0."""

    command: list[Argument] = Field(min_length=1, max_length=32, description="Its words; no shell.")


class Probe(Part):
    """How one knows that the program is well."""

    http_get: HttpGet | None = Field(default=None, description="A page.")
    tcp_socket: TcpSocket | None = Field(default=None, description="An open port.")
    grpc: Grpc | None = Field(default=None, description="gRPC's health service.")
    exec: Exec | None = Field(default=None, description="A command.")
    initial_delay_seconds: Count | None = Field(default=None, description="Before the first look.")
    period_seconds: Count | None = Field(default=None, description="Between two looks; 10 when absent.")
    timeout_seconds: Count | None = Field(default=None, description="For one answer; 1 when absent.")
    failure_threshold: Count | None = Field(default=None, description="Failures in a row that count; 3 when absent.")
    success_threshold: Count | None = Field(default=None, description="Successes in a row that count; 1 when absent.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.httpGet), has(self.tcpSocket), has(self.grpc), has(self.exec)]"
            ".filter(one, one).size() == 1",
            message="a probe asks in exactly one way: httpGet, tcpSocket, grpc or exec",
        ),
    )


class Probes(Part):
    """The probes of a component."""

    readiness: Probe | None = Field(default=None, description="Gets requests while it succeeds.")
    liveness: Probe | None = Field(default=None, description="Started again when it fails.")
    startup: Probe | None = Field(default=None, description="The others wait for it.")


class Volume(Part):
    """Something to be mounted: a volume of the component's own, a Secret, a ConfigMap, or room for scratch."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=20)] = Field(
        description="Its name."
    )
    mount_path: Path = Field(description="Where the program finds it.")
    size: Size | None = Field(default=None, description="A volume of this size for each pod, kept when pods go.")
    class_name: Word | None = Field(default=None, description="StorageClass of that volume.")
    secret: Word | None = Field(default=None, description="A Secret, each key a file.")
    config_map: Word | None = Field(default=None, description="A ConfigMap, each key a file.")
    scratch: bool | None = Field(default=None, description="true: an empty folder that goes with the pod.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.size), has(self.secret), has(self.configMap), has(self.scratch)]"
            ".filter(one, one).size() == 1",
            message="a volume is exactly one of size (a volume of its own), secret, configMap or scratch",
        ),
        Rule(
            rule="!has(self.className) || has(self.size)",
            message="volumes: className goes with size, which makes a volume of the component's own. Remove it",
        ),
        Rule(
            rule="!has(oldSelf.size) || (has(self.size) && self.size == oldSelf.size"
            " && has(self.className) == has(oldSelf.className)"
            " && (!has(self.className) || self.className == oldSelf.className))",
            message="volumes: size and className of a component's own volume are immutable: Kubernetes changes no "
            "volume of a StatefulSet. Set it back, or give the component another name",
        ),
    )


_SIZED = "(has({0}.volumes) ? {0}.volumes.filter(one, has(one.size)) : [])"
_ENDS = "(has(self.job) && self.job) || has(self.schedule)"


class Component(Part):
    """One of the bank's own programs."""

    name: ComponentName = Field(description="Its name; objects are called <ApiDeployment>-<component>.")
    image: ImageReference = Field(description="Full image reference.")
    command: list[Argument] | None = Field(default=None, max_length=32, description="Instead of the image's own.")
    args: list[Argument] | None = Field(default=None, max_length=64, description="Arguments.")
    replicas: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="Pods at the same time; 1 when absent."
    )
    ports: list[ContainerPort] | None = Field(
        default=None, max_length=8, description="Ports; each gets a Service.", json_schema_extra=keyed_by("name")
    )
    probes: Probes | None = Field(default=None, description="How one knows that it is well.")
    intake: bool = Field(
        default=False, description="true: customers' requests arrive here, by the Service called as the ApiDeployment."
    )
    singleton: bool = Field(
        default=False, description="true: never two at the same time when it is rolled: the old one is stopped first."
    )
    job: bool = Field(
        default=False, description="true: run once per revision, before the others are started or rolled; a migration."
    )
    schedule: Annotated[str, StringConstraints(pattern=r"^[-0-9*/,A-Za-z@ ]+$", max_length=64)] | None = Field(
        default=None, description="Run at these times (cron, UTC), never two at once."
    )
    env: list[Variable] | None = Field(
        default=None, max_length=64, description="Its own variables.", json_schema_extra=keyed_by("name")
    )
    env_from: list[EnvironmentFrom] | None = Field(default=None, max_length=8, description="Whole Secrets, ConfigMaps.")
    volumes: list[Volume] | None = Field(
        default=None, max_length=8, description="What is mounted.", json_schema_extra=keyed_by("name")
    )
    user: Annotated[int, Field(ge=1, le=2_147_483_647)] = Field(
        default=1000, description="User id that the program runs as; never root."
    )
    root_file_system: Literal["ReadOnly", "Writable"] = Field(
        default="ReadOnly", description="Writable for images that write beside their volumes."
    )
    stop_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=60, description="For finishing what it has begun when it is stopped; a payment takes up to 45."
    )
    pod: PodOverride | None = Field(default=None, description="Settings of its pods.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule=f"!(self.name in [{', '.join(repr(one) for one in TAKEN)}]) && !self.name.startsWith('redis-')",
            message="components: the names mode, redis and redis-* are the operator's own. Choose another",
        ),
        Rule(
            rule="[has(self.job) && self.job, has(self.singleton) && self.singleton, has(self.schedule)]"
            ".filter(one, one).size() <= 1",
            message="a component is at most one of job (runs once and ends), schedule (runs at times and ends) and "
            "singleton (one that stays): keep the one that is meant",
        ),
        Rule(
            rule=f"!({_ENDS}) || !(has(self.replicas) || has(self.ports) || has(self.probes)"
            " || (has(self.intake) && self.intake))",
            message="a component with job or schedule runs and ends: replicas, ports, probes and intake do not apply "
            "to it. Remove them",
        ),
        Rule(
            rule=f"!({_ENDS}) || !has(self.volumes) || self.volumes.all(one, !has(one.size))",
            message="a component with job or schedule has no volume of its own: whatever it leaves belongs into the "
            "ledger. Remove volumes with size",
        ),
        Rule(
            rule="!(has(self.singleton) && self.singleton) || !has(self.replicas) || self.replicas <= 1",
            message="a singleton has one pod: two would do everything twice. Remove replicas, or singleton",
        ),
        Rule(
            rule="!(has(self.intake) && self.intake) || has(self.ports)",
            message="intake needs ports: requests have to arrive somewhere. Add ports, or remove intake",
        ),
        Rule(
            rule=f"{_SIZED.format('oldSelf')}.size() == 0"
            f" || {_SIZED.format('self')}.size() == {_SIZED.format('oldSelf')}.size()",
            message="volumes: a component with a volume of its own gets no further one and loses none in place. Set it "
            "back, or give the component another name",
        ),
    )


class Running(Part):
    """A component's pods as status tells them."""

    name: Text = Field(description="The component.")
    wanted: Annotated[int, Field(ge=0)] = Field(description="Pods that should run.")
    ready: Annotated[int, Field(ge=0)] = Field(description="Pods that run as declared and are ready.")
