"""A look into the object under the cursor."""

from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui.browser.download_flow import DownloadFlow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.transfer_watch import TransferWatch


class PreviewFlow(DownloadFlow):
    """Shows the beginning of an object, and downloads it if the user wants that then."""

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingFlow,
        watch: TransferWatch,
        settings: Settings,
        actions: ObjectActions,
    ) -> None:
        super().__init__(screen, listing, watch, settings)
        self._actions = actions

    async def run(self) -> None:
        """Look, then download."""
        entry = self.listing.entry
        if isinstance(entry, StoredObject):
            await self.look_into(entry)
        else:
            tell(self.screen, "Nothing to preview here.", "warning")

    async def look_into(self, entry: StoredObject, *, listens: bool = False) -> None:
        """Show what is in an object, and listen to it if wanted."""
        from cloudstore_tui.ui.screens.preview import PreviewScreen

        if why := self._actions.why_unreadable(entry):
            tell(self.screen, why, "warning")
        elif await self.screen.app.push_screen_wait(PreviewScreen(entry, self._actions, listens=listens)):
            await self.fetch([entry], self.folder)
