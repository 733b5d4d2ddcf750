"""What an LndNode asks a restart for, and what it does not."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.engine import drift
from bankstack.engine.decision import Apply
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import STATEFUL_SET, Ref, annotation
from bankstack.engine.operation import Wish
from bankstack.kinds.lndnode import children, names, wishes
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts, Place
from bankstack.kinds.lndnode.subject import LndNode

from . import given
from .given import BITCOIND, CERTIFICATE, NOW, SILENT, node

LND = Ref(STATEFUL_SET, "lnd1")


def wished(a_node: LndNode, facts: Facts) -> dict[str, str]:
    """Reasons, by cause."""
    found = wishes.wishes(a_node, facts).items()
    return {cause: wish.reason for cause, wish in found if isinstance(wish, Wish)}


def content(a_node: LndNode, facts: Facts) -> str:
    wish = wishes.wishes(a_node, facts)[wishes.CHANGE]
    assert isinstance(wish, Wish)
    return wish.content


def pending(a_node: LndNode, facts: Facts) -> str:
    found = (one.message for one in decide(a_node, facts, NOW).claims if one.type == "ChangePending")
    return next(found, "")


def without_a_word(facts: Facts) -> Facts:
    """As an operator left it that did not write down what the template was made from."""
    written = facts.children[LND]["metadata"]["annotations"].items()
    kept = {key: value for key, value in written if key not in (names.DECLARED, drift.APPLIED)}
    return given.changed(facts, LND, annotations=kept)


def test_what_is_as_declared_asks_for_nothing() -> None:
    facts = given.serving(place=Place("worker-1", "pod-1"))
    assert wishes.wishes(node(), facts) == {"Change": None, "Certificate": None, "Cordon": None}


@pytest.mark.parametrize(
    "spec",
    [
        {"version": "v0.21.3-beta"},
        {"image": "registry.example/lnd:1"},
        {"config": [{"key": "alias", "value": "bank-2"}]},
        {"p2p": {"addresses": ["peers.example:9735"]}},
        {"pod": {"priorityClassName": "high"}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_each_field_that_lnd_runs_with_asks_for_a_restart(spec: dict[str, Any]) -> None:
    facts = given.serving()
    assert wished(node(**spec), facts).keys() == {"Change"}
    assert content(node(**spec), facts) == content(node(**spec, paused=True), facts)


@pytest.mark.parametrize(
    "spec",
    [
        {"recycle": {"maxDowntimeBlocks": 9}},
        {"liquidity": {"minInboundSat": 5}},
        {"p2p": {"service": {"type": "NodePort"}}},
        {"storage": {"backend": "sqlite", "size": "2Gi"}},
        {"deletionPolicy": "Delete"},
        {"wallet": {"secret": "lnd1-wallet", "create": False}},
        {"tls": {"caSecret": "mine"}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_no_field_that_it_does_not_run_with_is_part_of_a_wish(spec: dict[str, Any]) -> None:
    facts = given.serving()
    assert wished(node(**spec), facts) == {}
    assert content(node(version="v0.21.3-beta", **spec), facts) == content(node(version="v0.21.3-beta"), facts)


def test_another_bitcoind_is_a_change() -> None:
    facts = given.serving()
    elsewhere = replace(facts, chain=replace(facts.chain, endpoint=replace(BITCOIND, host="other")))
    assert wished(node(), elsewhere).keys() == {"Change"}


def test_a_newer_operator_that_writes_it_otherwise_says_so_and_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = given.serving()
    monkeypatch.setattr(children, "GRACE_SECONDS", 601)
    assert wished(node(), facts) == {}
    assert "Nothing in the spec changed, this version of the operator would only write it otherwise" in pending(
        node(), facts
    )
    assert "To apply it, make a ChangePlan: operation Restart" in pending(node(), facts)
    assert decide(node(), facts, NOW).actions == ()
    assert wished(node(version="v0.21.3-beta"), facts).keys() == {"Change"}


def test_an_older_stateful_set_is_told_what_it_was_made_from_while_nothing_waits() -> None:
    facts = without_a_word(given.serving())
    (action,) = decide(node(), facts, NOW).actions
    assert isinstance(action, Apply)
    assert action.manifest["spec"] == facts.children[LND]["spec"]
    assert annotation(action.manifest, names.DECLARED) == annotation(given.serving().children[LND], names.DECLARED)


def test_where_nobody_knows_who_changed_it_people_did() -> None:
    facts = without_a_word(given.serving())
    changed = node(version="v0.21.3-beta")
    assert wished(changed, facts).keys() == {"Change"}
    settled = given.settled(changed, facts)
    assert wished(changed, settled).keys() == {"Change"}
    assert wished(node(), settled) == {}


def test_a_downgrade_that_is_refused_is_not_asked_for() -> None:
    assert wished(node(version="v0.20.3-beta"), given.serving()) == {}


def test_a_renewed_certificate_asks_for_a_restart_and_silence_for_nothing() -> None:
    shown = replace(CERTIFICATE, fingerprint="before")
    assert wished(node(), given.serving(presented=shown)).keys() == {"Certificate"}
    assert wishes.wishes(node(), given.serving(presented=SILENT))["Certificate"] == SILENT


def test_a_certificate_that_nobody_known_signed_is_another_program_s() -> None:
    facts = given.serving(presented=replace(CERTIFICATE, fingerprint="a stranger's", issuer=None))
    assert isinstance(wishes.wishes(node(), facts)["Certificate"], Unknown)
    assert pending(node(), facts) == ""


def test_what_cannot_be_compared_is_unknown() -> None:
    for facts in (given.untouched(), given.without(given.serving(), LND)):
        assert isinstance(wishes.wishes(node(), facts)["Change"], Unknown)
    first = node(identity=None)
    starting = given.settled(first, given.untouched(wallet=given.FRESH))
    assert isinstance(wishes.wishes(first, starting)["Change"], Unknown)


def test_the_plan_is_named_once_for_all_that_it_brings() -> None:
    shown = replace(CERTIFICATE, fingerprint="before")
    told = dict.fromkeys(("Change", "Certificate", "Cordon"), "ChangePlan x does it")
    facts = given.serving(presented=shown, place=Place("worker-1", "pod-1", cordoned=True))
    message = pending(replace(node(version="v0.21.3-beta"), told=told), facts)
    assert message.count("ChangePlan x does it") == 1
    assert "the change of version needs" in message
    assert "LND shows the certificate that it was started with" in message
    assert "Kubernetes node worker-1, which LND runs on, is cordoned" in message
