"""A signed link, to be copied."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.core.links import LONGEST_LINK, SignedLink
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.dialogs.dialog import Dialog, Note, button
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.terminal.access import show_alone
from cloudstore_tui.ui.text import plain, show

RETURN = "Select the link with the mouse. Any key returns."


def _now() -> datetime:
    return datetime.now(UTC)


class LinkDialog(Dialog[None]):
    """Shows the whole link and copies it at once; as plain text on an empty screen when asked."""

    AUTO_FOCUS = "#cancel"
    DEFAULT_CSS = "LinkDialog #url { margin-top: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", tooltip="Send the link to your terminal's clipboard again", id="link.copy"),
        Binding(
            "v",
            "plain",
            "Plain view",
            tooltip="Show nothing but the link, to select it with the mouse",
            id="link.plain",
        ),
        Binding("q", "cancel", "Close", show=False, tooltip="Close the link", id="link.close"),
    ]

    def __init__(self, address: str, link: SignedLink, zone: tzinfo = UTC, now: Callable[[], datetime] = _now) -> None:
        super().__init__(Content("Link to ") + show(address), harmless=None)
        self._link = link
        self._zone = zone
        self._now = now

    def compose_body(self) -> ComposeResult:
        """The link, how long it lives, and what it means to have it."""
        yield Note(widget_id="life")
        yield Note("Anyone with this link can download the file until it expires.")
        note = Note(widget_id="note")
        note.say(show(self._link.note))
        yield note
        yield Note(widget_id="copied")
        yield Static(show(self._link.url.reveal(), LONGEST_LINK), id="url")

    def compose_buttons(self) -> ComposeResult:
        """Close, copy, plain."""
        yield button("Close", "cancel")
        yield button("Copy", "copy")
        yield button("Plain view", "plain")

    def on_mount(self) -> None:
        """Copy at once, and keep the minutes true."""
        self.action_copy()
        self._show_life()
        # Once a minute: a clock with seconds would repaint for ever while nobody does anything.
        self.set_interval(60, self._show_life)
        left = (self._link.expires - self._now()).total_seconds()
        if 0 < left < timedelta(days=1).total_seconds():
            self.set_timer(left, self._show_life)

    def action_copy(self) -> None:
        """Send the link to the clipboard."""
        self.query_one("#copied", Note).say(copy_text(self.app, self._link.url.reveal()))

    def action_plain(self) -> None:
        """Leave the terminal to the link alone: it can be selected in one piece there, however long it is."""
        if not show_alone(self.app, plain(self._link.url.reveal(), LONGEST_LINK), RETURN):
            tell(self, "There is no terminal to show it in.", "warning")

    def _show_life(self) -> None:
        left = self._link.expires - self._now()
        end = words.full_time(self._link.expires, self._zone)
        if left <= timedelta(0):
            text = f"This link expired at {end}. Close this and ask for a new one."
        else:
            text = f"Expires in {_span(left)} ({end})."
        self.query_one("#life", Note).say(text)


def _span(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
