"""What the fake bitcoind promises, asked the same way of the real one in tests/cluster."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest

from bankstack.clients import bitcoind as client
from bankstack.kinds.coldwallet import descriptors
from bankstack.kinds.coldwallet.model import ColdWalletSpec
from tests.misoperations import sample

PAIR: Final = descriptors.pair(ColdWalletSpec.model_validate(sample("vault")["spec"]))
WALLET: Final = "specter-bankstack/contract"
Contract = Callable[[client.Connect, client.Account], Awaitable[None]]


@contextmanager
def refused(*codes: int) -> Iterator[None]:
    with pytest.raises(client.Refused) as stopped:
        yield
    assert stopped.value.code in codes, stopped.value


@contextmanager
def unanswered(reason: str) -> Iterator[None]:
    with pytest.raises(client.NoAnswer) as stopped:
        yield
    assert stopped.value.reason == reason


async def only_who_has_the_password_is_let_in(connect: client.Connect, account: client.Account) -> None:
    async with connect(replace(account, password="wrong")) as bitcoind:  # noqa: S106 - that is the point
        with unanswered("CredentialsRefused"):
            await bitcoind.chain()


async def only_what_its_whitelist_names_is_answered(connect: client.Connect, account: client.Account) -> None:
    async with connect(account) as bitcoind:
        with unanswered("NotAllowed"):
            await bitcoind._call("stop", [])  # noqa: SLF001 - no method of ours asks that


async def it_says_which_chain_it_follows(connect: client.Connect, account: client.Account) -> None:
    async with connect(account) as bitcoind:
        chain = await bitcoind.chain()
    assert (chain.name, chain.version // 10000) == ("regtest", 29)


async def a_wallet_is_made_once_and_holds_no_key(connect: client.Connect, account: client.Account) -> None:
    async with connect(account) as bitcoind:
        assert WALLET not in await bitcoind.wallets_on_disk()
        with refused(client.NOT_LOADED):
            await bitcoind.wallet(WALLET)
        with refused(client.NOT_LOADED):
            await bitcoind.load_wallet(WALLET)
        await bitcoind.create_wallet(WALLET)
        assert WALLET in await bitcoind.wallets()
        assert WALLET in await bitcoind.wallets_on_disk()
        with refused(client.BUSY):
            await bitcoind.create_wallet(WALLET)
        made = await bitcoind.wallet(WALLET)
    assert (made.private_keys, made.watched, made.scanned, made.balance_sat) == (False, (), None, 0)


async def what_it_watches_is_told_apart_and_may_be_told_twice(connect: client.Connect, account: client.Account) -> None:
    imports = [client.Import(PAIR.receive, False, 0), client.Import(PAIR.change, True, 0)]  # noqa: FBT003 - internal
    async with connect(account) as bitcoind:
        for _ in range(2):
            await bitcoind.watch(WALLET, imports)
            seen = (await bitcoind.wallet(WALLET)).watched
            assert sorted((one.internal, one.last_index, one.next_index) for one in seen) == [
                (False, 999, 0),
                (True, 999, 0),
            ]
            assert all(descriptors.same(one.text, PAIR.change if one.internal else PAIR.receive) for one in seen), seen
        narrower = replace(imports[0], before=client.Watched(PAIR.receive, False, 9, 0))  # noqa: FBT003 - internal
        with refused(-8):
            await bitcoind.watch(WALLET, [narrower])
        first = await bitcoind.first_address(PAIR.receive)
        assert await bitcoind.owns(WALLET, first)
        assert not await bitcoind.owns(WALLET, await bitcoind.first_address(OTHER))


async def addresses_drawn_elsewhere_are_watched_and_none_is_given_out(
    connect: client.Connect, account: client.Account
) -> None:
    name = f"{WALLET}-retired"
    text = descriptors.sealed(f"wpkh({KEY}/0/*)")
    asked = [client.Import(text, internal=False, since=0, last_index=1003)]
    async with connect(account) as bitcoind:
        await bitcoind.create_wallet(name)
        for _ in range(2):
            await bitcoind.watch(name, asked)
            seen = await bitcoind.wallet(name)
            assert [(one.last_index, descriptors.same(one.text, text)) for one in seen.watched] == [(1003, True)]
        assert await bitcoind.owns(name, await bitcoind.first_address(text))
    assert (seen.private_keys, seen.scanned, seen.balance_sat) == (False, None, 0)


#: One of the sample's keys, as bitcoind takes it.
KEY: Final = PAIR.receive.partition("]")[2].partition("/")[0]
#: The same keys in another order of signatures: another wallet.
OTHER: Final = descriptors.sealed(PAIR.receive.partition("#")[0].replace("multi(2,", "multi(1,"))

#: In this order: each may rely on what the one before has made.
CONTRACTS: Final[tuple[Contract, ...]] = (
    only_who_has_the_password_is_let_in,
    only_what_its_whitelist_names_is_answered,
    it_says_which_chain_it_follows,
    a_wallet_is_made_once_and_holds_no_key,
    what_it_watches_is_told_apart_and_may_be_told_twice,
    addresses_drawn_elsewhere_are_watched_and_none_is_given_out,
)
