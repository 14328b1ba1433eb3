"""Archived objects asked back, and the list of all that were."""

from textual.screen import Screen

from cloudstore_tui.core.provider import Capability
from cloudstore_tui.restores import ARCHIVED, GOING_ON, RestoreRequest, RestoreStatus, utc_now
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.restore_watch import RestoreWatch, request_of


class RestoreFlow(Flow):
    """Asks for what is marked, or for the object under the cursor."""

    needs = Capability.RESTORE

    def __init__(self, screen: Screen[None], listing: ListingFlow, restores: RestoreWatch) -> None:
        super().__init__(screen, listing)
        self._restores = restores

    async def run(self) -> None:
        """Ask for how long, and put the objects on the list."""
        from cloudstore_tui.ui.dialogs.restore_dialog import RestoreDialog

        objects = self.chosen_objects()
        archived = [entry for entry in objects if entry.state == ARCHIVED]
        if objects and not archived:
            tell(self.screen, "Not archived: there is nothing to restore.", "warning")
        if not archived:
            return
        known = {request.location: request for request in await self._restores.requests()}
        new = [entry for entry in archived if not _is_asked(known.get(entry.location))]
        if not new:
            tell(self.screen, "Restore requested already. Q shows progress.")
            return
        dialog = RestoreDialog(new, len(objects) - len(archived))
        days = await self.screen.app.push_screen_wait(dialog)
        if days is None:
            return
        await self._restores.add([request_of(entry, days) for entry in new])
        tell(self.screen, f"Restore of {counted(len(new), 'object')} requested. Q shows progress.")


class RestoresFlow(Flow):
    """Shows the list."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, restores: RestoreWatch) -> None:
        super().__init__(screen, listing)
        self._restores = restores

    @property
    def is_possible(self) -> bool:
        """Anywhere: the list belongs to no profile."""
        return True

    async def run(self) -> None:
        """Put it over the browser."""
        from cloudstore_tui.ui.screens.restores import RestoresScreen

        self.screen.app.push_screen(RestoresScreen(self._restores, self.listing.zone))


def restore_flows(screen: Screen[None], listing: ListingFlow, restores: RestoreWatch) -> dict[str, Flow]:
    """Both, by the names of their keys."""
    return {
        "restore": RestoreFlow(screen, listing, restores),
        "restores": RestoresFlow(screen, listing, restores),
    }


def _is_asked(request: RestoreRequest | None) -> bool:
    """Whether asking once more would be pointless."""
    if request is None or not request.goes_on(utc_now()):
        return False
    return request.status in GOING_ON - {RestoreStatus.UNKNOWN}
