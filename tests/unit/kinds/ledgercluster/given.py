"""A LedgerCluster and what is true around it, in one line; and what its actions make of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.simulation.fieldsets import applied

from bankstack.clients.mongo.answers import Blank, Canary, Config, Holdings, InSet, Policy, State, User, Voter
from bankstack.engine.decision import Action, Apply, Ask, Delete
from bankstack.engine.declared import Declared
from bankstack.engine.objects import STATEFUL_SET, Manifest, Ref, by_ref, ref
from bankstack.kinds.ledgercluster import checks, names, replica
from bankstack.kinds.ledgercluster.decide import decide
from bankstack.kinds.ledgercluster.facts import Answer, Facts, Sealed, UserSecret
from bankstack.kinds.ledgercluster.model import LedgerClusterSpec, LedgerClusterStatus
from bankstack.kinds.ledgercluster.subject import LedgerCluster

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ID, OTHER = "6b016aa9db254443ba3f6997", "0" * 24
EAST, WEST, CENTRAL = "ledger-east-0", "ledger-west-0", "ledger-central-0"
BLANK = Blank(0, "6.0.27")
#: MongoDB's own default, before anybody set one.
IMPLICIT = Policy("majority", journal=False, chosen=False)

SPEC: Manifest = {
    "version": "6.0",
    "members": [{"region": "east", "count": 1}, {"region": "west", "count": 1}, {"region": "central", "count": 1}],
    "storage": {"size": "1Gi"},
    "databases": [
        {"name": "galoy", "users": [{"name": "api", "secret": "ledger-api", "create": True, "roles": ["readWrite"]}]}
    ],
}


def ledger(
    *,
    deleting: bool = False,
    known: str | None = ID,
    **spec: Any,  # noqa: ANN401 - what a user writes
) -> LedgerCluster:
    """The ledger as it was declared; a field that is None is left out."""
    written = {key: value for key, value in (SPEC | spec).items() if value is not None}
    meta = {"name": "ledger", "namespace": "bank", "uid": "u1", "generation": 1}
    return Declared(
        kind="LedgerCluster",
        name="ledger",
        namespace="bank",
        uid="u1",
        generation=1,
        spec=LedgerClusterSpec.model_validate(written),
        status=LedgerClusterStatus(replica_set_id=known),
        manifest={"metadata": meta, "spec": written},
        deleting=deleting,
    )


def config(cluster: LedgerCluster, *members: str, **more: Any) -> Config:  # noqa: ANN401 - any field
    voters = (Voter(place, names.address(cluster, member)) for place, member in enumerate(members))
    return replace(Config(ID, 1, tuple(voters)), **more)


def in_set(
    cluster: LedgerCluster,
    *members: str,
    leads: str = EAST,
    term: int = 1,
    **more: Any,  # noqa: ANN401 - any field of the configuration
) -> dict[str, Answer]:
    """Members of one set, `leads` its primary."""
    known = config(cluster, *members, **more)
    return {
        one: InSet(State.PRIMARY if one == leads else State.SECONDARY, term, 1000, known, "6.0.27") for one in members
    }


def pod(member: str, **status: Any) -> Manifest:  # noqa: ANN401 - a pod's status
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{member}-0", "uid": f"pod of {member}"},
        "status": {"podIP": "10.0.0.9"} | status,
    }


def serving(cluster: LedgerCluster | None = None, **more: Any) -> Facts:  # noqa: ANN401 - any facts
    """Everything made, a primary elected, all as declared."""
    declared = cluster or ledger()
    fresh = replace(declared, status=LedgerClusterStatus())
    return replace(settled(declared, settled(fresh, Facts())), **more)


def settled(cluster: LedgerCluster, facts: Facts) -> Facts:
    """The facts after as many passes as it takes; fails where it takes too many."""
    for _ in range(8):
        decision = decide(cluster, facts, NOW)
        if not decision.actions:
            return facts
        facts = carried_out(cluster, facts, decision.actions)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")


def carried_out(cluster: LedgerCluster, facts: Facts, actions: Iterable[Action]) -> Facts:
    """What is true once the actions are done: a small world without chance."""
    for action in actions:
        match action:
            case Apply(manifest=manifest):
                facts = replace(facts, children={**facts.children, ref(manifest): applied(manifest)})
                if ref(manifest).type == STATEFUL_SET and manifest["spec"]["replicas"] == 1:
                    facts = _started(facts, ref(manifest).name)
            case Delete(ref=gone):
                facts = without(facts, gone)
            case Ask():
                facts = asked(cluster, facts, action)
    return facts


def _started(facts: Facts, member: str) -> Facts:
    there = {**facts.children, **by_ref([pod(member)])}
    return replace(facts, children=there, members={member: BLANK, **facts.members})


def asked(cluster: LedgerCluster, facts: Facts, ask: Ask) -> Facts:
    """What each of the kind's own actions makes true."""
    holdings = facts.holdings if isinstance(facts.holdings, Holdings) else Holdings(IMPLICIT)
    match ask.action:
        case "keep_credentials":
            both = checks.needed_keys(cluster)
            facts = replace(facts, sealed=Sealed(both, both, authority="PEM"))
        case "make_user_secret":
            made = {**facts.user_secrets, ask.words["secret"]: UserSecret("uid/1")}
            facts = replace(facts, user_secrets=made)
        case "initiate":
            members = in_set(cluster, *(seat.name for seat in names.seats(cluster)))
            facts = replace(facts, members=members, holdings=holdings, admitted=False)
        case "admit_operator":
            facts = replace(facts, admitted=True)
        case "join":
            known = replica.config(facts)
            assert known is not None
            joined = [one.host.partition("-0.")[0] for one in known.members] + [ask.words["joins"]]
            facts = replace(facts, members={**facts.members, **in_set(cluster, *joined)})
        case _:
            facts = replace(facts, holdings=held(cluster, facts, holdings, ask))
    return facts


def held(cluster: LedgerCluster, facts: Facts, holdings: Holdings, ask: Ask) -> Holdings:
    """What the primary has after an action on it."""
    words = ask.words
    match ask.action:
        case "set_policy":
            return replace(holdings, policy=checks.policy(cluster))
        case "put_user":
            life = facts.user_secrets[words["secret"]].version
            made = User(words["database"], words["user"], frozenset(words["roles"].split()), life)
            others = (one for one in holdings.users if (one.database, one.name) != (made.database, made.name))
            return replace(holdings, users=(*others, made))
        case "drop_user":
            gone = (words["database"], words["user"])
            return replace(holdings, users=tuple(one for one in holdings.users if (one.database, one.name) != gone))
        case "prove_writes":
            return replace(holdings, canary=Canary(int(words["term"]), int(words["at"])))
    raise AssertionError(ask.action)


def without(facts: Facts, *gone: Ref) -> Facts:
    """The same, without these children."""
    return replace(facts, children={one: kept for one, kept in facts.children.items() if one not in gone})


def holding(facts: Facts, **more: Any) -> Facts:  # noqa: ANN401 - any field
    """The same, with something else at the primary."""
    assert isinstance(facts.holdings, Holdings)
    return replace(facts, holdings=replace(facts.holdings, **more))


def saying(facts: Facts, **answers: Answer) -> Facts:
    """The same, with other answers: east, west, central."""
    by_name = {f"ledger-{region}-0": answer for region, answer in answers.items()}
    return replace(facts, members={**facts.members, **by_name})
