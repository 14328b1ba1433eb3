"""Dialogs with texts to copy: a signed link, a command that plays a recording elsewhere, the FIQL of a search."""

import os
import shlex
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.core.links import MAX_LINK_LENGTH, SignedLink
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.clipboard import copy_text, is_local
from cloudstore_tui.ui.dialogs.dialog import Dialog
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.terminal.driver import show_alone
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import Note

RETURN = "Select the link with the mouse. Any key returns."


def _now() -> datetime:
    return datetime.now(UTC)


class LinkDialog(Dialog[None]):
    """Shows a link and copies it at once; `v` shows it alone, to be selected with the mouse."""

    AUTO_FOCUS = "#cancel"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Close", "copy": "Copy", "plain": "Plain view"}
    DEFAULT_CSS = "LinkDialog #url { margin-top: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", tooltip="Copy the link again", id="link.copy"),
        Binding(
            "v",
            "plain",
            "Plain view",
            tooltip="Show nothing but the link, to select it with the mouse",
            id="link.plain",
        ),
    ]

    def __init__(self, title: str, link: SignedLink, zone: tzinfo = UTC, now: Callable[[], datetime] = _now) -> None:
        super().__init__(Content("Link to ") + show(title), harmless=None)
        self._link = link
        self._zone = zone
        self._now = now

    def compose_body(self) -> ComposeResult:
        yield Note(widget_id="life")
        yield Note("Anyone with this link can download the file until it expires.", widget_id="reach")
        note = Note(widget_id="note")
        note.set_text(show(self._link.note))
        yield note
        yield Note(widget_id="copied")
        yield Static(show(self._link.url.reveal(), MAX_LINK_LENGTH), id="url")

    def on_mount(self) -> None:
        self.action_copy()
        self._show_life()
        # Once a minute, as nothing may be redrawn every second while idle.
        self.set_interval(60, self._show_life)
        left = (self._link.expires - self._now()).total_seconds()
        if 0 < left < timedelta(days=1).total_seconds():
            self.set_timer(left, self._show_life)

    def action_copy(self) -> None:
        self.query_one("#copied", Note).set_text(copy_text(self.app, self._link.url.reveal()))

    def action_plain(self) -> None:
        """Show only the link, so that it can be selected in one piece however long it is."""
        if not show_alone(self.app, plain(self._link.url.reveal(), MAX_LINK_LENGTH), RETURN):
            notify_plain(self, "There is no terminal to show it in.", "warning")

    def _show_life(self) -> None:
        left = self._link.expires - self._now()
        end = words.full_time(self._link.expires, self._zone)
        if left <= timedelta(0):
            text = f"This link expired at {end}. Close this and ask for a new one."
            for name in ("#reach", "#copied"):
                self.query_one(name, Note).set_text("")
        else:
            text = f"Expires in {words.span(left)} ({end})."
        self.query_one("#life", Note).set_text(text)


class ListenWay(StrEnum):
    """How to listen elsewhere."""

    LINK = "link"
    OPEN = "open"


def why_silent(environment: Mapping[str, str]) -> str:
    """Why the user could not hear sound from this program, as a sentence; empty if nothing is known against it."""
    if environment.get("CLOUDSTORE_SOUND", "") == "off":
        return "Sound is off: CLOUDSTORE_SOUND says so."
    if not environment.get("CLOUDSTORE_SOUND") and not is_local(environment):
        return "This program runs on another machine than yours, so you would not hear it."
    return ""


def stream_line(address: str) -> str:
    """A command that streams a recording to the user's own machine and plays it there."""
    command = shlex.quote(f"cloudstore get {shlex.quote(address)} --to -")
    return f"ssh {shlex.quote(socket.gethostname())} {command} | mpv -"


class ListenDialog(Dialog[ListenWay | None]):
    """Says why playback is impossible here, and offers a link, another program, or a command for the user's machine."""

    NEED_BUTTON = frozenset({"link", "open", "copy"})
    DEFAULT_CSS = "ListenDialog #line { margin-top: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "link", "Link", tooltip="Ask for a signed link, show and copy it", id="listen.link"),
        Binding("e", "open", "Open", tooltip="Open a copy in another program", id="listen.open"),
        Binding("c", "copy", "Copy command", tooltip="Copy the command", id="listen.copy"),
    ]

    def __init__(self, why: str, address: str, *, program: str, links: bool) -> None:
        """Offer other ways to listen.

        Args:
            why: why playback is impossible here, as a sentence.
            address: of the recording; empty if other runs of this program do not know it, as in the demo.
            program: can open a copy on this machine; empty if none can.
            links: whether the service signs links.
        """
        super().__init__("Listen elsewhere", harmless=None)
        self._why = why
        self._line = stream_line(address) if address else ""
        self._program = program
        self._links = links

    def compose_body(self) -> ComposeResult:
        yield Static(show(self._why))
        if not self._program and is_local(os.environ):
            yield Static("Nothing on this machine plays it either.", classes="dialog-note")
        if self._line:
            yield Static(Content("On your own machine:"), classes="dialog-note")
            yield Static(show(self._line), id="line")
        yield Note(widget_id="copied")

    @property
    def buttons(self) -> Mapping[str, str]:
        link = {"link": "Link"} if self._links else {}
        program = {"open": f"Open with {self._program}"} if self._program else {}
        copy = {"copy": "Copy command"} if self._line else {}
        return {"cancel": "Close", **link, **program, **copy}

    def action_link(self) -> None:
        self.dismiss(ListenWay.LINK)

    def action_open(self) -> None:
        self.dismiss(ListenWay.OPEN)

    def action_copy(self) -> None:
        self.query_one("#copied", Note).set_text(copy_text(self.app, self._line))


_LONGEST_FIQL = 5_000


class FiqlDialog(Dialog[None]):
    """Shows the FIQL that was sent."""

    AUTO_FOCUS = "#cancel"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Close", "copy": "Copy"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", tooltip="Copy the FIQL to your terminal's clipboard", id="fiql.copy"),
    ]

    def __init__(self, filter_: str, where: str, local: str = "") -> None:
        """Show the filter sent to `where`, and the part that was applied to loaded rows only."""
        super().__init__("FIQL of this search", harmless=None)
        self._filter = filter_
        self._where = where
        self._local = local

    def compose_body(self) -> ComposeResult:
        yield Static(show(self._filter or "no filter: everything that is available", _LONGEST_FIQL), id="filter")
        yield Note(plain(f"Sent to {self._where}."))
        if self._local:
            yield Note(plain(f"Looked for in the loaded rows: {self._local}."))
        yield Note(widget_id="copied")

    def action_copy(self) -> None:
        self.query_one("#copied", Note).set_text(copy_text(self.app, self._filter))
