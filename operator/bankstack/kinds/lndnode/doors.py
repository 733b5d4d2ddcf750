"""How what an LndNode talks to is reached: injected, so that a simulation can stand in for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bankstack.clients import s3
from bankstack.clients.lnd.client import Connect

Presented = Callable[[str, int], Awaitable[bytes | None]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Doors:
    """LND, the certificate that it shows, object stores, and the clock that backups are dated by."""

    connect: Connect
    presented: Presented
    stores: s3.Connect = s3.connect
    now: Callable[[], datetime] = _now
    #: Of the cluster, where it is known.
    domain: str | None = None
