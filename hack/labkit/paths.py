"""Where the lab keeps things: one cache folder, one run folder, nothing in the checkout."""

import os
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
CHECKOUT = SOURCE.parent.parent


def cache() -> Path:
    """Kept between runs and after `down`; `clean` removes it."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "bankstack-lab"


def run() -> Path:
    """Sockets and process ids; gone after `down`."""
    if os.geteuid() == 0:
        return Path("/run/bankstack-lab")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / "bankstack-lab"


def kubeconfig() -> Path:
    """One file with a context per cluster of the lab."""
    return cache() / "kubeconfig"


def cluster(name: str) -> Path:
    """One cluster's kind configuration and audit log; gone after `down`."""
    return cache() / "clusters" / name


def kept() -> Path:
    """Built programs, by name and recipe hash."""
    return cache() / "built"


def kubectl() -> Path:
    """The cluster's own kubectl, taken out of its node image."""
    return cache() / "bin" / "kubectl"


def wanted() -> Path:
    """What `up` was last asked for, so that a killed one is finished as it was begun."""
    return cache() / "clusters" / "wanted.json"


def scratch() -> Path:
    """For what is being built; beside the built programs, so that they are linked and not copied."""
    folder = cache() / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
