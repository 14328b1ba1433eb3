"""A copy of an object in a program of the user's choice."""

import atexit
import os

from textual.app import SuspendNotSupported
from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError, UnsupportedError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fs.temporary import TemporaryCopy
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.opening import command, opener, run
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.transfer_watch import TransferWatch

LARGE = 20_000_000
"""Bytes from which on the user is asked before an object is fetched to be looked at."""


class OpenerFlow(Flow):
    """Fetches the object under the cursor to a private place, and removes it after the program has shown it."""

    opens = False
    stops_on_escape = True

    def __init__(self, screen: Screen[None], listing: ListingFlow, watch: TransferWatch, settings: Settings) -> None:
        super().__init__(screen, listing)
        self._watch = watch
        self._opener = settings.opener

    async def run(self) -> None:
        """Fetch, show, remove."""
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            tell(self.screen, "There is no object here to open.", "warning")
            return
        await self.open(entry)

    async def open(self, entry: StoredObject) -> None:
        """Open one object."""
        program = opener(self._opener, os.environ)
        if not await self._is_wanted(entry):
            return
        try:
            await self._show(entry, program)
        except StorageError as error:
            raise error.about(entry.location.address) from None
        finally:
            self.listing.say("")

    async def _is_wanted(self, entry: StoredObject) -> bool:
        reasons = ["The program shows the real text, not the masked one."] if MASK.on else []
        if entry.size is None or entry.size > LARGE:
            size = words.size(entry.size, exact=entry.size_exact) or "of unknown size"
            reasons.append(f"{size}; p shows its beginning")
        if not reasons:
            return True
        question = ConsentDialog("Fetch all of it to open it?", [entry.name, *reasons], "Fetch")
        answer = await self.screen.app.push_screen_wait(question)
        return answer is True

    async def _show(self, entry: StoredObject, program: list[str]) -> None:
        copy = TemporaryCopy(entry.name)
        keep = False
        try:
            self._say(0, entry.size)
            await copy.fetch(self._watch.range_reader(entry), self._say)
            keep = not self._hand_over(command(program, copy.path))
        finally:
            if keep:
                atexit.register(copy.remove)
            else:
                copy.remove()

    def _say(self, done: int, total: int | None) -> None:
        of = f" of {words.size(total)}" if total else ""
        self.listing.say(f"fetching a copy to open… {words.size(done)}{of}. Esc stops")

    def _hand_over(self, arguments: list[str]) -> bool:
        """Whether the program is done with the file."""
        app = self.screen.app
        try:
            with app.suspend():
                return run(arguments)
        except SuspendNotSupported:
            raise UnsupportedError(
                "this terminal cannot be given to another program", hint="p shows it here."
            ) from None
        finally:
            app.refresh(layout=True)
