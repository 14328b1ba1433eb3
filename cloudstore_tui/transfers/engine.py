"""The queue of transfers: so many at once, each with its state, in one event loop."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.clock import Clock
from cloudstore_tui.transfers.disk import Disk
from cloudstore_tui.transfers.download import Download
from cloudstore_tui.transfers.fetch import Fetch, may_be_html
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.means import Means
from cloudstore_tui.transfers.stream import Stream
from cloudstore_tui.transfers.transfer import DownloadRequest, Request, State, Transfer
from cloudstore_tui.transfers.upload import Upload
from cloudstore_tui.transfers.verify import verify

SAMPLE_INTERVAL = 0.25
"""Seconds between two looks at the speed."""
CLOSING = 0.9
"""Seconds that running transfers get to end when the engine is closed."""

_MISTAKE = StorageError("the program made a mistake", cure="Please report what you did.")


@dataclass(slots=True, eq=False)
class _Item:
    live: LiveTransfer
    work: Download | Upload | None = None
    """Kept after a failure that may pass, so that a retry goes on where it stopped."""
    task: asyncio.Task[tuple[State, StorageError | None]] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class TransferEngine:
    """Runs transfers. Lives in one event loop; only `snapshot` may be called from elsewhere."""

    def __init__(
        self,
        provider_of: Callable[[str], StorageProvider],
        at_once: int = 4,
        timeouts: Timeouts | None = None,
        *,
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.numbers = itertools.count(1)
        """Where the numbers of transfers come from; may be drawn from in any thread."""
        self._provider_of = provider_of
        self._at_once = at_once
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or Clock()
        self._disk = disk or Disk()
        self._equipment: Means | None = None
        self._items: dict[int, _Item] = {}
        self._queue: deque[_Item] = deque()
        self._running = 0
        self._sampler: asyncio.Task[None] | None = None
        self._closed = False

    def submit(self, request: Request, number: int | None = None) -> int:
        """Put a transfer into the queue; its number."""
        number = next(self.numbers) if number is None else number
        item = _Item(LiveTransfer(number, request, self._clock))
        self._items[number] = item
        self._enqueue(item)
        return number

    def cancel(self, number: int) -> None:
        """Stop a transfer: its connection is closed at once, and nothing is left on the disk."""
        item = self._items.get(number)
        if item is None or item.live.state.ended:
            return
        if item.task is not None:
            item.task.cancel()
        else:
            self._queue.remove(item)
            self._end(item, State.CANCELLED)

    def retry(self, number: int) -> None:
        """Try a transfer again that failed, was cancelled or skipped; what arrived of it is kept where possible."""
        item = self._items.get(number)
        if item is not None and item.live.state in (State.FAILED, State.CANCELLED, State.SKIPPED):
            item.live.again()
            item.ended.clear()
            self._enqueue(item)

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""
        for number, item in list(self._items.items()):
            if item.live.state.ended:
                self._discard(item)
                del self._items[number]

    def snapshot(self) -> tuple[Transfer, ...]:
        """All transfers as they are now, in the order of their numbers. May be called from any thread."""
        return tuple(item.live.snapshot() for item in list(self._items.values()))

    async def wait(self, number: int) -> Transfer:
        """The transfer when it has ended."""
        item = self._items[number]
        await item.ended.wait()
        return item.live.snapshot()

    async def stream(self, location: Location, write: Callable[[bytes], object]) -> Transfer:
        """Fetch an object into a function that takes its bytes in order, such as the write of a pipe.

        It is verified while it is written: what was written before an error is found stays written.

        Raises:
            OSError: `write` failed, such as by a closed pipe.
        """
        request = DownloadRequest(location, Path("-"))
        live = LiveTransfer(next(self.numbers), request, self._clock)
        store = Stream(write)
        live.meter = lambda: store.offset
        provider = self._provider_of(location.profile)
        fetch = Fetch(self._means, lambda: provider.source(location), live, html=may_be_html(location.path))
        try:
            await fetch.run(store)
            verdict = verify(fetch.claim, store.digests, lambda _size: "")
            if verdict.contradiction:
                raise IntegrityError(f"it arrived damaged: {verdict.contradiction}", cure="Fetch it again.")
        except StorageError as error:
            live.error = error.at(location.address)
            live.to(State.FAILED)
        else:
            live.level, live.sha256 = verdict.level, store.digests.sha256
            live.to(State.DONE)
        return live.snapshot()

    async def close(self) -> None:
        """Stop everything, within about a second; no part file is left."""
        self._closed = True
        while self._queue:
            self._end(self._queue.popleft(), State.CANCELLED)
        if self._equipment is None:
            return
        closing: set[asyncio.Task[Any]] = {asyncio.create_task(self._equipment.blob.close())}
        for item in self._items.values():
            if item.task is not None:
                item.task.cancel()
                closing.add(item.task)
        await asyncio.wait(closing, timeout=CLOSING)
        for item in self._items.values():
            self._discard(item)
        if self._sampler is not None:
            self._sampler.cancel()
        self._equipment.workers.close()

    @property
    def _means(self) -> Means:
        """What transfers work with, made for the first one."""
        if self._equipment is None:
            # Deferred: libcurl takes longer to load than the first screen to draw.
            from cloudstore_tui.transfers.blob import BlobClient

            self._equipment = Means(BlobClient(self._timeouts), self._timeouts.give_up, self._clock, self._disk)
        return self._equipment

    def _enqueue(self, item: _Item) -> None:
        if self._closed:
            self._end(item, State.CANCELLED)
            return
        self._queue.append(item)
        self._start_next()

    def _start_next(self) -> None:
        while self._queue and self._running < self._at_once and not self._closed:
            item = self._queue.popleft()
            self._running += 1
            item.task = asyncio.create_task(self._run(item))
            item.task.add_done_callback(partial(self._settle, item))
        if self._running and self._sampler is None:
            self._sampler = asyncio.create_task(self._sample())

    async def _run(self, item: _Item) -> tuple[State, StorageError | None]:
        state, error = State.CANCELLED, None
        try:
            state = await self._work(item)
        except StorageError as failure:
            state, error = State.FAILED, failure.at(item.live.request.location.address)
        except asyncio.CancelledError:
            if item.work is not None and item.work.finished:
                state = State.DONE
        if error is None or not error.retryable or (item.work is not None and not item.work.can_go_on):
            await self._let_go(item)
        return state, error

    def _settle(self, item: _Item, task: asyncio.Task[tuple[State, StorageError | None]]) -> None:
        state, error = State.CANCELLED, None
        # A task that is cancelled before its first step never runs.
        if not task.cancelled():
            fault = task.exception()
            state, error = (State.FAILED, _MISTAKE) if fault is not None else task.result()
            if fault is not None:
                self._discard(item)
                task.get_loop().call_exception_handler({"message": "a transfer failed", "exception": fault})
        item.task = None
        item.live.error = error
        self._running -= 1
        self._end(item, state)
        self._start_next()

    async def _work(self, item: _Item) -> State:
        live, request = item.live, item.live.request
        if item.work is None:
            provider = self._provider_of(request.location.profile)
            if isinstance(request, DownloadRequest):
                item.work = Download(live, request, provider, self._means)
            else:
                item.work = Upload(live, request, provider, self._means)
        return await item.work.run()

    async def _let_go(self, item: _Item) -> None:
        work, item.work = item.work, None
        if work is not None and work.leaves:
            with suppress(asyncio.CancelledError):
                await self._means.workers.run(lambda _stop: work.discard())

    def _discard(self, item: _Item) -> None:
        if item.work is not None:
            item.work.discard()
            item.work = None

    def _end(self, item: _Item, state: State) -> None:
        item.live.to(state)
        item.ended.set()

    async def _sample(self) -> None:
        while self._running:
            for item in list(self._items.values()):
                item.live.sample()
            await asyncio.sleep(SAMPLE_INTERVAL)
        self._sampler = None
