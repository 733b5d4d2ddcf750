"""Whatever is posted, and whatever the line does: never two unfinished plans of a rule and target, never a Red one."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bankstack.alerts.settings import Settings, fingerprint
from bankstack.engine.operation import Risk
from bankstack.plans.model import FINISHED
from tests.simulation.faults import Fault, When, some
from tests.unit.alerts.given import BEGAN, KNOWN, TOKEN, Desk, alert, door, listed, notification, rule

RULES = listed(
    rule(),
    rule(name="look", match={"alertname": "Look"}, operation="Look", every="1m"),
    rule(name="fixed", match={"team": "bank"}, target={"kind": "LndNode", "name": "lnd1", "namespace": "bank"}),
)
FAULTS = (Fault(409), Fault(500), Fault(429), Fault(0), Fault(0, When.AFTER), Fault(403))

labels = st.dictionaries(
    st.sampled_from(["alertname", "name", "namespace", "team", "operation", "severity"]),
    st.sampled_from(["LndDatabaseTooBig", "Look", "lnd1", "lnd2", "bank", "other", "Replace", "", "x" * 300, "\u0000"]),
)
alerts = st.builds(
    lambda minutes, status, more: alert(BEGAN + timedelta(minutes=minutes), status=status, **more),
    st.integers(-10_000, 10_000),
    st.sampled_from(["firing", "firing", "resolved"]),
    labels,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(
    st.lists(alerts, max_size=6).map(lambda some: json.dumps(notification(*some)).encode()),
    st.fixed_dictionaries({"alerts": anything}).map(lambda one: json.dumps(one).encode()),
    st.binary(max_size=200),
)
deeds = st.one_of(
    st.tuples(st.just("post"), bodies),
    st.tuples(st.just("forge"), bodies),
    st.tuples(st.just("end"), st.sampled_from(sorted(FINISHED))),
    st.tuples(st.just("wait"), st.integers(1, 3000)),
)


def laws(desk: Desk) -> None:
    for namespace in KNOWN.namespaces:
        open_ones = [
            (one["metadata"]["labels"]["bankstack.io/alert-rule"], one["spec"]["target"]["name"])
            for one in desk.plans(namespace).values()
            if one.get("status", {}).get("state") not in FINISHED
        ]
        assert len(open_ones) == len(set(open_ones)), open_ones
        for one in desk.plans(namespace).values():
            assert KNOWN.risks("LndNode", one["spec"]["operation"]) in (Risk.GREEN, Risk.AMBER)


async def do(desk: Desk, at: Any, deed: tuple[str, Any]) -> None:  # noqa: ANN401 - a door, and a deed's word
    match deed:
        case ("post", body):
            assert (await at.posts(body))[0] in (200, 400, 422, 503)
        case ("forge", body):
            before = desk.plans(), desk.plans("other")
            assert (await at.posts(body, "wrong"))[0] == 401
            assert (desk.plans(), desk.plans("other")) == before
        case ("end", state):
            for name in desk.plans():
                desk.ends(name, state)
        case ("wait", minutes):
            desk.later(minutes=minutes)


@given(st.lists(deeds, min_size=1, max_size=8), st.integers(0, 1000))
async def test_never_two_for_one_never_a_red_one_and_never_a_word_without_an_answer(deeds: Any, seed: int) -> None:  # noqa: ANN401 - drawn
    desk = Desk(Settings(fingerprint(TOKEN.encode()), RULES), schedule=some(seed, 0.2, FAULTS, 60))
    async with door(desk) as at:
        for deed in deeds:
            await do(desk, at, deed)
            laws(desk)
    assert desk.counted("alert_requests_total", code="500") == 0
