"""The operator as a process: how long it takes to be there, and what it takes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .budgets import Row, percentile

ROOT = Path(__file__).parents[2]
IMPORT = "import time; began = time.perf_counter(); import bankstack.__main__; print(time.perf_counter() - began)"


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "operator"), "PYTHONUNBUFFERED": "1"} | more


def rows() -> list[Row]:
    """What needs no cluster."""
    seconds = [
        float(subprocess.run([sys.executable, "-c", IMPORT], env=environment(), check=True, capture_output=True).stdout)
        for _ in range(5)
    ]
    return [Row("import of the whole operator, p50 of 5", 0.6, "s", percentile(seconds, 0.4))]


def rss(process: int) -> float:
    """MiB that a process has in memory."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Running:
    """One operator process and its metrics."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self._port = process, port

    def metrics(self) -> Mapping[str, float]:
        """By series; nothing while it does not listen yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def total(self, prefix: str, *having: str) -> float:
        """Sum of the series that begin and read like this."""
        return sum(
            value
            for name, value in self.metrics().items()
            if name.startswith(prefix) and (not having or any(word in name for word in having))
        )

    def await_passes(self, within: float) -> float:
        """Seconds until the first pass over a resource has ended."""
        began = time.monotonic()
        while self.total("bankstack_reconcile_seconds_count") == 0:
            if time.monotonic() - began > within or self.process.poll() is not None:
                return within
            time.sleep(0.02)
        return time.monotonic() - began


@contextmanager
def operator(namespace: str, kubeconfig: Path, log: Path) -> Iterator[Running]:
    """An operator for one namespace, ended in order."""
    port = free_port()
    chosen = environment(
        KUBECONFIG=str(kubeconfig),
        BANKSTACK_NAMESPACES=namespace,
        BANKSTACK_OWN_NAMESPACE=f"{namespace}-system",
        BANKSTACK_IDENTITY=f"bench-{port}",
        BANKSTACK_HEALTH_PORT=str(free_port()),
        BANKSTACK_ALERTS_PORT=str(free_port()),
        BANKSTACK_METRICS_PORT=str(port),
    )
    with log.open("ab") as told:
        process = subprocess.Popen([sys.executable, "-m", "bankstack"], env=chosen, stdout=told, stderr=told)
    try:
        yield Running(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
