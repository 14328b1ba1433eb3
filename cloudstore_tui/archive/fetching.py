"""Hands the objects of a plan to the engine, a few at a time, and notes what becomes of them."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.item import Fate, Item, key_of
from cloudstore_tui.archive.options import PullOptions, Via
from cloudstore_tui.archive.plan import PullPlan
from cloudstore_tui.archive.recorder import Outcome, Recorder, below
from cloudstore_tui.archive.steps import Steps, downloads_of
from cloudstore_tui.core.errors import (
    AccessError,
    InterruptedTransfer,
    JobError,
    LocalDiskError,
    LoginError,
    StorageError,
    UnavailableError,
)
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, TransferSnapshot, ZipRequest
from cloudstore_tui.transfers.workers import Workers

MOST_SINGLE = 64
"""Downloads handed over at once: enough to keep the engine busy, few enough to cost no memory."""
MOST_ZIPS = 3
"""One that is fetched while two others are packed."""
MOST_FAILURES = 5
"""Transfers in a row that fail because of the network, the disk or the login, after which the rest is not tried."""

_EVERYWHERE = (UnavailableError, LocalDiskError, AccessError)

Before = tuple[int, int, int] | None
"""What had the name of an object before it was asked for: inode, size, time."""


class Fetching:
    """One run over the missing objects of a plan."""

    def __init__(
        self, plan: PullPlan, folder: PullFolder, recorder: Recorder, options: PullOptions, engine: TransferManager
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._recorder = recorder
        self._steps = Steps(plan, folder, options.on_conflict)
        self._fetches_single = options.via is Via.AUTO
        self._engine = engine
        self._workers = Workers(1)
        self._open: dict[asyncio.Task[TransferSnapshot], Request] = {}
        self._before: dict[str, Before] = {}
        self._again: list[DownloadRequest] = []
        self._failures = 0
        self._given_up: StorageError | None = None
        self.done = 0
        """Objects that came to an end."""
        self.size = 0
        """Bytes that were fetched."""

    async def run(self, *, zips: bool) -> None:
        """Fetch everything that is wanted; afterwards nothing is."""
        try:
            await self._adopt()
            for step in self._steps.packed() if zips else self._steps.single():
                if isinstance(step, Outcome):
                    await self._record([step])
                else:
                    await self._submit(step)
                if self._given_up:
                    break
            while (self._open or self._again) and not self._given_up:
                await self._collect()
        finally:
            # What is not done stays with the engine, which leaves it for the next run.
            for task in self._open:
                task.cancel()
            self._workers.close()
        if self._given_up:
            await self._give_up(self._given_up)

    async def _adopt(self) -> None:
        """Go on with what an earlier run of this pull was about when it was ended."""
        ours: dict[int, Request] = {}
        for transfer in await self._engine.left_overs.interrupted():
            requests = downloads_of(transfer.request)
            if requests and all(self._is_ours(request) for request in requests):
                ours[transfer.id] = transfer.request
        for number in await self._engine.adopt(ours) if ours else ():
            for request in downloads_of(ours[number]):
                item = self._item(request)
                if item is not None and self._plan.fate(item) is Fate.WANTED:
                    self._before[item.key] = self._state_of(item)
                    self._plan.note(item, Fate.UNDER_WAY)
            self._watch(number, ours[number])

    def _is_ours(self, request: DownloadRequest) -> bool:
        item = self._item(request)
        return item is not None and item.path == below(self._folder.path, request.folder / request.name)

    def _item(self, request: Request) -> Item | None:
        return self._plan.find(key_of(request.location))

    async def _submit(self, request: Request) -> None:
        looked = await self._workers.run(lambda _stop: self._look(request))
        while looked is not None and self._is_full(looked) and not self._given_up:
            await self._collect()
        if looked is not None and not self._given_up:
            self._watch(self._engine.submit(looked), looked)

    def _look(self, request: Request) -> Request | None:
        """The request without what may not be written; remembers what is there. Blocks."""
        good = tuple(one for one in downloads_of(request) if self._may_begin(one))
        if not good:
            return None
        return replace(request, members=good) if isinstance(request, ZipRequest) else request

    def _may_begin(self, request: DownloadRequest) -> bool:
        item = self._item(request)
        if item is None:
            return False
        if refusal := self._folder.refusal(item.path):
            self._recorder.note(Outcome(item, Fate.MISSING, error=refusal))
            self.done += 1
            return False
        self._before[item.key] = self._state_of(item)
        return True

    def _state_of(self, item: Item) -> Before:
        found = self._folder.look(item.path)
        return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)

    def _is_full(self, request: Request) -> bool:
        zips = sum(isinstance(one, ZipRequest) for one in self._open.values())
        if isinstance(request, ZipRequest):
            return zips >= MOST_ZIPS
        return len(self._open) - zips >= MOST_SINGLE

    def _watch(self, number: int, request: Request) -> None:
        self._open[asyncio.ensure_future(self._engine.wait(number))] = request

    async def _collect(self) -> None:
        """Wait until a transfer has ended, and note what came of it."""
        if not self._open:
            await self._submit(self._again.pop())
            return
        ended, _ = await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            request, transfer = self._open.pop(task), task.result()
            await self._record(self._outcomes(request, transfer))
            self._judge(transfer)
            if transfer.error is None or not transfer.error.retryable:
                self._engine.forget(transfer.id)

    async def _record(self, outcomes: Iterable[Outcome]) -> None:
        def note() -> None:
            for outcome in outcomes:
                self._recorder.note(outcome)
                self.done += 1

        await self._workers.run(lambda _stop: note())

    def _outcomes(self, request: Request, transfer: TransferSnapshot) -> list[Outcome]:
        parts = self._engine.members(transfer.id) if isinstance(request, ZipRequest) else (transfer,)
        found = ((self._item(part.request), part) for part in parts)
        return [self._outcome(item, part) for item, part in found if item is not None and not self._is_again(part)]

    def _outcome(self, item: Item, part: TransferSnapshot) -> Outcome:
        before = self._before.pop(item.key, None)
        if part.state is State.DONE:
            path = below(self._folder.path, part.path)
            is_new = before is None or path != item.path or before != self._state_of(item)
            self.size += (part.size or 0) if is_new else 0
            return Outcome(item, Fate.FETCHED if is_new else Fate.HAD, path, part.level, part.sha256)
        if part.state is State.SKIPPED:
            return Outcome(item, Fate.SKIPPED)
        return Outcome(item, Fate.MISSING, error=part.error or InterruptedTransfer("it was stopped"))

    def _is_again(self, part: TransferSnapshot) -> bool:
        """Whether an object that no zip brought is asked for by itself."""
        request = part.request
        if not isinstance(part.error, JobError) or not self._fetches_single:
            return False
        if isinstance(request, DownloadRequest):
            self._again.append(request)
        return isinstance(request, DownloadRequest)

    def _judge(self, transfer: TransferSnapshot) -> None:
        """Give up where everything else would fail, too."""
        error = transfer.error
        self._failures = self._failures + 1 if isinstance(error, _EVERYWHERE) else 0
        if isinstance(error, LoginError) or self._failures >= MOST_FAILURES:
            self._given_up = error

    async def _give_up(self, error: StorageError) -> None:
        """All that was not tried is missing for the same reason."""
        for fate in (Fate.WANTED, Fate.UNDER_WAY):
            for item in self._plan.items(fate):
                self._recorder.note(Outcome(item, Fate.MISSING, error=error))
