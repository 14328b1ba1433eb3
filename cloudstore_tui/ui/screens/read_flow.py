"""Reading on, and reading again, when the user asks for it."""

import asyncio

from cloudstore_tui.ui.screens.flow import Flow

LOOK = 0.1
"""Seconds between two looks at whether all is read."""


class ReadAgainFlow(Flow):
    """Reads again what is shown."""

    async def run(self) -> None:
        """Cursor, marks, filter and order stay."""
        self.listing.read_again()


class ReadAllFlow(Flow):
    """Reads all that is left."""

    @property
    def is_possible(self) -> bool:
        """Only while there is more."""
        reading = self.listing.reading
        return super().is_possible and reading is not None and not reading.pager.ended

    async def run(self) -> None:
        """Counts up in the foot line, several pages at once where that is possible; Escape stops it."""
        reading = self.listing.reading
        if reading is None:
            return
        async with reading.pager.hurry():
            self.listing.read_on(everything=True)
            while True:
                await asyncio.sleep(LOOK)
                if not self.listing.is_busy or reading is not self.listing.reading:
                    return
