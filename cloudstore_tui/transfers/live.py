"""A transfer while it goes on: written by its own task, read from any thread."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot

_log = logging.getLogger(__name__)

SPEED_WINDOW = 4.0
"""Seconds over which a speed is averaged: less flickers, more lags behind."""


class LiveTransfer:
    """State and numbers of one transfer. Each field is set at once, so readers need no lock."""

    def __init__(
        self,
        number: int,
        request: Request,
        clock: Clock,
        changed: Callable[[State, str], None] = lambda _state, _note: None,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        """Make it.

        Args:
            number: names it.
            request: what is wanted.
            clock: tells when.
            changed: told the state it goes to, and why.
            touched: called whenever somebody who looks would see something new. From any thread.
        """
        self.touched = touched
        self.number = number
        self.request = request
        self.state = State.QUEUED
        self.size: int | None = None
        self.error: StorageError | None = None
        self.level = ""
        self.path: Path | None = None
        self.attempts = 0
        self.note = ""
        self.sha256 = ""
        self.remark = ""
        """What the user should know once it is done, as a clause."""
        self.members: tuple[LiveTransfer, ...] = ()
        """Those of a zip."""
        self.release_slot: Callable[[], None] = lambda: None
        """To be called when all bytes have come, and only the disk is busy: the next transfer may begin."""
        self.meter: Callable[[], int] = int
        """Gives the bytes done; reads a number that another thread writes."""
        self._clock = clock
        self._changed = changed
        self._started: datetime | None = None
        self._ended: datetime | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._speed = 0.0

    def to(self, state: State, note: str = "") -> None:
        """Go to a state."""
        if (state, note) != (self.state, self.note):
            _log.debug("%d %s %s%s", self.number, self.request.location.address, state, f": {note}" if note else "")
        self.note = note
        if state is not self.state:
            self._changed(state, note)
        self.state = state
        if self._started is None and state is not State.QUEUED:
            self._started = self._clock.now()
        self._ended = self._clock.now() if state.ended else None
        if state is not State.RUNNING:
            self._samples.clear()
            self._speed = 0.0
        self.touched()

    def learn_size(self, size: int | None) -> None:
        """Know the exact size from now on. Called from any thread."""
        self.size = size

    def again(self) -> None:
        """Go back into the queue."""
        self._started = None
        self.error = None
        self.note = ""
        self.to(State.QUEUED)

    def sample(self) -> None:
        """Measure the speed; called a few times per second."""
        if self.state is not State.RUNNING:
            return
        now, done = self._clock.monotonic(), self.meter()
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while now - self._samples[0][0] > SPEED_WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        self._speed = (done - before) / (now - since) if now > since else 0.0
        self.touched()

    def snapshot(self) -> TransferSnapshot:
        """How it is now."""
        return TransferSnapshot(
            id=self.number,
            request=self.request,
            state=self.state,
            done=self.meter(),
            size=self.size,
            speed=self._speed,
            started=self._started,
            ended=self._ended,
            error=self.error,
            level=self.level,
            path=self.path,
            attempts=self.attempts,
            note=self.note,
            sha256=self.sha256,
        )
