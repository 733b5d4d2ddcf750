"""Redis' users: what each may do, and how their passwords survive the loss of any one Secret (pure).

Every password is kept twice: in the Secret that the servers read, and in that of
those who use it. What is missing is put back from the other, with the password that
the running servers know. Nothing random is made here.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Files = Mapping[str, bytes]

#: `default` is the bank's API: real ones know a password and no user's name. It may not flush, configure or stop
#: Redis. INFO and ROLE, which count as dangerous, are what clients look whether they are connected to the master.
DEFAULT, REPLICA, SENTINEL, OPERATOR = "default", "replica", "sentinel", "operator"
USERS: Final = (DEFAULT, REPLICA, SENTINEL, OPERATOR)
#: Those that components never see.
INNER: Final = (REPLICA, SENTINEL, OPERATOR)

_READ: Final = "+ping +info +hello +client|setinfo +client|setname"
REDIS_RIGHTS: Final = {
    DEFAULT: "~* &* +@all -@admin -@dangerous +info +role",
    REPLICA: "resetkeys resetchannels -@all +psync +replconf +ping",
    SENTINEL: "resetkeys &* -@all +multi +slaveof +replicaof +ping +exec +subscribe +publish +config|rewrite +role"
    " +info +client|setname +client|kill +script|kill",
    OPERATOR: f"resetkeys resetchannels -@all {_READ} +role",
}
_ASK: Final = (
    "+sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|slaves"
    " +sentinel|sentinels +sentinel|ckquorum"
)
SENTINEL_RIGHTS: Final = {
    DEFAULT: f"resetkeys &* -@all {_READ} +role +subscribe +psubscribe +unsubscribe +punsubscribe {_ASK}",
    SENTINEL: "~* &* +@all",
    OPERATOR: f"resetkeys resetchannels -@all {_READ} {_ASK}",
}

REDIS_ACL, SENTINEL_ACL = "users.acl", "sentinel.acl"


@dataclass(frozen=True)
class Kept:
    """Passwords by user. Its text shows none."""

    passwords: Mapping[str, bytes] = field(repr=False)

    def servers(self) -> dict[str, bytes]:
        """Keys of the servers' Secret."""
        acls = {REDIS_ACL: self._acl(REDIS_RIGHTS), SENTINEL_ACL: self._acl(SENTINEL_RIGHTS)}
        return {**self.passwords, **{key: text.encode() for key, text in acls.items()}}

    def api(self) -> dict[str, bytes]:
        """Keys of the components' Secret."""
        return {"password": self.passwords[DEFAULT]}

    def inner(self) -> dict[str, bytes]:
        """Keys of the Secret of everyone else."""
        return {user: self.passwords[user] for user in INNER}

    def _acl(self, rights: Mapping[str, str]) -> str:
        # `reset` first: a rule only adds to what a user has.
        return "".join(f"user {user} reset on #{_hash(self.passwords[user])} {may}\n" for user, may in rights.items())


def gathered(servers: Files | None, api: Files | None, inner: Files | None) -> Kept:
    """What can be known from the Secrets that are there. A hash that the servers have read decides."""
    hashes = _hashes((servers or {}).get(REDIS_ACL, b""))
    found: dict[str, bytes] = {}
    for user in USERS:
        used = (api or {}).get("password") if user == DEFAULT else (inner or {}).get(user)
        candidates = [one for one in (used, (servers or {}).get(user)) if one]
        proven = [one for one in candidates if hmac.compare_digest(hashes.get(user, ""), _hash(one))]
        if candidates:
            found[user] = (proven or candidates)[0]
    return Kept(found)


def complete(kept: Kept, password: Callable[[], bytes]) -> Kept:
    """With what was lost everywhere made anew by the given source of randomness."""
    return Kept({user: kept.passwords.get(user) or password() for user in USERS})


def intact(servers: Files | None, api: Files | None, inner: Files | None) -> bool:
    """Whether every Secret is there and all agree."""
    kept = gathered(servers, api, inner)
    if servers is None or api is None or inner is None or kept.passwords.keys() != set(USERS):
        return False
    return (kept.servers(), kept.api(), kept.inner()) == (dict(servers), dict(api), dict(inner))


def _hash(password: bytes) -> str:
    return hashlib.sha256(password).hexdigest()


def _hashes(acl: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in acl.decode(errors="replace").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "user":
            found[words[1]] = next((word[1:] for word in words if word.startswith("#")), "")
    return found
