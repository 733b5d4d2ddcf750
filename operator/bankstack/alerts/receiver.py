"""Alertmanager's webhook over HTTP, bounded in every way.

First who asks, then how often, then how much: what a stranger sends is not even read.
Codes are chosen for what Alertmanager makes of them: 5xx it sends again within seconds,
all else with the next flush of the group, some minutes later. So 5xx is answered only
where trying again helps: an API server that is silent, settings that somebody mends.
Whatever is sent, nothing is raised, and each kind of trouble is logged once in a while.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from aiohttp import ClientPayloadError, web
from prometheus_client import CollectorRegistry, Counter, Gauge

from bankstack.alerts import notice, rules
from bankstack.alerts.asked import Group
from bankstack.alerts.maker import Outcome
from bankstack.alerts.notice import Alert, Unreadable
from bankstack.alerts.rules import Rule
from bankstack.alerts.settings import NO_RULES, NOBODY_BELIEVED, Settings
from bankstack.engine.finding import Interrupted, Stalled
from bankstack.engine.loop import trace

log = logging.getLogger(__name__)

PATH: Final = "/alerts"
#: A thousand alerts of usual length are half of it.
BODY_MOST: Final = 1024 * 1024
BODY_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 40.0
#: Notifications at once, and per second afterwards: groups of alerts, not alerts.
BURST: Final = 20
PER_SECOND: Final = 2.0
#: Targets of one notification: with more, it is no bank's trouble but somebody's mistake.
GROUPS_MOST: Final = 32
#: One kind of trouble is logged this often.
TOLD_SECONDS: Final = 600.0

CODES: Final = (200, 400, 401, 404, 413, 422, 429, 500, 503)
OK, BAD, FORGED, OFF, LARGE, NOTHING, MANY, DEFECT, LATER = CODES


class Makes(Protocol):
    """`maker.Maker`."""

    async def make(self, group: Group) -> Outcome:
        """One plan, or the reason why there is none."""


@dataclass(frozen=True)
class Answer:
    """What is answered: a code, and sentences."""

    code: int
    text: str


@dataclass
class Bucket:
    """So many at once, and so many per second."""

    clock: Callable[[], float] = time.monotonic
    left: float = BURST
    at: float = field(default=0.0)

    def take(self) -> bool:
        """Whether there is one left."""
        now = self.clock()
        self.left, self.at = min(float(BURST), self.left + (now - self.at) * PER_SECOND), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Receiver:
    """Answers POST /alerts."""

    def __init__(  # noqa: PLR0913 - its world, a word each
        self,
        settings: Callable[[], Settings],
        maker: Makes,
        namespaces: tuple[str, ...],
        registry: CollectorRegistry,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._maker, self._namespaces = settings, maker, namespaces
        self._clock, self._now = clock, now
        self._bucket = Bucket(clock)
        self._told: dict[str, float] = {}
        self._requests = Counter(
            "bankstack_alert_requests",
            "Notifications by the code they were answered with.",
            ("code",),
            registry=registry,
        )
        self._alerts = Counter("bankstack_alerts", "Alerts by what became of them.", ("result",), registry=registry)
        for code in CODES:  # from zero: a series that begins with one has risen in nobody's eyes
            self._requests.labels(str(code))
        allowed = Gauge("bankstack_alert_rules", "Rules of the allow-list that count.", registry=registry)
        allowed.set_function(lambda: len(settings().rules or ()))
        mistakes = Gauge("bankstack_alert_rules_mistakes", "Mistakes in the allow-list.", registry=registry)
        mistakes.set_function(lambda: len(settings().mistakes))

    @contextlib.asynccontextmanager
    async def served(self, port: int) -> AsyncIterator[None]:
        """Answer as long as the context lasts."""
        app = web.Application(client_max_size=BODY_MOST)
        app.add_routes([web.post(PATH, self._post)])
        runner = web.AppRunner(app, access_log=None, lingering_time=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=port, backlog=32).start()
            yield
        finally:
            await runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._answered(request)
        except TimeoutError:
            answer = Answer(LATER, f"not within {ANSWER_SECONDS:.0f} s: send it again")
        except Exception as defect:  # noqa: BLE001 - the rim: a sender must not bring the operator down
            answer = Answer(DEFECT, f"a defect: {trace(defect)}")
        self._requests.labels(str(answer.code)).inc()
        self._tell(answer)
        response = web.Response(status=answer.code, text=f"{answer.text}\n")
        if answer.code == FORGED:
            response.headers["WWW-Authenticate"] = "Bearer"
        # As with health's: a connection kept open is a task kept open.
        response.force_close()
        return response

    async def _answered(self, request: web.Request) -> Answer:
        settings = self._settings()
        if refused := self._refused(settings, request.headers.get("Authorization", "")):
            return refused
        body = await _body(request)
        if isinstance(body, Answer):
            return body
        try:
            alerts = notice.read(body, self._now())
        except Unreadable as unreadable:
            return Answer(BAD, f"no notification of Alertmanager: {unreadable}")
        return await self._acted(settings.rules or (), alerts)

    def _refused(self, settings: Settings, authorization: str) -> Answer | None:
        """Before anything of it is read."""
        if not settings.fingerprint:
            return Answer(LATER, NOBODY_BELIEVED)
        if not settings.believes(authorization):
            return Answer(FORGED, "the token is missing or wrong: nothing of it was read")
        if settings.mistakes:
            return Answer(LATER, "\n".join(("the allow-list has mistakes, so it allows nothing:", *settings.mistakes)))
        if settings.rules is None:
            return Answer(OFF, NO_RULES)
        if not self._bucket.take():
            return Answer(MANY, f"too many notifications: {BURST} at once, then {PER_SECOND:.0f} a second. Group them")
        return None

    async def _acted(self, allowed: Iterable[Rule], alerts: tuple[Alert, ...]) -> Answer:
        groups, nameless = self._grouped(allowed, alerts)
        outcomes = [await self._made(group) for group in groups[:GROUPS_MOST]]
        for group, (outcome, _) in zip(groups, outcomes, strict=False):
            self._alerts.labels(outcome.result).inc(len(group.alerts))
        told = [outcome.sentence for outcome, _ in outcomes]
        left_out = max(0, len(groups) - GROUPS_MOST)
        if left_out:
            told.append(f"{left_out} targets more were left out: {GROUPS_MOST} are looked at. Group by target")
        if nameless:
            told.append(f"{nameless} alerts are named by no rule, or their target by no label: nothing is done")
        codes = [code for _, code in outcomes] or ([NOTHING] if nameless else [OK])
        # What trying again helps with; then what Alertmanager must not take for done; else well, if anything was.
        code = LATER if LATER in codes else LARGE if left_out else min(codes)
        return Answer(code, "\n".join(told) or "nothing fires")

    def _grouped(self, allowed: Iterable[Rule], alerts: tuple[Alert, ...]) -> tuple[list[Group], int]:
        """Alerts that ask for the same are one wish; what is over asks for nothing."""
        listed, found, tally = tuple(allowed), dict[tuple[str, str, str], list[Alert]](), Tally[str]()
        wishes: dict[tuple[str, str, str], rules.Wish] = {}
        for alert in alerts:
            wish = rules.wish(listed, alert, self._namespaces) if alert.firing else None
            if wish is None:
                tally["unnamed" if alert.firing else "resolved"] += 1
                continue
            key = (wish.rule.name, wish.namespace, wish.target)
            wishes[key] = wish
            found.setdefault(key, []).append(alert)
        for result, number in tally.items():
            self._alerts.labels(result).inc(number)
        return [Group(wishes[key], tuple(some)) for key, some in found.items()], tally["unnamed"]

    async def _made(self, group: Group) -> tuple[Outcome, int]:
        try:
            outcome = await self._maker.make(group)
        except Interrupted as stop:
            helps = not isinstance(stop.finding.policy, Stalled)
            told = f"{group.wish}: {stop.finding.message}"
            return Outcome("failed", told), LATER if helps else NOTHING
        if outcome.result == "made":
            log.info("%s", outcome.sentence)
        return outcome, NOTHING if outcome.result == "no_target" else OK

    def _tell(self, answer: Answer) -> None:
        """Each kind of trouble once in a while: whoever floods us does not flood the log."""
        now, kind = self._clock(), str(answer.code)
        if answer.code == OK or now - self._told.get(kind, -TOLD_SECONDS) < TOLD_SECONDS:
            return
        self._told[kind] = now
        log.warning("a notification of alerts was answered %s: %.1000s", kind, answer.text)


async def _body(request: web.Request) -> bytes | Answer:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Answer(LARGE, f"more than {BODY_MOST} bytes: set max_alerts of the webhook, or group less")
    except (TimeoutError, ClientPayloadError, web.HTTPException, OSError):
        return Answer(BAD, "it did not come whole")
