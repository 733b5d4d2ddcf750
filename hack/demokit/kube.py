"""kubectl as the demo and the stories use it, a namespace of one's own, and waiting with a deadline."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit import paths
from labkit.errors import StepFailed

Manifest = dict[str, Any]
#: Of a failed program's words, in characters.
SAID_MOST = 2000
_UNKNOWN_KIND = "the server doesn't have a resource type"


def eventually(
    condition: Callable[[], object], within: float, what: str | Callable[[], str], every: float = 0.3
) -> float:
    """Seconds until `condition` held; StepFailed with `what` when it does not within `within` seconds.

    `what` is a function where it tells how things stand: it is asked when the time is over.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            raise StepFailed(f"Not within {within:.0f} s: {what if isinstance(what, str) else what()}.")
        time.sleep(every)
    return time.monotonic() - began


class Kubectl:
    """The lab's kubectl itself, not by way of hack/lab: it is asked some hundred times."""

    def command(self, *words: str) -> list[str]:
        """As a process is started with it."""
        return [str(paths.kubectl()), "--kubeconfig", str(paths.kubeconfig()), *words]

    def asks(self, *words: str, stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """However it ends."""
        command = self.command(*words)
        try:
            return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"kubectl {' '.join(words[:6])}: no answer within {timeout:.0f} s.") from None

    def kubectl(self, *words: str, stdin: str = "", timeout: float = 120) -> str:
        """What kubectl prints, which has to succeed."""
        ended = self.asks(*words, stdin=stdin, timeout=timeout)
        if ended.returncode != 0:
            # Of a program in a pod kubectl says only that it failed: why stands in what that printed.
            said = f"{ended.stderr.strip()}\n{ended.stdout.strip()[-SAID_MOST:]}".strip()
            raise StepFailed(f"kubectl {' '.join(words)}: {said}")
        return ended.stdout

    def get(self, *words: str) -> Any:  # noqa: ANN401 - whatever the API server answers
        """What `kubectl get` finds, as JSON."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def found(self, *words: str) -> str:
        """What `kubectl get` prints of what is there; of a kind that nobody made known there is nothing.

        Any other failure is no answer, and so not "nothing".
        """
        ended = self.asks("get", *words, "--ignore-not-found")
        if ended.returncode != 0 and _UNKNOWN_KIND not in ended.stderr:
            raise StepFailed(f"kubectl get {' '.join(words)}: {ended.stderr.strip()}")
        return ended.stdout if ended.returncode == 0 else ""

    def has(self, *words: str) -> bool:
        """Whether it is there."""
        return bool(self.found(*words, "-o", "name").strip())


@dataclass
class Room:
    """A namespace of somebody's own."""

    lab: Kubectl
    name: str
    context: str = "kind-bankstack"

    def kubectl(self, *words: str, stdin: str = "", timeout: float = 120) -> str:
        """What kubectl prints for this namespace, which has to succeed."""
        return self.lab.kubectl("--context", self.context, "-n", self.name, *words, stdin=stdin, timeout=timeout)

    def apply(self, *manifests: Manifest) -> None:
        """All of them at once."""
        bundle = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(bundle))

    def get(self, *words: str) -> Any:  # noqa: ANN401 - whatever the API server answers
        """What `kubectl get` finds here, as JSON."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def inside(self, pod: str, *command: str) -> str:
        """What a command prints inside a pod."""
        return self.kubectl("exec", pod, "--", *command)

    def await_ready(self, *pods: str, within: int = 60) -> None:
        """Until they are, or StepFailed."""
        named = (f"pod/{pod}" for pod in pods)
        self.kubectl("wait", "--for=condition=Ready", f"--timeout={within}s", *named, timeout=within + 30)
