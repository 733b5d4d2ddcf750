"""Macaroons made without LND, from the wallet's seed alone (pure).

The root key is derived from the seed, so there is no further secret to keep or lose,
and the operator needs no macaroon of LND's: for each set of questions it makes itself
one that allows just these and dies within a minute. Format and signature are those of
macaroons V2 and of the bakery's identifier version 3, which LND insists on.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from bankstack.clients.lnd.answers import Permission

#: HKDF's info: it keeps this key apart from anything else derived from a seed.
PURPOSE: Final = b"bankstack macaroon root key 1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
#: The id of LND's default root key, which InitWallet sets.
DEFAULT_ROOT: Final = b"0"
LIFE: Final = timedelta(seconds=60)

OBSERVE: Final = (Permission("info", "read"), Permission("offchain", "read"), Permission("onchain", "read"))
BAKE: Final = (Permission("macaroon", "generate"),)
#: offchain:write would do, and would allow to abandon channels.
ANNOUNCE: Final = (Permission("uri", "/routerrpc.Router/UpdateChanStatus"),)

#: The two methods by their paths: onchain:write and offchain:write would allow a hundred other things.
CLOSE: Final = (Permission("uri", "/lnrpc.Lightning/CloseChannel"),)
SWEEP: Final = (Permission("uri", "/lnrpc.Lightning/SendCoins"),)

_LOCATION, _IDENTIFIER, _SIGNATURE, _END = 1, 2, 6, b"\0"


def root_key(seed: Iterable[str]) -> bytes:
    """HKDF-SHA256 (RFC 5869) of the seed's words, without salt."""
    extracted = hmac.digest(bytes(KEY_BYTES), " ".join(seed).encode(), hashlib.sha256)
    return hmac.digest(extracted, PURPOSE + b"\1", hashlib.sha256)


def bake(root: bytes, permissions: Iterable[Permission], nonce: bytes, expires: datetime) -> bytes:
    """A macaroon in binary; `nonce` makes it one of its kind."""
    identifier = b"\3" + _identifier(permissions, nonce)
    caveat = f"time-before {expires.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}".encode()
    derived = hmac.digest(b"macaroons-key-generator", root, hashlib.sha256)
    signature = hmac.digest(hmac.digest(derived, identifier, hashlib.sha256), caveat, hashlib.sha256)
    header = _packet(_LOCATION, b"lnd") + _packet(_IDENTIFIER, identifier) + _END
    return b"\2" + header + _packet(_IDENTIFIER, caveat) + _END + _END + _packet(_SIGNATURE, signature)


def _identifier(permissions: Iterable[Permission], nonce: bytes) -> bytes:
    """The bakery's MacaroonId: nonce, root key, and operations grouped by entity."""
    canonical = sorted({(one.entity, one.action) for one in permissions})
    operations = b"".join(
        _packet(
            _tag(3), _packet(_tag(1), entity.encode()) + b"".join(_packet(_tag(2), act.encode()) for _, act in some)
        )
        for entity, some in groupby(canonical, key=lambda one: one[0])
    )
    return _packet(_tag(1), nonce) + _packet(_tag(2), DEFAULT_ROOT) + operations


def _tag(field: int) -> int:
    """A protobuf field of bytes."""
    return field << 3 | 2


def _packet(kind: int, content: bytes) -> bytes:
    return _varint(kind) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
