"""What the fake object store promises, asked the same way of the real one in tests/cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest

from bankstack.clients import s3

CONTENT: Final = b"backup \x00\xff of one channel"
Contract = Callable[[s3.Connect, s3.Account], Awaitable[None]]


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(s3.Refused, match=code):
        yield


async def what_is_not_there_is_nothing(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(account) as store:
        assert await store.get("contract/none") is None
        assert await store.newest("contract/") is None


async def what_is_put_is_read_back(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(account) as store:
        assert await store.put_new("contract/b-2.scb", CONTENT)
        assert await store.get("contract/b-2.scb") == CONTENT


async def what_is_there_is_not_overwritten(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(account) as store:
        assert not await store.put_new("contract/b-2.scb", b"another")
        assert await store.get("contract/b-2.scb") == CONTENT


async def of_many_at_once_one_is_the_first(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(account) as store:
        put = await asyncio.gather(*(store.put_new("contract/a-1.scb", b"%d" % number) for number in range(5)))
        assert sum(put) == 1
        assert await store.get("contract/a-1.scb") == b"%d" % put.index(True)


async def the_newest_is_the_last_by_its_letters_and_in_its_folder(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(account) as store:
        assert await store.put_new("contract-2/z.scb", b"of another")
        assert await store.newest("contract/") == "contract/b-2.scb"


async def who_has_another_key_is_refused(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(replace(account, secret_key="another")) as store:  # noqa: S106 - that is the point
        with refused("SignatureDoesNotMatch"):
            await store.get("contract/b-2.scb")
        with refused("SignatureDoesNotMatch"):
            await store.put_new("contract/c-3.scb", CONTENT)
        with refused("SignatureDoesNotMatch"):
            await store.newest("contract/")


async def a_bucket_that_is_not_there_is_no_empty_one(connect: s3.Connect, account: s3.Account) -> None:
    async with connect(replace(account, bucket="no-such-bucket")) as store:
        with refused("NoSuchBucket"):
            await store.get("contract/b-2.scb")
        with refused("NoSuchBucket"):
            await store.put_new("contract/b-2.scb", CONTENT)
        with refused("NoSuchBucket"):
            await store.newest("contract/")


#: In this order: each may rely on what the one before has put. The bucket is empty at first.
CONTRACTS: Final[tuple[Contract, ...]] = (
    what_is_not_there_is_nothing,
    what_is_put_is_read_back,
    what_is_there_is_not_overwritten,
    of_many_at_once_one_is_the_first,
    the_newest_is_the_last_by_its_letters_and_in_its_folder,
    who_has_another_key_is_refused,
    a_bucket_that_is_not_there_is_no_empty_one,
)
