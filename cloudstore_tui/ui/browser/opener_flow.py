"""The object under the cursor, heard here or opened in another program."""

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui.browser.preview_flow import PreviewFlow
from cloudstore_tui.ui.opening import kind_of
from cloudstore_tui.ui.report import tell


class OpenerFlow(PreviewFlow):
    """Plays sound; opens a copy of anything else, or what the user has named a program for."""

    opens = False
    stops_on_escape = True

    async def run(self) -> None:
        """Fetch, show, remove."""
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            tell(self.screen, "That's a folder. Open it and pick a file.", "warning")
        elif kind_of(entry) == "audio" and not self._actions.opens_elsewhere(entry):
            await self.look_into(entry, listens=True)
        else:
            await self._actions.open(entry, self.listing.say)
