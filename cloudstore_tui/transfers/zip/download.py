"""One zip transfer: the service packs a zip, which is fetched and extracted; what it lacks is fetched one by one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.core.errors import IntegrityError, JobError, MissingError, PartialError, StorageError
from cloudstore_tui.core.links import ZIP_FETCHABLE, ZipStatus
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.destination import Destination
from cloudstore_tui.transfers.download import Alongside, PartDownload
from cloudstore_tui.transfers.fetch import Fetch, Version
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State, TransferProgress, ZipRequest
from cloudstore_tui.transfers.part_file import PartFile, remove_left
from cloudstore_tui.transfers.verify import needed
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.contents import Archive, Limits
from cloudstore_tui.transfers.zip.extract import Extraction, Extractor, RequestedObject
from cloudstore_tui.transfers.zip.job import WatchedJob

MAX_FAILURES = 20
"""Jobs of one transfer that may fail: enough to find one object among 500 that the service cannot pack."""
MIN_JOB_OBJECTS = 20
"""Missing objects that are worth another zip; fewer are fetched one by one."""

MAX_SINGLE_DOWNLOADS = 3
MAX_CHECKS = 2
"""Times that the zip of a finished job may be missing before another job is started."""
UNREQUESTED = "unrequested"
"""Folder for members that were not requested."""


class ZipBatch(Struct):
    """The objects of one job; none if its content is unknown."""

    wanted: Sequence[RequestedObject]
    failures: int = 0
    """Jobs for them that failed."""
    was_missing: bool = False
    """Whether they were missing in an earlier zip."""

    @property
    def left(self) -> list[RequestedObject]:
        """Those that are not settled yet."""
        return [wanted for wanted in self.wanted if wanted.is_open]


class BatchQueue:
    """The batches of one transfer that are not settled."""

    def __init__(self) -> None:
        self.single: list[RequestedObject] = []
        """Objects to be fetched one by one."""
        self._queue: deque[ZipBatch] = deque()
        self._failures = 0

    @property
    def first(self) -> ZipBatch | None:
        """The batch whose turn it is."""
        return self._queue[0] if self._queue else None

    def add(self, batch: ZipBatch) -> None:
        """Put a batch at the end."""
        self._queue.append(batch)

    def extracted(self, missing: Sequence[RequestedObject], damaged: Sequence[RequestedObject]) -> None:
        """Settle the first batch: its zip was extracted, but `missing` were not in it and `damaged` are useless."""
        batch = self._queue.popleft()
        self.single += damaged
        if len(missing) >= MIN_JOB_OBJECTS and not batch.was_missing:
            self.add(ZipBatch(missing, was_missing=True))
        else:
            self.single += missing

    def give_up(self) -> None:
        """Start no further job: fetch what is left one by one."""
        self.single += [wanted for batch in self._queue for wanted in batch.left]
        self._queue.clear()

    def failed(self) -> None:
        """Repeat the first batch after its job failed; next time, split it in halves, down to single objects."""
        batch = self._queue.popleft()
        batch.failures += 1
        self._failures += 1
        left = batch.left
        if self._failures >= MAX_FAILURES:
            self.single += left
            self.give_up()
        elif batch.failures == 1:
            self._queue.appendleft(batch)
        elif len(left) > 1:
            middle = len(left) // 2
            self._queue.extendleft(ZipBatch(half, failures=1) for half in (left[middle:], left[:middle]))
        else:
            self.single += left


class FetchedZip(PartDownload[ZipRequest]):
    """The zip of one job. Another `fetch` continues where the last one stopped; the zip of another job replaces it."""

    _name = ""

    async def fetch(self, name: str) -> None:
        """Fetch all bytes of the zip of a job.

        Raises:
            MissingError: it is not there.
            StorageError: it cannot be fetched.
        """
        part = await self._open(name)
        fetch = self._fetch_of(name, part)
        self._progress.meter = lambda: part.offset
        checkpoints = self._checkpoints(part, fetch)
        async with Alongside(checkpoints.repeat):
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
        destination = Destination(self._context.disk, self._folder, name, self._name, on_conflict)
        self._progress.to(State.VERIFYING)
        await self._context.workers.run(partial(self._publish, destination))

    async def forget(self) -> None:
        """Drop all bytes."""
        part, fetch = self._fetched, self._fetch
        if fetch is not None:
            await self._context.workers.run(lambda _stop: fetch.forget(part))

    async def clear(self) -> None:
        """Remove the zip, also one that an earlier run left."""
        await self._context.workers.run(lambda _stop: self._remove())

    def _remove(self) -> None:
        if (kept := self.discard()) is not None:
            raise kept
        if self._journal.resume_state is not None:
            remove_left(self._context.disk, self._folder, self._journal.resume_state)

    @property
    def _fetched(self) -> PartFile:
        if self._part is None:
            raise IntegrityError("nothing was fetched yet")
        return self._part

    async def _open(self, name: str) -> PartFile:
        if self._part is not None and self._part.is_open and self._name == name:
            return self._part
        await self._context.workers.run(lambda _stop: self.discard())
        location = replace(self._request.location, path=name)
        part = await self._new_part(location, self._folder.path / name)
        self._part, self._name, left = part, name, self._journal.resume_state
        await self._context.workers.run(lambda _stop: part.open(left, make=self._may_make(left)))
        await self._note_opened(part, left)
        return part

    def _fetch_of(self, name: str, part: PartFile) -> Fetch:
        """The fetch of the zip, which continues with the version that an earlier run found."""
        region, left = self._request.location.region, self._journal.resume_state
        if self._fetch is None:
            self._fetch = Fetch(
                self._context, lambda _known: self._provider.zip_source(region, name), self._progress, html=False
            )
            if part.offset and left is not None:
                self._fetch.evidence.version = Version.known_from(left.size, left.etag)
        else:
            self._fetch.budget = self._context.budget()
        return self._fetch

    def _publish(self, destination: Destination, stop: Stop) -> None:
        part, fetch = self._fetched, self._fetch
        if fetch is None:
            raise IntegrityError("nothing was fetched yet")
        expected = fetch.evidence.expected
        published = destination.publish(part, expected, part.content(stop).digests(needed(expected)), stop)
        if published.contradiction:
            raise IntegrityError(f"the zip arrived damaged: {published.contradiction}", hint="Fetch it again.")
        part.settle(set())
        self._progress.path, self._progress.level = published.path, published.level


class _LostJobError(JobError):
    """Another job for the same objects would get lost, too."""


class ZipDownload:
    """Fetches the objects of a `ZipRequest`; another `run` continues where the last one stopped."""

    def __init__(
        self,
        progress: TransferProgress,
        request: ZipRequest,
        provider: StorageProvider,
        context: TransferContext,
        journal_entry: JournalEntry,
    ) -> None:
        self._progress = progress
        self._request = request
        self._provider = provider
        self._context = context
        self._journal = journal_entry
        self._objects = [
            RequestedObject(number, one, provider, context, progress.touched)
            for number, one in enumerate(request.members, 1)
        ]
        self._unrequested: list[RequestedObject] = []
        self._job = WatchedJob(progress, request.location, provider, context, journal_entry)
        self._zip = FetchedZip(progress, request, provider, context, journal_entry)
        self._extractor = Extractor(progress, provider, context)
        self._batches = BatchQueue()
        self._lost_jobs = 0
        self.finished = False
        """Whether all is done, so that there is nothing left to cancel."""
        self._show_members()

    @property
    def can_resume(self) -> bool:
        """Whether another `run` can continue with a job, or with what arrived."""
        return bool(self._job.name) or self._zip.offset > 0

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""
        return self._zip.leaves

    async def run(self) -> State:
        """Return how it ended.

        Raises:
            PartialError: some objects failed; the members have the reasons.
            StorageError: why all remaining objects failed.
        """
        self._progress.path = self._request.folder
        try:
            for wanted in self._objects:
                await wanted.prepare(look=not self._request.keep)
            if not self._objects or self._left:
                self._queue_first()
                await self._run_batches()
            await self._zip.clear()
        except StorageError as error:
            for wanted in self._left:
                wanted.fail(error.with_(subject=""))
            raise
        except asyncio.CancelledError:
            for wanted in self._left:
                wanted.progress.again()
            raise
        self.finished = True
        return self._result()

    async def suspend(self) -> None:
        """Keep what arrived for a later run of the program; the job continues at the service."""
        await self._zip.suspend()

    async def call_off(self) -> None:
        """Cancel the objects, and the job at the service if it is ours and still runs."""
        for wanted in self._left:
            wanted.progress.to(State.CANCELLED)
        await self._job.call_off()

    def discard(self) -> StorageError | None:
        """Remove what arrived, and return why that was not possible. Blocks if there is something."""
        return self._zip.discard()

    @property
    def _left(self) -> list[RequestedObject]:
        return [wanted for wanted in self._objects if wanted.is_open]

    def _queue_first(self) -> None:
        """Queue all objects, for the job of an earlier run or the one that the user chose, if there is one."""
        if self._batches.first is not None or self._batches.single:
            return
        left = self._journal.resume_state
        name = (left.zip if left is not None else "") or self._request.job
        if name and not self._job.name:
            self._job.adopt(name, ours=not self._request.job)
        # The zip also has what an earlier run has extracted.
        self._batches.add(ZipBatch([one for one in self._objects if one.progress.state is not State.FAILED]))

    async def _run_batches(self) -> None:
        while (batch := self._batches.first) is not None:
            if self._objects and not batch.left:
                self._batches.extracted((), ())
                continue
            try:
                status = await self._pack(batch)
            except _LostJobError:
                if not batch.left or self._request.keep:
                    raise
                # Somebody keeps clearing the queue, but the objects are still there.
                self._batches.give_up()
                continue
            if status in ZIP_FETCHABLE:
                extraction = await self._extract(batch)
                self._batches.extracted(extraction.missing, extraction.damaged)
                # The next batch needs another job.
                self._job.forget()
            else:
                self._after_failure()
        await self._fetch_single()

    async def _pack(self, batch: ZipBatch) -> str:
        """Have the service pack a zip, and fetch it; returns the status of the job."""
        checks = 0
        while True:
            try:
                if self._job.name:
                    await self._job.watch(len(batch.wanted))
                else:
                    await self._job.start([wanted.request.location for wanted in batch.left])
                if self._job.status in ZIP_FETCHABLE:
                    await self._zip.fetch(self._job.name)
                return self._job.status
            except MissingError:
                checks += 1
            except JobError:
                # A finished one whose zip is not given yet, or one that never came about.
                if not self._job.has_ended:
                    raise
                checks += 1
            self._retry_missing(checks)

    def _retry_missing(self, checks: int) -> None:
        """After a job or its zip was missing: ask again, then have another job started, once.

        Raises:
            JobError: that was done already.
        """
        if self._job.has_ended and checks < MAX_CHECKS:
            self._job.recheck()
            return
        self._lost_jobs += 1
        self._job.forget()
        if self._lost_jobs > 1 or not self._left:
            raise _LostJobError(
                "the zip job is no longer on the server", hint="Somebody may have cleared the queue; start a new one."
            ) from None

    def _after_failure(self) -> None:
        """Decide what becomes of the objects of a job that failed.

        Raises:
            JobError: somebody cancelled the job, or its content is unknown.
        """
        status = self._job.status
        self._job.forget()
        if status == ZipStatus.CANCELLED:
            raise JobError("the zip job was cancelled on the server", hint="Try again to start another one.")
        if not self._objects:
            raise JobError("the service could not pack the zip", hint="Start a new job for the same objects.")
        self._batches.failed()

    async def _extract(self, batch: ZipBatch) -> Extraction:
        """Extract the zip that was fetched."""
        archive = await self._archive(batch)
        if archive is None:
            return Extraction(damaged=batch.left)
        if not batch.wanted:
            self._report_lacking(len(archive.members))
        if self._request.keep:
            return await self._keep(archive, batch)
        extraction = Extraction(extra=archive.members)
        if batch.wanted:
            extraction = await self._extractor.take(archive, batch.wanted)
        folder = self._request.folder / UNREQUESTED if self._objects else self._request.folder
        location = replace(self._request.location, path=self._job.name)
        self._unrequested += await self._extractor.take_unknown(archive, extraction.extra, folder, location)
        self._show_members()
        return extraction

    def _report_lacking(self, count: int) -> None:
        """Report that a zip of unknown content, with `count` members, lacks some, if the service says so."""
        named, message = self._job.count, f"the zip holds {count} of the {self._job.count} objects that its job names"
        if self._job.status == ZipStatus.PARTIAL_DONE:
            if named <= count:
                message = "the service did not put all objects of its job into the zip"
            request = DownloadRequest(replace(self._request.location, path=self._job.name), self._request.folder)
            lacking = RequestedObject(0, request, self._provider, self._context, self._progress.touched)
            lacking.fail(JobError(message, hint="Start a new job for the others, or fetch them one by one."))
            self._unrequested.append(lacking)
            self._show_members()
        elif named > count:
            self._progress.remark = message

    async def _archive(self, batch: ZipBatch) -> Archive | None:
        """The fetched zip as an archive, fetched again if it is damaged; `None` if it is damaged again.

        Raises:
            UnsafeError: it cannot be trusted.
            IntegrityError: it is damaged, and what should be in it is unknown.
        """
        for fresh in (False, True):
            if fresh:
                await self._zip.forget()
                await self._zip.fetch(self._job.name)
            try:
                return await self._zip.open(_limits(batch))
            except IntegrityError:
                if fresh and not self._objects:
                    raise
        return None

    async def _keep(self, archive: Archive, batch: ZipBatch) -> Extraction:
        """Keep the zip itself, and settle its objects."""
        wanted = batch.left
        found = await self._extractor.match(archive, wanted)
        on_conflict = wanted[0].request.on_conflict if wanted else OnConflict.REFUSE
        await self._zip.keep(self._request.keep, on_conflict)
        for place, one in enumerate(wanted):
            if place in found.members:
                one.progress.to(State.DONE)
            else:
                one.fail(JobError("the service did not put it into the zip"))
        return Extraction()

    async def _fetch_single(self) -> None:
        """Fetch the objects that no zip holds."""
        left = [wanted for wanted in self._batches.single if wanted.is_open]
        if not left:
            return
        self._progress.to(State.RUNNING, f"{len(left)} that the zip does not hold are fetched one by one")
        slots = asyncio.Semaphore(MAX_SINGLE_DOWNLOADS)

        async def fetch(wanted: RequestedObject) -> None:
            async with slots:
                await wanted.fetch()

        async with asyncio.TaskGroup() as group:
            for wanted in left:
                group.create_task(fetch(wanted))

    def _show_members(self) -> None:
        self._progress.members = tuple(one.progress for one in (*self._objects, *self._unrequested))

    def _result(self) -> State:
        """The state that follows from those of the members.

        Raises:
            PartialError: some failed.
        """
        objects = self._objects or self._unrequested
        failed = [one for one in objects if one.progress.state is State.FAILED]
        if failed:
            raise PartialError(
                f"{len(failed)} of {len(objects)} objects failed", hint=f"The first: {failed[0].progress.error}"
            )
        skipped = all(one.progress.state is State.SKIPPED for one in objects)
        return State.SKIPPED if objects and skipped else State.DONE


def _limits(batch: ZipBatch) -> Limits:
    if not batch.wanted:
        return Limits()
    sizes = [wanted.entry.size for wanted in batch.wanted]
    known = [size for size in sizes if size is not None]
    return Limits(len(sizes), sum(known) if len(known) == len(sizes) else None)
