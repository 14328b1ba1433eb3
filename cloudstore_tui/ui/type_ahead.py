"""Type-ahead: keys wait for the line, dialog or rows that they are meant for.

A terminal delivers several keys in one read, and Textual passes each to whatever has the focus at that moment. The
second key of `fX` would therefore be a command for the list, as the line that `f` opens does not have the focus yet.
Here a key is delivered only after the previous one was handled and what it opened has the focus. Keys for the rows of
a list wait until there are rows.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

QUIET_ROUNDS = 4
"""Rounds through the message queues without a change of focus after which a key counts as handled; one key causes
messages that cause others."""
POLL_S = 0.01
"""Seconds between checks for a dialog that is being opened."""
MAX_ROUND_S = 2.0
"""Seconds before a round is given up: its widget may have been removed."""
STOPPING = frozenset({"escape", "ctrl+c", "ctrl+q"})
"""Keys that do not wait for a dialog, and discard what was typed for it."""


class TypeAhead:
    """Delivers keys and pastes one by one, in the order in which they were typed."""

    def __init__(self, app: App[None], is_opening: Callable[[], bool], is_early: Callable[[str], bool]) -> None:
        """`is_opening` says whether a dialog is being opened; `is_early`, whether a key needs rows that are loading."""
        self._app = app
        self._is_opening = is_opening
        self._is_early = is_early
        self._held: deque[events.Event] = deque()
        self._due: events.Event | None = None
        self._task: asyncio.Task[None] | None = None

    def lets_through(self, event: events.Event) -> bool:
        """Whether to handle an event now; if not, it is held and posted again later."""
        if event is self._due:
            self._due, has_turn = None, True
        else:
            has_turn = self._task is None and not self._comes_early(event)
        if not has_turn:
            self._held.append(event)
        if has_turn or self._task is None:
            self._task = asyncio.create_task(self._follow())
        return has_turn

    def discard(self) -> None:
        """Discard all held events, as what they were meant for has failed."""
        self._held.clear()

    async def _follow(self) -> None:
        """Wait until a key was handled, then post the next one."""
        try:
            await self._settle()
            await self._wait_for_rows()
        finally:
            self._task = None
            if self._held and self._app.screen_stack:
                self._due = self._held.popleft()
                # Still busy until it arrives, so that newer keys are held behind it.
                self._task = asyncio.current_task()
                self._app.post_message(self._due)

    async def _settle(self) -> None:
        unchanged = 0
        while unchanged < QUIET_ROUNDS and self._app.is_running:
            focus = self._focus
            await self._drain_queues()
            if self._is_opening():
                if self._drop_until_stopped():
                    return
                await asyncio.sleep(POLL_S)
                unchanged = 0
            else:
                unchanged = unchanged + 1 if self._focus == focus else 0

    async def _wait_for_rows(self) -> None:
        """Wait until the rows for the next key are there, or a stopping key discards it."""
        while self._held and self._app.is_running and self._comes_early(self._held[0]):
            if self._drop_until_stopped():
                return
            await asyncio.sleep(POLL_S)

    def _comes_early(self, event: events.Event) -> bool:
        return isinstance(event, events.Key) and not _stops(event) and self._is_early(event.key)

    def _drop_until_stopped(self) -> bool:
        """Discard what is held before a stopping key; whether there is one."""
        at = next((at for at, event in enumerate(self._held) if _stops(event)), None)
        for _ in range(at or 0):
            self._held.popleft()
        return at is not None

    @property
    def _focus(self) -> tuple[object, object]:
        try:
            return self._app.screen, self._app.focused
        except ScreenStackError:
            return None, None

    async def _drain_queues(self) -> None:
        """Wait until the messages queued now were handled, from the focused widget up to the app."""
        screen, focused = self._focus
        first = focused or screen
        path: deque[MessagePump] = deque(getattr(first, "ancestors_with_self", [self._app]))
        passed = asyncio.Event()

        def pass_on() -> None:
            while path:
                if path.popleft().call_later(pass_on):
                    return
            passed.set()

        pass_on()
        try:
            await asyncio.wait_for(passed.wait(), MAX_ROUND_S)
        except TimeoutError:
            return


def _stops(event: events.Event) -> bool:
    return isinstance(event, events.Key) and event.key in STOPPING
