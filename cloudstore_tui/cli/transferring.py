"""The transfers of one command: the manager, the journal it shares with all other programs, the line of progress."""

import asyncio
import os
import shutil
import sys
import unicodedata
from collections.abc import AsyncIterator, Container, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from types import TracebackType

from cloudstore_tui.archive.template import Template
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import state_folder, user_path
from cloudstore_tui.core.errors import BusyError, InterruptedTransfer, LocalDiskError, UsageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.text import plain
from cloudstore_tui.fs.names import distinct_name, safe_name
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    Request,
    State,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    batched,
    sizes_of,
)
from cloudstore_tui.ui import format as in_words

NOT_KEPT = "Nothing of what failed is kept, since the journal of transfers cannot be used: it begins anew next time."


@asynccontextmanager
async def transferring(session: CommandSession, *, needs_journal: bool = False) -> AsyncIterator[TransferManager]:
    """An engine that ends with the block; what is not done then stays in the journal.

    Args:
        session: the command.
        needs_journal: whether the work is about what the journal has; else it is done without one, too.

    Raises:
        LocalDiskError: the journal is needed, and cannot be used.
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
        if journal is not None:
            _tell_what_is_left(engine, session.output)
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
        output.note(f"{error} Until then nothing that is interrupted can be gone on with.")
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


def tell(output: Output, transfer: TransferSnapshot) -> None:
    """Print what became of a transfer."""
    request = transfer.request
    error = transfer.error
    if error is None and transfer.state is State.CANCELLED:
        # By another program: ours would have ended.
        error = InterruptedTransfer("it was cancelled")
    if error is not None:
        output.error(error, request.location.address)
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


def target_folder(session: CommandSession, text: str) -> Path:
    """The local folder of `--to`, or that of the settings.

    Raises:
        UsageError: it is a link to nothing.
    """
    folder = user_path(text) if text else session.config.settings.download_dir
    if folder.is_symlink() and not folder.exists():
        hint = "Name another, or make the folder that it is to lead to."
        raise UsageError("is a link to a folder that is not there", subject=str(folder), hint=hint)
    return folder


def named(
    session: CommandSession, entries: Iterable[StoredObject], folder: Path, template: Template | None = None
) -> dict[StoredObject, Path]:
    """Where objects go that are fetched in one command: the second of two equal paths carries a suffix."""
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
    """The path with as much of the object's identity as tells it from all others."""
    lengths = range(8, 64, 8)
    names = (file.with_name(distinct_name(file.name, identity, length)) for length in lengths)
    return next(name for name in names if _folded(name) not in taken)


def _folded(file: Path) -> str:
    """What two paths share that are one file where a disk knows neither case nor accents apart."""
    return unicodedata.normalize("NFC", str(file)).casefold()


def submit_batch(engine: TransferManager, requests: Sequence[Request]) -> list[int]:
    """Put what one command asks for into the queue, as one batch; the numbers of its transfers."""
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


async def finished(engine: TransferManager, numbers: Iterable[int]) -> list[TransferSnapshot]:
    """Wait for transfers, and take off the list what is over.

    What failed stays in the journal with its cause, if another try may help, if anything of it is on the disk, or if it
    was on the list before.
    """
    ended = [await engine.wait(number) for number in numbers]
    for transfer in ended:
        error = transfer.error
        # What another program makes already is kept there.
        busy = isinstance(error, BusyError) and not transfer.done
        if error is None or busy or not (error.retryable or engine.is_left(transfer.id)):
            engine.forget(transfer.id)
    return ended


def _tell_what_is_left(engine: TransferManager, output: Output) -> None:
    left = sum(not transfer.state.ended for transfer in engine.snapshot())
    if left:
        noun = "transfer is" if left == 1 else "transfers are"
        output.note(f"Stopped: {left:,} {noun} not done. Go on with: cloudstore transfers run")


INTERVAL = 0.25
"""Seconds between two looks; each writes only if the text changed."""


class ProgressLine:
    """Shows the state of an engine on stderr while inside the block; nothing where stderr is no terminal."""

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
            await asyncio.sleep(INTERVAL)

    def _summary(self) -> str:
        transfers = self._engine.snapshot()
        ended = sum(transfer.state.ended for transfer in transfers)
        speed = sum(transfer.speed for transfer in transfers)
        done = sum(transfer.done for transfer in transfers)
        running = [transfer.request.location.path for transfer in transfers if not transfer.state.ended]
        parts = [f"{ended} of {len(transfers)}", in_words.size(done), in_words.speed(speed), *running[:1]]
        return " · ".join(plain(part) for part in parts if part)[: shutil.get_terminal_size().columns - 2]

    def _write(self, text: str) -> None:
        if text != self._shown:
            # A terminal that was closed has no line for it; the transfers go on until something ends them.
            with suppress(OSError):
                sys.stderr.write(f"\r\x1b[K{text}" if text else "\r\x1b[K")
                sys.stderr.flush()
            self._shown = text
