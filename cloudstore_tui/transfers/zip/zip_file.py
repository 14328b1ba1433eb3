"""The zip itself while it is fetched and opened: a part file like that of any download."""

from contextlib import suppress
from functools import partial

from cloudstore_tui.core.errors import IntegrityError, StorageError, UsageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import is_segment
from cloudstore_tui.net.retry import RetryBudget
from cloudstore_tui.transfers.beside import Beside
from cloudstore_tui.transfers.checkpoint import Checkpoints
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.destination import Destination
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.fetch import Fetch
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.model import OnConflict, State, ZipRequest
from cloudstore_tui.transfers.part_file import PartFile, remove_left
from cloudstore_tui.transfers.part_names import PartNames, part_id_of
from cloudstore_tui.transfers.verify import needed
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.archive import Archive, Limits


class FetchedZip:
    """The zip of one job. `fetch` again goes on where it stopped; that of another job replaces it."""

    def __init__(
        self,
        live: LiveTransfer,
        request: ZipRequest,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry,
    ) -> None:
        self._live = live
        self._request = request
        self._provider = provider
        self._context = context
        self._journal = journal_entry
        self._name = ""
        self._part: PartFile | None = None
        self._fetch: Fetch | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something to discard."""
        return self._part is not None and self._part.is_open

    @property
    def offset(self) -> int:
        """Bytes that arrived."""
        return self._part.offset if self._part is not None else 0

    async def fetch(self, name: str) -> None:
        """Bring all bytes of the zip of a job to the disk.

        Raises:
            MissingError: it is not there.
            StorageError: it cannot be had.
        """
        part = await self._open(name)
        fetch = self._fetch_of(name, part)
        self._live.meter = lambda: part.offset
        checkpoints = self._checkpoints(part, fetch)
        async with Beside(checkpoints.repeat):
            await fetch.run(part)
        await checkpoints.take()

    async def open(self, limits: Limits) -> Archive:
        """The zip as an archive.

        Raises:
            IntegrityError: it is not whole.
            UnsafeError: it cannot be trusted.
        """
        part = self._fetched
        return await self._context.workers.run(lambda _stop: Archive(part.read, part.offset, limits))

    async def keep(self, name: str, on_conflict: OnConflict) -> None:
        """Give the zip a name of its own.

        Raises:
            ConflictError: another file has the name.
            IntegrityError: it is not what the store says.
        """
        if not is_segment(name):
            raise UsageError("is no name for a file", subject=name, hint="Give a name without /.")
        self._live.to(State.VERIFYING)
        destination = Destination(self._context.disk, self._request.target, name, self._name, on_conflict)
        await self._context.workers.run(partial(self._publish, destination))

    async def forget(self) -> None:
        """Begin anew, with no byte."""
        part, fetch = self._fetched, self._fetch
        if fetch is not None:
            await self._context.workers.run(lambda _stop: fetch.forget(part))

    async def clear(self) -> None:
        """Remove the zip, also one that an earlier run left."""
        await self._context.workers.run(lambda _stop: self._remove())

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program."""
        part, fetch = self._part, self._fetch
        if part is None or not part.is_open:
            return
        if fetch is not None:
            with suppress(StorageError):
                await self._checkpoints(part, fetch).take()
        await self._context.workers.run(lambda _stop: part.leave())

    def discard(self) -> None:
        """Leave nothing behind. Blocks, unless there is nothing."""
        if self._part is not None:
            self._part.discard()
        self._part = self._fetch = None

    def _remove(self) -> None:
        self.discard()
        if self._journal.resume_state is not None:
            remove_left(self._context.disk, self._request.target, self._journal.resume_state)

    @property
    def _fetched(self) -> PartFile:
        if self._part is None:
            raise IntegrityError("nothing was fetched yet")
        return self._part

    async def _open(self, name: str) -> PartFile:
        if self._part is not None and self._part.is_open and self._name == name:
            return self._part
        await self._context.workers.run(lambda _stop: self.discard())
        context, journal_entry, folder = self._context, self._journal, self._request.target
        near = self._request.location
        profile = self._provider.profile
        location = Location(near.profile, near.region, name)
        part_id = part_id_of(profile.provider, profile.name, location, folder.path / name)
        names = PartNames.of(part_id)
        await journal_entry.begin(part_id, names)
        left = journal_entry.resume_state
        part = PartFile(context.disk, context.space, folder, names, journal_entry.forget_bytes)
        failpoint("journal_row")
        self._part, self._name = part, name
        await context.workers.run(lambda _stop: part.open(left))
        if left is not None and left.part not in ("", part.name):
            await context.workers.run(lambda _stop: remove_left(context.disk, folder, left))
        journal_entry.note(part=part.name, inode=part.inode, durable=part.durable)
        return part

    def _fetch_of(self, name: str, part: PartFile) -> Fetch:
        """What fetches; at first it learns what an earlier run knew of the bytes that are there."""
        context, region = self._context, self._request.location.region
        if self._fetch is None:
            self._fetch = Fetch(context, lambda: self._provider.zip_source(region, name), self._live, html=False)
            if part.offset and self._journal.resume_state is not None:
                self._fetch.resume(self._journal.resume_state.size, self._journal.resume_state.etag)
        self._fetch.patience = RetryBudget(context.clock, context.give_up, context.timeouts.disk)
        return self._fetch

    def _checkpoints(self, part: PartFile, fetch: Fetch) -> Checkpoints:
        return Checkpoints(part, self._journal, self._context.workers, lambda: fetch.version)

    def _publish(self, destination: Destination, stop: Stop) -> None:
        part, fetch = self._fetched, self._fetch
        content = part.content(stop)
        if fetch is None:
            raise IntegrityError("nothing was fetched yet")
        digests = content.digests(needed(fetch.expected))
        result = content.verify(fetch.expected, digests)
        if result.contradiction:
            raise IntegrityError(f"the zip arrived damaged: {result.contradiction}", hint="Fetch it again.")
        self._live.path = destination.publish(part, digests, stop)
        self._live.level = result.level
