"""Looks after transfers while any is under way: their speeds, what others ask for, a machine that slept."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.net.clock import SleepDetector
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.task import TransferTask

SAMPLE_INTERVAL = 0.25
"""Seconds between two looks at the speed."""
WISH_INTERVAL = 1.0
"""Seconds between two looks at what other programs ask for."""


class Monitor:
    """Goes to sleep by itself when nothing is left to do."""

    def __init__(
        self,
        tasks: Mapping[int, TransferTask],
        journal: JournalStore | None,
        sleep: SleepDetector,
        orders: Mapping[str, Callable[[int], None]],
        renew: Callable[[], None],
    ) -> None:
        """Make one.

        Args:
            tasks: the transfers that are under way or rest, by number.
            journal: where other programs leave what they ask for.
            sleep: notices that the machine slept.
            orders: what can be asked for.
            renew: called after the machine slept.
        """
        self._tasks = tasks
        self._journal = journal
        self._sleep = sleep
        self._orders = orders
        self._renew = renew
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Begin, unless that was done."""
        if self._task is None:
            self._task = asyncio.create_task(self._attend())

    def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    async def _attend(self) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while self._tasks:
            for task in list(self._tasks.values()):
                task.live.sample()
            if self._sleep.happened():
                self._renew()
            if loop.time() - heard >= WISH_INTERVAL:
                heard = loop.time()
                await self._hear()
            rests = all(task.running is None for task in self._tasks.values())
            await asyncio.sleep(WISH_INTERVAL if rests else SAMPLE_INTERVAL)
        self._task = None

    async def _hear(self) -> None:
        if self._journal is None:
            return
        # Wishes are kept until they were read: one that could not be read now is read the next time.
        with suppress(StorageError):
            for number, wish in (await self._journal.wishes()).items():
                if wish in self._orders:
                    self._orders[wish](number)
