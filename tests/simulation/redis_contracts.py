"""What the fake Redis and its Sentinels promise, asked the same way of the real ones in tests/cluster."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from bankstack.clients.redis import Account, Member, Refused, View
from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment import accounts, names
from bankstack.kinds.apideployment.observe import Doors

COUNT: Final = 3


class Members(Protocol):
    """Three members, just started for the first time."""

    doors: Doors
    #: As they call each other.
    hosts: tuple[str, ...]
    #: By user.
    passwords: Mapping[str, str]

    def at(self, number: int, port: int) -> tuple[str, int]:
        """Where one is reached from here."""

    async def stop(self, number: int) -> None:
        """One dies and stays away."""

    async def start(self, number: int) -> None:
        """It comes back, with its volume."""

    async def eventually(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Time passes until it holds."""


Contract = Callable[[Members], Awaitable[None]]


def account(members: Members, number: int, port: int, user: str | None, password: str = "") -> Account:
    known = members.passwords[user or accounts.DEFAULT]
    return Account(*members.at(number, port), user, password or known)


async def member(members: Members, number: int) -> Member | Unknown:
    return await members.doors.member(account(members, number, names.REDIS_PORT, accounts.OPERATOR))


async def view(members: Members, number: int) -> View | Unknown:
    return await members.doors.sentinel(account(members, number, names.SENTINEL_PORT, accounts.OPERATOR), names.MASTER)


async def the_first_is_master_and_the_others_follow(members: Members) -> None:
    async def they_do() -> bool:
        told = [await member(members, number) for number in range(COUNT)]
        return isinstance(told[0], Member) and (told[0].is_master, told[0].replicas) == (True, COUNT - 1)

    await members.eventually(they_do, "both others follow the first")
    told = [await member(members, number) for number in range(COUNT)]
    seen = [(one.is_master, one.master_host, one.in_sync) for one in told if isinstance(one, Member)]
    assert seen == [(True, None, True), (False, members.hosts[0], True), (False, members.hosts[0], True)]
    assert len({one.run_id for one in told if isinstance(one, Member)}) == COUNT
    assert {(one.policy, one.persists) for one in told if isinstance(one, Member)} == {("noeviction", True)}


async def only_a_known_password_is_let_in(members: Members) -> None:
    for number in range(COUNT):
        wrong = account(members, number, names.REDIS_PORT, accounts.OPERATOR, "wrong")
        assert isinstance(await members.doors.member(wrong), Refused)
        right = account(members, number, names.REDIS_PORT, None)
        assert await members.doors.admits(right) is True
        assert await members.doors.admits(account(members, number, names.REDIS_PORT, None, "wrong")) is False
        wrong = account(members, number, names.SENTINEL_PORT, accounts.OPERATOR, "wrong")
        assert isinstance(await members.doors.sentinel(wrong, names.MASTER), Refused)


async def every_sentinel_names_the_first_before_any_election(members: Members) -> None:
    async def they_do() -> bool:
        told = [await view(members, number) for number in range(COUNT)]
        expected = View(members.hosts[0], names.REDIS_PORT, 0, is_down=False, replicas=2, others=2, agrees=True)
        return told == [expected] * COUNT

    await members.eventually(they_do, "every Sentinel names the first and knows all")


async def a_master_that_dies_is_replaced_by_election(members: Members) -> None:
    await members.stop(0)
    assert isinstance(await member(members, 0), Unknown)
    assert isinstance(await members.doors.admits(account(members, 0, names.REDIS_PORT, None)), Unknown)

    async def another_is_elected() -> bool:
        told = [await view(members, number) for number in (1, 2)]
        named = {(one.host, one.epoch > 0, one.is_down, one.agrees) for one in told if isinstance(one, View)}
        if len(named) != 1 or (chosen := next(iter(named)))[1:] != (True, False, True):
            return False
        seen = await member(members, members.hosts.index(chosen[0])) if chosen[0] != members.hosts[0] else None
        return isinstance(seen, Member) and (seen.is_master, seen.replicas) == (True, 1)

    await members.eventually(another_is_elected, "another is master and is followed")


async def a_former_master_that_comes_back_follows(members: Members) -> None:
    await members.start(0)

    async def it_follows() -> bool:
        told, seen = await member(members, 0), await view(members, 0)
        if not isinstance(told, Member) or not isinstance(seen, View):
            return False
        return (told.is_master, told.in_sync) == (False, True) and told.master_host == seen.host != members.hosts[0]

    await members.eventually(it_follows, "the former master follows the new one")


#: In this order: each relies on what came before.
CONTRACTS: Final[tuple[Contract, ...]] = (
    the_first_is_master_and_the_others_follow,
    only_a_known_password_is_let_in,
    every_sentinel_names_the_first_before_any_election,
    a_master_that_dies_is_replaced_by_election,
    a_former_master_that_comes_back_follows,
)
