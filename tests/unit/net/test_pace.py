"""How many calls a minute, and how many at once."""

import asyncio
from itertools import pairwise

import pytest

from cloudstore_tui.net.rate_limit import Pace


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def starts(pace: Pace, time: Time, count: int) -> list[float]:
    found = []
    for _ in range(count):
        async with pace.turn():
            found.append(time.now)
    return found


@pytest.mark.parametrize("per_minute", [1, 7, 60, 600])
async def test_no_minute_has_more_calls_than_allowed_and_none_is_wasted(per_minute: int) -> None:
    time = Time()
    found = await starts(Pace(per_minute, 4, clock=time, sleep=time.sleep), time, per_minute * 3 + 1)
    for first, later in zip(found, found[per_minute:], strict=False):
        assert later - first >= 59.999
    assert found[-1] - found[0] == pytest.approx(180, abs=0.01)


async def test_a_few_calls_after_a_pause_start_at_once_and_nobody_waits_long() -> None:
    time = Time()
    found = await starts(Pace(60, 4, clock=time, sleep=time.sleep), time, 200)
    assert found[9] == found[0]
    assert max(later - earlier for earlier, later in pairwise(found)) <= 11.001


async def test_no_limit_means_no_waiting() -> None:
    time = Time()
    found = await starts(Pace(0, 4, clock=time, sleep=time.sleep), time, 5000)
    assert found[0] == found[-1]


class Counter:
    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    async def call(self, pace: Pace) -> None:
        async with pace.turn():
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(0.001)
            self.running -= 1


async def test_never_more_at_once_than_allowed() -> None:
    pace, counter = Pace(0, 4), Counter()
    await asyncio.gather(*(counter.call(pace) for _ in range(40)))
    assert counter.most == 4


async def test_a_throttled_service_gets_half_and_one_more_each_calm_minute() -> None:
    time = Time()
    pace = Pace(0, 8, clock=time, sleep=time.sleep)
    pace.throttled()
    assert pace.allowed == 4
    pace.throttled()
    assert pace.allowed == 2
    time.now += 61
    assert pace.allowed == 3
    time.now += 600
    assert pace.allowed == 8
    for _ in range(9):
        pace.throttled()
    assert pace.allowed == 1


async def test_everybody_waits_when_the_service_asks_to_but_never_over_a_minute() -> None:
    time = Time()
    pace = Pace(0, 8, clock=time, sleep=time.sleep)
    pace.throttled(5)
    assert await starts(pace, time, 2) == [105.0, 105.0]
    pace.throttled(5000)
    assert await starts(pace, time, 1) == [165.0]


async def test_a_cancelled_call_gives_its_turn_back() -> None:
    pace = Pace(0, 1)
    entered = asyncio.Event()

    async def hold(seconds: float) -> None:
        async with pace.turn():
            entered.set()
            await asyncio.sleep(seconds)

    holder = asyncio.ensure_future(hold(60))
    await entered.wait()
    waiters = [asyncio.ensure_future(hold(0)) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    holder.cancel()
    async with asyncio.timeout(2):
        results = await asyncio.gather(holder, *waiters, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, False, False]


async def test_waiting_is_shown() -> None:
    seen = []

    async def sleep(_seconds: float) -> None:
        seen.append(pace.note)
        time.now += _seconds

    time = Time()
    pace = Pace(1, 1, clock=time, sleep=sleep)
    await starts(pace, time, 2)
    assert seen == ["waiting 60 s: requests_per_minute of the profile"]
    assert pace.note == ""
