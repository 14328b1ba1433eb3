"""What to do with a recording that is not heard here."""

import shlex
import socket
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.ui.clipboard import copy_text, is_local
from cloudstore_tui.ui.dialogs.dialog import Dialog, Note, button
from cloudstore_tui.ui.text import show


class ListenWay(StrEnum):
    """How to listen all the same."""

    LINK = "link"
    OPEN = "open"


def why_silent(environment: Mapping[str, str]) -> str:
    """Why no sound of this program could be heard, as a sentence; empty if it could, for all that is known."""
    if environment.get("CLOUDSTORE_SOUND", "") == "off":
        return "Sound is off: CLOUDSTORE_SOUND says so."
    if not environment.get("CLOUDSTORE_SOUND") and not is_local(environment):
        return "This program runs on another machine than yours, so you would not hear it."
    return ""


def stream_line(address: str) -> str:
    """The command for the user's own machine that plays a recording while it is fetched."""
    there = shlex.quote(f"cloudstore get {shlex.quote(address)} --to -")
    return f"ssh {shlex.quote(socket.gethostname())} {there} | mpv -"


class ListenDialog(Dialog[ListenWay | None]):
    """Says why, and offers a link, another program, and a command for the user's own machine."""

    DEFAULT_CSS = "ListenDialog #line { margin-top: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "link", "Link", tooltip="Ask for a signed link, show and copy it", id="listen.link"),
        Binding("e", "open", "Open", tooltip="Open a copy in another program", id="listen.open"),
        Binding("c", "copy", "Copy command", tooltip="Copy the command", id="listen.copy"),
    ]

    def __init__(self, why: str, address: str, *, program: str, links: bool) -> None:
        """Make it.

        Args:
            why: why nothing is heard, as a sentence.
            address: of the recording.
            program: what could open a copy on this machine; empty where nothing can.
            links: whether the service signs links.
        """
        super().__init__("Listen elsewhere", harmless=None)
        self._why = why
        self._line = stream_line(address)
        self._program = program
        self._links = links

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done."""
        possible = {"link": self._links, "open": bool(self._program)}
        return possible.get(action, True) and super().check_action(action, parameters)

    def compose_body(self) -> ComposeResult:
        """Why, and the command."""
        yield Static(show(self._why))
        if not self._program:
            yield Static("Nothing on this machine plays it either.", classes="dialog-note")
        yield Static(Content("On your own machine:"), classes="dialog-note")
        yield Static(show(self._line), id="line")
        yield Note(widget_id="copied")

    def compose_buttons(self) -> ComposeResult:
        """Close, then the ways."""
        yield button("Close", "cancel")
        if self._links:
            yield button("Link", "link")
        if self._program:
            yield button(f"Open with {self._program}", "open")
        yield button("Copy command", "copy")

    def action_link(self) -> None:
        """Ask for a link."""
        self.dismiss(ListenWay.LINK)

    def action_open(self) -> None:
        """Open a copy."""
        self.dismiss(ListenWay.OPEN)

    def action_copy(self) -> None:
        """Copy the command."""
        self.query_one("#copied", Note).say(copy_text(self.app, self._line))
