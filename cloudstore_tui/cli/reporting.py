"""Runs that report themselves: the options of unattended commands, and what they do when the run ends."""

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

HOOK_PATIENCE = 60.0
"""Seconds that a command or a URL has."""
LAST_PATIENCE = 1.0
"""The same where a signal ends everything."""

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


class RunOptions(msgspec.Struct, frozen=True):
    """What a run is to tell whom."""

    report: Path | None = None
    metrics: Path | None = None
    on_success: str | None = None
    on_failure: str | None = None

    @classmethod
    def taken(cls, given: dict[str, Any]) -> "RunOptions":
        """Those among the arguments of a command; they are taken out."""
        return cls(**{name: given.pop(name) for name in cls.__struct_fields__})


class Run:
    """One run while it goes on: what its end will tell."""

    def __init__(self, session: CommandSession, options: RunOptions, report: RunReport, log: RunLog) -> None:
        self.report = report
        self._log = log
        self._session = session
        self._options = options
        self._sent_before = requests_sent()
        self._hooks: dict[bool, _Hook] = {}
        """What is called in the end, by whether all went well."""

    def check(self) -> None:
        """Learn what is called in the end; what can be is, whatever is wrong with the rest.

        Raises:
            StorageError: the configuration or one of the options cannot be used.
        """
        refusals = [self._session.known] if isinstance(self._session.known, StorageError) else []
        given = ((True, "--on-success", self._options.on_success), (False, "--on-failure", self._options.on_failure))
        for is_well, name, text in given:
            try:
                if text:
                    self._hooks[is_well] = _hook(self._session, text, name)
            except StorageError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]

    def begin(self) -> None:
        """Let the folder know of a run that is taken for killed until its end is recorded. Blocks."""
        with self.told_in_folder():
            self._log.begin(self.report)

    def note(
        self, counts: Mapping[str, int], *, size: int = 0, levels: Mapping[str, int] | None = None, complete: bool
    ) -> None:
        outcome = RunOutcome.COMPLETE if complete else RunOutcome.INCOMPLETE
        self.report = msgspec.structs.replace(
            self.report, counts=dict(counts), bytes=size, levels=dict(levels or {}), outcome=outcome
        )

    def know(self, *, through: datetime | None, calls: CallCheck | None) -> None:
        """Add what a watch knows: up to when everything is here, and which calls are complete."""
        self.report = msgspec.structs.replace(self.report, through=through, calls=calls)

    async def end(self, failure: BaseException | None) -> None:
        """Report the end everywhere; a report that fails is an error of the command."""
        output = self._session.output
        report = self._ended(failure)
        known = RunStatus(report)
        with self.told_in_folder():
            # What another run fills has its own end to tell of.
            known = known if isinstance(failure, BusyError) else self._log.end(report)
        with self._told():
            if self._options.report is not None:
                write_whole(self._options.report, json_text(self._ended(failure).record()) + "\n")
        with self._told():
            if self._options.metrics is not None:
                write_whole(self._options.metrics, metrics(known.after(self._ended(failure))), mode=READABLE)
        report = self._ended(failure)
        hook = self._hooks.get(report.outcome is RunOutcome.COMPLETE)
        if hook is not None:
            with self._told():
                text = json_text(report.record()).encode() + b"\n"
                await _call_hook(self._session, hook, text, urgent=output.signal_code != 0)

    @contextmanager
    def told_in_folder(self) -> Iterator[None]:
        """Report what the folder cannot record; `verify` need not be able to write to it."""
        try:
            yield
        except StorageError as error:
            if self.report.command == "verify":
                self._session.output.note(f"{error} So the folder does not record this run.")
            else:
                self._session.output.error(error)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A report that fails is an error of the command, and keeps no other from being made."""
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

    Where others may fill the folder, the block says when it has begun.

    Args:
        session: of the command.
        options: what is to be told whom.
        command: its name.
        folder: where the files are.
        what: what was asked for.
        since: from when on it looks, for one that goes on.
        prepares: whether the block only prepares runs, so that none has ended if it does not fail.

    Raises:
        StorageError: the configuration or an option cannot be used, which is reported, too; nothing was begun.
    """
    run = Run(session, options, new_report(command, folder, what, since), RunLog(folder, command))
    try:
        run.check()
        yield run
    except OSError as failure:
        # A pipe that nobody reads any more has no name.
        told = failure if failure.filename is None else disk_error(failure, Path(str(failure.filename)))
        await run.end(told)
        raise told from None
    except BaseException as failure:
        await run.end(failure)
        raise
    if not prepares:
        await run.end(None)


class _Hook(msgspec.Struct, frozen=True):
    """A command or a URL that is called when a run has ended."""

    name: str
    """The option with the program or the host: a URL is a secret."""
    text: str


async def _call_hook(session: CommandSession, hook: _Hook, report: bytes, *, urgent: bool) -> None:
    """Run a command with the report, or ping a URL.

    Raises:
        StorageError: it failed.
    """
    patience = LAST_PATIENCE if urgent else HOOK_PATIENCE
    try:
        async with asyncio.timeout(patience):
            if is_url(hook.text):
                await ping(hook.text, session.timeouts, hook.name)
            else:
                await _run(hook, report)
    except TimeoutError:
        raise StorageError(f"did not end within {patience:.0f} seconds", subject=hook.name) from None


async def _run(hook: _Hook, report: bytes) -> None:
    # Its output is no part of ours, which may be JSON.
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
    """What an option means.

    Raises:
        UsageError: a variable that is not set, quotes that do not end, a host that may not be pinged.
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
