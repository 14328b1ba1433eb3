"""What a run tells of itself: a report for programs, numbers for a monitor, and in the folder when it last went well.

Everything is written whole or not at all. The folder learns of a run when it begins, as one that has not ended, so
that one that is killed is never taken for one that went well, nor for none.
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
from cloudstore_tui.archive.chain import CLOCKS_DIFFER
from cloudstore_tui.archive.expected import CallCheck
from cloudstore_tui.archive.manifest import REFUSED, RUNS, opened
from cloudstore_tui.core.errors import BusyError, IntegrityError, UsageError
from cloudstore_tui.core.records import json_text
from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.fs.whole_file import write_whole

MAX_ERRORS = 1000
"""Errors that a report lists; their number is always the whole one."""
_LARGEST = 1 << 26
FILLING = ("pull", "watch")
"""Commands that bring something into a folder."""
KEPT_FOR = timedelta(days=7)
"""How long a pull that was not complete is remembered beside those of something else."""
_MOST_KEPT = 20
_BY_THE_USER = (2, 130)
"""Exit codes of runs that somebody sat before: words that cannot be meant, and Ctrl+C."""
_DAMAGE = ("changed", "missing", "damaged_line", "chain", "seal", "signature", "time_stamp")
"""What `verify` counts and nobody wants to find."""


class RunOutcome(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    """Nothing is missing, and everything is written down."""
    INCOMPLETE = "incomplete"
    """It came to its end, and something is missing or wrong."""
    FAILED = "failed"
    """It could not do its work."""
    STOPPED = "stopped"
    """A signal ended it."""
    UNFINISHED = "unfinished"
    """It has begun, and its end was not recorded: it still runs, or it was killed."""


class RunReport(msgspec.Struct, frozen=True):
    """One run."""

    command: str
    folder: str
    what: tuple[str, ...]
    """What was asked for: an address, and the words and options of a query."""
    started: datetime
    version: str = __version__
    outcome: RunOutcome = RunOutcome.UNFINISHED
    code: int = 0
    """What the command ends with."""
    ended: datetime | None = None
    counts: dict[str, int] = {}
    """Objects, or files, by outcome."""
    bytes: int = 0
    requests: int = 0
    levels: dict[str, int] = {}
    """How well how many objects were verified."""
    errors: tuple[dict[str, object], ...] = ()
    """The first of them."""
    error_count: int = 0
    warnings: tuple[str, ...] = ()
    since: datetime | None = None
    """From when on a watch has looked."""
    through: datetime | None = None
    """Up to when everything is here that it has looked for."""
    calls: CallCheck | None = None
    """Which types every call must have, and how many calls have them."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.started).total_seconds() if self.ended else 0.0

    @property
    def has_left_something(self) -> bool:
        """Whether it has to be run again."""
        return self.outcome is not RunOutcome.COMPLETE and self.code not in _BY_THE_USER

    @property
    def is_broken_off(self) -> bool:
        """Whether it did not come to its end, so that nobody knows what it would have brought."""
        has_ended = self.outcome in (RunOutcome.COMPLETE, RunOutcome.INCOMPLETE)
        return not has_ended and self.code != UsageError.code

    def record(self) -> dict[str, object]:
        """It as JSON has it; what does not apply is left out."""
        known = {name: value for name, value in msgspec.to_builtins(self).items() if value is not None}
        return {"ended": None, **known, "seconds": round(self.seconds, 3)}


def new_report(command: str, folder: Path, what: Sequence[str], since: datetime | None = None) -> RunReport:
    """A run that begins now."""
    return RunReport(command, str(folder.absolute()), tuple(what), utc_now(), since=since)


class Coverage(msgspec.Struct, frozen=True):
    """Of which time everything is here."""

    since: datetime
    through: datetime


class RunStatus(msgspec.Struct, frozen=True):
    """What a folder knows of the runs of one command."""

    last: RunReport
    complete: RunReport | None = None
    """The last one that went well."""
    coverage: Coverage | None = None
    """Of which time everything is here that the last one has looked for, over all runs that looked for the same."""
    calls: CallCheck | None = None
    """What was found when the calls were last looked at."""
    others: tuple[RunReport, ...] = ()
    """The last runs that looked for something else, where they were not complete."""
    covered: dict[str, Coverage] = {}
    """The coverage of those that look for something else, by what that is."""
    damage: dict[str, int] = {}
    """What the last verification that came to its end found, and those of samples since, where it is no good."""

    refused: tuple[RunReport, ...] = ()
    """Of each kind, the last run that could not begin because another one was filling the folder, and none has since.

    Only `fill_status` gives them.
    """

    def coverage_of(self, what: tuple[str, ...]) -> Coverage | None:
        """Of which time everything is here that runs of one kind look for."""
        return self.coverage if self.last.what == what else self.covered.get(shlex.join(what))

    def after(self, report: RunReport) -> "RunStatus":
        """What is known once there is a report of another run."""
        coverage, covered = self.coverage_of(report.what), dict(self.covered)
        if self.coverage is not None:
            covered[shlex.join(self.last.what)] = self.coverage
        covered.pop(shlex.join(report.what), None)
        if report.through is not None and report.since is not None:
            since = min(report.since, coverage.since) if coverage is not None else report.since
            coverage = Coverage(since, report.through)
        complete = report if report.outcome is RunOutcome.COMPLETE else self.complete
        others = _left_beside(report, (*self.others, replace(self.last, errors=(), warnings=(), calls=None)))
        covered = dict(list(covered.items())[-_MOST_KEPT:])
        damage = self._damage_after(report)
        return RunStatus(report, complete, coverage, report.calls or self.calls, others, covered, damage)

    def _damage_after(self, report: RunReport) -> dict[str, int]:
        if not report.counts or report.code == BusyError.code:
            return self.damage
        found = {name: report.counts[name] for name in _DAMAGE if report.counts.get(name)}
        if not report.counts.get("not_read"):
            return found
        # What it did not read may still be as it was.
        return {name: max(found.get(name, 0), self.damage.get(name, 0)) for name in {**self.damage, **found}}


def _left_beside(newest: RunReport, runs: Iterable[RunReport]) -> tuple[RunReport, ...]:
    """Of several runs, the last of each that looked for something else and was not complete."""
    last = {run.what: run for run in sorted((*runs, newest), key=lambda run: run.started)}
    left = (run for run in last.values() if run.what != newest.what and run.has_left_something)
    return tuple(run for run in left if newest.started - run.started < KEPT_FOR)[-_MOST_KEPT:]


# In the folder


def read_status(folder: Path, command: str) -> RunStatus | None:
    """What the folder knows; `None` if the command never ran there.

    Raises:
        IntegrityError: what it says cannot be read.
        StorageError: the disk refuses.
    """
    return _read(folder / RUNS[command], RunStatus)


Value = TypeVar("Value")


def _read(path: Path, type_: type[Value]) -> Value | None:
    with os_errors_as(path):
        if Disk().lstat(path) is None:
            return None
    with opened(path) as file:
        data = file.read(_LARGEST)
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        message, hint = "what it says of the last run cannot be read", "The next run writes it anew."
        raise IntegrityError(message, subject=str(path), hint=hint) from None


class RunLog:
    """Notes in a folder how the runs of one command end. Blocks."""

    def __init__(self, folder: Path, command: str) -> None:
        self._folder = folder
        self._name = RUNS[command]
        self._command = command

    def begin(self, report: RunReport) -> None:
        """Note that a run has begun, unless there is no folder yet."""
        if self._is_there():
            self._write(self._after(report))

    def refuse(self, report: RunReport) -> RunStatus:
        """Record that a run could not begin because another one was filling the folder; returns the status.

        It is no part of the status file, which the other run writes.
        """
        if self._command in FILLING and any((self._folder / RUNS[name]).is_file() for name in FILLING):
            self._write_refused(report, (replace(report, errors=(), warnings=()),))
        return self._before(report)

    def end(self, report: RunReport) -> RunStatus:
        """Record how it ended, unless nothing was ever begun there; returns the status then."""
        # A folder that was only named must get no file of ours.
        is_ours = self._is_there() and (report.code != UsageError.code or (self._folder / self._name).exists())
        if not is_ours:
            return RunStatus(report).after(report)
        # The folder is no place for a list of all errors.
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
        """Replace the refused runs that asked for the same."""
        others = (
            run for run in _refused(self._folder) if run.what != report.what and report.started - run.started < KEPT_FOR
        )
        runs = [*others, *added][-_MOST_KEPT:]
        write_whole(self._folder / REFUSED, json_text(msgspec.to_builtins(runs)) + "\n")

    def _write(self, status: RunStatus) -> None:
        write_whole(self._folder / self._name, json_text(msgspec.to_builtins(status)) + "\n")


def _refused(folder: Path) -> tuple[RunReport, ...]:
    try:
        return _read(folder / REFUSED, tuple[RunReport, ...]) or ()
    except IntegrityError:
        return ()


def fill_status(folder: Path) -> RunStatus | None:
    """The status of the runs that filled a folder, whether a pull or a watch.

    Raises:
        IntegrityError: what it says cannot be read.
        StorageError: the disk refuses.
    """
    known = [status for command in FILLING if (status := read_status(folder, command)) is not None]
    if not known:
        return None
    newest = max(known, key=lambda status: status.last.started)
    complete = max((one.complete for one in known if one.complete), key=lambda run: run.started, default=None)
    runs = (run for status in known for run in (*status.others, status.last))
    refused = tuple(run for run in _refused(folder) if _is_still_refused(run, newest.last))
    return replace(newest, complete=complete, others=_left_beside(newest.last, runs), refused=refused)


def _is_still_refused(run: RunReport, newest: RunReport) -> bool:
    """Whether nothing has done the work of a refused run: one that was under way then, and asked for the same, did."""
    return run.what != newest.what or (newest.ended is not None and newest.ended < run.started)


def broken_off(folder: Path) -> tuple[RunReport, ...]:
    """The last runs that were to fill a folder and did not come to their end; ask where none goes on.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        status = fill_status(folder)
    except IntegrityError:
        status = None
    runs = (status.last, *status.others) if status is not None else ()
    return tuple(run for run in runs if run.is_broken_off)


# What is wrong


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong with the runs of a folder."""

    text: str
    hint: str = ""


def complaint(
    status: RunStatus | None, now: datetime, max_age: timedelta | None, *, runs_now: bool
) -> Complaint | None:
    """What is wrong and has to be reported; `None` if all is well.

    Args:
        status: what the folder knows.
        now: the time.
        max_age: how old the last complete run may be.
        runs_now: whether one is under way.
    """
    if status is None:
        return Complaint("nothing was ever pulled into it", "Pull into it: cloudstore pull PROFILE --to DIR.")
    if status.complete is None or status.complete.ended is None:
        return Complaint("no run has ever been complete", "Look at the errors of the last one: add --json.")
    age = now - status.complete.ended
    if age < -CLOCKS_DIFFER:
        return Complaint("the last complete run lies in the future", "Check the clock of this machine.")
    if max_age is not None and age > max_age:
        return Complaint("the last complete run is too old", "Look whether the timer runs.")
    if status.last.outcome is RunOutcome.UNFINISHED:
        return None if runs_now else Complaint("the last run was killed before its end", "Run it again.")
    if status.last.outcome is not RunOutcome.COMPLETE:
        return Complaint(f"the last run is {status.last.outcome.value}", "Run it again; look at its errors.")
    if status.others:
        run = status.others[-1]
        more = f", and {len(status.others) - 1} more" if len(status.others) > 1 else ""
        text = f"the last {run.command} of something else is {run.outcome.value}: {shlex.join(run.what)}{more}"
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
    """What the last verification found; `None` if all was as it has to be."""
    known = verified.damage if verified is not None else {}
    found = ", ".join(f"{known[name]:,} {name.replace('_', ' ')}" for name in _DAMAGE if name in known)
    return Complaint(f"the last verification found: {found}", "See to it, and verify again.") if found else None


def lacking_calls(status: RunStatus | None) -> Complaint | None:
    """The calls whose expected objects never came; `None` if all did."""
    calls = status.calls if status is not None else None
    if calls is None or not calls.lacking:
        return None
    some = "; ".join(str(call) for call in calls.calls[-3:])
    more = "" if calls.lacking <= 3 else f"; and {calls.lacking - 3:,} more"
    what = "1 call lacks" if calls.lacking == 1 else f"{calls.lacking:,} calls lack"
    return Complaint(f"{what} what is expected: {some}{more}", "Add --json to see all of them.")


# For a monitor


def metrics(status: RunStatus) -> str:
    """The numbers of the last run, as the textfile collector of node_exporter reads them."""
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
        yield from _family("calls", "Calls of late by whether what is expected of them is here.", states)
    yield from _family("objects", "Objects of the last run by what became of them.", objects)
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
