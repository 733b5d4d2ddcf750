"""Macaroons made without LND, against one that go-macaroon and its bakery made (the libraries LND itself uses)."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from bankstack.clients.lnd.answers import Permission
from bankstack.kinds.lndnode import macaroons

#: From bakery.NewMemRootKeyStore, Oven.NewMacaroon (location lnd, four operations) and checkers.TimeBeforeCaveat.
ROOT = bytes.fromhex("176f340dcf8c82d4d8a1d2284516f9ef7483ec36ff1f1918")
MADE_BY_GO = bytes.fromhex(
    "0201036c6e64024e030a10ed868e3a6a3794c5559d2e366a58a07c1201301a0c0a04696e666f1204726561641a170a086f6666636861696e"
    "120472656164120577726974651a0f0a076f6e636861696e12047265616400022074696d652d6265666f726520323032362d31312d323154"
    "30393a30313a30305a00000620ad04c4838fc749752076a6b155ddc8123b222e5938766cbdeeaf4a8f60c46913"
)
NONCE = bytes.fromhex("ed868e3a6a3794c5559d2e366a58a07c")
EXPIRES = datetime(2026, 11, 21, 9, 1, tzinfo=UTC)
PERMISSIONS = (
    Permission("onchain", "read"),
    Permission("info", "read"),
    Permission("offchain", "write"),
    Permission("offchain", "read"),
)


def test_it_is_byte_for_byte_what_lnd_s_own_libraries_make() -> None:
    assert macaroons.bake(ROOT, PERMISSIONS, NONCE, EXPIRES) == MADE_BY_GO


@pytest.mark.parametrize("order", [PERMISSIONS, PERMISSIONS[::-1], (*PERMISSIONS, PERMISSIONS[0])])
def test_neither_order_nor_repetition_matters(order: tuple[Permission, ...]) -> None:
    assert macaroons.bake(ROOT, order, NONCE, EXPIRES) == MADE_BY_GO


def test_another_root_permission_nonce_or_end_is_another_macaroon() -> None:
    others = {
        macaroons.bake(b"x" * 32, PERMISSIONS, NONCE, EXPIRES),
        macaroons.bake(ROOT, PERMISSIONS[1:], NONCE, EXPIRES),
        macaroons.bake(ROOT, PERMISSIONS, b"n" * 16, EXPIRES),
        macaroons.bake(ROOT, PERMISSIONS, NONCE, EXPIRES.replace(minute=2)),
    }
    assert len(others) == 4
    assert MADE_BY_GO not in others
    assert len({one[-32:] for one in others}) == 4


def test_a_long_permission_needs_a_long_length() -> None:
    """Over 127 bytes a length takes two: a method's path comes close."""
    long = Permission("uri", "/" + "m" * 300)
    made = macaroons.bake(ROOT, [long], NONCE, EXPIRES)
    assert b"/" + b"m" * 300 in made
    assert made.index(b"m" * 300) > 0


def test_the_root_key_is_hkdf_of_the_seed_and_of_nothing_else() -> None:
    words = ("abandon", "ability", "able")
    extracted = hmac.new(b"\0" * 32, b"abandon ability able", hashlib.sha256).digest()
    expected = hmac.new(extracted, b"bankstack macaroon root key 1\x01", hashlib.sha256).digest()
    assert macaroons.root_key(words) == expected
    assert len(expected) == macaroons.KEY_BYTES
    assert macaroons.root_key(words[::-1]) != expected


def test_what_the_operator_allows_itself_moves_nothing() -> None:
    assert {one.action for one in macaroons.OBSERVE} == {"read"}
    assert [one.entity for one in macaroons.BAKE] == ["macaroon"]
