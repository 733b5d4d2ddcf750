"""What a LedgerCluster needs next, and in which order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.kinds.ledgercluster import given
from tests.unit.kinds.ledgercluster.given import BLANK, CENTRAL, EAST, ID, NOW, OTHER, WEST, ledger

from bankstack.clients.mongo.answers import Blank, Canary, Holdings, InSet, Policy, State, User, Voter
from bankstack.engine.decision import Ask, Decision
from bankstack.engine.finding import Stalled, Unknown
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET, Ref, annotation
from bankstack.kinds.ledgercluster import children, names, replica
from bankstack.kinds.ledgercluster.decide import decide
from bankstack.kinds.ledgercluster.facts import Facts, Sealed, UserSecret
from bankstack.kinds.ledgercluster.model import LedgerClusterStatus

SILENT = Unknown("it is silent")


def steps(decision: Decision) -> list[str]:
    return [one.action if isinstance(one, Ask) else str(one) for one in decision.actions]


def claims(decision: Decision) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in decision.claims}


def reason(decision: Decision) -> str | None:
    return decision.finding.reason if decision.finding else None


def test_a_first_pass_makes_credentials_before_what_uses_them() -> None:
    assert steps(decide(ledger(known=None), Facts(), NOW)) == [
        "keep_credentials",
        "make_user_secret",
        "apply Service ledger (Missing)",
        "apply NetworkPolicy ledger (Missing)",
        "apply PodDisruptionBudget ledger (Missing)",
        "apply PersistentVolumeClaim ledger-east-0-data (Missing)",
        "apply PersistentVolumeClaim ledger-west-0-data (Missing)",
        "apply PersistentVolumeClaim ledger-central-0-data (Missing)",
        "apply StatefulSet ledger-east-0 (Missing)",
        "apply StatefulSet ledger-west-0 (Missing)",
        "apply StatefulSet ledger-central-0 (Missing)",
    ]


def test_a_ledger_as_declared_is_ready_and_left_alone() -> None:
    decision = decide(ledger(), given.serving(), NOW)
    assert decision.actions == ()
    assert decision.finding is None
    assert claims(decision) == {"Writable": ("True", "Proven"), "WriteConcernKept": ("True", "Kept")}
    hosts = [f"{member}-0.ledger.bank.svc:27017" for member in (EAST, WEST, CENTRAL)]
    assert decision.status.model_dump(exclude_none=True) == {
        "replica_set_id": ID,
        "version": "6.0.27",
        "primary": EAST,
        "term": 1,
        "members": [
            {"name": EAST, "region": "east", "state": "PRIMARY", "lag": "Current"},
            {"name": WEST, "region": "west", "state": "SECONDARY", "lag": "Current"},
            {"name": CENTRAL, "region": "central", "state": "SECONDARY", "lag": "Current"},
        ],
        "write_concern": {"w": "majority", "journal": True},
        "endpoint": {"hosts": hosts, "replica_set": "ledger", "tls": True, "ca_config_map": "ledger-ca"},
    }


def blank(**members: object) -> Facts:
    """Three empty members that were never a set, but for what is said."""
    facts = given.serving(members=dict.fromkeys((EAST, WEST, CENTRAL), BLANK), holdings=SILENT)
    unmarked = {
        one: kept | {"metadata": {key: value for key, value in kept["metadata"].items() if key != "annotations"}}
        if one.type == PERSISTENT_VOLUME_CLAIM
        else kept
        for one, kept in facts.children.items()
    }
    return given.saying(replace(facts, children=unmarked), **members)  # type: ignore[arg-type]


def test_a_set_is_initiated_when_all_are_empty_and_always_by_the_same_member() -> None:
    assert Ask("initiate", "Missing", {"member": EAST}) in decide(ledger(known=None), blank(), NOW).actions


@pytest.mark.parametrize("answer", [Unknown("silent"), Blank(1, "6.0.27")], ids=["silent", "full"])
def test_nothing_is_initiated_while_one_member_is_not_known_to_be_empty(answer: Unknown | Blank) -> None:
    assert "initiate" not in steps(decide(ledger(known=None), blank(west=answer), NOW))


def test_a_member_with_data_stops_everything_before_it_is_wiped() -> None:
    decision = decide(ledger(known=None), blank(west=Blank(7, "6.0.27")), NOW)
    assert (reason(decision), decision.actions) == ("MemberNotEmpty", ())


def test_only_a_member_that_counts_no_collection_is_empty() -> None:
    answers = (BLANK, Blank(1, "6.0.27"), SILENT, None, given.in_set(ledger(), EAST)[EAST])
    assert [replica.is_empty(one) for one in answers] == [True, False, False, False, False]


@pytest.mark.parametrize("place", ["status", "volume"])
def test_a_ledger_that_existed_is_never_begun_anew(place: str) -> None:
    facts = blank()
    if place == "volume":
        facts = replace(facts, children=given.serving().children)
    decision = decide(ledger(known=ID if place == "status" else None), facts, NOW)
    assert (reason(decision), decision.actions) == ("LedgerEmpty", ())
    assert decision.finding is not None
    assert decision.finding.policy == Stalled()


def test_the_set_is_pinned_before_anything_is_done_in_it() -> None:
    fresh = ledger(known=None)
    facts = given.carried_out(fresh, blank(), [Ask("initiate", "Missing", {"member": EAST})])
    decision = decide(fresh, facts, NOW)
    assert {one.split()[1] for one in steps(decision)} == {"PersistentVolumeClaim"}
    assert decision.status.model_dump()["replica_set_id"] == ID
    after = given.carried_out(fresh, facts, decision.actions)
    assert annotation(after.children[names.volume(WEST)], names.REPLICA_SET) == ID
    assert steps(decide(ledger(), after, NOW)) == ["admit_operator", "set_policy", "put_user", "prove_writes"]


def test_members_of_another_set_are_never_served() -> None:
    strange = given.in_set(ledger(), EAST, WEST, CENTRAL, replica_set_id=OTHER)
    decision = decide(ledger(), given.serving(members=strange), NOW)
    assert (reason(decision), decision.actions) == ("ReplicaSetChanged", ())
    assert decision.status.model_dump()["replica_set_id"] == ID


def test_volumes_of_different_books_stop_everything() -> None:
    decision = decide(ledger(known=OTHER), given.serving(), NOW)
    assert (reason(decision), decision.actions) == ("ReplicaSetConflict", ())


@pytest.mark.parametrize(
    "gone", sorted(one for one in given.serving().children if one.type not in (POD, PERSISTENT_VOLUME_CLAIM)), ids=str
)
def test_every_child_that_is_deleted_comes_back(gone: Ref) -> None:
    decision = decide(ledger(), given.without(given.serving(), gone), NOW)
    assert steps(decision) == [f"apply {gone} (Missing)"]


def test_a_lost_volume_of_a_voter_is_not_replaced_by_an_empty_one() -> None:
    decision = decide(ledger(), given.without(given.serving(), names.volume(WEST)), NOW)
    assert (reason(decision), steps(decision)) == ("VolumeLost", [])


def test_no_volume_is_made_while_nobody_tells_who_votes() -> None:
    facts = given.saying(given.serving(), east=SILENT, west=SILENT, central=SILENT)
    decision = decide(ledger(), given.without(facts, names.volume(WEST)), NOW)
    assert (reason(decision), steps(decision)) == ("VolumeLost", [])


def test_one_lost_secret_comes_back_and_two_are_not_made_anew() -> None:
    facts = given.serving()
    half = replace(facts, sealed=Sealed(frozenset(), facts.sealed.both))
    assert steps(decide(ledger(), half, NOW)) == ["keep_credentials"]
    decision = decide(ledger(), replace(facts, sealed=Sealed()), NOW)
    assert (reason(decision), decision.actions) == ("CredentialsLost", ())


def test_secrets_that_differ_are_told_and_left() -> None:
    facts = given.serving()
    decision = decide(ledger(), replace(facts, sealed=replace(facts.sealed, differ=frozenset({"keyfile"}))), NOW)
    assert (reason(decision), decision.actions) == ("CredentialsDiffer", ())


@pytest.mark.parametrize(
    "policy",
    [Policy("1", journal=False), Policy("majority", journal=False), Policy("majority", journal=True, wtimeout=9)],
)
def test_a_default_that_was_weakened_is_put_back(policy: Policy) -> None:
    decision = decide(ledger(), given.holding(given.serving(), policy=policy), NOW)
    assert (reason(decision), steps(decision)) == ("WriteConcernChanged", ["set_policy"])


def test_a_timeout_is_part_of_the_policy_only_where_it_is_asked_for() -> None:
    asked = ledger(writeConcern={"w": "majority", "journal": True, "wtimeout": "2m"})
    facts = given.holding(given.serving(), policy=Policy("majority", journal=True, wtimeout=120_000))
    assert decide(asked, facts, NOW).actions == ()


def test_after_an_election_a_write_is_proven_before_it_is_called_ready() -> None:
    elected = given.in_set(ledger(), EAST, WEST, CENTRAL, leads=WEST, term=2)
    decision = decide(ledger(), given.serving(members=elected), NOW)
    assert decision.actions == (Ask("prove_writes", "Due", {"member": WEST, "term": "2", "at": "1795251600"}),)
    assert (reason(decision), claims(decision)["Writable"]) == ("ProvingWrites", ("False", "NotProven"))


def test_writes_are_proven_anew_every_minute_and_stay_ready_meanwhile() -> None:
    decision = decide(ledger(), given.serving(), NOW + timedelta(seconds=60))
    assert (steps(decision), decision.finding) == (["prove_writes"], None)
    assert decide(ledger(), given.serving(), NOW + timedelta(seconds=59)).actions == ()


def test_a_primary_of_a_former_term_is_not_believed() -> None:
    members = given.in_set(ledger(), EAST, WEST, CENTRAL, leads=WEST, term=2)
    old = given.in_set(ledger(), EAST, WEST, CENTRAL)[EAST]
    decision = decide(ledger(), given.serving(members={**members, EAST: old}), NOW)
    assert decision.status.model_dump()["primary"] == WEST


def test_without_a_primary_nothing_is_forced() -> None:
    facts = given.serving(members=given.in_set(ledger(), EAST, WEST, CENTRAL, leads="nobody"), holdings=SILENT)
    decision = decide(ledger(), facts, NOW)
    assert (reason(decision), decision.actions) == ("NoPrimary", ())
    assert claims(decision)["Writable"] == ("Unknown", "NoPrimary")


def test_where_the_ledger_is_changes_only_by_a_primary_s_word() -> None:
    """A volume that is marked may be of a member that was removed: its host is told only where the set has it."""
    facts = given.serving()
    told = decide(ledger(), facts, NOW).status
    assert isinstance(told, LedgerClusterStatus)
    former = children.volume(ledger(), names.Seat("ledger-east-1", "east"), ID)
    kept = replace(facts, children={**facts.children, names.volume("ledger-east-1"): former})
    silent = replace(kept, members=dict.fromkeys(facts.members, SILENT), holdings=SILENT)
    removed = InSet(State.REMOVED, 1, 1000, given.config(ledger(), EAST, WEST, CENTRAL, "ledger-east-1"), "6.0.27")
    alone = replace(silent, members={**silent.members, "ledger-east-1": removed})
    for seen in (kept, silent, alone):
        status = decide(replace(ledger(), status=told), seen, NOW).status
        assert isinstance(status, LedgerClusterStatus)
        assert status.endpoint == told.endpoint


def test_a_silent_member_is_waited_for_and_the_rest_is_kept() -> None:
    decision = decide(ledger(), given.saying(given.serving(), west=SILENT), NOW)
    assert (reason(decision), decision.actions) == ("MemberSilent", ())
    assert claims(decision)["Writable"] == ("True", "Proven")


def test_clients_that_ask_for_less_are_told_of() -> None:
    decision = decide(ledger(), given.holding(given.serving(), weak={"insert w:1": 3}), NOW)
    assert claims(decision)["WriteConcernKept"] == ("False", "ClientsAskForLess")
    assert "insert w:1" in next(one.message for one in decision.claims if one.type == "WriteConcernKept")
    more = decide(ledger(), given.holding(given.serving(), weak={"insert w:1": 4}), NOW)
    assert more.claims == decision.claims


def test_a_changed_secret_changes_the_user_and_a_missing_one_is_named() -> None:
    facts = given.serving(user_secrets={"ledger-api": UserSecret("uid/2")})
    assert steps(decide(ledger(), facts, NOW)) == ["put_user"]
    own = ledger(databases=[{"name": "galoy", "users": [{"name": "api", "secret": "mine", "roles": ["read"]}]}])
    assert reason(decide(own, given.serving(user_secrets={}), NOW)) == "UserSecretMissing"
    empty = {"mine": UserSecret("uid/1", has_password=False)}
    assert reason(decide(own, given.serving(user_secrets=empty), NOW)) == "UserSecretIncomplete"


def test_users_of_our_making_go_when_they_are_not_declared_and_others_stay() -> None:
    facts = given.serving()
    assert isinstance(facts.holdings, Holdings)
    more = (User("galoy", "old", frozenset({"read"}), "uid/7"), User("galoy", "theirs", frozenset({"read"})))
    decision = decide(ledger(), given.holding(facts, users=(*facts.holdings.users, *more)), NOW)
    assert decision.actions == (Ask("drop_user", "Undeclared", {"member": EAST, "database": "galoy", "user": "old"}),)


FIVE = [{"region": "east", "count": 2}, {"region": "west", "count": 2}, {"region": "central", "count": 1}]


def grown(**more: object) -> Facts:
    """Three voters, and two more members that are up and empty."""
    facts = given.serving()
    new = {"ledger-east-1": BLANK, "ledger-west-1": BLANK}
    return replace(facts, members={**facts.members, **new}, **more)  # type: ignore[arg-type]


def joins(facts: Facts) -> list[str]:
    asked = [one for one in decide(ledger(members=FIVE), facts, NOW).actions if isinstance(one, Ask)]
    return [one.words["joins"] for one in asked if one.action == "join"]


def test_members_join_one_at_a_time_until_all_vote() -> None:
    assert joins(grown()) == ["ledger-east-1"]
    five = ledger(members=FIVE)
    assert decide(five, given.settled(five, grown()), NOW).finding is None


def test_nobody_joins_while_another_joins_or_a_voter_is_unwell() -> None:
    def with_(**more: object) -> Facts:
        return replace(grown(), members={**grown().members, **given.in_set(ledger(), EAST, WEST, CENTRAL, **more)})  # type: ignore[arg-type]

    known = given.config(ledger(), EAST, WEST, CENTRAL)
    newest = Voter(3, "x:27017", joining=True)
    assert joins(with_()) == ["ledger-east-1"]
    assert joins(with_(members=(*known.members, newest))) == []
    assert joins(with_(committed=False)) == []
    recovering = InSet(State.RECOVERING, 1, 1000, known, "6.0.27")
    assert joins(given.saying(grown(), central=recovering)) == []


def test_fewer_members_are_not_carried_out_but_told() -> None:
    five = ledger(members=FIVE)
    facts = given.settled(five, grown())
    decision = decide(ledger(), facts, NOW)
    assert decision.actions == ()
    assert claims(decision)["ChangePending"] == ("True", "FewerMembers")
    assert decision.finding is None
    assert len(decision.status.model_dump()["members"]) == 5


def test_members_that_still_vote_run_though_they_are_not_declared() -> None:
    five = ledger(members=FIVE)
    facts = given.without(given.settled(five, grown()), names.stateful_set("ledger-west-1"))
    decision = decide(ledger(), given.without(facts, names.pod("ledger-west-1")), NOW)
    assert steps(decision) == ["apply StatefulSet ledger-west-1 (Missing)"]
    made = given.carried_out(ledger(), facts, decision.actions).children[names.stateful_set("ledger-west-1")]
    region = made["spec"]["template"]["spec"]["nodeSelector"]["topology.kubernetes.io/region"]
    assert region == "west"


def test_a_member_that_votes_no_more_is_left_alone() -> None:
    five = ledger(members=FIVE)
    facts = given.settled(five, grown())
    three = given.saying(facts)
    three = replace(three, members={**three.members, **given.in_set(ledger(), EAST, WEST, CENTRAL, version=9)})
    gone = given.without(three, names.stateful_set("ledger-west-1"))
    assert decide(ledger(), gone, NOW).actions == ()


def test_nobody_joins_beyond_the_votes_that_mongodb_counts() -> None:
    def regions(**counts: int) -> list[dict[str, object]]:
        return [{"region": region, "count": count} for region, count in counts.items()]

    seven = ledger(members=regions(east=3, west=3, central=1))
    facts = given.settled(seven, grown())
    assert decide(seven, facts, NOW).finding is None
    moved = ledger(members=regions(east=2, west=2, north=1))
    decision = decide(moved, given.settled(moved, facts), NOW)
    assert (reason(decision), steps(decision)) == ("VotesTaken", [])


def test_another_version_waits_for_a_plan() -> None:
    decision = decide(ledger(version="7.0"), given.serving(), NOW)
    assert (decision.actions, decision.finding) == ((), None)
    assert claims(decision)["ChangePending"] == ("True", "NeedsRestart")
    assert "version" in next(one.message for one in decision.claims if one.type == "ChangePending")


def test_an_arbiter_or_memory_only_majority_that_somebody_made_is_told() -> None:
    known = given.config(ledger(), EAST, WEST, CENTRAL)
    arbiter = (*known.members[:2], replace(known.members[2], arbiter=True))
    facts = given.serving(members=given.in_set(ledger(), EAST, WEST, CENTRAL, members=arbiter))
    assert reason(decide(ledger(), facts, NOW)) == "ArbiterVotes"
    off = given.serving(members=given.in_set(ledger(), EAST, WEST, CENTRAL, journals_majority=False))
    assert reason(decide(ledger(), off, NOW)) == "JournalOff"


def test_lag_is_told_coarsely() -> None:
    facts = given.serving()
    behind = facts.members[WEST]
    assert isinstance(behind, InSet)
    said = [
        decide(ledger(), given.saying(facts, west=replace(behind, applied=applied)), NOW).status.model_dump()
        for applied in (990, 989, 700, 699, 0)
    ]
    lags = [one["members"][1]["lag"] for one in said]
    assert lags == ["Current", "Behind", "Behind", "FarBehind", "Unknown"]


def test_the_operator_lets_itself_in_again_where_its_user_was_removed() -> None:
    assert steps(decide(ledger(), given.serving(admitted=False), NOW)) == ["admit_operator"]


def test_a_pod_that_does_not_start_is_explained() -> None:
    waiting = {"name": "mongod", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
    crashed = {"name": "mongod", "state": {"terminated": {"exitCode": 14}}}
    unplaced = [{"type": "PodScheduled", "status": "False", "message": "no node"}]
    for status, expected in (
        ({"containerStatuses": [waiting]}, "ImageMissing"),
        ({"containerStatuses": [crashed]}, "Crashed"),
        ({"conditions": unplaced}, "PodPending"),
    ):
        facts = given.saying(given.serving(), west=SILENT)
        sick = replace(facts, children={**facts.children, names.pod(WEST): given.pod(WEST, **status)})
        assert reason(decide(ledger(), sick, NOW)) == expected
    gone = given.without(given.saying(given.serving(), west=SILENT), names.pod(WEST))
    assert reason(decide(ledger(), gone, NOW)) == "Starting"


def test_a_member_that_rolls_back_is_told_of() -> None:
    known = given.config(ledger(), EAST, WEST, CENTRAL)
    back = InSet(State.ROLLBACK, 1, 900, known, "6.0.27")
    assert reason(decide(ledger(), given.saying(given.serving(), west=back), NOW)) == "RollingBack"


def test_members_without_tls_have_neither_certificate_nor_authority() -> None:
    plain = ledger(tls={"mode": "disabled"})
    facts = given.serving(plain)
    assert "ledger-ca" not in {one.name for one in facts.children}
    template = facts.children[Ref(STATEFUL_SET, EAST)]["spec"]["template"]["spec"]
    assert not [one for one in template["containers"][0]["args"] if "tls" in one]
    assert decide(plain, facts, NOW).status.model_dump()["endpoint"]["tls"] is False


def test_a_canary_of_another_term_proves_nothing() -> None:
    facts = given.holding(given.serving(), canary=Canary(0, int(NOW.timestamp())))
    assert claims(decide(ledger(), facts, NOW))["Writable"] == ("False", "NotProven")
