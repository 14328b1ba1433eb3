"""From a plan to files: which transfers are requested, the outcome of each object, and how it is recorded."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Iterator
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
    mtime_of,
    path_of,
    sidecar_of,
    sidecar_tells_of,
    superseded_entry,
    tells_of_same,
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

MAX_SINGLE = 64
"""Downloads handed over at once: enough to keep the transfers busy, few enough to cost no memory."""
MAX_ZIPS = 3
"""One that is fetched while two others are packed."""
MAX_FAILURES = 5
"""Transfers in a row that fail because of the network, the disk or the login, after which the rest is not tried."""
MAX_FORBIDDEN = 100
"""The same for objects that the key may not read: the oldest ones may be closed to it, and the newer ones not."""

_EVERYWHERE = (UnavailableError, LocalDiskError, AccessError)
_OF_THE_ZIP = (JobError, MissingError, IntegrityError)
"""What can be wrong with a zip and what it brings, while the object itself is fine."""

_PATHS = 200
"""Paths in one event: of the longest ones, a line holds so many."""

Before = tuple[int, int, int] | None
"""What had the name of an object before it was asked for: inode, size, time."""


class FetchResult(msgspec.Struct, frozen=True):
    """The outcome of one object."""

    item: PlanItem
    outcome: Outcome
    path: PurePosixPath | None = None
    """Where the file is, below the folder."""
    level: str = ""
    sha256: str = ""
    error: StorageError | None = None


class Recorder:
    """Records the outcome of each object: in the plan, in the manifest, and in a sidecar if wanted.

    A manifest that cannot be written does not raise: the plan goes on, and `failures` says so. Blocks; used from one
    thread at a time.
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
        """What the events tell and the manifest does not yet."""
        self.written = 0
        """Lines that the manifest got."""
        self.failures: list[StorageError] = []
        """What could not be written beside the objects themselves."""
        self.broken: StorageError | None = None
        """Why the manifest takes no more lines."""

    def note(self, result: FetchResult) -> None:
        """Write down one result; the file is on the disk by then."""
        if result.outcome is Outcome.SKIPPED:
            self._plan.note(result.item, Outcome.SKIPPED)
        elif result.error is not None:
            self._note_missing(result.item, result.error)
        else:
            self._note_present(result)

    def _note_present(self, result: FetchResult) -> None:
        item, path = result.item, result.path or result.item.path
        subject = str(self._folder.file(path))
        try:
            found = self._folder.stat(path)
        except StorageError as error:
            self._note_missing(item, error)
            return
        if found is None:
            self._note_missing(item, LocalDiskError("the file is gone again", subject=subject, hint="Pull again."))
            return
        line = fetched_entry(
            entry_of(item.entry, path, self._provider), found, result.level, result.sha256, datetime.now(UTC)
        )
        if self._sidecars:
            line |= self._sidecar(item, path)
        known = self._plan.known(item)
        self._append(line, *self._superseded(item, line, known))
        is_new = known is not None and "sha256" in known and known["sha256"] != result.sha256
        self._plan.note(item, result.outcome, result.level, changed=is_new)

    def _superseded(self, item: PlanItem, line: ManifestEntry, known: ManifestEntry | None) -> Iterator[ManifestEntry]:
        """Lines about our files that a new file has replaced, of this object or of others."""
        path = path_of(line)
        if known is not None and "error" not in known:
            earlier = PurePosixPath(path_of(known))
            if str(earlier) == path:
                if known.get("sha256") != line.get("sha256"):
                    yield superseded_entry(known, path, is_there=True)
            else:
                is_there = match_file(self._folder, earlier, known, Stop()) is not LocalMatch.OTHER
                yield superseded_entry(known, path, is_there=is_there)
        for other in self._plan.others_at(PurePosixPath(path), item):
            if "error" not in other and other.get("sha256") != line.get("sha256"):
                yield superseded_entry(other, path, is_there=True)

    def _note_missing(self, item: PlanItem, error: StorageError) -> None:
        known = self._plan.known(item)
        older = []
        if known is not None and "error" not in known and not tells_of_same(known, item.entry):
            # What is known of the older version would be lost in the line about the new one.
            older.append(superseded_entry(known, str(item.path), is_there=True))
        self._append(failed_entry(entry_of(item.entry, item.path, self._provider), error, known), *older)
        self._plan.note(item, Outcome.MISSING, error=error)

    def catch_up(self, stop: Stop) -> None:
        """Rename files that are here already to what this plan calls them, and bring their lines up to date."""
        for line in self._plan.in_the_way():
            stop.check()
            self._move_aside(line, stop, *suffixed_names(line))
        for item, line in self._plan.known_items():
            stop.check()
            is_elsewhere = path_of(line) != str(item.path) and self._plan.could_be(item, path_of(line))
            if is_elsewhere and not self._move_aside(line, stop, item.path.name):
                # What has the new name is looked at by the transfer.
                self._plan.note(item, Outcome.WANTED)
        # Once all have their names: of two objects that were taken to be in one file, one has none now.
        for item in self._plan.items(Outcome.HAD):
            stop.check()
            self._refresh(item)

    def announce(self, asked: str) -> None:
        """Record which paths are about to be filled, before anything is there."""
        paths = (str(item.path) for item in self._plan.items(Outcome.WANTED))
        try:
            while some := list(islice(paths, _PATHS)):
                self._chain.append([(FETCHING, {"asked": asked, "paths": some})])
            self._chain.sync()
        except StorageError as error:
            self._give_up(error)

    def _move_aside(self, line: ManifestEntry, stop: Stop, *names: str) -> bool:
        """Rename a file of ours to the first free name, because another object or a folder needs its name.

        A file that is not as its line says is left alone. False if no name is free.
        """
        path = PurePosixPath(path_of(line))
        if match_file(self._folder, path, line, stop) is LocalMatch.OTHER:
            return True
        name = next((name for name in names if self._renamed(path, name)), "")
        if not name:
            return False
        moved = {**line, "path": str(path.with_name(name))}
        sidecar = f"{path.name}.json"
        if line.get("sidecar") == sidecar:
            moved["sidecar"] = f"{name}.json"
            if not self._renamed(path.with_name(sidecar), moved["sidecar"]):
                del moved["sidecar"]
        self._append(moved, superseded_entry(line, str(moved["path"]), is_there=False), kind="renamed")
        self._plan.remember([moved])
        return True

    def _renamed(self, path: PurePosixPath, name: str) -> bool:
        try:
            return self._folder.rename(path, name)
        except StorageError:
            return False

    def _refresh(self, item: PlanItem) -> None:
        """Bring the line of a file up to date that is here already, and the file beside it."""
        known = self._plan.known(item)
        if known is None:
            return
        try:
            found = self._folder.stat(item.path)
            beside = item.path.with_name(f"{item.path.name}.json")
            lacks_sidecar = self._sidecars and not self._has_sidecar(beside, known)
        except StorageError:
            return
        if found is None:
            self._plan.note(item, Outcome.WANTED)
            return
        changes: dict[str, object] = {}
        if mtime_of(found) != known.get("mtime"):
            changes["mtime"] = mtime_of(found)
        if lacks_sidecar:
            changes |= self._sidecar(item, item.path)
        if changes:
            self._append({**known, **changes}, kind="noted")

    def _has_sidecar(self, beside: PurePosixPath, line: ManifestEntry) -> bool:
        """Whether a file is the sidecar of a line's object."""
        try:
            return line.get("sidecar") == beside.name and sidecar_tells_of(self._folder.read(beside, MAX_SIDECAR), line)
        except StorageError:
            return False

    def _sidecar(self, item: PlanItem, path: PurePosixPath) -> dict[str, object]:
        """Write everything known of an object beside its file; what its line says of that."""
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
        """Make sure that nothing has the name but a sidecar of the same object.

        Raises:
            ConflictError: something else has it.
        """
        known = self._plan.known(item)
        if self._folder.stat(beside) is None or (known is not None and sidecar_of(known) == str(beside)):
            return
        entry = entry_of(item.entry, item.path, self._provider)
        if not sidecar_tells_of(self._folder.read(beside, MAX_SIDECAR), entry, any_version=True):
            subject, hint = str(self._folder.file(beside)), "Move it away, or choose another folder or --name."
            message = "another file has the name of the sidecar of an object"
            raise ConflictError(message, subject=subject, hint=hint)

    def _append(self, *lines: ManifestEntry, kind: str = "") -> None:
        """Write lines of the manifest, each as an event first."""
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
        """Let the manifest follow the events, once these are on the disk: after a power cut it never knows more."""
        self._chain.sync()
        self._manifest.append(*self._unwritten)
        self._unwritten.clear()

    def close(self) -> None:
        """Write everything to the disk; a failure is in `failures`."""
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
    """Makes requests out of the items that are wanted, as they are asked for."""

    def __init__(
        self, plan: PullPlan, folder: PullFolder, on_conflict: OnConflict, batch: TransferBatch | None = None
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._on_conflict = on_conflict
        self._batch = batch

    def single(self) -> Iterator[DownloadRequest]:
        """Every object by itself."""
        for item in self._plan.items(Outcome.WANTED):
            yield self.request(item)

    def packed(self) -> Iterator[Request | FetchResult]:
        """Zips, the objects that fit into none, and the results of those that cannot be fetched."""
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
        """One object by itself."""
        file, on_conflict = self._folder.file(item.path), self._on_conflict
        if on_conflict is OnConflict.OVERWRITE and self._is_of_another(item):
            # That is no file of somebody else's, and may be all there is of its object.
            on_conflict = OnConflict.KEEP_BOTH
        return DownloadRequest(
            *(item.entry.location, file.parent, file.name, on_conflict, item.entry),
            sha256=True,
            root=self._folder.path,
            batch=self._batch,
        )

    def _is_of_another(self, item: PlanItem) -> bool:
        """Whether an earlier pull put another object where this one goes."""
        others = self._plan.others_at(item.path, item)
        return any(match_file(self._folder, item.path, line, Stop()) is not LocalMatch.OTHER for line in others)

    def beside(self, item: PlanItem) -> DownloadRequest:
        """One object by itself, beside the earlier versions of it."""
        file = self._folder.file(item.own)
        return replace(self.request(item), folder=file.parent, name=file.name, on_conflict=OnConflict.KEEP_BOTH)


class Fetching:
    """One run over the missing objects of a plan: hands them to the transfers, a few at a time, and notes results."""

    def __init__(
        self,
        plan: PullPlan,
        folder: PullFolder,
        recorder: Recorder,
        on_conflict: OnConflict,
        engine: TransferManager,
        batch: TransferBatch,
    ) -> None:
        """Prepare one; `batch` is what its transfers are shown as."""
        self._plan = plan
        self._folder = folder
        self._recorder = recorder
        self._on_conflict = on_conflict
        self._requests = Requests(plan, folder, on_conflict, batch)
        self._engine = engine
        self._workers = Workers(1)
        self._open: dict[asyncio.Task[TransferSnapshot], tuple[int, Request]] = {}
        """Transfers that are waited for, by what waits."""
        self._noted = asyncio.Event()
        """Set whenever a result is written down."""
        self._before: dict[str, Before] = {}
        self._again: deque[DownloadRequest] = deque()
        self._zips_fit = True
        """Whether the disk has had room for every zip so far."""
        self._failures = 0
        self._given_up: StorageError | None = None
        self._remarks: list[str] = []
        """What is odd about objects that came."""
        self.warnings: list[str] = []
        """Sentences that a user should see and that mean no loss."""
        self.done = 0
        """Objects that came to an end."""
        self.size = 0
        """Bytes that were fetched."""

    async def run(self, *, zips: bool) -> None:
        """Fetch everything that is wanted; afterwards nothing is.

        Raises:
            StorageError: the plan itself cannot be kept.
        """
        try:
            await self._adopt()
            await self._bring(self._requests.packed() if zips else self._requests.single())
            if not self._zips_fit:
                # The disk may have room for each object by itself.
                await self._bring(self._requests.single())
            if self._given_up:
                await self._workers.run(lambda _stop: self._leave())
            if self._remarks:
                others = f" The same holds for {len(self._remarks) - 1:,} more." if self._remarks[1:] else ""
                self.warnings.append(f"{self._remarks[0]}.{others}")
        finally:
            # What is not done stays with the transfers, which leave it for the next run.
            for task in self._open:
                task.cancel()
            self._open.clear()
            self._noted.set()
            self._workers.close()

    async def _bring(self, steps: Iterable[Request | FetchResult]) -> None:
        for step in steps:
            if self._given_up or (isinstance(step, ZipRequest) and not self._zips_fit):
                break
            if isinstance(step, FetchResult):
                await self._record([step])
            else:
                await self._submit(step)
        while (self._open or self._again) and not self._given_up:
            if self._again:
                await self._submit(self._again.popleft())
            else:
                await self._collect()

    async def finish(self) -> None:
        """Begin nothing more; returns when what is under way has come to its end and is written down."""
        under_way = self._engine.hold()
        waits = [task for task, (number, _request) in self._open.items() if number in under_way]
        if waits:
            await asyncio.wait(waits)
        while self._has_ended():
            self._noted.clear()
            await self._noted.wait()

    async def _adopt(self) -> None:
        """Go on with the transfers that an earlier run of this pull left unfinished."""
        ours: dict[int, Request] = {}
        try:
            interrupted = await self._engine.left_overs.interrupted()
        except StorageError as error:
            self.warnings.append(f"What an earlier run left cannot be gone on with. {error}")
            return
        for transfer in interrupted:
            requests = downloads_of(transfer.request)
            if requests and all(self._is_ours(request) for request in requests):
                ours[transfer.id] = transfer.request
        for number in await self._engine.adopt(ours) if ours else ():
            for request in downloads_of(ours[number]):
                item = self._item(request)
                if item is not None and self._plan.outcome(item) is Outcome.WANTED:
                    self._before[item.key] = self._state_of(item)
                    self._plan.note(item, Outcome.UNDER_WAY)
            self._watch(number, ours[number])

    def _is_ours(self, request: DownloadRequest) -> bool:
        if request.on_conflict is OnConflict.OVERWRITE and self._on_conflict is not OnConflict.OVERWRITE:
            # Nobody asks for that any more.
            return False
        item = self._item(request)
        return item is not None and below(self._folder.path, request.folder / request.name) in (item.path, item.own)

    def _item(self, request: Request) -> PlanItem | None:
        return self._plan.find(key_of(request.location))

    async def _submit(self, request: Request) -> None:
        prepared = await self._workers.run(lambda _stop: self._prepare(request))
        while prepared is not None and (self._is_full(prepared) or self._has_ended()) and not self._given_up:
            await self._collect()
        if prepared is not None and not self._given_up:
            self._watch(self._engine.submit(prepared), prepared)

    def _prepare(self, request: Request) -> Request | None:
        """The request without what may not be written; remembers what is there. Blocks."""
        good = tuple(one for one in downloads_of(request) if self._may_begin(one))
        if not good:
            return None
        return replace(request, members=good) if isinstance(request, ZipRequest) else request

    def _may_begin(self, request: DownloadRequest) -> bool:
        item = self._item(request)
        if item is None:
            return False
        if refusal := self._folder.refusal(item.path):
            self._recorder.note(FetchResult(item, Outcome.MISSING, error=refusal))
            self.done += 1
            return False
        self._before[item.key] = self._state_of(item)
        return True

    def _state_of(self, item: PlanItem) -> Before:
        try:
            found = self._folder.stat(item.path)
        except StorageError:
            return None
        return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)

    def _is_full(self, request: Request) -> bool:
        zips = sum(isinstance(one, ZipRequest) for _number, one in self._open.values())
        if isinstance(request, ZipRequest):
            return zips >= MAX_ZIPS
        return len(self._open) - zips >= MAX_SINGLE

    def _has_ended(self) -> bool:
        """Whether results wait to be noted: they are in the manifest soon, whatever ends the pull."""
        return any(task.done() for task in self._open)

    def _watch(self, number: int, request: Request) -> None:
        self._open[asyncio.ensure_future(self._engine.wait(number))] = (number, request)

    async def _collect(self) -> None:
        """Wait until a transfer has ended, and note its results."""
        ended, _ = await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            (_number, request), transfer = self._open[task], task.result()
            await self._record(await self._workers.run(partial(self._results, request, transfer)))
            # Not before: who ends the pull waits until it is written down.
            del self._open[task]
            self._noted.set()
            if isinstance(request, ZipRequest) and isinstance(transfer.error, FullDiskError):
                # Its bytes need the room that its objects are to have.
                self._engine.forget(transfer.id)
                continue
            await self._judge(transfer)
            if transfer.error is None or not transfer.error.retryable:
                self._engine.forget(transfer.id)

    async def _record(self, results: Iterable[FetchResult]) -> None:
        def note() -> None:
            for result in results:
                self._recorder.note(result)
                self.done += 1

        await self._workers.run(lambda _stop: note())
        self._given_up = self._given_up or self._recorder.broken

    def _results(self, request: Request, transfer: TransferSnapshot, stop: Stop) -> list[FetchResult]:
        """The results of a transfer's objects, without those that are tried again. Blocks."""
        parts = self._engine.members(transfer.id) if isinstance(request, ZipRequest) else (transfer,)
        results = []
        for part in parts:
            item = self._item(part.request)
            if item is None:
                continue
            if isinstance(request, ZipRequest) and isinstance(part.error, FullDiskError):
                self._zips_fit = False
                self._plan.note(item, Outcome.WANTED)
                continue
            again = self._next_try(item, part, stop, in_zip=isinstance(request, ZipRequest))
            if again is not None:
                self._again.append(again)
            else:
                results.append(self._result(item, part, stop))
        return results

    def _next_try(self, item: PlanItem, part: TransferSnapshot, stop: Stop, *, in_zip: bool) -> DownloadRequest | None:
        """How an object may still come: by itself if no zip brought it, beside what is an earlier version of it."""
        request = part.request
        if not isinstance(request, DownloadRequest):
            return None
        if in_zip and isinstance(part.error, _OF_THE_ZIP) and not isinstance(part.error, NotAvailableError):
            return request
        if part.state is State.SKIPPED or isinstance(part.error, ConflictError):
            return self._beside_what_is_there(item, request, stop)
        # A run that was killed knew an earlier version, and may have left that.
        is_earlier = part.state is State.DONE and not _is_same_version(request.entry, item.entry)
        return self._requests.beside(item) if is_earlier else None

    def _beside_what_is_there(self, item: PlanItem, request: DownloadRequest, stop: Stop) -> DownloadRequest | None:
        """How an object may still come whose name is taken: what is to be left alone are the files of others."""
        if request.on_conflict not in (OnConflict.REFUSE, OnConflict.SKIP):
            return None
        if is_earlier_version(self._plan, self._folder, item, stop):
            return self._requests.beside(item)
        own = self._requests.request(item)
        # A run that was killed could have been told otherwise.
        return own if own.on_conflict is not request.on_conflict else None

    def _result(self, item: PlanItem, part: TransferSnapshot, stop: Stop) -> FetchResult:
        before = self._before.pop(item.key, None)
        if part.state is State.DONE:
            path = below(self._folder.path, part.path)
            is_new = before is None or path != item.path or before != self._state_of(item)
            self.size += (part.size or 0) if is_new else 0
            if part.note:
                self._remarks.append(f"{item.address}: {part.note}")
            return FetchResult(item, Outcome.FETCHED if is_new else Outcome.HAD, path, part.level, part.sha256)
        if part.state is State.SKIPPED:
            return self._skipped(item, stop)
        return FetchResult(item, Outcome.MISSING, error=self._own_error(item, part.error))

    def _skipped(self, item: PlanItem, stop: Stop) -> FetchResult:
        """What has an object's name may be the object, of which a run that was killed wrote nothing down."""
        entry = item.entry
        try:
            found = self._folder.stat(item.path)
            if entry.checksum and found is not None and found.st_size == entry.size:
                expected = ExpectedChecksum(entry.size, entry.checksum, entry.checksum_type)
                digest, result = self._folder.verified(item.path, expected, stop)
                if result.is_same:
                    return FetchResult(item, Outcome.HAD, item.path, result.level, digest)
        except StorageError:
            # It can be left alone without being read.
            pass
        return FetchResult(item, Outcome.SKIPPED)

    def _own_error(self, item: PlanItem, error: StorageError | None) -> StorageError:
        """Why an object is missing, told about that object: what befell a whole zip befell each member."""
        error = error or InterruptedTransfer("it was stopped")
        mine = (item.address, str(self._folder.file(item.path)))
        return error if error.subject in mine else error.with_(subject=item.address)

    async def _judge(self, transfer: TransferSnapshot) -> None:
        """Give up where everything else would fail, too."""
        error = transfer.error
        self._failures = self._failures + 1 if isinstance(error, _EVERYWHERE) else 0
        limit = MAX_FORBIDDEN if isinstance(error, ForbiddenError) else MAX_FAILURES
        if not isinstance(error, LoginError) and self._failures < limit:
            return
        # It may be these names alone that the disk does not take.
        is_odd = isinstance(error, LocalDiskError) and not isinstance(error, FullDiskError)
        if not is_odd or not await self._workers.run(lambda _stop: self._folder.takes_files()):
            self._given_up = self._given_up or error

    def _leave(self) -> None:
        """All that was not tried is missing for the same reason, each object by its own name."""
        error = self._given_up or InterruptedTransfer("it was stopped")
        for outcome in (Outcome.WANTED, Outcome.UNDER_WAY):
            for item in self._plan.items(outcome):
                self._recorder.note(FetchResult(item, Outcome.MISSING, error=error.with_(subject=item.address)))


def _is_same_version(one: StoredObject | None, other: StoredObject) -> bool:
    """Whether two records tell of one version, as far as the transfers keep them."""
    return one is None or all(getattr(one, name) == getattr(other, name) for name in ("checksum", "size", "modified"))


def downloads_of(request: Request) -> tuple[DownloadRequest, ...]:
    """The objects that a request brings."""
    if isinstance(request, ZipRequest):
        return request.members
    return (request,) if isinstance(request, DownloadRequest) else ()


def below(folder: Path, file: Path | None) -> PurePosixPath | None:
    """A file's path below a folder; `None` if it is elsewhere."""
    if file is None or not file.is_relative_to(folder):
        return None
    return PurePosixPath(file.relative_to(folder).as_posix())
