"""How many calls a minute, and how many at once."""

import asyncio
from itertools import pairwise

import pytest

from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.rate_limit import RateLimiter
from tests.support.waiting import PATIENCE


class Time(Clock):
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_ = 100.0
        self.stands = False

    def monotonic(self) -> float:
        return self.now_

    async def sleep(self, delay: float) -> None:
        if self.stands:
            await asyncio.Event().wait()
        self.now_ += delay


async def starts(limiter: RateLimiter, time: Time, count: int) -> list[float]:
    found = []
    for _ in range(count):
        async with limiter.turn():
            found.append(time.now_)
    return found


@pytest.mark.parametrize("per_minute", [1, 7, 60, 600])
async def test_no_minute_has_more_calls_than_allowed_and_none_is_wasted(per_minute: int) -> None:
    time = Time()
    found = await starts(RateLimiter(per_minute, 4, time), time, per_minute * 3 + 1)
    for first, later in zip(found, found[per_minute:], strict=False):
        assert later - first >= 59.999
    assert found[-1] - found[0] == pytest.approx(180, abs=0.01)


async def test_a_few_calls_after_a_pause_start_at_once_and_nobody_waits_long() -> None:
    time = Time()
    found = await starts(RateLimiter(60, 4, time), time, 200)
    assert found[9] == found[0]
    assert max(later - earlier for earlier, later in pairwise(found)) <= 11.001


async def test_no_limit_means_no_waiting() -> None:
    time = Time()
    found = await starts(RateLimiter(0, 4, time), time, 5000)
    assert found[0] == found[-1]


class Counter:
    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    async def call(self, limiter: RateLimiter) -> None:
        async with limiter.turn():
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(0.001)
            self.running -= 1


async def test_never_more_at_once_than_allowed() -> None:
    limiter, counter = RateLimiter(0, 4, Clock()), Counter()
    await asyncio.gather(*(counter.call(limiter) for _ in range(40)))
    assert counter.most == 4


async def test_a_throttled_service_gets_half_and_one_more_each_calm_minute() -> None:
    time = Time()
    limiter = RateLimiter(0, 8, time)
    limiter.throttled()
    assert limiter.allowed == 4
    limiter.throttled()
    assert limiter.allowed == 2
    time.now_ += 61
    assert limiter.allowed == 3
    time.now_ += 600
    assert limiter.allowed == 8
    for _ in range(9):
        limiter.throttled()
    assert limiter.allowed == 1


async def test_everybody_waits_when_the_service_asks_to_but_never_over_a_minute() -> None:
    time = Time()
    limiter = RateLimiter(0, 8, time)
    limiter.throttled(5)
    assert await starts(limiter, time, 2) == [105.0, 105.0]
    limiter.throttled(5000)
    assert await starts(limiter, time, 1) == [165.0]


@pytest.mark.parametrize(
    ("per_minute", "wait", "why"), [(0, 5, "the service asks to"), (1, None, "requests_per_minute of the profile")]
)
async def test_the_note_says_who_makes_a_call_wait(per_minute: int, wait: float | None, why: str) -> None:
    time = Time()
    limiter = RateLimiter(per_minute, 4, time)
    await starts(limiter, time, 1)
    if wait:
        limiter.throttled(wait)
    time.stands = True
    waiting = asyncio.ensure_future(starts(limiter, time, 6))
    await asyncio.sleep(0)
    assert limiter.note.endswith(f" s: {why}")
    waiting.cancel()


async def test_a_cancelled_call_gives_its_turn_back() -> None:
    limiter = RateLimiter(0, 1, Clock())
    entered = asyncio.Event()

    async def hold(seconds: float) -> None:
        async with limiter.turn():
            entered.set()
            await asyncio.sleep(seconds)

    holder = asyncio.ensure_future(hold(60))
    await entered.wait()
    waiters = [asyncio.ensure_future(hold(0)) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    holder.cancel()
    async with asyncio.timeout(PATIENCE):
        results = await asyncio.gather(holder, *waiters, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, False, False]


async def test_calls_that_were_cancelled_while_they_waited_take_nobodys_place() -> None:
    time = Time()
    limiter = RateLimiter(6, 40, time)
    await starts(limiter, time, 1)

    time.stands = True
    waiting = [asyncio.ensure_future(starts(limiter, time, 1)) for _ in range(40)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    time.stands = False
    began = time.now_
    assert (await starts(limiter, time, 1))[0] - began <= 10


async def test_waiting_is_shown() -> None:
    seen = []

    class Watched(Time):
        async def sleep(self, delay: float) -> None:
            seen.append(limiter.note)
            await super().sleep(delay)

    time = Watched()
    limiter = RateLimiter(1, 1, time)
    await starts(limiter, time, 2)
    assert seen == ["waiting 60 s: requests_per_minute of the profile"]
    assert limiter.note == ""
