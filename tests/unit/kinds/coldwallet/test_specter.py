import json
from typing import Any

import pytest

from bankstack.kinds.coldwallet import specter, specter_secrets
from bankstack.kinds.coldwallet.names import ColdWallet

from .given import PAIR, facts, wallet

KEY = PAIR.receive.partition("]")[2].partition("/")[0]


def given(receive: str) -> ColdWallet:
    return wallet(multisig=None, descriptors=[receive, receive.replace("/0/*", "/1/*")])


def seeded(of: ColdWallet) -> Any:  # noqa: ANN401 - JSON
    watched = facts(of).watched
    assert watched is not None
    return json.loads(specter.seed(of, watched, "h", 1))


@pytest.mark.parametrize(
    ("receive", "address", "words"),
    [
        (f"wpkh([d34db33f/84h/1h/0h]{KEY}/0/*)", "bech32", "Single (Segwit)"),
        (f"sh(wpkh([d34db33f/49h/1h/0h]{KEY}/0/*))", "p2sh-segwit", "Single (Nested)"),
        (f"sh(wsh(sortedmulti(1,[d34db33f/48h]{KEY}/0/*)))", "p2sh-segwit", "1 of 1 Multisig (Nested)"),
        (f"tr([d34db33f/86h/1h/0h]{KEY}/0/*)", "taproot", "Taproot"),
    ],
)
def test_given_descriptors_are_shown_as_what_they_are(receive: str, address: str, words: str) -> None:
    (shown,) = seeded(given(receive))["wallets"]
    assert (shown["address_type"], shown["description"], shown["devices"]) == (address, words, ["vault-1"])
    assert shown["keys"][0]["fingerprint"] == "d34db33f"


@pytest.mark.parametrize("receive", [f"wpkh({KEY}/0/*)", f"pkh([d34db33f/44h]{KEY}/0/*)"])
def test_what_specter_has_no_words_for_is_not_seeded(receive: str) -> None:
    seed = seeded(given(receive))
    assert (seed["wallets"], seed["devices"]) == ([], [])


def test_branches_that_specter_does_not_know_are_not_seeded() -> None:
    receive = f"wpkh([d34db33f/84h]{KEY}/5/*)"
    assert seeded(wallet(multisig=None, descriptors=[receive, receive.replace("/5/*", "/6/*")]))["wallets"] == []


def lost() -> bytes:
    raise AssertionError("a secret that is known somewhere was made anew")


def test_either_of_specters_secrets_comes_back_from_the_other() -> None:
    one = wallet()
    made = specter_secrets.complete(one, {}, lambda: b"fresh")
    assert specter_secrets.intact(one, made)
    assert not specter_secrets.intact(one, {})
    without_log_in = {"vault-specter": made["vault-specter"]}
    assert specter_secrets.complete(one, without_log_in, lost) == made
    again = specter_secrets.complete(one, {"vault-specter-admin": made["vault-specter-admin"]}, lambda: b"new session")
    assert again["vault-specter-admin"] == made["vault-specter-admin"]
    assert not specter_secrets.intact(one, made | {"vault-specter-admin": {"username": b"admin", "password": b"x"}})


def test_a_users_own_log_in_is_never_made() -> None:
    one = wallet(specter__adminSecret="mine")
    assert specter_secrets.complete(one, {}, lambda: b"fresh") == {"vault-specter": {"secret-key": b"fresh"}}
