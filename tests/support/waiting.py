"""When a program has come to rest: nothing is ready to run, no thread works for it, and no short wait is open.

A number of seconds says nothing of that: a fast machine has not come to a delayed redraw after them, and a slow one
not to a thread. What takes its time, as a look every quarter of a second, goes on meanwhile; a test waits for that.
"""

import asyncio
import time
from asyncio import BaseEventLoop, Future, TimerHandle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

PATIENCE, PROMPTLY = 40.0, 10.0
"""Seconds for anything to come on a busy machine, and in which there what waits for nobody is done."""
MOMENT, SHORT = 0.04, 0.2
"""Seconds of the waits that belong to an answer: those between two pictures, and those until the cursor rests."""
_ENOUGH = 0.3
"""Seconds of short waits, one after another, after which they have no end: something looks again and again."""
_HELD = 5.0
"""Seconds after which a thread does not work, but is held by the test."""


async def until(met: Callable[[], object], what: str = "it") -> None:
    """Wait for something that threads, timers or services bring."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, f"{what} did not come"
        await asyncio.sleep(0.01)


_waits: list[tuple[Any, float, Any]] = []
_jobs: set[Future[Any]] = set()


@contextmanager
def watched() -> Iterator[None]:
    """Know which short waits are open in a loop, and which threads work for it."""
    call_at, run_in_executor = BaseEventLoop.call_at, BaseEventLoop.run_in_executor

    def noted_wait(loop: Any, when: float, *what: Any, **context: Any) -> TimerHandle:
        handle = call_at(loop, when, *what, **context)
        if (seconds := when - loop.time()) <= SHORT:
            _waits.append((loop, seconds, handle))
        return handle

    def noted_job(loop: Any, *what: Any) -> Future[Any]:
        job = run_in_executor(loop, *what)
        _jobs.add(job)
        job.add_done_callback(_jobs.discard)
        return job

    with (
        mock.patch.object(BaseEventLoop, "call_at", noted_wait),
        mock.patch.object(BaseEventLoop, "run_in_executor", noted_job),
    ):
        yield


async def rest(short: float = SHORT) -> None:
    """Wait until everything has happened that can happen now, with the waits that are not longer than `short`."""
    loop: Any = asyncio.get_running_loop()
    calm, waited = 0, 0.0
    while calm < 2:
        await asyncio.sleep(0)
        jobs = [job for job in list(_jobs) if job.get_loop() is loop]
        wait = None if waited > _ENOUGH else _shortest_wait(loop, short)
        if loop._ready:  # noqa: SLF001 - asyncio tells nobody else
            calm = 0
        elif jobs:
            calm = 0
            done, _ = await asyncio.wait(jobs, timeout=_HELD if wait is None else wait, return_when="FIRST_COMPLETED")
            waited += wait or 0.0
            if not done and wait is None:
                _jobs.difference_update(jobs)
        elif wait is not None:
            calm, waited = 0, waited + wait
            await asyncio.sleep(wait)
        else:
            calm += 1
            await asyncio.sleep(0.001)


def _shortest_wait(loop: Any, short: float) -> float | None:
    """Seconds until the first of the short waits is over, if any is open."""
    _waits[:] = [one for one in _waits if one[0] is loop and _is_open(one[2])]
    ends = [handle.when() for _, seconds, handle in _waits if seconds <= short]
    return max(min(ends) - loop.time(), 0.001) if ends else None


def _is_open(handle: Any) -> bool:
    return handle._scheduled and not handle.cancelled()  # noqa: SLF001 - asyncio tells nobody else
