"""Whether a text is an address of a Bitcoin network (pure): a typo refuses a plan before it begins.

Only what can be seen without a node: prefix, length and checksum. Base58 (P2PKH, P2SH),
bech32 (segwit version 0) and bech32m (taproot and later, BIP 350).
"""

from itertools import chain
from typing import Final

from bankstack.engine import base58
from bankstack.engine.bitcoin import Network

_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PREFIX: Final = {"mainnet": "bc", "testnet": "tb", "signet": "tb", "regtest": "bcrt"}
#: First byte of base58 addresses: to a key's hash, to a script's hash.
_VERSIONS: Final = {"mainnet": (0x00, 0x05)}
_TEST_VERSIONS: Final = (0x6F, 0xC4)
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_V0, _CHECKSUM_LATER = 1, 0x2BC830A3
_CHECKSUM_CHARS: Final = 6
#: A version and a hash of 20 bytes.
_HASH_BYTES: Final = 21
#: Bytes of a program, by witness version.
_LENGTHS: Final = {0: (20, 32), 1: (32,)}


def is_address(text: str, network: Network) -> bool:
    """Whether coins can be sent there."""
    return _is_segwit(text, _PREFIX[network]) or _is_base58(text, _VERSIONS.get(network, _TEST_VERSIONS))


def _is_base58(text: str, versions: tuple[int, int]) -> bool:
    try:
        payload = base58.decode(text)
    except base58.Mistyped:
        return False
    return len(payload) == _HASH_BYTES and payload[0] in versions


def _is_segwit(text: str, prefix: str) -> bool:
    low = text.lower()
    if text not in (low, text.upper()) or not low.startswith(f"{prefix}1"):
        return False
    letters = low[len(prefix) + 1 :]
    if len(letters) <= _CHECKSUM_CHARS or any(one not in _BECH32 for one in letters):
        return False
    words = [_BECH32.index(one) for one in letters]
    version, program = words[0], _bytes(words[1:-_CHECKSUM_CHARS])
    wanted = _CHECKSUM_V0 if version == 0 else _CHECKSUM_LATER
    if _polymod([*_expanded(prefix), *words]) != wanted or program is None:
        return False
    # Later versions, and a shorter program of version 1, can be spent by anybody today.
    return len(program) in _LENGTHS.get(version, ())


def _expanded(prefix: str) -> chain[int]:
    return chain((ord(one) >> 5 for one in prefix), (0,), (ord(one) & 31 for one in prefix))


def _polymod(words: list[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for place, generator in enumerate(_GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return check


def _bytes(words: list[int]) -> bytes | None:
    """Words of five bits as bytes; None where what is left over is no mere filling."""
    bits = "".join(f"{word:05b}" for word in words)
    whole = len(bits) // 8 * 8
    rest = bits[whole:]
    if len(rest) > 4 or "1" in rest:  # noqa: PLR2004 - of eight bits
        return None
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))
