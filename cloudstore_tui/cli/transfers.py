"""`transfers`: the journal, with the transfers of all running programs and the interrupted ones."""

import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import ProgressLine, print_result, required_journal, transferring, wait_for_all
from cloudstore_tui.core.errors import MissingError, UsageError
from cloudstore_tui.core.records import iso
from cloudstore_tui.core.text import cut, plain
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    Request,
    State,
    TransferBatch,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    name_of,
    sizes_of,
)
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words


async def list_command(session: CommandSession) -> None:
    output = session.output
    async with open_left_overs(session) as left_overs:
        found = await all_known(left_overs)
    # One line each: what is cut off on a narrow terminal matters least.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for batch in batches(found):
        if len(batch) > 1 and not session.output.as_json:
            output.line(heading(batch, width))
        for known in batch:
            output.result(known.record(), known.line(width, indent=2 if len(batch) > 1 else 0))
    if not found and not session.output.as_json:
        output.note("No transfers are running, and none were interrupted.")


async def run_command(session: CommandSession, numbers: tuple[str, ...]) -> None:
    async with transferring(session, needs_journal=True) as engine:
        interrupted = [KnownTransfer(transfer) for transfer in await engine.left_overs.interrupted()]
        chosen = [find_transfer(interrupted, number).transfer.id for number in numbers] if numbers else None
        with ProgressLine(engine, session.output):
            ended = await wait_for_all(engine, await engine.adopt(chosen))
    if not ended:
        session.output.note("No transfers were interrupted.")
    for transfer in ended:
        print_result(session.output, transfer)


async def pause_command(session: CommandSession, numbers: tuple[str, ...]) -> None:
    await _request(session, numbers, "pause")


async def resume_command(session: CommandSession, numbers: tuple[str, ...]) -> None:
    await _request(session, numbers, "resume")


async def cancel_command(session: CommandSession, numbers: tuple[str, ...]) -> None:
    await _request(session, numbers, "cancel")


async def prune_command(session: CommandSession, *, older_than: float, everything: bool) -> None:
    async with open_left_overs(session) as left_overs:
        old = await left_overs.older_than(0.0 if everything else older_than)
        count = await left_overs.drop(old)
    if session.output.as_json:
        session.output.record({"forgotten": count})
    else:
        session.output.note(f"{count:,} forgotten.")


async def log_command(session: CommandSession, *, limit: int) -> None:
    async with open_left_overs(session) as left_overs:
        events = await left_overs.events(limit)
    for event in events:
        when, number = datetime.fromtimestamp(event.at, UTC), f"{event.transfer_id:010x}"
        line = f"{in_words.time(when, session.output.zone)}  {number}  {event.what}"
        session.output.result({"at": iso(when), "id": number, "what": event.what}, line)
    if not events:
        session.output.note("No waits, pauses or failures lately.")


async def _request(session: CommandSession, numbers: Sequence[str], verb: str) -> None:
    async with open_left_overs(session) as left_overs:
        listed = await all_known(left_overs)
        for known in [find_transfer(listed, number) for number in numbers]:
            answer = await _ask(known, verb, left_overs)
            if session.output.as_json:
                session.output.record({"id": known.number, "process": known.process, "text": answer})
            else:
                session.output.note(f"{known.number}: {answer}.")


async def _ask(known: "KnownTransfer", verb: str, left_overs: LeftOvers) -> str:
    """Ask the process that runs a transfer to pause, resume or cancel it; returns what happened as a clause."""
    if known.process:
        await left_overs.send_command(known.transfer.id, verb)
        return f"process {known.process} was asked to {verb} it"
    if verb == "cancel":
        await left_overs.drop([known.transfer.id])
        return "forgotten, and what arrived is removed"
    hint = f"Resume it with: cloudstore transfers run {known.number}"
    raise UsageError("no program runs this transfer", subject=known.number, hint=hint)


_KINDS: dict[type[Request], str] = {DownloadRequest: "download", UploadRequest: "upload", ZipRequest: "zip"}
_SHORTEST = 4
"""Characters of a number that are enough if they are unique."""


class KnownTransfer(Struct, frozen=True):
    """A transfer in the journal, and the process that runs it; 0 if none does."""

    transfer: TransferSnapshot
    process: int = 0

    @property
    def number(self) -> str:
        """The id as users write it."""
        return f"{self.transfer.id:010x}"

    @property
    def state(self) -> str:
        """The state, or `interrupted` if no process runs it."""
        return self.transfer.state.value if self.process or self.transfer.state is State.FAILED else "interrupted"

    @property
    def size(self) -> int | None:
        """Its size in bytes, from the record until the journal has it."""
        request = self.transfer.request
        entry = request.entry if isinstance(request, DownloadRequest) else None
        known = entry.size if entry is not None and entry.size_exact else None
        return self.transfer.size if self.transfer.size is not None else known

    def record(self) -> dict[str, object]:
        """The JSON record, without unknown fields."""
        transfer = self.transfer
        record: dict[str, object] = {
            "id": self.number,
            "kind": _KINDS[type(transfer.request)],
            "state": self.state,
            "path": transfer.request.location.address,
            "file": str(transfer.path),
            "done": transfer.done,
            "size": self.size,
            "started": iso(transfer.started),
            "process": self.process or None,
            "reason": transfer.note,
            "batch": msgspec.to_builtins(transfer.request.batch),
        }
        return {field: value for field, value in record.items() if value not in ("", None)}

    def line(self, width: int | None, indent: int = 0) -> str:
        """One line, at most `width` cells wide."""
        transfer = self.transfer
        request = transfer.request
        done = in_words.size(transfer.done) + (f" of {in_words.size(self.size)}" if self.size else "")
        reason = f"  ({transfer.note})" if transfer.note else ""
        process = f"  process {self.process}" if self.process else ""
        what = f"{_kind(request):3}  {name_of(request)}  {request.location.address}{process}{reason}"
        line = " " * indent + plain(f"{self.number}  {self.state:11}  {done:18}  {what}")
        return cut(line, width) if width else line


def batches(found: Sequence[KnownTransfer]) -> list[list[KnownTransfer]]:
    """Group transfers by the key or command that started them, and by process."""
    by_batch: dict[tuple[object, int], list[KnownTransfer]] = {}
    for known in found:
        batch = known.transfer.request.batch
        by_batch.setdefault((batch.id if batch is not None else known.transfer.id, known.process), []).append(known)
    return list(by_batch.values())


def heading(found: Sequence[KnownTransfer], width: int | None) -> str:
    """The line above a batch: `20,247 call recordings → /calls  2 left, 1.2 GB of 17.0 GB`."""
    batch = found[0].transfer.request.batch or TransferBatch("", "")
    left = sum(size or 0 for known in found for size in sizes_of(known.transfer.request))
    # Finished transfers are no longer in the journal.
    done = max(batch.size - left, 0) + sum(known.transfer.done for known in found)
    target = f" → {batch.target}" if batch.target else ""
    size = f", {in_words.size(done)} of {in_words.size(max(batch.size, left))}" if batch.size or left else ""
    line = plain(f"{batch.title}{target}  {len(found):,} left{size}")
    return cut(line, width) if width else line


@asynccontextmanager
async def open_left_overs(session: CommandSession) -> AsyncIterator[LeftOvers]:
    """Open the journal for the block."""
    journal = required_journal(session.output)
    workers = Workers()
    try:
        yield LeftOvers(journal, Disk(), workers)
    finally:
        workers.close()
        journal.close()


async def all_known(left_overs: LeftOvers) -> list[KnownTransfer]:
    """The running transfers, then the interrupted ones."""
    running = [KnownTransfer(found.transfer, found.process) for found in await left_overs.running_elsewhere()]
    return running + [KnownTransfer(transfer) for transfer in await left_overs.interrupted()]


def find_transfer(listed: Sequence[KnownTransfer], text: str) -> KnownTransfer:
    """The transfer whose number begins with `text`.

    Raises:
        UsageError: the text is too short, or fits several.
        MissingError: there is none.
    """
    wanted = text.strip().lower()
    found = [known for known in listed if known.number.startswith(wanted)]
    hint = "cloudstore transfers list shows the numbers."
    if len(wanted) < _SHORTEST or len(found) > 1:
        raise UsageError("is too short for the number of one transfer", subject=text or '""', hint=hint)
    if not found:
        raise MissingError("there is no such transfer", subject=text, hint=hint)
    return found[0]


def _kind(request: Request) -> str:
    """The command that does the same."""
    if isinstance(request, ZipRequest):
        return "zip"
    return "put" if isinstance(request, UploadRequest) else "get"
