"""`transfers`: the journal of transfers, of this user's programs that run and of those that ended too early."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from cloudstore_tui.cli.options import Duration, json_option, wait_option
from cloudstore_tui.cli.output import iso
from cloudstore_tui.cli.progress import Progress
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.cli.transferring import finished, open_journal, tell, transferring
from cloudstore_tui.core.errors import MissingError, UsageError
from cloudstore_tui.transfers.disk import Disk
from cloudstore_tui.transfers.journal.journal import OLDEST
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.transfer import Transfer, UploadRequest, ZipRequest
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words

_SHORTEST = 4
"""Characters of a number that are enough where no other transfer begins like it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A transfer of the journal, and the process that makes it; 0 where none does."""

    transfer: Transfer
    process: int = 0

    @property
    def number(self) -> str:
        """As people write it."""
        return f"{self.transfer.id:010x}"


@click.group("transfers", short_help="Show, run, pause, resume and cancel transfers.")
def transfers_command() -> None:
    """The journal of transfers: what runs in any program of yours, and what was interrupted.

    A download that was interrupted goes on where it stopped. Numbers may be shortened.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers run
      cloudstore transfers cancel 3f9a1c
    """


@transfers_command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List what runs, waits, rests, failed or was interrupted."""

    async def work(session: Session) -> None:
        async with _journal(session) as left_overs:
            for known in await _all(left_overs):
                if as_json:
                    session.output.record(_record(known))
                else:
                    session.output.line(_line(known))

    run(work, as_json=as_json)


@transfers_command.command("run")
@click.argument("numbers", metavar="[ID]...", nargs=-1)
@json_option
@wait_option(transfers=True)
def run_command(numbers: tuple[str, ...], *, as_json: bool, wait: float) -> None:
    """Go on with interrupted transfers, all of them or those named, until they are done."""

    async def work(session: Session) -> None:
        async with transferring(session) as engine:
            there = [Known(transfer) for transfer in await engine.left_overs.interrupted()]
            chosen = [_named(there, number).transfer.id for number in numbers] if numbers else None
            with Progress(engine, session.output):
                ended = await finished(engine, await engine.adopt(chosen))
        if not ended:
            session.output.note("Nothing was interrupted.")
        for transfer in ended:
            tell(session.output, transfer)

    run(work, as_json=as_json, wait=wait)


@transfers_command.command("pause")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
def pause_command(numbers: tuple[str, ...]) -> None:
    """Let transfers of another program rest; what arrived is kept."""
    _wish(numbers, "pause")


@transfers_command.command("resume")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
def resume_command(numbers: tuple[str, ...]) -> None:
    """Go on with transfers that rest in another program."""
    _wish(numbers, "resume")


@transfers_command.command("cancel")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
def cancel_command(numbers: tuple[str, ...]) -> None:
    """Stop transfers wherever they run, and remove what arrived of them."""
    _wish(numbers, "cancel")


@transfers_command.command("prune")
@click.option(
    "--older-than",
    type=Duration(),
    default=OLDEST,
    help="Only what nobody went on with for this long. [default: 14d]",
)
@click.option("--all", "everything", is_flag=True, help="Everything that was interrupted, however new.")
def prune_command(*, older_than: float, everything: bool) -> None:
    """Forget interrupted transfers, and remove their part files."""

    async def work(session: Session) -> None:
        async with _journal(session) as left_overs:
            old = await left_overs.older_than(0.0 if everything else older_than)
            count = await left_overs.drop(old, session.config.profile)
        session.output.note(f"{count:,} forgotten.")

    run(work)


@transfers_command.command("log")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The last so many.")
@json_option
def log_command(*, limit: int, as_json: bool) -> None:
    """Show what happened to transfers lately: waits, pauses and failures, with the reason."""

    async def work(session: Session) -> None:
        async with _journal(session) as left_overs:
            for event in await left_overs.events(limit):
                when = datetime.fromtimestamp(event.at, UTC)
                if as_json:
                    session.output.record({"at": iso(when), "id": f"{event.number:010x}", "what": event.what})
                else:
                    shown = in_words.time(when, session.output.zone)
                    session.output.line(f"{shown}  {event.number:010x}  {event.what}")

    run(work, as_json=as_json)


def _wish(numbers: Sequence[str], wish: str) -> None:
    async def work(session: Session) -> None:
        async with _journal(session) as left_overs:
            there = await _all(left_overs)
            for known in [_named(there, number) for number in numbers]:
                if known.process:
                    await left_overs.ask(known.transfer.id, wish)
                    session.output.note(f"{known.number}: process {known.process} is asked to {wish} it.")
                elif wish == "cancel":
                    await left_overs.drop([known.transfer.id], session.config.profile)
                    session.output.note(f"{known.number}: forgotten, and what arrived is removed.")
                else:
                    cure = f"Go on with it: cloudstore transfers run {known.number}"
                    raise UsageError("no program makes this transfer", place=known.number, cure=cure)

    run(work)


@asynccontextmanager
async def _journal(session: Session) -> AsyncIterator[LeftOvers]:
    journal = open_journal(session.output)
    workers = Workers()
    try:
        yield LeftOvers(journal, Disk(), workers)
    finally:
        workers.close()
        if journal is not None:
            journal.close()


async def _all(left_overs: LeftOvers) -> list[Known]:
    running = [Known(found.transfer, found.process) for found in await left_overs.elsewhere()]
    return running + [Known(transfer) for transfer in await left_overs.interrupted()]


def _named(there: Sequence[Known], text: str) -> Known:
    """The one transfer whose number begins so.

    Raises:
        UsageError: the number is too short, or fits several.
        MissingError: there is none.
    """
    wanted = text.strip().lower()
    found = [known for known in there if known.number.startswith(wanted)]
    cure = "cloudstore transfers list shows the numbers."
    if len(wanted) < _SHORTEST or len(found) > 1:
        raise UsageError("is too short for the number of one transfer", place=text, cure=cure)
    if not found:
        raise MissingError("there is no such transfer", place=text, cure=cure)
    return found[0]


def _record(known: Known) -> dict[str, object]:
    transfer = known.transfer
    record: dict[str, object] = {
        "id": known.number,
        "kind": _kind(transfer),
        "state": transfer.state.value if known.process else "interrupted",
        "path": transfer.request.location.address,
        "file": str(transfer.path),
        "done": transfer.done,
        "size": transfer.size,
        "started": iso(transfer.started),
        "process": known.process or None,
        "reason": transfer.note,
    }
    return {name: value for name, value in record.items() if value not in ("", None)}


def _line(known: Known) -> str:
    transfer = known.transfer
    state = f"process {known.process}: {transfer.state.value}" if known.process else "interrupted"
    done = in_words.size(transfer.done) + (f" of {in_words.size(transfer.size)}" if transfer.size else "")
    what = f"{_kind(transfer)} {transfer.request.location.address}"
    reason = f"  ({transfer.note})" if transfer.note else ""
    return f"{known.number}  {state:24}  {done:20}  {what}{reason}"


def _kind(transfer: Transfer) -> str:
    request = transfer.request
    if isinstance(request, ZipRequest):
        return "zip"
    return "upload" if isinstance(request, UploadRequest) else "download"
