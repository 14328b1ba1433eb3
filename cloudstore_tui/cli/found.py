"""What a search finds, read as fast as the profile allows, with a line about how long that will take."""

import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import nullcontext, suppress
from functools import partial

from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.entry import StoredObject, identity
from cloudstore_tui.core.forecast import Forecast
from cloudstore_tui.core.page import Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.query import Query
from cloudstore_tui.ui import format as in_words

FEW = 300
"""Objects up to which nothing is fetched ahead: most of it would not be wanted."""


def pager_of(provider: StorageProvider, query: Query) -> Pager[StoredObject]:
    """The pages of a query."""
    return Pager(partial(provider.search, query), identity, query.location.address, partial(provider.sweep, query))


async def found(
    pager: Pager[StoredObject], forecast: Forecast, output: Output, limit: int | None
) -> AsyncGenerator[StoredObject, None]:
    """The objects of a query, in order; `limit` is how many will be taken."""
    line = ForecastLine(forecast)
    async with nullcontext() if limit is not None and limit <= FEW else pager.hurry():
        while not pager.ended:
            with line:
                page = await pager.next_page()
            line.forecast.saw(len(page.items), pager.left)
            for warning in page.warnings:
                output.note(warning)
            for entry in page.items:
                yield entry


class ForecastLine:
    """Stands on stderr while a page is waited for; nowhere where that is no terminal."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> None:
        if self._wanted and self.forecast.rows:
            self._write(self.text[: shutil.get_terminal_size().columns - 2])

    def __exit__(self, *_: object) -> None:
        if self._wanted and self.forecast.rows:
            self._write("")

    @property
    def text(self) -> str:
        """`12,400 of about 100,000 · 14:36 left`."""
        read, left = self.forecast.rows, self.forecast.left
        if left is None:
            return f"{read:,} found"
        time_left = in_words.time_left(self.forecast.seconds)
        return " · ".join(part for part in (f"{read:,} of about {read + left:,}", time_left) if part)

    @staticmethod
    def _write(text: str) -> None:
        # A terminal that was closed has no line for it.
        with suppress(OSError):
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
