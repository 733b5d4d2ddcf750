from typing import Any

import pytest

from bankstack.kinds.coldwallet import config, rights
from bankstack.kinds.coldwallet.names import CHAINS

from .given import wallet


def lines(network: str = "regtest", **changes: Any) -> list[str]:  # noqa: ANN401 - fields of the spec
    spec = wallet(network=network, confirmMainnet=True, **changes).spec
    assert spec.bitcoind is not None
    return config.text(spec.bitcoind, network).splitlines()


@pytest.mark.parametrize("network", CHAINS)
def test_binds_stand_under_their_own_network(network: str) -> None:
    text = lines(network)
    section = text.index(f"[{CHAINS[network]}]")
    assert all(text.index(line) > section for line in text if line.startswith(("bind=", "rpcbind=", "rpcport=")))
    assert text[0] == f"chain={CHAINS[network]}"


def test_the_same_spec_gives_the_same_file() -> None:
    assert lines() == lines()


def test_users_lines_come_last_and_in_their_order() -> None:
    config_ = [{"key": "addnode", "value": "a"}, {"key": "addnode", "value": "b"}, {"key": "maxmempool", "value": "5"}]
    assert lines(bitcoind__config=config_)[-3:] == ["addnode=a", "addnode=b", "maxmempool=5"]


def test_the_index_of_transactions_can_be_left_out() -> None:
    assert "txindex=0" in lines(bitcoind__txindex=False)


def test_nobody_may_stop_bitcoind_or_make_a_wallet_with_keys_over_the_network() -> None:
    for user, calls in rights.ALLOWED.items():
        assert not {"stop", "importprivkey", "sethdseed", "dumpprivkey", "sendtoaddress", "sendall", "send"} & set(
            calls
        )
        assert ("createwallet" in calls) == (user == rights.OPERATOR)
        assert ("importdescriptors" in calls) == (user == rights.OPERATOR)
    assert {line.partition(":")[0] for line in rights.whitelists()} == {f"rpcwhitelist={user}" for user in rights.USERS}


def test_lnd_learns_that_it_is_bitcoind_from_a_call_that_does_not_exist() -> None:
    assert "getinfo" in rights.ALLOWED[rights.LND]
