"""Reports of runs: the options for unattended commands, and what happens when a run ends."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from cloudstore_tui.archive.expected import CallCheck
from cloudstore_tui.archive.runs import (
    MAX_ERRORS,
    RunLog,
    RunOutcome,
    RunReport,
    RunStatus,
    metrics,
    new_report,
    utc_now,
)
from cloudstore_tui.cli.output import error_record
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.secrets import child_environment
from cloudstore_tui.core.errors import CLOSED_PIPE, CRASHED, BusyError, StorageError, UsageError
from cloudstore_tui.core.records import json_text
from cloudstore_tui.fs.disk import disk_error
from cloudstore_tui.fs.whole_file import READABLE, write_whole
from cloudstore_tui.net.logs import requests_sent
from cloudstore_tui.net.ping import check_ping, host_of, is_url, ping

HOOK_TIMEOUT_S = 60.0
"""How long the command or URL of `--on-success` or `--on-failure` may take."""
FINAL_HOOK_TIMEOUT_S = 1.0
"""The same when a signal ends the command."""

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


class RunOptions(msgspec.Struct, frozen=True):
    """Where the end of a run is reported."""

    report: Path | None = None
    metrics: Path | None = None
    on_success: str | None = None
    on_failure: str | None = None

    @classmethod
    def pop_from(cls, given: dict[str, Any]) -> "RunOptions":
        """Take them out of the arguments of a command."""
        return cls(**{name: given.pop(name) for name in cls.__struct_fields__})


class Run:
    """A run in progress, and the report that it will make."""

    def __init__(self, session: CommandSession, options: RunOptions, report: RunReport, log: RunLog) -> None:
        self.report = report
        self._log = log
        self._session = session
        self._options = options
        self._sent_before = requests_sent()
        self._has_begun = False
        self._hooks: dict[bool, _Hook] = {}
        """What to call at the end, by whether the run was complete."""

    def check(self) -> None:
        """Check the configuration and the options; every hook that can be used is, even if something else is wrong.

        Raises:
            StorageError: the configuration or one of the options cannot be used.
        """
        errors = [self._session.loaded] if isinstance(self._session.loaded, StorageError) else []
        given = ((True, "--on-success", self._options.on_success), (False, "--on-failure", self._options.on_failure))
        for is_complete, name, text in given:
            try:
                if text:
                    self._hooks[is_complete] = _hook(self._session, text, name)
            except StorageError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def begin(self) -> None:
        """Record the start in the folder; until the end is recorded, the run counts as killed. Blocks."""
        self._has_begun = True
        with self._noting_folder_errors():
            self._log.begin(self.report)

    def note(
        self, counts: Mapping[str, int], *, size: int = 0, levels: Mapping[str, int] | None = None, complete: bool
    ) -> None:
        outcome = RunOutcome.COMPLETE if complete else RunOutcome.INCOMPLETE
        self.report = msgspec.structs.replace(
            self.report, counts=dict(counts), bytes=size, levels=dict(levels or {}), outcome=outcome
        )

    def note_progress(self, *, through: datetime | None, calls: CallCheck | None) -> None:
        """Add what a watch knows: the time up to which everything is here, and which calls are complete."""
        self.report = msgspec.structs.replace(self.report, through=through, calls=calls)

    async def end(self, failure: BaseException | None) -> None:
        """Report the end everywhere; a report that fails is an error of the command."""
        output = self._session.output
        report = self._ended(failure)
        status = RunStatus(report)
        with self._noting_folder_errors():
            is_refused = isinstance(failure, BusyError) and not self._has_begun
            status = self._log.refuse(report) if is_refused else self._log.end(report)
        with self._reporting_errors():
            if self._options.report is not None:
                write_whole(self._options.report, json_text(self._ended(failure).record()) + "\n")
        with self._reporting_errors():
            if self._options.metrics is not None:
                write_whole(self._options.metrics, metrics(status.after(self._ended(failure))), mode=READABLE)
        report = self._ended(failure)
        hook = self._hooks.get(report.outcome is RunOutcome.COMPLETE)
        if hook is not None:
            with self._reporting_errors():
                text = json_text(report.record()).encode() + b"\n"
                await _call_hook(self._session, hook, text, urgent=output.signal_code != 0)

    @contextmanager
    def _noting_folder_errors(self) -> Iterator[None]:
        """Report that the folder cannot be written; for `verify` that is only a note."""
        try:
            yield
        except StorageError as error:
            if self.report.command == "verify":
                self._session.output.note(f"{error} So the folder does not record this run.")
            else:
                self._session.output.error(error)

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        """Report what fails inside the block as an error of the command, and go on."""
        try:
            yield
        except StorageError as error:
            self._session.output.error(error)

    def _ended(self, failure: BaseException | None) -> RunReport:
        output = self._session.output
        errors = [*output.errors, *([failure] if isinstance(failure, StorageError) else [])]
        outcome, code = self.report.outcome, output.code
        if isinstance(failure, StorageError):
            outcome, code = RunOutcome.FAILED, failure.code
        elif isinstance(failure, asyncio.CancelledError | click.Abort | KeyboardInterrupt):
            outcome, code = RunOutcome.STOPPED, output.signal_code or 130
        elif isinstance(failure, click.exceptions.Exit):
            outcome, code = RunOutcome.FAILED, failure.exit_code
        elif failure is not None:
            outcome, code = RunOutcome.FAILED, CLOSED_PIPE if isinstance(failure, BrokenPipeError) else CRASHED
        elif errors or outcome is RunOutcome.UNFINISHED:
            outcome = RunOutcome.INCOMPLETE
        return msgspec.structs.replace(
            self.report,
            outcome=outcome,
            code=code,
            ended=utc_now(),
            requests=requests_sent() - self._sent_before,
            errors=tuple(error_record(error, error.subject) for error in errors[:MAX_ERRORS]),
            error_count=len(errors),
            warnings=tuple(output.notes),
        )


@asynccontextmanager
async def reported(
    session: CommandSession,
    options: RunOptions,
    command: str,
    folder: Path,
    what: Sequence[str],
    since: datetime | None = None,
    *,
    prepares: bool = False,
) -> AsyncIterator[Run]:
    """A run of a command over a folder, reported however the block ends.

    A block that fills the folder calls `begin` once it has locked it.

    Args:
        session: of the command.
        options: where to report.
        command: its name.
        folder: where the files are.
        what: what was asked for.
        since: the time from which a repeated run looks.
        prepares: whether the block only prepares runs, so that there is no end to report unless it fails.

    Raises:
        StorageError: the configuration or an option cannot be used, which is reported, too; nothing was begun.
    """
    run = Run(session, options, new_report(command, folder, what, since), RunLog(folder, command))
    try:
        run.check()
        yield run
    except OSError as failure:
        # Only errors about files have a name; a broken pipe has none.
        reported_as = failure if failure.filename is None else disk_error(failure, Path(str(failure.filename)))
        await run.end(reported_as)
        raise reported_as from None
    except BaseException as failure:
        await run.end(failure)
        raise
    if not prepares:
        await run.end(None)


class _Hook(msgspec.Struct, frozen=True):
    """A command or a URL to call when a run has ended."""

    name: str
    """The option and its program or host, for errors: a whole URL is a secret."""
    text: str


async def _call_hook(session: CommandSession, hook: _Hook, report: bytes, *, urgent: bool) -> None:
    """Run a command with the report, or ping a URL.

    Raises:
        StorageError: it failed.
    """
    timeout = FINAL_HOOK_TIMEOUT_S if urgent else HOOK_TIMEOUT_S
    try:
        async with asyncio.timeout(timeout):
            if is_url(hook.text):
                await ping(hook.text, session.timeouts, hook.name)
            else:
                await _run(hook, report)
    except TimeoutError:
        raise StorageError(f"did not end within {timeout:.0f} seconds", subject=hook.name) from None


async def _run(hook: _Hook, report: bytes) -> None:
    # Its output must not mix with ours, which may be JSON.
    out = sys.stderr.fileno()
    try:
        child = await asyncio.create_subprocess_exec(
            *shlex.split(hook.text),
            stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out, env=child_environment(),
        )  # fmt: skip
    except (OSError, RuntimeError) as error:
        raise StorageError(f"the command could not be started ({type(error).__name__})", subject=hook.name) from None
    try:
        await child.communicate(report)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise StorageError(f"the command ended with code {child.returncode}", subject=hook.name)


def _hook(session: CommandSession, text: str, name: str) -> _Hook:
    """Read the value of `--on-success` or `--on-failure`.

    Raises:
        UsageError: the variable is not set, a quote is not closed, or the host may not be pinged.
    """
    if found := _VARIABLE.fullmatch(text.strip()):
        variable = found[1] or found[2]
        text = os.environ.get(variable, "")
        if not text:
            raise UsageError(f"the variable {variable} is not set", subject=name, hint="Set it, or name a command.")
    if is_url(text):
        check_ping(text, session.config.settings.ping_hosts, f"{name} {host_of(text)}")
        return _Hook(f"{name} {host_of(text)}", text)
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        hint = "Write a program with its arguments, or a URL. No shell runs: put pipes into a script."
        raise UsageError("is not a command", subject=name, hint=hint)
    return _Hook(f"{name} {words[0]}", text)
