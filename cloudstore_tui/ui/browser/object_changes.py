"""What becomes of objects at the service: deleted for good, or brought back from the archive."""

from collections import Counter
from collections.abc import Sequence

from textual.screen import Screen

from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.core.provider import Capability, Deletion, DeletionOutcome
from cloudstore_tui.deletions import DeletionLog, delete_logged
from cloudstore_tui.restores import ARCHIVED, GOING_ON, RestoreRequest, RestoreStatus, utc_now
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.listing import ListingController, ListingState
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import listed, tell
from cloudstore_tui.ui.restore_watch import RestoreWatch, request_of


class DeletionActions(ActionGroup):
    """Asks, deletes exactly what was shown, looks at each afterwards, and says what became of it."""

    running = 0
    """Objects that are being deleted."""
    log = DeletionLog()
    """Where what is deleted is written down; the app says where that is."""

    @action(
        "delete,f8,X",
        "Delete",
        "Delete what is marked, or this file",
        needs=Capability.DELETE,
        offered=lambda self: self.on_object,
        opens=True,
    )
    async def delete(self) -> None:
        from cloudstore_tui.ui.dialogs.questions import DeleteDialog

        state = self.listing.state
        if state is None or not (objects := self.chosen_objects()):
            return
        if not await self.screen.app.push_screen_wait(DeleteDialog(objects, state.zone)):
            return
        # What is typed now is for the list again.
        self.runner.opened("delete")
        self.running = len(objects)
        try:
            with self.listing.doing(f"deleting {counted(len(objects), 'object')}…"):
                outcomes = await delete_logged(self.log, state.provider, objects)
        finally:
            self.running = 0
        self._tell(state, objects, outcomes)

    def _tell(self, state: ListingState, objects: Sequence[StoredObject], outcomes: Sequence[Deletion]) -> None:

        by_location = {entry.location: entry for entry in objects}
        self.listing.remove(state, [identity(by_location[f.location]) for f in outcomes if f.outcome.is_gone])
        numbers = Counter(deletion.outcome for deletion in outcomes)
        summary = listed(
            [
                f"{counted(numbers[outcome], 'object')} {outcome.value}"
                for outcome in DeletionOutcome
                if numbers[outcome]
            ]
        )
        left = [deletion for deletion in outcomes if not deletion.outcome.is_gone or deletion.error is not None]
        tell(self.screen, summary, "warning" if left else "information")
        if left:
            lines = [
                str(deletion.error or f"{deletion.location.address}: {deletion.outcome.value}.") for deletion in left
            ]
            self.screen.app.push_screen(MessageDialog(summary, "\n".join(lines)))


class RestoreActions(ActionGroup):
    """Asks for archived objects, and shows all that was asked for."""

    def __init__(self, screen: Screen[None], listing: ListingController, restores: RestoreWatch) -> None:
        super().__init__(screen, listing)
        self._restores = restores

    @action(
        "B",
        "Restore",
        "Restore archived files",
        needs=Capability.RESTORE,
        offered=lambda self: self.on_archived,
        opens=True,
    )
    async def restore(self) -> None:
        from cloudstore_tui.ui.dialogs.questions import RestoreDialog

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
        dialog = RestoreDialog(new, len(objects) - len(archived), self.listing.zone)
        days = await self.screen.app.push_screen_wait(dialog)
        if days is None:
            return
        await self._restores.add([request_of(entry, days, self.listing.zone) for entry in new])
        tell(self.screen, f"Restore of {counted(len(new), 'object')} requested. Q shows progress.")

    @action("Q", "Restores", "Show restores, and what of them is back", id="browser.restores", everywhere=True)
    def restores(self) -> None:
        """Put the list over the browser; it belongs to no profile."""
        from cloudstore_tui.ui.screens.restores import RestoresScreen

        self.screen.app.push_screen(RestoresScreen(self._restores, self.listing.zone))


def _is_asked(request: RestoreRequest | None) -> bool:
    """Whether asking once more would be pointless."""
    if request is None or not request.goes_on(utc_now()):
        return False
    return request.status in GOING_ON - {RestoreStatus.UNKNOWN}
