"""The ChangePlan that an alert asks for, and when it asks for none (pure).

One unfinished plan per rule and target, also where two replicas are told at once: that is
the name's doing (`plans.request`). Whoever sees the one just made makes none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bankstack.alerts.notice import Alert
from bankstack.alerts.rules import Wish
from bankstack.engine.conditions import moment, stamp
from bankstack.engine.model import seconds
from bankstack.engine.objects import annotation, canonical, digest
from bankstack.plans.model import SENTENCE_MOST
from bankstack.plans.plan import Plan, Unreadable, unreadable
from bankstack.plans.request import STEM_MOST, Request, number

RULE_LABEL: Final = "bankstack.io/alert-rule"
#: The alert as it was told: who approves looks here.
ALERT: Final = "bankstack.io/alert"
SINCE: Final = "bankstack.io/alert-since"
#: So far ahead a clock may be; what is later was written by hand.
AHEAD_MOST: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Group:
    """All alerts of one notification that ask for the same."""

    wish: Wish
    alerts: tuple[Alert, ...]

    @property
    def latest(self) -> Alert:
        """The one that began last: what an earlier plan may not have been for."""
        return max(self.alerts, key=lambda one: (one.since, canonical(one.shown)))


def stem(wish: Wish) -> str:
    """What all names of its plans begin with."""
    whole = f"{wish.rule.name}-{wish.target}"
    return whole if len(whole) <= STEM_MOST else f"{wish.rule.name}-{digest([wish.rule.target.kind, wish.target])}"


def answered(group: Group, plans: Collection[Plan | Unreadable], us: str, now: datetime) -> str | None:
    """Why no plan is made: a sentence; None where one is. `plans` are the target's."""
    wish = group.wish
    if broken := unreadable(plans):
        return str(broken)
    found = [one for one in plans if isinstance(one, Plan) and one.spec.operation == wish.rule.operation]
    if unfinished := next((one for one in found if not one.finished and not one.spec.dry_run), None):
        return f"ChangePlan {unfinished.name} asks for it and has not ended"
    ours = [one for one in found if one.spec.requested_by == us and number(stem(wish), one.name) is not None]
    if not ours:
        return None
    last = max(ours, key=lambda one: (moment(one.created), one.name))
    if group.latest.since <= _seen(last):
        return f"ChangePlan {last.name} was made after this alert began: it was for this"
    soonest = moment(last.created) + timedelta(seconds=seconds(wish.rule.every))
    if now < soonest:
        return f"ChangePlan {last.name} was made of late: rule {wish.rule.name} makes the next after {stamp(soonest)}"
    return None


def _seen(plan: Plan) -> datetime:
    """Up to when alerts are this plan's: its alert's own start counts where that clock is ahead of the API server's."""
    made = moment(plan.created)
    try:
        return min(max(made, moment(annotation(plan.manifest, SINCE) or "")), made + AHEAD_MOST)
    except ValueError:
        return made


def request(group: Group, us: str, now: datetime) -> Request:
    """The ChangePlan, asked for in the operator's own name."""
    wish, alert = group.wish, group.latest
    shown = {"labels": alert.shown, "startsAt": stamp(alert.since), "summary": alert.summary}
    return Request(
        stem=stem(wish),
        kind=wish.rule.target.kind,
        target=wish.target,
        namespace=wish.namespace,
        operation=wish.rule.operation,
        us=us,
        not_after=now + timedelta(seconds=seconds(wish.rule.valid)),
        reason=reason(group),
        event="AskedByAlert",
        labels={RULE_LABEL: wish.rule.name},
        annotations={ALERT: canonical(shown), SINCE: stamp(alert.since)},
    )


def reason(group: Group) -> str:
    """Which alert, since when, by which rule: what those who approve read first."""
    alert = group.latest
    more = f", and {len(group.alerts) - 1} more like it" if len(group.alerts) > 1 else ""
    summary = f": {alert.summary}" if alert.summary else ""
    told = f"alert {alert.name} fires since {stamp(alert.since)}{more} (rule {group.wish.rule.name}){summary}"
    return told[:SENTENCE_MOST]
