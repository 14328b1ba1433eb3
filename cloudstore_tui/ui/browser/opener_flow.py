"""A copy of an object in a program of the user's choice."""

from textual.screen import Screen

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.report import tell


class OpenerFlow(Flow):
    """Opens the object under the cursor."""

    opens = False
    stops_on_escape = True

    def __init__(self, screen: Screen[None], listing: ListingFlow, actions: ObjectActions) -> None:
        super().__init__(screen, listing)
        self._actions = actions

    async def run(self) -> None:
        """Fetch, show, remove."""
        entry = self.listing.entry
        if isinstance(entry, StoredObject):
            await self._actions.open(entry, self.listing.say)
        else:
            tell(self.screen, "That's a folder. Open it and pick a file.", "warning")
