"""A bank's namespace as its stories see it: resources, their children, and what is told of them."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .conftest import Lab, Manifest, Room, eventually

ROOT = Path(__file__).parents[2]
WALLETS = ROOT / "manifests" / "samples" / "wallets"
OWNER = "bankstack.io/owner"
CHILDREN = "statefulset,service,configmap,secret,poddisruptionbudget,networkpolicy,persistentvolumeclaim"


@dataclass
class Bank(Room):
    """The namespace `name`, watched by the operator."""

    @classmethod
    def of(cls, lab: Lab, name: str = "bank") -> "Bank":
        return cls(lab, name)

    def apply_samples(self) -> None:
        self.kubectl("apply", "-k", str(WALLETS))

    def resource(self, kind: str, name: str) -> Manifest:
        found: Manifest = self.get(kind, name)
        return found

    def condition(self, kind: str, name: str, which: str = "Ready") -> Manifest:
        """The condition, {} while there is none."""
        conditions = self.resource(kind, name).get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == which), {})

    def is_ready(self, kind: str, name: str) -> bool:
        """Ready for the spec as it stands now."""
        found = self.resource(kind, name)
        ready = self.condition(kind, name)
        return ready.get("status") == "True" and ready["observedGeneration"] == found["metadata"]["generation"]

    def await_resources(self, *names: str, within: float = 240) -> float:
        """Seconds until all of `Kind/name` were Ready."""
        pairs = [name.split("/") for name in names]
        return eventually(
            lambda: all(self.is_ready(*pair) for pair in pairs), within, f"{', '.join(names)} Ready; {self.told(pairs)}"
        )

    def told(self, pairs: Iterable[list[str]]) -> str:
        return "; ".join(
            f"{kind} {name}: {self.condition(kind, name).get('message', 'nothing')}" for kind, name in pairs
        )

    def await_reason(self, kind: str, name: str, reason: str, within: float = 60) -> str:
        """The message of Ready once it gives `reason`."""
        eventually(lambda: self.condition(kind, name).get("reason") == reason, within, f"{name} says {reason}")
        return str(self.condition(kind, name)["message"])

    def children(self, owner: str) -> dict[str, Manifest]:
        """Everything made for `Kind.name`, by kind/name."""
        items = self.get(CHILDREN, "-l", f"{OWNER}={owner}")["items"]
        return {f"{one['kind'].lower()}/{one['metadata']['name']}": one for one in items}

    def end_state(self) -> Manifest:
        """What a run ends in: every child without what is drawn anew each time."""
        owners = [f"{one['kind']}.{one['metadata']['name']}" for one in self.get("bank")["items"]]
        found = {key: child for owner in owners for key, child in self.children(owner).items()}
        return {_without_digest(key): _settled(child) for key, child in found.items()}

    def restarts(self) -> dict[str, tuple[str, int]]:
        """By pod: which life of it, and how often its first container was restarted."""
        return {
            pod["metadata"]["name"]: (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
            for pod in self.get("pods", "-l", OWNER)["items"]
        }


def _settled(child: Manifest) -> Manifest:
    """Names and shape; contents that are random (passwords, keys) only by their keys."""
    shape: Any = child.get("data", {}) if child["kind"] == "Secret" else child.get("spec", {})
    return {"labels": child["metadata"]["labels"], "shape": sorted(shape)}


def _without_digest(name: str) -> str:
    return re.sub(r"-[0-9a-f]{12}$", "", name)


#: Kept in Secrets for whoever mounts them, and nobody's secret.
PUBLIC = ("username", "pubkey", "tls.cert", "tls.crt", "tls_base64", "ca.crt", "channels")


def bodies(lab: Lab, namespace: str) -> list[bytes]:
    """Contents of every Secret in the namespace that nobody may see elsewhere (12 bytes and more)."""
    items = json.loads(lab.kubectl("-n", namespace, "get", "secrets", "-o", "json"))["items"]
    pairs = (pair for item in items for pair in item.get("data", {}).items())
    contents = (base64.b64decode(value) for key, value in pairs if key not in PUBLIC)
    return [content for content in contents if len(content) >= 12]
