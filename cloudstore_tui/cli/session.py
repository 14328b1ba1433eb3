"""One run of a command: its configuration, the providers it opens, and how it ends."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from inspect import isawaitable
from itertools import chain
from types import FrameType, TracebackType
from typing import Any, TypeVar

import click
from msgspec import Struct, field
from msgspec.structs import replace

from cloudstore_tui.cli.options import READING, DefaultTimeout
from cloudstore_tui.cli.output import Output
from cloudstore_tui.config.paths import config_file
from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.core.errors import LocalDiskError, StorageError, UsageError, no_more_threads
from cloudstore_tui.core.models import Location, split_address
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.providers import PROVIDERS, open_provider

Result = TypeVar("Result")

FIRST_WAIT_NOTICE_S = 5.0
"""Seconds until the first message in a terminal that a command is waiting."""
WAIT_NOTICE_S = 60.0
"""Seconds between two messages that a command is waiting."""
CLEANUP_S = 2.0
"""Seconds after a signal until the process ends, whatever is not cleaned up by then."""
CURRENT_OBJECT_S = 20.0
"""Seconds before that in which a command that can finish its current object may do so."""
MIN_OPEN_FILES = 64
"""A download needs some 20, four at once with their zips some 40."""

_EXIT_CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class CommandSession(Struct):
    """What a command works with. It opens each profile at most once; `run` closes them."""

    loaded: Config | StorageError
    """The configuration, or why it cannot be used."""
    output: Output
    timeout: float = READING
    finish: Callable[[], Awaitable[None]] | None = None
    """Called on the first signal, if the work should end after its current object and not at once."""
    _open: dict[str, StorageProvider] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        """The user's configuration.

        Raises:
            StorageError: it cannot be used.
        """
        if isinstance(self.loaded, StorageError):
            raise self.loaded
        return self.loaded

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs of the settings, and how long this command keeps trying.

        It waits for space on a full disk only if `--timeout` was given.
        """
        disk = 0.0 if isinstance(self.timeout, DefaultTimeout) else self.timeout
        return replace(self.config.settings.timeouts, give_up=self.timeout, disk=disk)

    def provider(self, name: str) -> StorageProvider:
        if name not in self._open:
            self._open[name] = open_provider(replace(self.config.profile(name), timeouts=self.timeouts))
        return self._open[name]

    def resolve(self, address: str) -> tuple[StorageProvider, Location]:
        """The provider and location of `PROFILE:REST`.

        Raises:
            UsageError: it is not an address.
            ConfigError: there is no such profile.
        """
        if address.partition(":")[0] not in self.config.profiles:
            # Deferred: most addresses are right.
            from cloudstore_tui.cli.habits import refuse_foreign

            refuse_foreign(address)
        name, rest = split_address(address)
        provider = self.provider(name)
        return provider, provider.locate(rest)

    def read_paths(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The paths without duplicates; `-` stands for those on stdin.

        Raises:
            UsageError: a line of stdin is neither a path nor an object, or stdin is a terminal.
            click.Abort: a signal came.
        """
        read = tuple(dict.fromkeys(chain.from_iterable([path] if path != "-" else self._stdin() for path in paths)))
        if paths and not read:
            self.output.note("stdin holds no paths, so nothing is done.")
        return read

    def _stdin(self) -> Iterator[str]:
        if sys.stdin.isatty():
            hint = "Pipe them in; to write an object to stdout: get PATH --to -"
            raise UsageError("reads paths from stdin, which is a terminal", subject="-", hint=hint)
        with self.output.awaiting_input():
            lines = sys.stdin.read().removeprefix("\ufeff").split("\n")
        for line in filter(None, map(str.strip, lines)):
            if not line.startswith("{"):
                yield line
            elif (record := _record_of(line)).get("error"):
                # The command that wrote the list could not list everything.
                hint = "The rest of the list is used."
                self.output.error(StorageError(f"an error was read from stdin: {record['error']}", hint=hint))
            else:
                yield _address_of(record)

    def warn_of_clock(self) -> None:
        """Note that this machine's clock is off, if it is and was not noted yet: `yesterday` is another day then."""
        for name, provider in self._open.items():
            if skew := provider.session.clock_skew:
                # Deferred: only what has sent something has it loaded.
                from cloudstore_tui.net.api import clock_doubt

                doubt = clock_doubt(skew)
                text = f"{name}: {doubt}. Times such as since:yesterday are reckoned by it."
                if doubt and text not in self.output.notes:
                    self.output.note(text)

    async def close(self) -> None:
        """Close every provider that was opened."""
        for provider in self._open.values():
            await provider.close()


def _record_of(line: str) -> dict[str, Any]:
    """A line that `find --json` or `ls --json` printed."""
    # Deferred: few commands read it.
    import json

    with suppress(ValueError, RecursionError):
        if isinstance(record := json.loads(line), dict):
            return record
    raise _not_a_path()


def _address_of(record: dict[str, Any]) -> str:
    if "path" in record:
        return str(record["path"])
    try:
        rest = f"{record['region']}/{record['id']}" if "id" in record else record["key"]
        return f"{record['profile']}:{rest}"
    except KeyError:
        raise _not_a_path() from None


def _not_a_path() -> UsageError:
    return UsageError("a line of stdin is neither a path nor an object", subject="-", hint="Feed it with: find --json")


def open_config() -> Config:
    """The user's configuration."""
    return load_config(config_file(), PROVIDERS)


class _Executor(ThreadPoolExecutor):
    """The threads of `asyncio.to_thread`; that no more can be started becomes an error of ours."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Run a function in a thread."""
        try:
            return super().submit(function, *arguments, **named)
        except RuntimeError:
            raise no_more_threads() from None


def run(work: Callable[..., Any], *, as_json: bool = False, timeout: float = READING, **given: Any) -> int:
    """Run the function behind a command with a session and the command's arguments.

    A command that reports its runs starts even with a broken configuration, so that it can report that.

    Returns:
        The exit code: that of the signal that ended it, what `work` returns, or what its errors have in common.

    Raises:
        StorageError: the configuration cannot be used, or the whole command failed; `main` reports it.
    """
    _check_open_files()
    config: Config | StorageError
    try:
        config = open_config()
        output = Output(as_json=as_json, zone=config.settings.time_zone)
    except StorageError as error:
        if "on_failure" not in given:
            raise
        config, output = error, Output(as_json=as_json)
    session = CommandSession(config, output, timeout)
    code = work(session, **given)
    if isawaitable(code):
        code = run_in_loop(_supervise(code, session))
    return output.code if code is None else code


def _check_open_files() -> None:
    """Refuse a limit of open files under which a transfer would fail half-way."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < MIN_OPEN_FILES:
        message = f"only {limit} files may be open at once, and {MIN_OPEN_FILES} are needed"
        raise LocalDiskError(message, hint=f"Raise the limit: ulimit -n {4 * MIN_OPEN_FILES}")


def run_in_loop(work: Awaitable[Result]) -> Result:
    """Run `work` in a new loop, unlike asyncio.run without waiting for name look-ups that hang."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Executor(thread_name_prefix="asyncio"))
    try:
        return loop.run_until_complete(work)
    finally:
        # One more turn of the loop closes the pipes to programs that have ended.
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _report_waiting(output: Output) -> None:
    """Say what the command is waiting for, or it would look as if it hung: soon to a person, then once a minute."""
    delay = FIRST_WAIT_NOTICE_S if sys.stderr.isatty() else WAIT_NOTICE_S
    while True:
        await asyncio.sleep(delay)
        # Deferred: a command that sends nothing never waits.
        from cloudstore_tui.net.retry import waiting

        if text := waiting():
            output.note(f"Still {text}")
            delay = WAIT_NOTICE_S


async def _supervise(work: Awaitable[int | None], session: CommandSession) -> int | None:
    task = asyncio.ensure_future(work)
    stop = StopSignal(task, session)
    reporter = asyncio.ensure_future(_report_waiting(session.output))
    try:
        with stop:
            return await task
    except (asyncio.CancelledError, click.Abort):
        if not stop.code:
            raise
        return stop.code
    finally:
        reporter.cancel()
        if session.output.if_failed and (session.output.errors or stop.code):
            session.output.print_message(session.output.if_failed)
        session.warn_of_clock()
        await session.close()


class StopSignal:
    """Cancels a command's work when a signal comes inside the block; a second signal ends the process at once.

    If the work can finish its current object, the first signal waits for that, the second cancels, and the third ends
    the process at once.

    Plain signal handlers, not the loop's, which would not run while a prompt or a full pipe blocks the loop.
    """

    def __init__(self, task: asyncio.Future[int | None], session: CommandSession) -> None:
        self.code = 0
        """The exit code of the signal that came; 0 if none did."""
        self._task = task
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._previous_handlers: dict[signal.Signals, Any] = {}
        self._finishing: asyncio.Future[None] | None = None
        self._is_cancelled = False

    def __enter__(self) -> None:
        for number in _EXIT_CODES:
            self._previous_handlers[number] = signal.getsignal(number)
            # A program that nohup started must outlive its terminal.
            if number is not signal.SIGHUP or self._previous_handlers[number] is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finishing is not None:
            self._finishing.cancel()
        if self.code:
            # Another kind of signal must not cut the clean-up short.
            return
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        code = _EXIT_CODES[signal.Signals(number)]
        if self._is_cancelled:
            os._exit(code)
        is_first = not self.code
        self.code = self._session.output.signal_code = code
        if is_first and self._session.finish is not None:
            _exit_after(CURRENT_OBJECT_S + CLEANUP_S, code)
            self._loop.call_soon_threadsafe(self._finish, self._session.finish)
            return
        self._is_cancelled = True
        _exit_after(CLEANUP_S, code)
        if self._session.output.asking:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._task.cancel)

    def _finish(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Cancel the work after its current object, or after `CURRENT_OBJECT_S`."""
        self._finishing = asyncio.ensure_future(asyncio.wait_for(finish(), CURRENT_OBJECT_S))
        self._finishing.add_done_callback(self._cancel)

    def _cancel(self, finished: asyncio.Future[None]) -> None:
        # The work itself reports whatever kept it from finishing its object.
        _ = finished.cancelled() or finished.exception()
        self._task.cancel()


def _exit_after(seconds: float, code: int) -> None:
    watchdog = threading.Timer(seconds, os._exit, (code,))
    watchdog.daemon = True
    watchdog.start()
