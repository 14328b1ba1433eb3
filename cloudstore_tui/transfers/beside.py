"""Something that goes on beside a block of code, if the block takes long enough for that to be worth anything."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

WORTH = 0.2
"""Seconds: thousands of small objects should not pay for what only a large one needs."""


class Beside:
    """Starts the work a little after the block began, and ends it with the block; its errors are its own business."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(WORTH, self._begin)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work())
