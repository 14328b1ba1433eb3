"""`pull`: download a whole result into a folder."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudstore_tui.archive.listing import FolderListing, QueryListing
from cloudstore_tui.archive.manifest import NAME, place_of
from cloudstore_tui.archive.plan import Loss
from cloudstore_tui.archive.pull import Pull, PullEstimate, PullReport
from cloudstore_tui.archive.registry import FILE as ARCHIVES
from cloudstore_tui.archive.registry import ArchiveRegistry
from cloudstore_tui.archive.strategy import Naming, PullOptions, Via
from cloudstore_tui.archive.template import KeyNames, Template
from cloudstore_tui.cli.find import SearchOptions, apply_words, note_why_empty
from cloudstore_tui.cli.output import Output, describe_error, error_record
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import ProgressLine, target_folder, transferring
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import ConflictError, StorageError, UsageError
from cloudstore_tui.core.models import Location, Retention, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.text import plain
from cloudstore_tui.fiql.evaluator import row_of
from cloudstore_tui.fiql.measures import parse_time
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.format import counted

EXAMPLES = 5
"""How many paths a dry run shows."""
MAX_SHOWN = 20
"""Failures of one kind that are printed one by one; the manifest and the JSON have all."""

HOUR_S = 3600
_COUNTS = ("found", "had", "fetched", "skipped", "missing", "changed", "left_out")
_ON_CONFLICT = tuple(rule.value for rule in OnConflict)


async def pull_command(session: CommandSession, **given: Any) -> None:
    options = RunOptions.pop_from(given)
    arguments = PullArguments(**given)
    if arguments.dry_run:
        await prepare_pull(session, arguments).estimate()
        return
    async with reported(session, options, "pull", arguments.folder, arguments.asked) as run:
        pulling = prepare_pull(session, arguments)
        if not await pulling.run(run, last=arguments.on_conflict is not None or not session.output.asks):
            answer = session.output.choose("What to do with them", _ON_CONFLICT[1:], _ON_CONFLICT[1])
            chosen = replace(pulling.options, on_conflict=OnConflict(answer))
            await replace(pulling, options=chosen).run(run, last=True)


class PullArguments(msgspec.Struct, frozen=True):
    """The arguments of `pull`."""

    where: str
    words: tuple[str, ...]
    fiql: str
    type_: str
    since: str
    until: str
    newer_than: str
    folder: Path
    template: str
    via: str
    dry_run: bool
    form: str
    sidecar: bool
    on_conflict: str | None
    expiring: float | None = None
    """Only objects that expire within this many seconds."""

    @property
    def asked(self) -> tuple[str, ...]:
        """What was asked for, as arguments, for the report of the run."""
        named = {"--fiql": self.fiql, "--type": self.type_, "--since": self.since, "--until": self.until}
        named["--newer-than"] = self.newer_than
        named["--expiring"] = f"{self.expiring / HOUR_S:g}h" if self.expiring is not None else ""
        return (self.where, *self.words, *(part for name, text in named.items() if text for part in (name, text)))

    @property
    def search(self) -> SearchOptions:
        """The options that all searches share."""
        return SearchOptions(self.fiql, self.type_, self.since, self.until)

    @property
    def uses_search(self) -> bool:
        """Whether anything is asked for that needs a search."""
        return bool(self.words or self.fiql or self.type_ or self.since or self.until)


def prepare_pull(session: CommandSession, arguments: PullArguments, asked: tuple[str, ...] = ()) -> "_PullCommand":
    """Prepare a pull; nothing is sent.

    Args:
        session: of the command.
        arguments: of this pull.
        asked: what the user asked for, if that is more than `arguments`: a watch narrows each round.

    Raises:
        UsageError: it cannot be done.
    """
    provider, location = session.resolve(arguments.where)
    naming: Naming = KeyNames(location.path)
    if arguments.template or Capability.SEARCH in provider.capabilities:
        naming = Template(arguments.template or "{name}", session.output.zone)
    options = PullOptions(
        place=place_of(target_folder(session, arguments.folder)),
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
    return _PullCommand(session, provider, location, arguments, options)


class _PullCommand(msgspec.Struct, frozen=True):
    """A pull that a command has prepared."""

    session: CommandSession
    provider: StorageProvider
    location: Location
    arguments: PullArguments
    options: PullOptions

    async def estimate(self) -> None:
        """Print what would be done."""
        pull = self._pull()
        engine = TransferManager(self.session.provider)
        try:
            with _PullProgress(pull, engine, self.session.output):
                estimate = await pull.estimate(EXAMPLES)
            self._warn(pull)
        finally:
            await pull.close()
            await engine.close()
        _print_estimate(self.session.output, estimate)

    async def run(self, run: Run, *, last: bool, gently: bool = False) -> bool:
        """Pull and print the result; False if files are in the way and the user should be asked.

        Args:
            run: the run to note the result in.
            last: whether not to ask about files in the way.
            gently: whether the first signal lets it finish the current object.
        """
        output = self.session.output
        pull = self._pull()
        self.session.finish = pull.finish if gently else None
        try:
            async with transferring(self.session, resume="Run the same command again to resume.") as engine:
                with _PullProgress(pull, engine, output):
                    report = await pull.run(engine, run.begin)
            losses = pull.plan.losses()
            if not last and (taken := sum(isinstance(loss.error, ConflictError) for loss in losses)):
                output.note(f"{counted(taken, 'other file')} in the way.")
                return False
            # Noted before it is printed: the reader of a pipe may have gone.
            counts = {name: getattr(report, name) for name in _COUNTS}
            run.note(counts, size=report.size, levels=report.levels, complete=report.is_complete)
            self._warn(pull)
            output.report_failures(report.unwritten)
            _report_losses(output, pull.plan.losses())
            _print_report(output, report, self.options.place.payload)
            if not (report.found or gently) and isinstance(pull.listing, QueryListing):
                note_why_empty(output, pull.listing.query.filter, report.left_out, head="")
            with suppress(StorageError):
                # Only the browser needs it, so failing to write it is no error.
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
        hours = max(round(due / HOUR_S), 1) if due is not None else 0
        # Errors show it, so it is written as a user would.
        left = (f"expires:<{hours // 24}d" if hours % 24 == 0 else f"expires:<{hours}h") if hours else ""
        words = (*arguments.words, left) if left else arguments.words
        query, meaning = apply_words(
            arguments.search.query(location, output), words, output, self.provider.profile.retention
        )
        listing = QueryListing(self.provider, query, now)
        return Pull(self.provider, listing, self.options, lambda entry: meaning.keeps(row_of(entry)))

    def _warn(self, pull: Pull) -> None:
        self.session.warn_of_clock()
        for warning in (*pull.warnings, *pull.listing.warnings):
            self.session.output.note(warning)
        self.session.output.report_failures(pull.listing.failures)


def _due(retention: Retention | None, now: datetime, left: float | None) -> Callable[[StoredObject], bool]:
    """A test whether an object expires within `left` seconds by the user's policy, or may do so."""
    if left is None:
        return lambda _entry: True
    if retention is None:
        hint = 'Put your policy into the profile: retention = { hot = "28d" }.'
        raise UsageError("the service does not say how long it keeps files", subject="--expiring", hint=hint)
    end = now + timedelta(seconds=left)
    return lambda entry: (ends := retention.expires(entry)) is None or ends < end


def _refuse_search(arguments: PullArguments, location: Location, provider: StorageProvider) -> None:
    """Refuse what a service without search cannot do."""
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
    """Shows what a pull has found and fetched so far."""

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
        return " · ".join(plain(part) for part in parts if part)


def _print_estimate(output: Output, estimate: PullEstimate) -> None:
    if output.as_json:
        names = ("found", "had", "wanted", "size", "windows", "zip_jobs", "direct", "requests")
        record = {name: getattr(estimate, name) for name in names}
        record |= {"left_out": estimate.left_out, "unlisted": _records(estimate.unlisted)}
        output.record({"event": "plan", **record, "seconds": round(estimate.seconds), "paths": list(estimate.examples)})
        return
    looked = counted(estimate.windows, estimate.unit)
    output.line(f"Found {counted(estimate.found, 'object')} in {looked}; {estimate.had:,} of them here already.")
    _print_gaps(output, estimate)
    ways = f"{counted(estimate.zip_jobs, 'zip job')}, {estimate.direct:,} one by one"
    output.line(f"To fetch: {counted(estimate.wanted, 'object')}, {in_words.size(estimate.size)}: {ways}.")
    output.line(
        f"About {counted(estimate.requests, 'request')} and {in_words.duration(estimate.seconds)} at the present pace."
    )
    for path in estimate.examples:
        output.line(f"  {path}")
    if estimate.found > len(estimate.examples):
        output.line(f"  and {estimate.found - len(estimate.examples):,} more")


def _report_losses(output: Output, losses: Iterable[Loss]) -> None:
    """Report what is missing; of many failures of one kind, the text shows the first ones and the last."""
    kinds: Counter[type[StorageError]] = Counter()
    last: dict[type[StorageError], StorageError] = {}
    for loss in losses:
        error, address = loss.error, loss.item.address
        output.errors.append(error.about(address))
        if output.as_json:
            output.record(error_record(error, address) | {"file": str(loss.item.path)})
        kinds[type(error)] += 1
        last[type(error)] = error
        if kinds[type(error)] <= MAX_SHOWN:
            output.print_message(describe_error(error))
    for kind, number in kinds.items():
        if number > MAX_SHOWN:
            output.print_message(f"And {number - MAX_SHOWN:,} more like that. The last: {describe_error(last[kind])}")


def _print_report(output: Output, report: PullReport, folder: Path) -> None:
    if output.as_json:
        names = ("found", "had", "fetched", "skipped", "missing", "size", "levels", "changed", "left_out")
        record = {name: getattr(report, name) for name in names} | {"unlisted": _records(report.unlisted)}
        output.record({"event": "report", **record, "complete": report.is_complete, "manifest": str(folder / NAME)})
        return
    output.line(
        f"Found {report.found:,}: had {report.had:,}, fetched {report.fetched:,} ({in_words.size(report.size)}), "
        f"skipped {report.skipped:,}, missing {report.missing:,}."
    )
    _print_gaps(output, report)
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
    """The last line of a complete report."""
    if report.skipped:
        return "Nothing is missing but what was skipped: another file has its name."
    return "Nothing is missing." if report.found else "No matches."


def _next_step(errors: Iterable[StorageError]) -> str:
    """What to do about what is missing. Running it again is enough only if all errors may pass by themselves."""
    found = list(errors)
    if all(isinstance(error, ConflictError) for error in found):
        return "Move away what is in the way, or run the same command again with --on-conflict."
    again = "un the same command again to fetch what is missing."
    return f"R{again}" if all(error.retryable for error in found) else f"Resolve the errors above, then r{again}"


def _print_gaps(output: Output, result: PullEstimate | PullReport) -> None:
    """Print what the service has but the numbers do not include."""
    if result.left_out:
        verb = "does" if result.left_out == 1 else "do"
        output.line(f"The service found {result.left_out:,} more that {verb} not meet the conditions checked here.")
    if result.unlisted:
        where = dict.fromkeys(failure.subject for failure in result.unlisted)
        output.line(f"Not everything could be listed: {', '.join(where)}. More may be missing.")


def _records(failures: Iterable[StorageError]) -> list[dict[str, object]]:
    return [error_record(failure, failure.subject) for failure in failures]
