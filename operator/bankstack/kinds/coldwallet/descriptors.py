"""What the wallet watches, as output descriptors (pure).

Computed here from the spec and compared with what bitcoind says: bitcoind may be
asked, but is never believed alone. Hardened steps are written with `h`, as bitcoind
lists them; the checksum depends on the spelling.
"""

import re
from dataclasses import dataclass
from typing import Final

from bankstack.engine.base58 import Mistyped, plain
from bankstack.kinds.coldwallet.model import ColdWalletSpec, Multisig

#: The characters of BIP 380's checksum, by which its polynomial counts.
_INPUT: Final = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_OUTPUT: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
_CHECKSUM_LENGTH: Final = 8
_EXTENDED_KEY: Final = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]pub[1-9A-HJ-NP-Za-km-z]+")


class Unusable(ValueError):
    """A descriptor or key that can never be watched; the message names the field and the cure."""


@dataclass(frozen=True)
class Pair:
    """Receive and change descriptor, both with checksum."""

    receive: str
    change: str

    @property
    def checksums(self) -> tuple[str, str]:
        """What is pinned: eight characters that change when anything else does."""
        return self.receive.rpartition("#")[2], self.change.rpartition("#")[2]


def pair(spec: ColdWalletSpec) -> Pair:
    """What this spec watches. Raises Unusable."""
    mainnet = spec.network == "mainnet"
    if spec.multisig is not None:
        bodies = [_multisig(spec.multisig, branch, mainnet=mainnet) for branch in (0, 1)]
    else:
        bodies = [_given(text, place, mainnet=mainnet) for place, text in enumerate(spec.descriptors or ())]
    if bodies[0] == bodies[1]:
        raise Unusable("descriptors: receive and change are the same. Give both branches, like …/0/* and …/1/*")
    receive, change = map(sealed, bodies)
    return Pair(receive, change)


def sealed(body: str) -> str:
    """A descriptor with its checksum."""
    return f"{body}#{checksum(body)}"


def plainly(body: str, *, mainnet: bool) -> str:
    """A descriptor without checksum, its keys as bitcoind takes them. Raises Unusable."""
    try:
        return _EXTENDED_KEY.sub(lambda found: plain(found[0], mainnet=mainnet), _bare(body))
    except Mistyped as error:
        raise Unusable(f"a key in a descriptor {error}") from None


def same(one: str, other: str) -> bool:
    """Whether two descriptors watch the same, however their hardened steps are spelt."""
    return _bare(one) == _bare(other)


def checksum(body: str) -> str:
    """BIP 380's checksum of a descriptor without one."""
    state, group, groups = 1, 0, 0
    for character in body:
        place = _INPUT.find(character)
        if place < 0:
            raise Unusable(f"descriptors: the character {character!r} is in none. Export it from the wallet again")
        state = _step(state, place & 31)
        group, groups = group * 3 + (place >> 5), groups + 1
        if groups == 3:  # noqa: PLR2004 - BIP 380 packs three high halves into one symbol
            state, group, groups = _step(state, group), 0, 0
    if groups:
        state = _step(state, group)
    for _ in range(_CHECKSUM_LENGTH):
        state = _step(state, 0)
    state ^= 1
    return "".join(_OUTPUT[(state >> (5 * (_CHECKSUM_LENGTH - 1 - place))) & 31] for place in range(_CHECKSUM_LENGTH))


def _step(state: int, value: int) -> int:
    top = state >> 35
    state = ((state & 0x7FFFFFFFF) << 5) ^ value
    for bit, constant in enumerate(_GENERATOR):
        if top >> bit & 1:
            state ^= constant
    return state


def _multisig(multisig: Multisig, branch: int, *, mainnet: bool) -> str:
    keys = []
    for key in multisig.keys:
        try:
            xpub = plain(key.xpub, mainnet=mainnet)
        except Mistyped as error:
            raise Unusable(f"multisig.keys: the xpub of {key.name} {error}. Export it from the signer again") from None
        keys.append(f"[{key.fingerprint}/{key.derivation}]{xpub}/{branch}/*")
    return f"wsh(sortedmulti({multisig.threshold},{','.join(keys)}))"


def _given(text: str, place: int, *, mainnet: bool) -> str:
    body, mark, given = text.partition("#")
    if mark and given != checksum(body):
        raise Unusable(
            f"descriptors[{place}]: its checksum does not fit, so something in it is mistyped. "
            "Export it from the wallet again"
        )
    try:
        return _EXTENDED_KEY.sub(lambda found: plain(found[0], mainnet=mainnet), _bare(text))
    except Mistyped as error:
        raise Unusable(f"descriptors[{place}]: a key in it {error}. Export it from the wallet again") from None


def _bare(text: str) -> str:
    return text.partition("#")[0].replace("'", "h")
