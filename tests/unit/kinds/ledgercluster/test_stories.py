"""A ledger from its first look on, in a bank in memory: observe, decide and act together."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.misoperations import sample
from tests.simulation.faults import Schedule, none
from tests.simulation.mongod import Mongods, silent
from tests.simulation.pods import Software
from tests.simulation.sight import NoPlans
from tests.simulation.world import NAMESPACE, World

from bankstack.clients.mongo.answers import Config, Holdings, InSet, Peer, Policy, State, Voter
from bankstack.clients.mongo.client import connect_uri
from bankstack.engine import declared
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, POD, SECRET, STATEFUL_SET, Manifest
from bankstack.engine.ports import Kind, resource_type
from bankstack.kinds.ledgercluster import model
from bankstack.kinds.ledgercluster.kind import gauges, kind, references
from bankstack.kinds.ledgercluster.observe import Doors

OURS = resource_type(model.RESOURCE)
KEPT = Policy("majority", journal=True)


class Bank(World):
    """A world with one ledger in it."""

    def __init__(self, schedule: Schedule = none, **spec: Any) -> None:  # noqa: ANN401 - what a user writes
        self.mongods = Mongods()
        self.mongods.software = Software(self.mongods)

        def row(line: Any) -> Kind:  # noqa: ANN401 - a Line
            return kind(Doors(self.mongods.connect(line), connect_uri))

        super().__init__(row, schedule=schedule, outside=self.mongods.software)
        self.declare(**spec)

    def declare(self, **spec: Any) -> None:  # noqa: ANN401 - what a user writes
        manifest = sample("ledger")
        manifest["metadata"]["namespace"] = NAMESPACE
        manifest["spec"] |= spec
        self.user_applies(OURS, manifest)

    @property
    def status(self) -> Manifest:
        return dict((self.live(OURS, "ledger") or {}).get("status", {}))

    def says(self, condition: str = "Ready") -> tuple[str, str]:
        one = next(one for one in self.status["conditions"] if one["type"] == condition)
        return one["status"], one["reason"]

    def secret(self, name: str) -> dict[str, str]:
        found = self.live(SECRET, name) or {"data": {}}
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def remove(self, of: Any, *which: str) -> None:  # noqa: ANN401 - a Type
        for name in which:
            self.server.delete(self.key(of, name))

    def power_cut(self) -> None:
        """Every mongod dies and comes back with what is mounted now."""
        assert self.mongods.software is not None
        self.mongods.software.restart()

    def looked_at(self) -> None:
        """Time has come for the next look."""
        for operator in self.operators:
            operator.resync()


@pytest.fixture
async def bank() -> Bank:
    return await Bank().settle()


async def test_a_declared_ledger_becomes_ready_with_its_set_pinned_everywhere(bank: Bank) -> None:
    assert bank.says() == ("True", "AsDeclared")
    (books,) = bank.mongods.made
    assert bank.status["replicaSetId"] == books.id
    claims = [bank.live(PERSISTENT_VOLUME_CLAIM, f"ledger-{one}-0-data") for one in ("east", "west", "central")]
    assert [one and one["metadata"]["annotations"]["bankstack.io/replica-set"] for one in claims] == [books.id] * 3
    assert (books.policy, bank.mongods.wrongs) == (KEPT, [])
    assert books.passwords["galoy", "api"] == bank.secret("ledger-api")["password"]
    assert books.users["admin", "bankstack"].roles == {
        "clusterManager", "clusterMonitor", "userAdminAnyDatabase", "bankstack.readWrite",
    }  # fmt: skip


async def test_both_secrets_have_everything_and_members_trust_each_other(bank: Bank) -> None:
    one, other = bank.secret("ledger-internal"), bank.secret("ledger-internal-copy")
    assert one == other
    assert sorted(one) == ["ca.crt", "ca.key", "keyfile", "password", "tls.pem", "user.ledger-api"]
    assert "mongodb://api:" in bank.secret("ledger-api")["uri"]


async def test_a_member_with_data_is_never_wiped() -> None:
    bank = Bank()
    bank.mongods.start = full(bank.mongods)  # type: ignore[method-assign]
    await bank.settle()
    assert bank.says() == ("False", "MemberNotEmpty")
    assert (bank.mongods.made, bank.mongods.wrongs) == ([], [])


async def test_emptiness_is_looked_at_once_more_directly_before_it_cannot_be_undone() -> None:
    """Decided while all were empty; carried out when one is not any more."""
    bank = Bank()
    bank.mongods.start = full(bank.mongods)  # type: ignore[method-assign]
    await bank.settle()
    operator, manifest = bank.operators[0], bank.live(OURS, "ledger")
    assert manifest is not None
    row, ask = operator.kinds[0], Ask("initiate", "Missing", {"member": "ledger-east-0"})
    with pytest.raises(Interrupted) as caught:
        await row.act[ask.action](declared.read(row.resource, manifest), ask, operator.cluster)
    assert caught.value.finding.reason == "ChangedMeanwhile"
    assert (bank.mongods.made, bank.mongods.wrongs) == ([], [])


def full(mongods: Mongods) -> Any:  # noqa: ANN401 - start, with something on every disk
    start = mongods.start

    def started(mounted: Any) -> Any:  # noqa: ANN401 - as start
        run = start(mounted)
        for disk in mongods.disks.values():
            if disk.books is None:
                disk.collections = 3
        return run

    return started


@pytest.mark.parametrize("name", ["ledger-internal", "ledger-internal-copy", "ledger-api"])
async def test_a_deleted_secret_comes_back_as_it_was(bank: Bank, name: str) -> None:
    before = bank.secret(name)
    bank.remove(SECRET, name)
    await bank.settle()
    assert bank.secret(name) == before
    bank.power_cut()
    bank.looked_at()
    await bank.settle()
    assert bank.says() == ("True", "AsDeclared")


async def test_two_lost_secrets_are_not_made_anew(bank: Bank) -> None:
    bank.remove(SECRET, "ledger-internal", "ledger-internal-copy")
    await bank.settle()
    assert bank.says() == ("False", "CredentialsLost")
    assert bank.secret("ledger-internal") == {}


async def test_a_weakened_default_is_put_back(bank: Bank) -> None:
    bank.mongods.made[0].policy = Policy("1", journal=False)
    bank.looked_at()
    await bank.settle()
    assert bank.mongods.made[0].policy == KEPT


async def test_a_lost_primary_is_followed_and_writes_are_proven_in_the_new_term(bank: Bank) -> None:
    (books,) = bank.mongods.made
    assert bank.status["primary"] == "ledger-east-0"
    bank.mongods.cut_off.add(books.config.members[0].host.removesuffix(":27017"))
    bank.looked_at()
    await bank.settle()
    assert (bank.status["primary"], bank.status["term"]) == ("ledger-west-0", 2)
    assert bank.says() == ("False", "MemberSilent")
    assert bank.says("Writable") == ("True", "Proven")
    assert books.canary is not None
    assert books.canary.term == 2
    bank.mongods.cut_off.clear()
    bank.looked_at()
    await bank.settle()
    assert bank.says() == ("True", "AsDeclared")


async def test_a_changed_password_reaches_mongodb_and_an_undeclared_user_goes(bank: Bank) -> None:
    (books,) = bank.mongods.made
    changed = {"password": base64.b64encode(b"another").decode()}
    key = bank.key(SECRET, "ledger-api")
    bank.server.edit(key, lambda one: one["data"].update(changed), "kubectl-edit")
    await bank.settle()
    assert books.passwords["galoy", "api"] == "another"
    bank.declare(databases=[{"name": "galoy"}])
    await bank.settle()
    assert set(books.users) == {("admin", "bankstack")}


async def test_the_operator_s_lost_user_is_made_again(bank: Bank) -> None:
    (books,) = bank.mongods.made
    books.passwords.clear()
    books.users.clear()
    bank.looked_at()
    await bank.settle()
    assert set(books.passwords) == {("admin", "bankstack"), ("galoy", "api")}
    assert bank.says() == ("True", "AsDeclared")


async def test_more_members_join_and_fewer_are_only_told(bank: Bank) -> None:
    five = [{"region": "east", "count": 2}, {"region": "west", "count": 2}, {"region": "central", "count": 1}]
    bank.declare(members=five)
    await bank.settle()
    (books,) = bank.mongods.made
    assert [one.id for one in books.config.members] == [0, 1, 2, 3, 4]
    assert books.config.version == 3
    assert bank.says() == ("True", "AsDeclared")
    bank.remove(OURS, "ledger")
    await bank.settle()
    bank.declare()
    await bank.settle()
    assert [one["state"] for one in bank.status["members"]].count("SECONDARY") == 4
    assert bank.says() == ("True", "AsDeclared")
    assert bank.says("ChangePending") == ("True", "FewerMembers")


async def test_deleted_and_applied_again_it_is_the_same_ledger(bank: Bank) -> None:
    known = bank.status["replicaSetId"]
    bank.remove(OURS, "ledger")
    await bank.settle()
    assert not [key for key in bank.server.all() if key.type in (POD, STATEFUL_SET)]
    bank.declare()
    await bank.settle()
    assert (bank.status["replicaSetId"], len(bank.mongods.made)) == (known, 1)
    assert bank.says() == ("True", "AsDeclared")


async def test_a_ledger_whose_volumes_are_lost_is_never_begun_anew(bank: Bank) -> None:
    bank.mongods.disks.clear()
    for member in ("east", "west", "central"):
        bank.remove(POD, f"ledger-{member}-0-0")
    await bank.settle()
    assert bank.says() == ("False", "LedgerEmpty")
    assert len(bank.mongods.made) == 1


async def test_no_secret_is_in_what_anybody_may_read(bank: Bank) -> None:
    readable = str([bank.server.get(key) for key in bank.server.all() if key.type != SECRET])
    for name in ("ledger-internal", "ledger-api"):
        for key, content in bank.secret(name).items():
            assert content not in readable or key in ("ca.crt", "username", "database"), key


async def test_a_secret_of_somebody_else_is_not_taken_for_ours() -> None:
    bank = Bank()
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ledger-internal", "namespace": NAMESPACE}}
    bank.user_applies(SECRET, theirs | {"data": {"keyfile": "dGhlaXJz"}})
    await bank.settle()
    assert bank.says() == ("False", "NameTaken")
    assert bank.secret("ledger-internal") == {"keyfile": "theirs"}


async def test_a_key_that_one_secret_lost_comes_back_from_the_other(bank: Bank) -> None:
    before = bank.secret("ledger-internal")
    bank.server.edit(bank.key(SECRET, "ledger-internal"), lambda one: one["data"].pop("keyfile"), "kubectl-edit")
    await bank.settle()
    assert bank.secret("ledger-internal") == before
    assert bank.says() == ("True", "AsDeclared")


async def test_members_that_accept_nobody_are_told_as_such(bank: Bank) -> None:
    other = {"keyfile": base64.b64encode(b"another").decode(), "password": base64.b64encode(b"another").decode()}
    for name in ("ledger-internal", "ledger-internal-copy"):
        bank.server.edit(bank.key(SECRET, name), lambda one: one["data"].update(other), "kubectl-edit")
    await bank.settle()
    assert bank.says() == ("False", "NoPrimary")
    assert {one["state"] for one in bank.status["members"]} == {"Unknown"}


class Elsewhere(Bank):
    """A ledger that is run elsewhere; `found` is what answers there."""

    def __init__(self, found: InSet | Interrupted, holdings: Holdings | Interrupted) -> None:
        self.uris: list[tuple[str, bytes]] = []
        super().__init__()
        self.remove(OURS, "ledger")

        @asynccontextmanager
        async def connected(uri: str, roots: bytes) -> AsyncIterator[Any]:
            self.uris.append((uri, roots))
            yield Answering(found, holdings)

        row = kind(Doors(self.mongods.connect(self.operators[0].line), connected))
        self.operators[0].kinds = (row,)
        spec = {"external": {"uriSecret": "uri"}}
        made = {"apiVersion": OURS.api_version, "kind": OURS.kind, "metadata": {"name": "ledger"}, "spec": spec}
        self.user_applies(OURS, made)
        content = {"uri": base64.b64encode(b"mongodb://a").decode(), "ca.crt": base64.b64encode(b"PEM").decode()}
        meta = {"name": "uri", "namespace": NAMESPACE}
        self.user_applies(SECRET, {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": content})


class Answering:
    """An external MongoDB that says this."""

    def __init__(self, found: InSet | Interrupted, holdings: Holdings | Interrupted) -> None:
        self._found, self._holdings = found, holdings

    async def look(self) -> InSet:
        if isinstance(self._found, Interrupted):
            raise self._found
        return self._found

    async def watched(self) -> Holdings:
        if isinstance(self._holdings, Interrupted):
            raise self._holdings
        return self._holdings


OUTSIDE = InSet(
    State.PRIMARY,
    4,
    1000,
    Config("a" * 24, 1, (Voter(0, "a:27017"),)),
    "7.0.1",
    (Peer("a:27017", State.PRIMARY, 1000),),
)


async def test_an_external_ledger_is_watched_by_its_uri_and_authority() -> None:
    bank = Elsewhere(OUTSIDE, Holdings(Policy("majority", journal=False, chosen=False)))
    await bank.settle()
    assert bank.says() == ("True", "AsDeclared")
    assert (bank.status["primary"], bank.status["replicaSetId"]) == ("a:27017", "a" * 24)
    assert bank.uris[0] == ("mongodb://a", b"PEM")
    assert not [key for key in bank.server.all() if key.type in (STATEFUL_SET, PERSISTENT_VOLUME_CLAIM)]


async def test_an_external_primary_that_does_not_tell_is_not_called_ready() -> None:
    bank = Elsewhere(OUTSIDE, silent("timeout"))
    for _ in range(3):
        bank.looked_at()
        await bank.operators[0].step(bank.key(OURS, "ledger"))
    assert bank.says() == ("False", "PrimarySilent")


async def test_numbers_that_change_by_themselves_are_metrics(bank: Bank) -> None:
    row = bank.operators[0].kinds[0]
    manifest = bank.live(OURS, "ledger")
    assert manifest is not None
    facts = await row.observe(declared.read(row.resource, manifest), NoPlans(bank.operators[0].cluster))
    told = dict(gauges(facts))
    assert told.pop("bankstack_ledgercluster_writes_proven_timestamp_seconds") > 0
    assert told == {
        "bankstack_ledgercluster_members_serving": 3,
        "bankstack_ledgercluster_term": 1,
        "bankstack_ledgercluster_lag_seconds": 0,
        "bankstack_ledgercluster_weak_writes": 0,
    }


def test_a_ledger_waits_for_its_users_secrets() -> None:
    spec = model.LedgerClusterSpec.model_validate(sample("ledger")["spec"])
    assert [str(one) for one in references(spec)] == ["Secret ledger-api"]
