"""LND's end in a Restart: what forbids it, and what proves it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Channels, Funds
from bankstack.engine.decision import Apply, Ask
from bankstack.engine.operation import Abort, Done, Verdict, Wait
from bankstack.kinds.lndnode import plans, stages, stopping
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts

from .given import INFO, NOW, SILENT, without
from .planned import CHANNELS, HOLD, LOOK, POD, asked, at, facts, on_its_way, pod_is, scaled_down, stored, waits


def test_exactly_the_pod_that_runs_is_held_directly_before_it_is_told_to_stop() -> None:
    free = pod_is(facts(), leaving=False, held=False)
    hold, look, stop = decide(at(stages.STOP), free, NOW).actions
    assert (hold, look) == (HOLD, LOOK)
    assert isinstance(stop, Apply)
    assert (stop.manifest["kind"], stop.manifest["spec"]["replicas"]) == ("StatefulSet", 0)
    assert decide(at(stages.STOP), pod_is(facts(), leaving=False), NOW).actions == (LOOK, stop), "it is held already"
    # Somebody else deleted it: the next one is held, and then stopped.
    assert decide(at(stages.STOP), pod_is(facts(), held=False), NOW).actions == ()
    assert HOLD not in decide(at(stages.RECORD), free, NOW).actions


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({"channels": SILENT}, Wait),
        ({"info": SILENT}, Wait),
        ({"info": replace(INFO, synced=False)}, Wait),
        ({"backup": stored(channels="others")}, Wait),
        ({"channels": on_its_way(6)}, Abort),
    ],
    ids=["silent", "without a height", "behind the chain", "another backup", "a payment that is short of blocks"],
)
def test_what_was_seen_before_a_crash_is_looked_at_anew_before_lnd_is_stopped(
    more: dict[str, Any], answer: type[Verdict]
) -> None:
    known = pod_is(facts(**more), leaving=False)
    assert not [one for one in decide(at(stages.STOP), known, NOW).actions if isinstance(one, Apply)]
    verdict = asked(stages.STOP, known)
    assert isinstance(verdict, answer)
    if isinstance(verdict, Wait):
        assert verdict.nothing_done, "people may cancel it"
    assert stopping.to_let_go(at(stages.STOP), known) == POD, "nothing holds it meanwhile"
    waits(asked(stages.STOP, scaled_down(known)), "LND is told to stop")


def test_until_lnd_is_told_to_stop_its_own_state_is_told() -> None:
    behind = pod_is(facts(info=replace(INFO, synced=False)), leaving=False)
    finding = decide(at(stages.STOP), behind, NOW).finding
    assert finding is not None
    assert finding.reason == "ChainSyncing"
    finding = decide(at(stages.STOP), pod_is(facts(), leaving=False), NOW).finding
    assert finding is not None
    assert finding.reason == "Recycling"


@pytest.mark.parametrize(
    "more",
    [
        {"channels": CHANNELS},
        {"channels": Channels(opening=frozenset({"cc:0"}))},
        {"channels": Channels(), "funds": Funds(confirmed_sat=5000)},
    ],
    ids=["a channel", "one that is being opened", "coins"],
)
def test_a_node_that_is_replaced_is_not_stopped_with_what_came_after_its_account(more: dict[str, Any]) -> None:
    accounted = {stages.AT: "2026-11-21T08:59:00Z"}
    left = pod_is(facts(channels=Channels(), funds=Funds(), users=()), leaving=False)
    assert isinstance(decide(at(stages.STOP, Account=accounted), left, NOW).actions[-1], Apply)
    came = replace(left, **more)
    assert not [one for one in decide(at(stages.STOP, Account=accounted), came, NOW).actions if isinstance(one, Apply)]
    waits(asked(stages.STOP, came, Account=accounted), "came after the sweep")


def test_a_pod_that_others_told_to_stop_is_held_too() -> None:
    free = scaled_down(pod_is(facts(), leaving=False, held=False))
    assert [one for one in decide(at(stages.STOP), free, NOW).actions if isinstance(one, Ask)] == [HOLD]


def test_an_end_while_lnd_may_be_made_again_proves_nothing() -> None:
    ended = {"exitCode": 0, "finishedAt": "2026-11-21T08:59:30Z"}
    for held in (True, False):
        verdict = asked(stages.STOP, pod_is(facts(), held=held, terminated=ended))
        waits(verdict, "made again")
    (stop,) = decide(at(stages.STOP), pod_is(facts(), terminated=ended), NOW).actions
    assert isinstance(stop, Apply), "held, it cannot be made again before LND is told to stop"
    assert stop.manifest["spec"]["replicas"] == 0


def test_an_end_is_the_kubelet_s_word_with_its_time() -> None:
    ended = {"exitCode": 0, "finishedAt": "2026-11-21T08:59:30Z"}
    verdict = asked(stages.STOP, scaled_down(pod_is(facts(), terminated=ended)))
    assert verdict == Done("pod lnd1-0 (pod-1) ended on east at 2026-11-21T08:59:30Z with exit code 0")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (scaled_down(pod_is(facts())), "LND writes its state and stops"),
        (scaled_down(pod_is(facts(), terminated={"exitCode": 137})), "LND writes its state and stops"),
        (scaled_down(pod_is(facts(), terminated={"exitCode": 137, "finishedAt": None})), "LND writes its state"),
        (pod_is(facts(), leaving=False, terminated={"exitCode": 0, "finishedAt": "x"}), "LND is told to stop"),
        (without(facts(), POD), "made again"),
    ],
    ids=[
        "it runs",
        "not found is not seen to end",
        "nor as the API says that",
        "a container that comes back",
        "deleted before it was held",
    ],
)
def test_nothing_else_is_an_end(known: Facts, words: str) -> None:
    waits(asked(stages.STOP, known), words)


def test_a_pod_that_is_gone_without_a_word_keeps_lnd_stopped() -> None:
    gone = scaled_down(without(pod_is(facts()), POD))
    waits(asked(stages.STOP, gone), "nobody saw its processes end", "delete this plan")


def test_an_end_that_is_overdue_is_told_with_its_node() -> None:
    (stop,) = [one for one in plans.STEPS if one.name == stages.STOP]
    late: Verdict = stop.judge(at(stages.STOP), scaled_down(pod_is(facts())), NOW + timedelta(minutes=11))
    waits(late, "the kubelet of node east has not said", stages.PROOF)


@pytest.mark.parametrize(
    ("step", "ended", "goes"),
    [(stages.RECORD, True, True), (stages.RECORD, False, False), (stages.STOP, True, False)],
)
def test_a_held_pod_that_others_deleted_goes_when_it_ended_but_for_what_stop_proves_by_it(
    step: str,
    ended: bool,  # noqa: FBT001
    goes: bool,  # noqa: FBT001
) -> None:
    state: dict[str, Any] = (
        {"terminated": {"exitCode": 0, "finishedAt": "2026-11-21T08:59:30Z"}} if ended else {"running": {}}
    )
    actions = decide(at(step), pod_is(facts(), **state), NOW).actions
    assert (Ask("let_go_pod", "Proved") in actions) is goes
