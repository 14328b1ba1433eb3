"""A signed link to the object under the cursor."""

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.dialogs.link_dialog import LinkDialog
from cloudstore_tui.ui.report import tell


class LinkFlow(Flow):
    """Asks the service for a link, shows it whole and copies it."""

    needs = Capability.LINK
    stops_on_escape = True

    async def run(self) -> None:
        """Ask, show."""
        reading, entry = self.listing.reading, self.listing.entry
        if reading is None or not isinstance(entry, StoredObject):
            tell(self.screen, "Only files have links. Select one first.", "warning")
            return
        with self.listing.doing("asking for a link… Esc stops"):
            link = await reading.provider.link(entry.location)
        if reading is self.listing.reading:
            await self.screen.app.push_screen_wait(LinkDialog(entry.location.address, link, reading.zone))
