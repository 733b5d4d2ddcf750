"""What runs in pods, as far as the operator can tell: processes that start, see their mounts, and stop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bankstack.engine import manifests
from bankstack.engine.objects import (
    CONFIG_MAP,
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE,
    Manifest,
    Type,
)

from .apiserver import ApiServer, Key


@dataclass(frozen=True)
class Mounts:
    """A pod's volumes as its processes saw them when they started. Data are known by the life of their claim."""

    pod: str
    namespace: str
    claims: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, bytes]]
    files: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, bytes]
    #: What the pod is called, for software that is known to others by it.
    name: str = ""
    image: str = ""
    #: What was written on the claims.
    notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def mounts(server: ApiServer, pod: Manifest) -> Mounts:
    namespace = pod["metadata"]["namespace"]

    def found(of: Type, name: str) -> Manifest:
        stored = server.objects.get(Key(of, namespace, name))
        return stored.manifest if stored else {}

    def opened(source: Manifest) -> Mapping[str, bytes]:
        files = manifests.opened(found(SECRET, source["secretName"]))
        wanted = [one["key"] for one in source.get("items", [])]
        return {key: content for key, content in files.items() if not wanted or key in wanted}

    def value(entry: Manifest) -> bytes:
        secret = entry.get("valueFrom", {}).get("secretKeyRef")
        if secret is None:
            return str(entry.get("value", "")).encode()
        return manifests.opened(found(SECRET, secret["name"])).get(secret["key"], b"")

    volumes = pod["spec"].get("volumes", [])
    claims = {
        one["name"]: found(PERSISTENT_VOLUME_CLAIM, one["persistentVolumeClaim"]["claimName"])["metadata"]
        for one in volumes
        if "persistentVolumeClaim" in one
    }
    return Mounts(
        pod=pod["metadata"]["uid"],
        namespace=namespace,
        claims={name: meta["uid"] for name, meta in claims.items()},
        secrets={one["name"]: opened(one["secret"]) for one in volumes if "secret" in one},
        files={
            one["name"]: found(CONFIG_MAP, one["configMap"]["name"]).get("data", {})
            for one in volumes
            if "configMap" in one
        },
        environment={entry["name"]: value(entry) for one in pod["spec"]["containers"] for entry in one.get("env", [])},
        name=pod["metadata"]["name"],
        image=pod["spec"]["containers"][0]["image"],
        notes={name: meta.get("annotations", {}) for name, meta in claims.items()},
    )


class Process(Protocol):
    """One program in one pod."""

    def tick(self) -> bool:
        """Time passes; whether it got anywhere."""


class Program(Protocol):
    """Which pods it runs in, and how one starts. Its data outlive its processes."""

    component: str

    def start(self, mounted: Mounts) -> Process:
        """A process in a pod that has just started."""


class Software:
    """All programs of a world: what `World` calls outside."""

    def __init__(self, *programs: Program) -> None:
        self._programs = {program.component: program for program in programs}
        self._running: dict[str, Process] = {}
        self._server: ApiServer | None = None

    def tick(self, server: ApiServer) -> bool:
        """Start what has a pod, end what has none, and let the rest go on."""
        self._server = server
        pods = {
            stored.manifest["metadata"]["uid"]: stored.manifest
            for stored in server.owned_by(POD).values()
            if stored.manifest.get("status", {}).get("phase") == "Running"
        }
        ended = self._running.keys() - pods.keys()
        for uid in ended:
            del self._running[uid]
        moved = bool(ended)
        for uid, pod in pods.items():
            program = self._programs.get(pod["metadata"]["labels"].get("app.kubernetes.io/name", ""))
            if program is not None and uid not in self._running:
                self._running[uid] = program.start(mounts(server, pod))
                moved = True
        for process in self._running.values():
            moved = process.tick() or moved
        return moved

    def restart(self) -> None:
        """Every process dies and comes back with what is mounted now, as after a power cut."""
        self._running.clear()

    def of(self, pod: Manifest) -> Process | None:
        """What runs in a pod."""
        return self._running.get(pod["metadata"]["uid"])

    def reach(self, host: str) -> Process | None:
        """Whoever answers at a name: of a Service, or of one pod behind a Service."""
        *pod, name, namespace = host.removesuffix(".svc").split(".") if host.endswith(".svc") else ("", "")
        server = self._server
        service = server.objects.get(Key(SERVICE, namespace, name)) if server else None
        if server is None or service is None:
            return None
        wanted = service.manifest["spec"]["selector"]
        for key, stored in server.owned_by(POD, wanted[OWNER_LABEL]).items():
            labels = stored.manifest["metadata"].get("labels", {})
            if key.namespace == namespace and key.name in (pod or [key.name]) and wanted.items() <= labels.items():
                return self.of(stored.manifest)
        return None
