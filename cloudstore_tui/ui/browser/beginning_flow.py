"""What an object begins with, in the pane beside the list: fetched when the cursor rests, if that costs little."""

import textwrap

from textual.screen import Screen

from cloudstore_tui.calls import CallPart, part_of, speaker_rank
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.preview.model import Bytes, Dialogue, Preview
from cloudstore_tui.preview.render import RenderedDocument, RenderedLine, render
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.object_actions import ObjectActions, is_small_text
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane

READ = 8 * 1024
"""Bytes that are read of it."""
MOST_LINES = 60
MOST_OF_PACE = 0.5
"""Share of the calls that the profile may make in a minute, beyond which nothing is fetched unasked."""


class BeginningFlow(Flow):
    """Reads a few kilobytes of the object under the cursor, or of the transcript of its call."""

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
        elif (source := self._source(entry)) is None:
            tell(self.screen, "Too big for the detail pane. Press p to preview.", "warning")
        else:
            if self._pane.mode is not DetailMode.PREVIEW:
                self._pane.show_mode(DetailMode.PREVIEW)
            await self._show(entry, source)

    def _source(self, entry: StoredObject) -> StoredObject | None:
        """What can be read cheaply to show what an object is about: itself, or the transcript of its call."""
        if is_small_text(entry):
            return entry
        if part_of(entry) not in (CallPart.RECORDING, CallPart.VOICEMAIL, CallPart.SCREEN):
            return None
        call = [one for one in self._pane.of_call(entry) if isinstance(one, StoredObject) and is_small_text(one)]
        transcripts = sorted((one for one in call if part_of(one) is CallPart.TRANSCRIPT), key=speaker_rank)
        return next(iter(transcripts), None)

    def _follow(self) -> None:
        entry = self._pane.entry
        if not isinstance(entry, StoredObject) or not self._pane.display or self._pane.has_head(entry):
            return
        reading = self.listing.reading
        if reading is None or reading.provider.session.pace_used > MOST_OF_PACE:
            return
        if (source := self._source(entry)) is not None:
            self.screen.run_worker(self._show_quietly(entry, source), group="action beginning", exclusive=True)

    async def _show_quietly(self, entry: StoredObject, source: StoredObject) -> None:
        try:
            await self._show(entry, source)
        except StorageError as error:
            # Nobody asked: a sentence in the pane, nothing over it.
            self._pane.show_head(entry, "PREVIEW", f"Its beginning cannot be shown: {plain(error.message)}.")

    async def _show(self, entry: StoredObject, source: StoredObject) -> None:
        preview = await self._actions.look_into(source)(READ)
        width = max(self._pane.content_region.width - 2, 20)
        shown = render(preview, width)
        if self._pane.entry is not None and identity(self._pane.entry) == identity(entry):
            self._pane.show_head(entry, *_text(source, preview, shown, width))


def _text(source: StoredObject, preview: Preview, shown: RenderedDocument, width: int) -> tuple[str, str]:
    """What it is, and its first lines."""
    lines = [] if isinstance(preview.body, Bytes) else shown.lines[:MOST_LINES]
    if isinstance(preview.body, Dialogue) and part_of(source) is CallPart.TRANSCRIPT:
        # What is said, without what is known of the call anyway.
        said = [line for line in lines if line.hang]
        return "TRANSCRIPT", "\n".join(part for line in said for part in _folded(line, width))
    amount = "" if preview.is_whole else f", the first {words.size(preview.head)} of {words.size(preview.total)}"
    head = [shown.head] if lines and shown.head and not shown.above else []
    return f"{preview.format}{amount}; p shows more", "\n".join([*head, *(line.text for line in lines)])


def _folded(line: RenderedLine, width: int) -> list[str]:
    text = line.text.lstrip()
    indent = " " * max(min(line.hang - len(line.text) + len(text), width // 2), 0)
    return textwrap.wrap(text, max(width, 12), subsequent_indent=indent) or [""]
