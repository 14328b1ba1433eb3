"""What is told to the user: one sentence at a time, in the line above the keys of the screen on top."""

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
"""Characters of one message."""
MAX_KEPT = 200
"""Messages that can be read again."""
MIN_SHOWN_S: dict[SeverityLevel, float] = {"information": 5, "warning": 10, "error": 15}
"""Seconds for which a message stays whatever is typed; then the next key takes it away. Nothing goes by itself."""


class Notice(Struct, frozen=True):
    """Something that was told; not yet safe to draw."""

    text: str
    severity: SeverityLevel
    at: datetime


class Messages:
    """All that was told, of which the newest is shown.

    It stays with the screen and place it was told on. To a screen that opens or closes, or another place, it comes
    along only if no key was typed since: then it is about what the last key did.
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

    def note(self, text: str, severity: SeverityLevel) -> None:
        """Keep a sentence that stands elsewhere on the screen."""
        self.kept.append(Notice(text, severity, datetime.now(UTC)))

    def go_on(self) -> None:
        """The user pressed a key or a button: what has been there for long enough goes."""
        self._went_on = True
        if self.shown is not None and monotonic() - self._since >= MIN_SHOWN_S[self.shown.severity]:
            self._show(None)

    def move(self) -> None:
        """Another screen is on top."""
        self._show(None if self._went_on else self.shown)

    def leave(self) -> None:
        """Another place is shown on the same screen: what the one before has told goes, unless that is an error."""
        if self.shown is not None and self.shown.severity != "error":
            self.move()

    def _show(self, notice: Notice | None) -> None:
        self.shown = notice
        self.changed.publish(notice)


def sentence(error: StorageError) -> str:
    """What went wrong, about what, and what can be done: one line that is safe to draw."""
    return plain(str(error), LONGEST)


def report(node: DOMNode, error: StorageError) -> None:
    """Tell of an error."""
    notify_plain(node, str(error), "error")


def notify_plain(node: DOMNode, text: str, severity: SeverityLevel = "information") -> None:
    """Tell the user a sentence, on the screen on top; it may hold remote text."""
    node.app.notify(plain(text, LONGEST), severity=severity, markup=False)


def messages_of(node: DOMNode) -> Messages | None:
    """The messages of its app; tests show widgets in apps that have none."""
    return getattr(node.app, "messages", None)


def note(node: DOMNode, text: str, severity: SeverityLevel) -> None:
    """Keep a sentence, to be read again among the messages, that the user is told in another place."""
    if messages := messages_of(node):
        messages.note(plain(text, LONGEST), severity)


def tell_warnings(node: DOMNode, warnings: Iterable[str]) -> None:
    """Tell what a service or a provider wants to be known of a page."""
    for text in warnings:
        notify_plain(node, text, "warning")


def listed(parts: Sequence[str]) -> str:
    """Clauses joined to one sentence."""
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


LOG = logging.getLogger(__name__)

AGAIN_S = 15.0
"""Seconds after which the same sentence is shown again: what fails with every frame is said once."""

_CALLERS = frozenset({"_flush_next_callbacks", "_invoke_and_clear_callbacks", "_tick"})
"""Methods of Textual's that call such things."""

_dispatch = MessagePump._dispatch_message  # noqa: SLF001  # every handler of every widget is called through it


class Boundary:
    """Tells the user of errors, and keeps those that are ours to mend."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._shown: dict[str, float] = {}
        self.mistakes: list[BaseException] = []
        """Errors of the program itself since its start."""

    def catch(self, error: BaseException) -> None:
        """Show an error. What is no error of the user's world is a mistake of ours: it is logged, too."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if isinstance(error, StorageError):
            self._show(str(error))
            return
        self.mistakes.append(error)
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        # Without the message: it may hold values that are secrets.
        LOG.error("%s\n%s", type(error).__name__, frames)
        self._show(f"The program made a mistake ({origin(error)}). It goes on; please report this.")

    def _show(self, sentence: str) -> None:
        now = monotonic()
        if now - self._shown.get(sentence, -AGAIN_S) >= AGAIN_S:
            self._shown[sentence] = now
            notify_plain(self._app, sentence, "error")


def is_of_callback(error: BaseException) -> bool:
    """Whether it comes of something that a screen left to be called after a refresh or after a time."""
    return any(frame.f_code.co_name in _CALLERS for frame, _ in traceback.walk_tb(error.__traceback__))


def install_boundary() -> None:
    """Let no error of a handler end the widget that it belongs to, in apps that have a boundary."""
    setattr(MessagePump, "_dispatch_message", _guarded_dispatch)  # noqa: B010  # a method of Textual's


async def _guarded_dispatch(pump: MessagePump, message: Message) -> None:
    try:
        await _dispatch(pump, message)
    except Exception as error:  # whatever it is
        boundary = getattr(pump.app, "boundary", None)
        # Without its first frame there is no program that could go on.
        begins = pump is pump.app and isinstance(message, events.Compose | events.Mount | events.Load)
        if begins or not isinstance(boundary, Boundary):
            raise
        boundary.catch(error)
