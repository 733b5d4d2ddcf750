"""Base58Check and the spellings of extended public keys (pure).

Signers export the same key under many prefixes (SLIP-132: Zpub, Vpub, upub…);
bitcoind takes only xpub and tpub. Only the four version bytes differ.
"""

import hashlib
from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
#: Version bytes, depth, parent's fingerprint, child number, chain code, key.
_EXTENDED_KEY_BYTES: Final = 78
_MAIN: Final = bytes.fromhex("0488b21e")
_TEST: Final = bytes.fromhex("043587cf")
#: SLIP-132: y, z, Y, Z for the main chain, u, v, U, V for the others.
_SPELLINGS: Final = {
    **dict.fromkeys((_MAIN, *map(bytes.fromhex, ("049d7cb2", "04b24746", "0295b43f", "02aa7ed3"))), _MAIN),
    **dict.fromkeys((_TEST, *map(bytes.fromhex, ("044a5262", "045f1cf6", "024289ef", "02575483"))), _TEST),
}


class Mistyped(ValueError):
    """A key that nobody can have exported like this; the message says why and never repeats the key."""


def decode(text: str) -> bytes:
    """The payload of a Base58Check string, its checksum proven."""
    number = 0
    for character in text:
        if character not in _ALPHABET:
            raise Mistyped(f"has the character {character!r}, which no key has")
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    whole = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = whole[:-4], whole[-4:]
    if len(whole) < len(checksum) or _twice(payload)[:4] != checksum:
        raise Mistyped("is mistyped: its checksum does not fit")
    return payload


def encode(payload: bytes) -> str:
    """Base58Check of a payload."""
    whole = payload + _twice(payload)[:4]
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + text


def plain(extended_key: str, *, mainnet: bool) -> str:
    """The key as xpub or tpub. Raises Mistyped where it is none of this chain."""
    payload = decode(extended_key)
    version, rest = payload[:4], payload[4:]
    if len(payload) != _EXTENDED_KEY_BYTES or version not in _SPELLINGS:
        raise Mistyped("is not an extended public key")
    if (_SPELLINGS[version] == _MAIN) != mainnet:
        raise Mistyped("is a key of " + ("a test network" if mainnet else "the main network"))
    return encode(_SPELLINGS[version] + rest)


def _twice(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
