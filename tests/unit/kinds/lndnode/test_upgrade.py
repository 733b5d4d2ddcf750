"""A newer LND on the volume of an older one: what is noted, refused and said, whatever becomes of its start."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.clients.lnd.answers import State
from bankstack.engine.decision import Apply
from bankstack.engine.objects import Manifest, ref
from bankstack.engine.operation import Wait
from bankstack.kinds.lndnode import names, releases, stages
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.model import LndNodeStatus
from bankstack.plans.model import SENTENCE_MOST

from .given import (
    INFO,
    ME,
    NOW,
    SILENT,
    annotated,
    carried_out,
    node,
    pod,
    serving,
    settled,
    untouched,
    without,
)
from .planned import RECORD, asked, facts, waits

POD, STATEFUL, VOLUME = names.pod("lnd1"), names.stateful_set("lnd1"), names.volume("lnd1")
NEWER = node(version="v0.22.0-beta", status=LndNodeStatus(identity_pubkey=ME, version="0.21.2-beta commit=v0.21.2"))


def test_what_is_started_on_the_volume_is_noted_there_before_it_is() -> None:
    """Also where it is gone before anybody saw it: it may have changed the database."""
    gone = without(serving(info=SILENT), STATEFUL, POD)
    noted, made = (one for one in decide(node(version="v0.22.0-beta"), gone, NOW).actions if isinstance(one, Apply))
    assert noted.manifest["metadata"]["annotations"][names.LND_VERSION] == "v0.22.0"
    assert ref(made.manifest) == STATEFUL
    after = carried_out(node(version="v0.22.0-beta"), gone, (noted,))
    refused = decide(node(), after, NOW)
    assert (refused.finding and refused.finding.reason, refused.actions) == ("DowngradeRefused", ())


def test_a_first_start_that_was_declared_wrong_leaves_no_note() -> None:
    wrong = node(identity=None, version="v9.9.9-beta")
    facts = settled(wrong, untouched())
    assert names.LND_VERSION not in facts.children[VOLUME]["metadata"].get("annotations", {})


def upgrading(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    """v0.22.0 was started after v0.21.2, and has not answered."""
    noted = annotated(facts(), VOLUME, {names.LND_VERSION: "v0.22.0"})
    return replace(noted, **{"state": SILENT, "info": SILENT} | more)


def crashed(known: Facts, said: str) -> Facts:
    ended: Manifest = {"terminated": {"exitCode": 1, "message": said}}
    waits_now = {"waiting": {"reason": "CrashLoopBackOff"}}
    return replace(known, children={**known.children, POD: pod(state=waits_now, lastState=ended)})


MIGRATES = (
    "the first start of v0.22.0 after v0.21.2", "no way back", "Leave its pod alone", "older copy of the volume",
    "lnd1-channel-backup (of 2026-11-21T09:00:00Z), which closes all channels",
)  # fmt: skip


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (upgrading(state=State.WAITING_TO_START), "opens its database"),
        (upgrading(), "does not answer yet (it is silent)"),
        (crashed(upgrading(), "unable to open databases: migration #36: disk full"), "(migration #36: disk full)"),
        (crashed(upgrading(), "panic"), "exit code 1"),
        (without(upgrading(), POD), "is being made"),
    ],
)
def test_a_newer_lnd_that_does_not_come_up_is_waited_for_and_what_it_means_is_told(known: Facts, words: str) -> None:
    verdict = asked(stages.START, known, NEWER, Record=RECORD)
    waits(verdict, words, *MIGRATES)
    assert isinstance(verdict, Wait)
    assert len(verdict.sentence) <= SENTENCE_MOST


def test_once_a_newer_lnd_answers_its_database_is_through() -> None:
    behind = upgrading(state=State.RPC_ACTIVE, info=replace(INFO, version="0.22.0-beta", synced=False))
    told = asked(stages.START, behind, NEWER, Record=RECORD)
    waits(told, "catches up with the chain")
    assert isinstance(told, Wait)
    assert "no way back" not in told.sentence


def test_the_way_back_from_a_newer_lnd_that_never_answered_is_a_person_s_word() -> None:
    older = replace(NEWER, spec=node().spec)
    told = releases.downgrade(older, upgrading())
    assert told is not None
    assert "only if its image was never pulled, or its log says that no migration was applied" in told
    assert "kubectl annotate pvc lnd1-data bankstack.io/lnd-version=v0.21.2 --overwrite" in told
    assert releases.downgrade(older, annotated(upgrading(), VOLUME, {names.LND_VERSION: "v0.21.2"})) is None


def test_a_newer_lnd_that_has_answered_has_no_way_back() -> None:
    known = annotated(facts(), VOLUME, {names.LND_VERSION: "v0.22.0"})
    for status in ("0.22.0-beta", None):
        older = node(status=LndNodeStatus(identity_pubkey=ME, version=status))
        assert "annotate" not in str(releases.downgrade(older, replace(known, info=SILENT)))
    assert "annotate" not in str(releases.downgrade(replace(NEWER, spec=node().spec), known))
