"""Decides which transfer begins when: so many move bytes at once, and a few more are brought to the disk meanwhile."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.errand import MISTAKE, Errand
from cloudstore_tui.transfers.transfer import State

Result: TypeAlias = tuple[State, StorageError | None]

MOST_TASKS = 4
"""Times as many transfers may have a task as may move bytes: the others are brought to the disk."""


class Dispatcher:
    """A queue of transfers, and those that were sent off from it."""

    def __init__(
        self,
        at_once: int,
        begin: Callable[[Errand], Coroutine[Any, Any, Result]],
        settled: Callable[[Errand, State, StorageError | None], None],
    ) -> None:
        """Make one.

        Args:
            at_once: transfers that may move bytes at the same time.
            begin: does what a transfer is about.
            settled: learns how that ended.
        """
        self._at_once = at_once
        self._begin = begin
        self._settled = settled
        self._queue: deque[Errand] = deque()
        self._tasks = 0
        self._lines = 0
        """How many of the tasks move bytes, or will."""
        self._closed = False

    def enqueue(self, errand: Errand) -> None:
        """Let a transfer begin when it is its turn."""
        self._queue.append(errand)
        self._next()

    def withdraw(self, errand: Errand) -> None:
        """Take a transfer out of the queue, if it is in there."""
        if errand in self._queue:
            self._queue.remove(errand)

    def send_off(self, errand: Errand, doing: Coroutine[Any, Any, Result]) -> None:
        """Let a transfer do something now, out of turn."""
        self._tasks += 1
        self._lines += 1
        errand.live.line_free = partial(self._free_line, errand)
        errand.task = asyncio.create_task(doing)
        errand.task.add_done_callback(partial(self._settle, errand))

    def close(self) -> None:
        """Let nothing begin any more."""
        self._closed = True
        self._queue.clear()

    def _next(self) -> None:
        while (
            self._queue
            and self._lines < self._at_once
            and self._tasks < MOST_TASKS * self._at_once
            and not self._closed
        ):
            errand = self._queue.popleft()
            self.send_off(errand, self._begin(errand))

    def _free_line(self, errand: Errand) -> None:
        errand.live.line_free = _nothing
        self._lines -= 1
        self._next()

    def _settle(self, errand: Errand, task: asyncio.Task[Result]) -> None:
        state, error = State.PAUSED if errand.rests else State.CANCELLED, None
        # A task that is cancelled before its first step never runs.
        if not task.cancelled():
            fault = task.exception()
            state, error = (State.FAILED, MISTAKE) if fault is not None else task.result()
            if fault is not None:
                errand.discard()
                task.get_loop().call_exception_handler({"message": "a transfer failed", "exception": fault})
        errand.task = None
        self._tasks -= 1
        self._settled(errand, state, error)
        errand.live.line_free()
        self._next()


def _nothing() -> None:
    """A line that was freed is not freed again."""
