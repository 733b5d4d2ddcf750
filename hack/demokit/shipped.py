"""The operator as it is shipped: its image, manifests/base, and manifests/bank for each bank."""

import json
from pathlib import Path
from typing import Any

import yaml

from demokit.kube import Kubectl, Manifest
from labkit import paths, run

SYSTEM = "bankstack-system"
NAME = "bankstack-operator"
MANIFESTS = paths.CHECKOUT / "manifests"
BASE = MANIFESTS / "base"


def image() -> None:
    """Built if need be, and in every node."""
    run.do(paths.CHECKOUT / "hack" / "operator-image", "--load")


def deploy(lab: Kubectl, *banks: str) -> None:
    """Base, watching `banks`, and the Role into every bank's namespace."""
    items = [item for bank in banks for item in _in_namespace(lab, bank)]
    items += [_watching(item, banks) for item in kustomized(lab, BASE)]
    bundle = {"apiVersion": "v1", "kind": "List", "items": items}
    # Forced: somebody may have set something by hand before.
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(bundle))


def await_ready(lab: Kubectl, within: int = 120) -> None:
    """Until its pods are those of the manifest, and ready."""
    words = ("-n", SYSTEM, "rollout", "status", f"deployment/{NAME}", f"--timeout={within}s")
    lab.kubectl(*words, timeout=within + 30)


def is_there(lab: Kubectl) -> bool:
    """Whether one is ready to work."""
    ready = lab.found("-n", SYSTEM, "deployment", NAME, "-o", "jsonpath={.status.readyReplicas}")
    return ready.strip() not in ("", "0")


def remove(lab: Kubectl) -> None:
    """The operator, its rights and its CRDs, by the shipped manifests."""
    lab.kubectl("delete", "-k", str(BASE), "--ignore-not-found", "--timeout=120s", timeout=150)


def kustomized(lab: Kubectl, folder: Path) -> list[Manifest]:
    """The manifests of a folder of ours."""
    return list(yaml.safe_load_all(lab.kubectl("kustomize", str(folder))))


def _watching(item: Manifest, banks: tuple[str, ...]) -> Manifest:
    """manifests/base, for other banks."""
    if item["kind"] == "Deployment":
        (container,) = item["spec"]["template"]["spec"]["containers"]
        (namespaces,) = [one for one in container["env"] if one["name"] == "BANKSTACK_NAMESPACES"]
        namespaces["value"] = ",".join(banks)
    return item


def _in_namespace(lab: Kubectl, bank: str) -> list[Manifest]:
    """manifests/bank for a namespace of another name."""
    return [_moved(item, bank) for item in kustomized(lab, MANIFESTS / "bank")]


def _moved(item: Manifest, bank: str) -> Manifest:
    meta: dict[str, Any] = item["metadata"]
    place = {"name": bank} if item["kind"] == "Namespace" else {"namespace": bank}
    return item | {"metadata": meta | place}
