"""Wallets of Lightning identities that were retired: watched in the same bitcoind, each in a wallet of its own (pure).

A Replace plan sends away what there is; an address that was given out before may still be
paid years later. Nothing here can spend: who wants such coins needs the tombstone's seed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bankstack.clients.bitcoind import Import, Watched
from bankstack.engine.conditions import Claim
from bankstack.engine.finding import Unknown
from bankstack.kinds.coldwallet import descriptors

RETIRED_COINS: Final = "RetiredCoins"
WATCH_RETIRED: Final = "WatchRetired"
#: The key of a tombstone, one line a descriptor: how many addresses were drawn from it, and its text.
DESCRIPTORS: Final = "descriptors"
#: Addresses beyond the last that was drawn.
GAP: Final = 1000
#: Blocks carry the time of their miners: that far before, nothing is missed.
BEFORE: Final = timedelta(days=1)
SHORT: Final = 12


@dataclass(frozen=True)
class Former:
    """A retired identity of an LndNode. `balance_sat`: None where it is not watched yet."""

    node: str
    identity: str
    retired_at: str
    secret: str
    balance_sat: int | Unknown | None = None

    @property
    def wallet(self) -> str:
        """Its wallet in bitcoind."""
        return f"retired-{self.identity[:SHORT]}"


def imports(text: str, retired_at: str, *, mainnet: bool) -> list[Import]:
    """What is to be watched of a tombstone's descriptors. Raises Unusable."""
    since = int((datetime.fromisoformat(retired_at) - BEFORE).timestamp())
    found = []
    for line in text.splitlines():
        count, _, body = line.partition(" ")
        if not count.isdigit():
            raise descriptors.Unusable("a descriptor of a retired wallet is not as it was written: restore the Secret")
        sealed = descriptors.sealed(descriptors.plainly(body, mainnet=mainnet))
        found.append(Import(sealed, internal=False, since=since, last_index=int(count) + GAP))
    return found


def widened(asked: list[Import], known: Iterable[Watched]) -> list[Import]:
    """Never narrower than what is watched: bitcoind watches further by itself where coins came, and refuses less."""
    last = {one.text.partition("#")[0]: one.last_index for one in known}
    return [replace(one, last_index=max(one.last_index or 0, last.get(one.text.partition("#")[0], 0))) for one in asked]


def claim(formers: tuple[Former, ...]) -> tuple[Claim, ...]:
    """The condition; none where nothing was ever retired."""
    if not formers:
        return ()
    arrived = [one for one in formers if isinstance(one.balance_sat, int) and one.balance_sat > 0]
    if arrived:
        return (Claim(RETIRED_COINS, "True", "Arrived", ". ".join(map(_told, arrived))),)
    silent = next((one for one in formers if not isinstance(one.balance_sat, int)), None)
    if silent is None:
        return (Claim(RETIRED_COINS, "False", "None", f"nothing is at addresses of {len(formers)} retired identities"),)
    why = silent.balance_sat.reason if isinstance(silent.balance_sat, Unknown) else "its addresses are being looked for"
    told = f"whether coins came to addresses of {silent.identity[:SHORT]}… of LndNode {silent.node} is not known: {why}"
    return (Claim(RETIRED_COINS, "Unknown", "NotSeen", told),)


def _told(one: Former) -> str:
    return (
        f"{one.balance_sat} sat are at an address of {one.identity[:SHORT]}…, which LndNode {one.node} was until "
        f"{one.retired_at}. To get them restore the seed of Secret {one.secret} into an LND of its own (lncli create, "
        "with a recovery window), and send them on"
    )
