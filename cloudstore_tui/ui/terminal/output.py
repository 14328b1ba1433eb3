"""The thread that writes to the terminal, always the latest frame, as fast as the terminal accepts it."""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer

MAX_WAIT_S = 1.0
"""Seconds to wait for a terminal that accepts no output."""


class OutputThread(threading.Thread):
    """Sends what changed; frames are skipped if the line is too slow for them."""

    def __init__(
        self, target: int, buffer: ScreenBuffer, charset: str, interval: float, lost: Callable[[], None]
    ) -> None:
        """Create the thread.

        Args:
            target: file descriptor of the terminal.
            buffer: holds the frame to show.
            charset: character set of the terminal.
            interval: least seconds between frames.
            lost: called once, in this thread, if the terminal is gone.
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
        """Send a sequence that is not part of a frame: modes, the bell, the clipboard."""
        with self._changed:
            self._sequences.append(sequence)
            self._changed.notify()

    def draw(self, frame: str) -> None:
        """Draw a frame into the buffer. Never waits for the terminal."""
        with self._changed:
            self._buffer.draw(frame)
            self._changed.notify()

    def change(self, action: Callable[[ScreenBuffer], None]) -> None:
        """Change the buffer while holding its lock."""
        with self._changed:
            action(self._buffer)
            self._changed.notify()

    def hold(self, sequence: str) -> None:
        """Send a sequence, and no frames until `release`."""
        with self._changed:
            self._sequences.append(sequence)
            self._held = True
            self._changed.notify()

    def release(self, sequence: str) -> None:
        """Send a sequence that clears the terminal, and send frames again."""
        with self._changed:
            self._sequences.append(sequence)
            self._held = False
            self._buffer.blank()
            self._changed.notify()

    def stop(self, last: str) -> None:
        """Send `last` and end the thread; waits for it, within limits."""
        with self._changed:
            self._sequences.append(last)
            self._over = True
            self._changed.notify()
        self.join(MAX_WAIT_S)

    def run(self) -> None:
        """Send until stopped; any error counts as the loss of the terminal."""
        try:
            self._send_all()
        except BaseException:  # noqa: BLE001 - no further frame, and no error, could be shown
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
        """Wait, so that frames of the next interval are sent as one."""
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
        """Write as much as the terminal accepts; another program may have made it non-blocking."""
        try:
            return os.write(self._target, data)
        except BlockingIOError:
            select.select([], [self._target], [], MAX_WAIT_S)
            return 0
