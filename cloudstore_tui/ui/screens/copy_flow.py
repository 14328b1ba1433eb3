"""The address of an entry to the clipboard."""

from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.screens.flow import Flow


class CopyFlow(Flow):
    """Copies what a command line takes: `acme:exports/x.tar`."""

    async def run(self) -> None:
        """Copy the address of the entry under the cursor, or of the folder itself where there is none."""
        reading, entry = self.listing.reading, self.listing.entry
        if reading is not None:
            address = (entry or reading.visit).location.address
            tell(self.screen, f"{address} · {copy_text(self.screen.app, address)}")
