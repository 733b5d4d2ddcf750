"""What may be known of a Secret's content, and what act must take out of it.

`observe` turns Secrets into facts here: after it, nothing holds their content.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bankstack.engine import drift, manifests
from bankstack.engine.conditions import moment
from bankstack.engine.objects import Manifest, Ref, annotation
from bankstack.kinds.lndnode import names, pki
from bankstack.kinds.lndnode.consumers import CONSUMERS, Consumer
from bankstack.kinds.lndnode.facts import Authority, Backup, Certificate, Published, Tombstone, Unusable, Wallet
from bankstack.kinds.lndnode.subject import LndNode

US: Final = "bankstack"
#: The outpoints in the newest channel backup, one a line.
OUTPOINTS: Final = "channels"
NEWEST: Final = "channel.backup"
#: No node is replaced a thousand times: a longer number is a mistake.
DIGITS_MOST: Final = 3


def content(secret: Manifest | None, key: str) -> bytes:
    """One key's content, empty where it is not there."""
    return manifests.opened(secret).get(key, b"") if secret else b""


def password(secret: Manifest) -> bytes:
    """The wallet's password, without the line's end that editors add (LND drops it too)."""
    return content(secret, "password").rstrip(b"\r\n")


def seed(secret: Manifest) -> tuple[str, ...]:
    """The seed's words."""
    return tuple(content(secret, "seed").decode("utf-8", "replace").split())


def wallet(secret: Manifest | None) -> Wallet | None:
    """The wallet Secret as decide may know it."""
    if secret is None:
        return None
    return Wallet(
        keys=frozenset(key for key, value in manifests.opened(secret).items() if value),
        seed_words=len(seed(secret)),
        password_bytes=len(password(secret)),
        claimed_by=annotation(secret, names.CLAIMED_BY),
        identity=annotation(secret, names.IDENTITY),
        made_by_us=annotation(secret, names.MADE_BY) == US,
    )


def generation(root: Manifest | None, ours: Iterable[Manifest]) -> int:
    """Which wallet in a row is in use, by whatever says the most: a tombstone, or the Secret that the spec names."""
    return max([1, noted_generation(root), *(noted_generation(one) for one in ours if tombstone(one))])


def noted_generation(secret: Manifest | None) -> int:
    """What one Secret says of it. What is no number says nothing."""
    told = annotation(secret, names.GENERATION) if secret else None
    return int(told) if told and len(told) <= DIGITS_MOST and told.isascii() and told.isdigit() else 1


def tombstone(secret: Manifest) -> Tombstone | None:
    """What a Secret says of a retired identity; None where it is no tombstone."""
    at, identity = annotation(secret, names.RETIRED_AT), annotation(secret, names.IDENTITY)
    if not at or not identity or not _moment(at):
        return None
    return Tombstone(identity, at, secret["metadata"]["name"], noted_generation(secret))


def authority(secret: Manifest | None) -> Authority | Unusable | None:
    """The authority in a Secret."""
    return None if secret is None else pki.read_authority(manifests.opened(secret))


def known_authorities(node: LndNode, ours: Mapping[Ref, Manifest], signer: Manifest | None) -> dict[str, str]:
    """Every authority that somebody trusts already, by fingerprint: LND may show a certificate of any of them."""
    read = authority(signer)
    found = {read.fingerprint: read.pem} if isinstance(read, Authority) else {}
    bundles = [content(ours.get(names.certificate(node.name)), "ca.crt")]
    bundles += [content(ours.get(names.consumer(node.name, one.name)), "tls.cert") for one in CONSUMERS]
    for bundle in bundles:
        found |= pki.read_bundle(bundle)
    return found


def certificate(secret: Manifest | None, trusted: Mapping[str, str]) -> Certificate | None:
    """The certificate that LND will show, None where the Secret has none that works."""
    if secret is None:
        return None
    files = manifests.opened(secret)
    return pki.belongs(files, pki.read_certificate(files.get("tls.crt", b""), trusted))


def published(secret: Manifest, consumer: Consumer) -> Published:
    """What a consumer's Secret was written with."""
    keys = {"tls.cert", "tls_base64", "pubkey", consumer.macaroon_key}
    return Published(
        permissions=annotation(secret, names.PERMISSIONS),
        identity=content(secret, "pubkey").decode("utf-8", "replace") or None,
        trust=frozenset(pki.read_bundle(content(secret, "tls.cert"))),
        intact=_ours(secret, keys),
    )


def backup(secret: Manifest | None) -> Backup | None:
    """The newest channel backup, None where there is none."""
    channels = annotation(secret, names.CHANNELS) if secret else None
    saved_at = annotation(secret, names.SAVED_AT) if secret else None
    if secret is None or not channels or not saved_at:
        return None
    outpoints = content(secret, OUTPOINTS).decode("utf-8", "replace").split()
    return Backup(channels, saved_at, _ours(secret, {NEWEST, OUTPOINTS}), frozenset(outpoints))


@dataclass(frozen=True)
class Memory:
    """What is written on the channel backup's Secret of the object store. Times that are none are no times."""

    key: str | None
    place: str | None
    since: str | None
    seen: datetime | None
    said: str | None
    tried: datetime | None


def memory(secret: Manifest) -> Memory:
    """What is remembered of the newest backup in the store; a new backup begins without."""
    words = (names.STORED_AS, names.STORED_IN, names.STORED_AT, names.SEEN_AT, names.STORE_SAID, names.STORE_TRIED_AT)
    key, place, since, seen, said, tried = (annotation(secret, word) for word in words)
    return Memory(key, place, since if _moment(since) else None, _moment(seen), said, _moment(tried))


def _moment(told: str | None) -> datetime | None:
    try:
        return moment(told) if told else None
    except ValueError:
        # Edited by hand: not remembered.
        return None


def ours(secret: Manifest) -> dict[str, bytes]:
    """The keys that we have written, as they are: what an apply leaves out of what we own is deleted."""
    owned: Mapping[str, object] = drift.owned(secret).get("f:data", {})
    return {key: value for key, value in manifests.opened(secret).items() if f"f:{key}" in owned}


def _ours(secret: Manifest, keys: Iterable[str]) -> bool:
    """Whether these keys are there as we wrote them: whoever changes one takes it from us."""
    return drift.covers(drift.owned(secret), {"metadata": {}, "data": dict.fromkeys(keys, "")})
