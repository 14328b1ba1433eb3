"""The beginning of a small text, below what is known of it."""

from textual.content import Content
from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.preview.model import Bytes, Preview
from cloudstore_tui.preview.render import RenderedDocument, render
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.object_actions import ObjectActions, is_small_text
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.detail_pane import DetailPane

READ = 8 * 1024
"""Bytes that are read of it."""
MOST_LINES = 60


class BeginningFlow(Flow):
    """Reads a few kilobytes of the object under the cursor; by itself only if the settings say so."""

    opens = False
    stops_on_escape = True

    def __init__(
        self, screen: Screen[None], listing: ListingFlow, pane: DetailPane, actions: ObjectActions, settings: Settings
    ) -> None:
        super().__init__(screen, listing)
        self._pane = pane
        self._actions = actions
        if settings.preview_in_detail:
            pane.rested = self._follow

    async def run(self) -> None:
        """Read and show; say why not."""
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            tell(self.screen, "Nothing to preview here.", "warning")
        elif not is_small_text(entry):
            tell(self.screen, "Too big for the detail pane. Press p to preview.", "warning")
        else:
            self._pane.remove_class("-off")
            await self._show(entry, asked=True)

    def _follow(self) -> None:
        entry = self._pane.entry
        if isinstance(entry, StoredObject) and is_small_text(entry) and self._pane.display:
            self.screen.run_worker(self._show_quietly(entry), group="action beginning", exclusive=True)

    async def _show_quietly(self, entry: StoredObject) -> None:
        try:
            await self._show(entry)
        except StorageError as error:
            # Nobody asked: a sentence in the pane, nothing over it.
            self._pane.show_beginning(entry, Content(f"\nIts beginning cannot be shown: {plain(error.message)}."))

    async def _show(self, entry: StoredObject, *, asked: bool = False) -> None:
        preview = await self._actions.look_into(entry)(READ)
        shown = render(preview, max(self._pane.size.width - 4, 20))
        if self._pane.entry is not None and identity(self._pane.entry) == identity(entry):
            self._pane.show_beginning(entry, _text(preview, shown), asked=asked)


def _text(preview: Preview, shown: RenderedDocument) -> Content:
    amount = "" if preview.is_whole else f", the first {words.size(preview.head)} of {words.size(preview.total)}"
    lines = [f"\n{preview.format}{amount}; p shows more"]
    if not isinstance(preview.body, Bytes):
        lines += [shown.head] if shown.head and not shown.above else []
        lines += [line.text for line in shown.lines[:MOST_LINES]]
    return Content("\n".join(lines))
