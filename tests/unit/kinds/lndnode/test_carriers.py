"""Who carries a node's payments while it is away: looked at before anything begins and directly before the stop."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.kinds.lndnode.given import ME, NOW, SILENT, node
from tests.unit.kinds.lndnode.planned import asked, at, facts, pod_is, waits

from bankstack.clients.lnd.answers import Announced, Channels, Stake
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import FieldValue, Manifest, Ref, Type
from bankstack.engine.operation import Do, Done, Verdict, Wait
from bankstack.kinds.lndnode import carriers, plans, recycle, stages, users
from bankstack.kinds.lndnode.facts import Facts, User
from bankstack.kinds.lndnode.model import LndNodeStatus

ALONE = User("bank", others={"lnd2": "it is not there"})
CARRIED = User("bank", others={"lnd2": "", "lnd3": "it is being deleted"})
ONLY = User("bank")
DRAINING = node(status=LndNodeStatus(identity_pubkey=ME, traffic="Draining"))


def used_by(*some: User, **more: Any) -> Facts:  # noqa: ANN401 - any facts
    return facts(users=some, **more)


def judged(step: Any, known: Facts, **parameters: str) -> Verdict:  # noqa: ANN401 - a step's judge
    there = at(stages.CHECK)
    assert there.plan is not None
    verdict: Verdict = step(replace(there, plan=replace(there.plan, parameters=parameters)), known, NOW)
    return verdict


def test_a_second_node_that_cannot_carry_payments_is_waited_for_from_the_proposal_to_the_stop() -> None:
    told = "ApiDeployment bank also pays through LndNode lnd2, and that cannot carry its payments now: it is not there"
    assert told in plans.restart(node(), used_by(ALONE), {}).waits[0]
    waits(asked(stages.CHECK, used_by(ALONE)), told, "parameter carrier: nobody")
    waits(asked(stages.RECORD, pod_is(used_by(ALONE), leaving=False)), told)


def test_who_does_without_it_says_so_in_the_plan() -> None:
    assert plans.restart(node(), used_by(ALONE), {"carrier": "nobody"}).waits == ()
    assert isinstance(judged(recycle.check, used_by(ALONE), carrier="nobody"), Done)
    assert isinstance(judged(recycle.record, pod_is(used_by(ALONE), leaving=False), carrier="nobody"), Done)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"carrier": "lnd2"}, "can only be nobody"), ({"x": "1"}, "takes parameter carrier and no other, and x is given")],
)
def test_other_parameters_are_refused(parameters: dict[str, str], words: str) -> None:
    (told,) = plans.restart(node(), facts(), parameters).refusals
    assert words in told


def test_a_bank_with_one_node_is_restarted_and_approvers_read_that_nobody_carries_its_payments() -> None:
    proposal = plans.restart(node(), used_by(ONLY), {})
    assert (proposal.waits, proposal.uses["carriedBy"]) == ((), "bank: nobody")
    assert plans.restart(node(), facts(), {}).uses["carriedBy"] == "no API pays through it"


@pytest.mark.parametrize(
    ("users", "parameters", "running", "begins"),
    [
        ([CARRIED], {}, {"LndNode lnd2"}, False),
        ([CARRIED], {"carrier": "nobody"}, {"LndNode lnd2"}, True),
        ([CARRIED], {}, {"ColdWallet lnd2", "LndNode lnd9"}, True),
        ([replace(CARRIED, others={"lnd2": "", "lnd3": ""})], {}, {"LndNode lnd2"}, True),
        ([ONLY], {}, {"LndNode lnd2"}, True),
        ([], {}, {"LndNode lnd2"}, True),
    ],
)
def test_of_two_nodes_of_an_api_one_is_stopped_after_the_other(
    users: list[User],
    parameters: dict[str, str],
    running: set[str],
    begins: bool,  # noqa: FBT001
) -> None:
    for operation in ("Restart", "Replace"):
        told = plans.OPERATIONS[operation].beside(used_by(*users), parameters, running)
        assert told is None if begins else told is not None and "LndNode lnd2 has ended, for ApiDeployment bank" in told


def test_what_can_carry_just_now_does_not_change_what_was_approved() -> None:
    every = plans.restart(node(), used_by(CARRIED), {}).uses["carriedBy"]
    assert (
        every == plans.restart(node(), used_by(replace(CARRIED, others={"lnd2": "", "lnd3": ""})), {}).uses["carriedBy"]
    )


def test_the_plan_goes_on_when_every_api_has_said_that_it_leaves_the_node_alone() -> None:
    told, untold = replace(CARRIED, avoids=True), User("other")
    waits(asked(stages.DIVERT, used_by(told, untold)), "ApiDeployment other has not said yet", "cancel this plan")
    assert asked(stages.DIVERT, used_by(told), DRAINING) == Done("payments go elsewhere: bank: lnd2")
    assert asked(stages.DIVERT, facts(), DRAINING) == Done("payments go elsewhere: no API pays through it")
    waits(asked(stages.DIVERT, facts()), "it is written down first")


ENABLED, DISABLED = Announced(enabled=frozenset({"aa:0"})), Announced(disabled=frozenset({"aa:0"}))
TELLS: tuple[Ask, ...] = (Ask("disable_channels", "Plan"),)
#: Seconds since the step began.
AT_ONCE, LATE = 1, 10


@pytest.mark.parametrize(
    ("listens", "announced", "later", "does"),
    [
        (True, ENABLED, AT_ONCE, TELLS),
        (True, DISABLED, AT_ONCE, ()),
        (True, Unknown("silent"), AT_ONCE, ()),
        # An API that may never hear of it keeps its node.
        (False, ENABLED, AT_ONCE, ()),
        (False, DISABLED, AT_ONCE, (stages.ENABLES,)),
        (True, ENABLED, LATE, ()),
        (True, DISABLED, LATE, (stages.ENABLES,)),
        (True, Announced(disabled=frozenset({"bb:1"})), LATE, ()),
    ],
)
def test_the_network_is_told_beside_an_api_that_listens_and_not_for_long(
    listens: bool,  # noqa: FBT001
    announced: Announced | Unknown,
    later: int,
    does: tuple[Ask, ...],
) -> None:
    there = at(stages.DIVERT)
    assert there.plan is not None
    known = used_by(CARRIED, replace(ONLY, listens=listens), announced=announced)
    verdict = recycle.divert(there, known, there.plan.since + timedelta(seconds=later))
    assert isinstance(verdict, Do | Wait)
    assert (verdict.actions if isinstance(verdict, Do) else ()) == does
    assert (verdict.after if isinstance(verdict, Do) else verdict.look_again) == recycle.ACKNOWLEDGED
    assert "has not said yet that its pods leave lnd1 alone" in (
        verdict.told if isinstance(verdict, Do) else verdict.sentence
    )


def holding(sendable: int, receivable: int) -> Channels:
    """Of an active channel with coins on both sides, so much of which can be paid."""
    one, stake = frozenset({"aa:0"}), Stake("02aa", 1000)
    return Channels(open=one, active=one, stakes={"aa:0": stake}, sendable_sat=sendable, receivable_sat=receivable)


@pytest.mark.parametrize(
    ("known", "liquidity", "reason"),
    [
        ({"channels": SILENT}, {}, "LndSilent"),
        ({"channels": Channels(open=frozenset({"aa:0"}))}, {}, "NoActiveChannel"),
        ({"channels": holding(0, 9)}, {}, "LowOutbound"),
        ({"channels": holding(9, 9)}, {"minInboundSat": 10}, "LowInbound"),
        ({"channels": holding(9, 9)}, {"minOutboundSat": 9, "minInboundSat": 9}, "Liquid"),
    ],
)
def test_a_node_says_whether_it_could_carry_payments(known: dict[str, Any], liquidity: Manifest, reason: str) -> None:
    assert carriers.claim(node(liquidity=liquidity), facts(**known)).reason == reason


class Listed:
    """A reader of these objects."""

    def __init__(self, *objects: Manifest) -> None:
        self._objects = objects

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        assert namespace == "bank"
        named = (one for one in self._objects if (one["kind"], one["metadata"]["name"]) == (ref.type.kind, ref.name))
        return next(named, None)

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        assert (namespace, selector, without) == ("bank", {}, None)
        return tuple(one for one in self._objects if one["kind"] == of.kind)


def api(name: str, *uses: tuple[str, str], **status: Any) -> Manifest:  # noqa: ANN401 - any status
    spec = {"lightning": [{"node": node, "roles": [role]} for node, role in uses]}
    return {"kind": "ApiDeployment", "metadata": {"name": name}, "spec": spec, "status": status}


def other(name: str, conditions: dict[str, str], *, deleting: bool = False, traffic: str | None = None) -> Manifest:
    meta: Manifest = {"name": name} | ({"deletionTimestamp": "now"} if deleting else {})
    said = [{"type": kind, "status": status, "message": "so it is"} for kind, status in conditions.items()]
    return {"kind": "LndNode", "metadata": meta, "status": {"conditions": said, "traffic": traffic}}


WELL = {"Ready": "True", "Synced": "True", "CarriesPayments": "True"}


async def test_those_who_pay_through_a_node_are_found_with_whom_else_they_pay_through() -> None:
    reader = Listed(
        api("b", ("lnd1", "offchain"), ("lnd2", "offchain"), avoids=["lnd1"]),
        api("a", ("lnd1", "offchain")),
        api("chain", ("lnd1", "onchain")),
        api("else", ("lnd2", "offchain")),
        {"kind": "ApiDeployment", "metadata": {"name": "none"}, "spec": {}},
        other("lnd2", WELL),
    )
    assert await users.users(node(), reader) == (User("a"), User("b", avoids=True, others={"lnd2": ""}))


@pytest.mark.parametrize(
    ("lnd2", "obstacle"),
    [
        (None, "it is not there"),
        (other("lnd2", WELL, deleting=True), "it is being deleted"),
        (other("lnd2", WELL, traffic="Draining"), "a ChangePlan stops it as well"),
        (other("lnd2", WELL | {"Synced": "False"}), "Synced is not True: so it is"),
        (other("lnd2", WELL | {"CarriesPayments": "Unknown"}), "CarriesPayments is not True: so it is"),
        (other("lnd2", {}), "Ready is not True: it has not said"),
    ],
)
async def test_a_node_that_has_not_said_that_it_carries_payments_does_not(lnd2: Manifest | None, obstacle: str) -> None:
    pays = api("bank", ("lnd1", "offchain"), ("lnd2", "offchain"))
    (found,) = await users.users(node(), Listed(pays, *([lnd2] if lnd2 else [])))
    assert (found.others, found.carriers) == ({"lnd2": obstacle}, ())


@pytest.mark.parametrize(("meta", "spec"), [({}, {"paused": True}), ({"deletionTimestamp": "now"}, {})])
async def test_an_api_that_is_paused_or_deleted_does_not_listen(meta: Manifest, spec: Manifest) -> None:
    pays = api("bank", ("lnd1", "offchain"))
    pays["metadata"] |= meta
    pays["spec"] |= spec
    assert await users.users(node(), Listed(pays)) == (User("bank", listens=False),)
