"""Which transfers have changed, for those who show them: pushed, so that nobody has to look at all of them."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

_log = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two pushes: faster than anybody reads."""

Listener: TypeAlias = Callable[[frozenset[int]], object]
"""Told the ids of transfers that changed, came or went."""


class Changes:
    """Gathers changes and pushes them together, in the loop of the transfers. `mark` may be called in any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        self._changed: set[int] = set()
        self._scheduled = False
        self._lock = threading.Lock()
        self._last = float("-inf")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Push changes to a listener from now on; what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Learn the loop in which listeners are called."""
        self._loop = loop

    def mark(self, transfer_id: int) -> None:
        """A transfer changed."""
        loop = self._loop
        if not self._listeners or loop is None:
            return
        with self._lock:
            self._changed.add(transfer_id)
            first, self._scheduled = not self._scheduled, True
        if first:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._schedule, loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(max(self._last + INTERVAL - loop.time(), 0.0), self._push, loop)

    def _push(self, loop: asyncio.AbstractEventLoop) -> None:
        self._last = loop.time()
        with self._lock:
            changed, self._changed = frozenset(self._changed), set()
            self._scheduled = False
        for listener in list(self._listeners):
            try:
                listener(changed)
            except Exception:  # noqa: BLE001 - whoever shows transfers must not stop them
                _log.exception("a listener of transfers failed")


class Relay:
    """A listener that lives in another loop: it is called there, once for all changes since it was called last."""

    def __init__(self, listener: Listener) -> None:
        """Make one, in the loop where the listener is to be called."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._changed: set[int] = set()

    def __call__(self, changed: frozenset[int]) -> None:
        """Pass changes on."""
        with self._lock:
            first = not self._changed
            self._changed |= changed
        if first and changed:
            with suppress(RuntimeError):  # the other loop has ended
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            changed, self._changed = frozenset(self._changed), set()
        self._listener(changed)
