"""A look into the object under the cursor."""

from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.model import Preview
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.download_flow import DownloadFlow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.opener_flow import OpenerFlow
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.screens.preview import LookInto, PreviewScreen, PreviewVerb
from cloudstore_tui.ui.transfer_watch import TransferWatch


class PreviewFlow(DownloadFlow):
    """Shows the beginning of an object; what the user wants done with it then is done."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, watch: TransferWatch, settings: Settings) -> None:
        super().__init__(screen, listing, watch, settings)
        self._opening = OpenerFlow(screen, listing, watch, settings)

    async def run(self) -> None:
        """Look, then do."""
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            tell(self.screen, "Nothing to preview here.", "warning")
            return
        if entry.state not in ("", "AVAILABLE"):
            restore = " Press B to restore." if entry.state == "ARCHIVED" else ""
            tell(self.screen, f"{words.state(entry.state).capitalize()} files can't be previewed.{restore}", "warning")
            return
        verb = await self.screen.app.push_screen_wait(PreviewScreen(entry, look_into(self._watch, entry)))
        if verb is PreviewVerb.DOWNLOAD:
            await self.choose_way([entry], self.folder)
        elif verb is PreviewVerb.OPEN:
            await self._opening.open(entry)


def look_into(watch: TransferWatch, entry: StoredObject) -> LookInto:
    """What looks into an object; one link serves for all its pieces."""
    read = watch.range_reader(entry)

    async def look_at(wanted: int) -> Preview:
        # Deferred: starting processes is not needed for the first screen.
        from cloudstore_tui.preview.runner import facts_of, make_preview

        return await make_preview(read, facts_of(entry), wanted)

    return look_at
