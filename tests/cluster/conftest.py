"""The lab as the stories see it: its command line, its kubectl, and waiting with a deadline."""

import os
import subprocess
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demokit import kube
from demokit.kube import Kubectl, Manifest, eventually
from demokit.shipped import NAME, SYSTEM
from labkit import catalog

__all__ = ["Manifest", "eventually"]  # to the stories all of it comes from here

LAB = Path(__file__).parents[2] / "hack" / "lab"
IMAGES = catalog.load().images
#: On everything that the operator makes for a resource.
OWNER = "bankstack.io/owner"
#: Of a container: a bank's namespace takes nothing less.
RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


FETCH = """
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        urllib.request.urlopen(url, timeout=3)
    except OSError:
        print(url)
"""


#: What is looked at after a failure: never a Secret's content, which no report may hold.
SCENE = {
    "resources": ("get", "bank", "-A"),
    "pods": ("get", "pods", "-A", "-o", "wide"),
    "warnings": ("get", "events", "-A", "--field-selector", "type=Warning", "--sort-by", ".lastTimestamp"),
    "operator": ("-n", SYSTEM, "logs", f"deployment/{NAME}", "--tail", "60"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker("cluster")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """How the cluster stood when a story failed: the next one changes it, and elsewhere nobody can look."""
    report = yield
    if report.failed:
        kubectl = Kubectl()
        for title, words in (SCENE | _last_words(kubectl)).items():
            report.sections.append((title, kubectl.asks(*words).stdout))
    return report


def _last_words(kubectl: Kubectl) -> dict[str, tuple[str, ...]]:
    """What the programs of each bank said last: why an LND waits stands nowhere else."""
    owned = (*("get", "pods", "-A", "-l", OWNER, "-o"), "jsonpath={.items[*].metadata.namespace}")
    logs = ("logs", "-l", OWNER, "--all-containers", "--prefix", "--tail", "12")
    return {f"programs of {bank}": ("-n", bank, *logs) for bank in sorted(set(kubectl.asks(*owned).stdout.split()))}


def elapsed(seconds: float) -> None:
    """Let real time pass: for a quiet minute, or a moment that was drawn."""
    ends = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= ends, seconds + 5, "time passes")


class Lab(Kubectl):
    """`hack/lab` and its kubectl, each call a process as a user would start it."""

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LAB, *words], env=os.environ | environment, capture_output=True, text=True, timeout=900, check=False
        )

    def does(self, *words: str) -> str:
        """What a command prints that has to succeed."""
        ended = self(*words)
        assert ended.returncode == 0, f"hack/lab {' '.join(words)}: {ended.stderr}"
        return ended.stdout

    def refuses(self, *words: str, **environment: str) -> str:
        """The one sentence of a command that has to be refused."""
        ended = self(*words, **environment)
        assert ended.returncode == 2, f"{ended.returncode}: {ended.stdout}{ended.stderr}"
        assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
        return ended.stderr.strip()

    def is_ready(self, node: str) -> bool:
        conditions = self.get("node", node)["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def node_of(self, region: str) -> str:
        return str(self.get("nodes", "-l", f"topology.kubernetes.io/region={region}")["items"][0]["metadata"]["name"])


@dataclass
class Room(kube.Room):
    """A namespace of one story's own."""

    lab: Lab

    def unreachable(self, pod: str, *urls: str) -> list[str]:
        """Those of `urls` that give a pod of the Python image no answer in 3 seconds."""
        return self.inside(pod, "python", "-c", FETCH, *urls).split()


def pod(name: str, region: str, *command: str, image: str = "python", claim: str = "") -> Manifest:
    """A pod of one container in `region`, its claim mounted at /data."""
    container: Manifest = {
        "name": "main",
        "image": IMAGES[image].reference,
        "imagePullPolicy": "Never",
        "command": list(command),
    }
    spec: Manifest = {
        "nodeSelector": {"topology.kubernetes.io/region": region},
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    if claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def web(name: str, region: str) -> Manifest:
    """A pod that answers HTTP on 8000."""
    return pod(name, region, "python", "-m", "http.server", "8000")


def service(name: str) -> Manifest:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def claim(name: str, mode: str = "ReadWriteOnce") -> Manifest:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "64Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab, brought up with its three default regions; left up for the next run."""
    running = Lab()
    if running("up").returncode != 0:
        running.does("down")
        running.does("up")
    running.does("load", "python")
    return running


@pytest.fixture
def room(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Room]:
    """A namespace named after the test, gone afterwards."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    lab.kubectl("create", "namespace", name)
    yield Room(lab, name)
    lab.kubectl("delete", "namespace", name, "--wait=false")
