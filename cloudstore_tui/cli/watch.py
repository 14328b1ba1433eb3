"""`watch`: pull what is new into a folder, again and again."""

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.archive.expected import CallCheck, check_calls
from cloudstore_tui.archive.manifest import place_of
from cloudstore_tui.archive.runs import RunOutcome, RunStatus, read_status, utc_now
from cloudstore_tui.cli.find import apply_words
from cloudstore_tui.cli.options import TRANSFERRING
from cloudstore_tui.cli.pull import PullArguments, prepare_pull
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import BusyError, LocalDiskError, MissingError, StorageError, UsageError
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fiql.measures import parse_time
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.fs.disk import PRIVATE_FOLDER, Disk, os_errors_as
from cloudstore_tui.net.api import MAX_SKEW

SOONEST_S = 10.0
"""The shortest pause between two rounds, in seconds."""
_CLOCK_SKEW = timedelta(seconds=MAX_SKEW)
_LACKING_HINT = "Look at the call at the service; if it appears later, another pull downloads it."

Notify = Callable[[str], None]


async def watch_command(
    session: CommandSession, *, every: float, look_back: float, expect: str, within: float | None, **given: Any
) -> None:
    session.timeout = TRANSFERRING
    options = RunOptions.pop_from(given)
    arguments = PullArguments(
        **given, until="", newer_than="", via="auto", dry_run=False, form="jsonl", on_conflict=None
    )
    types = tuple(dict.fromkeys(name.strip() for name in expect.split(",") if name.strip()))
    if within is not None and not types:
        raise UsageError("needs --expect", subject="--within", hint="Say which types every call is to have.")
    deadline = timedelta(seconds=within or 21_600.0)
    late = timedelta(seconds=max(look_back, deadline.total_seconds() if types else 0)) + _CLOCK_SKEW
    watching = _Watching(session, arguments, options, every, late, types, deadline)
    with ExitStack() as lock:
        async with reported(session, options, "watch", watching.folder, watching.what, prepares=True):
            watching.check()
            lock.enter_context(_only_watch_of(session, arguments.folder))
        await watching.run()


class _Watching(Struct, frozen=True):
    """A watch: pulls in rounds, one after another."""

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
        return self.arguments.folder

    @property
    def what(self) -> tuple[str, ...]:
        """What is watched; a later watch of the same continues from this one."""
        return replace(self.arguments, since="").asked

    @property
    def searches(self) -> bool:
        """Whether a query is watched, and not a folder."""
        return Capability.SEARCH in self.session.resolve(self.arguments.where)[0].capabilities

    def check(self) -> None:
        """Refuse what can never work.

        Raises:
            UsageError: no pull is possible, or an expected type can never arrive.
        """
        prepare_pull(self.session, replace(self.arguments, since=""))
        if self.searches:
            asked = self._asked_types() if self.expect else set()
            never = [name for name in self.expect if asked and name not in asked]
            hint = "Expect what the query finds, or leave the type out of it."
            message = "the query asks for other types"
        else:
            never = list(self.expect)
            message, hint = "a folder has no calls", "Leave --expect out."
        if never:
            raise UsageError(message, subject=f"--expect {never[0]}", hint=hint)

    def _asked_types(self) -> set[str]:
        """The types that the query asks for; empty for all."""
        output = self.session.output
        provider, location = self.session.resolve(self.arguments.where)
        wanted = self.arguments.search.query(location, output)
        query, _meaning = apply_words(wanted, self.arguments.words, output, provider.profile.retention)
        terms = comparisons(parse(query.filter)) if query.filter else ()
        named = (term for term in terms if term.selector == "type" and term.operator in ("==", "=in="))
        return {value for term in named for value in term.values}

    async def run(self) -> None:
        """Repeat rounds until a signal comes."""
        wait = SOONEST_S
        async with _systemd() as notify:
            # Before the first round, which may take hours: systemd stops a service that is not ready in time.
            notify("READY=1\nSTATUS=Looking for what is new")
            while True:
                began = time.monotonic()
                fetched = await self._round()
                notify(f"STATUS=Fetched {fetched:,} at {utc_now():%H:%M:%S} UTC")
                wait = SOONEST_S if fetched else min(wait * 2, self.every)
                # After a long round, leave the service to others for as long.
                await pause(min(max(wait, time.monotonic() - began), self.every))

    async def _round(self) -> int:
        """Pull once; returns the number of fetched objects."""
        output = self.session.output
        # Each round is reported on its own.
        output.errors.clear()
        output.notes.clear()
        now = utc_now()
        before = await asyncio.to_thread(self._status)
        since = self._since(before, now)
        try:
            async with reported(self.session, self.options, "watch", self.folder, self.what, since) as run:
                pulling = prepare_pull(self.session, self._narrowed(since, now), self.what)
                await pulling.run(run, last=True, gently=True)
                await self._conclude(run, before, now)
        except UsageError:
            raise
        except StorageError as error:
            output.error(error)
            return 0
        return run.report.counts.get("fetched", 0)

    def _status(self) -> RunStatus | None:
        try:
            return read_status(self.folder, "watch")
        except StorageError as error:
            self.session.output.note(f"{error} This round looks back as the first one does.")
            return None

    def _since(self, before: RunStatus | None, now: datetime) -> datetime:
        """The time from which something may be new since the last complete round."""
        zone = self.session.output.zone
        asked = parse_time(self.arguments.since, zone, now) if self.arguments.since else None
        done = before.coverage_of(self.what) if before is not None else None
        if before is None or (done is None and before.last.what != self.what):
            return asked or now - self.look_back
        if done is None:
            # No round was ever complete, so this one still covers what the first one should have.
            return min(moment for moment in (asked, before.last.since, now) if moment is not None)
        if not self.searches or (asked is not None and asked < done.since):
            # Listing a folder costs the same whatever the time is.
            return min(asked or done.since, done.since)
        if done.through > now + _CLOCK_SKEW:
            # It is unknown since when the clock was ahead, and with it what is here.
            self.session.output.note("The clock of this machine was ahead, so this round looks back to the first one.")
            return done.since
        return min(done.through, now) - self.look_back

    def _narrowed(self, since: datetime, now: datetime) -> PullArguments:
        if not self.searches:
            return replace(self.arguments, since="", newer_than=since.isoformat())
        return replace(self.arguments, since=since.isoformat(), until=max(since, now).isoformat())

    async def _conclude(self, run: Run, before: RunStatus | None, now: datetime) -> None:
        """Note the time up to which everything is here, and report the calls that lack an expected object."""
        output = self.session.output
        is_whole = run.report.outcome is RunOutcome.COMPLETE and not output.errors
        check: CallCheck | None = None
        if self.expect:
            known = before.calls if before is not None else None
            if known is not None and known.expect != self.expect:
                known = None
            payload = place_of(self.folder).payload
            look = partial(check_calls, payload, self.expect, self.within, now, state_folder(), known=known)
            check = await asyncio.to_thread(look)
            for call in check.lacking_since(known.checked if known is not None else None):
                what = f"{', '.join(call.lacks)} never came"
                output.error(MissingError(what, subject=f"call {call.call}", hint=_LACKING_HINT))
        # Nothing is here of what the service makes after its own present, however far ahead this machine's clock is.
        skew = timedelta(seconds=self.session.resolve(self.arguments.where)[0].session.clock_skew)
        through = now + skew if skew < -_CLOCK_SKEW else now
        run.note_progress(through=through if is_whole else None, calls=check)


async def pause(seconds: float) -> None:
    """Wait for the next round."""
    await asyncio.sleep(seconds)


@contextmanager
def _only_watch_of(session: CommandSession, folder: Path) -> Iterator[None]:
    """Keep a second watch out of a folder: each would count the rounds of the other as its own.

    Between two rounds other commands may use the folder, to verify or to seal it.
    """
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
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
            raise BusyError("another watch fills this folder", subject=str(folder), hint=hint) from None
        yield
    finally:
        disk.close(file)


@asynccontextmanager
async def _systemd() -> AsyncIterator[Notify]:
    """A function that notifies systemd, if it started us; inside the block, its watchdog is kept informed."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    every = int(os.environ.get("WATCHDOG_USEC", "0") or 0) / 2_000_000

    def notify(text: str) -> None:
        if address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)

    async def keep_alive() -> None:
        while True:
            notify("WATCHDOG=1")
            await asyncio.sleep(every)

    watchdog = asyncio.ensure_future(keep_alive()) if address and every > 0 else None
    try:
        yield notify
    finally:
        notify("STOPPING=1")
        if watchdog is not None:
            watchdog.cancel()
