"""`transfers`: the journal of transfers, of this user's programs that run and of those that ended too early."""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from cloudstore_tui.cli.known_transfer import KnownTransfer, all_known, named, open_left_overs
from cloudstore_tui.cli.options import Duration, Group, json_option, timeout_option
from cloudstore_tui.cli.output import iso
from cloudstore_tui.cli.progress import Progress
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.cli.transferring import finished, tell, transferring
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.transfers.journal.store import OLDEST
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.ui import format as in_words


@click.group("transfers", cls=Group, short_help="Show, run, pause, resume and cancel transfers.")
def transfers_command() -> None:
    """The journal of transfers: what runs in any program of yours, and what was interrupted.

    What was stopped, by Ctrl-C, a crash or the end of the browser, is kept here, and goes on where it stopped.
    Every transfer has a number; its first characters are enough, four at least.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers run
      cloudstore transfers pause 3f9a
    """


@transfers_command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the transfers of all your programs that run, and those that were interrupted.

    Each line has the number, the state, how much of it is safely on the disk, and what it is.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers list --json
    """

    async def work(session: Session) -> None:
        output = session.output
        async with open_left_overs(session) as left_overs:
            found = await all_known(left_overs)
        # A line each: the end of one that is too long for the terminal is the least of it.
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for known in found:
            if as_json:
                output.record(known.record())
            else:
                output.line(known.line(width))
        if not found and not as_json:
            output.note("No transfer runs, and none was interrupted.")

    run(work, as_json=as_json)


@transfers_command.command("run")
@click.argument("numbers", metavar="[ID]...", nargs=-1)
@json_option
@timeout_option(transfers=True)
def run_command(numbers: tuple[str, ...], *, as_json: bool, timeout: float) -> None:
    """Go on with interrupted transfers, all of them or those named, until they are done.

    \b
    Examples:
      cloudstore transfers run
      cloudstore transfers run 3f9a 77c0 --timeout 24h
      nohup cloudstore transfers run &
    """

    async def work(session: Session) -> None:
        async with transferring(session) as engine:
            there = [KnownTransfer(transfer) for transfer in await engine.left_overs.interrupted()]
            chosen = [named(there, number).transfer.id for number in numbers] if numbers else None
            with Progress(engine, session.output):
                ended = await finished(engine, await engine.adopt(chosen))
        if not ended:
            session.output.note("Nothing was interrupted.")
        for transfer in ended:
            tell(session.output, transfer)

    run(work, as_json=as_json, timeout=timeout)


@transfers_command.command("pause")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def pause_command(numbers: tuple[str, ...], *, as_json: bool) -> None:
    """Let transfers rest in the program that makes them, until they are resumed; what arrived is kept.

    \b
    Example:
      cloudstore transfers pause 3f9a
    """
    _wish(numbers, "pause", as_json=as_json)


@transfers_command.command("resume")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def resume_command(numbers: tuple[str, ...], *, as_json: bool) -> None:
    """Go on with transfers that were paused, in the program that makes them.

    What no program makes any more goes on with `cloudstore transfers run`.

    \b
    Example:
      cloudstore transfers resume 3f9a
    """
    _wish(numbers, "resume", as_json=as_json)


@transfers_command.command("cancel")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def cancel_command(numbers: tuple[str, ...], *, as_json: bool) -> None:
    """Stop transfers, in whatever program they run, and remove what arrived of them.

    \b
    Example:
      cloudstore transfers cancel 3f9a 77c0
    """
    _wish(numbers, "cancel", as_json=as_json)


@transfers_command.command("prune")
@click.option(
    "--older-than",
    type=Duration(),
    default=OLDEST,
    help="Only what nobody went on with for this long. [default: 14d]",
)
@click.option("--all", "everything", is_flag=True, help="Everything that was interrupted, however new.")
@json_option
def prune_command(*, older_than: float, everything: bool, as_json: bool) -> None:
    """Forget interrupted transfers that nobody went on with, and remove their part files.

    \b
    Examples:
      cloudstore transfers prune
      cloudstore transfers prune --older-than 2d
    """

    async def work(session: Session) -> None:
        async with open_left_overs(session) as left_overs:
            old = await left_overs.older_than(0.0 if everything else older_than)
            count = await left_overs.drop(old)
        if as_json:
            session.output.record({"forgotten": count})
        else:
            session.output.note(f"{count:,} forgotten.")

    run(work, as_json=as_json)


@transfers_command.command("log")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The last so many.")
@json_option
def log_command(*, limit: int, as_json: bool) -> None:
    """Show what happened to transfers lately: waits, pauses and failures, with the reason.

    \b
    Example:
      cloudstore transfers log --limit 20
    """

    async def work(session: Session) -> None:
        async with open_left_overs(session) as left_overs:
            for event in await left_overs.events(limit):
                when = datetime.fromtimestamp(event.at, UTC)
                if as_json:
                    session.output.record({"at": iso(when), "id": f"{event.number:010x}", "what": event.what})
                else:
                    shown = in_words.time(when, session.output.zone)
                    session.output.line(f"{shown}  {event.number:010x}  {event.what}")

    run(work, as_json=as_json)


def _wish(numbers: Sequence[str], wish: str, *, as_json: bool) -> None:
    async def work(session: Session) -> None:
        async with open_left_overs(session) as left_overs:
            there = await all_known(left_overs)
            for known in [named(there, number) for number in numbers]:
                told = await _ask(known, wish, left_overs)
                if as_json:
                    session.output.record({"id": known.number, "process": known.process, "text": told})
                else:
                    session.output.note(f"{known.number}: {told}.")

    run(work, as_json=as_json)


async def _ask(known: KnownTransfer, wish: str, left_overs: LeftOvers) -> str:
    """Pass on a wish; what became of it, as a clause."""
    if known.process:
        await left_overs.ask(known.transfer.id, wish)
        return f"process {known.process} is asked to {wish} it"
    if wish == "cancel":
        await left_overs.drop([known.transfer.id])
        return "forgotten, and what arrived is removed"
    hint = f"Go on with it: cloudstore transfers run {known.number}"
    raise UsageError("no program makes this transfer", subject=known.number, hint=hint)
