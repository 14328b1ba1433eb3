"""`cloudstore` and `cloudstore PATH`: open the browser."""

import signal
import sys
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path

import click

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.cli.transferring import open_journal
from cloudstore_tui.config.load import Config
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.location import split_address
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.providers import PROVIDERS


@click.command("open", hidden=True)
@click.argument("path", default="")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
def open_command(path: str, *, no_mouse: bool) -> None:
    """Open the browser, at PATH if one is given."""
    require_terminal()
    config = open_config()
    if not config.profiles:
        raise ConfigError(
            "no profiles are configured",
            place=str(config.path),
            cure="Try the program without one: cloudstore demo. The README shows how to add one.",
        )
    open_browser(config, path=path, mouse=not no_mouse)


def require_terminal() -> None:
    """Refuse to draw a screen where there is none.

    Raises:
        UsageError: stdin, stdout or stderr is no terminal; the screen is drawn on the last.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UsageError("the browser needs a terminal", cure="For scripts: cloudstore --help lists the commands.")


def open_browser(
    config: Config, *, path: str = "", download_dir: Path | None = None, mouse: bool = True, keep: bool = True
) -> None:
    """Run the browser on the profiles of a configuration until the user quits; ends the process with its code.

    With `keep`, transfers that are not done then can be gone on with later.
    """
    require_terminal()
    # Deferred: only the browser needs Textual.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.transfers.backstage import Backstage
    from cloudstore_tui.ui.signals import HANGUP

    openers = {name: partial(_open, profile) for name, profile in config.profiles.items()}
    settings = config.settings
    # Somebody is looking: a host that is down, or a full disk, is waited for until they have had enough.
    timeouts = replace(settings.timeouts, give_up=inf, disk=inf)
    journal = open_journal(Output(as_json=False)) if keep else None
    backstage = Backstage(openers, settings.transfers, timeouts, journal=journal, polls=settings.zip_poll_seconds)
    backstage.start()
    try:
        start = None
        if path:
            name, rest = split_address(path)
            config.profile(name)
            start = backstage.providers[name].locate(rest)
        app = CloudStoreApp(backstage, config, start=start, download_dir=download_dir)
        app.run(mouse=mouse)
        if app.return_code == HANGUP and settings.on_hangup == "continue":
            # The terminal is gone, and with it everybody who could be told anything; SIGTERM still ends it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            backstage.finish()
    finally:
        backstage.stop()
        if journal is not None:
            journal.close()
    if app.return_code:
        raise SystemExit(app.return_code)


def _open(profile: Profile) -> StorageProvider:
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    return spec.open(profile)
