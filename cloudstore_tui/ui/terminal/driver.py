"""The terminal driver: draws, reads keys, and restores the terminal however the program ends. It sends no queries."""

import asyncio
import atexit
import os
import selectors
import signal
import termios
import threading
import tty
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from cloudstore_tui.core.errors import LocalDiskError, no_more_threads
from cloudstore_tui.ui.terminal.charset import UTF_8, charset_of, environment_at_start
from cloudstore_tui.ui.terminal.output import OutputThread
from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer

MOUSE_MODES = ("1000", "1006")
"""Report clicks and the wheel, with coordinates that work on wide terminals."""
DRAGGED, MOVED = "1002", "1003"
"""Report moves with a button held, or all moves."""
MOUSE_OFF = "".join(f"\x1b[?{mode}l" for mode in (*MOUSE_MODES, DRAGGED, MOVED))

ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h\x1b[m\x1b[H\x1b[2J"
"""Alternate screen, no wrapping, no cursor, bracketed paste; cleared for terminals without an alternate screen."""
LEAVE = "\x1b[m\x1b[H\x1b[2J\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"

ALONE = "\x1b[m\x1b[H\x1b[2J\x1b[?7h\x1b[?25h"
"""An empty screen with wrapping by the terminal, so that a long text can be selected as one line."""

Attributes = list[Any]


def line_attributes(fd: int) -> Attributes | None:
    """The attributes of a terminal line; `None` if it is not a terminal."""
    with suppress(termios.error, OSError):
        return termios.tcgetattr(fd)
    return None


def set_attributes(fd: int, wanted: Attributes | None) -> None:
    """Set the attributes of a terminal line; errors are ignored, as it may be gone."""
    if wanted is not None:
        with suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSANOW, wanted)


def raw(before: Attributes) -> Attributes:
    """Attributes in raw mode: each key is delivered at once and unchanged."""
    after = [*before[:6], list(before[6])]
    after[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    after[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    after[tty.CC][termios.VMIN] = 1
    return after


class TerminalLoan:
    """Remembers the state of the terminal while the program uses it, and restores it however the program ends."""

    def __init__(self) -> None:
        self._taken: tuple[int, int, Attributes | None] | None = None
        atexit.register(self.give_back_now)

    def take(self, source: int, target: int) -> None:
        """Set raw mode, and remember the previous attributes."""
        before = line_attributes(source)
        self._taken = source, target, before
        if before is not None:
            set_attributes(source, raw(before))

    def restore(self) -> None:
        """Restore the previous attributes."""
        if self._taken is not None:
            source, _target, before = self._taken
            self._taken = None
            set_attributes(source, before)

    def give_back_now(self) -> None:
        """Restore everything without blocking, as the process is about to end."""
        if self._taken is None:
            return
        _source, target, _before = self._taken
        self.restore()
        with suppress(OSError):
            os.set_blocking(target, False)
        with suppress(OSError, termios.error):
            # Discard pending output, which a stalled terminal would block on.
            termios.tcflush(target, termios.TCOFLUSH)
            os.write(target, f"{MOUSE_OFF}{LEAVE}".encode("ascii"))
        with suppress(OSError):
            # The shell shares the descriptor.
            os.set_blocking(target, True)


TERMINAL = TerminalLoan()
"""The terminal of the process."""

HANGUP = 129
"""Exit code after the terminal was closed."""
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: HANGUP}
"""Exit codes by the signals that end the program."""
END_S = 2.0
"""Seconds to exit normally before the process is killed; a DNS lookup, for example, may hang."""


def listen(loop: asyncio.AbstractEventLoop, stop: Callable[[int], None], *, outlives_terminal: bool = False) -> None:
    """Call `stop` with an exit code on each signal, and kill the process if it does not exit in time.

    With `outlives_terminal`, transfers go on after SIGHUP, so there is no limit then.
    """

    def end(code: int) -> None:
        if not (outlives_terminal and code == HANGUP):
            watchdog = threading.Timer(END_S, _end_now, (code,))
            watchdog.daemon = True
            watchdog.start()
        stop(code)

    for number, code in EXIT_CODES.items():
        loop.add_signal_handler(number, end, code)


def ignore(loop: asyncio.AbstractEventLoop) -> None:
    """Remove the signal handlers."""
    for number in EXIT_CODES:
        loop.remove_signal_handler(number)


def _end_now(code: int) -> None:
    TERMINAL.give_back_now()
    os._exit(code)


_FRAME = "\x1b["
_POINTER = "\x1b]22;"
"""Begins a sequence for the shape of the mouse pointer, which few terminals support; it is dropped."""


class TerminalDriver(LinuxDriver):
    """Sends only what changed, at the speed of the terminal."""

    INTERVAL = 0.0
    """Least seconds between frames."""
    MOVES = True
    """Whether mouse moves without a button are reported."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._target = self._file.fileno() if self._file is not None else 2
        self.charset = charset_of(environment_at_start(os.environ))
        """The character set of the terminal's locale."""
        width, height = self._get_terminal_size()
        self._buffer = ScreenBuffer(width, height, charset=self.charset, colours=not app.no_color)
        self._output: OutputThread | None = None
        self._shows_alone = False

    def show_alone(self, text: str) -> None:
        """Show only a text, to be selected with the mouse, until the next key."""
        if self._output is not None:
            self._shows_alone = True
            self._output.hold(self._mouse_off + ALONE + text)

    def process_message(self, message: Message) -> None:
        """Pass on input; a key that ends `show_alone` does nothing else."""
        if not self._shows_alone:
            super().process_message(message)
        elif isinstance(message, (events.Key, events.Paste)) and self._output is not None:
            self._shows_alone = False
            self._output.release(self._enter_sequence)

    def write(self, data: str) -> None:
        """Draw a frame, or send another sequence."""
        output, is_frame = self._output, data.startswith(_FRAME) and data.endswith("H")
        if output is None and is_frame:
            self._buffer.draw(data)
        elif output is not None and is_frame:
            output.draw(data)
        elif output is not None and not data.startswith(_POINTER):
            output.send(data)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        if self._output is not None:
            # Resumed after an external stop; the shell used the terminal meanwhile.
            TERMINAL.restore()
            self._enter(self._output)
            return
        self._output = OutputThread(self._target, self._buffer, self.charset, self.INTERVAL, self._hang_up)
        self._enter(self._output)
        self._key_thread = threading.Thread(target=self._run_input_thread, name="terminal-input", daemon=True)
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
        """Restore the terminal."""
        output, self._output = self._output, None
        self.disable_input()
        if output is not None:
            output.stop(self._mouse_off + LEAVE)
        TERMINAL.restore()

    def close(self) -> None:
        """Do nothing: the writer ended with application mode."""

    def flush(self) -> None:
        """Do nothing: output is sent by a thread."""

    def _run_input_thread(self) -> None:
        """Read keys; an unexpected error ends the program, since no more keys could be read."""
        try:
            self.run_input_thread()
        except BaseException as mistake:  # noqa: BLE001 - a traceback could show what was typed
            message = f"The terminal cannot be read any more ({type(mistake).__name__}). Please report this line."
            self._call_soon(partial(self._app.exit, return_code=LocalDiskError.code, message=message))

    def run_input_thread(self) -> None:
        """Read keys until stopped; the end of the input means that the terminal is gone."""
        parser = XTermParser(self._debug)
        # In the C locale, pasted text is usually UTF-8.
        decode = getincrementaldecoder(UTF_8 if self.charset == "ascii" else self.charset)("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = self._read() if selector.select(0.1) else None
                if data == b"":
                    self._hang_up()
                    return
                # Incomplete characters decode to an empty text, which the parser would take as the end of input.
                text = decode(data or b"")
                for event in parser.feed(text) if text else ():
                    self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes | None:
        """Bytes typed; empty if the terminal is gone, `None` if another reader took them."""
        try:
            return os.read(self.fileno, 4096)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _disable_mouse_support(self) -> None:
        """Do nothing: `stop_application_mode` switches the mouse off."""

    def _enter(self, output: OutputThread) -> None:
        TERMINAL.take(self.fileno, self._target)
        self._shows_alone = False
        output.release(self._enter_sequence)
        signal.signal(signal.SIGWINCH, lambda *_: self._call_soon(self._fit))
        self._fit()
        output.change(ScreenBuffer.blank)

    @property
    def _enter_sequence(self) -> str:
        """The sequence that takes the terminal and switches the mouse on."""
        modes = (MOUSE_MODES[0], MOVED if self.MOVES else DRAGGED, MOUSE_MODES[1]) if self._mouse else ()
        return ENTER + "".join(f"\x1b[?{mode}h" for mode in modes)

    @property
    def _mouse_off(self) -> str:
        return MOUSE_OFF if self._mouse else ""

    def _fit(self) -> None:
        """Resize the buffer to the terminal, and notify the app."""
        output = self._output
        if output is None:
            return
        width, height = self._get_terminal_size()
        output.change(lambda buffer: buffer.resize(width, height))
        size = Size(width, height)
        self.send_message(events.Resize(size, size))

    def _sigtstp_application(self, *_: object) -> None:
        """Suspend in the event loop, as a signal handler may interrupt anything."""
        self._call_soon(self._suspend)

    def _suspend(self) -> None:
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        # Stop the whole process group: the shell also waits for parents of this process, such as uvx.
        os.kill(0, signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        self._call_soon(super()._sigcont_application)

    def _call_soon(self, action: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:
            # The loop is closed, as the program is ending.
            return

    def _hang_up(self) -> None:
        """The terminal is gone: end as on SIGHUP, which the system does not always send."""
        if self._output is not None:
            os.kill(os.getpid(), signal.SIGHUP)


class LowBandwidthDriver(TerminalDriver):
    """For slow connections: fewer frames, and no mouse moves without a button."""

    INTERVAL = 0.1
    MOVES = False


def is_low_bandwidth(wanted: str, environment: Mapping[str, str]) -> bool:
    """Whether to save bandwidth: as configured, or, with `auto`, over SSH."""
    return wanted == "true" or (wanted == "auto" and bool(environment.get("SSH_CONNECTION")))


# Access to the terminal beyond Textual's API


def driver_of(app: App[Any]) -> Driver | None:
    """The driver of the app, if it is running."""
    return app._driver  # noqa: SLF001 - Textual has no public access


def show_alone(app: App[Any], text: str, hint: str) -> bool:
    """Show only a text with a hint below it until the next key; whether there is a terminal."""
    driver = driver_of(app)
    if not isinstance(driver, TerminalDriver):
        return False
    driver.show_alone(f"{text}\n\n{hint}")
    return True


def saves_bandwidth(app: App[Any]) -> bool:
    """Whether to avoid fetching and drawing what the user did not ask for."""
    return issubclass(app.driver_class, LowBandwidthDriver)
