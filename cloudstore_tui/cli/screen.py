"""What the commands that open the browser have in common: the terminal it needs, and how it is to be treated."""

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

_DUMB = ("", "dumb", "unknown")


def screen_options(command: Command) -> Command:
    """`--no-mouse` and `--low-bandwidth`."""
    command = click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")(command)
    return click.option(
        "--low-bandwidth/--no-low-bandwidth",
        default=None,
        help="Fewer redraws, for a slow line. [default: over SSH only]",
    )(command)


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
