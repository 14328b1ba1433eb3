"""A transfer as the journal knows it, for those who name it by its number."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cloudstore_tui.cli.output import iso
from cloudstore_tui.cli.session import Session
from cloudstore_tui.cli.transferring import open_journal
from cloudstore_tui.core.errors import MissingError, UsageError
from cloudstore_tui.core.text import cut, plain
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, TransferSnapshot, UploadRequest, ZipRequest
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.transfer_text import name, verb

_KINDS: dict[type[Request], str] = {DownloadRequest: "download", UploadRequest: "upload", ZipRequest: "zip"}
_SHORTEST = 4
"""Characters of a number that are enough where no other transfer begins like it."""


@dataclass(frozen=True, slots=True)
class KnownTransfer:
    """A transfer of the journal, and the process that makes it; 0 where none does."""

    transfer: TransferSnapshot
    process: int = 0

    @property
    def number(self) -> str:
        """As people write it."""
        return f"{self.transfer.id:010x}"

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.transfer.state.value if self.process or self.transfer.state is State.FAILED else "interrupted"

    @property
    def size(self) -> int | None:
        """Its bytes, as far as anybody knows: the journal learns them when some have arrived."""
        request = self.transfer.request
        entry = request.entry if isinstance(request, DownloadRequest) else None
        known = entry.size if entry is not None and entry.size_exact else None
        return self.transfer.size if self.transfer.size is not None else known

    def record(self) -> dict[str, object]:
        """It as JSON; what is unknown is absent."""
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
        }
        return {field: value for field, value in record.items() if value not in ("", None)}

    def line(self, width: int | None) -> str:
        """It as one line, not wider than `width` cells."""
        transfer = self.transfer
        request = transfer.request
        done = in_words.size(transfer.done) + (f" of {in_words.size(self.size)}" if self.size else "")
        reason = f"  ({transfer.note})" if transfer.note else ""
        process = f"  process {self.process}" if self.process else ""
        what = f"{verb(request):3}  {name(request)}  {request.location.address}{process}{reason}"
        line = plain(f"{self.number}  {self.state:11}  {done:18}  {what}")
        return cut(line, width) if width else line


@asynccontextmanager
async def open_left_overs(session: Session) -> AsyncIterator[LeftOvers]:
    """What the journal has of transfers, for as long as the block lasts."""
    journal = open_journal(session.output)
    workers = Workers()
    try:
        yield LeftOvers(journal, Disk(), workers)
    finally:
        workers.close()
        if journal is not None:
            journal.close()


async def all_known(left_overs: LeftOvers) -> list[KnownTransfer]:
    """Those that run, then those that were interrupted."""
    running = [KnownTransfer(found.transfer, found.process) for found in await left_overs.elsewhere()]
    return running + [KnownTransfer(transfer) for transfer in await left_overs.interrupted()]


def named(there: Sequence[KnownTransfer], text: str) -> KnownTransfer:
    """The one transfer whose number begins so.

    Raises:
        UsageError: the number is too short, or fits several.
        MissingError: there is none.
    """
    wanted = text.strip().lower()
    found = [known for known in there if known.number.startswith(wanted)]
    hint = "cloudstore transfers list shows the numbers."
    if len(wanted) < _SHORTEST or len(found) > 1:
        raise UsageError("is too short for the number of one transfer", subject=text or '""', hint=hint)
    if not found:
        raise MissingError("there is no such transfer", subject=text, hint=hint)
    return found[0]
