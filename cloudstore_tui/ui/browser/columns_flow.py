"""Other columns."""

from textual.screen import Screen

from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.dialogs.columns_dialog import ColumnsDialog


class ColumnsFlow(Flow):
    """Lets the user choose columns, and remembers them for lists of this kind."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, pane: EntriesPane) -> None:
        super().__init__(screen, listing)
        self._pane = pane

    async def run(self) -> None:
        """Ask, show, remember."""
        reading = self.listing.reading
        if reading is None:
            return
        dialog = ColumnsDialog(self._pane.columns, self._pane.other_columns)
        chosen = await self.screen.app.push_screen_wait(dialog)
        if chosen is None or reading is not self.listing.reading:
            return
        self._pane.choose(chosen)
