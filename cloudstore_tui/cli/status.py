"""`status`: the last runs that filled a folder. It imports little, since monitors call it often."""

from datetime import timedelta
from pathlib import Path

import msgspec

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import place_of
from cloudstore_tui.archive.runs import (
    RunReport,
    RunStatus,
    complaint,
    damage,
    fill_status,
    lacking_calls,
    read_status,
    refused_runs,
    utc_now,
)
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui import format as in_words


def status_command(session: CommandSession, folder: Path, *, max_age: float | None) -> None:
    if not folder.is_dir():
        raise StorageError("there is no such folder", subject=str(folder), hint="Name the folder of a pull.")
    output = session.output
    status, verified = fill_status(folder), read_status(folder, "verify")
    _print_status(output, status, verified)
    limit = timedelta(seconds=max_age) if max_age is not None else None
    runs_now = PullFolder(place_of(folder).payload).is_locked
    about_runs = complaint(status, utc_now(), limit, runs_now=runs_now)
    for wrong in (about_runs, refused_runs(status), lacking_calls(status), damage(verified)):
        if wrong is not None:
            output.error(StorageError(wrong.text, subject=str(folder), hint=wrong.hint))


def _print_status(output: Output, status: RunStatus | None, verified: RunStatus | None) -> None:
    named = {
        "last": status.last if status else None,
        "complete": status.complete if status else None,
        "verified": verified.complete if verified else None,
    }
    calls = status.calls if status else None
    if output.as_json:
        records: dict[str, object] = {name: report.record() if report else None for name, report in named.items()}
        output.record(records | ({"calls": msgspec.to_builtins(calls)} if calls else {}))
        return
    for name, report in named.items():
        if report is not None and (name != "complete" or report != named["last"]):
            output.line(f"{_TITLES[name]}  {_status_line(output, report)}")
    if calls is not None:
        counts = f"{calls.complete:,} complete, {calls.awaited:,} awaited, {calls.lacking:,} lacking"
        output.line(f"calls           {counts}: {', '.join(calls.expect)}")


_TITLES = {"last": "last run      ", "complete": "last complete ", "verified": "last verified "}


def _status_line(output: Output, report: RunReport) -> str:
    when = in_words.full_time(report.ended or report.started, output.zone)
    counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in report.counts.items() if number)
    took = f" in {in_words.duration(report.seconds)}" if report.ended else ""
    return f"{when}  {report.outcome.value}{took}" + (f": {counts}" if counts else "")
