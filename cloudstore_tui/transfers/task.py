"""One transfer as the manager carries it out: what it does, and its entry in the journal."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.transfers.account import check_account
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.left_overs import remove_parts
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, TransferProgress, UploadRequest

if TYPE_CHECKING:
    from cloudstore_tui.transfers.context import TransferContext

_log = logging.getLogger(__name__)

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

    def __init__(
        self,
        transfer_id: int,
        request: Request,
        clock: Clock,
        journal_entry: JournalEntry,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        self.progress = TransferProgress(transfer_id, request, clock, self._write_down, touched)
        self.journal_entry = journal_entry
        self.running: asyncio.Task[tuple[State, StorageError | None]] | None = None
        self.ended = asyncio.Event()
        self.rests = False
        """Whether it is stopped in order to go on later."""
        self._work: Work | None = None

    @property
    def address(self) -> str:
        """What its errors are about."""
        return self.progress.request.location.address

    @property
    def leaves(self) -> bool:
        """Whether there is something to suspend or discard."""
        return self._work is not None and self._work.leaves

    async def carry_out(
        self, provider_of: Callable[[str], StorageProvider], context: Callable[[], "TransferContext"]
    ) -> tuple[State, StorageError | None]:
        """Do it; the state it is in then, and why it failed."""
        try:
            if self._work is None:
                self._work = self._new_work(provider_of(self.progress.request.location.profile), context())
            state, error = await self._work.run(), None
        except StorageError as failure:
            state, error = State.FAILED, failure.about(self.address)
        except Exception as fault:  # noqa: BLE001 - a mistake ends one transfer, not all
            state, error = State.FAILED, self.mistake(fault)
        except asyncio.CancelledError:
            state, error = self._stopped(), None
            if state is State.CANCELLED:
                await self._call_off()
        if state is not State.PAUSED and not self._may_go_on(error):
            await self._let_go(context(), state)
        return state, error

    async def give_up(self, context: "TransferContext") -> tuple[State, StorageError | None]:
        """Stop what rests, failed or waits for its turn, and leave nothing behind, not even of an earlier run."""
        await self._call_off()
        await self._let_go(context, State.CANCELLED)
        return State.CANCELLED, None

    def mistake(self, fault: BaseException) -> StorageError:
        """The error for something that can only be a mistake of the program; the log tells more."""
        _log.error("transfer %010x: a mistake of the program", self.progress.transfer_id, exc_info=fault)
        return StorageError(
            f"the program made a mistake ({type(fault).__name__})",
            subject=self.address,
            hint="Please report what you did, with a log: CLOUDSTORE_LOG=FILE writes one.",
        )

    async def suspend(self, context: "TransferContext") -> None:
        """Leave what arrived, for a later run of the program; without a journal that would never come."""
        work, self._work = self._work, None
        if work is None or not work.leaves:
            return
        if self.journal_entry.lasts:
            await work.suspend()
        else:
            await context.workers.run(lambda _stop: work.discard())

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
        """Whether what arrived is kept: all that may still be the object."""
        if error is None or isinstance(error, IntegrityError):
            return False
        lasts = error.retryable or self.journal_entry.lasts
        return lasts and self._work is not None and self._work.can_go_on

    async def _let_go(self, context: "TransferContext", state: State) -> None:
        """Leave nothing behind: of this run, and, unless it failed, of an earlier one."""
        work, self._work = self._work, None
        left = self.journal_entry.resume_state if state is not State.FAILED else None

        def clear() -> None:
            if work is not None:
                work.discard()
            if left is not None:
                remove_parts(context.disk, left)

        leaves = work is not None and work.leaves
        if leaves or left is not None:
            with suppress(asyncio.CancelledError, StorageError):
                await context.workers.run(lambda _stop: clear())
        if leaves and state is State.FAILED:
            self.journal_entry.forget_part()
        if state is not State.FAILED:
            self.journal_entry.resume_state = None

    def _new_work(self, provider: StorageProvider, context: "TransferContext") -> Work:
        request, left = self.progress.request, self.journal_entry.resume_state
        if left is not None:
            if left.error is not None:
                raise left.error
            check_account(provider.profile, left.account)
        # Deferred: a program that starts transfers nothing yet, and most never pack zips or send files.
        if isinstance(request, DownloadRequest):
            from cloudstore_tui.transfers.download import Download

            return Download(self.progress, request, provider, context, self.journal_entry)
        if isinstance(request, UploadRequest):
            from cloudstore_tui.transfers.upload import Upload

            return Upload(self.progress, request, provider, context, self.journal_entry)
        from cloudstore_tui.transfers.zip.download import ZipDownload

        return ZipDownload(self.progress, request, provider, context, self.journal_entry)
