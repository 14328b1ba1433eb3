"""One transfer as the manager carries it out, and the scheduler that starts them."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from cloudstore_tui.core.errors import ConfigError, IntegrityError, StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.left_overs import remove_parts
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, TransferProgress, UploadRequest

if TYPE_CHECKING:
    from cloudstore_tui.transfers.context import TransferContext

_OPTIONS = {
    "org": "organisation",
    "client_id": "client id",
    "domain": "cloud",
    "api_base": "API address",
}
"""The options of a profile that distinguish accounts, none of them secret, and their names in messages."""


def account_of(profile: Profile) -> dict[str, str]:
    """The account, as the journal keeps it."""
    return {"provider": profile.provider} | {name: text for name in _OPTIONS if (text := profile.text(name))}


def check_account(profile: Profile, before: Mapping[str, str]) -> None:
    """Make sure that a profile is the account that a transfer was begun for; an empty one is not checked.

    Raises:
        ConfigError: it is another one.
    """
    now = account_of(profile)
    if not before or now == before:
        return
    names = [name for name in ("provider", *_OPTIONS) if now.get(name) != before.get(name)]
    differences = ", ".join(
        f"its {_OPTIONS.get(name, name)} was {before.get(name) or 'not set'} and is {now.get(name) or 'not set'}"
        for name in names
    )
    raise ConfigError(
        f"the profile is another account than the transfer was begun with: {differences}",
        subject=profile.name,
        hint="Use the configuration of then, or cancel the transfer and start again.",
    )


_log = logging.getLogger(__name__)

_JOURNALED = frozenset({State.PACKING, State.RUNNING, State.WAITING, State.PAUSED, State.QUEUED})
"""States that other programs see; the others last a moment, or are noted together with their reason."""


class Work(Protocol):
    """A transfer in progress; another `run` continues where the last one stopped."""

    @property
    def can_resume(self) -> bool:
        """Whether another `run` can continue with what arrived."""

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""

    @property
    def finished(self) -> bool:
        """Whether all is done, so that there is nothing left to cancel."""

    async def run(self) -> State:
        """Return how it ended.

        Raises:
            StorageError: why it failed.
        """

    async def suspend(self) -> None:
        """Close files, and keep what arrived for a later run of the program."""

    async def call_off(self) -> None:
        """Stop what was started on the server; never fails."""

    def discard(self) -> StorageError | None:
        """Remove what arrived, and return why that was not possible. Blocks if there is something."""


Result: TypeAlias = tuple[State, StorageError | None]
"""How a transfer ended, and why it failed."""


def _note_state(journal_entry: JournalEntry, state: State, note: str) -> None:
    if state in _JOURNALED:
        journal_entry.note_state(state, note)


class TransferTask:
    """One transfer, carried out as often as the user wants."""

    def __init__(
        self,
        transfer_id: int,
        request: Request,
        clock: Clock,
        journal_entry: JournalEntry,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        self.progress = TransferProgress(transfer_id, request, clock, partial(_note_state, journal_entry), touched)
        self.journal_entry = journal_entry
        self.running: asyncio.Task[Result] | None = None
        self.ended = asyncio.Event()
        self.stopped_as = State.CANCELLED
        """The state that it is in once it was stopped: paused, if it is to continue later."""
        self._work: Work | None = None

    @property
    def address(self) -> str:
        """The subject of its errors."""
        return self.progress.request.location.address

    @property
    def leaves(self) -> bool:
        """Whether there is something to suspend or discard."""
        return self._work is not None and self._work.leaves

    def reset(self) -> None:
        """Prepare for the queue."""
        self.progress.again()
        self.stopped_as = State.CANCELLED
        self.ended.clear()

    def stop(self, state: State) -> None:
        """Cancel what is running; the transfer is paused or cancelled then."""
        self.stopped_as = state
        if self.running is not None:
            self.running.cancel()

    async def carry_out(
        self, provider_of: Callable[[str], StorageProvider], context: Callable[[], "TransferContext"]
    ) -> Result:
        """Run it; returns the state it is in then, and why it failed."""
        try:
            if self._work is None:
                self._work = self._new_work(provider_of(self.progress.request.location.profile), context())
            state, error = await self._work.run(), None
        except StorageError as failure:
            state, error = State.FAILED, failure.about(self.address)
        except Exception as fault:  # noqa: BLE001 - a mistake ends one transfer, not all
            state, error = State.FAILED, self.program_error(fault)
        except asyncio.CancelledError:
            state, error = State.DONE if self._work is not None and self._work.finished else self.stopped_as, None
            if state is State.CANCELLED:
                await self._call_off()
        if state is not State.PAUSED and not self._is_kept(error):
            kept = await self._discard(context(), state)
            if kept is not None and state is State.CANCELLED:
                return State.FAILED, kept
        return state, error

    async def give_up(self, context: "TransferContext") -> Result:
        """Cancel a transfer that is paused, failed or queued, and remove what arrived, also in an earlier run.

        If something cannot be removed, it has failed, so that the user learns of it.
        """
        await self._call_off()
        kept = await self._discard(context, State.CANCELLED)
        return (State.CANCELLED, None) if kept is None else (State.FAILED, kept)

    def program_error(self, fault: BaseException) -> StorageError:
        """The error for a mistake of the program; the log says more."""
        _log.error("transfer %010x: a mistake of the program", self.progress.transfer_id, exc_info=fault)
        return StorageError(
            f"internal error ({type(fault).__name__})",
            subject=self.address,
            hint="Please report what you did, with a log: CLOUDSTORE_LOG=FILE writes one.",
        )

    async def suspend(self, context: "TransferContext") -> None:
        """Keep what arrived for a later run of the program, or remove it if there is no journal to find it by."""
        work, self._work = self._work, None
        if work is None or not work.leaves:
            return
        if self.journal_entry.lasts:
            await work.suspend()
        else:
            await context.workers.run(lambda _stop: work.discard())

    async def _call_off(self) -> None:
        if self._work is not None:
            with suppress(asyncio.CancelledError):
                await self._work.call_off()

    def _is_kept(self, error: StorageError | None) -> bool:
        """Whether what arrived is kept after an end: if it may still be the object, and can be continued."""
        if error is None or isinstance(error, IntegrityError):
            return False
        lasts = error.retryable or self.journal_entry.lasts
        return lasts and self._work is not None and self._work.can_resume

    async def _discard(self, context: "TransferContext", state: State) -> StorageError | None:
        """Remove what arrived, and unless it failed also what an earlier run left; why that was not possible."""
        work, left = self._work, self.journal_entry.resume_state if state is not State.FAILED else None
        leaves = work is not None and work.leaves

        def clear() -> StorageError | None:
            kept = work.discard() if work is not None else None
            return kept or (remove_parts(context.disk, left) if left is not None else None)

        if leaves or left is not None:
            try:
                if (kept := await context.workers.run(lambda _stop: clear())) is not None:
                    return kept
            except StorageError as error:
                return error
            except asyncio.CancelledError:
                # Cancelled a second time: the removal continues in its thread.
                pass
        self._work = None
        if leaves and state is State.FAILED:
            self.journal_entry.forget_part()
        if state is not State.FAILED:
            self.journal_entry.resume_state = None
        return None

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


TASKS_PER_SLOT = 4
"""A transfer whose bytes have all come gives its slot to the next one, while its own task syncs and verifies."""


class Scheduler:
    """A queue of transfers, and the tasks of those that were started."""

    def __init__(
        self,
        slots: int,
        begin: Callable[[TransferTask], Coroutine[Any, Any, Result]],
        settled: Callable[[TransferTask, State, StorageError | None], None],
    ) -> None:
        """Start with an empty queue.

        Args:
            slots: transfers that may move bytes at the same time.
            begin: carries a transfer out.
            settled: called with how that ended.
        """
        self._slots = slots
        self._begin = begin
        self._settled = settled
        self._queue: OrderedDict[TransferTask, None] = OrderedDict()
        self._running = 0
        self._slots_taken = 0
        self._closed = False

    def enqueue(self, task: TransferTask) -> None:
        """Start a transfer when it is its turn."""
        self._queue[task] = None
        self._start_next()

    def withdraw(self, task: TransferTask) -> None:
        """Take a transfer out of the queue, if it is there."""
        self._queue.pop(task, None)

    def reorder(self, tasks: Sequence[TransferTask]) -> list[TransferTask]:
        """Sort these transfers among the places that they have in the queue; returns those that are in it."""
        queued = [task for task in tasks if task in self._queue]
        places = set(queued)
        order = iter(queued)
        self._queue = OrderedDict((next(order) if task in places else task, None) for task in self._queue)
        return queued

    def start(self, task: TransferTask, work: Coroutine[Any, Any, Result]) -> None:
        """Run something for a transfer now, out of turn."""
        self._running += 1
        self._slots_taken += 1
        task.progress.release_slot = partial(self._release_slot, task)
        task.running = asyncio.create_task(work)
        task.running.add_done_callback(partial(self._settle, task))

    def close(self) -> None:
        """Start nothing more."""
        self._closed = True
        self._queue.clear()

    def _start_next(self) -> None:
        while (
            self._queue
            and self._slots_taken < self._slots
            and self._running < TASKS_PER_SLOT * self._slots
            and not self._closed
        ):
            task, _ = self._queue.popitem(last=False)
            self.start(task, self._begin(task))

    def _release_slot(self, task: TransferTask) -> None:
        task.progress.release_slot = _nothing
        self._slots_taken -= 1
        self._start_next()

    def _settle(self, task: TransferTask, running: asyncio.Task[Result]) -> None:
        state, error = task.stopped_as, None
        # A task that is cancelled before its first step never runs.
        if not running.cancelled():
            fault = running.exception()
            state, error = running.result() if fault is None else (State.FAILED, task.program_error(fault))
        task.running = None
        self._running -= 1
        self._settled(task, state, error)
        task.progress.release_slot()
        self._start_next()


def _nothing() -> None:
    """A slot that was released is not released again."""
