"""From a plan to files: the transfers of a pull, the outcome of each object, and how it is recorded."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from cloudstore_tui.archive.chain import FETCHING, Chain, kind_of
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    BATCH,
    MAX_SIDECAR,
    Manifest,
    ManifestEntry,
    entry_of,
    failed_entry,
    fetched_entry,
    is_superseded,
    key_of,
    matches_object,
    mtime_of,
    path_of,
    sidecar_matches,
    sidecar_of,
    superseded_entry,
)
from cloudstore_tui.archive.plan import (
    LocalMatch,
    Outcome,
    PlanItem,
    PullPlan,
    is_earlier_version,
    match_file,
    suffixed_names,
)
from cloudstore_tui.core.errors import (
    AccessError,
    ConflictError,
    ForbiddenError,
    FullDiskError,
    IntegrityError,
    InterruptedTransfer,
    JobError,
    LocalDiskError,
    LoginError,
    MissingError,
    NotAvailableError,
    StorageError,
    UnavailableError,
)
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.records import entry_record
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    Request,
    State,
    TransferBatch,
    TransferSnapshot,
    ZipRequest,
)
from cloudstore_tui.transfers.verify import ExpectedChecksum
from cloudstore_tui.transfers.workers import Stop, Workers
from cloudstore_tui.transfers.zip.plan import Batch, Direct, Packer

MAX_DOWNLOADS = 64
"""Downloads submitted at once: enough to keep the transfers busy, few enough to cost no memory."""
MAX_ZIPS = 3
"""Zips submitted at once: one is fetched while two others are packed."""
MAX_CONSECUTIVE_FAILURES = 5
"""Failures in a row because of the network, the disk or the login after which the pull gives up."""
MAX_CONSECUTIVE_FORBIDDEN = 100
"""The same for objects that the key may not read: perhaps it may not read old ones, and new ones come later."""

_SYSTEMIC_ERRORS = (UnavailableError, LocalDiskError, AccessError)
_ZIP_ERRORS = (JobError, MissingError, IntegrityError)
"""Errors of a zip or its members that say nothing about the object itself."""

_PATHS = 200
"""Paths in one event: a line has room for this many of the longest ones."""

FileStamp = tuple[int, int, int] | None
"""The file at an object's path before its transfer began: inode, size, modification time."""


class FetchResult(msgspec.Struct, frozen=True):
    """The outcome of one object."""

    item: PlanItem
    outcome: Outcome
    path: PurePosixPath | None = None
    """The file, below the folder."""
    level: str = ""
    sha256: str = ""
    error: StorageError | None = None


class Recorder:
    """Records the outcome of each object in the plan, the events and the manifest, and in a sidecar if wanted.

    A manifest that cannot be written does not raise; it is reported in `failures`. Blocks; used from one thread at a
    time.
    """

    def __init__(
        self,
        plan: PullPlan,
        folder: PullFolder,
        manifest: Manifest,
        provider: str,
        *,
        chain: Chain,
        sidecars: bool = False,
    ) -> None:
        self._plan = plan
        self._chain = chain
        self._folder = folder
        self._manifest = manifest
        self._provider = provider
        self._sidecars = sidecars
        self._unwritten: list[ManifestEntry] = []
        """Lines that are in the events and not yet in the manifest."""
        self.written = 0
        """Lines added to the manifest."""
        self.failures: list[StorageError] = []
        """Why a manifest, an event or a sidecar could not be written."""
        self.broken: StorageError | None = None
        """Why no more lines are written."""

    def record(self, result: FetchResult) -> None:
        """Record one result; the file is already on the disk."""
        if result.outcome is Outcome.SKIPPED:
            self._plan.set_outcome(result.item, Outcome.SKIPPED)
        elif result.error is not None:
            self._record_missing(result.item, result.error)
        else:
            self._record_present(result)

    def _record_present(self, result: FetchResult) -> None:
        item, path = result.item, result.path or result.item.path
        subject = str(self._folder.file(path))
        try:
            found = self._folder.stat(path)
        except StorageError as error:
            self._record_missing(item, error)
            return
        if found is None:
            self._record_missing(item, LocalDiskError("the file is gone again", subject=subject, hint="Pull again."))
            return
        line = fetched_entry(
            entry_of(item.entry, path, self._provider), found, result.level, result.sha256, datetime.now(UTC)
        )
        if self._sidecars:
            line |= self._sidecar(item, path)
        known = self._plan.line_of(item)
        self._append(line, *self._superseded(item, line, known))
        is_new = known is not None and "sha256" in known and known["sha256"] != result.sha256
        self._plan.set_outcome(item, result.outcome, result.level, changed=is_new)

    def _superseded(self, item: PlanItem, line: ManifestEntry, known: ManifestEntry | None) -> Iterator[ManifestEntry]:
        """Lines about the files that a new one has replaced, of this object or of others."""
        path = path_of(line)
        if known is not None and "error" not in known:
            earlier = PurePosixPath(path_of(known))
            if str(earlier) == path:
                if known.get("sha256") != line.get("sha256"):
                    yield superseded_entry(known, path, is_there=True)
            else:
                is_there = match_file(self._folder, earlier, known, Stop()) is not LocalMatch.OTHER
                yield superseded_entry(known, path, is_there=is_there)
        for other in self._plan.other_lines_at(PurePosixPath(path), item):
            if "error" not in other and other.get("sha256") != line.get("sha256"):
                yield superseded_entry(other, path, is_there=True)

    def _record_missing(self, item: PlanItem, error: StorageError) -> None:
        known = self._plan.line_of(item)
        older = []
        if known is not None and "error" not in known and not matches_object(known, item.entry):
            # Otherwise the line about the new version would replace what is known of the older one.
            older.append(superseded_entry(known, str(item.path), is_there=True))
        self._append(failed_entry(entry_of(item.entry, item.path, self._provider), error, known), *older)
        self._plan.set_outcome(item, Outcome.MISSING, error=error)

    def update_existing(self, stop: Stop) -> None:
        """Give files that are here already the names of this plan, and update their lines."""
        for line in self._plan.lines_blocking_folders():
            stop.check()
            self._move_aside(line, stop, *suffixed_names(line))
        for item, line in self._plan.items_with_lines():
            stop.check()
            is_elsewhere = path_of(line) != str(item.path) and self._plan.could_be_named(item, path_of(line))
            if is_elsewhere and not self._move_aside(line, stop, item.path.name):
                # The transfer checks the file that has the new name.
                self._plan.set_outcome(item, Outcome.WANTED)
        # Only once all have their names: of two objects that shared one file, one has no file now.
        for item in self._plan.items(Outcome.HAD):
            stop.check()
            self._update_line(item)

    def record_targets(self, asked: str) -> None:
        """Record which paths are about to be written."""
        paths = (str(item.path) for item in self._plan.items(Outcome.WANTED))
        try:
            while some := list(islice(paths, _PATHS)):
                self._chain.append([(FETCHING, {"asked": asked, "paths": some})])
            self._chain.sync()
        except StorageError as error:
            self._give_up(error)

    def _move_aside(self, line: ManifestEntry, stop: Stop, *names: str) -> bool:
        """Rename a file to the first free name, because another object or a folder needs its name.

        A file that does not match its line is left alone. False if no name is free.
        """
        path = PurePosixPath(path_of(line))
        if match_file(self._folder, path, line, stop) is LocalMatch.OTHER:
            return True
        name = next((name for name in names if self._try_rename(path, name)), "")
        if not name:
            return False
        moved = {**line, "path": str(path.with_name(name))}
        sidecar = f"{path.name}.json"
        if line.get("sidecar") == sidecar:
            moved["sidecar"] = f"{name}.json"
            if not self._try_rename(path.with_name(sidecar), moved["sidecar"]):
                del moved["sidecar"]
        self._append(moved, superseded_entry(line, str(moved["path"]), is_there=False), kind="renamed")
        self._plan.load_lines([moved])
        return True

    def _try_rename(self, path: PurePosixPath, name: str) -> bool:
        try:
            return self._folder.rename(path, name)
        except StorageError:
            return False

    def _update_line(self, item: PlanItem) -> None:
        """Update the line of a file that is here already, and its sidecar."""
        known = self._plan.line_of(item)
        if known is None:
            return
        try:
            found = self._folder.stat(item.path)
            beside = item.path.with_name(f"{item.path.name}.json")
            lacks_sidecar = self._sidecars and not self._has_sidecar(beside, known)
        except StorageError:
            return
        if found is None:
            self._plan.set_outcome(item, Outcome.WANTED)
            return
        changes: dict[str, object] = {}
        if mtime_of(found) != known.get("mtime"):
            changes["mtime"] = mtime_of(found)
        if lacks_sidecar:
            changes |= self._sidecar(item, item.path)
        if changes:
            self._append({**known, **changes}, kind="noted")

    def _has_sidecar(self, beside: PurePosixPath, line: ManifestEntry) -> bool:
        """Whether a file is the sidecar that a line names."""
        try:
            return line.get("sidecar") == beside.name and sidecar_matches(self._folder.read(beside, MAX_SIDECAR), line)
        except StorageError:
            return False

    def _sidecar(self, item: PlanItem, path: PurePosixPath) -> dict[str, object]:
        """Write an object's record beside its file; returns the fields to add to its line."""
        beside = path.with_name(f"{path.name}.json")
        record = entry_record(item.entry, self._provider)
        record |= {"tag_list": [{"key": key, "value": value} for key, value in item.entry.tags]}
        try:
            self._refuse_other(item, beside)
            self._folder.write_whole(beside, json.dumps(record, indent=1).encode() + b"\n")
        except StorageError as error:
            self.failures.append(error)
            return {}
        return {"sidecar": beside.name}

    def _refuse_other(self, item: PlanItem, beside: PurePosixPath) -> None:
        """Refuse to overwrite anything but a sidecar of the same object.

        Raises:
            ConflictError: another file has the name.
        """
        known = self._plan.line_of(item)
        if self._folder.stat(beside) is None or (known is not None and sidecar_of(known) == str(beside)):
            return
        entry = entry_of(item.entry, item.path, self._provider)
        if not sidecar_matches(self._folder.read(beside, MAX_SIDECAR), entry, any_version=True):
            subject, hint = str(self._folder.file(beside)), "Move it away, or choose another folder or --name."
            message = "another file has the name of the sidecar of an object"
            raise ConflictError(message, subject=subject, hint=hint)

    def _append(self, *lines: ManifestEntry, kind: str = "") -> None:
        """Write lines as events; the manifest gets them in batches."""
        if self.broken is not None:
            return
        try:
            kinds = [kind_of(line) if is_superseded(line) or not kind else kind for line in lines]
            self._chain.append((name, {"line": line}) for name, line in zip(kinds, lines, strict=True))
            self._unwritten += lines
            if len(self._unwritten) >= BATCH:
                self._write()
        except StorageError as error:
            self._give_up(error)
        else:
            self.written += sum(not is_superseded(line) for line in lines)

    def _write(self) -> None:
        """Add lines to the manifest once their events are synced: after a power cut it never has more than these."""
        self._chain.sync()
        self._manifest.append(*self._unwritten)
        self._unwritten.clear()

    def close(self) -> None:
        """Write everything to the disk; errors go to `failures`."""
        try:
            try:
                if self.broken is None:
                    self._write()
            finally:
                self._manifest.close()
        except StorageError as error:
            self._give_up(error)

    def _give_up(self, error: StorageError) -> None:
        if self.broken is None:
            self.broken = error
            self.failures.append(error)


class Requests:
    """Makes the transfer requests for the wanted items, lazily."""

    def __init__(
        self, plan: PullPlan, folder: PullFolder, on_conflict: OnConflict, batch: TransferBatch | None = None
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._on_conflict = on_conflict
        self._batch = batch

    def downloads(self) -> Iterator[DownloadRequest]:
        """A download for every object."""
        for item in self._plan.items(Outcome.WANTED):
            yield self.request(item)

    def zips(self) -> Iterator[Request | FetchResult]:
        """Zips, downloads of objects that fit into none, and the results of objects that cannot be fetched."""
        packer = Packer()
        for item in self._plan.items(Outcome.WANTED):
            for part in packer.add(item.entry):
                if isinstance(part, Batch):
                    yield self._zip(part)
                elif isinstance(part, Direct):
                    yield self.request(item)
                else:
                    yield FetchResult(item, Outcome.MISSING, error=part.error)
        for batch in packer.rest():
            yield self._zip(batch)

    def _zip(self, batch: Batch) -> ZipRequest:
        found = (self._plan.find(key_of(entry.location)) for entry in batch.entries)
        members = tuple(self.request(item) for item in found if item is not None)
        near = Location(members[0].location.profile, batch.region)
        return ZipRequest(members, near, self._folder.path, batch=self._batch)

    def request(self, item: PlanItem) -> DownloadRequest:
        """The download of one object."""
        file, on_conflict = self._folder.file(item.path), self._on_conflict
        if on_conflict is OnConflict.OVERWRITE and self._is_of_another(item):
            # It may be the only copy of that object.
            on_conflict = OnConflict.KEEP_BOTH
        return DownloadRequest(
            *(item.entry.location, file.parent, file.name, on_conflict, item.entry),
            sha256=True,
            root=self._folder.path,
            batch=self._batch,
        )

    def _is_of_another(self, item: PlanItem) -> bool:
        """Whether an earlier pull put another object at this item's path."""
        others = self._plan.other_lines_at(item.path, item)
        return any(match_file(self._folder, item.path, line, Stop()) is not LocalMatch.OTHER for line in others)

    def new_version(self, item: PlanItem) -> DownloadRequest:
        """The download of one object beside its earlier versions."""
        file = self._folder.file(item.planned)
        return replace(self.request(item), folder=file.parent, name=file.name, on_conflict=OnConflict.KEEP_BOTH)


class Fetcher:
    """Fetches the missing objects of a plan: submits transfers, a few at a time, and records their results."""

    def __init__(
        self,
        plan: PullPlan,
        folder: PullFolder,
        recorder: Recorder,
        on_conflict: OnConflict,
        engine: TransferManager,
        batch: TransferBatch,
    ) -> None:
        """Prepare it; its transfers are shown as `batch`."""
        self._plan = plan
        self._folder = folder
        self._recorder = recorder
        self._on_conflict = on_conflict
        self._requests = Requests(plan, folder, on_conflict, batch)
        self._engine = engine
        self._workers = Workers(1)
        self._pending: dict[asyncio.Task[TransferSnapshot], tuple[int, Request]] = {}
        """Submitted transfers by the task that waits for each."""
        self._recorded = asyncio.Event()
        """Set whenever a result is recorded."""
        self._begun: dict[Location, tuple[PlanItem, FileStamp]] = {}
        """The items of the transfers under way."""
        self._retries: deque[DownloadRequest] = deque()
        self._zips_fit = True
        """Whether the disk has had room for every zip so far."""
        self._failures = 0
        # Nothing is fetched that cannot be recorded.
        self._given_up = recorder.broken
        self._remarks: list[str] = []
        """Remarks about fetched objects."""
        self.warnings: list[str] = []
        """Sentences for the user about things that are no loss."""
        self.done = 0
        """Objects that have an outcome."""
        self.size = 0
        """Bytes fetched."""

    async def run(self, *, zips: bool) -> None:
        """Fetch everything that is wanted; afterwards every item has an outcome.

        Raises:
            StorageError: the plan's database cannot be used.
        """
        try:
            if not self._given_up:
                await self._resume_interrupted()
            await self._fetch_all(self._requests.zips() if zips else self._requests.downloads())
            if not self._zips_fit:
                # The disk had no room for a zip together with its objects; it may have room for the objects alone.
                await self._fetch_all(self._requests.downloads())
            if self._given_up:
                await self._workers.run(lambda _stop: self._give_up_on_rest())
            if self._remarks:
                others = f" The same holds for {len(self._remarks) - 1:,} more." if self._remarks[1:] else ""
                self.warnings.append(f"{self._remarks[0]}.{others}")
        finally:
            # What is not done stays in the journal for the next run.
            for task in self._pending:
                task.cancel()
            self._pending.clear()
            self._recorded.set()
            self._workers.close()

    async def _fetch_all(self, steps: Iterable[Request | FetchResult]) -> None:
        for step in steps:
            if self._given_up or (isinstance(step, ZipRequest) and not self._zips_fit):
                break
            if isinstance(step, FetchResult):
                await self._record(partial(_alone, step))
            else:
                await self._submit(step)
        while (self._pending or self._retries) and not self._given_up:
            if self._retries:
                await self._submit(self._retries.popleft())
            else:
                await self._collect()

    async def finish(self) -> None:
        """Begin nothing more; returns once the transfers under way have ended and are recorded."""
        under_way = self._engine.drain()
        waits = [task for task, (number, _request) in self._pending.items() if number in under_way]
        if waits:
            await asyncio.wait(waits)
        while self._has_ended():
            self._recorded.clear()
            await self._recorded.wait()

    async def _resume_interrupted(self) -> None:
        """Resume the transfers that an earlier run of this pull left unfinished."""
        ours: dict[int, Request] = {}
        try:
            interrupted = await self._engine.left_overs.interrupted()
        except StorageError as error:
            self.warnings.append(f"What an earlier run left unfinished cannot be resumed. {error}")
            return
        for transfer in interrupted:
            requests = downloads_of(transfer.request)
            if requests and all(self._is_ours(request) for request in requests):
                ours[transfer.id] = transfer.request
        for number in await self._engine.adopt(ours) if ours else ():
            for request in downloads_of(ours[number]):
                item = self._item(request)
                if item is not None and self._plan.outcome(item) is Outcome.WANTED:
                    self._begun[request.location] = item, self._stamp_of(item)
                    self._plan.set_outcome(item, Outcome.UNDER_WAY)
            self._watch(number, ours[number])

    def _is_ours(self, request: DownloadRequest) -> bool:
        if request.on_conflict is OnConflict.OVERWRITE and self._on_conflict is not OnConflict.OVERWRITE:
            # Only the earlier run was allowed to overwrite.
            return False
        item = self._item(request)
        return item is not None and below(self._folder.path, request.folder / request.name) in (item.path, item.planned)

    def _item(self, request: Request) -> PlanItem | None:
        begun = self._begun.get(request.location)
        return begun[0] if begun else self._plan.find(key_of(request.location))

    async def _submit(self, request: Request) -> None:
        prepared = await self._workers.run(lambda _stop: self._prepare(request))
        while prepared is not None and (self._is_full(prepared) or self._has_ended()) and not self._given_up:
            await self._collect()
        if prepared is not None and not self._given_up:
            self._watch(self._engine.submit(prepared), prepared)

    def _prepare(self, request: Request) -> Request | None:
        """The request without objects that may not be written, `None` if none is left; notes what is there. Blocks."""
        good = tuple(one for one in downloads_of(request) if self._may_begin(one))
        if not good:
            return None
        return replace(request, members=good) if isinstance(request, ZipRequest) else request

    def _may_begin(self, request: DownloadRequest) -> bool:
        item = self._item(request)
        if item is None:
            return False
        try:
            self._begun[request.location] = item, _stamp(self._folder.checked_stat(item.path))
        except StorageError as refusal:
            self._recorder.record(FetchResult(item, Outcome.MISSING, error=refusal))
            self.done += 1
            return False
        return True

    def _stamp_of(self, item: PlanItem) -> FileStamp:
        try:
            return _stamp(self._folder.stat(item.path))
        except StorageError:
            return None

    def _is_full(self, request: Request) -> bool:
        zips = sum(isinstance(one, ZipRequest) for _number, one in self._pending.values())
        if isinstance(request, ZipRequest):
            return zips >= MAX_ZIPS
        return len(self._pending) - zips >= MAX_DOWNLOADS

    def _has_ended(self) -> bool:
        """Whether results wait to be recorded: do that first, in case the pull is ended."""
        return any(task.done() for task in self._pending)

    def _watch(self, number: int, request: Request) -> None:
        self._pending[asyncio.ensure_future(self._engine.wait(number))] = (number, request)

    async def _collect(self) -> None:
        """Wait until a transfer has ended, and record its results."""
        ended, _ = await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            (_number, request), transfer = self._pending[task], task.result()
            await self._record(partial(self._results, request, transfer))
            # Only now: `finish` waits until the result is recorded.
            del self._pending[task]
            self._recorded.set()
            if isinstance(request, ZipRequest) and isinstance(transfer.error, FullDiskError):
                # Its bytes take up the room that its objects need.
                self._engine.forget(transfer.id)
                continue
            await self._check_failure(transfer)
            if transfer.error is None or not transfer.error.retryable:
                self._engine.forget(transfer.id)

    async def _record(self, results: Callable[[Stop], Iterable[FetchResult]]) -> None:
        def note(stop: Stop) -> None:
            for result in results(stop):
                self._recorder.record(result)
                self.done += 1

        await self._workers.run(note)
        self._given_up = self._given_up or self._recorder.broken

    def _results(self, request: Request, transfer: TransferSnapshot, stop: Stop) -> list[FetchResult]:
        """The results of a transfer's objects, without those that will be retried. Blocks."""
        parts = self._engine.members(transfer.id) if isinstance(request, ZipRequest) else (transfer,)
        results = []
        for part in parts:
            item = self._item(part.request)
            if item is None or self._plan.outcome(item) is Outcome.HAD:
                # A killed run had recorded it, and it is as it was.
                continue
            if isinstance(request, ZipRequest) and isinstance(part.error, FullDiskError):
                self._zips_fit = False
                self._plan.set_outcome(item, Outcome.WANTED)
                continue
            again = self._next_try(item, part, stop, in_zip=isinstance(request, ZipRequest))
            if again is not None:
                self._retries.append(again)
            else:
                results.append(self._result(item, part, stop))
        return results

    def _next_try(self, item: PlanItem, part: TransferSnapshot, stop: Stop, *, in_zip: bool) -> DownloadRequest | None:
        """The next attempt at an object: alone if a zip failed to bring it, or beside an earlier version of it."""
        request = part.request
        if not isinstance(request, DownloadRequest):
            return None
        if in_zip and isinstance(part.error, _ZIP_ERRORS) and not isinstance(part.error, NotAvailableError):
            return request
        if part.state is State.SKIPPED or isinstance(part.error, ConflictError):
            return self._despite_conflict(item, request, stop)
        # The transfer may be that of a killed run, which knew an earlier version.
        is_earlier = part.state is State.DONE and not _is_same_version(request.entry, item.entry)
        return self._requests.new_version(item) if is_earlier else None

    def _despite_conflict(self, item: PlanItem, request: DownloadRequest, stop: Stop) -> DownloadRequest | None:
        """The next attempt at an object whose name is taken: only files of others are to be left alone."""
        if request.on_conflict not in (OnConflict.REFUSE, OnConflict.SKIP):
            return None
        if is_earlier_version(self._plan, self._folder, item, stop):
            return self._requests.new_version(item)
        own = self._requests.request(item)
        # The request may be that of a killed run with another rule for conflicts.
        return own if own.on_conflict is not request.on_conflict else None

    def _result(self, item: PlanItem, part: TransferSnapshot, stop: Stop) -> FetchResult:
        _, before = self._begun.pop(part.request.location, (item, None))
        if part.state is State.DONE:
            path = below(self._folder.path, part.path)
            is_new = before is None or path != item.path or before != self._stamp_of(item)
            self.size += (part.size or 0) if is_new else 0
            if part.note:
                self._remarks.append(f"{item.address}: {part.note}")
            return FetchResult(item, Outcome.FETCHED if is_new else Outcome.HAD, path, part.level, part.sha256)
        if part.state is State.SKIPPED:
            return self._skipped(item, stop)
        return FetchResult(item, Outcome.MISSING, error=self._own_error(item, part.error))

    def _skipped(self, item: PlanItem, stop: Stop) -> FetchResult:
        """The file in the way may be the object itself, if a killed run fetched it and did not record it."""
        entry = item.entry
        try:
            found = self._folder.stat(item.path)
            if entry.checksum and found is not None and found.st_size == entry.size:
                expected = ExpectedChecksum(entry.size, entry.checksum, entry.checksum_type)
                digest, result = self._folder.verified(item.path, expected, stop)
                if result.is_same:
                    return FetchResult(item, Outcome.HAD, item.path, result.level, digest)
        except StorageError:
            # A file that cannot be read is left alone all the same.
            pass
        return FetchResult(item, Outcome.SKIPPED)

    def _own_error(self, item: PlanItem, error: StorageError | None) -> StorageError:
        """The error about the object itself: the failure of a zip is that of each of its members."""
        error = error or InterruptedTransfer("it was stopped")
        mine = (item.address, str(self._folder.file(item.path)))
        return error if error.subject in mine else error.with_(subject=item.address)

    async def _check_failure(self, transfer: TransferSnapshot) -> None:
        """Give up where everything else would fail as well."""
        error = transfer.error
        self._failures = self._failures + 1 if isinstance(error, _SYSTEMIC_ERRORS) else 0
        limit = MAX_CONSECUTIVE_FORBIDDEN if isinstance(error, ForbiddenError) else MAX_CONSECUTIVE_FAILURES
        if not isinstance(error, LoginError) and self._failures < limit:
            return
        # The disk may refuse only some names.
        may_be_the_name = isinstance(error, LocalDiskError) and not isinstance(error, FullDiskError)
        if not may_be_the_name or not await self._workers.run(lambda _stop: self._folder.is_writable()):
            self._given_up = self._given_up or error

    def _give_up_on_rest(self) -> None:
        """Record every object that was not tried as missing, for the reason why the pull gave up."""
        error = self._given_up or InterruptedTransfer("it was stopped")
        for outcome in (Outcome.WANTED, Outcome.UNDER_WAY):
            for item in self._plan.items(outcome):
                self._recorder.record(FetchResult(item, Outcome.MISSING, error=error.with_(subject=item.address)))


def _alone(result: FetchResult, _stop: Stop) -> list[FetchResult]:
    return [result]


def _stamp(found: os.stat_result | None) -> FileStamp:
    return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def _is_same_version(one: StoredObject | None, other: StoredObject) -> bool:
    """Whether two records are of one version, as far as the journal keeps them."""
    return one is None or all(getattr(one, name) == getattr(other, name) for name in ("checksum", "size", "modified"))


def downloads_of(request: Request) -> tuple[DownloadRequest, ...]:
    """The downloads in a request."""
    if isinstance(request, ZipRequest):
        return request.members
    return (request,) if isinstance(request, DownloadRequest) else ()


def below(folder: Path, file: Path | None) -> PurePosixPath | None:
    """A file's path below a folder; `None` if it is not below it."""
    try:
        return None if file is None else PurePosixPath(file.relative_to(folder))
    except ValueError:
        return None
