"""The webhook over real HTTP: who is believed, what is bounded, and which answer each gets."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.simulation.faults import Fault, When, always

from bankstack.alerts import receiver
from bankstack.alerts.settings import Settings, fingerprint
from bankstack.engine.objects import Manifest

from .given import BEGAN, TOKEN, US, Desk, alert, door, listed, notification, rule


async def test_an_alert_makes_one_plan_in_the_operator_s_own_name_and_is_to_be_seen_on_it() -> None:
    desk = Desk()
    async with door(desk) as at:
        code, told = await at.posts(notification(alert(), alert(status="resolved")))
    assert (code, told) == (200, "Restart of LndNode bank/lnd1: ChangePlan database-lnd1-1 is made\n")
    (plan,) = desk.plans().values()
    assert plan["spec"] == {
        "target": {"kind": "LndNode", "name": "lnd1"},
        "operation": "Restart",
        "requestedBy": US,
        "notAfter": "2026-03-02T12:01:00Z",
        "reason": "alert LndDatabaseTooBig fires since 2026-03-01T12:00:00Z (rule database): the database has 9 GiB",
    }
    assert plan["metadata"]["labels"]["bankstack.io/alert-rule"] == "database"
    assert json.loads(plan["metadata"]["annotations"]["bankstack.io/alert"])["labels"]["name"] == "lnd1"
    assert desk.server.announced == [("Normal", "AskedByAlert", plan["spec"]["reason"])]
    assert (desk.counted("alerts_total", result="made"), desk.counted("alerts_total", result="resolved")) == (1, 1)


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "h\u00f6rse"])
async def test_a_forged_alert_makes_none_and_is_told_of_once(
    token: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(pace=0.01)
    with caplog.at_level(logging.WARNING):
        async with door(desk) as at:
            codes = [(await at.posts(notification(alert()), token))[0] for _ in range(5)]
    assert (codes, desk.plans()) == ([401] * 5, {})
    assert desk.counted("alert_requests_total", code="401") == 5
    assert len(caplog.records) == 1


async def test_the_token_is_a_bearer_s() -> None:
    desk = Desk()
    async with door(desk) as at:
        assert (await at.posts(notification(alert()), None, Authorization=f"Digest {TOKEN}"))[0] == 401
        assert (await at.posts(notification(alert()), None, Authorization=f"bearer {TOKEN}"))[0] == 200


async def test_a_flood_of_a_thousand_alerts_is_one_plan() -> None:
    desk = Desk(pace=0.5)
    at_once = [alert(BEGAN + timedelta(seconds=number % 60), pod=f"p{number}") for number in range(1000)]
    async with door(desk) as at:
        assert (await at.posts(notification(*at_once)))[0] == 200
        codes = await asyncio.gather(*(at.posts(notification(one)) for one in at_once[:100]))
    assert {code for code, _ in codes} == {200}
    assert list(desk.plans()) == ["database-lnd1-1"]
    assert "and 999 more like it" in desk.plans()["database-lnd1-1"]["spec"]["reason"]


async def test_too_many_notifications_are_turned_away_unread() -> None:
    desk = Desk(pace=0.001)
    async with door(desk) as at:
        codes = [(await at.posts(notification(alert())))[0] for _ in range(40)]
    assert codes[: receiver.BURST] == [200] * receiver.BURST
    assert set(codes[receiver.BURST :]) == {429}
    assert len(desk.plans()) == 1


async def test_strangers_take_nothing_from_what_those_with_the_token_may_send() -> None:
    desk = Desk(pace=0.0)
    async with door(desk) as at:
        for _ in range(2 * receiver.BURST):
            assert (await at.posts(b"", "wrong"))[0] == 401
        assert (await at.posts(notification(alert())))[0] == 200


async def test_too_large_a_body_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_MOST", 1000)
    desk = Desk()
    async with door(desk) as at:
        code, told = await at.posts(notification(*[alert() for _ in range(10)]))
        assert (code, "more than 1000 bytes" in told) == (413, True)
    assert desk.plans() == {}


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_SECONDS", 0.05)
    desk = Desk()
    head = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n"
    async with door(desk) as at, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(f"{head}{{".encode())
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()
        await writer.wait_closed()


async def test_an_api_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "ANSWER_SECONDS", 0.05)
    desk, never = Desk(), asyncio.Event()

    async def hangs() -> None:
        await never.wait()

    desk.cluster.line.pause = hangs
    async with door(desk) as at:
        assert (await at.posts(notification(alert())))[0] == 503


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"alerts": 1}', b"\xff\xfe", b'{"alerts": [{}]}', b"1" * 5000,
        json.dumps(notification({**alert(), "startsAt": "yesterday"})).encode(),
        json.dumps(notification({**alert(), "labels": {"alertname": 1}})).encode(),
        json.dumps(notification({**alert(), "labels": {"name": "\ud800"}})).encode(),
    ],
)  # fmt: skip
async def test_what_is_no_notification_is_told_so(body: bytes) -> None:
    desk = Desk()
    async with door(desk) as at:
        code, told = await at.posts(body)
    assert (code, told.startswith("no notification of Alertmanager: "), desk.plans()) == (400, True, {})


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "Other"}, {"namespace": "elsewhere"}, {"name": "lnd1/../../x"}, {"name": ""},
        {"name": "A" * 100}, {"name": "lnd9"},
    ],
)  # fmt: skip
async def test_an_alert_that_no_rule_names_or_whose_target_is_not_there_makes_none(labels: Any) -> None:  # noqa: ANN401 - of an alert
    desk = Desk()
    async with door(desk) as at:
        assert (await at.posts(notification(alert(**labels))))[0] == 422
    assert desk.server.all("ChangePlan") == []


async def test_what_is_over_asks_for_nothing() -> None:
    desk = Desk()
    async with door(desk) as at:
        assert await at.posts(notification(alert(status="resolved"))) == (200, "nothing fires\n")
    assert desk.plans() == {}


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        (Settings(), 503, "there is no token"),
        (Settings(fingerprint(TOKEN.encode())), 404, "there is no allow-list"),
        (Settings(fingerprint(TOKEN.encode()), None, ("rules[0].operation: no",)), 503, "rules[0].operation: no"),
        (Settings(fingerprint(TOKEN.encode()), ()), 422, "named by no rule"),
    ],
)
async def test_without_token_or_list_nothing_is_taken_and_the_cure_is_told(
    settings: Settings, code: int, sentence: str
) -> None:
    desk = Desk(settings)
    async with door(desk) as at:
        answered, told = await at.posts(notification(alert()))
    assert (answered, sentence in told, desk.plans()) == (code, True, {})


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault(0), 503), (Fault(500), 503), (Fault(0, When.AFTER), 503), (Fault(422), 422)]
)
async def test_a_silent_api_server_is_asked_again_and_then_there_is_one(fault: Fault, code: int) -> None:
    desk = Desk(schedule=always("create ChangePlan", fault))
    async with door(desk) as at:
        assert (await at.posts(notification(alert())))[0] == code
        desk.schedule = lambda _number, _words: None
        assert (await at.posts(notification(alert())))[0] == 200
    assert list(desk.plans()) == ["database-lnd1-1"]


async def test_a_defect_is_an_answer_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    async def breaks(_group: Any) -> None:  # noqa: ANN401 - never looked at
        raise KeyError("a secret")

    monkeypatch.setattr(desk.receiver._maker, "make", breaks)  # noqa: SLF001 - a defect
    async with door(desk) as at:
        code, told = await at.posts(notification(alert()))
    assert (code, told.startswith("a defect: KeyError in "), "secret" in told) == (500, True, False)
    assert desk.counted("alert_requests_total", code="500") == 1


async def test_two_replicas_that_are_told_at_once_make_one_plan() -> None:
    """Each call lets the other replica come first."""
    desk = Desk()

    async def pause() -> None:
        await asyncio.sleep(0)

    desk.cluster.line.pause = pause
    desk.receiver = desk.replica(CollectorRegistry())
    other = Desk(desk.settings)
    other.server, other.cluster = desk.server, desk.cluster
    other.receiver = other.replica(CollectorRegistry())
    async with door(desk) as one, door(other) as two:
        later = BEGAN + timedelta(seconds=30)
        answers = await asyncio.gather(
            *(at.posts(notification(alert(since))) for at in (one, two) for since in (BEGAN, later))
        )
    assert ({code for code, _ in answers}, list(desk.plans())) == ({200}, ["database-lnd1-1"])


async def test_one_notification_may_ask_for_several_targets() -> None:
    desk = Desk()
    desk.declares("lnd2")
    async with door(desk) as at:
        code, told = await at.posts(notification(alert(), alert(name="lnd2"), alert(name="lnd9"), alert(name="no/pe")))
    assert (code, set(desk.plans())) == (200, {"database-lnd1-1", "database-lnd2-1"})
    assert "there is no LndNode lnd9" in told
    assert "1 alerts are named by no rule" in told


async def test_more_targets_than_a_bank_has_are_left_out_and_not_taken_for_done() -> None:
    desk = Desk()
    async with door(desk) as at:
        code, told = await at.posts(notification(alert(), *(alert(name=f"x{number}") for number in range(50))))
    assert (code, "19 targets more were left out" in told, list(desk.plans())) == (413, True, ["database-lnd1-1"])


async def test_the_first_rule_that_fits_is_followed() -> None:
    rules = listed(rule(name="fast", match={"severity": "critical"}, operation="Look"), rule())
    desk = Desk(Settings(fingerprint(TOKEN.encode()), rules))
    async with door(desk) as at:
        await at.posts(notification(alert(severity="critical")))
    made: list[Manifest] = list(desk.plans().values())
    assert [one["spec"]["operation"] for one in made] == ["Look"]
