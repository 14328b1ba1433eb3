"""`cloudstore` and `cloudstore PATH`: open the browser, on the terminal that it needs."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from pathlib import Path

import click
from msgspec.structs import replace

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.cli.transfer import open_journal
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import split_address
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.providers import PROVIDERS

_DUMB = ("", "dumb", "unknown")


def open_command(path: str, *, no_mouse: bool, low_bandwidth: bool | None) -> None:
    """Open the browser, at PATH if one is given."""
    require_terminal()
    config = as_asked(open_config(), no_mouse=no_mouse, low_bandwidth=low_bandwidth)
    if open_browser(config, path=path):
        context = click.get_current_context()
        group = context.find_root().command
        demo = group.get_command(context, "demo") if isinstance(group, click.Group) else None
        if demo is not None:
            context.invoke(demo, no_mouse=no_mouse, low_bandwidth=low_bandwidth)


def open_browser(
    config: Config,
    *,
    path: str = "",
    download_dir: Path | None = None,
    keep: bool = True,
    meanwhile: Callable[[], None] | None = None,
) -> bool:
    """Run the browser on the profiles of a configuration until the user quits; whether the sandbox is wanted now.

    Another end than the user's ends the process with its code. With `keep`, transfers that are not done then can be
    gone on with later. `meanwhile` is called in a thread of its own once the first frame is drawn.
    """
    require_terminal()
    # Deferred: only the browser needs Textual.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.transfers.engine_thread import EngineThread
    from cloudstore_tui.ui.signals import HANGUP

    openers = {name: partial(_open, profile) for name, profile in config.profiles.items()}
    settings = config.settings
    # Somebody is looking: a host that is down, or a full disk, is waited for until they have had enough.
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
            # The terminal is gone, and with it everybody who could be told anything; SIGTERM still ends it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            engine.finish()
    finally:
        engine.stop()
        if journal is not None:
            journal.close()
    if app.return_code:
        raise SystemExit(app.return_code)
    return app.setup.wants_demo


def _open(profile: Profile) -> StorageProvider:
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    return spec.open(profile)


def as_asked(config: Config, *, no_mouse: bool, low_bandwidth: bool | None) -> Config:
    """The configuration with what the options say instead of what its settings say."""
    settings = config.settings
    if no_mouse:
        settings = replace(settings, mouse=False)
    if low_bandwidth is not None:
        settings = replace(settings, low_bandwidth=str(low_bandwidth).lower())
    return replace(config, settings=settings)


def require_terminal() -> None:
    """Refuse to draw a screen where there is none.

    Raises:
        UsageError: stdin, stdout or stderr is no terminal, of which the screen is drawn on the last; or it cannot
            put anything anywhere.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UsageError("the browser needs a terminal", hint="For scripts: cloudstore --help lists the commands.")
    name = os.environ.get("TERM", "")
    if name in _DUMB:
        raise UsageError(
            f"the browser cannot draw on this terminal (TERM is {name})" if name else "TERM is not set",
            hint="Set TERM to what your terminal is, such as xterm; for scripts: cloudstore --help.",
        )
