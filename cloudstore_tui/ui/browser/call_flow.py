"""Everything of the call that an object belongs to: shown, and fetched together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from cloudstore_tui.calls import CallTree, file_names
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui.browser.download_flow import DownloadFlow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.downloads import Zipping
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.transfer_watch import TransferWatch

if TYPE_CHECKING:
    from cloudstore_tui.ui.screens.call import CallOrder

CallFolder = Callable[[StoredObject, str], Path]
"""The folder, below that of downloads, for a call of which this object with all its tags and this provider is known."""


class CallFlow(DownloadFlow):
    """Opens the call of the object under the cursor; what is fetched of it goes to one folder."""

    needs = Capability.RELATED

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingFlow,
        watch: TransferWatch,
        settings: Settings,
        name: CallFolder,
        actions: ObjectActions,
    ) -> None:
        super().__init__(screen, listing, watch, settings)
        self._name = name
        self._actions = actions

    async def run(self) -> None:
        """Show it."""
        from cloudstore_tui.ui.screens.call import CallContext, CallOrder, CallScreen

        reading, entry = self.listing.reading, self.listing.entry
        if reading is None or not isinstance(entry, StoredObject):
            tell(self.screen, "There is no object here whose call could be looked for.", "warning")
            return
        folder_of = partial(self._folder_of, reading.provider)

        async def fetch(order: CallOrder) -> bool:
            return await self._fetch(order, folder_of(order.tree))

        find = partial(_find, reading.provider, entry)
        context = CallContext(find, folder_of, file_names, fetch, self._actions, self._watch, reading.zone)
        await self.screen.app.push_screen_wait(CallScreen(entry, context))

    async def _fetch(self, order: "CallOrder", folder: Path) -> bool:
        from cloudstore_tui.ui.screens.call import CallVerb

        names = file_names(order.tree)
        zipping = Zipping.of(order.entries) if order.verb is CallVerb.ZIP else None
        if zipping is not None and not zipping.packed:
            tell(self.screen, f"Nothing here can be packed into a zip. {zipping.exceptions}", "warning")
            return False
        started = await self.download(order.entries, folder, zipping, names)
        if started and zipping is not None:
            tell(self.screen, f"Zip: {zipping.text}.")
            if zipping.exceptions:
                tell(self.screen, zipping.exceptions, "warning")
        return started

    def _folder_of(self, provider: StorageProvider, tree: CallTree) -> Path:
        representative = tree.representative
        if representative is None:
            return self.folder
        return self.folder / self._name(representative, provider.profile.provider)


async def _find(provider: StorageProvider, entry: StoredObject, everywhere: bool) -> Page[StoredObject]:
    return await provider.related(entry, everywhere=everywhere)
