"""Every address that a wallet ever gave out, as output descriptors (pure): a retired one is watched by them.

Public keys alone, and yet not for everybody: who has them sees every payment. They are
kept in Secrets. One line a descriptor: how many addresses of it there are, and its text.
"""

from collections.abc import Iterable
from typing import Final

from bankstack.clients.lnd.answers import Account

#: The key of the Secret.
DESCRIPTORS: Final = "descriptors"
#: By an account's purpose: what its two branches pay to. LND's nested accounts give plain change addresses.
_SCRIPTS: Final = {
    "84": ("wpkh({})", "wpkh({})"),
    "86": ("tr({})", "tr({})"),
    "49": ("sh(wpkh({}))", "wpkh({})"),
}


def lines(accounts: Iterable[Account]) -> str:
    """Of every account that has addresses; LND's others hold the keys of channels."""
    found = [line for one in accounts if one.purpose in _SCRIPTS for line in _branches(one)]
    return "\n".join(sorted(found))


def _branches(one: Account) -> tuple[str, ...]:
    counts = (one.external, one.internal)
    return tuple(
        f"{count} {script.format(f'{one.public_key}/{branch}/*')}"
        for branch, (script, count) in enumerate(zip(_SCRIPTS[one.purpose], counts, strict=True))
    )
