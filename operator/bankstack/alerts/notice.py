"""What Alertmanager posts, read with suspicion (pure).

Whoever has the token may still send nonsense: labels of any length, a start in another
century, text that would mock a terminal. What is shown later is cut and cleaned here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

#: Alerts of one notification that are looked at.
ALERTS_MOST: Final = 5000
#: A label's name, and its value, as far as they are compared and shown.
LABEL_MOST: Final = 253
TOLD_MOST: Final = 400
#: An alert that began earlier than this is old enough.
OLDEST: Final = timedelta(days=365)

_Label = Annotated[str, StringConstraints(max_length=4096)]


class Unreadable(Exception):
    """A body that is no notification: what is wrong with it, without repeating it."""


class _Alert(BaseModel):
    """One alert of the webhook's version 4; what is not known here is not needed."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[_Label, _Label], Field(max_length=128)]
    annotations: Annotated[dict[_Label, str], Field(max_length=128)] = Field(default_factory=dict)
    starts_at: AwareDatetime


class _Notification(BaseModel):
    alerts: Annotated[list[_Alert], Field(max_length=ALERTS_MOST)]


@dataclass(frozen=True)
class Alert:
    """One alert. `since` is when it began, by the clock of whoever saw it."""

    labels: Mapping[str, str]
    since: datetime
    summary: str = ""
    firing: bool = True

    @property
    def name(self) -> str:
        """What its rule is called in Prometheus."""
        return told(self.labels.get("alertname", "without a name"), LABEL_MOST)

    @property
    def shown(self) -> dict[str, str]:
        """Its labels as a plan shows them: some, each cut."""
        return {told(key, 64): told(value, 128) for key, value in sorted(self.labels.items())[:20]}


def read(body: bytes, now: datetime) -> tuple[Alert, ...]:
    """The alerts of a notification. Raises Unreadable, and nothing else, whatever the bytes are."""
    try:
        found = _Notification.model_validate(json.loads(body))
        return tuple(_alert(one, now) for one in found.alerts)
    except ValidationError as error:
        first = error.errors()[0]
        where = told(".".join(map(str, first["loc"])), 100)
        raise Unreadable(f"{where or 'the whole'}: {told(first['msg'], 200)}") from None
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None


def told(text: str, most: int = TOLD_MOST) -> str:
    """Text of others as it may be shown: one line, nothing that a terminal obeys."""
    line = " ".join(text[: 4 * most].split())
    return "".join(letter for letter in line if letter.isprintable())[:most]


def _alert(one: _Alert, now: datetime) -> Alert:
    summary = one.annotations.get("summary") or one.annotations.get("description", "")
    return Alert(one.labels, _believable(one.starts_at, now), told(summary), firing=one.status == "firing")


def _believable(since: datetime, now: datetime) -> datetime:
    """Not of the future: it would hide every later alert. Not of a time that no calendar writes."""
    try:
        return min(max(since.astimezone(UTC), now - OLDEST), now).replace(microsecond=0)
    except OverflowError:
        return now - OLDEST
