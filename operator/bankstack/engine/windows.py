"""Times of the week at which something disruptive may begin, like `Sun 02:00-05:00 UTC` (pure).

A window is where a plan may start, not where it has to end. One that ends before it
begins goes on after midnight.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import StringConstraints

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PATTERN: Final = (
    r"^(Daily|Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9]) UTC$"
)
Window = Annotated[str, StringConstraints(pattern=PATTERN, max_length=24)]


def opens(windows: Iterable[str], now: datetime) -> datetime | None:
    """When the next window opens; None where one is open, or there is none to wait for."""
    spans = [span for window in windows for span in _spans(window, now)]
    if not spans or any(begin <= now < end for begin, end in spans):
        return None
    return min(begin for begin, _ in spans if begin > now)


def _spans(window: str, now: datetime) -> list[tuple[datetime, datetime]]:
    """From yesterday to a week from now: what began before midnight may still be open."""
    found = re.fullmatch(PATTERN, window)
    if found is None:
        raise ValueError(f"{window!r} is no window like 'Sun 02:00-05:00 UTC'")
    day, *times = found.groups()
    begin, end = (timedelta(hours=int(times[at]), minutes=int(times[at + 1])) for at in (0, 2))
    length = end - begin if end > begin else end - begin + timedelta(days=1)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (midnight + timedelta(days=number) for number in range(-1, 9))
    return [(one + begin, one + begin + length) for one in days if day in ("Daily", DAYS[one.weekday()])]
