"""`watch`: a pull again and again, for what comes in all day."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from cloudstore_tui.archive.runs import read_status, utc_now
from cloudstore_tui.cli.options import TRANSFERRING, Command, Duration, LocalPath
from cloudstore_tui.cli.pull import PullArguments, pulling_of
from cloudstore_tui.cli.reporting import RunOptions, reported, run_options
from cloudstore_tui.cli.searching import query_options
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.core.errors import StorageError, UsageError

SOONEST_S = 10.0
"""Seconds that two rounds are apart at least."""


@click.command("watch", cls=Command)
@click.argument("where", metavar="PROFILE[:REGION]")
@click.argument("words", nargs=-1)
@query_options
@click.option("--to", "folder", type=LocalPath(), required=True, metavar="DIR", help="Folder for the files.")
@click.option("--name", "template", default="", metavar="TEMPLATE", help="Template for the names, as for pull.")
@click.option("--every", type=Duration(), default=300.0, metavar="DURATION", help="Longest pause. [default: 5m]")
@click.option(
    "--look-back", type=Duration(), default=21_600.0, metavar="DURATION", help="How late objects come. [default: 6h]"
)
@click.option("--sidecar", is_flag=True, help="Write everything known of each object beside its file, as NAME.json.")
@run_options
def watch_command(*, every: float, look_back: float, **given: Any) -> None:
    """Fetch what a query finds as it comes, until a signal ends it; each round is a pull.

    A round looks back from where the last complete one began, also that of an earlier watch or pull into the folder, so
    neither an outage nor a restart leaves a gap. It comes sooner while something is found, and later while nothing is.
    A round that fails is told, and the next one makes up for it. systemd is told when it is ready, and that it lives.

    \b
    Examples:
      cloudstore watch acme8 type:callcenterrecording --to calls/
      cloudstore watch acme8:uk --since today --to calls/ --every 15m --metrics /var/lib/node_exporter/calls.prom
    """
    options = RunOptions.taken(given)
    given["folder"] = str(given["folder"])
    arguments = PullArguments(**given, newer_than="", via="auto", dry_run=False, form="jsonl", on_conflict=None)
    if arguments.until:
        raise UsageError("has no end", subject="watch --until", hint="Use pull for what has one.")

    async def work(session: CommandSession) -> None:
        await _Watching(session, arguments, options, every, timedelta(seconds=look_back)).run()

    run(work, timeout=TRANSFERRING)


class _Watching:
    """Rounds, one after the other."""

    def __init__(
        self, session: CommandSession, arguments: PullArguments, options: RunOptions, every: float, look_back: timedelta
    ) -> None:
        self._session = session
        self._arguments = arguments
        self._options = options
        self._every = every
        self._look_back = look_back
        self._wait = SOONEST_S

    async def run(self) -> None:
        """Go on for ever."""
        async with _told_to_systemd() as tell:
            while True:
                fetched = await self._round()
                tell(f"READY=1\nSTATUS=Fetched {fetched:,} at {utc_now():%H:%M:%S} UTC")
                self._wait = SOONEST_S if fetched else self._wait * 2
                await pause(min(self._wait, self._every))

    async def _round(self) -> int:
        """One pull; how much it fetched."""
        output = self._session.output
        # Each round has an end of its own to tell of.
        output.errors.clear()
        output.notes.clear()
        now = utc_now()
        since = await asyncio.to_thread(self._since, now)
        arguments = replace(self._arguments, since=since, until=now.isoformat())
        pulling = pulling_of(self._session, arguments)
        folder = Path(arguments.folder)
        try:
            async with reported(self._session, self._options, "pull", folder, arguments.asked) as going:
                await pulling.run(going, last=True)
        except UsageError:
            raise
        except StorageError as error:
            output.error(error)
            return 0
        return going.report.counts.get("fetched", 0)

    def _since(self, now: datetime) -> str:
        """From when on this round looks: the earliest of what may have come since the last one that was complete."""
        try:
            status = read_status(Path(self._arguments.folder), "pull")
        except StorageError:
            status = None
        if status is not None and status.complete is not None:
            return (min(status.complete.started, now) - self._look_back).isoformat()
        return self._arguments.since or (now - self._look_back).isoformat()


async def pause(seconds: float) -> None:
    """Wait for the next round."""
    await asyncio.sleep(seconds)


@asynccontextmanager
async def _told_to_systemd() -> AsyncIterator[Any]:
    """How systemd is told something, if it started us and wants to know; meanwhile it is told that we live."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    every = int(os.environ.get("WATCHDOG_USEC", "0") or 0) / 2_000_000

    def tell(text: str) -> None:
        if address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)

    async def live() -> None:
        while True:
            tell("WATCHDOG=1")
            await asyncio.sleep(every)

    living = asyncio.ensure_future(live()) if address and every > 0 else None
    try:
        yield tell
    finally:
        tell("STOPPING=1")
        if living is not None:
            living.cancel()
