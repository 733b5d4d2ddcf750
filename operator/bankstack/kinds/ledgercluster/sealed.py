"""What a LedgerCluster keeps in two Secrets, so that any one of them may be deleted by hand (pure).

Each has everything: keyfile, authority, certificate, and the passwords of our making. Whatever
one lacks is put back from the other. Nothing random is made here: what is lost in both
is only named.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from bankstack.kinds.ledgercluster.facts import Sealed

KEYFILE, PASSWORD = "keyfile", "password"
AUTHORITY, AUTHORITY_KEY, CERTIFICATE = "ca.crt", "ca.key", "tls.pem"

PLAIN: Final = (KEYFILE, PASSWORD)
TLS: Final = (AUTHORITY, AUTHORITY_KEY, CERTIFICATE)

Files = Mapping[str, bytes]


#: Before the name of a user's Secret: the password that was made for it.
USER: Final = "user."


def needed(*, tls: bool, made: Iterable[str]) -> frozenset[str]:
    """The keys that both must have; `made` are the users' Secrets that are of our making."""
    return frozenset((*PLAIN, *(TLS if tls else ()), *(f"{USER}{secret}" for secret in made)))


def can_be_made_anew(key: str) -> bool:
    """Passwords can be changed from inside; the rest is what lets members in."""
    return key == PASSWORD or key.startswith(USER)


def shown(one: Files, other: Files) -> Sealed:
    """What may be known of the two."""
    first, second = _there(one), _there(other)
    authority = (first.get(AUTHORITY) or second.get(AUTHORITY) or b"").decode("ascii", "replace")
    return Sealed(
        both=frozenset(first.keys() & second.keys()),
        either=frozenset(first.keys() | second.keys()),
        differ=frozenset(key for key in first.keys() & second.keys() if first[key] != second[key]),
        authority=authority or None,
    )


def joined(one: Files, other: Files) -> dict[str, bytes]:
    """Everything that either has; what members mount counts where they differ."""
    return _there(other) | _there(one)


def _there(files: Files) -> dict[str, bytes]:
    return {key: value for key, value in files.items() if (key in (*PLAIN, *TLS) or key.startswith(USER)) and value}
