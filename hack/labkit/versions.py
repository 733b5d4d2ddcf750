"""The one file of versions, read and checked.

It must not know what a version is used for: `catalog` does.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from labkit.errors import Refused

FILE = Path(__file__).with_name("versions.toml")


@dataclass(frozen=True)
class Pin:
    """One version and why it is this one."""

    name: str
    version: str
    why: str


def load(text: str | None = None) -> Mapping[str, Pin]:
    """All pins by name. A pin without a version or a reason is refused, naming it."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8") if text is None else text)
    return MappingProxyType({name: _pin(name, entry) for name, entry in table.items()})


def _pin(name: str, entry: Mapping[str, str]) -> Pin:
    for field in ("version", "why"):
        if not entry.get(field):
            raise Refused(f"versions.toml: [{name}] has no `{field}`; add one.")
    return Pin(name, entry["version"], entry["why"])
