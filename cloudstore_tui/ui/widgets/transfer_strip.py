"""Transfers at the foot of the screen, one line each."""

import locale
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.transfers.transfer import State, Transfer
from cloudstore_tui.ui.widgets.transfer_line import describe, line_text, rank, summary, title_text

MOST_LINES = 5
"""Lines shown at once; more would leave too little of the entries."""

_STYLES: dict[State, str] = {
    State.DONE: "transfer-strip--done",
    State.SKIPPED: "transfer-strip--done",
    State.FAILED: "transfer-strip--failed",
    State.CANCELLED: "transfer-strip--waiting",
    State.WAITING: "transfer-strip--waiting",
    State.QUEUED: "transfer-strip--waiting",
}


class TransferStrip(Widget, can_focus=True):
    """Shows snapshots of transfers: what runs first, then what waits, what failed, what is done."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TransferStrip {
        height: auto; display: none;
        border-top: solid $border-blurred; border-title-align: left; border-title-color: $foreground;
        &:focus { border-top: solid $border; border-title-color: $border; }
        .transfer-strip--running { color: $text-primary; }
        .transfer-strip--waiting { color: $text-warning; }
        .transfer-strip--done { color: $text-success; }
        .transfer-strip--failed { color: $text-error; }
        .transfer-strip--cursor { text-style: bold reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transfer-strip--running",
        "transfer-strip--waiting",
        "transfer-strip--done",
        "transfer-strip--failed",
        "transfer-strip--cursor",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel", tooltip="Stop this transfer", id="transfers.cancel"),
        Binding("r", "retry", "Retry", tooltip="Try this transfer again", id="transfers.retry"),
        Binding("c", "clear", "Clear", tooltip="Take all that ended off the list", id="transfers.clear"),
        Binding("enter", "open", "Show", tooltip="Show the whole path or error", id="transfers.open"),
        Binding("j,down", "move(1)", "Down", show=False, tooltip="Next transfer", id="transfers.down"),
        Binding("k,up", "move(-1)", "Up", show=False, tooltip="Transfer before", id="transfers.up"),
    ]

    @dataclass
    class Cancelled(Message):
        """The user wants a transfer stopped."""

        id: int

    @dataclass
    class Retried(Message):
        """The user wants a transfer tried again."""

        id: int

    class Cleared(Message):
        """The user wants all that ended off the list."""

    @dataclass
    class Opened(Message):
        """The user wants to read everything about a transfer."""

        title: str
        text: str

    def __init__(self, *, id: str | None = None, ascii_only: bool | None = None) -> None:  # noqa: A002 - as Textual's
        super().__init__(id=id)
        self._transfers: tuple[Transfer, ...] = ()
        self._lines: list[tuple[str, str]] = []
        self._cursor_id: int | None = None
        self._first = 0
        is_plain = "utf" not in locale.getpreferredencoding(False).lower()
        self._marks = "#." if (is_plain if ascii_only is None else ascii_only) else "█░"

    @property
    def transfer(self) -> Transfer | None:
        """The one under the cursor."""
        return self._transfers[self._cursor] if self._transfers else None

    def show(self, transfers: Sequence[Transfer]) -> None:
        """Show this snapshot, repainting only the lines whose text changed."""
        self._transfers = tuple(sorted(transfers, key=rank))
        height = min(len(self._transfers), MOST_LINES)
        if self._cursor_id is None and self._transfers:
            self._cursor_id = self._transfers[0].id
        self.display = height > 0
        if self.styles.height is None or self.styles.height.value != height + 1:
            self.styles.height = height + 1
        title = summary(self._transfers)
        if self.border_title != title:
            self.border_title = title
        self._draw()

    def on_resize(self) -> None:
        """Elide names anew."""
        self._draw()

    def on_focus(self) -> None:
        """The cursor is seen only here."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is seen only where keys go."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One transfer."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        text, component = self._lines[y]
        style = self.rich_style + self.get_component_rich_style(component, partial=True)
        if self.has_focus and self._first + y == self._cursor:
            style += self.get_component_rich_style("transfer-strip--cursor", partial=True)
        return Strip([Segment(text, style)], self.size.width)

    def action_move(self, step: int) -> None:
        """Go to the next transfer, or the one before."""
        if not self._transfers:
            return
        index = min(max(self._cursor + step, 0), len(self._transfers) - 1)
        self._cursor_id = self._transfers[index].id
        self._draw()
        self.refresh()

    def action_cancel(self) -> None:
        """Ask for a stop of the transfer under the cursor."""
        if self.transfer is not None and not self.transfer.state.ended:
            self.post_message(self.Cancelled(self.transfer.id))

    def action_retry(self) -> None:
        """Ask for another try of the transfer under the cursor."""
        if self.transfer is not None and self.transfer.state in (State.FAILED, State.CANCELLED):
            self.post_message(self.Retried(self.transfer.id))

    def action_clear(self) -> None:
        """Ask for a list without what ended."""
        self.post_message(self.Cleared())

    def action_open(self) -> None:
        """Ask for a page about the transfer under the cursor."""
        if self.transfer is not None:
            self.post_message(self.Opened(title_text(self.transfer), describe(self.transfer)))

    @property
    def _cursor(self) -> int:
        found = (index for index, transfer in enumerate(self._transfers) if transfer.id == self._cursor_id)
        return next(found, 0)

    def _draw(self) -> None:
        """Put the window of lines together, and repaint those that are new."""
        width = self.size.width
        last_first = max(len(self._transfers) - MOST_LINES, 0)
        self._first = min(max(self._first, self._cursor - MOST_LINES + 1), self._cursor, last_first)
        window = self._transfers[self._first : self._first + MOST_LINES]
        lines = [
            (line_text(transfer, width, self._marks), _STYLES.get(transfer.state, "transfer-strip--running"))
            for transfer in window
        ]
        old, self._lines = self._lines, lines
        changed = [index for index, line in enumerate(lines) if index >= len(old) or old[index] != line]
        if changed:
            self.refresh(*(Region(0, index, width, 1) for index in changed))
