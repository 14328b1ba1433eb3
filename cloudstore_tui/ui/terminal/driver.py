"""The driver between Textual and the terminal: asks nothing, sends what changed, survives a terminal that is gone."""

import os
import selectors
import signal
from codecs import getincrementaldecoder
from collections.abc import Mapping
from functools import partial
from threading import Thread
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from cloudstore_tui.core.errors import LocalDiskError, no_more_threads
from cloudstore_tui.ui.terminal.charset import UTF_8, charset_of, environment_at_start
from cloudstore_tui.ui.terminal.modes import TERMINAL, alone, enter, leave
from cloudstore_tui.ui.terminal.output import OutputThread
from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer

_FRAME = "\x1b["
_POINTER = "\x1b]22;"
"""Begins the shape of the mouse pointer, which few terminals know and nobody misses."""


class TerminalDriver(LinuxDriver):
    """Draws for a line of any speed."""

    INTERVAL = 0.0
    """Least seconds between two frames."""
    MOVES = True
    """Whether the mouse is reported when it moves with no button held."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._target = self._file.fileno() if self._file is not None else 2
        self._charset = charset_of(environment_at_start(os.environ))
        width, height = self._get_terminal_size()
        self._buffer = ScreenBuffer(width, height, charset=self._charset, colours=not app.no_color)
        self._output: OutputThread | None = None
        self._is_alone = False

    @property
    def charset(self) -> str:
        """What the terminal's locale can write."""
        return self._charset

    def show_alone(self, text: str) -> None:
        """Show a text over the whole width, free to be selected with the mouse, until the next key."""
        if self._output is not None:
            self._is_alone = True
            self._output.hold(alone(text, mouse=self._mouse))

    def process_message(self, message: Message) -> None:
        """Pass on what the terminal reports; a key that ends the view of a text alone does nothing else."""
        if not self._is_alone:
            super().process_message(message)
        elif isinstance(message, (events.Key, events.Paste)) and self._output is not None:
            self._is_alone = False
            self._output.let_go(self._enter_sequence)

    def write(self, data: str) -> None:
        """Draw a frame, or pass on what is none."""
        output, is_frame = self._output, data.startswith(_FRAME) and data.endswith("H")
        if output is None and is_frame:
            self._buffer.draw(data)
        elif output is not None and is_frame:
            output.draw(data)
        elif output is not None and not data.startswith(_POINTER):
            output.order(data)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        if self._output is not None:
            # Stopped and continued by somebody else; the shell had the terminal meanwhile.
            TERMINAL.settle()
            self._enter(self._output)
            return
        self._output = OutputThread(self._target, self._buffer, self._charset, self.INTERVAL, self._hang_up)
        self._enter(self._output)
        self._key_thread = Thread(target=self._run_input_thread, name="terminal-input", daemon=True)
        self.exit_event.clear()
        try:
            self._output.start()
            self._key_thread.start()
        except RuntimeError:
            raise no_more_threads() from None
        if self._must_signal_resume:
            self._must_signal_resume = False
            self.send_message(self.SignalResume())

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        output, self._output = self._output, None
        self.disable_input()
        if output is not None:
            output.stop(leave(mouse=self._mouse))
        TERMINAL.settle()

    def close(self) -> None:
        """Nothing is left to be done: the writer ended with the application mode."""

    def flush(self) -> None:
        """Everything is on its way already."""

    def _run_input_thread(self) -> None:
        """Read keys; a mistake in that ends the program with a sentence, since nothing could be typed any more."""
        try:
            self.run_input_thread()
        except BaseException as mistake:  # noqa: BLE001 - a traceback could show what was typed
            message = f"The terminal cannot be read any more ({type(mistake).__name__}). Please report this line."
            self._soon(partial(self._app.exit, return_code=LocalDiskError.code, message=message))

    def run_input_thread(self) -> None:
        """Read keys until told to stop; the end of the input is the end of the terminal."""
        parser = XTermParser(self._debug)
        # What is pasted into a terminal whose locale says nothing is UTF-8 all the same.
        decode = getincrementaldecoder(UTF_8 if self._charset == "ascii" else self._charset)("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = self._read() if selector.select(0.1) else None
                if data == b"":
                    self._hang_up()
                    return
                # Half a character is no text yet, and no text is the end of all text to the parser.
                text = decode(data or b"")
                for event in parser.feed(text) if text else ():
                    self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes | None:
        """What was typed; nothing if the terminal is gone, None if another reader was faster."""
        try:
            return os.read(self.fileno, 4096)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _disable_mouse_support(self) -> None:
        """Done with all the rest when the terminal is given back."""

    def _enter(self, output: OutputThread) -> None:
        TERMINAL.take(self.fileno, self._target)
        self._is_alone = False
        output.let_go(self._enter_sequence)
        signal.signal(signal.SIGWINCH, lambda *_: self._soon(self._fit))
        self._fit()
        output.change(ScreenBuffer.blank)

    @property
    def _enter_sequence(self) -> str:
        return enter(mouse=self._mouse, moves=self.MOVES)

    def _fit(self) -> None:
        """Fit the buffer to the terminal, and tell the app."""
        output = self._output
        if output is None:
            return
        width, height = self._get_terminal_size()
        output.change(lambda buffer: buffer.resize(width, height))
        size = Size(width, height)
        self.send_message(events.Resize(size, size))

    def _sigtstp_application(self, *_: object) -> None:
        """Suspend from the loop: in a signal handler anything may be half done."""
        self._soon(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        self._soon(super()._sigcont_application)

    def _soon(self, action: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:
            # The loop is closed: the program ends.
            return

    def _hang_up(self) -> None:
        """The terminal is gone: end as if the system had said so, which it does not always."""
        if self._output is not None:
            os.kill(os.getpid(), signal.SIGHUP)


class LowBandwidthDriver(TerminalDriver):
    """The same for a slow line: fewer frames, and only what the mouse does, not where it is."""

    INTERVAL = 0.1
    MOVES = False


def is_low_bandwidth(wanted: str, environment: Mapping[str, str]) -> bool:
    """Whether to spare the line: as the setting wants it, or, where it says auto, over SSH."""
    return wanted == "true" or (wanted == "auto" and bool(environment.get("SSH_CONNECTION")))
