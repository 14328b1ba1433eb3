"""Keys that are typed ahead wait for the line, dialog or rows that they are meant for.

A terminal gives several keys in one read, and Textual hands each at once to whatever has the focus. So the second key
of `fX` would be a command for the list, before the first one has opened the line to type in. Here a key is let through
when the one before has been carried out, and what that one asked for has the focus. A key for the rows of a list is
let through when there are rows.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

CALM_ROUNDS = 4
"""Rounds through the queues in which nothing changes after a key: a key makes a message, which makes another one."""
POLL_S = 0.01
"""Seconds between two looks at a dialog that is on its way."""
MAX_ROUND_S = 2.0
"""Seconds after which a round counts as lost, with a widget that was removed meanwhile."""
STOPPING = frozenset({"escape", "ctrl+c", "ctrl+q"})
"""Keys that do not wait for a dialog on its way, and take back what was typed for it."""


class TypeAhead:
    """Lets keys and pastes through one by one, in the order in which they were typed."""

    def __init__(self, app: App[None], is_opening: Callable[[], bool], is_early: Callable[[str], bool]) -> None:
        """Take an app, and what tells whether a dialog is on its way, or the rows that a key is for."""
        self._app = app
        self._is_opening = is_opening
        self._is_early = is_early
        self._held: deque[events.Event] = deque()
        self._due: events.Event | None = None
        self._following: asyncio.Task[None] | None = None

    def lets_through(self, event: events.Event) -> bool:
        """Whether it is the turn of a key; else it comes again when it is."""
        if event is self._due:
            self._due, has_turn = None, True
        else:
            has_turn = self._following is None and not self._comes_early(event)
        if not has_turn:
            self._held.append(event)
        if has_turn or self._following is None:
            self._following = asyncio.create_task(self._follow())
        return has_turn

    def forget(self) -> None:
        """Forget what is held: what it was meant for has failed."""
        self._held.clear()

    async def _follow(self) -> None:
        """Wait until a key has been carried out, and let the next one through."""
        try:
            await self._settle()
            await self._wait_for_rows()
        finally:
            self._following = None
            if self._held and self._app.screen_stack:
                self._due = self._held.popleft()
                # Busy until then: what is typed before it arrives comes after it.
                self._following = asyncio.current_task()
                self._app.post_message(self._due)

    async def _settle(self) -> None:
        calm = 0
        while calm < CALM_ROUNDS and self._app.is_running:
            place = self._place
            await self._go_round()
            if self._is_opening():
                if self._drop_until_stopped():
                    return
                await asyncio.sleep(POLL_S)
                calm = 0
            else:
                calm = calm + 1 if self._place == place else 0

    async def _wait_for_rows(self) -> None:
        """Wait until the next key can be carried out, or is taken back by one that stops."""
        while self._held and self._app.is_running and self._comes_early(self._held[0]):
            if self._drop_until_stopped():
                return
            await asyncio.sleep(POLL_S)

    def _comes_early(self, event: events.Event) -> bool:
        return isinstance(event, events.Key) and not _stops(event) and self._is_early(event.key)

    def _drop_until_stopped(self) -> bool:
        """Forget what is held before a key that stops; whether there is one."""
        at = next((at for at, event in enumerate(self._held) if _stops(event)), None)
        for _ in range(at or 0):
            self._held.popleft()
        return at is not None

    @property
    def _place(self) -> tuple[object, object]:
        try:
            return self._app.screen, self._app.focused
        except ScreenStackError:
            return None, None

    async def _go_round(self) -> None:
        """Wait until what is in the queues now has been handled, from what has the focus up to the app."""
        screen, focused = self._place
        first = focused or screen
        path: deque[MessagePump] = deque(getattr(first, "ancestors_with_self", [self._app]))
        passed = asyncio.Event()

        def go_on() -> None:
            while path:
                if path.popleft().call_later(go_on):
                    return
            passed.set()

        go_on()
        try:
            await asyncio.wait_for(passed.wait(), MAX_ROUND_S)
        except TimeoutError:
            return


def _stops(event: events.Event) -> bool:
    return isinstance(event, events.Key) and event.key in STOPPING
