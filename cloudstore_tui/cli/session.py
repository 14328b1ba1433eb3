"""One run of a command: the configuration, the providers it opens, and how it ends."""

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
from cloudstore_tui.core.errors import StorageError, UsageError, no_more_threads
from cloudstore_tui.core.models import Location, split_address
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.providers import PROVIDERS, open_provider

Result = TypeVar("Result")

TELL_WAIT_S = 60.0
"""Seconds between two looks at what is waited for."""
LONGEST = 2.0
"""Seconds after a signal in which everything has to be put away."""
IN_HAND_S = 20.0
"""Seconds before that for the object in hand, where the work may end with it."""

_CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class CommandSession(Struct):
    """Opens each profile at most once; `run` closes them."""

    known: Config | StorageError
    """The configuration, or why it cannot be used."""
    output: Output
    timeout: float = READING
    finish: Callable[[], Awaitable[None]] | None = None
    """What the first signal begins where the work shall end with the object in hand, and not at once."""
    _open: dict[str, StorageProvider] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        """The user's configuration.

        Raises:
            StorageError: it cannot be used.
        """
        if isinstance(self.known, StorageError):
            raise self.known
        return self.known

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs of the settings, and how long this command keeps trying.

        A full disk is only waited for where somebody asked for one.
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
            UsageError: it is no address.
            ConfigError: there is no such profile.
        """
        if address.partition(":")[0] not in self.config.profiles:
            # Deferred: most addresses are right.
            from cloudstore_tui.cli.habits import refuse_foreign

            refuse_foreign(address)
        name, rest = split_address(address)
        provider = self.provider(name)
        return provider, provider.locate(rest)

    def named(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The paths, each once; those that are read from stdin in the place of `-`.

        Raises:
            UsageError: a line of stdin is no path and no object, or stdin is a terminal.
            click.Abort: a signal came.
        """
        named = tuple(dict.fromkeys(chain.from_iterable([path] if path != "-" else self._piped() for path in paths)))
        if paths and not named:
            self.output.note("Nothing is named on stdin, so nothing is done.")
        return named

    def _piped(self) -> Iterator[str]:
        if sys.stdin.isatty():
            hint = "Pipe them in; to write an object to stdout: get PATH --to -"
            raise UsageError("reads paths from stdin, which is a terminal", subject="-", hint=hint)
        with self.output.asked():
            lines = sys.stdin.read().split("\n")
        for line in filter(None, map(str.strip, lines)):
            if not line.startswith("{"):
                yield line
            elif (record := _record_of(line)).get("error"):
                # Whoever made the list could not list everything.
                hint = "The rest of the list is used."
                self.output.error(StorageError(f"told on stdin: {record['error']}", hint=hint))
            else:
                yield _address_of(record)

    async def close(self) -> None:
        """Close every provider that was opened."""
        for provider in self._open.values():
            await provider.close()


def _record_of(line: str) -> dict[str, Any]:
    """What `find --json` or `ls --json` printed."""
    # Deferred: few commands are fed with it.
    import json

    with suppress(ValueError, RecursionError):
        if isinstance(record := json.loads(line), dict):
            return record
    raise _not_named()


def _address_of(record: dict[str, Any]) -> str:
    if "path" in record:
        return str(record["path"])
    try:
        rest = f"{record['region']}/{record['id']}" if "id" in record else record["key"]
        return f"{record['profile']}:{rest}"
    except KeyError:
        raise _not_named() from None


def _not_named() -> UsageError:
    return UsageError("a line of stdin is neither a path nor an object", subject="-", hint="Feed it with: find --json")


def open_config() -> Config:
    """The user's configuration."""
    return load_config(config_file(), PROVIDERS)


class _Executor(ThreadPoolExecutor):
    """The threads of `asyncio.to_thread`; a machine that starts no more is an error of its own."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Have something done by a thread."""
        try:
            return super().submit(function, *arguments, **named)
        except RuntimeError:
            raise no_more_threads() from None


def run(work: Callable[..., Any], *, as_json: bool = False, timeout: float = READING, **given: Any) -> int:
    """Do a command's work, which gets a session and what was given to the command besides.

    A command that reports its runs begins without a configuration, too, and fails when it needs one.

    Returns:
        Its exit code: that of the signal which ended it, what the work returns, or what its errors have in common.

    Raises:
        StorageError: the configuration or the whole command failed; `main` reports it.
    """
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


def run_in_loop(work: Awaitable[Result]) -> Result:
    """Run some work in a new loop. Not asyncio.run: that waits for name look-ups that hang."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Executor(thread_name_prefix="asyncio"))
    try:
        return loop.run_until_complete(work)
    finally:
        # Pipes to programs that have ended are closed with the next turn of the loop, however the work has ended.
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _tell_waits(output: Output) -> None:
    """Say once a minute what is waited for, if anything is: a command that waits looks like one that hangs."""
    while True:
        await asyncio.sleep(TELL_WAIT_S)
        # Deferred: what sends nothing waits for nothing.
        from cloudstore_tui.net.retry import waiting

        if text := waiting():
            output.note(f"Still {text}")


async def _supervise(work: Awaitable[int | None], session: CommandSession) -> int | None:
    task = asyncio.ensure_future(work)
    stop = StopSignal(task, session)
    teller = asyncio.ensure_future(_tell_waits(session.output))
    try:
        with stop:
            return await task
    except (asyncio.CancelledError, click.Abort):
        if not stop.code:
            raise
        return stop.code
    finally:
        teller.cancel()
        if session.output.if_failed and (session.output.errors or stop.code):
            session.output.print_message(session.output.if_failed)
        await session.close()


class StopSignal:
    """Cancels a command's work when a signal comes inside the block; a second signal ends the process at once.

    Where the work may end with the object in hand, the first signal waits for that, the second cancels, and the third
    is the end at once.

    The handlers are plain ones, not the loop's: a loop that waits for an answer or for a full pipe would not hear.
    """

    def __init__(self, task: asyncio.Future[int | None], session: CommandSession) -> None:
        self.code = 0
        """The exit code of the signal that came; 0 if none did."""
        self._task = task
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._before: dict[signal.Signals, Any] = {}
        self._finishing: asyncio.Future[None] | None = None
        self._is_cancelled = False

    def __enter__(self) -> None:
        for number in _CODES:
            self._before[number] = signal.getsignal(number)
            # A program started by nohup shall outlive its terminal.
            if number is not signal.SIGHUP or self._before[number] is not signal.SIG_IGN:
                signal.signal(number, self._hear)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finishing is not None:
            self._finishing.cancel()
        if self.code:
            # What is put away after the work must not be cut short by another kind of signal.
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        code = _CODES[signal.Signals(number)]
        if self._is_cancelled:
            os._exit(code)
        is_first = not self.code
        self.code = self._session.output.signal_code = code
        if is_first and self._session.finish is not None:
            _exit_after(IN_HAND_S + LONGEST, code)
            self._loop.call_soon_threadsafe(self._finish, self._session.finish)
            return
        self._is_cancelled = True
        _exit_after(LONGEST, code)
        if self._session.output.asking:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._task.cancel)

    def _finish(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Cancel the work after the object in hand, or after a while."""
        self._finishing = asyncio.ensure_future(asyncio.wait_for(finish(), IN_HAND_S))
        self._finishing.add_done_callback(self._cancel)

    def _cancel(self, finished: asyncio.Future[None]) -> None:
        # Whatever kept it from the end of the object is told by the work itself.
        _ = finished.cancelled() or finished.exception()
        self._task.cancel()


def _exit_after(seconds: float, code: int) -> None:
    watchdog = threading.Timer(seconds, os._exit, (code,))
    watchdog.daemon = True
    watchdog.start()
