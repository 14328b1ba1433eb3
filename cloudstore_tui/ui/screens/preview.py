"""What is in an object, on a screen of its own."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.model import HEAD, MAX_HEAD, Preview, Table, Waveform
from cloudstore_tui.preview.render import render
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.report import report, sentence, tell
from cloudstore_tui.ui.widgets.preview_bar import PreviewBar
from cloudstore_tui.ui.widgets.preview_view import PreviewView

_MORE = 4
"""How many times as much is read when more is wanted."""


class PreviewScreen(BaseScreen[bool]):
    """Reads the beginning of an object and shows it; answers whether the user wants it downloaded."""

    CSS_PATH = "preview.tcss"
    AUTO_FOCUS = "#preview"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "more", "More", id="preview.more", tooltip="Read more bytes"),
        Binding("slash", "search", "Search", id="preview.search", tooltip="Search in what is shown"),
        Binding("y", "copy('line')", "Copy", id="preview.copy", tooltip="Copy the line under the cursor"),
        Binding("Y", "copy('all')", "Copy all", id="preview.copy_all", show=False, tooltip="Copy everything shown"),
        Binding("d", "download", "Download", id="preview.download", tooltip="Download this object"),
        Binding("e,f4", "open", "Open", id="preview.open", tooltip="Open a copy in another program"),
        Binding("escape", "back", "Back", id="preview.back", show=False, tooltip="Stop reading, or close this"),
        Binding("q,p,f3", "close", "Close", id="preview.close", tooltip="Back to where you were"),
    ]

    def __init__(self, entry: StoredObject, actions: ObjectActions) -> None:
        super().__init__()
        self._entry = entry
        self._actions = actions
        self._look_into = actions.look_into(entry)
        self._preview: Preview | None = None
        self._wanted = HEAD
        self._state = ""
        self.view = PreviewView(id="preview")
        self.bar = PreviewBar(id="search")

    def compose(self) -> ComposeResult:
        """The lines, what is searched."""
        yield self.view
        yield self.bar

    def on_mount(self) -> None:
        """Read."""
        self._read(HEAD)

    def on_resize(self) -> None:
        """Draw a waveform as wide as the screen."""
        if self._preview is not None and isinstance(self._preview.body, Waveform):
            self._redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer more only where there is more."""
        if action == "more":
            return self._preview is not None and self._preview.is_partial
        return super().check_action(action, parameters)

    def action_more(self) -> None:
        """Read more from the beginning."""
        if self._wanted >= MAX_HEAD:
            tell(self, f"More than {words.size(MAX_HEAD)} is not shown; d downloads the object.", "warning")
        else:
            self._read(min(self._wanted * _MORE, MAX_HEAD))

    def action_search(self) -> None:
        """Type what to search."""
        self.bar.open()

    def action_copy(self, what: str) -> None:
        """Copy the line under the cursor, or all of them."""
        lines = [self.view.line_text] if what == "line" else [line.text for line in self.view.document.lines]
        tell(self, copy_text(self.app, "\n".join(lines)))

    def action_download(self) -> None:
        """Leave to download it."""
        self.dismiss(True)

    @work(group="open", exclusive=True)
    async def action_open(self) -> None:
        """Open a copy in another program, and come back here."""
        await self._actions.open(self._entry, self._say)

    def action_back(self) -> None:
        """Give up reading; the second time, and when nothing is read, close."""
        if not self.stop():
            self.dismiss(False)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(False)

    def remask(self) -> None:
        """Make the lines again: the mask was turned."""
        self._entitle(self._state)
        self._redraw()

    def stop(self) -> bool:
        """Give up what is being read; whether something was."""
        if self.workers.cancel_group(self, "open"):
            return True
        if not self.workers.cancel_group(self, "read"):
            return False
        self._wanted = self._shown
        self._entitle("stopped")
        if self._preview is None:
            self.view.say("Nothing was read. Esc goes back.")
        return True

    @on(PreviewBar.Asked)
    def search(self, event: PreviewBar.Asked) -> None:
        """Go to what is searched."""
        self.view.focus()
        if event.text is not None and not self.view.search(event.text) and event.text:
            tell(self, f"{event.text} is not in what is shown.", "warning")

    @on(PreviewView.Moved)
    def follow(self) -> None:
        """Say where the cursor is."""
        self._entitle(self._state)

    def _say(self, text: str) -> None:
        self._entitle(text or (_state(self._preview) if self._preview is not None else ""))

    @property
    def _shown(self) -> int:
        """How many bytes from the beginning were wanted for what is shown."""
        return max(self._preview.head, HEAD) if self._preview is not None else HEAD

    def _read(self, wanted: int) -> None:
        self._wanted = wanted
        self._entitle("reading… Esc stops")
        if self._preview is None:
            self.view.say("Reading… Esc stops")
        self._fetch(wanted)

    @work(group="read", exclusive=True)
    async def _fetch(self, wanted: int) -> None:
        try:
            preview = await self._look_into(wanted)
        except StorageError as error:
            self._wanted = self._shown
            self._entitle("not read")
            if self._preview is None:
                self.view.say(sentence(error))
            report(self, error)
            return
        is_first, self._preview = self._preview is None, preview
        await self._draw(preview, stay=not is_first)
        self._entitle(_state(preview))
        self.refresh_bindings()

    @work(group="draw", exclusive=True)
    async def _redraw(self) -> None:
        if self._preview is not None:
            await self._draw(self._preview, stay=True)

    async def _draw(self, preview: Preview, *, stay: bool) -> None:
        if isinstance(preview.body, Table):
            MASK.learn_table(preview.body.header, preview.body.rows)
        # Thousands of lines take a moment, and the screen must not wait for them.
        self.view.show(await asyncio.to_thread(render, preview, self.size.width - 4), stay=stay)

    def _entitle(self, state: str) -> None:
        self._state = state
        lines = len(self.view.document.lines)
        where = f"line {self.view.line + 1:,} of {lines:,}" if lines else ""
        self.header.show([self._entry.name], " · ".join(part for part in (state, where) if part))


def _state(preview: Preview) -> str:
    """Format, encoding, and how much is shown."""
    total = words.size(preview.total)
    if preview.is_whole:
        amount = f"all {total}"
    elif preview.is_sampled:
        amount = f"{words.size(preview.fetched)} of {total or 'more'} read"
    elif preview.total is not None:
        amount = f"first {words.size(preview.head)} of {total}"
    else:
        amount = f"first {words.size(preview.head)}"
    return " · ".join(part for part in (preview.format, preview.encoding, amount) if part)
