"""What the fake mongod promises, asked the same way of the real one in tests/cluster."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Protocol

import pytest

from bankstack.clients.mongo.answers import Blank, Canary, InSet, Policy, State, User
from bankstack.clients.mongo.client import Connect, Door, Login
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient
from bankstack.kinds.ledgercluster.act import OPERATOR

PASSWORD, OTHER = "contract-password", "another-password"
KEPT: Final = Policy("majority", journal=True)
API: Final = User("galoy", "api", frozenset({"readWrite"}), "uid/1")
#: Members at first; one more joins later.
FOUNDERS: Final = 3


class Members(Protocol):
    """Four mongods with one keyfile that belong to no set yet."""

    connect: Connect
    #: As members call each other, with the port.
    hosts: tuple[str, ...]
    system: Login

    def at(self, number: int) -> str:
        """Where one is reached from here."""

    async def stop(self, number: int) -> None:
        """One dies and stays away."""

    async def eventually(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Time passes until it holds."""


Contract = Callable[[Members], Awaitable[None]]


def door(members: Members, number: int, login: Login | None = None) -> Door:
    return Door(members.at(number), login or members.system)


def as_operator(password: str = PASSWORD) -> Login:
    return Login(OPERATOR.name, password)


@contextmanager
def stopped(policy: type[Stalled | Transient]) -> Iterator[None]:
    with pytest.raises(Interrupted) as caught:
        yield
    finding: Finding = caught.value.finding
    assert isinstance(finding.policy, policy), finding


async def look(members: Members, number: int) -> InSet | Blank | None:
    """What one says, None while it does not answer."""
    try:
        async with members.connect(door(members, number)) as mongo:
            return await mongo.look()
    except Interrupted:
        return None


async def primary(members: Members) -> int:
    """The member that takes writes, as soon as there is one."""
    found: list[int] = []

    async def there_is_one() -> bool:
        told = [await look(members, number) for number in range(len(members.hosts))]
        leading = [one for one in told if isinstance(one, InSet) and one.state == State.PRIMARY]
        newest = max(leading, key=lambda one: one.term, default=None)
        found[:] = [told.index(newest)] if newest else []
        return bool(found)

    await members.eventually(there_is_one, "a primary")
    return found[0]


async def a_member_without_a_set_is_empty_and_lets_in_only_members(members: Members) -> None:
    async with members.connect(door(members, 0)) as mongo:
        assert isinstance(found := await mongo.look(), Blank)
        assert found.collections == 0
    for login in (as_operator(), replace(members.system, password=OTHER)):
        with stopped(Stalled):
            async with members.connect(door(members, 0, login)) as mongo:
                await mongo.look()


async def a_set_is_made_once_and_elects_a_primary(members: Members) -> None:
    for number in (0, 1):
        async with members.connect(door(members, number)) as mongo:
            for _ in range(2):
                await mongo.initiate("ledger", members.hosts[:FOUNDERS])

        async def all_take_part() -> bool:
            told = [await look(members, one) for one in range(FOUNDERS)]
            return all(isinstance(one, InSet) and one.state in (State.PRIMARY, State.SECONDARY) for one in told)

        await members.eventually(all_take_part, "all take part")
    told = [await look(members, one) for one in range(FOUNDERS)]
    assert len({one.config.replica_set_id for one in told if isinstance(one, InSet)}) == 1
    leading = await look(members, await primary(members))
    assert isinstance(leading, InSet)
    assert leading.term >= 1
    assert [(one.id, one.host, one.votes, one.joining) for one in leading.config.members] == [
        (number, host, 1, False) for number, host in enumerate(members.hosts[:FOUNDERS])
    ]
    assert leading.config.journals_majority


async def the_operator_s_user_is_let_in_with_its_newest_password_only(members: Members) -> None:
    there = await primary(members)
    with stopped(Stalled):
        async with members.connect(door(members, there, as_operator())) as mongo:
            await mongo.look()
    for password in (OTHER, PASSWORD):
        async with members.connect(door(members, there)) as mongo:
            await mongo.put_user(OPERATOR, password)
        async with members.connect(door(members, there, as_operator(password))) as mongo:
            assert isinstance(await mongo.look(), InSet)
            assert OPERATOR in (await mongo.holdings()).users
    with stopped(Stalled):
        async with members.connect(door(members, there, as_operator(OTHER))) as mongo:
            await mongo.look()


async def the_default_write_concern_is_told_and_whether_somebody_chose_it(members: Members) -> None:
    async with members.connect(door(members, await primary(members), as_operator())) as mongo:
        before = (await mongo.holdings()).policy
        assert (before.w, before.chosen) == ("majority", False)
        for _ in range(2):
            await mongo.set_policy(KEPT)
            assert (await mongo.holdings()).policy == KEPT


async def a_user_comes_with_its_mark_and_goes(members: Members) -> None:
    there = await primary(members)
    async with members.connect(door(members, there, as_operator())) as mongo:
        for mark in ("uid/1", "uid/2"):
            await mongo.put_user(replace(API, made_from=mark), PASSWORD)
            assert replace(API, made_from=mark) in (await mongo.holdings()).users
        with stopped(Stalled):
            async with members.connect(door(members, there, Login(API.name, PASSWORD, API.database))) as theirs:
                await theirs.set_policy(KEPT)
        for _ in range(2):
            await mongo.drop_user(API.database, API.name)
        assert not [one for one in (await mongo.holdings()).users if one.name == API.name]
    with stopped(Stalled):
        async with members.connect(door(members, there, Login(API.name, PASSWORD, API.database))) as theirs:
            await theirs.look()


async def what_was_sung_is_heard(members: Members) -> None:
    async with members.connect(door(members, await primary(members), as_operator())) as mongo:
        for canary in (Canary(1, 1000), Canary(2, 2000)):
            await mongo.sing(canary)
            assert (await mongo.holdings()).canary == canary


async def a_secondary_takes_no_writes(members: Members) -> None:
    there = await primary(members)
    async with members.connect(door(members, (there + 1) % FOUNDERS, as_operator())) as mongo:
        with stopped(Transient):
            await mongo.set_policy(KEPT)
        with stopped(Transient):
            await mongo.put_user(API, PASSWORD)


async def one_more_member_joins_under_a_fresh_id_and_votes_in_the_end(members: Members) -> None:
    there = await primary(members)
    async with members.connect(door(members, there, as_operator())) as mongo:
        for _ in range(2):
            await mongo.add_voter(members.hosts[FOUNDERS])

    async def it_votes() -> bool:
        leading = await look(members, there)
        if not isinstance(leading, InSet):
            return False
        newest = leading.config.members[-1]
        return (newest.id, newest.host, newest.joining) == (FOUNDERS, members.hosts[FOUNDERS], False)

    await members.eventually(it_votes, "the fourth votes")

    async def it_takes_part() -> bool:
        told = await look(members, FOUNDERS)
        return isinstance(told, InSet) and told.state == State.SECONDARY

    await members.eventually(it_takes_part, "the fourth takes part")


async def a_primary_that_dies_is_replaced_in_a_later_term(members: Members) -> None:
    there = await primary(members)
    before = await look(members, there)
    assert isinstance(before, InSet)
    await members.stop(there)
    with stopped(Transient):
        async with members.connect(door(members, there, as_operator())) as mongo:
            await mongo.look()
    next_one = await primary(members)
    after = await look(members, next_one)
    assert isinstance(after, InSet)
    assert next_one != there
    assert after.term > before.term
    async with members.connect(door(members, next_one, as_operator())) as mongo:
        kept = await mongo.holdings()
        assert (kept.policy, kept.canary) == (KEPT, Canary(2, 2000))


#: In this order: each may rely on what the one before has made.
CONTRACTS: Final[tuple[Contract, ...]] = (
    a_member_without_a_set_is_empty_and_lets_in_only_members,
    a_set_is_made_once_and_elects_a_primary,
    the_operator_s_user_is_let_in_with_its_newest_password_only,
    the_default_write_concern_is_told_and_whether_somebody_chose_it,
    a_user_comes_with_its_mark_and_goes,
    what_was_sung_is_heard,
    a_secondary_takes_no_writes,
    one_more_member_joins_under_a_fresh_id_and_votes_in_the_end,
    a_primary_that_dies_is_replaced_in_a_later_term,
)
