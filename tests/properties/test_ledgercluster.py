"""A LedgerCluster's laws from any facts: nothing wiped, begun anew or stopped, and an end to all doing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as any_of

from bankstack.clients.mongo.answers import Blank, Canary, Holdings, InSet, Policy, State, User
from bankstack.engine.decision import Apply, Ask, Delete
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, PROVED_EMPTY, STATEFUL_SET, annotation
from bankstack.kinds.ledgercluster import names, replica
from bankstack.kinds.ledgercluster.decide import decide
from bankstack.kinds.ledgercluster.facts import Answer, Facts, Sealed, UserSecret
from bankstack.kinds.ledgercluster.subject import LedgerCluster
from tests.properties.laws import decided
from tests.unit.kinds.ledgercluster import given as world
from tests.unit.kinds.ledgercluster.given import BLANK, CENTRAL, EAST, ID, NOW, OTHER, WEST, ledger

FIVE = [{"region": "east", "count": 2}, {"region": "west", "count": 2}, {"region": "central", "count": 1}]
SILENT = Unknown("it is silent")
WHOLE = world.serving()
MEMBERS = (EAST, WEST, CENTRAL, "ledger-east-1")

ledgers = any_of.builds(
    lambda known, members, policy, deleting: ledger(
        known=known, deleting=deleting, deletionPolicy=policy, **({"members": FIVE} if members else {})
    ),
    any_of.sampled_from([None, ID, OTHER]),
    any_of.booleans(),
    any_of.sampled_from(["Retain", "Delete"]),
    any_of.sampled_from([False, False, True]),
)


@any_of.composite
def answers(draw: any_of.DrawFn) -> Answer:
    known = world.config(
        ledger(),
        *draw(any_of.lists(any_of.sampled_from(MEMBERS), unique=True, min_size=1)),
        replica_set_id=draw(any_of.sampled_from([ID, ID, ID, OTHER])),
        committed=draw(any_of.booleans()),
    )
    state, term = draw(any_of.sampled_from(list(State))), draw(any_of.integers(1, 3))
    in_set = InSet(state, term, draw(any_of.sampled_from([0, 600, 1000])), known, "6.0.27")
    said: list[Answer] = [SILENT, BLANK, Blank(2, "6.0.27"), in_set, in_set]
    return draw(any_of.sampled_from(said))


@any_of.composite
def facts(draw: any_of.DrawFn) -> Facts:
    gone = draw(any_of.lists(any_of.sampled_from(sorted(WHOLE.children)), unique=True))
    marked = draw(any_of.booleans())
    children = world.without(WHOLE, *gone).children
    if not marked:
        children = {one: kept for one, kept in children.items() if one.type != PERSISTENT_VOLUME_CLAIM}
    held = Holdings(
        draw(any_of.sampled_from([world.IMPLICIT, Policy("1", journal=False), Policy("majority", journal=True)])),
        tuple(
            draw(
                any_of.lists(any_of.sampled_from([User("galoy", "x", frozenset(), "u/1"), User("a", "b", frozenset())]))
            )
        ),
        draw(any_of.sampled_from([None, Canary(1, 0), Canary(2, int(NOW.timestamp()))])),
        draw(any_of.sampled_from([{}, {"insert w:1": 3}])),
        draw(any_of.sampled_from([frozenset(), frozenset({"galoy"})])),
    )
    told: list[Holdings | Unknown] = [SILENT, held]
    let_in: list[bool | Unknown] = [True, False, SILENT]
    return Facts(
        children=children,
        sealed=draw(any_of.sampled_from([WHOLE.sealed, Sealed(), Sealed(either=WHOLE.sealed.either)])),
        user_secrets=draw(any_of.sampled_from([{}, {"ledger-api": UserSecret("u/2")}])),
        members=draw(any_of.dictionaries(any_of.sampled_from(MEMBERS), answers())),
        holdings=draw(any_of.sampled_from(told)),
        admitted=draw(any_of.sampled_from(let_in)),
    )


def asked(cluster: LedgerCluster, seen: Facts) -> dict[str, Ask]:
    return {one.action: one for one in decide(cluster, seen, NOW).actions if isinstance(one, Ask)}


@given(ledgers, facts())
def test_every_decision_is_well_made(cluster: LedgerCluster, seen: Facts) -> None:
    decided(decide, cluster, seen, NOW)


@given(ledgers, facts())
def test_a_set_is_made_only_of_members_known_to_be_empty_and_where_none_ever_was(
    cluster: LedgerCluster, seen: Facts
) -> None:
    if "initiate" in asked(cluster, seen):
        assert all(seen.members[seat.name] == BLANK for seat in names.seats(cluster))
        assert replica.pinned(cluster, seen) is None
    if "join" in (doing := asked(cluster, seen)):
        assert seen.members[doing["join"].words["joins"]] == BLANK


@given(ledgers, facts())
def test_no_empty_volume_is_made_for_a_voter(cluster: LedgerCluster, seen: Facts) -> None:
    known = replica.config(seen)
    for one in decide(cluster, seen, NOW).actions:
        if not isinstance(one, Apply) or one.manifest["kind"] != "PersistentVolumeClaim" or one.reason != "Missing":
            continue
        member = one.manifest["metadata"]["name"].removesuffix("-data")
        if replica.pinned(cluster, seen) is not None:
            assert known is not None
            assert names.address(cluster, member) not in known.hosts


@given(ledgers, facts())
def test_nothing_that_runs_is_stopped_and_no_book_deleted_but_on_the_way_out(
    cluster: LedgerCluster, seen: Facts
) -> None:
    if cluster.deleting:
        return
    for one in decide(cluster, seen, NOW).actions:
        assert not isinstance(one, Delete)
        if isinstance(one, Apply) and one.manifest["kind"] == STATEFUL_SET.kind:
            assert one.manifest["spec"]["replicas"] == 1
            live = seen.children.get(names.stateful_set(one.manifest["metadata"]["name"]))
            assert live is None or live["spec"]["template"] == one.manifest["spec"]["template"]


@given(ledgers, facts())
def test_books_go_only_with_the_proof_that_there_are_none(cluster: LedgerCluster, seen: Facts) -> None:
    for one in decide(cluster, seen, NOW).actions:
        if isinstance(one, Delete) and one.ref.type == PERSISTENT_VOLUME_CLAIM:
            assert cluster.spec.deletion_policy == "Delete"
            sets = [live for ref, live in seen.children.items() if ref.type == STATEFUL_SET]
            assert any(annotation(live, PROVED_EMPTY) for live in sets)


@given(ledgers, facts())
def test_an_id_once_pinned_never_changes(cluster: LedgerCluster, seen: Facts) -> None:
    known = cluster.status.replica_set_id
    after = decide(cluster, seen, NOW).status.model_dump()["replica_set_id"]
    assert known is None or after == known


@given(facts())
def test_what_can_be_mended_is_mended_and_then_there_is_peace(seen: Facts) -> None:
    """From a set that answers, with anything lost around it."""
    members = world.in_set(ledger(), EAST, WEST, CENTRAL)
    known = replace(seen, members=members, sealed=WHOLE.sealed, children={**WHOLE.children, **seen.children})
    if isinstance(known.holdings, Unknown):
        return
    settled = world.settled(ledger(), known)
    assert decide(ledger(), settled, NOW).finding is None
