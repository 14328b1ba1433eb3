"""The one place where an error of anything that a screen starts ends: it becomes a message, and the program goes on.

A worker, an action or a handler raises what it can do nothing about. Nobody else reports errors, but for those who do
more than that: a list that shows the sentence in place of its rows, a dialog that asks once more.
"""

import logging
import traceback
from time import monotonic

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import WorkerFailed

from cloudstore_tui.core.errors import StorageError, origin
from cloudstore_tui.ui.report import tell

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
            tell(self._app, sentence, "error")


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
