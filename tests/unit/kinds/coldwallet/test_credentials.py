import hashlib
import hmac
import itertools

import pytest

from bankstack.kinds.coldwallet import credentials
from bankstack.kinds.coldwallet.credentials import RPCAUTH, Kept
from bankstack.kinds.coldwallet.rights import USERS


def made() -> Kept:
    passwords = (f"pw{number}".encode() for number in itertools.count())
    return credentials.complete(credentials.gathered(None, {}), passwords.__next__)


def lost() -> bytes:
    raise AssertionError("a password that is known somewhere was made anew")


def test_a_line_is_what_bitcoinds_own_rpcauth_script_makes() -> None:
    text = credentials.line("lnd", b"secret")
    salt = text.partition(":")[2].partition("$")[0]
    digest = hmac.new(salt.encode(), b"secret", hashlib.sha256).hexdigest()
    assert text == f"lnd:{salt}${digest}"
    assert len(salt) == 32
    assert credentials.proves(text, "lnd", b"secret")
    assert not credentials.proves(text, "lnd", b"other")
    assert not credentials.proves(text.replace("lnd", "operator"), "lnd", b"secret")
    assert not credentials.proves("", "lnd", b"secret")


def test_what_was_made_is_whole() -> None:
    kept = made()
    assert credentials.intact(kept.bitcoinds(), kept.users())
    assert not credentials.intact(None, kept.users())
    assert kept.bitcoinds()[RPCAUTH].count(b"rpcauth=") == 3


@pytest.mark.parametrize("gone", USERS)
def test_a_users_deleted_secret_comes_back_with_the_same_password(gone: str) -> None:
    kept = made()
    users = {name: files for name, files in kept.users().items() if name != gone}
    assert not credentials.intact(kept.bitcoinds(), users)
    again = credentials.complete(credentials.gathered(kept.bitcoinds(), users), lost)
    assert (again.users(), again.bitcoinds()) == (kept.users(), kept.bitcoinds())


def test_bitcoinds_deleted_secret_comes_back_with_the_passwords_that_it_runs_with() -> None:
    kept = made()
    again = credentials.complete(credentials.gathered(None, kept.users()), lost)
    assert (again.users(), again.bitcoinds()) == (kept.users(), kept.bitcoinds())


def test_a_password_changed_by_hand_is_put_back_to_the_one_bitcoind_takes() -> None:
    kept = made()
    users = kept.users() | {"lnd": {"username": b"lnd", "password": b"forged"}}
    assert not credentials.intact(kept.bitcoinds(), users)
    assert credentials.complete(credentials.gathered(kept.bitcoinds(), users), lost).users() == kept.users()


def test_a_copy_changed_by_hand_is_put_back_too() -> None:
    kept = made()
    bitcoinds = kept.bitcoinds() | {"lnd": b"forged"}
    assert not credentials.intact(bitcoinds, kept.users())
    again = credentials.complete(credentials.gathered(bitcoinds, kept.users()), lost)
    assert again.bitcoinds() == kept.bitcoinds()


def test_without_any_proof_what_consumers_mount_wins() -> None:
    kept = made()
    bitcoinds = kept.bitcoinds() | {RPCAUTH: b"nonsense\xff", "lnd": b"a copy"}
    again = credentials.complete(credentials.gathered(bitcoinds, kept.users()), lost)
    assert again.passwords == kept.passwords


def test_keys_that_others_put_beside_ours_stay() -> None:
    kept = made()
    users = {name: files | {"note": b"theirs"} for name, files in kept.users().items()}
    assert credentials.intact(kept.bitcoinds() | {"note": b"theirs"}, users)


def test_no_password_shows_in_words() -> None:
    assert "pw" not in repr(made())
