"""Messages to the user, one sentence at a time in the line above the footer; and the boundary that catches errors."""

import logging
import traceback
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from msgspec import Struct
from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel
from textual.signal import Signal
from textual.worker import WorkerFailed

from cloudstore_tui.core.errors import StorageError, origin
from cloudstore_tui.ui.text import plain

LONGEST = 600
"""Longest message, in characters."""
MAX_KEPT = 200
"""Messages kept for the list of earlier ones."""
MIN_SHOWN_S: dict[SeverityLevel, float] = {"information": 5, "warning": 10, "error": 15}
"""Seconds that a message stays at least; the first key after that removes it. Nothing disappears by itself."""


class Notice(Struct, frozen=True):
    """One message; not yet safe to draw."""

    text: str
    severity: SeverityLevel
    at: datetime


class Messages:
    """Keeps all messages and shows the newest.

    A message belongs to the screen and place where it appeared. It follows the user to another screen or place only
    if no key was pressed since, as it is then about what that last key did.
    """

    def __init__(self, app: App[Any]) -> None:
        self.kept: deque[Notice] = deque(maxlen=MAX_KEPT)
        """Oldest first."""
        self.shown: Notice | None = None
        self.changed: Signal[Notice | None] = Signal(app, "messages changed")
        self._since = 0.0
        self._had_input = False

    def add(self, text: str, severity: SeverityLevel) -> None:
        """Show a sentence instead of the current one."""
        notice = Notice(text, severity, datetime.now(UTC))
        self.kept.append(notice)
        self._since, self._had_input = monotonic(), False
        self._show(notice)

    def record(self, text: str, severity: SeverityLevel) -> None:
        """Keep a sentence that is shown elsewhere on the screen."""
        self.kept.append(Notice(text, severity, datetime.now(UTC)))

    def on_input(self) -> None:
        """Remove the message if it was shown long enough; called for every key and click."""
        self._had_input = True
        if self.shown is not None and monotonic() - self._since >= MIN_SHOWN_S[self.shown.severity]:
            self._show(None)

    def on_screen_change(self) -> None:
        """Another screen came to the top."""
        self._show(None if self._had_input else self.shown)

    def on_place_change(self) -> None:
        """The screen shows another place: drop messages about the previous one, but keep errors."""
        if self.shown is not None and self.shown.severity != "error":
            self.on_screen_change()

    def _show(self, notice: Notice | None) -> None:
        self.shown = notice
        self.changed.publish(notice)


def sentence(error: StorageError) -> str:
    """An error as one line that is safe to draw: what went wrong, with what, and what to do."""
    return plain(str(error), LONGEST)


def report(node: DOMNode, error: StorageError) -> None:
    """Show an error."""
    notify_plain(node, str(error), "error")


def notify_plain(node: DOMNode, text: str, severity: SeverityLevel = "information") -> None:
    """Show a sentence, which may hold remote text, on the top screen."""
    node.app.notify(plain(text, LONGEST), severity=severity, markup=False)


def messages_of(node: DOMNode) -> Messages | None:
    """The messages of the app; `None` in the bare apps of widget tests."""
    return getattr(node.app, "messages", None)


def record_message(node: DOMNode, text: str, severity: SeverityLevel) -> None:
    """Add a sentence that is shown elsewhere to the list of earlier messages."""
    if messages := messages_of(node):
        messages.record(plain(text, LONGEST), severity)


def show_warnings(node: DOMNode, warnings: Iterable[str]) -> None:
    """Show the warnings of a page."""
    for text in warnings:
        notify_plain(node, text, "warning")


def join_clauses(parts: Sequence[str]) -> str:
    """Join clauses to one sentence."""
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


LOG = logging.getLogger(__name__)

REPEAT_AFTER_S = 15.0
"""Seconds before the same error is shown again, as it may recur with every frame."""

_CALLBACK_RUNNERS = frozenset({"_flush_next_callbacks", "_invoke_and_clear_callbacks", "_tick"})
"""Textual methods that run callbacks and timers."""

_dispatch = MessagePump._dispatch_message  # noqa: SLF001  # runs every handler of every widget


class Boundary:
    """Shows errors, and collects those that are bugs."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._shown: dict[str, float] = {}
        self.bugs: list[BaseException] = []
        """Bugs that have shown up in this run."""

    def catch(self, error: BaseException) -> None:
        """Show an error. Anything but a `StorageError` is a bug, and is logged as well."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if isinstance(error, StorageError):
            self._show(str(error))
            return
        self.bugs.append(error)
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        # Without its message, which may contain secrets.
        LOG.error("%s\n%s", type(error).__name__, frames)
        self._show(f"Internal error ({origin(error)}). The program goes on; please report this.")

    def _show(self, sentence: str) -> None:
        now = monotonic()
        if now - self._shown.get(sentence, -REPEAT_AFTER_S) >= REPEAT_AFTER_S:
            self._shown[sentence] = now
            notify_plain(self._app, sentence, "error")


def is_of_callback(error: BaseException) -> bool:
    """Whether it was raised in a callback or timer."""
    return any(frame.f_code.co_name in _CALLBACK_RUNNERS for frame, _ in traceback.walk_tb(error.__traceback__))


def install_boundary() -> None:
    """Keep errors in message handlers from ending the app, if it has a boundary."""
    setattr(MessagePump, "_dispatch_message", _guarded_dispatch)  # noqa: B010  # Textual has no hook for this


async def _guarded_dispatch(pump: MessagePump, message: Message) -> None:
    try:
        await _dispatch(pump, message)
    except Exception as error:
        boundary = getattr(pump.app, "boundary", None)
        # If the app itself cannot start, there is nothing to go on with.
        begins = pump is pump.app and isinstance(message, events.Compose | events.Mount | events.Load)
        if begins or not isinstance(boundary, Boundary):
            raise
        boundary.catch(error)
