"""A zip job on the server: started or taken over, and watched until it has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, StorageError, UnavailableError
from cloudstore_tui.core.links import ZIP_ABORTED, ZIP_FETCHABLE, ZIP_RUNNING, ZipStatus
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.text import plain
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.fetch import TransferContext
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import State, TransferProgress

Result = TypeVar("Result")

MAX_JOBS = 2

DEADLINE = 2 * 3600.0
"""Seconds that the service gets; the job is left to it then."""
_LONGEST_WORD = 40


class Turns:
    """Lets so many jobs be packed at once, and starts them one after the other.

    Two that start at the same moment could not be told apart where the service answers with its whole queue.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_JOBS)
        self._start = asyncio.Lock()

    @property
    def are_taken(self) -> bool:
        """Whether the next one has to wait."""
        return self._places.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the job is packed."""
        async with self._places:
            yield

    async def start(self, start: Callable[[], Awaitable[Result]]) -> Result:
        """Start a job while no other one is started."""
        async with self._start:
            return await start()


_TURNS: WeakKeyDictionary[StorageProvider, Turns] = WeakKeyDictionary()


def turns_of(provider: StorageProvider) -> Turns:
    """Those of a profile: the limit is the service's, for all that ask it."""
    if provider not in _TURNS:
        _TURNS[provider] = Turns()
    return _TURNS[provider]


class WatchedJob:
    """One job after another for one transfer, of which only the last counts."""

    def __init__(
        self,
        progress: TransferProgress,
        near: Location,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry,
    ) -> None:
        self._progress = progress
        self._near = near
        self._provider = provider
        self._context = context
        self._journal = journal_entry
        self.name = ""
        """The service's name of the job; empty while there is none."""
        self.word = ""
        """What the service last said of it."""
        self.count = 0
        """Objects that the service names for it; 0 if it names none."""
        self._is_ours = False
        self._turns = turns_of(provider)

    @property
    def has_ended(self) -> bool:
        """Whether the service is done with it. What it says later does not change that."""
        return self.word in ZIP_FETCHABLE | ZIP_ABORTED

    def take_over(self, name: str, *, ours: bool) -> None:
        """Go on with a job that is on the server already."""
        self.name, self.word, self._is_ours = name, "", ours

    async def start(self, locations: Sequence[Location]) -> None:
        """Start a new one; that it is about to be started is on the disk before it is.

        Raises:
            JobError: the service did not start one.
            StorageError: it could not be asked, or nobody knows which job is ours.
        """
        self.name = self.word = ""
        if self._turns.are_taken:
            self._progress.to(State.PACKING, "waits until another zip is packed")
        async with self._turns.turn():
            self._progress.to(State.PACKING, "the zip is asked for")
            self._journal.note(intent=self._context.clock.now().timestamp(), zip="")
            await self._journal.settled()
            failpoint("zip_intent")
            job = await self._turns.start(lambda: self._provider.start_zip(locations))
            self.name, self.word, self._is_ours = job.name, job.status.upper(), True
            failpoint("zip_started")
            self._journal.note(zip=job.name, intent=0.0)
            await self._journal.settled()
            await self._watch(len(locations))

    async def watch(self, count: int) -> None:
        """Ask until it has ended; `count` objects are in it, 0 if nobody knows.

        Raises:
            MissingError: it is no longer there.
            UnavailableError: it did not end in time.
        """
        if self.has_ended:
            return
        async with self._turns.turn():
            await self._look()
            await self._watch(count)

    def leave(self) -> None:
        """Have no job any more."""
        self.name = self.word = ""
        self._journal.note(zip="")
        if self._journal.resume_state is not None:
            self._journal.resume_state = replace(self._journal.resume_state, zip="")

    def doubt(self) -> None:
        """Forget that it has ended, so that it is asked for again."""
        self.word = ""

    async def call_off(self) -> None:
        """Stop it on the server, if it is ours and still runs. Whether that works does not matter to anybody."""
        if self.name and self._is_ours and not self.has_ended:
            with suppress(StorageError):
                await self._provider.cancel_zip(self._near.region, self.name)
            self.word = ZipStatus.CANCELLED

    async def _watch(self, count: int) -> None:
        clock, polls = self._context.clock, self._context.polls or (5,)
        since, asked = clock.monotonic(), 0
        while not self.has_ended:
            if clock.monotonic() - since > DEADLINE:
                raise UnavailableError(
                    f"the service has not packed the zip within {DEADLINE / 3600:.0f} hours",
                    hint="It was not cancelled; try again later to fetch it.",
                )
            self._progress.to(State.PACKING, self._note(count))
            await clock.sleep(polls[min(asked, len(polls) - 1)])
            asked += 1
            await self._look()

    async def _look(self) -> None:
        """Ask once, with as many tries as that takes."""
        budget = self._context.budget()
        while True:
            try:
                with budget.owning_retries():
                    job = await self._provider.zip_job(self._near.region, self.name)
            except MissingError:
                self.name = self.word = ""
                raise
            except StorageError as error:
                await budget.wait(error, lambda note: self._progress.to(State.WAITING, note))
            else:
                self.word, self.count = job.status.upper(), len(job.content)
                return

    def _note(self, count: int) -> str:
        known = not self.word or self.word in ZIP_RUNNING
        said = "" if known else f"; the service says {plain(self.word, _LONGEST_WORD)}"
        objects = f", {count} object{'' if count == 1 else 's'}" if count else ""
        return f"packed on the server{objects}{said}"
