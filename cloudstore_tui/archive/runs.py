"""The record of runs: a report for programs, metrics for a monitor, and the status of the last runs in the folder.

All files are replaced atomically. A run is recorded as unfinished when it begins, so one that is killed never looks
complete, nor as if it had never run.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from cloudstore_tui import __version__
from cloudstore_tui.archive.chain import CLOCK_TOLERANCE
from cloudstore_tui.archive.expected import CallCheck
from cloudstore_tui.archive.manifest import CHAIN, REFUSED, RUNS, ArchivePlace, opened
from cloudstore_tui.core.errors import BusyError, IntegrityError, UsageError
from cloudstore_tui.core.records import json_text
from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.fs.whole_file import replaced, write_whole

MAX_ERRORS = 1000
"""Errors that a report lists; `error_count` counts all of them."""
_MAX_BYTES = 1 << 23
FILL_COMMANDS = ("pull", "watch")
"""Commands that fill a folder."""
REMEMBERED_FOR = timedelta(days=7)
"""How long an incomplete run is remembered beside runs that ask for something else."""
_MAX_REMEMBERED = 20
_INTERACTIVE_CODES = (2, 130)
"""Exit codes of runs whose user was present: wrong usage, and Ctrl+C."""
_DAMAGE_COUNTS = ("changed", "missing", "damaged_line", "chain", "seal", "signature", "time_stamp")
"""What `verify` counts as damage."""


class RunOutcome(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """Nothing is missing, and everything is recorded."""
    INCOMPLETE = "incomplete"
    """It finished, and something is missing or wrong."""
    FAILED = "failed"
    """It could not do its work."""
    STOPPED = "stopped"
    """A signal ended it."""
    UNFINISHED = "unfinished"
    """It began, and no end was recorded: it is still running, or it was killed."""

    @property
    def as_verb(self) -> str:
        """`failed`, `was incomplete`."""
        return self.value if self is RunOutcome.FAILED else f"was {self.value}"


_ENDED = (RunOutcome.COMPLETE, RunOutcome.INCOMPLETE)


class RunReport(msgspec.Struct, frozen=True):
    """One run."""

    command: str
    folder: str
    what: tuple[str, ...]
    """What it asked for: an address, and the words and options of a query."""
    started: datetime
    version: str = __version__
    outcome: RunOutcome = RunOutcome.UNFINISHED
    code: int = 0
    """The exit code of the command."""
    ended: datetime | None = None
    counts: dict[str, int] = {}
    """Objects, or files, by outcome."""
    bytes: int = 0
    requests: int = 0
    levels: dict[str, int] = {}
    """The number of objects by how they were verified."""
    errors: tuple[dict[str, object], ...] = ()
    """The first errors."""
    error_count: int = 0
    warnings: tuple[str, ...] = ()
    since: datetime | None = None
    """The beginning of the time that a watch has covered."""
    through: datetime | None = None
    """The end of the time up to which nothing that it looked for is missing."""
    calls: CallCheck | None = None
    """The types that every call must have, and how many calls have them."""

    @property
    def seconds(self) -> float:
        """The duration; 0 until it has ended, and if the clock was set back meanwhile."""
        return max((self.ended - self.started).total_seconds(), 0.0) if self.ended else 0.0

    @property
    def must_be_repeated(self) -> bool:
        """Whether it should be run again."""
        return self.outcome is not RunOutcome.COMPLETE and self.code not in _INTERACTIVE_CODES

    @property
    def was_interrupted(self) -> bool:
        """Whether it did not finish, so that it is unknown what it would have fetched."""
        return self.outcome not in _ENDED and self.code != UsageError.code

    def record(self) -> dict[str, object]:
        """The report as JSON, without fields that do not apply."""
        known = {name: value for name, value in msgspec.to_builtins(self).items() if value is not None}
        return {"ended": None, **known, "seconds": round(self.seconds, 3)}


def new_report(command: str, folder: Path, what: Sequence[str], since: datetime | None = None) -> RunReport:
    """The report of a run that begins now."""
    return RunReport(command, str(folder.absolute()), tuple(what), utc_now(), since=since)


class Coverage(msgspec.Struct, frozen=True):
    """A period of which nothing is missing."""

    since: datetime
    through: datetime


class RunStatus(msgspec.Struct, frozen=True):
    """The status of one command's runs over a folder."""

    last: RunReport
    complete: RunReport | None = None
    """The last complete run."""
    coverage: Coverage | None = None
    """The period covered by all runs that asked for the same as the last one."""
    calls: CallCheck | None = None
    """The result of the last check of calls."""
    others: tuple[RunReport, ...] = ()
    """The last run of each kind that asked for something else, where it was not complete."""
    covered: dict[str, Coverage] = {}
    """The periods covered by runs that asked for something else, by what they asked for."""
    damage: dict[str, int] = {}
    """The damage found by the last full verification, and by those of samples since."""
    refused: tuple[RunReport, ...] = ()
    """Runs that could not begin because another one was filling the folder; only `fill_status` reads them."""

    def coverage_of(self, what: tuple[str, ...]) -> Coverage | None:
        """The period covered by the runs that asked for `what`."""
        return self.coverage if self.last.what == what else self.covered.get(shlex.join(what))

    def after(self, report: RunReport) -> "RunStatus":
        """The status after another run."""
        coverage, covered = self.coverage_of(report.what), dict(self.covered)
        if self.coverage is not None:
            covered[shlex.join(self.last.what)] = self.coverage
        covered.pop(shlex.join(report.what), None)
        if report.through is not None and report.since is not None:
            # A clock that is ahead can put the beginning behind the end.
            since = min(report.since, report.through)
            coverage = Coverage(min(since, coverage.since) if coverage is not None else since, report.through)
        complete = report if report.outcome is RunOutcome.COMPLETE else self.complete
        others = _incomplete_others(report, (*self.others, replace(self.last, errors=(), warnings=(), calls=None)))
        covered = dict(list(covered.items())[-_MAX_REMEMBERED:])
        damage = self._damage_after(report)
        return RunStatus(report, complete, coverage, report.calls or self.calls, others, covered, damage)

    def _damage_after(self, report: RunReport) -> dict[str, int]:
        if not report.counts or report.code == BusyError.code:
            return self.damage
        found = {name: report.counts[name] for name in _DAMAGE_COUNTS if report.counts.get(name)}
        if not report.counts.get("not_read"):
            return found
        # Files that it did not read may still be damaged.
        return {name: max(found.get(name, 0), self.damage.get(name, 0)) for name in {**self.damage, **found}}


def _incomplete_others(newest: RunReport, runs: Iterable[RunReport]) -> tuple[RunReport, ...]:
    """The last run of each kind that asked for something else than the newest one and was not complete."""
    last = {run.what: run for run in sorted((*runs, newest), key=lambda run: run.started)}
    left = (run for run in last.values() if run.what != newest.what and run.must_be_repeated)
    return tuple(run for run in left if newest.started - run.started < REMEMBERED_FOR)[-_MAX_REMEMBERED:]


# In the folder


def read_status(folder: Path, command: str) -> RunStatus | None:
    """The status of a command in a folder; `None` if it never ran there.

    Raises:
        IntegrityError: the file is damaged.
        StorageError: the disk refuses.
    """
    return _read(folder / RUNS[command], RunStatus)


Value = TypeVar("Value")


def _read(path: Path, type_: type[Value]) -> Value | None:
    with os_errors_as(path):
        if Disk().lstat(path) is None:
            return None
    with opened(path) as file:
        data = file.read(_MAX_BYTES)
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        message, hint = "what it says of the last run cannot be read", "The next run writes it anew."
        raise IntegrityError(message, subject=str(path), hint=hint) from None


class RunLog:
    """Records the runs of one command in a folder. Blocks."""

    def __init__(self, folder: Path, command: str) -> None:
        self._folder = folder
        self._name = RUNS[command]
        self._command = command

    def begin(self, report: RunReport) -> None:
        """Record that a run has begun, if the folder exists."""
        if self._is_there():
            self._write(self._after(report))

    def refuse(self, report: RunReport) -> RunStatus:
        """Record that a run could not begin because another one was filling the folder; returns the status.

        This needs a file of its own, because the other run writes that of the status.
        """
        if self._command in FILL_COMMANDS and any((self._folder / RUNS[name]).is_file() for name in FILL_COMMANDS):
            self._write_refused(report, (replace(report, errors=(), warnings=()),))
        return self._before(report)

    def end(self, report: RunReport) -> RunStatus:
        """Record how a run ended, if one ever began there; returns the status."""
        # A run that was refused for wrong usage must leave no file in a folder that was never pulled into.
        is_ours = self._is_there() and (report.code != UsageError.code or (self._folder / self._name).exists())
        if not is_ours:
            return RunStatus(report).after(report)
        # The list of all errors belongs into the report.
        status = self._after(replace(report, errors=report.errors[:10]))
        self._write(status)
        if any(run.what == report.what for run in _refused(self._folder)):
            self._write_refused(report, ())
        return status

    def _is_there(self) -> bool:
        with os_errors_as(self._folder):
            return self._folder.is_dir()

    def _after(self, report: RunReport) -> RunStatus:
        return self._before(report).after(report)

    def _before(self, report: RunReport) -> RunStatus:
        try:
            status = read_status(self._folder, self._command)
        except IntegrityError:
            status = None
        return status or RunStatus(report)

    def _write_refused(self, report: RunReport, added: tuple[RunReport, ...]) -> None:
        """Replace the refused runs that asked for the same as `report`."""
        oldest, disk = report.started - REMEMBERED_FOR, Disk()
        with os_errors_as(self._folder / REFUSED):
            folder = disk.open_folder(self._folder)
            try:
                # Read while it is being replaced, and so by one run at a time.
                with replaced(disk, REFUSED, folder) as file:
                    others = (run for run in _refused(self._folder) if run.what != report.what and run.started > oldest)
                    runs = [*others, *added][-_MAX_REMEMBERED:]
                    disk.write_all(file, (json_text(msgspec.to_builtins(runs)) + "\n").encode())
            finally:
                disk.close(folder)

    def _write(self, status: RunStatus) -> None:
        write_whole(self._folder / self._name, json_text(msgspec.to_builtins(status)) + "\n")


def _refused(folder: Path) -> tuple[RunReport, ...]:
    try:
        return _read(folder / REFUSED, tuple[RunReport, ...]) or ()
    except IntegrityError:
        return ()


def fill_status(folder: Path) -> RunStatus | None:
    """The status of the pulls and watches that filled a folder.

    Raises:
        IntegrityError: a status file is damaged.
        StorageError: the disk refuses.
    """
    known = [status for command in FILL_COMMANDS if (status := read_status(folder, command)) is not None]
    if not known:
        return None
    newest = max(known, key=lambda status: status.last.started)
    complete = max((one.complete for one in known if one.complete), key=lambda run: run.started, default=None)
    runs = (run for status in known for run in (*status.others, status.last))
    refused = tuple(run for run in _refused(folder) if _is_still_refused(run, newest.last))
    return replace(newest, complete=complete, others=_incomplete_others(newest.last, runs), refused=refused)


def _is_still_refused(run: RunReport, newest: RunReport) -> bool:
    """Whether the work of a refused run is still to be done: a run of the same that was under way then has done it."""
    return run.what != newest.what or (newest.ended is not None and newest.ended < run.started)


def interrupted_runs(folder: Path) -> tuple[RunReport, ...]:
    """The last pulls and watches of each kind that did not finish. Call it while none is running.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        status = fill_status(folder)
    except IntegrityError:
        status = None
    runs = (status.last, *status.others) if status is not None else ()
    return tuple(run for run in runs if run.was_interrupted)


def lost_events(place: ArchivePlace) -> str:
    """What has become of the events of an unsealed folder: `empty` or `missing`; empty text if they are there.

    Folders that were filled before there were events have none, and no record of runs.
    """
    path = place.root / CHAIN
    if place.is_bag or (path.is_file() and path.stat().st_size):
        return ""
    if path.is_file():
        return "empty"
    try:
        status = fill_status(place.root)
    except IntegrityError:
        status = None
    runs = (status.last, status.complete, *status.others) if status is not None else ()
    return "missing" if any(run and run.outcome in _ENDED for run in runs) else ""


# Problems


class Complaint(msgspec.Struct, frozen=True):
    """A problem that a monitor must report."""

    text: str
    hint: str = ""


def complaint(
    status: RunStatus | None, now: datetime, max_age: timedelta | None, *, runs_now: bool
) -> Complaint | None:
    """The problem with the last runs; `None` if all is well.

    Args:
        status: of the folder; `None` if nothing ever ran.
        now: the time.
        max_age: the greatest age of the last complete run.
        runs_now: whether a run is under way.
    """
    if status is None:
        return Complaint("nothing was ever pulled into it", "Pull into it: cloudstore pull PROFILE --to DIR.")
    if status.complete is None or status.complete.ended is None:
        hint = "Look at the errors of the last one: add --json." if status.last.error_count else "Run it again."
        return Complaint("no run has ever been complete", hint)
    age = now - status.complete.ended
    if age < -CLOCK_TOLERANCE:
        return Complaint("the last complete run lies in the future", "Check the clock of this machine.")
    if max_age is not None and age > max_age:
        return Complaint("the last complete run is too old", "Check whether the timer runs.")
    if status.last.outcome is RunOutcome.UNFINISHED:
        return None if runs_now else Complaint("the last run was killed before its end", "Run it again.")
    if status.last.outcome is not RunOutcome.COMPLETE:
        return Complaint(f"the last run {status.last.outcome.as_verb}", "Run it again; look at its errors.")
    if status.others:
        run = status.others[-1]
        more = f", and {len(status.others) - 1} more" if len(status.others) > 1 else ""
        text = f"the last {run.command} of something else {run.outcome.as_verb}: {shlex.join(run.what)}{more}"
        return Complaint(text, "Run the same again.")
    return None


def refused_runs(status: RunStatus | None) -> Complaint | None:
    """The runs that another one kept from beginning; `None` if there are none."""
    if status is None or not status.refused:
        return None
    run = status.refused[-1]
    more = f", and {len(status.refused) - 1} more" if len(status.refused) > 1 else ""
    text = f"another run was filling the folder, so this one could not begin: {shlex.join(run.what)}{more}"
    return Complaint(text, "Run it again, at a time when no other runs.")


def damage(verified: RunStatus | None) -> Complaint | None:
    """The damage that the last verification found; `None` if there was none."""
    known = verified.damage if verified is not None else {}
    found = ", ".join(f"{known[name]:,} {name.replace('_', ' ')}" for name in _DAMAGE_COUNTS if name in known)
    return Complaint(f"the last verification found: {found}", "See to it, and verify again.") if found else None


def lacking_calls(status: RunStatus | None) -> Complaint | None:
    """The calls that lack expected objects; `None` if there are none."""
    calls = status.calls if status is not None else None
    if calls is None or not calls.lacking:
        return None
    some = "; ".join(str(call) for call in calls.calls[-3:])
    more = "" if calls.lacking <= 3 else f"; and {calls.lacking - 3:,} more"
    what = "1 call lacks" if calls.lacking == 1 else f"{calls.lacking:,} calls lack"
    return Complaint(f"{what} what is expected: {some}{more}", "Add --json to see all of them.")


# Metrics


def metrics(status: RunStatus) -> str:
    """The numbers of the last run, for the textfile collector of node_exporter."""
    return "".join(_metrics(status))


def _metrics(status: RunStatus) -> Iterator[str]:
    last = status.last
    labels = {"command": last.command, "folder": last.folder}
    succeeded = status.complete.ended if status.complete else None
    for name, what, value in (
        ("start_timestamp_seconds", "When the last run began.", _seconds(last.started)),
        ("end_timestamp_seconds", "When the last run ended.", _seconds(last.ended)),
        ("success_timestamp_seconds", "When the last complete run ended; 0 if none ever did.", _seconds(succeeded)),
        ("duration_seconds", "How long the last run took.", round(last.seconds, 3)),
        ("complete", "Whether the last run was complete.", int(last.outcome is RunOutcome.COMPLETE)),
        ("exit_code", "What the last run ended with.", last.code),
        ("bytes", "What the last run fetched or read.", last.bytes),
        ("requests", "Requests of the last run.", last.requests),
        ("errors", "Errors of the last run.", last.error_count),
    ):
        yield from _family(name, what, [(labels, value)])
    objects = [(labels | {"outcome": name}, number) for name, number in last.counts.items()]
    if (calls := status.calls) is not None:
        states = [(labels | {"state": name}, getattr(calls, name)) for name in ("complete", "awaited", "lacking")]
        yield from _family("calls", "Recent calls by whether all their expected objects are here.", states)
    yield from _family("objects", "Objects of the last run by outcome.", objects)
    levels = [(labels | {"level": name}, number) for name, number in last.levels.items()]
    yield from _family("verified", "Objects of the last run by how they were verified.", levels)


def _family(name: str, what: str, samples: Sequence[tuple[dict[str, str], float]]) -> Iterator[str]:
    if not samples:
        return
    full = f"cloudstore_run_{name}"
    yield f"# HELP {full} {what}\n# TYPE {full} gauge\n"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{full}{{{shown}}} {value}\n"


def _escaped(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(moment: datetime | None) -> float:
    return round(moment.timestamp(), 3) if moment else 0


def utc_now() -> datetime:
    """The time, to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
