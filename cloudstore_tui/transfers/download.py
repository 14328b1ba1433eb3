"""One download: from a request to a complete, verified file under its final name, or into a pipe."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from cloudstore_tui.core.errors import IntegrityError, StorageError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import is_segment, safe_name
from cloudstore_tui.net.failures import ContradictionError
from cloudstore_tui.transfers.destination import Destination
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.fetch import OVERLAP, Fetch, TransferContext, Version, may_be_html
from cloudstore_tui.transfers.journal.rows import JournalRow
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    State,
    TransferProgress,
    TransferSnapshot,
    ZipRequest,
)
from cloudstore_tui.transfers.part_file import PartFile, PartNames, part_id_of, remove_left
from cloudstore_tui.transfers.verify import CHUNK, Digester, Digests, ExpectedChecksum, needed, verify
from cloudstore_tui.transfers.workers import Stop, Workers

Result = TypeVar("Result")
Requested = TypeVar("Requested", DownloadRequest, ZipRequest)

# What goes on beside a download

START_AFTER_S = 0.2
"""Thousands of small objects should not pay for what only a large one needs."""

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""New bytes that are worth a wait for the disk."""
CHECKPOINT_S = 5.0
"""Or so much time with any new byte."""
POLL_S = 0.05
MIN_READ_BACK = 4 * 1024 * 1024
"""Bytes that are worth a turn; a smaller file is read in one go at its end."""
REREAD_POLL_S = 0.02


class Alongside:
    """Something that goes on while a block runs, if the block takes long enough for that to be worth anything.

    It ends with the block; its errors are its own business.
    """

    def __init__(self, *works: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._works = works
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        """Begin soon."""
        self._timer = asyncio.get_running_loop().call_later(START_AFTER_S, self._begin)

    async def __aexit__(self, *_error: object) -> None:
        """End."""
        self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> None:
        self._tasks = [asyncio.create_task(work()) for work in self._works]


class Checkpoints:
    """Checkpoints of one part file."""

    def __init__(
        self, part: PartFile, journal_entry: JournalEntry, workers: Workers, version_of: Callable[[], Version]
    ) -> None:
        """Make it.

        Args:
            part: the file.
            journal_entry: where to write.
            workers: who waits for the disk.
            version_of: what is known of the version that the bytes are from.
        """
        self._part = part
        self._journal = journal_entry
        self._workers = workers
        self._version_of = version_of

    async def take(self) -> None:
        """One checkpoint, now."""
        version = self._version_of()
        etag, size = version.validator, version.size
        failpoint("checkpoint")
        durable = await self._workers.run(lambda _stop: self._part.sync())
        if durable is not None:
            part = self._part
            self._journal.note(part=part.name, inode=part.inode, durable=durable, etag=etag, size=size)

    async def repeat(self) -> None:
        """One whenever it is worth it, for as long as bytes come."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(POLL_S)
            new = self._part.offset - self._part.durable
            if new >= CHECKPOINT_BYTES or (new > 0 and loop.time() - last >= CHECKPOINT_S):
                try:
                    await self.take()
                except StorageError as error:
                    # What was written since the last one may be lost: nothing more may be added to it.
                    self._part.spoil(error)
                    return
                last = loop.time()


class Reread:
    """Follows a part file, never beyond what is known to be on the disk.

    It starts at the first byte in every run: nothing is carried over from an earlier one.
    """

    def __init__(self, part: PartFile, workers: Workers, wanted: Callable[[], frozenset[str]]) -> None:
        self._part = part
        self._workers = workers
        self._wanted = wanted
        self._running: Digester | None = None
        self._restarts = part.restarts

    def finish(self, stop: Stop) -> Digests:
        """Of the whole file, all of which is on the disk. Blocks."""
        return self._advance(stop).digests()

    async def follow(self) -> None:
        """Read whatever is known to be on the disk, for as long as bytes come."""
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
        """Those of the present bytes: begun anew when all were given up, or when others are wanted."""
        wanted = self._wanted()
        if self._running is None or self._running.wanted != wanted or self._restarts != self._part.restarts:
            self._restarts = self._part.restarts
            self._running = Digester(wanted)
        return self._running


# From a request to a file

FULL_FETCHES = 2
"""Times an object is fetched whole before bytes that contradict its checksum are taken to be damaged at the source."""


class PartDownload(Generic[Requested]):
    """A part file and the requests that fill it: what every download goes on with, also in a later run."""

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
        """Whether the record of the request was asked for by a run that has ended."""
        self._part: PartFile | None = None
        self._fetch: Fetch | None = None

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""
        return self._part is not None and self._part.is_open

    @property
    def offset(self) -> int:
        """Bytes that arrived."""
        return self._part.offset if self._part is not None else 0

    def discard(self) -> StorageError | None:
        """Leave nothing behind; why something is. Blocks, unless there is nothing."""
        if self._part is not None and (kept := self._part.discard()) is not None:
            return kept
        self._part = self._fetch = None
        return None

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program."""
        part, fetch = self._part, self._fetch
        if part is None or not part.is_open:
            return
        if fetch is not None:
            with suppress(StorageError):
                await self._checkpoints(part, fetch).take()
        await self._context.workers.run(lambda _stop: part.leave())

    async def _new_part(self, location: Location, path: Path) -> PartFile:
        """The part file, not yet opened, of what becomes the file `path`; the journal knows of it before the disk."""
        context, profile = self._context, self._provider.profile
        part_id = part_id_of(profile.provider, profile.name, location, path)
        names = PartNames.of(part_id)
        await self._journal.begin(part_id, names)
        failpoint("journal_row")
        return PartFile(context.disk, context.space, self._folder, names, self._journal.forget_bytes)

    def _may_make(self, left: JournalRow | None) -> bool:
        """Whether a folder that is missing may be made: not where bytes are in it, on a disk that was taken away."""
        return left is None or not (self._is_of_earlier_run and left.durable)

    async def _note_opened(self, part: PartFile, left: JournalRow | None) -> None:
        """Write down what was opened; what an earlier run left under another name is of no use then."""
        if left is not None and left.part not in ("", part.name):
            await self._remove_leftover(left)
        self._journal.note(part=part.name, inode=part.inode, durable=part.durable)

    async def _remove_leftover(self, left: JournalRow | None) -> None:
        """Remove what an earlier run left, now that it is of no use."""
        if left is not None:
            await self._context.workers.run(lambda _stop: remove_left(self._context.disk, self._folder, left))

    def _checkpoints(self, part: PartFile, fetch: Fetch) -> Checkpoints:
        return Checkpoints(part, self._journal, self._context.workers, lambda: fetch.version)


class Download(PartDownload[DownloadRequest]):
    """Fetches one object into a part file and publishes it; `run` again goes on where it stopped."""

    @property
    def can_go_on(self) -> bool:
        """Whether something arrived that another `run` can build upon."""
        return self.leaves and self.offset > 0

    @property
    def finished(self) -> bool:
        """Whether the file has its final name, so that nothing can be cancelled any more."""
        return self._part is not None and self._part.published

    async def run(self) -> State:
        """How it ended.

        Raises:
            StorageError: why it failed.
        """
        entry = self._request.entry or await self._entry()
        destination = self._destination(entry)
        self._progress.path = destination.path
        part = await self._part_file(destination)
        # Before anything is asked for: a folder that refuses refuses now.
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
        """Nothing: the server does not know of it."""

    async def _entry(self) -> StoredObject:
        self._progress.to(State.SIGNING)
        entry = await self._provider.stat(self._request.location)
        if not isinstance(entry, StoredObject):
            raise UsageError("is a folder, and only objects can be fetched", subject=self._request.location.address)
        return entry

    def _destination(self, entry: StoredObject) -> Destination:
        request = self._request
        name = request.name or safe_name(entry.name)
        if not is_segment(name):
            raise UsageError("is no name for a file", subject=name, hint="Give a name without /.")
        identity = entry.id or entry.location.path
        resumed = self._journal.resume_state is not None
        return Destination(self._context.disk, self._folder, name, identity, request.on_conflict, resumed=resumed)

    async def _part_file(self, destination: Destination) -> PartFile:
        if self._part is None:
            self._part = await self._new_part(self._request.location, destination.path)
        return self._part

    async def _open(self, part: PartFile, unless: Callable[[int], bool] = lambda _dir_fd: False) -> bool:
        """Open the part file, unless something in its folder speaks against that; whether it is to be written."""
        was_open, left = part.is_open, self._journal.resume_state
        is_ready = await self._context.workers.run(lambda _stop: part.open(left, unless, make=self._may_make(left)))
        # Of a new file, in which nothing is yet, the journal knows the names already.
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
        """Whether the object is on the disk already, so that there is nothing to do."""
        expected = await self._fetch_for(entry).look()
        self._progress.to(State.VERIFYING)
        sha256 = self._request.sha256
        existing = await self._context.workers.run(lambda stop: destination.existing(expected, stop, sha256=sha256))
        if existing is None:
            return False
        self._progress.path, self._progress.level, self._progress.sha256 = (
            existing.path,
            existing.level,
            existing.sha256,
        )
        self._progress.size = expected.size
        return True

    async def _fetch_and_publish(self, destination: Destination, entry: StoredObject, part: PartFile) -> State:
        left, is_first = self._journal.resume_state, self._fetch is None
        fetch = self._fetch_for(entry)
        if is_first and part.offset and left is not None:
            fetch.resume(left.size, left.etag)
        self._progress.meter = lambda: part.offset
        for _ in range(FULL_FETCHES):
            publication = await self._fetch_whole(destination, entry, part, fetch)
            if not publication.contradiction:
                return self._state_of(publication)
            await self._context.workers.run(lambda _stop: fetch.forget(part))
        raise IntegrityError(
            f"it arrived damaged twice: {publication.contradiction}",
            hint="The object itself may be damaged; nothing was kept.",
        )

    async def _fetch_whole(
        self, destination: Destination, entry: StoredObject, part: PartFile, fetch: Fetch
    ) -> "_Publication":
        manifest = frozenset({"sha256"} if self._request.sha256 else ())
        reread = Reread(part, self._context.workers, lambda: needed(fetch.expected) | manifest)
        async with Alongside(self._checkpoints(part, fetch).repeat, reread.follow):
            await fetch.run(part)
        self._progress.release_slot()
        self._progress.to(State.VERIFYING)
        publication = _Publication(destination, part, fetch.expected, reread, _modified(entry, fetch))
        await self._context.workers.run_together(_Publication.run, _settle, part.device, publication, publication.stop)
        if publication.error is not None:
            raise publication.error
        return publication

    def _state_of(self, publication: "_Publication") -> State:
        if publication.path is None:
            return State.SKIPPED
        self._progress.path, self._progress.level = publication.path, publication.level
        remark = self._fetch.remark if self._fetch is not None else ""
        self._progress.remark = remark or publication.doubt
        self._progress.sha256 = publication.sha256
        return State.DONE


class _Publication:
    """What happens to a complete part file: brought to the disk, compared, and given its name. Its methods block."""

    def __init__(
        self,
        destination: Destination,
        part: PartFile,
        expected: ExpectedChecksum,
        reread: Reread,
        modified: float | None,
    ) -> None:
        self.stop = Stop()
        self.error: Exception | None = None
        """Why it failed."""
        self.contradiction = self.doubt = ""
        """Why it cannot be the object, as a clause; empty if all is well."""
        self.path: Path | None = None
        """The file; `None` where something came into the way that is to be left alone."""
        self.level = ""
        self.sha256 = ""
        self._destination = destination
        self._part = part
        self._expected = expected
        self._reread = reread
        self._modified = modified

    def run(self) -> None:
        """Sync, compare, and give it its name if it is the object; `error` tells why that failed."""
        self._attempt(self._publish)

    def settle(self, synced: set[tuple[int, int]]) -> None:
        """Be done with a file that got its name; a folder that is among `synced` is not synced again."""
        self._attempt(lambda: self._part.settle(synced))

    def _attempt(self, step: Callable[[], None]) -> None:
        if self.error is None:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever it is belongs to the one who waits for this file
                self.error = error

    def _publish(self) -> None:
        self.stop.check()
        if self._modified is not None:
            self._part.set_time(self._modified)
        # Always: also a file of no bytes, or one that an earlier run had whole, has to be on the disk.
        self._part.sync()
        failpoint("after_sync")
        digests = self._reread.finish(self.stop)
        failpoint("verifying")
        result = self._part.content(self.stop).verify(self._expected, digests)
        self.contradiction, self.doubt = result.contradiction, result.doubt
        if not result.contradiction:
            self.level, self.sha256 = result.level, digests.sha256
            self.path = self._destination.publish(self._part, digests, self.stop)


def _settle(publications: list[_Publication]) -> None:
    """Be done with files that got their names at the same time, with one sync of each folder for all of them."""
    synced: set[tuple[int, int]] = set()
    for one in publications:
        one.settle(synced)


def _modified(entry: StoredObject, fetch: Fetch) -> float | None:
    """When the object was last changed, by its record or by the store."""
    return entry.modified.timestamp() if entry.modified is not None else fetch.modified


# Into a pipe


class Stream:
    """A store that cannot forget: when all bytes come again, those that were written are only compared."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.offset = 0
        self.durable = 0
        self._write = write
        self._size: int | None = None
        self._written = 0
        self._tail = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._again = hashlib.sha256()

    @property
    def digests(self) -> Digests:
        """What was written."""
        return Digests(self._written, self._md5.hexdigest(), self._sha256.hexdigest())

    def expect(self, size: int | None) -> None:
        """Learn how many bytes will come.

        Raises:
            IntegrityError: more were written already.
        """
        if size is not None and size < self._written:
            raise _changed()
        self._size = size

    def write(self, view: memoryview) -> None:
        """Take the next bytes."""
        data = bytes(view)
        if self._size is not None and self.offset + len(data) > self._size:
            raise ContradictionError(f"more than the expected {self._size} bytes came")
        behind = self._written - self.offset
        if behind:
            data = self._compare(data, behind)
        if data:
            self._write(data)
            self._md5.update(data)
            self._sha256.update(data)
            self.offset += len(data)
            self._written = self.offset
            self._tail += data[-OVERLAP:]
            del self._tail[:-OVERLAP]

    def tail(self, count: int) -> bytes:
        """The last `count` bytes; none while bytes come again, which are compared anyhow."""
        return b"" if self.offset < self._written else bytes(self._tail[-count:])

    def restart(self) -> None:
        """All bytes come again."""
        self.offset = 0
        self._again = hashlib.sha256()

    def end(self) -> None:
        """All bytes came.

        Raises:
            IntegrityError: more were written before.
        """
        if self.offset < self._written:
            raise _changed()

    def recover(self) -> None:
        """Nothing: what a pipe took stays taken."""

    def _compare(self, data: bytes, behind: int) -> bytes:
        seen = data[:behind]
        self._again.update(seen)
        self.offset += len(seen)
        if self.offset == self._written and self._again.digest() != self._sha256.digest():
            raise _changed()
        return data[behind:]


def _changed() -> IntegrityError:
    return IntegrityError("it changed on the server while it was read", hint="What was written is not whole.")


async def pipe(
    provider: StorageProvider, context: TransferContext, entry: StoredObject, write: Callable[[bytes], object]
) -> TransferSnapshot:
    """Fetch an object into a function that takes its bytes in order, such as the write of a pipe.

    It is verified while it is written: what was written before an error is found stays written.

    Raises:
        OSError: `write` failed, such as by a closed pipe.
    """
    location = entry.location
    progress = TransferProgress(0, DownloadRequest(location, Path("-")), context.clock)
    store = Stream(write)
    progress.meter = lambda: store.offset
    sign = partial(provider.source, location)
    fetch = Fetch(context, sign, progress, html=may_be_html(entry.name, entry.mime), known=entry)
    try:
        await fetch.run(store)
        store.end()
        result = verify(fetch.expected, store.digests, lambda _size: "")
        if result.contradiction:
            raise IntegrityError(f"it arrived damaged: {result.contradiction}", hint="Fetch it again.")
    except StorageError as error:
        progress.error = error.about(location.address)
        progress.to(State.FAILED)
    else:
        progress.level = result.level
        progress.to(State.DONE, fetch.remark or result.doubt)
    return progress.snapshot()
