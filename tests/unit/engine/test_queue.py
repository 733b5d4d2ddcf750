import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.queue import BACKOFF_MOST, REST, KeyedQueue


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def exact() -> KeyedQueue[str]:
    return KeyedQueue(jitter=lambda: 1.0)


def test_many_events_of_one_key_are_one_pass() -> None:
    async def story() -> None:
        queue = exact()
        for _ in range(100):
            queue.add("lnd1")
        assert await queue.get() == "lnd1"
        assert len(queue) == 0

    run(story())


def test_a_key_in_hand_is_given_to_nobody_else_and_comes_again_if_it_changed() -> None:
    async def story() -> None:
        queue = exact()
        queue.add("lnd1")
        await queue.get()
        queue.add("lnd1")
        assert len(queue) == 0
        queue.done("lnd1")
        assert await queue.get() == "lnd1"

    run(story())


def test_a_key_that_did_not_change_does_not_come_again() -> None:
    async def story() -> None:
        queue = exact()
        queue.add("lnd1")
        queue.done(await queue.get())
        assert len(queue) == 0

    run(story())


def test_a_change_overtakes_a_later_look_and_cancels_it() -> None:
    async def story() -> None:
        queue = exact()
        queue.add_after("lnd1", 0.01)
        queue.add("lnd1")
        queue.done(await queue.get())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.get(), 0.05)

    run(story())


def test_the_earlier_of_two_looks_wins() -> None:
    async def story() -> None:
        queue = exact()
        queue.add_after("lnd1", 3600)
        queue.add_after("lnd1", 0.01)
        queue.add_after("lnd1", 3600)
        assert await queue.get() == "lnd1"

    run(story())


def test_failures_wait_longer_each_time_and_never_for_ever() -> None:
    async def story() -> None:
        queue = exact()
        waits = [queue.retry("lnd1") for _ in range(2000)]
        assert waits[:4] == [1, 2, 4, 8]
        assert max(waits) == BACKOFF_MOST
        queue.forgive("lnd1")
        assert queue.retry("lnd1") == 1

    run(story())


def test_what_changes_right_after_a_pass_is_one_more_pass_and_no_other_key_waits_for_it() -> None:
    async def story() -> None:
        queue = exact()
        queue.add("lnd1")
        await queue.get()
        queue.add("lnd1")
        queue.done("lnd1")
        queue.add("lnd1")
        queue.add("lnd2")
        assert [len(queue), await queue.get()] == [1, "lnd2"]
        began = asyncio.get_running_loop().time()
        assert await queue.get() == "lnd1"
        assert asyncio.get_running_loop().time() - began >= 0.9 * REST
        queue.done("lnd1")
        queue.done("lnd2")
        await asyncio.sleep(2 * REST)
        assert len(queue) == 0

    run(story())


@pytest.mark.parametrize("workers", [1, 4])
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40))
def test_whatever_is_added_while_whoever_works_the_last_change_is_seen(workers: int, adds: list[str]) -> None:
    """Each pass reads the counter; after the last event of a key a whole pass over it must still come."""
    events: dict[str, int] = dict.fromkeys("abc", 0)
    seen: dict[str, int] = dict.fromkeys("abc", 0)
    in_hand: list[str] = []

    async def work(queue: KeyedQueue[str]) -> None:
        while True:
            key = await queue.get()
            assert key not in in_hand, "in two hands"
            in_hand.append(key)
            seen[key] = events[key]
            await asyncio.sleep(0)
            in_hand.remove(key)
            queue.done(key)

    async def story() -> None:
        queue = KeyedQueue[str](jitter=lambda: 1.0, rest=0)
        tasks = [asyncio.create_task(work(queue)) for _ in range(workers)]
        for key in adds:
            events[key] += 1
            queue.add(key)
            await asyncio.sleep(0)
        # The deadline is that of `run`.
        while seen != events or in_hand:  # noqa: ASYNC110 - the property is about every interleaving of yields
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results

    run(story())
    assert seen == events
