"""The thread that writes to the terminal: as fast as the terminal takes it, and always the latest buffer."""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer

MAX_WAIT_S = 1.0
"""Seconds that a terminal which takes nothing holds up the end."""


class OutputThread(threading.Thread):
    """Sends what changed; frames that a slow line had no time for are never sent."""

    def __init__(
        self, target: int, buffer: ScreenBuffer, charset: str, interval: float, lost: Callable[[], None]
    ) -> None:
        """Make the thread.

        Args:
            target: descriptor of the terminal.
            buffer: what is to be seen.
            charset: that the terminal speaks.
            interval: least seconds between two frames.
            lost: called once, from this thread, when the terminal is gone.
        """
        super().__init__(name="terminal-output", daemon=True)
        self._target = target
        self._buffer = buffer
        self._charset = charset
        self._interval = interval
        self._lost = lost
        self._changed = threading.Condition()
        self._sequences: deque[str] = deque()
        self._held = False
        self._over = False
        self._gone = False

    def send(self, sequence: str) -> None:
        """Send something that is no part of the buffer: modes, the bell, a text for the clipboard."""
        with self._changed:
            self._sequences.append(sequence)
            self._changed.notify()

    def draw(self, frame: str) -> None:
        """Take in a frame. Never waits for the terminal."""
        with self._changed:
            self._buffer.draw(frame)
            self._changed.notify()

    def change(self, action: Callable[[ScreenBuffer], None]) -> None:
        """Do something to the buffer while nobody reads it."""
        with self._changed:
            action(self._buffer)
            self._changed.notify()

    def hold(self, sequence: str) -> None:
        """Send a sequence, and no buffer until let go."""
        with self._changed:
            self._sequences.append(sequence)
            self._held = True
            self._changed.notify()

    def release(self, sequence: str) -> None:
        """Send a sequence that clears the terminal, and pictures again."""
        with self._changed:
            self._sequences.append(sequence)
            self._held = False
            self._buffer.blank()
            self._changed.notify()

    def stop(self, last: str) -> None:
        """Send `last` and nothing else any more, and wait for that, but not for ever."""
        with self._changed:
            self._sequences.append(last)
            self._over = True
            self._changed.notify()
        self.join(MAX_WAIT_S)

    def run(self) -> None:
        """Send until stopped; whatever goes wrong in that, the terminal is as good as gone."""
        try:
            self._send_all()
        except BaseException:  # noqa: BLE001 - nobody would ever see another frame, nor what is wrong
            self._gone = True
            self._lost()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                while not (self._sequences or self._over or self._has_frame):
                    self._changed.wait()
                out = "".join(self._sequences)
                self._sequences.clear()
                over = self._over
                if self._has_frame:
                    out += self._buffer.changes()
            self._send(out)
            if over:
                return
            if self._interval:
                self._pause()

    @property
    def _has_frame(self) -> bool:
        return self._buffer.is_stale and not self._held and not self._over

    def _pause(self) -> None:
        """Let the next frames become one."""
        end = time.monotonic() + self._interval
        with self._changed:
            while not self._over and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)

    def _send(self, text: str) -> None:
        data = memoryview(text.encode(self._charset, "replace"))
        try:
            while data and not self._gone:
                data = data[self._write(data) :]
        except OSError:
            self._gone = True
            self._lost()

    def _write(self, data: memoryview) -> int:
        """Write what the terminal takes; another program that shares it may have told it not to wait."""
        try:
            return os.write(self._target, data)
        except BlockingIOError:
            select.select([], [self._target], [], MAX_WAIT_S)
            return 0
