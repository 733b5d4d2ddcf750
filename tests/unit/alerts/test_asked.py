"""When an alert asks for a plan, and when it was answered already."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.simulation.apiserver import Key
from tests.simulation.faults import Fault, always

from bankstack.alerts import notice, rules
from bankstack.alerts.asked import SINCE, Group, reason, stem
from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import CHANGE_PLAN
from bankstack.plans import journal, request
from bankstack.plans.journal import Begun, Journal

from .given import BEGAN, KNOWN, Desk, alert, listed, notification, rule


def group(since: Any = BEGAN, *some: Any, **more: Any) -> Group:  # noqa: ANN401 - alerts, and of a rule
    (one,) = listed(rule(**more))
    read = notice.read(json.dumps(notification(alert(since), *some)).encode(), BEGAN + timedelta(days=300))
    wish = rules.wish((one,), read[0], KNOWN.namespaces)
    assert wish is not None
    return Group(wish, read)


async def made(desk: Desk, since: Any = BEGAN, **more: Any) -> str:  # noqa: ANN401 - of a rule
    return (await desk.maker().make(group(since, **more))).sentence.partition(": ")[2]


async def test_the_same_alert_again_makes_no_second_plan_also_when_the_first_has_ended() -> None:
    desk = Desk()
    assert await made(desk) == "ChangePlan database-lnd1-1 is made"
    assert await made(desk) == "ChangePlan database-lnd1-1 asks for it and has not ended"
    desk.ends("database-lnd1-1")
    for hours in (4, 24, 24 * 30):
        desk.later(hours=hours)
        assert "was made after this alert began" in await made(desk)
    assert len(desk.plans()) == 1


async def test_an_alert_that_fires_anew_makes_the_next_but_not_too_soon() -> None:
    desk = Desk()
    await made(desk)
    desk.ends("database-lnd1-1", "Failed")
    desk.later(hours=23)
    assert "makes the next after 2026-03-02T12:01:00Z" in await made(desk, desk.now)
    desk.later(hours=2)
    assert await made(desk, desk.now) == "ChangePlan database-lnd1-2 is made"


async def test_a_clock_ahead_of_the_api_server_s_makes_no_second_plan_of_one_alert() -> None:
    desk = Desk()
    ahead = desk.now + timedelta(minutes=3)
    await made(desk, ahead)
    desk.ends("database-lnd1-1")
    desk.later(days=2)
    assert "was made after this alert began" in await made(desk, ahead)


async def test_an_alert_of_the_future_hides_no_later_one() -> None:
    desk = Desk()
    (one,) = notice.read(json.dumps(notification(alert(BEGAN + timedelta(days=4000)))).encode(), desk.now)
    assert one.since == desk.now
    await desk.maker().make(Group(group().wish, (one,)))
    desk.ends("database-lnd1-1")
    desk.later(days=2)
    assert await made(desk, desk.now) == "ChangePlan database-lnd1-2 is made"


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"])
def test_a_start_that_no_calendar_writes_is_within_a_year(written: str) -> None:
    (one,) = notice.read(json.dumps(notification(alert() | {"startsAt": written})).encode(), BEGAN)
    assert BEGAN - timedelta(days=365) <= one.since <= BEGAN


@pytest.mark.parametrize("edited", ["2036-01-01T00:00:00Z", "nonsense", ""])
async def test_what_people_write_on_a_plan_hides_no_later_alert(edited: str) -> None:
    desk = Desk()
    await made(desk)
    desk.ends("database-lnd1-1")
    key = Key(CHANGE_PLAN, "bank", "database-lnd1-1")
    desk.server.edit(key, lambda one: one["metadata"]["annotations"].update({SINCE: edited}), "kubectl")
    desk.later(days=2)
    assert await made(desk, desk.now) == "ChangePlan database-lnd1-2 is made"


async def test_who_never_sees_what_others_made_makes_nothing_over_it() -> None:
    desk = Desk()
    await made(desk)
    desk.schedule = always("list ChangePlan", Fault("stale", behind=1))
    with pytest.raises(Interrupted, match="is being asked for by others"):
        await made(desk)
    assert len(desk.plans()) == 1


async def test_where_a_person_has_asked_for_it_an_alert_asks_for_no_other() -> None:
    desk = Desk()
    key = Key(CHANGE_PLAN, "bank", "by-hand")
    spec = {
        "target": {"kind": "LndNode", "name": "lnd1"}, "operation": "Restart", "requestedBy": "alice",
        "notAfter": "2026-03-02T12:01:00Z", "reason": "x",
    }  # fmt: skip
    head = {"apiVersion": CHANGE_PLAN.api_version, "kind": CHANGE_PLAN.kind}
    desk.server.create(key, {**head, "metadata": {"name": key.name, "namespace": "bank"}, "spec": spec}, "kubectl")
    assert await made(desk) == "ChangePlan by-hand asks for it and has not ended"
    desk.ends("by-hand", "Cancelled")
    assert await made(desk) == "ChangePlan database-lnd1-1 is made"


async def test_a_plan_that_nobody_can_read_may_be_running() -> None:
    desk = Desk()
    await made(desk)
    desk.ends("database-lnd1-1", "Nonsense")
    assert "cannot be read" in await made(desk, desk.now)


async def test_a_name_that_was_begun_and_deleted_is_not_taken_again() -> None:
    desk = Desk()
    book = Journal(begun={"database-lnd1-7": Begun("gone", "2026-03-31T00:00:00Z")})
    key = Key(journal.REF.type, "bank", journal.NAME)
    desk.server.create(key, journal.manifest(book, "bank", desk.now), "bankstack")
    assert await made(desk) == "ChangePlan database-lnd1-8 is made"


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "database-lnd1-1"),
        (["database-lnd1-1", "database-lnd1-12", "database-lnd2-99", "x"], "database-lnd1-13"),
        (["database-lnd1-", "database-lnd1-x", "database-lnd1-1-1", "database-lnd1-12345678"], "database-lnd1-1"),
    ],
)
def test_a_name_is_the_next_number(taken: list[str], expected: str) -> None:
    assert request.name(stem(group().wish), taken) == expected


def test_a_long_name_still_fits() -> None:
    target = {"kind": "LndNode", "name": "n" * 63, "namespace": "bank"}
    called = request.name(stem(group(name="r" * 30, target=target).wish), [])
    assert (len(called) <= 63, called.startswith("r" * 30), called.endswith("-1")) == (True, True, True)


def test_what_approvers_read_is_one_line_of_a_bounded_length() -> None:
    one = alert() | {"annotations": {"summary": "a\x1b[31m\n" + "\u202e" + "b" * 5000}}
    told = reason(group(BEGAN, one | {"startsAt": "2026-03-01T12:00:01Z"}))
    assert (len(told) <= 1024, told.isprintable(), "a[31m b" in told) == (True, True, True)
