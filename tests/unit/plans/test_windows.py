from datetime import UTC, datetime

import pytest

from bankstack.engine.windows import opens

SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        ("Sun 02:00-05:00 UTC", at(1, 12), at(8, 2)),
        ("Sun 02:00-05:00 UTC", at(1, 1, 59), at(1, 2)),
        ("Sun 02:00-05:00 UTC", at(1, 2), None),
        ("Sun 02:00-05:00 UTC", at(1, 4, 59), None),
        ("Sun 02:00-05:00 UTC", at(1, 5), at(8, 2)),
        ("Sat 22:00-02:00 UTC", at(1, 1), None),
        ("Sat 22:00-02:00 UTC", at(1, 2), at(7, 22)),
        ("Daily 03:00-04:00 UTC", at(1, 12), at(2, 3)),
        ("Daily 00:00-00:00 UTC", at(1, 12), None),
    ],
)
def test_a_window_is_open_or_opens_then(window: str, now: datetime, expected: datetime | None) -> None:
    assert opens([window], now) == expected


def test_the_next_of_several_is_meant_and_none_is_always_open() -> None:
    assert opens(["Sun 02:00-05:00 UTC", "Tue 01:00-02:00 UTC"], SUNDAY) == at(3, 1)
    assert opens([], SUNDAY) is None


def test_nonsense_is_no_window() -> None:
    with pytest.raises(ValueError, match="is no window"):
        opens(["Sunday morning"], SUNDAY)
