"""`open`, `demo` and `sandbox`: the browser, and both services on this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from math import inf
from pathlib import Path
from types import TracebackType

import click
from msgspec.structs import replace

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.cli.transfer import open_journal
from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.config.secrets import child_environment
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.models import split_address
from cloudstore_tui.providers import PROVIDERS, open_provider
from cloudstore_tui.sandbox.profiles import listen, logins, url_of, write_config
from cloudstore_tui.ui.format import counted

DEMO_FOLDER = "cloudstore-demo"
"""Where the demo's downloads go, below the current folder; made with the first one."""

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 10.0
"""Seconds until a sandbox that does not end is killed."""
_DUMB = ("", "dumb", "unknown")


def open_command(path: str, *, no_mouse: bool, low_bandwidth: bool | None) -> None:
    require_terminal()
    config = with_options(open_config(), no_mouse=no_mouse, low_bandwidth=low_bandwidth)
    if open_browser(config, path=path):
        context = click.get_current_context()
        group = context.find_root().command
        demo = group.get_command(context, "demo") if isinstance(group, click.Group) else None
        if demo is not None:
            context.invoke(demo, no_mouse=no_mouse, low_bandwidth=low_bandwidth)


def demo_command(*, seed: int, objects: int, now: datetime, no_mouse: bool, low_bandwidth: bool | None) -> None:
    require_terminal()
    sandbox = SandboxProcess(seed=seed, objects=objects, now=now)
    try:
        config = with_options(load_config(sandbox.config, PROVIDERS), no_mouse=no_mouse, low_bandwidth=low_bandwidth)
        folder = Path.cwd() / DEMO_FOLDER
        open_browser(config, download_dir=folder, keep=False, meanwhile=sandbox.start)
    finally:
        sandbox.stop()
    if folder.is_dir():
        Output(as_json=False).note(f"Downloads are in {folder}")


def open_browser(
    config: Config,
    *,
    path: str = "",
    download_dir: Path | None = None,
    keep: bool = True,
    meanwhile: Callable[[], None] | None = None,
) -> bool:
    """Run the browser on the profiles of a configuration until the user quits; whether the user wants the demo next.

    With `keep`, unfinished transfers can be resumed later. `meanwhile` is called in a thread of its own once the first
    frame is drawn.

    Raises:
        click.exceptions.Exit: it ended with an exit code other than 0.
    """
    require_terminal()
    # Deferred: only the browser needs Textual.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.transfers.engine_thread import EngineThread
    from cloudstore_tui.ui.terminal.driver import HANGUP

    openers = {name: partial(open_provider, profile) for name, profile in config.profiles.items()}
    settings = config.settings
    # The user can see it wait, so it waits for a host that is down, or for space on the disk, without limit.
    timeouts = replace(settings.timeouts, give_up=inf, disk=inf)
    journal = open_journal(Output(as_json=False)) if keep else None
    engine = EngineThread(openers, settings.transfers, timeouts, journal=journal, polls=settings.zip_poll_seconds)
    engine.start()
    try:
        start = None
        if path:
            name, rest = split_address(path)
            config.profile(name)
            start = engine.providers[name].locate(rest)
        app = CloudStoreApp(engine, config, start=start, download_dir=download_dir, meanwhile=meanwhile)
        app.run(mouse=settings.mouse)
        if app.return_code == HANGUP and settings.on_hangup == "continue":
            # The terminal is gone; SIGTERM still ends the transfers.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            engine.finish()
    finally:
        engine.stop()
        if journal is not None:
            journal.close()
    if (left := app.transfers.left) and app.return_code != HANGUP:
        verb = "is" if left == 1 else "are"
        Output(as_json=False).note(
            f"{counted(left, 'transfer')} {verb} not done. Resume in the browser, or with: cloudstore transfers run"
        )
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)
    return app.wants_demo


def with_options(config: Config, *, no_mouse: bool, low_bandwidth: bool | None) -> Config:
    """The configuration with its settings overridden by options."""
    settings = config.settings
    if no_mouse:
        settings = replace(settings, mouse=False)
    if low_bandwidth is not None:
        settings = replace(settings, low_bandwidth=str(low_bandwidth).lower())
    return replace(config, settings=settings)


def require_terminal() -> None:
    """Refuse to draw a screen where there is none.

    Raises:
        UsageError: stdin, stdout or stderr is not a terminal (the screen is drawn on stderr), or it cannot position
            the cursor.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UsageError("the browser needs a terminal", hint="For scripts: cloudstore --help lists the commands.")
    name = os.environ.get("TERM", "")
    if name in _DUMB:
        raise UsageError(
            f"the browser cannot draw on this terminal (TERM is {name})" if name else "TERM is not set",
            hint="Set TERM to what your terminal is, such as xterm; for scripts: cloudstore --help.",
        )


def sandbox_command(
    *,
    host: str,
    port: int,
    data: Path | None,
    seed: int,
    objects: int,
    now: datetime,
    switches: tuple[str, ...],
    list_switches: bool,
    faults: tuple[str, ...],
    list_faults: bool,
    with_parent: bool,
    socket_fd: int | None,
    remove: Path | None,
) -> None:
    # Deferred: only this command needs the server's libraries.
    from cloudstore_tui.sandbox.faults.plan import describe_faults
    from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions, describe_switches

    if list_switches or list_faults:
        for line in describe_switches() if list_switches else describe_faults():
            click.echo(line)
        return
    options = SandboxOptions(host, port, socket_fd, data, seed, objects, now, _switches(switches), faults)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    try:
        with Sandbox(options) as ready:
            click.echo(json.dumps({"event": "ready", "base_url": ready.base_url, "config": str(ready.config)}))
            sys.stdout.flush()
            if with_parent:
                threading.Thread(target=_wait_for_parent, args=(over,), daemon=True).start()
            over.wait()
    finally:
        if remove is not None:
            # The process that created the folder may have been killed.
            shutil.rmtree(remove, ignore_errors=True)


def _wait_for_parent(over: threading.Event) -> None:
    sys.stdin.buffer.read()
    over.set()


def _switches(pairs: tuple[str, ...]) -> dict[str, str]:
    switches = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError("a switch is written ID=VALUE", subject=pair, hint="cloudstore sandbox --list-switches")
        switches[name] = value
    return switches


class SandboxProcess:
    """A sandbox in a process of its own, whose address and configuration are known before it is started.

    Requests wait until it answers. It ends by itself when this process dies: it waits on a pipe that only we hold.
    """

    def __init__(self, *, seed: int, objects: int, now: datetime | None = None, faults: Sequence[str] = ()) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cloudstore-demo-"))
        self._socket = listen(HOST, 0)
        # The profile with the calls is the first one.
        profiles = sorted(logins(seed), key=lambda login: login[0] != "acme8")
        self.config = write_config(self._folder, url_of(HOST, self._socket), profiles)
        """The file with its profiles."""
        self._command = [
            *(sys.executable, "-m", "cloudstore_tui", "sandbox", "--with-parent"),
            *("--socket", str(self._socket.fileno()), "--remove", str(self._folder)),
            *("--seed", str(seed), "--objects", str(objects)),
            *(("--now", now.isoformat()) if now else ()),
            *(part for fault in faults for part in ("--fault", fault)),
        ]
        self._process: subprocess.Popen[str] | None = None
        self._start_stop_lock = threading.Lock()
        self._is_stopping = False

    def start(self) -> None:
        """Start it and wait until it answers. Another thread may stop it meanwhile.

        Raises:
            StorageError: it ended at once.
        """
        with self._start_stop_lock:
            if self._is_stopping:
                return
            process = self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # The terminal is the browser's.
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
                pass_fds=[self._socket.fileno()],
                env=child_environment(),
            )
            # Only the sandbox listens now, so connections are refused as soon as it dies.
            self._socket.close()
        if process.stdout is not None and not process.stdout.readline() and not self._is_stopping:
            raise StorageError("the sandbox did not start", hint="Run `cloudstore sandbox` to see why.")

    def stop(self) -> None:
        """Stop it, and delete its files."""
        with self._start_stop_lock:
            self._is_stopping = True
            self._socket.close()
        if self._process is not None:
            self._end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Path:
        self.start()
        return self.config

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
