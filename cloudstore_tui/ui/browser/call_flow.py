"""Everything of the call that an object belongs to: shown, and fetched together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.screen import Screen

from cloudstore_tui.calls import CallTree, file_names
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui.browser.download_flow import DownloadFlow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.zip_requests import Zipping
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.screens.call import CallOrder, CallScreen, CallVerb
from cloudstore_tui.ui.transfer_watch import TransferWatch

CallFolder = Callable[[StoredObject, str], Path]
"""The folder, below that of downloads, for a call of which this object with all its tags and this provider is known."""


class CallFlow(DownloadFlow):
    """Opens the call of the object under the cursor; what is fetched of it goes to one folder."""

    needs = Capability.RELATED

    def __init__(
        self, screen: Screen[None], listing: ListingFlow, watch: TransferWatch, settings: Settings, name: CallFolder
    ) -> None:
        super().__init__(screen, listing, watch, settings)
        self._name = name

    async def run(self) -> None:
        """Show it; fetch what the user says."""
        reading, entry = self.listing.reading, self.listing.entry
        if reading is None or not isinstance(entry, StoredObject):
            tell(self.screen, "There is no object here whose call could be looked for.", "warning")
            return
        provider = reading.provider
        find = partial(_find, provider, entry)
        folder_of = partial(self._folder_of, provider)
        order = await self.screen.app.push_screen_wait(CallScreen(entry, find, folder_of, reading.zone))
        if order is not None:
            await self._fetch(order, folder_of(order.tree))

    async def _fetch(self, order: CallOrder, folder: Path) -> None:
        names = file_names(order.tree)
        zipping = Zipping.of(order.entries) if order.verb is CallVerb.ZIP else None
        if zipping is not None and not zipping.packed:
            tell(self.screen, f"Nothing here can be packed into a zip. {zipping.exceptions}", "warning")
            return
        if await self.download(order.entries, folder, zipping, names) and zipping is not None:
            tell(self.screen, f"Zip: {zipping.text}.")
            if zipping.exceptions:
                tell(self.screen, zipping.exceptions, "warning")

    def _folder_of(self, provider: StorageProvider, tree: CallTree) -> Path:
        representative = tree.representative
        return (
            self.folder / self._name(representative, provider.profile.provider)
            if representative is not None
            else self.folder
        )


async def _find(provider: StorageProvider, entry: StoredObject, everywhere: bool) -> Page[StoredObject]:
    return await provider.related(entry, everywhere=everywhere)
