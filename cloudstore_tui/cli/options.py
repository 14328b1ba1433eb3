"""Options and argument types that several commands share."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cloudstore_tui.cli.session import READING, TRANSFERRING

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


class Duration(click.ParamType[float]):
    """A time span such as 90, 90s, 15m, 24h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, from 1 to 30 days."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,7})\s*([smhd]?)", str(value).strip().lower())
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if not 1 <= seconds <= 30 * 86400:
            self.fail(f"{value!r} is not a time span from 1s to 30d, such as 90s, 15m or 24h.", param, ctx)
        return seconds


def json_option(command: Command) -> Command:
    """`--json`: JSON lines and nothing else on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON lines and nothing else on stdout.")(command)


def timeout_option(*, transfers: bool = False) -> Callable[[Command], Command]:
    """`--timeout`: how long a dead host is tried."""
    default = TRANSFERRING if transfers else READING
    return click.option(
        "--timeout",
        type=Duration(),
        default=default,
        help=f"Give up on a host that does not answer after this long, such as 90s or 24h. [default: {default:.0f}s]",
    )


limit_option = click.option("--limit", type=click.IntRange(1, 100_000_000), help="Stop after this many.")
