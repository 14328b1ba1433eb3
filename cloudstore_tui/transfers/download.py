"""One download: from a request to a complete, verified file under its final name."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from cloudstore_tui.core.errors import IntegrityError, StorageError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.destination import Destination, Published
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.fetch import Evidence, Fetch, Version, may_be_html
from cloudstore_tui.transfers.journal.rows import JournalRow
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    State,
    TransferProgress,
    ZipRequest,
)
from cloudstore_tui.transfers.part_file import PartFile, PartNames, part_id_of, remove_left
from cloudstore_tui.transfers.verify import CHUNK, Digester, Digests, needed
from cloudstore_tui.transfers.workers import Stop, Workers

Result = TypeVar("Result")
Requested = TypeVar("Requested", DownloadRequest, ZipRequest)

# What runs beside a download

START_AFTER_S = 0.2
"""Seconds before it starts: only large objects need it, and thousands of small ones must not pay for it."""

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""New bytes that are worth a sync."""
CHECKPOINT_S = 5.0
"""Seconds after which even one new byte is worth a sync."""
POLL_S = 0.05
MIN_READ_BACK = 4 * 1024 * 1024
"""New bytes that are worth reading back; a smaller file is read back when it is complete."""
REREAD_POLL_S = 0.02


class Alongside:
    """Runs coroutines beside a block that takes longer than a moment, and cancels them at its end.

    They handle their own errors.
    """

    def __init__(self, *works: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._works = works
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        """Start the timer."""
        self._timer = asyncio.get_running_loop().call_later(START_AFTER_S, self._begin)

    async def __aexit__(self, *_error: object) -> None:
        """Cancel what runs, and wait for that."""
        self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> None:
        self._tasks = [asyncio.create_task(work()) for work in self._works]


class Checkpoints:
    """Writes into the journal how much of a part file is on the disk, after each sync."""

    def __init__(self, part: PartFile, journal_entry: JournalEntry, workers: Workers, evidence: Evidence) -> None:
        self._part = part
        self._journal = journal_entry
        self._workers = workers
        self._evidence = evidence

    async def take(self) -> None:
        """Take one now."""
        version = self._evidence.version
        etag, size = version.validator, version.size
        failpoint("checkpoint")
        durable = await self._workers.run(lambda _stop: self._part.sync())
        if durable is not None:
            part = self._part
            self._journal.note(part=part.name, inode=part.inode, durable=durable, etag=etag, size=size)

    async def repeat(self) -> None:
        """Take one whenever that is worthwhile, until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(POLL_S)
            new = self._part.offset - self._part.durable
            if new >= CHECKPOINT_BYTES or (new > 0 and loop.time() - last >= CHECKPOINT_S):
                try:
                    await self.take()
                except StorageError as error:
                    # What was written since the last one may be lost, so nothing more may be appended.
                    self._part.spoil(error)
                    return
                last = loop.time()


class Reread:
    """Hashes a part file as it is on the disk, while it grows.

    It reads what was synced, and no further, and starts at the first byte in every run of the program.
    """

    def __init__(self, part: PartFile, workers: Workers, wanted: Callable[[], frozenset[str]]) -> None:
        self._part = part
        self._workers = workers
        self._wanted = wanted
        self._running: Digester | None = None
        self._restarts = part.restarts

    def finish(self, stop: Stop) -> Digests:
        """The digests of the whole file, once it is synced. Blocks."""
        return self._advance(stop).digests()

    async def follow(self) -> None:
        """Read what has been synced since, again and again, until cancelled."""
        while True:
            await asyncio.sleep(REREAD_POLL_S)
            if self._part.durable - (self._running.size if self._running else 0) >= MIN_READ_BACK:
                await self._workers.run(self._advance)

    def _advance(self, stop: Stop) -> Digester:
        running = self._digests()
        if not running.wanted:
            running.size = self._part.durable
        while running.size < self._part.durable and self._restarts == self._part.restarts:
            stop.check()
            piece = self._part.read(min(CHUNK, self._part.durable - running.size), running.size)
            if not piece:
                break
            running.update(piece)
        return running

    def _digests(self) -> Digester:
        """The running digests; new ones where the file was started over, or where others are wanted."""
        wanted = self._wanted()
        if self._running is None or self._running.wanted != wanted or self._restarts != self._part.restarts:
            self._restarts = self._part.restarts
            self._running = Digester(wanted)
        return self._running


# From a request to a file

FULL_FETCHES = 2
"""Times that an object may contradict its checksum before it is taken to be damaged at the source."""


class PartDownload(Generic[Requested]):
    """A part file and the requests that fill it, shared by downloads of objects and of zips."""

    def __init__(
        self,
        progress: TransferProgress,
        request: Requested,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry,
    ) -> None:
        self._progress = progress
        self._request: Requested = request
        self._folder = request.target
        self._provider = provider
        self._context = context
        self._journal = journal_entry
        self._is_of_earlier_run = journal_entry.resume_state is not None
        """Whether the record in the request was looked up by an earlier run of the program."""
        self._part: PartFile | None = None
        self._fetch: Fetch | None = None

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""
        return self._part is not None and self._part.is_open

    @property
    def offset(self) -> int:
        """Bytes in the part file."""
        return self._part.offset if self._part is not None else 0

    def discard(self) -> StorageError | None:
        """Remove the part file, and return why that was not possible. Blocks if there is one."""
        if self._part is not None and (kept := self._part.discard()) is not None:
            return kept
        self._part = self._fetch = None
        return None

    async def suspend(self) -> None:
        """Close the part file, and keep it for a later run of the program."""
        part, fetch = self._part, self._fetch
        if part is None or not part.is_open:
            return
        if fetch is not None:
            with suppress(StorageError):
                await self._checkpoints(part, fetch).take()
        await self._context.workers.run(lambda _stop: part.leave())

    async def _new_part(self, location: Location, path: Path) -> PartFile:
        """The part file of `path`, not yet opened. The journal knows its name before it is on the disk."""
        context, profile = self._context, self._provider.profile
        part_id = part_id_of(profile.provider, profile.name, location, path)
        names = PartNames.of(part_id)
        await self._journal.begin(part_id, names)
        failpoint("journal_row")
        return PartFile(context.disk, context.space, self._folder, names, self._journal.forget_bytes)

    def _may_make(self, left: JournalRow | None) -> bool:
        """Whether a missing folder may be created: not if it held bytes, since its disk may only be disconnected."""
        return left is None or not (self._is_of_earlier_run and left.durable)

    async def _note_opened(self, part: PartFile, left: JournalRow | None) -> None:
        """Note what was opened, and remove what an earlier run left under another name."""
        if left is not None and left.part not in ("", part.name):
            await self._remove_leftover(left)
        self._journal.note(part=part.name, inode=part.inode, durable=part.durable)

    async def _remove_leftover(self, left: JournalRow | None) -> None:
        """Remove the part file that an earlier run left."""
        if left is not None:
            await self._context.workers.run(lambda _stop: remove_left(self._context.disk, self._folder, left))

    def _checkpoints(self, part: PartFile, fetch: Fetch) -> Checkpoints:
        return Checkpoints(part, self._journal, self._context.workers, fetch.evidence)


class Download(PartDownload[DownloadRequest]):
    """Fetches one object into a part file and publishes it; another `run` continues where the last one stopped."""

    @property
    def can_resume(self) -> bool:
        """Whether another `run` can continue with what arrived."""
        return self.leaves and self.offset > 0

    @property
    def finished(self) -> bool:
        """Whether the file has its final name, so that there is nothing left to cancel."""
        return self._part is not None and self._part.published

    async def run(self) -> State:
        """Return how it ended.

        Raises:
            StorageError: why it failed.
        """
        entry = self._request.entry or await self._entry()
        resumed = self._journal.resume_state is not None
        destination = Destination.of(self._context.disk, self._request, entry, resumed=resumed)
        self._progress.path = destination.path
        part = self._part = self._part or await self._new_part(self._request.location, destination.path)
        # Before any request, so that a folder that cannot be written is found first.
        if not await self._open(part, destination.is_taken_in):
            if self._request.on_conflict is OnConflict.SKIP:
                await self._remove_leftover(self._journal.resume_state)
                return State.SKIPPED
            if await self._is_on_disk(destination, entry):
                await self._remove_leftover(self._journal.resume_state)
                return State.DONE
            await self._open(part)
        return await self._fetch_and_publish(destination, entry, part)

    async def call_off(self) -> None:
        """Do nothing: the server keeps no state of a download."""

    async def _entry(self) -> StoredObject:
        self._progress.to(State.SIGNING)
        entry = await self._provider.stat(self._request.location)
        if not isinstance(entry, StoredObject):
            raise UsageError("is a folder, and only objects can be fetched", subject=self._request.location.address)
        return entry

    async def _open(self, part: PartFile, unless: Callable[[int], bool] = lambda _dir_fd: False) -> bool:
        """Open the part file, unless `unless` is true of its open folder; returns whether it is to be written."""
        was_open, left = part.is_open, self._journal.resume_state
        is_ready = await self._context.workers.run(lambda _stop: part.open(left, unless, make=self._may_make(left)))
        # The journal has the names of a new, empty file already.
        if part.is_open and not was_open and left is not None:
            await self._note_opened(part, left)
        return is_ready

    def _fetch_for(self, entry: StoredObject) -> Fetch:
        if self._fetch is None:
            html = may_be_html(entry.name, entry.mime)
            sign = partial(self._provider.source, self._request.location)
            known = None if self._is_of_earlier_run and entry is self._request.entry else entry
            self._fetch = Fetch(self._context, sign, self._progress, html=html, known=known)
        else:
            self._fetch.budget = self._context.budget()
        return self._fetch

    async def _is_on_disk(self, destination: Destination, entry: StoredObject) -> bool:
        """Whether the file on the disk is the object already."""
        expected = await self._fetch_for(entry).probe()
        self._progress.to(State.VERIFYING)
        sha256 = self._request.sha256
        existing = await self._context.workers.run(lambda stop: destination.existing(expected, stop, sha256=sha256))
        if existing is None:
            return False
        self._progress.verified(existing.path, existing.level, existing.sha256)
        self._progress.size = expected.size
        return True

    async def _fetch_and_publish(self, destination: Destination, entry: StoredObject, part: PartFile) -> State:
        """Fetch all bytes, verify them on the disk and give the file its name; all of it twice if they are damaged."""
        progress, sha256 = self._progress, self._request.sha256
        left, is_first = self._journal.resume_state, self._fetch is None
        fetch = self._fetch_for(entry)
        evidence = fetch.evidence
        if is_first and part.offset and left is not None:
            evidence.version = Version.known_from(left.size, left.etag)
        progress.meter = lambda: part.offset
        contradiction = ""
        for _ in range(FULL_FETCHES):
            reread = Reread(part, self._context.workers, lambda: needed(evidence.expected, sha256=sha256))
            async with Alongside(self._checkpoints(part, fetch).repeat, reread.follow):
                await fetch.run(part)
            progress.release_slot()
            progress.to(State.VERIFYING)
            published = await self._publish(_Publication(destination, part, evidence, reread, entry))
            contradiction = published.contradiction
            if not contradiction:
                return self._state_of(published, evidence)
            await self._context.workers.run(lambda _stop: fetch.forget(part))
        raise IntegrityError(
            f"it arrived damaged twice: {contradiction}", hint="The object itself may be damaged; nothing was kept."
        )

    async def _publish(self, publication: "_Publication") -> Published:
        await self._context.workers.run_together(
            _Publication.run, _settle, publication.part.device, publication, publication.stop
        )
        if publication.error is not None:
            raise publication.error
        return publication.result

    def _state_of(self, published: Published, evidence: Evidence) -> State:
        if published.path is None:
            return State.SKIPPED
        self._progress.verified(published.path, published.level, published.sha256)
        self._progress.remark = evidence.remark or published.doubt
        return State.DONE


class _Publication:
    """Syncs a complete part file, verifies it and gives it its final name. Its methods block."""

    def __init__(
        self, destination: Destination, part: PartFile, evidence: Evidence, reread: Reread, entry: StoredObject
    ) -> None:
        self.part = part
        self.stop = Stop()
        self.result = Published()
        self.error: Exception | None = None
        """Why it failed."""
        self._destination = destination
        self._expected = evidence.expected
        self._reread = reread
        self._modified = entry.modified.timestamp() if entry.modified is not None else evidence.modified

    def run(self) -> None:
        """Sync it, verify it, and give it its name if it is the object; a failure is kept in `error`."""
        self._attempt(self._publish)

    def settle(self, synced: set[tuple[int, int]]) -> None:
        """Sync the folder, unless it is among `synced`, and take the name of the part file away."""
        self._attempt(lambda: self.part.settle(synced))

    def _attempt(self, step: Callable[[], None]) -> None:
        if self.error is None:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - raised again by whoever waits for this file
                self.error = error

    def _publish(self) -> None:
        self.stop.check()
        if self._modified is not None:
            self.part.set_time(self._modified)
        # Always, also for an empty file or one that an earlier run completed.
        self.part.sync()
        failpoint("after_sync")
        digests = self._reread.finish(self.stop)
        self.result = self._destination.publish(self.part, self._expected, digests, self.stop)


def _settle(publications: list[_Publication]) -> None:
    """Settle files that got their names together, with one sync per folder."""
    synced: set[tuple[int, int]] = set()
    for one in publications:
        one.settle(synced)
