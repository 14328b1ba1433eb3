"""The screen of all restores."""

from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from typing import ClassVar

from rich.cells import set_cell_size
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.restores import RestoreRequest, RestoreStatus, utc_now
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import ExplainingScreen
from cloudstore_tui.ui.dialogs.dialog import DialogList
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.restore_text import describe, summary
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.widgets.chrome import StatusBar

POLL_S = 5.0
"""Seconds between reads of the list, while this screen is on top."""

_MARKS = {
    RestoreStatus.WAITING: "…",
    RestoreStatus.ASKING: "…",
    RestoreStatus.RESTORING: "⟳",
    RestoreStatus.UNKNOWN: "?",
    RestoreStatus.READY: "●",
    RestoreStatus.FETCHED: "✓",
    RestoreStatus.FAILED: "✗",
}
_EMPTY = "No restores yet. Press B on an archived file."
_STATE, _SIZE = 10, 9
"""Cells of these columns."""
_NAME, _ABOUT = 48, 40
"""Most cells of a name, and least of its description, if both fit."""


class RestoresScreen(ExplainingScreen[None]):
    """Lists restores, downloads what is ready, and removes entries."""

    CSS = """
    RestoresScreen {
        #heads { height: 2; border-top: solid $border-blurred; }
        #restores {
            height: 1fr; border: none; padding: 0; background: $background; background-tint: $foreground 0%;
        }
    }
    """
    AUTO_FOCUS = "#restores"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "download", "Download", tooltip="Download all that is ready", id="restores.download"),
        Binding("x", "forget", "Forget", tooltip="Remove from the list; the restore goes on", id="restores.forget"),
        Binding("r,f5", "refresh", "Refresh", tooltip="Ask the service again", id="restores.refresh"),
        Binding("escape,Q,q", "close", "Back", tooltip="Back to where you were", id="restores.close"),
    ]

    def __init__(self, restores: RestoreWatch, zone: tzinfo) -> None:
        super().__init__()
        self._restores = restores
        self._zone = zone
        self._requests: tuple[RestoreRequest, ...] = ()
        self._lines: list[str] = []

    def compose(self) -> ComposeResult:
        yield StatusBar(id="heads")
        yield DialogList(widget_id="restores")

    async def on_mount(self) -> None:
        await self.read()
        self.set_interval(POLL_S, self._read_again)

    async def read(self) -> None:
        try:
            self._requests = await self._restores.requests()
        except StorageError as error:
            # In the header, not as a message: the next read may fail in the same way.
            self.header.show(["Restores"], error.message)
            return
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        now, width = utc_now(), self.size.width
        self.header.show(["Restores"], summary(self._requests, now))
        heads = _columns("  What", "State", "Size", "", width)[1:] if self._requests else ""
        self.query_one("#heads", StatusBar).set_text(heads)
        lines = [_line(request, self._zone, now, width) for request in self._requests]
        if lines != self._lines or not lines:
            self._lines = lines
            options = self.query_one(DialogList)
            options.show(list(map(Content, lines)), options.highlighted or 0, empty=f" {_EMPTY}")
            self.refresh_bindings()

    def refusal(self, action: str) -> str:
        if action in ("download", "forget", "refresh") and not self._requests:
            return _EMPTY
        if action == "download" and not any(one.can_be_fetched(utc_now()) for one in self._requests):
            return "Nothing is ready yet."
        return ""

    def action_download(self) -> None:
        count = self._restores.download(self._requests)
        notify_plain(self, f"Download of {counted(count, 'object')}.")

    def action_forget(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._requests):
            location = self._requests[at].location
            self._do(lambda: self._restores.forget([location]))

    def action_refresh(self) -> None:
        self._do(self._restores.poll)

    @work(group="work")
    async def _do(self, wanted: Callable[[], Awaitable[None]]) -> None:
        try:
            await wanted()
        finally:
            await self.read()

    @work(group="read", exclusive=True)
    async def _read_again(self) -> None:
        if self.is_current:
            await self.read()


def _line(request: RestoreRequest, zone: tzinfo, now: datetime, width: int) -> str:
    word = "expired" if request.has_expired(now) else request.status.value
    what, size = f"{_MARKS[request.status]} {plain(request.title or request.name)}", words.size(request.size)
    return _columns(what, word, size, plain(describe(request, zone, now)), width)


def _columns(what: str, state: str, size: str, about: str, width: int) -> str:
    """One line of columns."""
    room = width - _STATE - _SIZE
    left = max(min(room - _ABOUT, _NAME), room // 3, _STATE)
    line = f"{_cut(what, left)}  {_cut(state, _STATE)}{size:>{_SIZE}}  {about}"
    return _cut(line, max(width - 2, 1)).rstrip()


def _cut(text: str, width: int) -> str:
    return set_cell_size(shorten(text, width), width)
