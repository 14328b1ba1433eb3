"""One transfer as the engine carries it out: its task, its work, its page in the journal."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.download import Download
from cloudstore_tui.transfers.journal.entry import JournalEntry
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, UploadRequest
from cloudstore_tui.transfers.upload import Upload
from cloudstore_tui.transfers.zip.zip_download import ZipDownload

MISTAKE = StorageError("the program made a mistake", hint="Please report what you did.")

_WRITTEN_DOWN = frozenset({State.PACKING, State.RUNNING, State.WAITING, State.PAUSED, State.QUEUED})
"""States that other programs see; the others last a moment, or are written down with their reason."""


class Work(Protocol):
    """What a transfer does; `run` again goes on where it stopped."""

    @property
    def can_go_on(self) -> bool:
        """Whether something arrived that another `run` can build upon."""

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""

    @property
    def finished(self) -> bool:
        """Whether all is done, so that nothing can be cancelled any more."""

    async def run(self) -> State:
        """How it ended.

        Raises:
            StorageError: why it failed.
        """

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program."""

    async def call_off(self) -> None:
        """Stop what was started on the server and is not wanted any more; never fails."""

    def discard(self) -> None:
        """Leave nothing behind. Blocks, unless there is nothing."""


class TransferTask:
    """Carries one transfer out, as often as that is wanted."""

    def __init__(self, number: int, request: Request, clock: Clock, journal_entry: JournalEntry) -> None:
        self.live = LiveTransfer(number, request, clock, self._write_down)
        self.journal_entry = journal_entry
        self.running: asyncio.Task[tuple[State, StorageError | None]] | None = None
        self.ended = asyncio.Event()
        self.rests = False
        """Whether it is stopped in order to go on later."""
        self._work: Work | None = None

    @property
    def leaves(self) -> bool:
        """Whether there is something to suspend or discard."""
        return self._work is not None and self._work.leaves

    async def carry_out(
        self, provider_of: Callable[[str], StorageProvider], context: Callable[[], TransferContext]
    ) -> tuple[State, StorageError | None]:
        """Do it; the state it is in then, and why it failed."""
        try:
            if self._work is None:
                self._work = self._new_work(provider_of(self.live.request.location.profile), context())
            state, error = await self._work.run(), None
        except StorageError as failure:
            state, error = State.FAILED, failure.about(self.live.request.location.address)
        except asyncio.CancelledError:
            state, error = self._stopped(), None
            if state is State.CANCELLED:
                await self._call_off()
        if state is not State.PAUSED and not self._may_go_on(error):
            await self._let_go(context())
        return state, error

    async def give_up(self) -> tuple[State, StorageError | None]:
        """Stop what rests or waits for its turn, and leave nothing behind."""
        await self._call_off()
        self.discard()
        return State.CANCELLED, None

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program; without a journal that would never come."""
        work, self._work = self._work, None
        if work is None or not work.leaves:
            return
        if self.journal_entry.lasts:
            await work.suspend()
        else:
            work.discard()

    def discard(self) -> None:
        """Leave nothing behind. Blocks, unless there is nothing."""
        work, self._work = self._work, None
        if work is not None:
            work.discard()

    def _write_down(self, state: State, note: str) -> None:
        if state in _WRITTEN_DOWN:
            self.journal_entry.note(state=state.value, reason=note)

    async def _call_off(self) -> None:
        if self._work is not None:
            with suppress(asyncio.CancelledError):
                await self._work.call_off()

    def _stopped(self) -> State:
        if self._work is not None and self._work.finished:
            return State.DONE
        return State.PAUSED if self.rests else State.CANCELLED

    def _may_go_on(self, error: StorageError | None) -> bool:
        return error is not None and error.retryable and self._work is not None and self._work.can_go_on

    async def _let_go(self, context: TransferContext) -> None:
        work, self._work = self._work, None
        if work is not None and work.leaves:
            with suppress(asyncio.CancelledError):
                await context.workers.run(lambda _stop: work.discard())

    def _new_work(self, provider: StorageProvider, context: TransferContext) -> Work:
        request = self.live.request
        if isinstance(request, DownloadRequest):
            return Download(self.live, request, provider, context, self.journal_entry)
        if isinstance(request, UploadRequest):
            return Upload(self.live, request, provider, context, self.journal_entry)
        return ZipDownload(self.live, request, provider, context, self.journal_entry)
