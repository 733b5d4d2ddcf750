"""RPC passwords: each is kept twice, so that any one Secret may be deleted by hand (pure).

bitcoind's own Secret has, beside the `rpcauth` lines it reads, every password; each
user's Secret has that user's. Whatever is missing is put back from the rest with the
password that the running bitcoind knows. Nothing random is made here: what is lost
everywhere is only named.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bankstack.kinds.coldwallet.rights import USERS

#: The key that bitcoind includes into its configuration; the others are users' names.
RPCAUTH: Final = "rpcauth.conf"

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Kept:
    """Passwords and bitcoind's lines of them, by user. Its text shows neither."""

    passwords: Mapping[str, bytes] = field(repr=False)
    lines: Mapping[str, str] = field(repr=False)

    def users(self) -> dict[str, dict[str, bytes]]:
        """Keys of every user's Secret."""
        return {name: {"username": name.encode(), "password": self.passwords[name]} for name in USERS}

    def bitcoinds(self) -> dict[str, bytes]:
        """Keys of bitcoind's Secret."""
        text = "".join(f"rpcauth={self.lines[name]}\n" for name in USERS)
        return {RPCAUTH: text.encode(), **{name: self.passwords[name] for name in USERS}}


def gathered(bitcoinds: Files | None, users: Mapping[str, Files]) -> Kept:
    """What can be known from the Secrets that are there. A line that proves a password decides."""
    lines = _lines((bitcoinds or {}).get(RPCAUTH, b""))
    passwords: dict[str, bytes] = {}
    proven: dict[str, str] = {}
    for name in USERS:
        candidates = [one for one in ((bitcoinds or {}).get(name), users.get(name, {}).get("password")) if one]
        line = lines.get(name, "")
        fitting = [one for one in candidates if proves(line, name, one)]
        if fitting:
            proven[name] = line
        # Nothing proves it: what consumers mount is worth more than our copy.
        if candidates:
            passwords[name] = (fitting or candidates[-1:])[0]
    return Kept(passwords, proven)


def complete(kept: Kept, fresh: Callable[[], bytes]) -> Kept:
    """With what was lost everywhere taken from `fresh`."""
    passwords = {name: kept.passwords.get(name) or fresh() for name in USERS}
    lines = {name: kept.lines.get(name) or line(name, passwords[name]) for name in USERS}
    return Kept(passwords, lines)


def intact(bitcoinds: Files | None, users: Mapping[str, Files]) -> bool:
    """Whether every Secret is there and all agree."""
    kept = gathered(bitcoinds, users)
    if bitcoinds is None or kept.lines.keys() != set(USERS):
        return False
    return holds(bitcoinds, kept.bitcoinds()) and all(
        holds(users.get(name, {}), files) for name, files in kept.users().items()
    )


def holds(found: Files, files: Files) -> bool:
    """Whether a Secret has all of ours; what others put beside is theirs."""
    return all(found.get(key) == value for key, value in files.items())


def line(name: str, password: bytes) -> str:
    """What bitcoind's `rpcauth` option takes: it can check a password, not tell it."""
    # The salt comes from the password: what is put back is then the same to the byte.
    # Salts help weak passwords; these have 256 random bits.
    salt = hashlib.sha256(b"rpcauth " + password).hexdigest()[:32]
    return f"{name}:{salt}${_hmac(salt, password)}"


def proves(text: str, name: str, password: bytes) -> bool:
    """Whether bitcoind, started with this line, accepts this password."""
    user, _, rest = text.partition(":")
    salt, mark, digest = rest.partition("$")
    return bool(mark) and user == name and hmac.compare_digest(digest, _hmac(salt, password))


def _hmac(salt: str, password: bytes) -> str:
    return hmac.new(salt.encode(), password, hashlib.sha256).hexdigest()


def _lines(text: bytes) -> dict[str, str]:
    found = (one.removeprefix("rpcauth=") for one in text.decode(errors="replace").splitlines())
    return {one.partition(":")[0]: one for one in found}
