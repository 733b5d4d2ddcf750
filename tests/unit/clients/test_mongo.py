"""What is said where a mongod gives no answer: nothing is concluded, and no password is repeated."""

import asyncio
import gc
import socket
import time
from typing import Any

import pytest
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from bankstack.clients.mongo import client
from bankstack.clients.mongo.answers import Blank, Canary, InSet, Policy, State, User
from bankstack.clients.mongo.client import Door, Login, Mongod, connect, connect_uri
from bankstack.engine.finding import Interrupted, Stalled, Transient

LOGIN = Login("bankstack", "correct horse battery staple")


class Answers:
    """A driver's client that gives these replies in turn; an exception is raised."""

    def __init__(self, *replies: Any) -> None:  # noqa: ANN401 - documents and errors
        self.replies, self.asked = list(replies), list[dict[str, Any]]()

    def __getitem__(self, _database: str) -> "Answers":
        return self

    def get_collection(self, _name: str, **_options: object) -> "Answers":
        return self

    async def command(self, command: dict[str, Any]) -> Any:  # noqa: ANN401 - a document
        self.asked.append(command)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def find_one(self, _query: dict[str, Any]) -> Any:  # noqa: ANN401 - a document
        return await self.command({"find": 1})

    async def update_one(self, *words: Any, **_more: Any) -> Any:  # noqa: ANN401 - as the driver
        return await self.command({"update": words})


def mongod(*replies: Any) -> tuple[Mongod, Answers]:  # noqa: ANN401 - documents and errors
    answers = Answers(*replies)
    return Mongod(answers, "ledger-east-0"), answers  # type: ignore[arg-type]


def refused(code: int, name: str, message: str = "no") -> PyMongoError:
    return OperationFailure(message, code, {"codeName": name, "errmsg": message, "code": code})


async def stopped(awaited: Any) -> Interrupted:  # noqa: ANN401 - any call
    with pytest.raises(Interrupted) as caught:
        await awaited
    return caught.value


async def test_a_port_that_nobody_listens_on_is_silence_and_soon() -> None:
    began = time.monotonic()
    async with connect(Door("127.0.0.1", LOGIN)) as mongo:
        stop = await stopped(mongo.look())
    assert time.monotonic() - began < client.SECONDS + 1
    assert isinstance(stop.finding.policy, Transient)
    assert LOGIN.password not in stop.finding.message


# The driver leaves a half-made connection to the collector of garbage, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_port_that_never_answers_is_silence_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SECONDS", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setattr(client, "PORT", mute.getsockname()[1])
        async with asyncio.timeout(10), connect(Door("127.0.0.1", LOGIN)) as mongo:
            stop = await stopped(mongo.look())
    gc.collect()
    assert isinstance(stop.finding.policy, Transient)


@pytest.mark.parametrize("uri", ["http://user:hunter2@host", "mongodb://user:hunter2@", "hunter2"])
async def test_a_string_that_is_no_uri_is_not_repeated(uri: str) -> None:
    with pytest.raises(Interrupted) as caught:
        async with connect_uri(uri, b""):
            pass
    assert (caught.value.finding.reason, caught.value.finding.policy) == ("UriUnusable", Stalled())
    assert "hunter2" not in caught.value.finding.message


def test_no_password_is_in_what_a_door_shows() -> None:
    assert LOGIN.password not in repr(Door("host", LOGIN))


async def test_a_member_without_a_set_is_counted() -> None:
    mongo, _ = mongod({"version": "6.0.27"}, refused(94, "NotYetInitialized"), {"catalogStats": {"collections": 0}})
    assert await mongo.look() == Blank(0, "6.0.27")


@pytest.mark.parametrize(("my_state", "asks"), [(1, True), (2, False)], ids=["primary", "secondary"])
async def test_only_a_primary_is_asked_whether_a_majority_has_its_configuration(my_state: int, asks: bool) -> None:  # noqa: FBT001 - a case
    status = {"myState": my_state, "term": 1, "members": [{"name": "a", "stateStr": "SECONDARY", "self": True}]}
    config = {"config": {"version": 1, "members": [], "settings": {"replicaSetId": "x"}}}
    mongo, answers = mongod({"version": "6.0.27"}, status, config)
    found = await mongo.look()
    assert isinstance(found, InSet)
    assert found.state == State.SECONDARY
    assert answers.asked[-1] == {"replSetGetConfig": 1} | ({"commitmentStatus": True} if asks else {})


@pytest.mark.parametrize("code", [13, 18])
async def test_being_refused_is_an_answer(code: int) -> None:
    mongo, _ = mongod(refused(code, "Unauthorized"))
    assert isinstance((await stopped(mongo.look())).finding.policy, Stalled)


async def test_a_command_with_a_password_is_never_repeated() -> None:
    said = "not this { createUser: 'api', pwd: 'hunter2' }"
    mongo, _ = mongod(refused(11, "UserNotFound"), refused(2, "BadValue", said))
    stop = await stopped(mongo.put_user(User("galoy", "api", frozenset({"read"}), "uid/1"), "hunter2"))
    assert "hunter2" not in stop.finding.message
    assert "BadValue" in stop.finding.message


async def test_a_user_that_is_there_is_changed_and_not_made() -> None:
    mongo, answers = mongod({"ok": 1})
    await mongo.put_user(User("galoy", "api", frozenset({"read"}), "uid/1"), "new")
    (only,) = answers.asked
    assert only["updateUser"] == "api"
    assert only["customData"] == {"bankstack": "uid/1"}


async def test_a_set_that_is_there_is_not_an_error_of_initiating_it() -> None:
    mongo, answers = mongod(refused(23, "AlreadyInitialized"))
    await mongo.initiate("ledger", ("a:27017", "b:27017"))
    assert answers.asked[0]["replSetInitiate"]["writeConcernMajorityJournalDefault"] is True


async def test_a_new_voter_gets_an_id_that_none_had_and_nobody_is_added_twice() -> None:
    config = {"config": {"version": 7, "members": [{"_id": 0, "host": "a"}, {"_id": 4, "host": "b"}]}}
    mongo, answers = mongod(config, {"ok": 1})
    await mongo.add_voter("c")
    made = answers.asked[-1]["replSetReconfig"]
    assert (made["version"], made["members"][-1]) == (8, {"_id": 5, "host": "c"})
    again, answers = mongod(config)
    await again.add_voter("b")
    assert len(answers.asked) == 1


async def test_what_the_server_says_of_a_configuration_helps_and_is_told() -> None:
    config = {"config": {"version": 1, "members": [{"_id": 0, "host": "a"}]}}
    mongo, _ = mongod(config, refused(103, "NewReplicaSetConfigurationIncompatible", "priority must be 0"))
    assert "priority must be 0" in (await stopped(mongo.add_voter("c"))).finding.message


async def test_a_canary_that_is_not_given_back_proves_nothing() -> None:
    mongo, _ = mongod({"ok": 1}, {"term": 1, "at": 5})
    await mongo.sing(Canary(1, 5))
    lost, _ = mongod({"ok": 1}, {"term": 1, "at": 4})
    assert (await stopped(lost.sing(Canary(1, 5)))).finding.reason == "CanaryLost"
    mute, _ = mongod(ServerSelectionTimeoutError("no primary"))
    assert (await stopped(mute.sing(Canary(1, 5)))).finding.reason == "MongoSilent"


async def test_what_a_primary_holds_is_read_without_our_own_database() -> None:
    users, canary = {"users": [{"user": "api", "db": "galoy", "roles": []}]}, {"term": 2, "at": 9}
    default = {"defaultWriteConcern": {"w": "majority", "j": True}, "defaultWriteConcernSource": "global"}
    listed = {"databases": [{"name": "galoy"}, {"name": "bankstack"}, {"name": "admin"}]}
    mongo, _ = mongod(users, default, {}, listed, canary)
    found = await mongo.holdings()
    assert (found.databases, found.canary, found.policy) == (
        frozenset({"galoy"}), Canary(2, 9), Policy("majority", journal=True),
    )  # fmt: skip
    assert [one.name for one in found.users] == ["api"]


async def test_a_policy_and_a_farewell_are_acknowledged_by_a_majority() -> None:
    mongo, answers = mongod({"ok": 1}, {"ok": 1})
    await mongo.set_policy(Policy("majority", journal=True))
    await mongo.drop_user("galoy", "api")
    assert answers.asked[0]["defaultWriteConcern"] == {"w": "majority", "j": True, "wtimeout": 0}
    assert [one["writeConcern"]["w"] for one in answers.asked] == ["majority", "majority"]


async def test_authorities_need_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/nowhere")
    with client._trusting(b"PEM") as options:  # noqa: SLF001 - what the driver is handed
        assert options["tls"] is True
        with open(options["tlsCAFile"], "rb") as file:  # noqa: ASYNC230, PTH123 - in memory
            assert file.read() == b"PEM"
    with client._trusting(b"") as options:  # noqa: SLF001 - what the driver is handed
        assert options == {}
