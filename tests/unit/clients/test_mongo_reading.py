"""MongoDB's documents as they were measured on 6.0.27, turned into answers."""

from typing import Any

from bson.timestamp import Timestamp

from bankstack.clients.mongo import reading
from bankstack.clients.mongo.answers import Config, InSet, Peer, Policy, State, User, Voter

STATUS: dict[str, Any] = {
    "term": 3,
    "members": [
        {"name": "a:27017", "stateStr": "PRIMARY", "optime": {"ts": Timestamp(1795254011, 6), "t": 3}, "self": True},
        {"name": "b:27017", "stateStr": "(not reachable/healthy)", "optime": {"ts": Timestamp(0, 0), "t": -1}},
    ],
}
CONFIG: dict[str, Any] = {
    "config": {
        "version": 4,
        "members": [
            {"_id": 0, "host": "a:27017", "votes": 1, "priority": 1.0, "arbiterOnly": False},
            {"_id": 1, "host": "b:27017", "votes": 0, "priority": 0, "arbiterOnly": True, "newlyAdded": True},
        ],
        "writeConcernMajorityJournalDefault": False,
        "settings": {"replicaSetId": "6b0166f9f3c2dc522740d3e8"},
    },
    "commitmentStatus": False,
}


def test_a_member_of_a_set() -> None:
    voters = (Voter(0, "a:27017"), Voter(1, "b:27017", votes=0, priority=0, arbiter=True, joining=True))
    known = Config("6b0166f9f3c2dc522740d3e8", 4, voters, journals_majority=False, committed=False)
    peers = (Peer("a:27017", State.PRIMARY, 1795254011), Peer("b:27017", State.DOWN, 0))
    assert reading.in_set(STATUS, CONFIG, "6.0.27") == InSet(State.PRIMARY, 3, 1795254011, known, "6.0.27", peers)


def test_an_unknown_number_of_collections_is_never_emptiness() -> None:
    assert reading.collections({"catalogStats": {"collections": 0, "internalCollections": 6}}) == 0
    assert reading.collections({"catalogStats": {"collections": 1, "timeseries": 2}}) == 3
    assert reading.collections({}) > 0


def test_a_default_that_nobody_set_is_not_the_chosen_one() -> None:
    implicit = {"defaultWriteConcern": {"w": "majority", "wtimeout": 0}, "defaultWriteConcernSource": "implicit"}
    assert reading.policy(implicit) == Policy("majority", journal=False, chosen=False)
    chosen = {"defaultWriteConcern": {"w": "majority", "j": True, "wtimeout": 5}, "defaultWriteConcernSource": "global"}
    assert reading.policy(chosen) == Policy("majority", journal=True, wtimeout=5)
    assert reading.policy({}) == Policy("1", journal=False, chosen=False)


def test_users_with_our_mark_and_without() -> None:
    ours = {"user": "op", "db": "admin", "customData": {"bankstack": "uid/1"}, "roles": [{"role": "r", "db": "other"}]}
    theirs = {"user": "api", "db": "galoy", "roles": [{"role": "readWrite", "db": "galoy"}]}
    assert reading.users({"users": [ours, theirs]}) == (
        User("admin", "op", frozenset({"other.r"}), "uid/1"),
        User("galoy", "api", frozenset({"readWrite"})),
    )


def test_roles_are_written_as_they_are_read() -> None:
    user = User("admin", "op", frozenset({"clusterMonitor", "bankstack.readWrite"}))
    assert reading.role_documents(user) == [
        {"role": "readWrite", "db": "bankstack"},
        {"role": "clusterMonitor", "db": "admin"},
    ]
    assert reading.users({"users": [{"user": "op", "db": "admin", "roles": reading.role_documents(user)}]}) == (user,)


def test_only_what_clients_themselves_asked_for_counts_as_weak() -> None:
    counters = {
        "insert": {
            "wmajority": 4,
            "wnum": {"1": 3, "2": 9},
            "none": 2,
            "noneInfo": {"implicitDefault": {"wnum": {"1": 2}}},
        },
        "update": {"wmajority": 1, "wnum": {"0": 1}},
        "delete": {"wmajority": 0, "wnum": {}},
    }
    assert reading.weak_writes({"opWriteConcernCounters": counters}) == {"insert w:1": 3, "update w:0": 1}
    assert reading.weak_writes({}) == {}


def test_mongodb_s_own_databases_are_no_books() -> None:
    listed = {"databases": [{"name": one} for one in ("admin", "config", "local", "galoy")]}
    assert reading.databases(listed) == {"galoy"}
