"""Objects packed by the service and fetched as one file."""

from cloudstore_tui.core.provider import Capability
from cloudstore_tui.ui.browser.download_flow import DownloadFlow
from cloudstore_tui.ui.browser.zip_requests import Zipping
from cloudstore_tui.ui.report import tell


class ZipFlow(DownloadFlow):
    """Makes zip jobs of what is marked, or of the object under the cursor, whatever would be faster."""

    needs = Capability.ZIP

    async def run(self) -> None:
        """Plan, say so, start."""
        objects = self.chosen_objects()
        if not objects:
            return
        zipping = Zipping.of(objects)
        if not zipping.packed:
            tell(self.screen, f"Nothing here can be packed into a zip. {zipping.exceptions}", "warning")
            return
        if await self.download(objects, self.folder, zipping):
            tell(self.screen, f"Zip: {zipping.text}.")
            if zipping.exceptions:
                tell(self.screen, zipping.exceptions, "warning")
