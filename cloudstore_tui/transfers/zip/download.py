"""One zip transfer: packed by the service, fetched, opened, and what it does not hold fetched one by one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.core.errors import IntegrityError, JobError, MissingError, PartialError, StorageError, UsageError
from cloudstore_tui.core.links import ZIP_FETCHABLE, ZipStatus
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import is_segment
from cloudstore_tui.transfers.destination import Destination
from cloudstore_tui.transfers.download import Alongside, PartDownload
from cloudstore_tui.transfers.fetch import Fetch, TransferContext
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
"""Objects missing in a zip that are asked for in another one; fewer are fetched one by one."""

MAX_SINGLE_DOWNLOADS = 3
MAX_LOOKS = 2
"""Times that a zip may be missing although its job is done."""
UNREQUESTED = "unrequested"
"""Folder for members that nobody asked for."""


class ZipPart(Struct):
    """Objects for one job; none where nobody knows what is in it."""

    wanted: Sequence[RequestedObject]
    failures: int = 0
    """Jobs for them that failed."""
    again: bool = False
    """Whether they were missing in a zip before."""

    @property
    def left(self) -> list[RequestedObject]:
        """Those that are not settled yet."""
        return [wanted for wanted in self.wanted if wanted.is_open]


class Batches:
    """The queue of one transfer."""

    def __init__(self) -> None:
        self.single: list[RequestedObject] = []
        """Objects that no further job is tried for."""
        self._queue: deque[ZipPart] = deque()
        self._failures = 0

    @property
    def first(self) -> ZipPart | None:
        """The batch whose turn it is, until it is told what became of it."""
        return self._queue[0] if self._queue else None

    def add(self, batch: ZipPart) -> None:
        """Put a batch at the end."""
        self._queue.append(batch)

    def opened(self, missing: Sequence[RequestedObject], damaged: Sequence[RequestedObject]) -> None:
        """The zip of the first batch was opened: `missing` were not in it, `damaged` are of no use."""
        batch = self._queue.popleft()
        self.single += damaged
        if len(missing) >= MIN_JOB_OBJECTS and not batch.again:
            self.add(ZipPart(missing, again=True))
        else:
            self.single += missing

    def give_up(self) -> None:
        """Ask for no further job: whatever is left is fetched by itself."""
        self.single += [wanted for batch in self._queue for wanted in batch.left]
        self._queue.clear()

    def failed(self) -> None:
        """The job of the first batch failed: once more, then with half of the objects, down to each by itself."""
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
            self._queue.extendleft(ZipPart(half, failures=1) for half in (left[middle:], left[:middle]))
        else:
            self.single += left


class FetchedZip(PartDownload[ZipRequest]):
    """The zip of one job. `fetch` again goes on where it stopped; that of another job replaces it."""

    _name = ""

    async def fetch(self, name: str) -> None:
        """Bring all bytes of the zip of a job to the disk.

        Raises:
            MissingError: it is not there.
            StorageError: it cannot be had.
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
        if not is_segment(name):
            raise UsageError("is no name for a file", subject=name, hint="Give a name without /.")
        self._progress.to(State.VERIFYING)
        destination = Destination(self._context.disk, self._folder, name, self._name, on_conflict)
        await self._context.workers.run(partial(self._publish, destination))

    async def forget(self) -> None:
        """Begin anew, with no byte."""
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
        near, folder = self._request.location, self._folder
        part = await self._new_part(Location(near.profile, near.region, name), folder.path / name)
        self._part, self._name, left = part, name, self._journal.resume_state
        await self._context.workers.run(lambda _stop: part.open(left, make=self._may_make(left)))
        await self._note_opened(part, left)
        return part

    def _fetch_of(self, name: str, part: PartFile) -> Fetch:
        """What fetches; at first it learns what an earlier run knew of the bytes that are there."""
        region, left = self._request.location.region, self._journal.resume_state
        if self._fetch is None:
            self._fetch = Fetch(
                self._context, lambda _known: self._provider.zip_source(region, name), self._progress, html=False
            )
            if part.offset and left is not None:
                self._fetch.resume(left.size, left.etag)
        else:
            self._fetch.budget = self._context.budget()
        return self._fetch

    def _publish(self, destination: Destination, stop: Stop) -> None:
        part, fetch = self._fetched, self._fetch
        content = part.content(stop)
        if fetch is None:
            raise IntegrityError("nothing was fetched yet")
        digests = content.digests(needed(fetch.expected))
        result = content.verify(fetch.expected, digests)
        if result.contradiction:
            raise IntegrityError(f"the zip arrived damaged: {result.contradiction}", hint="Fetch it again.")
        self._progress.path = destination.publish(part, digests, stop)
        part.settle(set())
        self._progress.level = result.level


class _LostJobError(JobError):
    """Another job for the same objects would be lost, too."""


class ZipDownload:
    """Brings the objects of a `ZipRequest`; `run` again goes on where it stopped."""

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
        self._wanted = [
            RequestedObject(number, one, provider, context, progress.touched)
            for number, one in enumerate(request.members, 1)
        ]
        self._unasked: list[RequestedObject] = []
        self._job = WatchedJob(progress, request.location, provider, context, journal_entry)
        self._zip = FetchedZip(progress, request, provider, context, journal_entry)
        self._extractor = Extractor(progress, provider, context)
        self._batches = Batches()
        self._lost_jobs = 0
        self.finished = False
        """Whether all is done, so that nothing can be cancelled any more."""
        self._show_members()

    @property
    def can_resume(self) -> bool:
        """Whether there is a job, or something arrived, that another `run` can build upon."""
        return bool(self._job.name) or self._zip.offset > 0

    @property
    def leaves(self) -> bool:
        """Whether there is something to discard."""
        return self._zip.leaves

    async def run(self) -> State:
        """How it ended.

        Raises:
            PartialError: some objects failed; the members tell why.
            StorageError: why all that are left failed.
        """
        self._progress.path = self._request.folder
        try:
            for wanted in self._wanted:
                await wanted.prepare(look=not self._request.keep)
            if not self._wanted or self._left:
                self._begin()
                await self._bring()
            await self._zip.clear()
        except StorageError as error:
            for wanted in self._left:
                wanted.share(error)
            raise
        except asyncio.CancelledError:
            for wanted in self._left:
                wanted.progress.again()
            raise
        self.finished = True
        return self._result()

    async def suspend(self) -> None:
        """Leave what arrived, for a later run of the program; the job goes on at the service."""
        await self._zip.suspend()

    async def call_off(self) -> None:
        """Nobody wants it any more: stop the job at the service, if it is ours and still runs."""
        for wanted in self._left:
            wanted.progress.to(State.CANCELLED)
        await self._job.call_off()

    def discard(self) -> StorageError | None:
        """Leave nothing behind; why something is. Blocks, unless there is nothing."""
        return self._zip.discard()

    @property
    def _left(self) -> list[RequestedObject]:
        return [wanted for wanted in self._wanted if wanted.is_open]

    def _begin(self) -> None:
        """Begin with the job that is there already, from an earlier run or by the user's choice."""
        if self._batches.first is not None or self._batches.single:
            return
        left = self._journal.resume_state
        name = (left.zip if left is not None else "") or self._request.job
        if name and not self._job.name:
            self._job.take_over(name, ours=not self._request.job)
        # What an earlier run has done already is in the zip, too.
        self._batches.add(ZipPart([one for one in self._wanted if one.progress.state is not State.FAILED]))

    async def _bring(self) -> None:
        while (batch := self._batches.first) is not None:
            if self._wanted and not batch.left:
                self._batches.opened((), ())
                continue
            try:
                word = await self._pack(batch)
            except _LostJobError:
                if not batch.left or self._request.keep:
                    raise
                # Somebody keeps clearing the queue: the objects are there all the same.
                self._batches.give_up()
                continue
            if word in ZIP_FETCHABLE:
                opened = await self._open(batch)
                self._batches.opened(opened.missing, opened.damaged)
                # The next batch needs another job.
                self._job.leave()
            else:
                self._after_failure()
        await self._fetch_single()

    async def _pack(self, batch: ZipPart) -> str:
        """Have the service pack a zip, and fetch it; the service's word."""
        looks = 0
        while True:
            try:
                if self._job.name:
                    await self._job.watch(len(batch.wanted))
                else:
                    await self._job.start([wanted.request.location for wanted in batch.left])
                if self._job.word in ZIP_FETCHABLE:
                    await self._zip.fetch(self._job.name)
                return self._job.word
            except MissingError:
                looks += 1
            except JobError:
                # A finished one whose zip is not given yet, or one that never came about.
                if not self._job.has_ended:
                    raise
                looks += 1
            self._look_again(looks)

    def _look_again(self, looks: int) -> None:
        """After a job or its zip was not there: ask again, then start another job, once.

        Raises:
            JobError: that was done already.
        """
        if self._job.has_ended and looks < MAX_LOOKS:
            self._job.doubt()
            return
        self._lost_jobs += 1
        self._job.leave()
        if self._lost_jobs > 1 or not self._left:
            raise _LostJobError(
                "the zip job is no longer on the server", hint="Somebody may have cleared the queue; start a new one."
            ) from None

    def _after_failure(self) -> None:
        """Decide what becomes of the objects of a job that failed.

        Raises:
            JobError: somebody stopped the job, or nobody knows what is in it.
        """
        word = self._job.word
        self._job.leave()
        if word == ZipStatus.CANCELLED:
            raise JobError("the zip job was cancelled on the server", hint="Try again to start another one.")
        if not self._wanted:
            raise JobError("the service could not pack the zip", hint="Start a new job for the same objects.")
        self._batches.failed()

    async def _open(self, batch: ZipPart) -> Extraction:
        """Take the members out of the zip that was fetched."""
        archive = await self._archive(batch)
        if archive is None:
            return Extraction(damaged=batch.left)
        if not batch.wanted:
            self._count(len(archive.members))
        if self._request.keep:
            return await self._keep(archive, batch)
        opened = (
            await self._extractor.take(archive, batch.wanted) if batch.wanted else Extraction(extra=archive.members)
        )
        near, folder = self._request.location, self._request.folder
        place = Location(near.profile, near.region, self._job.name)
        beside = folder / UNREQUESTED if self._wanted else folder
        self._unasked += await self._extractor.take_unknown(archive, opened.extra, beside, place)
        self._show_members()
        return opened

    def _count(self, count: int) -> None:
        """Tell what is not in the zip of a job of unknown content, as far as the service tells."""
        named, words = self._job.count, f"the zip holds {count} of the {self._job.count} objects that its job names"
        if self._job.word == ZipStatus.PARTIAL_DONE:
            why = words if named > count else "the service did not put all objects of its job into the zip"
            request = DownloadRequest(replace(self._request.location, path=self._job.name), self._request.folder)
            lacking = RequestedObject(0, request, self._provider, self._context, self._progress.touched)
            lacking.fail(JobError(why, hint="Start a new job for the others, or fetch them one by one."))
            self._unasked.append(lacking)
            self._show_members()
        elif named > count:
            self._progress.remark = words

    async def _archive(self, batch: ZipPart) -> Archive | None:
        """The fetched zip as an archive, fetched anew if it is damaged; `None` if it is damaged again.

        Raises:
            UnsafeError: it cannot be trusted.
            IntegrityError: it is damaged, and nobody knows what should be in it.
        """
        for fresh in (False, True):
            if fresh:
                await self._zip.forget()
                await self._zip.fetch(self._job.name)
            try:
                return await self._zip.open(_limits(batch))
            except IntegrityError:
                if fresh and not self._wanted:
                    raise
        return None

    async def _keep(self, archive: Archive, batch: ZipPart) -> Extraction:
        """Keep the zip itself, and tell what is not in it."""
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
        """Fetch those that no zip holds."""
        left = [wanted for wanted in self._batches.single if wanted.is_open]
        if not left:
            return
        self._progress.to(State.RUNNING, f"{len(left)} that the zip does not hold are fetched one by one")
        places = asyncio.Semaphore(MAX_SINGLE_DOWNLOADS)

        async def fetch(wanted: RequestedObject) -> None:
            async with places:
                await wanted.fetch()

        async with asyncio.TaskGroup() as group:
            for wanted in left:
                group.create_task(fetch(wanted))

    def _show_members(self) -> None:
        self._progress.members = tuple(one.progress for one in (*self._wanted, *self._unasked))

    def _result(self) -> State:
        """The state that the members amount to.

        Raises:
            PartialError: some failed.
        """
        asked = self._wanted or self._unasked
        failed = [one for one in asked if one.progress.state is State.FAILED]
        if failed:
            raise PartialError(
                f"{len(failed)} of {len(asked)} objects failed", hint=f"The first: {failed[0].progress.error}"
            )
        skipped = all(one.progress.state is State.SKIPPED for one in asked)
        return State.SKIPPED if asked and skipped else State.DONE


def _limits(batch: ZipPart) -> Limits:
    if not batch.wanted:
        return Limits()
    sizes = [wanted.entry.size for wanted in batch.wanted]
    known = [size for size in sizes if size is not None]
    return Limits(len(sizes), sum(known) if len(known) == len(sizes) else None)
