"""`get` and `put`, and what all commands that move bytes share: the manager, the journal, the progress line."""

import asyncio
import os
import shlex
import stat
import sys
import unicodedata
from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from time import monotonic
from types import TracebackType

import click
from msgspec import Struct, structs
from msgspec.structs import replace

from cloudstore_tui.archive.template import Template
from cloudstore_tui.cli.output import Output, show_progress, writing
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import state_folder, user_path
from cloudstore_tui.core.errors import (
    BusyError,
    ConflictError,
    InterruptedTransfer,
    JobError,
    LocalDiskError,
    MissingError,
    StorageError,
    UnavailableError,
    UsageError,
)
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.text import plain
from cloudstore_tui.fs.disk import refuse_dangling_link
from cloudstore_tui.fs.names import distinct_name, safe_name
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    Request,
    State,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    batched,
    sizes_of,
)
from cloudstore_tui.ui import format as in_words

FOLLOWING_S = 900.0
"""Seconds that `--follow` waits for the service to process a file."""
FIRST_POLL_S = 1.0
LAST_POLL_S = 30.0
"""Seconds between two polls while it waits: at first, and at most."""
_RENAME = "Rename it; for example: mv OLD NEW."
_WAYS = (OnConflict.SKIP.value, OnConflict.OVERWRITE.value, OnConflict.KEEP_BOTH.value)


async def get_command(
    session: CommandSession, paths: tuple[str, ...], *, folder: str, name: str | None, on_conflict: str | None
) -> None:
    if folder == "-" and session.output.as_json:
        raise UsageError("--to - writes the bytes to stdout, where --json would write too", hint="Leave one out.")
    addresses = session.read_paths(paths)
    if folder == "-":
        await _stream(session, addresses)
    elif addresses:
        target = target_folder(session, user_path(folder) if folder else None)
        # A template may use any field of the record; without one, some services need no record.
        entries = await objects_at(session, addresses, whole=bool(name))
        template = Template(name, session.output.zone) if name else None
        files = local_paths(session, entries, target, template)
        await download(session, files, target, OnConflict(on_conflict) if on_conflict else None)


async def put_command(
    session: CommandSession,
    files: tuple[str, ...],
    *,
    on_conflict: str | None,
    follow: bool,
    within: float | None,
    yes: bool,
    dry_run: bool,
) -> None:
    if len(files) < 2:
        raise UsageError("at least one file and a folder are needed", hint="cloudstore put FILE... PROFILE:FOLDER/")
    if within is not None and not follow:
        raise UsageError("needs --follow", subject="--within", hint="Add it to see how the files are processed.")
    if ":" in files[0] and ":" not in files[-1]:
        hint = "cloudstore put FILE... PROFILE:FOLDER/"
        raise UsageError("the folder to upload to comes last", subject="put", hint=hint)
    provider, folder = session.resolve(files[-1])
    provider.require(Capability.UPLOAD, folder)
    if not provider.is_folder(folder) or not folder.path:
        hint = "Write the path of a folder below it, ending with /." if not folder.path else f"Write {files[-1]}/"
        raise UsageError("is no folder to upload to", subject=files[-1], hint=hint)
    sources = _distinct_targets([_source(name) for name in files[:-1]], folder)
    if follow and not provider.taken_to(replace(folder, path=folder.path + sources[0].name)):
        hint = "--follow is for folders below imports/ in which the service makes processed/ and errors/."
        raise UsageError("files are not processed there", subject=files[-1], hint=hint)
    if not (yes or dry_run):
        _confirm_caution(session.output, provider, folder)
    guard = OverwriteGuard(session.output, provider, OnConflict(on_conflict) if on_conflict else None, dry_run)
    wanted = [await guard.admit(file, folder) for file in sources]
    requests = [request for request in wanted if request is not None and not dry_run]
    before = [await _before_upload(provider, request.location) for request in requests] if follow else []
    ended = await _transfer(session, list(requests))
    if follow:
        sent = {transfer.request.location for transfer in ended if transfer.state is State.DONE}
        await _follow(session, provider, [one for one in before if one.location in sent], within or FOLLOWING_S)


class OverwriteGuard(Struct, frozen=True):
    """Decides for each file of an upload whether it may replace the object that is there."""

    output: Output
    provider: StorageProvider
    on_conflict: OnConflict | None
    dry_run: bool

    async def admit(self, file: Path, folder: Location) -> UploadRequest | None:
        """The request, or `None` if the existing object stays."""
        location = structs.replace(folder, path=folder.path + file.name)
        overwrite = self.on_conflict is OnConflict.OVERWRITE
        # Otherwise the transfer itself checks, once.
        exists = self._checks_first and await _found(self.provider, location) is not None
        if exists and not overwrite:
            if self.on_conflict is OnConflict.SKIP:
                self._skip(location)
                return None
            overwrite = self.on_conflict is None and not self.dry_run and self._ask(location)
            if not overwrite:
                hint = "Use --on-conflict overwrite to replace it, or skip to leave it."
                self.output.error(ConflictError("the object exists already", hint=hint), location.address)
                return None
        if self.dry_run:
            self.output.planned("replace" if exists else "upload", location.address, file=str(file))
        return UploadRequest(file, location, overwrite)

    @property
    def _checks_first(self) -> bool:
        asks = self.on_conflict is None and self.output.asks
        return self.dry_run or asks or self.on_conflict is OnConflict.SKIP

    def _skip(self, location: Location) -> None:
        if self.dry_run:
            self.output.planned("skip", location.address)
        else:
            self.output.result(
                {"path": location.address, "result": State.SKIPPED.value},
                f"{State.SKIPPED.value:8}  {'':12}  {location.address}",
            )

    def _ask(self, location: Location) -> bool:
        return self.output.asks and self.output.confirm(f"{location.address} exists. Replace it?")


def _source(name: str) -> Path:
    """A local file that can be uploaded: its name is UTF-8 and its size is known.

    Raises:
        UsageError: it cannot be.
    """
    file = user_path(name)
    try:
        file.name.encode()
        mode = file.stat().st_mode
    except UnicodeEncodeError:
        raise UsageError("its name is not UTF-8, as names at the service are", subject=name, hint=_RENAME) from None
    except OSError as error:
        # Of a dangling link, the error would say that there is no such file.
        what = "is a link to nothing" if file.is_symlink() else (error.strerror or "cannot be read").lower()
        raise UsageError(what, subject=name, hint="Name a file.") from None
    if stat.S_ISDIR(mode):
        raise UsageError("is a folder, and put sends files", subject=name, hint="Name the files in it.")
    if not stat.S_ISREG(mode):
        raise UsageError("is a pipe or a device, which has no size", subject=name, hint="Save it in a file first.")
    return file


def _distinct_targets(sources: Sequence[Path], folder: Location) -> Sequence[Path]:
    """Refuse files that would become the same object, of which only the last would remain."""
    known: dict[str, Path] = {}
    for file in sources:
        if file.name in known:
            message = f"{known[file.name]} and {file} would both become this object"
            raise UsageError(message, subject=f"{folder.address}{file.name}", hint="Send one of them elsewhere.")
        known[file.name] = file
    return sources


def _confirm_caution(output: Output, provider: StorageProvider, folder: Location) -> None:
    if caution := provider.upload_caution(folder):
        unattended = UsageError(caution, subject=folder.address, hint="Add --yes to upload there anyway.")
        output.require_yes(f"{folder.address}: {caution}. Upload there anyway?", unattended)


class _BeforeUpload(Struct, frozen=True):
    """What the folders of processed files held before an upload, to tell what arrives from what was there."""

    location: Location
    before: tuple[Entry | None, ...]
    """In the order of `taken_to`."""


async def _before_upload(provider: StorageProvider, location: Location) -> _BeforeUpload:
    return _BeforeUpload(location, tuple([await _found(provider, place) for place in provider.taken_to(location)]))


async def _found(provider: StorageProvider, location: Location) -> Entry | None:
    try:
        return await provider.stat(location)
    except MissingError:
        return None


async def _follow(
    session: CommandSession, provider: StorageProvider, waiting: Sequence[_BeforeUpload], seconds: float
) -> None:
    """Report how the service processed the uploaded files, and in the end those that it has not processed."""
    output, pause, end = session.output, FIRST_POLL_S, monotonic() + seconds
    if waiting:
        output.note(f"Waiting for the service to process {in_words.counted(len(waiting), 'file')}.")
    while waiting:
        waiting = [one for one in waiting if not await _is_processed(output, provider, one)]
        left = end - monotonic()
        if waiting and left <= 0:
            break
        await asyncio.sleep(min(pause, max(left, 0)))
        pause = min(pause * 2, LAST_POLL_S)
    for one in waiting:
        is_there = await _found(provider, one.location) is not None
        what = "it is still there" if is_there else "it is gone, and neither in processed/ nor in errors/"
        folder = one.location.address.rpartition("/")[0]
        hint = f"Not every folder has processed/ and errors/: cloudstore ls {shlex.quote(f'{folder}/')}"
        error = UnavailableError(f"not processed within {in_words.duration(seconds)}: {what}", hint=hint)
        output.error(error, one.location.address)


async def _is_processed(output: Output, provider: StorageProvider, sent: _BeforeUpload) -> bool:
    """Whether the service has processed a file; if so, the result is printed."""
    for place, before in zip(provider.taken_to(sent.location), sent.before, strict=True):
        entry = await _found(provider, place)
        if entry is None or entry == before:
            continue
        result = PurePosixPath(place.path).parent.name
        if result != "processed":
            hint = f"Look why: cloudstore preview {shlex.quote(place.address)}"
            output.error(JobError(f"the service has put it into {result}/", hint=hint), sent.location.address)
        else:
            output.result(
                {"path": sent.location.address, "result": result, "taken_to": place.address},
                f"{result:9} {'':12}  {place.address}",
            )
        return True
    return False


async def objects_at(session: CommandSession, paths: tuple[str, ...], *, whole: bool = True) -> list[StoredObject]:
    """The objects at some addresses; those that do not exist are reported.

    Unless `whole`, the record is not requested if the address is enough to download the object.
    """
    for path in paths:
        # An invalid address is refused before anything is downloaded.
        session.resolve(path)
    entries: list[StoredObject] = []
    for path in dict.fromkeys(paths):
        try:
            entries.append(await _object(session, path, whole=whole))
        except StorageError as error:
            session.output.error(error, path)
    return entries


async def download(
    session: CommandSession, files: Mapping[StoredObject, Path], target: Path, on_conflict: OnConflict | None
) -> None:
    """Download objects to these paths below `target` and print the outcome of each; without `on_conflict`, ask."""
    way = on_conflict or OnConflict.REFUSE
    requests: list[Request] = [
        DownloadRequest(entry.location, file.parent, file.name, way, entry, root=target)
        for entry, file in files.items()
    ]
    await _transfer(session, requests, ask=on_conflict is None and session.output.asks)


async def _object(session: CommandSession, path: str, *, whole: bool) -> StoredObject:
    provider, location = session.resolve(path)
    entry: Entry | None = None
    if not provider.is_folder(location):
        entry = (None if whole else provider.object_from_address(location)) or await provider.stat(location)
    if not isinstance(entry, StoredObject):
        raise UsageError(
            "is a folder, and get fetches objects",
            subject=path,
            hint=f"Fetch all of it: cloudstore pull {shlex.quote(path)} --to DIR",
        )
    return entry


async def _transfer(
    session: CommandSession, requests: list[Request], *, ask: bool = False
) -> Sequence[TransferSnapshot]:
    ended: list[TransferSnapshot] = []
    async with transferring(session) as engine:
        try:
            with ProgressLine(engine, session.output):
                ended = await wait_for_all(engine, submit_batch(engine, requests))
            if ask and (
                again := [_request_again(session.output, one) for one in ended if isinstance(one.error, ConflictError)]
            ):
                kept = [transfer for transfer in ended if not isinstance(transfer.error, ConflictError)]
                with ProgressLine(engine, session.output):
                    ended = [*kept, *await wait_for_all(engine, [engine.submit(request) for request in again])]
        except (asyncio.CancelledError, click.Abort):
            # Stopped, perhaps at a question; what is over is reported all the same.
            for transfer in {one.id: one for one in (*ended, *engine.snapshot()) if one.state.ended}.values():
                print_result(session.output, transfer)
            raise
    for transfer in ended:
        print_result(session.output, transfer)
    return ended


def _request_again(output: Output, transfer: TransferSnapshot) -> Request:
    """The same request, with the user's answer about the file in the way."""
    request = transfer.request
    if not isinstance(request, DownloadRequest):
        return request
    question = f"{request.folder / request.name} is there with other content"
    answer = output.choose(question, _WAYS, OnConflict.SKIP.value)
    return replace(request, on_conflict=OnConflict(answer))


async def _stream(session: CommandSession, paths: tuple[str, ...]) -> None:
    if sys.__stdout__ is None:
        raise UsageError("--to - writes the bytes to stdout, which is closed", hint="Give a folder: --to DIR.")
    # Deferred: the browser imports this module for the journal, and starts no transfer before its first frame.
    from cloudstore_tui.transfers.pipe import pipe

    engine = TransferManager(session.provider, 1, session.timeouts)
    try:
        for path in paths:
            entry = await _object(session, path, whole=False)
            provider = session.provider(entry.location.profile)
            transfer = await pipe(provider, engine.context, entry, _write)
            if transfer.error is not None:
                raise transfer.error
            with writing():
                sys.stdout.buffer.flush()
            if transfer.note:
                session.output.note(f"{entry.location.address}: {transfer.note}.")
    finally:
        await engine.close()


def _write(data: bytes) -> None:
    with writing():
        sys.stdout.buffer.write(data)


NOT_KEPT = "The journal of transfers cannot be used, so failed transfers start over next time."


@asynccontextmanager
async def transferring(
    session: CommandSession, *, needs_journal: bool = False, resume: str = "Resume with: cloudstore transfers run"
) -> AsyncIterator[TransferManager]:
    """A manager that is closed with the block; unfinished transfers stay in the journal.

    If the block is cancelled while transfers are not done, `resume` says how to go on.

    Raises:
        LocalDiskError: the journal cannot be used, and `needs_journal`.
    """
    settings = session.config.settings
    journal = required_journal(session.output) if needs_journal else open_journal(session.output)
    session.output.if_failed = "" if journal is not None else NOT_KEPT
    engine = TransferManager(
        session.provider, settings.transfers, session.timeouts, journal=journal, polls=settings.zip_poll_seconds
    )
    try:
        yield engine
    except asyncio.CancelledError:
        left = sum(not transfer.state.ended for transfer in engine.snapshot())
        if journal is not None and left:
            noun = "transfer is" if left == 1 else "transfers are"
            session.output.note(f"Stopped: {left:,} {noun} not done. {resume}")
        raise
    finally:
        await engine.close()
        if journal is not None:
            journal.close()


def open_journal(output: Output) -> JournalStore | None:
    """The journal of transfers; `None`, after a warning, where it cannot be written.

    Raises:
        ConfigError: a newer version of the program wrote it.
        BusyError: another program keeps it locked.
    """
    try:
        return required_journal(output)
    except LocalDiskError as error:
        output.note(f"{error} Until then interrupted transfers cannot be resumed.")
        return None


def required_journal(output: Output) -> JournalStore:
    """The journal of transfers.

    Raises:
        LocalDiskError: it cannot be written, or others can write to it.
        ConfigError: a newer version of the program wrote it.
        BusyError: another program keeps it locked.
    """
    journal = JournalStore(state_folder())
    if journal.warning:
        output.note(journal.warning)
    return journal


def print_result(output: Output, transfer: TransferSnapshot) -> None:
    """Print the outcome of a transfer."""
    request = transfer.request
    error = transfer.error
    if error is None and transfer.state is State.CANCELLED:
        # Cancelled by another program.
        error = InterruptedTransfer("it was cancelled")
    if error is not None:
        address = request.location.address
        if isinstance(request, ZipRequest) and request.job and error.subject in ("", address):
            error = error.with_(subject=f"{address}{request.job}")
        output.error(error, address)
        return
    here = transfer.path if isinstance(request, DownloadRequest | ZipRequest) else None
    if not output.as_json:
        output.line(f"{transfer.state.value:8}  {transfer.level:12}  {here or request.location.address}")
        if transfer.note:
            output.note(f"{request.location.address}: {transfer.note}.")
        return
    done: dict[str, object] = {"path": request.location.address, "result": transfer.state.value}
    done |= {"size": transfer.size, "level": transfer.level, "file": str(here) if here else ""}
    done["note"] = transfer.note
    output.record({name: value for name, value in done.items() if value not in ("", None)})


def target_folder(session: CommandSession, chosen: Path | None) -> Path:
    """The local folder of `--to`, or that of the settings.

    Raises:
        UsageError: it is a link to nothing.
    """
    folder = chosen or session.config.settings.download_dir
    refuse_dangling_link(folder)
    return folder


def local_paths(
    session: CommandSession, entries: Iterable[StoredObject], folder: Path, template: Template | None = None
) -> dict[StoredObject, Path]:
    """Where the objects of one command go; the second of two equal paths gets a suffix."""
    files: dict[StoredObject, Path] = {}
    taken: set[str] = set()
    for entry in entries:
        provider = session.config.profile(entry.location.profile).provider
        segments = template.path(entry, provider) if template is not None else (safe_name(entry.name),)
        file = folder.joinpath(*segments)
        if _folded(file) in taken:
            file = _distinct(file, entry.id or entry.location.path, taken)
        files[entry] = file
        taken.add(_folded(file))
    return files


def _distinct(file: Path, identity: str, taken: Container[str]) -> Path:
    """The path with as much of the object's identity as makes it unique."""
    lengths = range(8, 64, 8)
    names = (file.with_name(distinct_name(file.name, identity, length)) for length in lengths)
    return next(name for name in names if _folded(name) not in taken)


def _folded(file: Path) -> str:
    """A key that is equal for paths that a disk which ignores case and normalizes accents takes for one."""
    return unicodedata.normalize("NFC", str(file)).casefold()


def submit_batch(engine: TransferManager, requests: Sequence[Request]) -> list[int]:
    """Submit the requests of one command as one batch; returns the ids of the transfers."""
    if not requests:
        return []
    first = requests[0]
    files = sum(len(list(sizes_of(request))) for request in requests)
    if isinstance(first, UploadRequest):
        name, target = first.path.name, first.location.address.removesuffix(first.path.name)
    else:
        entry = first.entry if isinstance(first, DownloadRequest) else None
        name = entry.name if entry is not None else PurePosixPath(first.location.path).name
        target = os.path.commonpath([one.folder.absolute() for one in requests if not isinstance(one, UploadRequest)])
    title = name if len(requests) == 1 and name else in_words.counted(files, "file")
    return [engine.submit(request) for request in batched(requests, title, target)]


async def wait_for_all(engine: TransferManager, numbers: Iterable[int]) -> list[TransferSnapshot]:
    """Wait for transfers, and forget those that are over.

    A failed transfer stays in the journal if another try may help, if a part of it is on the disk, or if it was in the
    journal before.
    """
    ended = [await engine.wait(number) for number in numbers]
    for transfer in ended:
        error = transfer.error
        # Another program runs this transfer; its entry stays.
        busy = isinstance(error, BusyError) and not transfer.done
        if error is None or busy or not (error.retryable or engine.has_leftovers(transfer.id)):
            engine.forget(transfer.id)
    return ended


REFRESH_S = 0.25
"""Seconds between two updates of the progress line; each writes only if the text has changed."""


class ProgressLine:
    """Shows progress on stderr while inside the block, if stderr is a terminal."""

    def __init__(self, engine: TransferManager, output: Output) -> None:
        self._engine = engine
        self._output = output
        self._shown = ""
        self._wanted = sys.stderr.isatty() and not output.as_json and not output.quiet
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        if self._wanted:
            self._output.clear_line = partial(self._write, "")
            self._task = asyncio.ensure_future(self._repeat())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            self._output.clear_line()
            self._output.clear_line = lambda: None

    async def _repeat(self) -> None:
        while True:
            self._write(self._summary())
            await asyncio.sleep(REFRESH_S)

    def _summary(self) -> str:
        transfers = self._engine.snapshot()
        ended = sum(transfer.state.ended for transfer in transfers)
        speed = sum(transfer.speed for transfer in transfers)
        done = sum(transfer.done for transfer in transfers)
        running = [transfer.request.location.path for transfer in transfers if not transfer.state.ended]
        parts = [f"{ended} of {len(transfers)}", in_words.size(done), in_words.speed(speed), *running[:1]]
        return " · ".join(plain(part) for part in parts if part)

    def _write(self, text: str) -> None:
        if text != self._shown:
            show_progress(text)
            self._shown = text
