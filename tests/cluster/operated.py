"""The operator as its stories see it: deployed from the shipped manifests, scaled, killed, and overheard."""

import json
import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from demokit import shipped
from demokit.shipped import NAME, SYSTEM
from labkit import engine, faults, nodes
from labkit.catalog import Image
from labkit.errors import StepFailed

from .conftest import Lab, Manifest, Room, eventually

USER = f"system:serviceaccount:{SYSTEM}:{NAME}"
_LEASES = "leases"


def moment() -> str:
    """Now, as the audit log writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Operator:
    """The shipped Deployment, watching `banks`."""

    lab: Lab
    room: Room
    since: str = ""
    """When it was deployed: what another before it did is not its doing. UTC, as the audit log writes it."""
    former: frozenset[str] = frozenset()
    """Pods of that other one: they still ask for what is no longer theirs while this one's come."""

    @classmethod
    def deployed(cls, lab: Lab, *banks: str) -> "Operator":
        """Image built and loaded, base applied, and the Role into every bank's namespace."""
        shipped.image()
        operator = cls(lab, Room(lab, SYSTEM), moment())
        there = operator.names()
        shipped.deploy(lab, *banks)
        operator.scale(1)
        return replace(operator, former=there - operator.names())

    @property
    def version(self) -> str:
        """Tag of the shipped image."""
        (image,) = [one for one in shipped.kustomized(self.lab, shipped.BASE) if one["kind"] == "Deployment"]
        return str(image["spec"]["template"]["spec"]["containers"][0]["image"]).rpartition(":")[2]

    def becomes(self, version: str, change: str) -> None:
        """Another version: the shipped image with `change`, lines of a Dockerfile; none, and it is only put back."""
        reference = f"bankstack/operator:{version}"
        if change:
            text = f"FROM bankstack/operator:{self.version}\n{change}"
            build = ("docker", "build", "--quiet", "--network", "none", "--tag", reference, "-")
            subprocess.run(build, input=text, env=os.environ | engine.environment(), text=True, check=True)
            faults.load([Image(name="operator", reference=reference)], None)
        self.room.kubectl("set", "image", f"deployment/{NAME}", f"operator={reference}")
        self.room.kubectl("rollout", "status", f"deployment/{NAME}", "--timeout=120s")

    def removed(self) -> None:
        """The operator, its rights and its CRDs, by the shipped manifests."""
        shipped.remove(self.lab)

    def scale(self, replicas: int) -> None:
        """Until so many pods are ready, and no others are there."""
        self.room.kubectl("scale", f"deployment/{NAME}", f"--replicas={replicas}")
        eventually(lambda: self._settled(replicas), 90, f"{replicas} operators ready")

    def _settled(self, replicas: int) -> bool:
        status = self.room.get("deployment", NAME)["status"]
        return bool(status.get("readyReplicas", 0) == replicas == len(self.pods()))

    def pods(self) -> list[Manifest]:
        found: list[Manifest] = self.room.get("pods", "-l", f"app.kubernetes.io/name={NAME}")["items"]
        return found

    def names(self) -> frozenset[str]:
        return frozenset(pod["metadata"]["name"] for pod in self.pods())

    def kill(self) -> None:
        """As a power cut would: no signal is heard, no lease given back."""
        eventually(lambda: all(map(runs, self.pods())), 60, "its process runs, to be killed")
        for pod in self.pods():
            kill_main_process(pod)

    def log(self) -> str:
        """What all its pods have said so far, former containers included."""
        said = ""
        for pod in self.pods():
            name = pod["metadata"]["name"]
            said += self.lab.asks("-n", SYSTEM, "logs", name, "--previous").stdout
            # Asked without insisting: a container that is just being made has no log yet.
            said += self.lab.asks("-n", SYSTEM, "logs", name).stdout
        return said

    def metrics(self) -> str:
        """The metrics page of whoever acts."""
        return self.lab.kubectl(
            "get", "--raw", f"/api/v1/namespaces/{SYSTEM}/services/{NAME}-metrics:8080/proxy/metrics"
        )

    def gauge(self, name: str, namespace: str, resource: str) -> float | None:
        """A resource's number, None while it is not told."""
        for line in self.metrics().splitlines():
            if line.startswith(f"{name}{{") and f'"{namespace}"' in line and f'"{resource}"' in line:
                return float(line.rpartition(" ")[2])
        return None

    def requests(self, since: str = "") -> list[Manifest]:
        """Everything it has asked of the API server since then, or since it was deployed, by the server's account."""
        lines = filter(None, self.lab.does("audit").splitlines())
        # Whose token is none, as a node's after its power was cut, is nobody in the log.
        entries = (entry for entry in map(json.loads, lines) if entry["user"].get("username") == USER)
        return [
            entry
            for entry in entries
            if entry["requestReceivedTimestamp"] >= (since or self.since) and _pod(entry) not in self.former
        ]

    def writes(self, since: str = "") -> list[str]:
        """What it has written, its lease left out: verb, resource, name."""
        return [
            f"{entry['verb']} {_where(entry)}"
            for entry in self.requests(since)
            if entry["verb"] not in ("get", "list", "watch") and entry.get("objectRef", {}).get("resource") != _LEASES
        ]

    def forbidden(self) -> list[str]:
        """What it was refused for want of a right; a namespace that goes takes nothing new, which is no right."""
        return [
            f"{entry['verb']} {_where(entry)}"
            for entry in self.requests()
            if entry.get("responseStatus", {}).get("code") == 403
            and "is being terminated" not in entry["responseStatus"].get("message", "")
        ]


def _pod(entry: Manifest) -> str:
    """Whose token it was."""
    named: list[str] = entry["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [])
    return "".join(named)


def kill_main_process(pod: Manifest) -> None:
    """SIGKILL for the first process of a pod's container, from its node."""
    do_to_container(pod, "kill", "--signal", "SIGKILL")


def is_killed(room: Room, name: str) -> bool:
    """SIGKILL for a pod's first process; False where there is none, or it ended by itself in between."""
    found = room.lab.asks("-n", room.name, "get", "pod", name, "-o", "json")
    if found.returncode != 0 or not runs(pod := json.loads(found.stdout)):
        return False
    try:
        kill_main_process(pod)
    except StepFailed:
        return False
    return True


def runs(pod: Manifest) -> bool:
    """Whether its first container does."""
    # A pod that was just made has no word of its containers yet.
    return "running" in next(iter(pod["status"].get("containerStatuses", [])), {"state": {}})["state"]


def do_to_container(pod: Manifest, verb: str, *options: str) -> None:
    """What containerd can do to a running container, from its node: kill, pause, resume."""
    identity = pod["status"]["containerStatuses"][0].get("containerID", "").removeprefix("containerd://")
    nodes.inside(pod["spec"]["nodeName"], ["ctr", "-n", "k8s.io", "tasks", verb, *options, identity])


def _where(entry: Manifest) -> str:
    about = entry.get("objectRef", {})
    return f"{about.get('resource')}/{about.get('subresource', '')} {about.get('namespace')}/{about.get('name')}"
