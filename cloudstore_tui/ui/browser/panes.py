"""The panes of the browser: which has the focus, how they share the screen, what the one beside the list shows.

From `WIDE` columns on places, entries and detail stand side by side. Below that the entries have the whole width, with
two lines of detail under them, and the places come as a drawer over their left half while they have the focus.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from cloudstore_tui.calls import CallPart, part_of, speaker_rank
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Entry, StoredObject, identity
from cloudstore_tui.preview.model import Bytes, Dialogue, Preview
from cloudstore_tui.preview.render import RenderedDocument, RenderedLine, render
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.object_actions import MAX_PACE_UNASKED, ObjectActions, is_small_text
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane

WIDE, LOW = 110, 18
"""Columns from which panes stand side by side, and rows below which only the one with the focus is shown."""
WIDTHS = [(0, "-narrow"), (WIDE, "-wide"), (160, "-vast")]
HEIGHTS = [(0, "-tiny"), (9, "-low"), (LOW, "-high")]


class FocusManager:
    """Leads the focus from pane to pane and lets the style sheet know where it is: `-at-places`."""

    def __init__(self, screen: Screen[None], focused: Mapping[str, Widget]) -> None:
        """Lead the focus.

        Args:
            screen: of the panes.
            focused: the widget of each pane that gets the focus, in the order of the Tab key; it or one around it has
                the name of the pane as its id.
        """
        self._screen = screen
        self._focused = focused
        self.at = "places"
        """The pane with the focus."""

    @property
    def has_drawer(self) -> bool:
        """Whether the places are only there while they have the focus, which is elsewhere."""
        return self._screen.size.width < WIDE and self.at != "places"

    def go(self, name: str) -> None:
        """Go to a pane by its name, or to the one `left`, `next` or `previous`."""
        if name == "left":
            name = "entries" if self.at == "detail" else "places"
        elif name not in self._focused:
            open_ = [pane for pane in self._focused if self._is_open(pane)]
            step = -1 if name == "previous" else 1
            name = open_[(open_.index(self.at) + step) % len(open_)] if self.at in open_ else open_[0]
        if self._is_open(name):
            self.show(name, self._focused[name])

    def show(self, name: str, widget: Widget) -> None:
        self._mark(name)
        # At once: the next key belongs to it.
        self._screen.set_focus(widget)

    def follow(self, focused: Widget | None) -> None:
        """Note which pane holds what has the focus."""
        nodes = focused.ancestors_with_self if focused is not None else []
        name = next((node.id for node in nodes if node.id in self._focused), None)
        if name is not None:
            self._mark(name)

    def fit(self, size: Size) -> None:
        """Tell the style sheet which pane has the focus, where it makes a difference to the layout."""
        # Where it makes none no class is set: each change of one repaints the whole screen.
        differs = size.width < WIDE or size.height < LOW
        self._screen.update_classes({f"-at-{pane}": differs and pane == self.at for pane in self._focused})

    def _is_open(self, name: str) -> bool:
        return not self._focused[name].has_class("-off")

    def _mark(self, name: str) -> None:
        self.at = name
        self.fit(self._screen.size)


READ = 8 * 1024
"""Bytes that are read of an object to show its beginning."""
MAX_LINES = 60


@dataclass(eq=False)
class DetailActions(ActionGroup):
    """Fills the pane beside the list: with all that is known, or with the beginning of the content."""

    pane: DetailPane
    panes: FocusManager
    objects: ObjectActions
    browser_state: BrowserState
    settings: Settings

    @Action("i", "Detail", "Preview, all fields or nothing", id="browser.detail", everywhere=True, stops_on_escape=True)
    async def turn_detail(self) -> None:
        """Show something else beside the list: the preview, all fields, nothing."""
        if self.pane.has_focus:
            self.panes.go("entries")
        mode = self.pane.mode.next
        self.pane.mode = mode
        for pane in (DetailMode.PREVIEW, DetailMode.FIELDS):
            self.browser_state.hide(pane.value, hidden=pane not in mode.panes)
        if mode is DetailMode.FIELDS:
            await self._show_fields()

    async def _show_fields(self) -> None:
        """Ask for what the list may not have told of an object, and show it if the cursor is still there."""
        state, entry = self.listing.state, self.listing.entry
        if state is None or not isinstance(entry, StoredObject):
            return
        self.pane.show(entry, state.zone)
        whole = await state.provider.stat(entry.location)
        MASK.learn([whole])
        if state is self.listing.state and self._is_shown(entry):
            self.pane.show(whole, state.zone)

    @Action("I", "Beginning", "Show a small text beside the list", shown=False, stops_on_escape=True)
    async def beginning(self) -> None:
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            notify_plain(self.screen, "Nothing to preview here.", "warning")
        elif (source := self._source(entry)) is None:
            notify_plain(self.screen, "Too big for the detail pane. Press p to preview.", "warning")
        else:
            self.pane.mode = DetailMode.PREVIEW
            await self._show(entry, source)

    def follow(self) -> None:
        """Show the beginning of what the cursor rests on, where that is wanted and the service has calls to spare."""
        entry, state = self.pane.entry, self.listing.state
        if not self.settings.preview_in_detail or not self.pane.display or state is None:
            return
        if not isinstance(entry, StoredObject) or self.pane.has_head(entry):
            return
        if state.provider.session.pace_used <= MAX_PACE_UNASKED and (source := self._source(entry)) is not None:
            self.screen.run_worker(self._show_quietly(entry, source), group="action beginning", exclusive=True)

    def _source(self, entry: StoredObject) -> StoredObject | None:
        """What can be read cheaply to show what an object is about: itself, or the transcript of its call."""
        if is_small_text(entry):
            return entry
        if part_of(entry) not in (CallPart.RECORDING, CallPart.VOICEMAIL, CallPart.SCREEN):
            return None
        call = [one for one in self.listing.of_call(entry) if is_small_text(one)]
        transcripts = sorted((one for one in call if part_of(one) is CallPart.TRANSCRIPT), key=speaker_rank)
        return next(iter(transcripts), None)

    async def _show_quietly(self, entry: StoredObject, source: StoredObject) -> None:
        try:
            await self._show(entry, source)
        except StorageError as error:
            # Nobody asked: a sentence in the pane, nothing over it.
            self.pane.show_head(entry, "PREVIEW", f"Its beginning cannot be shown: {plain(error.message)}.")

    async def _show(self, entry: StoredObject, source: StoredObject) -> None:
        preview = await self.objects.look_into(source)(READ)
        width = max(self.pane.content_region.width - 2, 20)
        if self._is_shown(entry):
            self.pane.show_head(entry, *_text(source, preview, render(preview, width), width))

    def _is_shown(self, entry: Entry) -> bool:
        return self.pane.entry is not None and identity(self.pane.entry) == identity(entry)


def _text(source: StoredObject, preview: Preview, shown: RenderedDocument, width: int) -> tuple[str, str]:
    """What it is, and its first lines."""
    lines = [] if isinstance(preview.body, Bytes) else shown.lines[:MAX_LINES]
    if isinstance(preview.body, Dialogue) and part_of(source) is CallPart.TRANSCRIPT:
        # What is said, without what is known of the call anyway.
        said = [line for line in lines[shown.above :] if line.hang]
        blank = min((len(line.text) - len(line.text.lstrip()) for line in said), default=0)
        return "TRANSCRIPT", "\n".join(part for line in said for part in _folded(line, blank, width))
    amount = "" if preview.is_whole else f", the first {words.size(preview.head)} of {words.size(preview.total)}"
    head = [shown.head] if lines and shown.head and not shown.above else []
    return f"{preview.format}{amount}; p shows more", "\n".join([*head, *(line.text for line in lines)])


def _folded(line: RenderedLine, blank: int, width: int) -> list[str]:
    """The lines of one turn, without the blanks before all of them."""
    indent = " " * max(min(line.hang - blank, width // 2), 0)
    return textwrap.wrap(line.text[blank:], max(width, 12), subsequent_indent=indent) or [""]
