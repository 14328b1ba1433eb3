"""`pull` and `watch`: a whole result in a folder, once, or again and again for what comes in all day."""

import asyncio
import hashlib
import os
import shlex
import shutil
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.archive.expected import CallCheck, check_calls
from cloudstore_tui.archive.listing import FolderListing, QueryListing
from cloudstore_tui.archive.manifest import NAME, place_of
from cloudstore_tui.archive.plan import Loss
from cloudstore_tui.archive.pull import Pull, PullEstimate, PullReport
from cloudstore_tui.archive.registry import FILE as ARCHIVES
from cloudstore_tui.archive.registry import ArchiveRegistry
from cloudstore_tui.archive.runs import RunOutcome, RunStatus, read_status, utc_now
from cloudstore_tui.archive.strategy import Naming, PullOptions, Via
from cloudstore_tui.archive.template import KeyNames, Template
from cloudstore_tui.cli.find import SearchOptions, narrowed, note_why_empty
from cloudstore_tui.cli.options import TRANSFERRING
from cloudstore_tui.cli.output import Output, describe_error, error_record
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import ProgressLine, transferring
from cloudstore_tui.config.paths import state_folder, user_path
from cloudstore_tui.core.errors import BusyError, ConflictError, LocalDiskError, MissingError, StorageError, UsageError
from cloudstore_tui.core.models import Location, Retention, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.text import plain
from cloudstore_tui.fiql.evaluator import row_of
from cloudstore_tui.fiql.measures import parse_time
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.fs.disk import PRIVATE_FOLDER, Disk, os_errors_as
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.format import counted

EXAMPLES = 5
"""Paths that a dry run shows."""
MAX_TOLD = 20
"""Failures of one kind that are told one by one; the manifest and the JSON have all."""

HOUR = 3600
_COUNTS = ("found", "had", "fetched", "skipped", "missing", "changed", "left_out")
_ON_CONFLICT = tuple(rule.value for rule in OnConflict)


async def pull_command(session: CommandSession, **given: Any) -> None:
    options = RunOptions.taken(given)
    arguments = PullArguments(**given)
    if arguments.dry_run:
        await pulling_of(session, arguments).estimate()
        return
    async with reported(session, options, "pull", user_path(arguments.folder), arguments.asked) as run:
        pulling = pulling_of(session, arguments)
        if not await pulling.run(run, last=arguments.on_conflict is not None or not session.output.asks):
            answer = session.output.choose("What about it", _ON_CONFLICT[1:], _ON_CONFLICT[1])
            chosen = replace(pulling.options, on_conflict=OnConflict(answer))
            await replace(pulling, options=chosen).run(run, last=True)


class PullArguments(msgspec.Struct, frozen=True):
    """What the arguments of `pull` ask for, by the names of its options."""

    where: str
    words: tuple[str, ...]
    fiql: str
    type_: str
    since: str
    until: str
    newer_than: str
    folder: str
    template: str
    via: str
    dry_run: bool
    form: str
    sidecar: bool
    on_conflict: str | None
    expiring: float | None = None
    """Only what has fewer seconds left."""

    @property
    def asked(self) -> tuple[str, ...]:
        """What was asked for, for the report of the run."""
        named = {"--fiql": self.fiql, "--type": self.type_, "--since": self.since, "--until": self.until}
        named["--newer-than"] = self.newer_than
        named["--expiring"] = f"{self.expiring / HOUR:g}h" if self.expiring is not None else ""
        return (self.where, *self.words, *(part for name, text in named.items() if text for part in (name, text)))

    @property
    def search(self) -> SearchOptions:
        """The options that every search has."""
        return SearchOptions(self.fiql, self.type_, self.since, self.until)

    @property
    def uses_search(self) -> bool:
        """Whether anything is asked for that needs one."""
        return bool(self.words or self.fiql or self.type_ or self.since or self.until)


def pulling_of(session: CommandSession, arguments: PullArguments, asked: tuple[str, ...] = ()) -> "_Pulling":
    """The pull that was asked for; nothing is sent.

    Args:
        session: of the command.
        arguments: what it was given.
        asked: what the user asked for, where that is more than these arguments.

    Raises:
        UsageError: it cannot be done.
    """
    provider, location = session.resolve(arguments.where)
    naming: Naming = KeyNames(location.path)
    if arguments.template or Capability.SEARCH in provider.capabilities:
        naming = Template(arguments.template or "{name}", session.output.zone)
    options = PullOptions(
        place=place_of(user_path(arguments.folder)),
        naming=naming,
        asked=shlex.join(asked or arguments.asked),
        via=Via(arguments.via),
        on_conflict=OnConflict(arguments.on_conflict or OnConflict.REFUSE),
        sidecars=arguments.sidecar,
        table=arguments.form == "csv",
        scratch=state_folder(),
        polls=session.config.settings.zip_poll_seconds,
        at_once=session.config.settings.transfers,
    )
    if options.via is Via.ZIP:
        provider.require(Capability.ZIP, location)
    return _Pulling(session, provider, location, arguments, options)


class _Pulling(msgspec.Struct, frozen=True):
    """One pull of one command."""

    session: CommandSession
    provider: StorageProvider
    location: Location
    arguments: PullArguments
    options: PullOptions

    async def estimate(self) -> None:
        """Say what would be done."""
        pull = self._pull()
        engine = TransferManager(self.session.provider)
        try:
            with _PullProgress(pull, engine, self.session.output):
                estimate = await pull.estimate(EXAMPLES)
            self._warn(pull)
        finally:
            await pull.close()
            await engine.close()
        _tell_estimate(self.session.output, estimate)

    async def run(self, run: Run, *, last: bool, gently: bool = False) -> bool:
        """Do it and print the result; False if files are in the way and the user can be asked.

        Args:
            run: told what came of it, too.
            last: whether nobody is asked.
            gently: whether a signal ends it with the object in hand.
        """
        output = self.session.output
        pull = self._pull()
        self.session.finish = pull.finish if gently else None
        try:
            async with transferring(self.session) as engine:
                with _PullProgress(pull, engine, output):
                    report = await pull.run(engine, run.begin)
            losses = pull.plan.losses()
            if not last and (taken := sum(isinstance(loss.error, ConflictError) for loss in losses)):
                output.note(f"In the way: {counted(taken, 'other file')}.")
                return False
            # Before it is printed: who reads that may be gone.
            counts = {name: getattr(report, name) for name in _COUNTS}
            run.note(counts, size=report.size, levels=report.levels, complete=report.is_complete)
            self._warn(pull)
            output.losses(report.unwritten)
            _tell_losses(output, pull.plan.losses())
            _tell_report(output, report, self.options.place.payload)
            if not (report.found or gently) and isinstance(pull.listing, QueryListing):
                note_why_empty(output, pull.listing.query.filter, report.left_out, head="")
            with suppress(StorageError):
                # For the browser alone: whoever pulls need not be able to keep it.
                ArchiveRegistry(state_folder() / ARCHIVES).add(self.location, self.options.place.root)
            return True
        finally:
            self.session.finish = None
            await pull.close()

    def _pull(self) -> Pull:
        output, location, arguments = self.session.output, self.location, self.arguments
        now, due = datetime.now(UTC), arguments.expiring
        if Capability.SEARCH not in self.provider.capabilities:
            since = parse_time(arguments.newer_than, output.zone, now) if arguments.newer_than else None
            _refuse_search(arguments, location, self.provider)
            keeps = _due(self.provider.profile.retention, now, due)
            return Pull(self.provider, FolderListing(self.provider, location, since), self.options, keeps)
        if location.path:
            raise UsageError("pull takes a region, not an object", subject=arguments.where, hint="cloudstore get PATH")
        if arguments.newer_than:
            raise UsageError("--newer-than is for folders", subject=arguments.where, hint="Use --since.")
        hours = max(round(due / HOUR), 1) if due is not None else 0
        # As people write it: an error shows it.
        left = (f"expires:<{hours // 24}d" if hours % 24 == 0 else f"expires:<{hours}h") if hours else ""
        words = (*arguments.words, left) if left else arguments.words
        query, meaning = narrowed(
            arguments.search.query(location, output), words, output, self.provider.profile.retention
        )
        listing = QueryListing(self.provider, query, now)
        return Pull(self.provider, listing, self.options, lambda entry: meaning.keeps(row_of(entry)))

    def _warn(self, pull: Pull) -> None:
        for warning in (*pull.warnings, *pull.listing.warnings):
            self.session.output.note(warning)
        self.session.output.losses(pull.listing.failures)


def _due(retention: Retention | None, now: datetime, left: float | None) -> Callable[[StoredObject], bool]:
    """Whether an object has so little time left by the user's policy; of what is not known, all is wanted."""
    if left is None:
        return lambda _entry: True
    if retention is None:
        hint = 'Write yours into the configuration, under the profile: retention = { hot = "28d" }.'
        raise UsageError("the service does not say how long it keeps files", subject="--expiring", hint=hint)
    end = now + timedelta(seconds=left)
    return lambda entry: (ends := retention.expires(entry)) is None or ends < end


def _refuse_search(arguments: PullArguments, location: Location, provider: StorageProvider) -> None:
    """Refuse what a service with folders cannot do."""
    if arguments.uses_search:
        raise UsageError(
            "the service of this profile has no search",
            subject=arguments.where,
            hint="Name a folder, and use --newer-than.",
        )
    if not provider.is_folder(location):
        raise UsageError(
            "pull takes a folder, which ends with /",
            subject=arguments.where,
            hint=f"Write {arguments.where}/ for a folder; one object: cloudstore get {shlex.quote(arguments.where)}",
        )


class _PullProgress(ProgressLine):
    """Shows what a pull has found and fetched while inside the block."""

    def __init__(self, pull: Pull, engine: TransferManager, output: Output) -> None:
        super().__init__(engine, output)
        self._pull = pull

    def _summary(self) -> str:
        pull = self._pull
        if not pull.wanted:
            return f"{pull.listed:,} found"
        running = [transfer for transfer in self._engine.snapshot() if not transfer.state.ended]
        speed = in_words.speed(sum(transfer.speed for transfer in running))
        notes = [transfer.note or transfer.state.value for transfer in running]
        parts = [f"{pull.ended:,} of {pull.wanted:,}", in_words.size(pull.size), speed, *notes[:1]]
        return " · ".join(plain(part) for part in parts if part)[: shutil.get_terminal_size().columns - 2]


def _tell_estimate(output: Output, estimate: PullEstimate) -> None:
    if output.as_json:
        names = ("found", "had", "wanted", "size", "windows", "zip_jobs", "direct", "requests")
        record = {name: getattr(estimate, name) for name in names}
        record |= {"left_out": estimate.left_out, "unlisted": _records(estimate.unlisted)}
        output.record({"event": "plan", **record, "seconds": round(estimate.seconds), "paths": list(estimate.examples)})
        return
    looked = counted(estimate.windows, estimate.unit)
    output.line(f"Found {counted(estimate.found, 'object')} in {looked}; {estimate.had:,} of them here already.")
    _tell_lack(output, estimate)
    ways = f"{counted(estimate.zip_jobs, 'zip job')}, {estimate.direct:,} one by one"
    output.line(f"To fetch: {counted(estimate.wanted, 'object')}, {in_words.size(estimate.size)}: {ways}.")
    output.line(
        f"About {counted(estimate.requests, 'request')} and {in_words.duration(estimate.seconds)} at the present pace."
    )
    for path in estimate.examples:
        output.line(f"  {path}")
    if estimate.found > len(estimate.examples):
        output.line(f"  and {estimate.found - len(estimate.examples):,} more")


def _tell_losses(output: Output, losses: Iterable[Loss]) -> None:
    """Report what is missing; of many failures of one kind, people see the first ones and the last."""
    kinds: Counter[type[StorageError]] = Counter()
    last: dict[type[StorageError], StorageError] = {}
    for loss in losses:
        error, address = loss.error, loss.item.address
        output.errors.append(error.about(address))
        if output.as_json:
            output.record(error_record(error, address) | {"file": str(loss.item.path)})
        kinds[type(error)] += 1
        last[type(error)] = error
        if kinds[type(error)] <= MAX_TOLD:
            output.print_message(describe_error(error))
    for kind, number in kinds.items():
        if number > MAX_TOLD:
            output.print_message(f"And {number - MAX_TOLD:,} more like that. The last: {describe_error(last[kind])}")


def _tell_report(output: Output, report: PullReport, folder: Path) -> None:
    if output.as_json:
        names = ("found", "had", "fetched", "skipped", "missing", "size", "levels", "changed", "left_out")
        record = {name: getattr(report, name) for name in names} | {"unlisted": _records(report.unlisted)}
        output.record({"event": "report", **record, "complete": report.is_complete, "manifest": str(folder / NAME)})
        return
    output.line(
        f"Found {report.found:,}: had {report.had:,}, fetched {report.fetched:,} ({in_words.size(report.size)}), "
        f"skipped {report.skipped:,}, missing {report.missing:,}."
    )
    _tell_lack(output, report)
    if report.levels:
        levels = ", ".join(f"{number:,} by {level}" for level, number in report.levels.items())
        output.line(f"Verified: {levels}.")
    if report.changed:
        verb = "is a new version" if report.changed == 1 else "are new versions"
        output.line(f"{report.changed:,} changed at the service: what was fetched {verb}; the manifest lists both.")
    if not report.is_complete:
        output.line(_next_step(output.errors))
    else:
        output.line(_all_here(report))


def _all_here(report: PullReport) -> str:
    """That nothing is missing, where nothing is."""
    if report.skipped:
        return "Nothing is missing but what was skipped: another file has its name."
    return "Nothing is missing." if report.found else "No matches."


def _next_step(errors: Iterable[StorageError]) -> str:
    """What helps against what is missing: another run alone only does where it passes by itself."""
    found = list(errors)
    if all(isinstance(error, ConflictError) for error in found):
        return "Move away what is in the way, or run the same command again with --on-conflict."
    again = "un the same command again to fetch what is missing."
    return f"R{again}" if all(error.retryable for error in found) else f"See to what is told above, then r{again}"


def _tell_lack(output: Output, result: PullEstimate | PullReport) -> None:
    """Say what the service found that is not in the numbers."""
    if result.left_out:
        verb = "does" if result.left_out == 1 else "do"
        output.line(f"The service found {result.left_out:,} more that {verb} not meet the conditions checked here.")
    if result.unlisted:
        where = dict.fromkeys(failure.subject for failure in result.unlisted)
        output.line(f"Not everything could be listed: {', '.join(where)}. More may be missing.")


def _records(failures: Iterable[StorageError]) -> list[dict[str, object]]:
    return [error_record(failure, failure.subject) for failure in failures]


SOONEST_S = 10.0
"""Seconds that two rounds are apart at least."""
_CLOCKS = timedelta(minutes=5)
"""By how much the clocks of the service and of this machine may differ."""
_NEVER = "Look at the call at the service; what comes still later is fetched by another pull."

Tell = Callable[[str], None]


async def watch_command(
    session: CommandSession, *, every: float, look_back: float, expect: str, within: float | None, **given: Any
) -> None:
    session.timeout = TRANSFERRING
    options = RunOptions.taken(given)
    given["folder"] = str(given["folder"])
    arguments = PullArguments(
        **given, until="", newer_than="", via="auto", dry_run=False, form="jsonl", on_conflict=None
    )
    types = tuple(dict.fromkeys(name.strip() for name in expect.split(",") if name.strip()))
    if within is not None and not types:
        raise UsageError("needs --expect", subject="--within", hint="Say which types every call is to have.")
    deadline = timedelta(seconds=within or 21_600.0)
    late = timedelta(seconds=max(look_back, deadline.total_seconds() if types else 0)) + _CLOCKS
    watching = _Watching(session, arguments, options, every, late, types, deadline)
    with ExitStack() as alone:
        async with reported(session, options, "watch", watching.folder, watching.what, prepares=True):
            watching.check()
            alone.enter_context(_alone(session, arguments.folder))
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
                pulling = pulling_of(self.session, self._narrowed(since, now), self.what)
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
        """Where this round begins: the earliest time from which something may be new since the last complete one."""
        zone = self.session.output.zone
        asked = parse_time(self.arguments.since, zone, now) if self.arguments.since else None
        done = before.coverage_of(self.what) if before is not None else None
        if before is None or (done is None and before.last.what != self.what):
            return asked or now - self.look_back
        if done is None:
            # None was ever complete: nothing that the first one was to bring is given up.
            return min(moment for moment in (asked, before.last.since, now) if moment is not None)
        if not self.searches or (asked is not None and asked < done.since):
            # A listing of folders costs the same from whenever it is.
            return min(asked or done.since, done.since)
        if done.through > now + _CLOCKS:
            # Nobody knows for how long, so not up to when everything is here.
            self.session.output.note("The clock of this machine was ahead: this round looks back to the first one.")
            return done.since
        return min(done.through, now) - self.look_back

    def _narrowed(self, since: datetime, now: datetime) -> PullArguments:
        if not self.searches:
            return replace(self.arguments, since="", newer_than=since.isoformat())
        return replace(self.arguments, since=since.isoformat(), until=max(since, now).isoformat())

    async def _conclude(self, going: Run, before: RunStatus | None, now: datetime) -> None:
        """Note up to when everything is here, and report the calls whose expected objects never came."""
        output = self.session.output
        is_whole = going.report.outcome is RunOutcome.COMPLETE and not output.errors
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
    """Notify systemd, if it started us, and keep its watchdog informed."""
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
