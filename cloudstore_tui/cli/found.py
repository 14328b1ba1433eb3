"""What a search finds, read as fast as the profile allows, with a line about how long that will take."""

import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import nullcontext, suppress
from functools import partial

from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.models import Query, StoredObject, identity
from cloudstore_tui.core.paging import EtaEstimator, Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.ui import format as in_words

FEW = 300
"""Objects up to which nothing is fetched ahead: most of it would not be wanted."""


def pager_of(provider: StorageProvider, query: Query) -> Pager[StoredObject]:
    """The pages of a query."""
    return Pager(partial(provider.search, query), identity, query.location.address, partial(provider.sweep, query))


async def found(
    pager: Pager[StoredObject], eta: EtaEstimator, output: Output, limit: int | None
) -> AsyncGenerator[StoredObject, None]:
    """The objects of a query, in order; `limit` is how many will be taken."""
    line = EtaLine(eta)
    async with nullcontext() if limit is not None and limit <= FEW else pager.prefetch():
        while not pager.ended:
            with line:
                page = await pager.next_page()
            line.eta.update(len(page.items), pager.left)
            for warning in page.warnings:
                output.note(warning)
            for entry in page.items:
                yield entry


class EtaLine:
    """Stands on stderr while a page is waited for; nowhere where that is no terminal."""

    def __init__(self, eta: EtaEstimator) -> None:
        self.eta = eta
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> None:
        if self._wanted and self.eta.rows:
            self._write(self.text[: shutil.get_terminal_size().columns - 2])

    def __exit__(self, *_: object) -> None:
        if self._wanted and self.eta.rows:
            self._write("")

    @property
    def text(self) -> str:
        """`12,400 of about 100,000 · 14:36 left`."""
        read, left = self.eta.rows, self.eta.left
        if left is None:
            return f"{read:,} found"
        time_left = in_words.time_left(self.eta.seconds)
        return " · ".join(part for part in (f"{read:,} of about {read + left:,}", time_left) if part)

    @staticmethod
    def _write(text: str) -> None:
        # A terminal that was closed has no line for it.
        with suppress(OSError):
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
