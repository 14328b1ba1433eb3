"""How far a search has come in one region, and where it goes on."""

from collections.abc import Sequence

import msgspec

from cloudstore_tui.core.models import Sort, StoredObject
from cloudstore_tui.fiql import compare, epoch_ms

PAGE = 100
"""Records of a page: the most that the service gives."""
LARGEST_WINDOW = 10_000
"""Records beyond this may be refused; a search by time goes on with a window of its own instead."""
SECOND = 1000
"""Milliseconds; replies are cut to whole seconds, filters are not."""

_BACK = 10
"""Rows looked at for where a window begins: one of them may be out of order, and must not make us skip others."""


class At(msgspec.Struct, frozen=True):
    """A place in the result of one region."""

    offset: int = 0
    bound: int = 0
    """Epoch milliseconds from which the present window of time goes on, in the direction of the sort; 0 without."""

    def window(self, order: Sort) -> str:
        """The filter of the present window; empty without one."""
        return compare("createdTime", "=lt=" if order.descending else "=ge=", str(self.bound)) if self.bound else ""

    def moved(self, offset: int, order: Sort, seen: Sequence[StoredObject]) -> "At":
        """This place moved on to an offset, or to the start of a new window where offsets get too large.

        Args:
            offset: of the next record in the present window.
            order: what the service sorts by.
            seen: the rows of this page up to there.
        """
        here = At(offset, self.bound)
        if offset + PAGE <= LARGEST_WINDOW or order.field != "createdTime":
            return here
        moments = [epoch_ms(entry.created) for entry in seen[-_BACK:] if entry.created]
        if not moments:
            return here
        # Rows of the border's second come again, and are dropped by whoever walks the pages.
        bound = max(moments) + SECOND if order.descending else min(moments)
        forward = bound < self.bound if order.descending else bound > self.bound
        return At(0, bound) if forward or not self.bound else here

    def guessed(self, stride: int, order: Sort) -> "At | None":
        """Where the page after the one that starts here most likely starts; `None` where only that page can tell."""
        if order.field == "createdTime" and self.offset + stride + PAGE > LARGEST_WINDOW:
            return None
        return At(self.offset + stride, self.bound)


START = At()


def next_offset(at: At, told: int, limit: int) -> int:
    """The offset of the next page: the service's own number where that can be one, else ours.

    Some replies name the present page, and a number out of any proportion would skip records.
    """
    return told if at.offset < told <= at.offset + limit else at.offset + limit
