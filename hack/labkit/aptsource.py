"""The Debian mirror this machine itself installs from, read from its apt sources.

The lab names no mirror: where a machine reaches a certain one, so does the lab.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import Refused

OVERRIDE = "LAB_DEBIAN_MIRROR"
_ONE_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+.*\bmain\b")
_DEBIAN_SUITES = frozenset({"bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing"})


@dataclass(frozen=True)
class Source:
    """Addresses of the archive and, where the machine has one, of its security archive."""

    mirror: str
    security: str = ""


def machine() -> Source:
    """From the machine's own apt configuration, or from LAB_DEBIAN_MIRROR."""
    if mirror := os.environ.get(OVERRIDE):
        return Source(mirror)
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return parse(
        path.read_text(encoding="utf-8") for path in files if path.suffix in {".list", ".sources"} and path.exists()
    )


def parse(texts: Iterable[str]) -> Source:
    """The first Debian archive in these sources, in either of apt's two formats (pure)."""
    mirror = security = ""
    for address, suite in (pair for text in texts for pair in _pairs(text)):
        if suite.endswith("-security"):
            security = security or address
        elif suite in _DEBIAN_SUITES:
            mirror = mirror or address
    if not mirror:
        raise Refused(
            "Images cannot be pulled here, and this machine's apt sources name no Debian archive to build them from: "
            f"set {OVERRIDE} to one."
        )
    return Source(mirror, security)


def lines(source: Source, suite: str) -> str:
    """sources.list of a root of `suite`; its first line is the archive itself (recipes rely on it)."""
    text = f"deb {source.mirror} {suite} main\ndeb {source.mirror} {suite}-updates main\n"
    if source.security:
        text += f"deb {source.security} {suite}-security main\n"
    return text


def _pairs(text: str) -> list[tuple[str, str]]:
    """(address, suite) of every entry that carries `main`."""
    pairs = [(found[1], found[2]) for line in text.splitlines() if (found := _ONE_LINE.match(line.strip()))]
    for stanza in re.split(r"\n\s*\n", text):
        fields = {
            name.strip().lower(): value.strip()
            for line in stanza.splitlines()
            if ":" in line and not line.startswith("#")
            for name, value in [line.split(":", 1)]
        }
        if "main" in fields.get("components", "").split():
            pairs += [(uri, suite) for uri in fields.get("uris", "").split() for suite in fields["suites"].split()]
    return pairs
