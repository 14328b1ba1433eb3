"""Reading on, and reading again, when the user asks for it."""

from cloudstore_tui.ui.screens.flow import Flow


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
        """Counts up in the foot line; Escape stops it."""
        self.listing.read_on(everything=True)
