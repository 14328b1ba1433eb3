"""`watch`: a pull again and again, for what comes in all day."""

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from cloudstore_tui.archive.bag import place_of
from cloudstore_tui.archive.expected import CallCheck, check_calls
from cloudstore_tui.archive.runs import RunOutcome, RunStatus, read_status, utc_now
from cloudstore_tui.cli.options import TRANSFERRING
from cloudstore_tui.cli.pull import PullArguments, pulling_of
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.searching import narrowed
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder, user_path
from cloudstore_tui.core.errors import BusyError, LocalDiskError, MissingError, StorageError, UsageError
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fiql.measures import parse_time
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.fs.disk import PRIVATE_FOLDER, Disk, os_errors_as

SOONEST_S = 10.0
"""Seconds that two rounds are apart at least."""
_CLOCKS = timedelta(minutes=5)
"""By how much the clocks of the service and of this machine may differ."""
_NEVER = "Look at the call at the service; what comes still later is fetched by another pull."

Tell = Callable[[str], None]


def watch_command(*, every: float, look_back: float, expect: str, within: float | None, **given: Any) -> None:
    """Fetch what a query finds, or what is new in a folder, as it comes, until a signal ends it."""
    options = RunOptions.taken(given)
    given["folder"] = str(given["folder"])
    arguments = PullArguments(**given, newer_than="", via="auto", dry_run=False, form="jsonl", on_conflict=None)
    if arguments.until:
        raise UsageError("has no end", subject="watch --until", hint="Use pull for what has one.")
    types = tuple(dict.fromkeys(name.strip() for name in expect.split(",") if name.strip()))
    if within is not None and not types:
        raise UsageError("needs --expect", subject="--within", hint="Say which types every call is to have.")
    deadline = timedelta(seconds=within or 21_600.0)

    async def work(session: CommandSession) -> None:
        watching = _Watching(session, arguments, options, every, timedelta(seconds=look_back), types, deadline)
        with _alone(session, arguments.folder):
            await watching.run()

    run(work, timeout=TRANSFERRING)


class _Watching:
    """Rounds, one after the other."""

    def __init__(
        self,
        session: CommandSession,
        arguments: PullArguments,
        options: RunOptions,
        every: float,
        look_back: timedelta,
        expect: tuple[str, ...],
        within: timedelta,
    ) -> None:
        """Begin.

        Raises:
            UsageError: it can never work.
        """
        self._session = session
        self._arguments = arguments
        self._options = options
        self._every = every
        self._expect = expect
        self._within = within
        self._look_back = (max(look_back, within) if expect else look_back) + _CLOCKS
        self._folder = user_path(arguments.folder)
        self._what = replace(arguments, since="").asked
        self._searches = Capability.SEARCH in session.resolve(arguments.where)[0].capabilities
        self._check()

    async def run(self) -> None:
        """Go on for ever."""
        wait = SOONEST_S
        async with _told_to_systemd() as tell:
            # The first round may take hours, and a service that does not tell in time is ended.
            tell("READY=1\nSTATUS=Looking for what is new")
            while True:
                began = time.monotonic()
                fetched = await self._round()
                tell(f"STATUS=Fetched {fetched:,} at {utc_now():%H:%M:%S} UTC")
                wait = SOONEST_S if fetched else wait * 2
                # Others need the service, too: at most half of the time is ours.
                await pause(min(max(wait, time.monotonic() - began), self._every))

    def _check(self) -> None:
        pulling_of(self._session, replace(self._arguments, since=""))
        if not self._searches:
            if self._expect:
                raise UsageError("has no calls", subject=self._arguments.where, hint="Leave --expect out.")
            return
        location = self._session.resolve(self._arguments.where)[1]
        query, _meaning = narrowed(
            self._arguments.search.query(location, self._session.output),
            self._arguments.words,
            self._session.output,
            self._session.resolve(self._arguments.where)[0].profile.retention,
        )
        asked = {
            value
            for term in (comparisons(parse(query.filter)) if query.filter else ())
            if term.selector == "type" and term.operator in ("==", "=in=")
            for value in term.values
        }
        never = [name for name in self._expect if asked and name not in asked]
        if never:
            hint = "Expect what the query finds, or leave the type out of it."
            raise UsageError("the query asks for other types", subject=f"--expect {never[0]}", hint=hint)

    async def _round(self) -> int:
        """One pull; how much it fetched."""
        output = self._session.output
        # Each round has an end of its own to tell of.
        output.errors.clear()
        output.notes.clear()
        now = utc_now()
        before = await asyncio.to_thread(self._status)
        since = self._since(before, now)
        try:
            async with reported(self._session, self._options, "watch", self._folder, self._what, since) as going:
                pulling = pulling_of(self._session, self._narrowed(since, now))
                await pulling.run(going, last=True, gently=True)
                await self._conclude(going, before, now)
        except UsageError:
            raise
        except StorageError as error:
            output.error(error)
            return 0
        return going.report.counts.get("fetched", 0)

    def _status(self) -> RunStatus | None:
        try:
            return read_status(self._folder, "watch")
        except StorageError as error:
            self._session.output.note(f"{error} This round looks back as the first one does.")
            return None

    def _since(self, before: RunStatus | None, now: datetime) -> datetime:
        """From when on this round looks: the earliest of what may have come since the last one that was complete."""
        zone = self._session.output.zone
        asked = parse_time(self._arguments.since, zone, now) if self._arguments.since else None
        if before is None or before.last.what != self._what:
            return asked or now - self._look_back
        done = before.coverage
        if done is None:
            # None was ever complete: nothing that the first one was to bring is given up.
            return min(moment for moment in (asked, before.last.since, now) if moment is not None)
        if not self._searches or (asked is not None and asked < done.since):
            # A listing of folders costs the same from whenever it is.
            return min(asked or done.since, done.since)
        return min(done.through, now) - self._look_back

    def _narrowed(self, since: datetime, now: datetime) -> PullArguments:
        if not self._searches:
            return replace(self._arguments, since="", newer_than=since.isoformat())
        return replace(self._arguments, since=since.isoformat(), until=now.isoformat())

    async def _conclude(self, going: Run, before: RunStatus | None, now: datetime) -> None:
        """Say up to when everything is here, and what of that which is expected never came."""
        output = self._session.output
        is_whole = going.report.outcome is RunOutcome.COMPLETE and not output.errors
        check: CallCheck | None = None
        if self._expect:
            look = partial(check_calls, place_of(self._folder).payload, self._expect, self._within, now, state_folder())
            check = await asyncio.to_thread(look)
            known = before.calls if before is not None and before.calls is not None else None
            for call in check.lacking_since(known.checked if known is not None else None):
                what = f"{', '.join(call.lacks)} never came"
                output.error(MissingError(what, subject=f"call {call.call}", hint=_NEVER))
        going.know(through=now if is_whole else None, calls=check)


async def pause(seconds: float) -> None:
    """Wait for the next round."""
    await asyncio.sleep(seconds)


@contextmanager
def _alone(session: CommandSession, folder: str) -> Iterator[None]:
    """Keep a second watch out of a folder: each would take what the other has looked through for its own.

    Between two rounds others may use it: to verify it, or to seal it.
    """
    name = hashlib.sha256(os.fsencode(user_path(folder).resolve())).hexdigest()[:16]
    path, disk = state_folder() / f"watch-{name}.lock", Disk()
    try:
        with os_errors_as(path):
            path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            file = disk.open(path, os.O_RDWR | os.O_CREAT)
    except LocalDiskError as error:
        session.output.note(f"{error} Until then a second watch of the same folder is not noticed.")
        yield
        return
    try:
        try:
            disk.lock(file)
        except BlockingIOError:
            hint = "End it first, or name another folder."
            raise BusyError("another watch fills this folder", subject=folder, hint=hint) from None
        yield
    finally:
        disk.close(file)


@asynccontextmanager
async def _told_to_systemd() -> AsyncIterator[Tell]:
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
