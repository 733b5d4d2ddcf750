"""Redis' passwords: any one Secret may be lost, and nobody may do more than they need."""

import hashlib

import pytest

from bankstack.kinds.apideployment import accounts
from bankstack.kinds.apideployment.accounts import DEFAULT, INNER, OPERATOR, REPLICA, SENTINEL, USERS, Kept

KEPT = Kept({user: f"pass-of-{user}".encode() for user in USERS})
SECRETS = (KEPT.servers(), KEPT.api(), KEPT.inner())


def new() -> bytes:
    return b"new"


def test_what_was_made_is_intact() -> None:
    assert accounts.intact(*SECRETS)


@pytest.mark.parametrize("lost", range(3))
def test_any_one_secret_comes_back_as_it_was(lost: int) -> None:
    left = [None if number == lost else one for number, one in enumerate(SECRETS)]
    assert not accounts.intact(*left)
    mended = accounts.complete(accounts.gathered(*left), new)
    assert (mended.servers(), mended.api(), mended.inner()) == SECRETS


def test_a_password_changed_by_hand_is_put_right_by_the_hash_that_servers_have_read() -> None:
    kept = accounts.gathered(SECRETS[0], {"password": b"mine"}, SECRETS[2])
    assert kept.passwords[DEFAULT] == KEPT.passwords[DEFAULT]
    kept = accounts.gathered({**SECRETS[0], OPERATOR: b"mine"}, *SECRETS[1:])
    assert kept.passwords[OPERATOR] == KEPT.passwords[OPERATOR]


def test_an_extra_key_is_not_intact() -> None:
    assert not accounts.intact(SECRETS[0], {**SECRETS[1], "more": b"x"}, SECRETS[2])


def test_only_what_is_lost_everywhere_is_made_anew() -> None:
    mended = accounts.complete(accounts.gathered(None, SECRETS[1], None), new)
    assert mended.passwords[DEFAULT] == KEPT.passwords[DEFAULT]
    assert {mended.passwords[user] for user in INNER} == {b"new"}


def test_an_acl_holds_hashes_and_no_password() -> None:
    acl = SECRETS[0]["users.acl"].decode()
    assert not any(password.decode() in acl for password in KEPT.passwords.values())
    assert f"#{hashlib.sha256(KEPT.passwords[REPLICA]).hexdigest()}" in acl
    assert all(line.split()[2] == "reset" for line in acl.splitlines())
    assert accounts.gathered({"users.acl": b"\xff user\nuser x\n"}, None, None).passwords == {}


def test_nobody_may_do_more_than_they_need() -> None:
    assert "-@admin -@dangerous" in accounts.REDIS_RIGHTS[DEFAULT]
    for user in INNER:
        assert "-@all" in accounts.REDIS_RIGHTS[user]
        assert "resetkeys" in accounts.REDIS_RIGHTS[user]
    # Sentinels order each other about; the operator and the API only ask.
    assert accounts.SENTINEL_RIGHTS.keys() == {DEFAULT, SENTINEL, OPERATOR}
    for user in (DEFAULT, OPERATOR):
        assert "failover" not in accounts.SENTINEL_RIGHTS[user]


def test_what_is_kept_shows_no_password() -> None:
    assert "pass-of" not in repr(KEPT)
