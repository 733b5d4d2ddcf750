"""A bank's namespace as its stories see it: resources, their children, and what is told of them."""

import base64
import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .conftest import OWNER, RESTRICTED, Lab, Manifest, Room, eventually

ROOT = Path(__file__).parents[2]
WALLETS = ROOT / "manifests" / "samples" / "wallets"
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
            lambda: all(self.is_ready(*pair) for pair in pairs),
            within,
            lambda: f"{', '.join(names)} Ready; {self.told(pairs)}",
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

    def as_api(self, *words: str) -> Any:  # noqa: ANN401 - whatever lnd answers
        """What lnd1 answers to the bank's API."""
        ended = self.lncli(*words)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def lncli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """However lncli ends in a pod that has what a bank's API has."""
        return self.lab.asks(*self._lncli(*words))

    def lncli_command(self, *words: str) -> list[str]:
        """The same as a command, for whoever does not wait for its end."""
        return self.lab.command(*self._lncli(*words))

    def _lncli(self, *words: str) -> tuple[str, ...]:
        """kubectl's words; lncli wants the macaroon unpacked."""
        if self.lab.asks("-n", self.name, "get", "pod", "api").returncode != 0:
            held = self.get("secret", "lnd1-api")["data"]
            # What it decodes to is base64 itself, as existing APIs have it in their environment.
            macaroon = base64.b64decode(held["admin_macaroon_base64"]).decode()
            files = {"tls.cert": held["tls.cert"], "api.macaroon": macaroon}
            self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api-files"}, "data": files})
            self.apply(_api_pod())
            self.await_ready("api")
        where = ("--rpcserver=lnd1:10009", "--tlscertpath=/lnd/tls.cert", "--macaroonpath=/lnd/api.macaroon")
        return ("-n", self.name, "exec", "api", "--", "lncli", "--network=regtest", *where, *words)


def _api_pod() -> Manifest:
    container = {
        "name": "main",
        "image": "lightninglabs/lnd:v0.21.2-beta",
        "imagePullPolicy": "Never",
        # Waits for ever beside the bank's API: an lnd that has no wallet and is asked nothing.
        "command": ["lnd", "--bitcoin.regtest", "--bitcoin.node=nochainbackend", "--lnddir=/data"],
        "volumeMounts": [{"name": "lnd", "mountPath": "/lnd"}, {"name": "data", "mountPath": "/data"}],
        "securityContext": RESTRICTED,
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "lnd", "secret": {"secretName": "api-files"}}, {"name": "data", "emptyDir": {}}],
    }
    labels = {"bankstack.io/lnd-client": "true"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api", "labels": labels}, "spec": spec}


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
