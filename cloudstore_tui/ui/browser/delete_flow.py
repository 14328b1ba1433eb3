"""Objects deleted for good."""

from collections import Counter
from collections.abc import Sequence

from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.core.provider import Capability, Deletion, DeletionOutcome
from cloudstore_tui.deletions import DeletionLog, delete_logged
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import listed, tell

_GONE = (DeletionOutcome.DELETED, DeletionOutcome.GONE)


class DeleteFlow(Flow):
    """Asks, deletes exactly what was shown, looks at each afterwards, and says what became of it."""

    needs = Capability.DELETE
    running = 0
    """Objects that are being deleted."""
    log = DeletionLog()
    """Where what is deleted is written down; the app says where that is."""

    async def run(self) -> None:
        """Ask, delete, tell."""
        from cloudstore_tui.ui.dialogs.delete_dialog import DeleteDialog

        reading = self.listing.reading
        if reading is None or not (objects := self.chosen_objects()):
            return
        if not await self.screen.app.push_screen_wait(DeleteDialog(objects, reading.zone)):
            return
        # What is typed now is for the list again.
        self.runner.opened("delete")
        self.running = len(objects)
        try:
            with self.listing.doing(f"deleting {counted(len(objects), 'object')}…"):
                outcomes = await delete_logged(self.log, reading.provider, objects)
        finally:
            self.running = 0
        self._tell(reading, objects, outcomes)

    def _tell(self, reading: Reading, objects: Sequence[StoredObject], outcomes: Sequence[Deletion]) -> None:
        from cloudstore_tui.ui.dialogs.dialog import MessageDialog

        by_location = {entry.location: entry for entry in objects}
        self.listing.remove(reading, [identity(by_location[f.location]) for f in outcomes if f.outcome in _GONE])
        numbers = Counter(deletion.outcome for deletion in outcomes)
        summary = listed(
            [
                f"{counted(numbers[outcome], 'object')} {outcome.value}"
                for outcome in DeletionOutcome
                if numbers[outcome]
            ]
        )
        left = [deletion for deletion in outcomes if deletion.outcome not in _GONE or deletion.error is not None]
        tell(self.screen, summary, "warning" if left else "information")
        if left:
            lines = [
                str(deletion.error or f"{deletion.location.address}: {deletion.outcome.value}.") for deletion in left
            ]
            self.screen.app.push_screen(MessageDialog(summary, "\n".join(lines)))
