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
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.archive.bag import place_of
from cloudstore_tui.archive.expected import CallCheck, check_calls
from cloudstore_tui.archive.runs import RunOutcome, RunStatus, read_status, utc_now
from cloudstore_tui.cli.find import narrowed
from cloudstore_tui.cli.options import TRANSFERRING
from cloudstore_tui.cli.pull import PullArguments, pulling_of
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession
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


async def watch_command(
    session: CommandSession, *, every: float, look_back: float, expect: str, within: float | None, **given: Any
) -> None:
    """Fetch what a query finds, or what is new in a folder, as it comes, until a signal ends it."""
    session.timeout = TRANSFERRING
    options = RunOptions.taken(given)
    given["folder"] = str(given["folder"])
    arguments = PullArguments(**given, newer_than="", via="auto", dry_run=False, form="jsonl", on_conflict=None)
    if arguments.until:
        raise UsageError("has no end", subject="watch --until", hint="Use pull for what has one.")
    types = tuple(dict.fromkeys(name.strip() for name in expect.split(",") if name.strip()))
    if within is not None and not types:
        raise UsageError("needs --expect", subject="--within", hint="Say which types every call is to have.")
    deadline = timedelta(seconds=within or 21_600.0)
    late = timedelta(seconds=max(look_back, deadline.total_seconds() if types else 0)) + _CLOCKS
    watching = _Watching(session, arguments, options, every, late, types, deadline)
    watching.check()
    with _alone(session, arguments.folder):
        await watching.run()


class _Watching(Struct, frozen=True):
    """Rounds, one after the other."""

    session: CommandSession
    arguments: PullArguments
    options: RunOptions
    every: float
    look_back: timedelta
    expect: tuple[str, ...]
    within: timedelta

    @property
    def folder(self) -> Path:
        """Where the files go."""
        return user_path(self.arguments.folder)

    @property
    def what(self) -> tuple[str, ...]:
        """What is watched: another watch of the same goes on from this one."""
        return replace(self.arguments, since="").asked

    @property
    def searches(self) -> bool:
        """Whether it is a query that is watched, and not a folder."""
        return Capability.SEARCH in self.session.resolve(self.arguments.where)[0].capabilities

    def check(self) -> None:
        """Refuse what can never work.

        Raises:
            UsageError: it is asked for.
        """
        pulling_of(self.session, replace(self.arguments, since=""))
        if self.searches:
            never = [name for name in self.expect if (asked := self._asked_types()) and name not in asked]
            hint = "Expect what the query finds, or leave the type out of it."
            message = "the query asks for other types"
        else:
            never = list(self.expect)
            message, hint = "a folder has no calls", "Leave --expect out."
        if never:
            raise UsageError(message, subject=f"--expect {never[0]}", hint=hint)

    def _asked_types(self) -> set[str]:
        """The types that the query asks for; nothing if it asks for all."""
        output = self.session.output
        provider, location = self.session.resolve(self.arguments.where)
        wanted = self.arguments.search.query(location, output)
        query, _meaning = narrowed(wanted, self.arguments.words, output, provider.profile.retention)
        terms = comparisons(parse(query.filter)) if query.filter else ()
        named = (term for term in terms if term.selector == "type" and term.operator in ("==", "=in="))
        return {value for term in named for value in term.values}

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
                wait = SOONEST_S if fetched else min(wait * 2, self.every)
                # Others need the service, too: after a long round they have as long.
                await pause(min(max(wait, time.monotonic() - began), self.every))

    async def _round(self) -> int:
        """One pull; how much it fetched."""
        output = self.session.output
        # Each round has an end of its own to tell of.
        output.errors.clear()
        output.notes.clear()
        now = utc_now()
        before = await asyncio.to_thread(self._status)
        since = self._since(before, now)
        try:
            async with reported(self.session, self.options, "watch", self.folder, self.what, since) as going:
                pulling = pulling_of(self.session, self._narrowed(since, now))
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
            return read_status(self.folder, "watch")
        except StorageError as error:
            self.session.output.note(f"{error} This round looks back as the first one does.")
            return None

    def _since(self, before: RunStatus | None, now: datetime) -> datetime:
        """From when on this round looks: the earliest of what may have come since the last one that was complete."""
        zone = self.session.output.zone
        asked = parse_time(self.arguments.since, zone, now) if self.arguments.since else None
        if before is None or before.last.what != self.what:
            return asked or now - self.look_back
        done = before.coverage
        if done is None:
            # None was ever complete: nothing that the first one was to bring is given up.
            return min(moment for moment in (asked, before.last.since, now) if moment is not None)
        if not self.searches or (asked is not None and asked < done.since):
            # A listing of folders costs the same from whenever it is.
            return min(asked or done.since, done.since)
        return min(done.through, now) - self.look_back

    def _narrowed(self, since: datetime, now: datetime) -> PullArguments:
        if not self.searches:
            return replace(self.arguments, since="", newer_than=since.isoformat())
        return replace(self.arguments, since=since.isoformat(), until=now.isoformat())

    async def _conclude(self, going: Run, before: RunStatus | None, now: datetime) -> None:
        """Say up to when everything is here, and what of that which is expected never came."""
        output = self.session.output
        is_whole = going.report.outcome is RunOutcome.COMPLETE and not output.errors
        check: CallCheck | None = None
        if self.expect:
            look = partial(check_calls, place_of(self.folder).payload, self.expect, self.within, now, state_folder())
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
