"""A signed link to the object under the cursor."""

from textual.screen import Screen

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.report import tell


class LinkFlow(Flow):
    """Asks the service for a link, shows it whole and copies it."""

    needs = Capability.LINK
    stops_on_escape = True

    def __init__(self, screen: Screen[None], listing: ListingFlow, actions: ObjectActions) -> None:
        super().__init__(screen, listing)
        self._actions = actions

    async def run(self) -> None:
        """Ask, show."""
        entry = self.listing.entry
        if isinstance(entry, StoredObject):
            await self._actions.link(entry, self.listing.say)
        else:
            tell(self.screen, "Only files have links. Select one first.", "warning")
