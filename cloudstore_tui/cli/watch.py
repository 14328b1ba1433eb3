"""`watch`: a pull again and again, for what comes in all day."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from cloudstore_tui.archive.runs import read_status, utc_now
from cloudstore_tui.cli.options import TRANSFERRING
from cloudstore_tui.cli.pull import PullArguments, pulling_of
from cloudstore_tui.cli.reporting import RunOptions, reported
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.core.errors import StorageError, UsageError

SOONEST_S = 10.0
"""Seconds that two rounds are apart at least."""


def watch_command(*, every: float, look_back: float, **given: Any) -> None:
    """Fetch what a query finds as it comes, until a signal ends it; each round is a pull."""
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
