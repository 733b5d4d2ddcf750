"""Retired Lightning wallets behind a ColdWallet's bitcoind: what is watched of them, and what is said."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bankstack.clients.bitcoind import Watched
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.kinds.coldwallet import descriptors, former
from bankstack.kinds.coldwallet.decide import decide
from bankstack.kinds.coldwallet.kind import gauges

from .given import facts, wallet

KEY = "tpubDCrALK5zCiub4Es1e59oGHrrQwr5zKL1YcL8sqo4mK7tS3JJB1hiRzkRGficWkUawwiXHcg7sTKAqFCapTqKNE8R67Dk1gd2GHzxd6wedL5"
SPELT = (
    "vpub5YYBb3SsvcLZp72gHESE4vWHd7hDwC7F2JyQCV4RQH3yF9mzpZV89beVwPmjrAtXehpUX3CY4tzTPKajJTxFhfb46Rvcu9215nuTm4PBb61"
)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = former.Former("lnd1", "02" + "ab" * 32, "2026-03-01T12:00:00Z", "lnd1-retired-02abababab")


def test_what_was_drawn_is_watched_and_a_thousand_more_from_a_day_before() -> None:
    first, second = former.imports(f"3 tr({KEY}/0/*)\n0 wpkh({SPELT}/1/*)", ONE.retired_at, mainnet=False)
    assert first.request() == {
        "desc": descriptors.sealed(f"tr({KEY}/0/*)"), "active": False, "internal": False,
        "timestamp": 1772280000, "range": [0, 1003],
    }  # fmt: skip
    assert second.text.startswith("wpkh(tpub")
    assert second.last_index == 1000


@pytest.mark.parametrize("text", ["x tr(tpub/0/*)", f"3 tr({KEY[:-1]}6/0/*)"], ids=["no number", "mistyped"])
def test_what_was_changed_by_hand_is_not_watched(text: str) -> None:
    with pytest.raises(descriptors.Unusable):
        former.imports(text, ONE.retired_at, mainnet=False)


def test_what_bitcoind_watches_further_by_itself_is_not_taken_back() -> None:
    asked = former.imports(f"3 tr({KEY}/0/*)", ONE.retired_at, mainnet=False)
    known = Watched(asked[0].text, internal=False, last_index=1010, next_index=0)
    assert [one.last_index for one in former.widened(asked, [known])] == [1010]
    assert former.widened(asked, []) == asked


def test_one_that_is_not_watched_is_asked_for() -> None:
    decision = decide(wallet(), facts(formers=(ONE,)), NOW)
    words = {"wallet": "retired-02ababababab", "secret": ONE.secret, "since": ONE.retired_at}
    assert Ask(former.WATCH_RETIRED, "Unwatched", words) in decision.actions
    assert [one.status for one in decision.claims if one.type == "RetiredCoins"] == ["Unknown"]


@pytest.mark.parametrize(
    ("balance", "status", "words"),
    [
        (0, "False", "nothing is at addresses of 1 retired identities"),
        (Unknown("it is silent"), "Unknown", "is not known: it is silent"),
        (7, "True", "7 sat are at an address of 02ababababab…, which LndNode lnd1 was until"),
    ],
)
def test_what_came_is_told(balance: int | Unknown, status: str, words: str) -> None:
    known = facts(formers=(replace(ONE, balance_sat=balance),))
    (claim,) = [one for one in decide(wallet(), known, NOW).claims if one.type == "RetiredCoins"]
    assert (claim.status, words in claim.message) == (status, True), claim
    assert gauges(known).get("bankstack_coldwallet_retired_sat") == (balance if isinstance(balance, int) else None)


def test_where_nothing_was_retired_nothing_is_said() -> None:
    assert former.claim(()) == ()
