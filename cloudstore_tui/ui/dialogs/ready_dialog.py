"""Archived objects that are back."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.restores import RestoreRequest
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.question_dialog import QuestionDialog
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show

NAMES = 5
"""Names shown; the rest is counted."""


class ReadyDialog(QuestionDialog):
    """Offers to download them now, before the copies go again."""

    def __init__(self, requests: Sequence[RestoreRequest], zone: tzinfo = UTC) -> None:
        verb = "is" if len(requests) == 1 else "are"
        title = f"{counted(len(requests), 'archived object')} {verb} back. Download now?"
        super().__init__(title, yes="Download now", no="Later")
        self._requests = requests
        self._zone = zone

    def compose_body(self) -> ComposeResult:
        """Which, how much, until when."""
        for request in self._requests[:NAMES]:
            yield Static(Content("  ") + show(request.name), classes="dialog-name")
        if len(self._requests) > NAMES:
            yield Static(Content(f"  and {len(self._requests) - NAMES:,} more"), classes="dialog-note")
        parts = [words.size(sum(request.size or 0 for request in self._requests))]
        if ends := [request.expires for request in self._requests if request.expires is not None]:
            parts.append(f"here until {words.full_time(min(ends), self._zone)} at least")
        yield Static(Content(", ".join(parts)))
        yield Static("Later: Q shows all restores.", classes="dialog-note", markup=False)
