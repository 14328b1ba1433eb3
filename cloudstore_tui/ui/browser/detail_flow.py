"""Everything the service tells of one entry."""

from textual.screen import Screen

from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.widgets.detail_pane import DetailPane


class DetailFlow(Flow):
    """Asks for what the listing may not have told of the object under the cursor."""

    opens = False
    stops_on_escape = True

    def __init__(self, screen: Screen[None], listing: ListingFlow, pane: DetailPane) -> None:
        super().__init__(screen, listing)
        self._pane = pane

    async def run(self) -> None:
        """Ask, and show it if the cursor is still there."""
        reading, entry = self.listing.reading, self.listing.entry
        if reading is None or not isinstance(entry, StoredObject):
            return
        self._pane.show(entry, reading.zone)
        whole = await reading.provider.stat(entry.location)
        MASK.learn([whole])
        shown = self._pane.entry
        if reading is self.listing.reading and shown is not None and identity(shown) == identity(entry):
            self._pane.show(whole, reading.zone)
