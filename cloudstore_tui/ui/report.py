"""What is told to the user: one sentence at a time, in the line above the keys of the screen on top."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.signal import Signal

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui.text import plain

LONGEST = 600
"""Characters of one message."""
MAX_KEPT = 200
"""Messages that can be read again."""
MIN_SHOWN_S: dict[SeverityLevel, float] = {"information": 5, "warning": 10, "error": 15}
"""Seconds for which a message stays whatever is typed; then the next key takes it away. Nothing goes by itself."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was told; not yet safe to draw."""

    text: str
    severity: SeverityLevel
    at: datetime


class Messages:
    """All that was told, of which the newest is shown.

    It stays with the screen it was told on. To a screen that opens or closes it comes along only if no key was typed
    since: then it is about what the last key did.
    """

    def __init__(self, app: App[Any]) -> None:
        self.kept: deque[Notice] = deque(maxlen=MAX_KEPT)
        """All of them, oldest first."""
        self.shown: Notice | None = None
        """The one that is shown."""
        self.changed: Signal[Notice | None] = Signal(app, "messages changed")
        self._since = 0.0
        self._went_on = False

    def add(self, text: str, severity: SeverityLevel) -> None:
        """Show a sentence in place of the one before."""
        notice = Notice(text, severity, datetime.now(UTC))
        self.kept.append(notice)
        self._since, self._went_on = monotonic(), False
        self._show(notice)

    def go_on(self) -> None:
        """The user pressed a key or a button: what has been there for long enough goes."""
        self._went_on = True
        if self.shown is not None and monotonic() - self._since >= MIN_SHOWN_S[self.shown.severity]:
            self._show(None)

    def move(self) -> None:
        """Another screen is on top."""
        self._show(None if self._went_on else self.shown)

    def _show(self, notice: Notice | None) -> None:
        self.shown = notice
        self.changed.publish(notice)


def sentence(error: StorageError) -> str:
    """What went wrong, about what, and what can be done: one line that is safe to draw."""
    return plain(str(error), LONGEST)


def report(node: DOMNode, error: StorageError) -> None:
    """Tell of an error."""
    tell(node, str(error), "error")


def tell(node: DOMNode, text: str, severity: SeverityLevel = "information") -> None:
    """Tell the user a sentence, on the screen on top; it may hold remote text."""
    node.app.notify(plain(text, LONGEST), severity=severity, markup=False)


def tell_warnings(node: DOMNode, warnings: Iterable[str]) -> None:
    """Tell what a service or a provider wants to be known of a page."""
    for text in warnings:
        tell(node, text, "warning")


def listed(parts: Sequence[str]) -> str:
    """Clauses joined to one sentence."""
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."
