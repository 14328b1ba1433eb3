"""The zip itself while it is fetched and opened: a part file like that of any download."""

from contextlib import suppress
from functools import partial

from cloudstore_tui.core.errors import IntegrityError, StorageError, UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import is_segment
from cloudstore_tui.net.patience import Patience
from cloudstore_tui.transfers.beside import Beside
from cloudstore_tui.transfers.checkpoint import Checkpoints
from cloudstore_tui.transfers.crash_point import crash_point
from cloudstore_tui.transfers.fetch import Fetch
from cloudstore_tui.transfers.landing import Landing
from cloudstore_tui.transfers.ledger import Ledger
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.means import Means
from cloudstore_tui.transfers.open_part import remove_left
from cloudstore_tui.transfers.part import PartFile
from cloudstore_tui.transfers.tid import tid_of
from cloudstore_tui.transfers.transfer import OnConflict, State, ZipRequest
from cloudstore_tui.transfers.verify import needed
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zips.archive import Archive, Limits


class FetchedZip:
    """The zip of one job. `fetch` again goes on where it stopped; that of another job replaces it."""

    def __init__(
        self, live: LiveTransfer, request: ZipRequest, provider: StorageProvider, means: Means, ledger: Ledger
    ) -> None:
        self._live = live
        self._request = request
        self._provider = provider
        self._means = means
        self._ledger = ledger
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
        return await self._means.workers.run(lambda _stop: Archive(part.read, part.offset, limits))

    async def keep(self, name: str, on_conflict: OnConflict) -> None:
        """Give the zip a name of its own.

        Raises:
            ConflictError: another file has the name.
            IntegrityError: it is not what the store says.
        """
        if not is_segment(name):
            raise UsageError("is no name for a file", subject=name, hint="Give a name without /.")
        self._live.to(State.VERIFYING)
        landing = Landing(self._means.disk, self._request.folder, name, self._name, on_conflict)
        await self._means.workers.run(partial(self._publish, landing))

    async def forget(self) -> None:
        """Begin anew, with no byte."""
        part, fetch = self._fetched, self._fetch
        if fetch is not None:
            await self._means.workers.run(lambda _stop: fetch.forget(part))

    async def clear(self) -> None:
        """Remove the zip, also one that an earlier run left."""
        await self._means.workers.run(lambda _stop: self._remove())

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program."""
        part, fetch = self._part, self._fetch
        if part is None or not part.is_open:
            return
        if fetch is not None:
            with suppress(StorageError):
                await self._checkpoints(part, fetch).take()
        part.leave()

    def discard(self) -> None:
        """Leave nothing behind. Blocks, unless there is nothing."""
        if self._part is not None:
            self._part.discard()
        self._part = self._fetch = None

    def _remove(self) -> None:
        self.discard()
        if self._ledger.kept is not None:
            remove_left(self._means.disk, self._request.folder, self._ledger.kept)

    @property
    def _fetched(self) -> PartFile:
        if self._part is None:
            raise IntegrityError("nothing was fetched yet")
        return self._part

    async def _open(self, name: str) -> PartFile:
        if self._part is not None and self._name == name:
            return self._part
        await self._means.workers.run(lambda _stop: self.discard())
        means, ledger, folder = self._means, self._ledger, self._request.folder
        near = self._request.location
        tid = tid_of(self._provider.profile, Location(near.profile, near.region, name), folder / name)
        await ledger.begin(tid)
        kept = ledger.kept
        part = PartFile(means.disk, means.space, folder, tid, ledger.forget_bytes)
        crash_point("journal_row")
        await means.workers.run(lambda _stop: part.open(kept))
        self._part, self._name = part, name
        if kept is not None and kept.part not in ("", part.name):
            await means.workers.run(lambda _stop: remove_left(means.disk, folder, kept))
        ledger.note(part=part.name, inode=part.inode, durable=part.durable)
        return part

    def _fetch_of(self, name: str, part: PartFile) -> Fetch:
        """What fetches; at first it learns what an earlier run knew of the bytes that are there."""
        means, region = self._means, self._request.location.region
        if self._fetch is None:
            self._fetch = Fetch(means, lambda: self._provider.zip_source(region, name), self._live, html=False)
            if part.offset and self._ledger.kept is not None:
                self._fetch.resume(self._ledger.kept.size, self._ledger.kept.etag)
        self._fetch.patience = Patience(means.clock, means.give_up, means.timeouts.disk)
        return self._fetch

    def _checkpoints(self, part: PartFile, fetch: Fetch) -> Checkpoints:
        return Checkpoints(part, self._ledger, self._means.workers, lambda: fetch.version)

    def _publish(self, landing: Landing, stop: Stop) -> None:
        part, fetch = self._fetched, self._fetch
        content = part.content(stop)
        if fetch is None:
            raise IntegrityError("nothing was fetched yet")
        digests = content.digests(needed(fetch.claim))
        verdict = content.verify(fetch.claim, digests)
        if verdict.contradiction:
            raise IntegrityError(f"the zip arrived damaged: {verdict.contradiction}", hint="Fetch it again.")
        self._live.path = landing.publish(part, digests, stop)
        self._live.level = verdict.level
