"""Releases of LND and what lies between them (pure)."""

import re
from typing import TypeAlias

Version: TypeAlias = tuple[int, int, int]


def parse(text: str | None) -> Version | None:
    """`v0.21.2-beta` or LND's own `0.21.2-beta commit=…`; None where it is neither."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def newest(*texts: str | None) -> str | None:
    """The newest of some releases, as `v0.21.2`; those that cannot be read do not count."""
    known = [version for text in texts if (version := parse(text))]
    return "v{}.{}.{}".format(*max(known)) if known else None


def migrates(ran: str | None, wanted: str) -> bool:
    """Whether going from `ran` to `wanted` changes the database, after which there is no way back."""
    before, after = parse(ran), parse(wanted)
    return before is not None and after is not None and after[:2] > before[:2]


def crosses_migration(ran: str | None, wanted: str) -> bool:
    """Whether going from `ran` to `wanted` is a step down over a change of the database.

    Every minor release has changed it so far, and the change is one way: an older LND
    would read closed channels as open (0.21) or refuse to start.
    """
    before, after = parse(ran), parse(wanted)
    return before is not None and after is not None and after[:2] < before[:2]
