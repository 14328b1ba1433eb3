"""One transfer as the manager carries it out, the scheduler that starts them, and the monitor of those under way."""

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
from cloudstore_tui.net.clock import Clock, SleepDetector
from cloudstore_tui.transfers.journal.store import JournalEntry, JournalStore
from cloudstore_tui.transfers.left_overs import remove_parts
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, TransferProgress, UploadRequest

if TYPE_CHECKING:
    from cloudstore_tui.transfers.fetch import TransferContext

_OPTIONS = {
    "org": "organisation",
    "client_id": "client id",
    "domain": "cloud",
    "api_base": "API address",
}
"""What tells accounts apart. No secret is among them."""


def account_of(profile: Profile) -> dict[str, str]:
    """The account, as the journal keeps it."""
    return {"provider": profile.provider} | {name: text for name in _OPTIONS if (text := profile.text(name))}


def check_account(profile: Profile, before: Mapping[str, str]) -> None:
    """Make sure that a profile is the account that a transfer was begun for; nothing is known of an empty one.

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
        hint="Use the configuration of then, or cancel the transfer and begin anew.",
    )


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

    def discard(self) -> StorageError | None:
        """Leave nothing behind; why something is. Blocks, unless there is nothing."""


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
            kept = await self._let_go(context(), state)
            if kept is not None and state is State.CANCELLED:
                return State.FAILED, kept
        return state, error

    async def give_up(self, context: "TransferContext") -> tuple[State, StorageError | None]:
        """Stop what rests, failed or waits for its turn, and leave nothing behind, not even of an earlier run.

        It has failed where the disk keeps what is to go, so that somebody knows of it.
        """
        await self._call_off()
        kept = await self._let_go(context, State.CANCELLED)
        return (State.CANCELLED, None) if kept is None else (State.FAILED, kept)

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
            self.journal_entry.note_state(state, note)

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

    async def _let_go(self, context: "TransferContext", state: State) -> StorageError | None:
        """Leave nothing behind: of this run, and, unless it failed, of an earlier one; why something is, if it is."""
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
                # Asked once more: it goes on in its thread.
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


Result: TypeAlias = tuple[State, StorageError | None]

MAX_TASKS = 4
"""Times as many transfers may have a task as may move bytes: the others are brought to the disk."""

SAMPLE_INTERVAL = 0.25
"""Seconds between two looks at the speed."""
WISH_INTERVAL = 1.0
"""Seconds between two looks at what other programs ask for."""


class Scheduler:
    """A queue of transfers, and those that were sent off from it."""

    def __init__(
        self,
        at_once: int,
        begin: Callable[[TransferTask], Coroutine[Any, Any, Result]],
        settled: Callable[[TransferTask, State, StorageError | None], None],
    ) -> None:
        """Make one.

        Args:
            at_once: transfers that may move bytes at the same time.
            begin: does what a transfer is about.
            settled: called with how that ended.
        """
        self._at_once = at_once
        self._begin = begin
        self._settled = settled
        self._queue: OrderedDict[TransferTask, None] = OrderedDict()
        self._tasks = 0
        self._lines = 0
        """How many of the tasks move bytes, or will."""
        self._closed = False

    def enqueue(self, task: TransferTask) -> None:
        """Let a transfer begin when it is its turn."""
        self._queue[task] = None
        self._next()

    def withdraw(self, task: TransferTask) -> None:
        """Take a transfer out of the queue, if it is in there."""
        self._queue.pop(task, None)

    def reorder(self, tasks: Sequence[TransferTask]) -> list[TransferTask]:
        """Let those of these that are in the queue begin in this order, in the places that they have together.

        Which ones are.
        """
        moved = [task for task in tasks if task in self._queue]
        places = set(moved)
        order = iter(moved)
        self._queue = OrderedDict((next(order) if task in places else task, None) for task in self._queue)
        return moved

    def send_off(self, task: TransferTask, doing: Coroutine[Any, Any, Result]) -> None:
        """Let a transfer do something now, out of turn."""
        self._tasks += 1
        self._lines += 1
        task.progress.release_slot = partial(self._free_line, task)
        task.running = asyncio.create_task(doing)
        task.running.add_done_callback(partial(self._settle, task))

    def close(self) -> None:
        """Let nothing begin any more."""
        self._closed = True
        self._queue.clear()

    def _next(self) -> None:
        while (
            self._queue and self._lines < self._at_once and self._tasks < MAX_TASKS * self._at_once and not self._closed
        ):
            task, _ = self._queue.popitem(last=False)
            self.send_off(task, self._begin(task))

    def _free_line(self, task: TransferTask) -> None:
        task.progress.release_slot = _nothing
        self._lines -= 1
        self._next()

    def _settle(self, task: TransferTask, running: asyncio.Task[Result]) -> None:
        state, error = State.PAUSED if task.rests else State.CANCELLED, None
        # A task that is cancelled before its first step never runs.
        if not running.cancelled():
            fault = running.exception()
            state, error = running.result() if fault is None else (State.FAILED, task.mistake(fault))
        task.running = None
        self._tasks -= 1
        self._settled(task, state, error)
        task.progress.release_slot()
        self._next()


def _nothing() -> None:
    """A slot that was released is not released again."""


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
            tasks: the transfers that are under way or rest, by id.
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
                task.progress.sample()
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
            for transfer_id, wish in (await self._journal.wishes()).items():
                if wish in self._orders:
                    self._orders[wish](transfer_id)
