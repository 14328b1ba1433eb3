"""All that was asked for, on a screen of its own."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, tzinfo
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.restores import RestoreRequest, RestoreStatus, utc_now
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.restore_text import describe, summary
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.text import plain, show

LOOK_ROUND = 5.0
"""Seconds between readings of the list, while this screen is in front; nothing is drawn where nothing changed."""

_MARKS = {
    RestoreStatus.WAITING: "…",
    RestoreStatus.ASKING: "…",
    RestoreStatus.RESTORING: "~",
    RestoreStatus.UNKNOWN: "?",
    RestoreStatus.READY: "+",
    RestoreStatus.FETCHED: "=",
    RestoreStatus.FAILED: "!",
}
_EMPTY = "No restores yet. Press B on an archived file."


class RestoresScreen(BaseScreen[None]):
    """Shows the list, fetches what is ready, and takes off what nobody waits for."""

    CSS_PATH = "restores.tcss"
    AUTO_FOCUS = "#restores"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "download", "Download", tooltip="Download all that is ready", id="restores.download"),
        Binding("x", "forget", "Forget", tooltip="Take this off the list; the service goes on", id="restores.forget"),
        Binding("r,f5", "refresh", "Refresh", tooltip="Ask the service about all of them", id="restores.refresh"),
        Binding("j", "move(1)", "Down", show=False, tooltip="One row down", id="restores.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="One row up", id="restores.up"),
        Binding("escape,Q,q", "close", "Back", tooltip="Back to where you were", id="restores.close"),
    ]

    def __init__(self, restores: RestoreWatch, zone: tzinfo) -> None:
        super().__init__()
        self._restores = restores
        self._zone = zone
        self._requests: tuple[RestoreRequest, ...] = ()
        self._lines: list[str] = []

    def compose(self) -> ComposeResult:
        """The list."""
        yield OptionList(id="restores", markup=False, compact=True)

    async def on_mount(self) -> None:
        """Show what there is, and follow it."""
        await self.read()
        self.set_interval(LOOK_ROUND, self._read_again)

    async def read(self) -> None:
        """Read the list, and show what changed."""
        try:
            self._requests = await self._restores.requests()
        except StorageError as error:
            # In place of the numbers: it is tried again in a moment, and says the same.
            self.header.show(["Restores"], error.message)
            return
        now = utc_now()
        self.header.show(["Restores"], summary(self._requests, now))
        lines = [_line(request, self._zone, now) for request in self._requests]
        if [line.plain for line in lines] != self._lines or not self._requests:
            self._lines = [line.plain for line in lines]
            self._show(lines)

    def action_download(self) -> None:
        """Download all that is ready."""
        count = self._restores.download(self._requests)
        if count:
            tell(self, f"Download of {counted(count, 'object')}.")
        else:
            tell(self, "Nothing is ready yet.", "warning")

    def action_forget(self) -> None:
        """Take the request under the cursor off the list."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._requests):
            location = self._requests[at].location
            self._do(lambda: self._restores.forget([location]))

    def action_refresh(self) -> None:
        """Ask the service."""
        self._do(self._restores.look)

    def action_move(self, step: int) -> None:
        """Go to the next request, or to the one before."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.run_worker(self._done(work), group="work", exclusive=False)

    async def _done(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        finally:
            await self.read()

    def _read_again(self) -> None:
        if self.is_current:
            self.run_worker(self.read(), group="read", exclusive=True)

    def _show(self, lines: Sequence[Content]) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted or 0
        options.clear_options()
        options.add_options(lines or [Option(_EMPTY, disabled=True)])
        options.highlighted = min(at, len(lines) - 1) if lines else None


def _line(request: RestoreRequest, zone: tzinfo, now: datetime) -> Content:
    word = "expired" if request.is_over(now) else request.status.value
    head = f"{_MARKS[request.status]} {word:9}  {words.size(request.size):>9}  "
    return Content.assemble(head, plain(describe(request, zone, now)), "  ", show(request.name))
