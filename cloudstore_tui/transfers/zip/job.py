"""A zip job on the server: started or adopted, and watched until it has ended."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from weakref import WeakKeyDictionary

from msgspec import Struct, field
from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, StorageError, UnavailableError
from cloudstore_tui.core.links import ZIP_ABORTED, ZIP_FETCHABLE, ZIP_RUNNING, ZipStatus
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.text import plain
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import State, TransferProgress

DEADLINE_S = 2 * 3600.0
"""Seconds that the service gets to pack a zip; after that the job is left to it."""
MAX_JOBS = 2
_MAX_STATUS_LENGTH = 40


class JobLimits(Struct):
    """What jobs of one profile wait for."""

    packing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_JOBS))
    """Held while a job is packed."""
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a job is started: if the service answers with its whole queue, two new jobs look the same."""


_LIMITS: WeakKeyDictionary[StorageProvider, JobLimits] = WeakKeyDictionary()


class WatchedJob:
    """The present job of one transfer, which may need several, one after another."""

    def __init__(
        self,
        progress: TransferProgress,
        location: Location,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry,
    ) -> None:
        self._progress = progress
        self._location = location
        self._provider = provider
        self._context = context
        self._journal = journal_entry
        self.name = ""
        """The service's name for the job; empty if there is none."""
        self.status = ""
        """What the service last said of it, in capitals; empty before it was asked."""
        self.count = 0
        """Objects in it, by the service; 0 if the service does not list them."""
        self._is_ours = False
        self._limits = _LIMITS.setdefault(provider, JobLimits())

    @property
    def has_ended(self) -> bool:
        """Whether the service is done with it, whatever it says later."""
        return self.status in ZIP_FETCHABLE | ZIP_ABORTED

    def adopt(self, name: str, *, ours: bool) -> None:
        """Continue with a job that is on the server already; one that is ours may be cancelled."""
        self.name, self.status, self._is_ours = name, "", ours

    async def start(self, locations: Sequence[Location]) -> None:
        """Start a new one, after noting that in the journal, and watch it until it has ended.

        Raises:
            JobError: the service did not start one.
            StorageError: the service could not be asked, or it is unknown which job is ours.
        """
        self.name = self.status = ""
        if self._limits.packing.locked():
            self._progress.to(State.PACKING, "waits until another zip is packed")
        async with self._limits.packing:
            self._progress.to(State.PACKING, "the zip is asked for")
            self._journal.note(intent=self._context.clock.now().timestamp(), zip="")
            await self._journal.settled()
            failpoint("zip_intent")
            async with self._limits.starting:
                job = await self._provider.start_zip(locations)
            self.name, self.status, self._is_ours = job.name, job.status.upper(), True
            failpoint("zip_started")
            self._journal.note(zip=job.name, intent=0.0)
            await self._journal.settled()
            await self._watch(len(locations))

    async def watch(self, count: int) -> None:
        """Ask until it has ended; `count` objects are in it, 0 if that is unknown.

        Raises:
            MissingError: it is no longer on the server.
            UnavailableError: it did not end in time.
        """
        if self.has_ended:
            return
        async with self._limits.packing:
            await self._ask()
            await self._watch(count)

    def forget(self) -> None:
        """Leave the job to the server."""
        self.name = self.status = ""
        self._journal.note(zip="")
        if self._journal.resume_state is not None:
            self._journal.resume_state = replace(self._journal.resume_state, zip="")

    def recheck(self) -> None:
        """Forget that it has ended, so that the service is asked again."""
        self.status = ""

    async def call_off(self) -> None:
        """Stop it on the server, if it is ours and still runs; never fails."""
        if self.name and self._is_ours and not self.has_ended:
            with suppress(StorageError):
                await self._provider.cancel_zip(self._location.region, self.name)
            self.status = ZipStatus.CANCELLED

    async def _watch(self, count: int) -> None:
        clock, polls = self._context.clock, self._context.polls or (5,)
        since, asked = clock.monotonic(), 0
        while not self.has_ended:
            if clock.monotonic() - since > DEADLINE_S:
                raise UnavailableError(
                    f"the service has not packed the zip within {DEADLINE_S / 3600:.0f} hours",
                    hint="The job was not cancelled; try again later to fetch its zip.",
                )
            self._progress.to(State.PACKING, self._note(count))
            await clock.sleep(polls[min(asked, len(polls) - 1)])
            asked += 1
            await self._ask()

    async def _ask(self) -> None:
        """Ask the service how far it is, with as many tries as that takes."""
        budget = self._context.budget()
        while True:
            try:
                with budget.owning_retries():
                    job = await self._provider.zip_job(self._location.region, self.name)
            except MissingError:
                self.name = self.status = ""
                raise
            except StorageError as error:
                await budget.wait(error, self._progress.wait)
            else:
                self.status, self.count = job.status.upper(), len(job.content)
                return

    def _note(self, count: int) -> str:
        known = not self.status or self.status in ZIP_RUNNING
        said = "" if known else f"; the service says {plain(self.status, _MAX_STATUS_LENGTH)}"
        objects = f", {count} object{'' if count == 1 else 's'}" if count else ""
        return f"packed on the server{objects}{said}"
