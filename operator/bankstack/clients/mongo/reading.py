"""MongoDB's documents turned into answers (pure). Field names as of 6.0; measured there."""

from collections.abc import Mapping
from typing import Any, Final

from bankstack.clients.mongo.answers import Config, InSet, Peer, Policy, State, User, Voter

Document = Mapping[str, Any]

#: Key of a user's customData that says which Secret its password came from.
MADE_FROM: Final = "bankstack"
#: Databases that MongoDB makes for itself.
ITS_OWN: Final = frozenset({"admin", "config", "local"})


def collections(server: Document) -> int:
    """Collections that are not MongoDB's own, from serverStatus; 1 where it does not say."""
    counted: Mapping[str, int] = server.get("catalogStats", {})
    # An unknown number must never look like emptiness: a set is initiated over empty members only.
    return int(counted["collections"]) + int(counted.get("timeseries", 0)) if "collections" in counted else 1


def in_set(status: Document, config: Document, version: str) -> InSet:
    """From replSetGetStatus and replSetGetConfig."""
    me: Document = next((one for one in status["members"] if one.get("self")), {})
    return InSet(
        state=_state(me.get("stateStr", "UNKNOWN")),
        term=int(status["term"]),
        applied=_second(me),
        config=_config(config),
        version=version,
        peers=tuple(Peer(one["name"], _state(one["stateStr"]), _second(one)) for one in status["members"]),
    )


def policy(reply: Document) -> Policy:
    """From getDefaultRWConcern."""
    concern = reply.get("defaultWriteConcern") or {"w": 1}
    return Policy(
        w=str(concern.get("w", 1)),
        # Unsaid, a majority write is journaled by the set's own default, which is checked beside.
        journal=bool(concern.get("j", False)),
        wtimeout=int(concern.get("wtimeout", 0)),
        chosen=reply.get("defaultWriteConcernSource") == "global",
    )


def users(reply: Document) -> tuple[User, ...]:
    """From usersInfo; roles of other databases are named with theirs."""
    return tuple(
        User(
            database=one["db"],
            name=one["user"],
            roles=frozenset(_role(role, one["db"]) for role in one["roles"]),
            made_from=one.get("customData", {}).get(MADE_FROM),
        )
        for one in reply["users"]
    )


def role_documents(user: User) -> list[dict[str, str]]:
    """A user's roles as createUser takes them: the other way round."""
    parted = (role.rpartition(".") for role in sorted(user.roles))
    return [{"role": role, "db": database or user.database} for database, _, role in parted]


def weak_writes(server: Document) -> dict[str, int]:
    """Writes since mongod's start that asked for w:1 or w:0 themselves, as {"insert w:1": 3}."""
    found: dict[str, int] = {}
    for operation, counted in server.get("opWriteConcernCounters", {}).items():
        for number, times in counted.get("wnum", {}).items():
            if number in ("0", "1") and int(times) > 0:
                found[f"{operation} w:{number}"] = int(times)
    return found


def databases(reply: Document) -> frozenset[str]:
    """From listDatabases."""
    return frozenset(one["name"] for one in reply["databases"]) - ITS_OWN


def _config(reply: Document) -> Config:
    config = reply["config"]
    return Config(
        replica_set_id=str(config["settings"]["replicaSetId"]),
        version=int(config["version"]),
        members=tuple(
            Voter(
                id=int(one["_id"]),
                host=one["host"],
                votes=int(one.get("votes", 1)),
                priority=float(one.get("priority", 1)),
                arbiter=bool(one.get("arbiterOnly", False)),
                joining=bool(one.get("newlyAdded", False)),
            )
            for one in config["members"]
        ),
        journals_majority=bool(config.get("writeConcernMajorityJournalDefault", True)),
        committed=bool(reply.get("commitmentStatus", True)),
    )


def _state(name: str) -> State:
    # Of an unreachable peer it is "(not reachable/healthy)".
    return State(name) if name in State.__members__ else State.DOWN


def _second(member: Document) -> int:
    optime = member.get("optime", {})
    stamp = optime.get("ts")
    return int(stamp.time) if stamp is not None else 0


def _role(role: Document, database: str) -> str:
    return str(role["role"]) if role["db"] == database else f"{role['db']}.{role['role']}"
