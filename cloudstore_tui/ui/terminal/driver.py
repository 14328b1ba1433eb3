"""The terminal: how it is taken, drawn on, read, and given back however the program ends. Nothing asks it anything."""

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
"""Clicks and the wheel, reported so that wide terminals work."""
DRAGGED, MOVED = "1002", "1003"
"""Moves with a button held; all moves."""
MOUSE_OFF = "".join(f"\x1b[?{mode}l" for mode in (*MOUSE_MODES, DRAGGED, MOVED))

ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h\x1b[m\x1b[H\x1b[2J"
"""Alternate screen, no wrapping, no cursor, pasted text marked as such; blank, for those without another screen."""
LEAVE = "\x1b[m\x1b[H\x1b[2J\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"

ALONE = "\x1b[m\x1b[H\x1b[2J\x1b[?7h\x1b[?25h"
"""Room for a text that is to be selected: wrapped by the terminal itself, which then knows that it is one line."""

Attributes = list[Any]


def line_attributes(fd: int) -> Attributes | None:
    """How the line is set, if it is one."""
    with suppress(termios.error, OSError):
        return termios.tcgetattr(fd)
    return None


def set_attributes(fd: int, wanted: Attributes | None) -> None:
    """Set the line as it was; one that is gone needs nothing."""
    if wanted is not None:
        with suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSANOW, wanted)


def raw(before: Attributes) -> Attributes:
    """The same line, but every key comes at once and as it is."""
    after = [*before[:6], list(before[6])]
    after[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    after[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    after[tty.CC][termios.VMIN] = 1
    return after


class TerminalLoan:
    """The terminal while the program has it; can be given back by whoever is left, however the program ends."""

    def __init__(self) -> None:
        self._taken: tuple[int, int, Attributes | None] | None = None
        atexit.register(self.give_back_now)

    def take(self, source: int, target: int) -> None:
        """Take it, and remember how it was."""
        before = line_attributes(source)
        self._taken = source, target, before
        if before is not None:
            set_attributes(source, raw(before))

    def restore(self) -> None:
        """Set the line as it was."""
        if self._taken is not None:
            source, _target, before = self._taken
            self._taken = None
            set_attributes(source, before)

    def give_back_now(self) -> None:
        """Put everything back without waiting for anybody: the process is about to end."""
        if self._taken is None:
            return
        _source, target, _before = self._taken
        self.restore()
        with suppress(OSError):
            os.set_blocking(target, False)
        with suppress(OSError, termios.error):
            # What a stalled terminal did not take yet would only hold up what matters.
            termios.tcflush(target, termios.TCOFLUSH)
            os.write(target, f"{MOUSE_OFF}{LEAVE}".encode("ascii"))
        with suppress(OSError):
            # The shell shares it.
            os.set_blocking(target, True)


TERMINAL = TerminalLoan()
"""There is one terminal."""

HANGUP = 129
"""Exit code after the terminal was closed."""
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: HANGUP}
"""The signals that end the program, and its exit code then."""
END_S = 2.0
"""Seconds that the program gets to end by itself: something in it may hang, as looking up a name does."""


def listen(loop: asyncio.AbstractEventLoop, stop: Callable[[int], None], *, outlives_terminal: bool = False) -> None:
    """Let each signal call `stop` with its exit code, and end the process if that takes too long.

    One that outlives its terminal still has work to do after SIGHUP, and takes its time.
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
    """Give the signals back to the system."""
    for number in EXIT_CODES:
        loop.remove_signal_handler(number)


def _end_now(code: int) -> None:
    TERMINAL.give_back_now()
    os._exit(code)


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
        self.charset = charset_of(environment_at_start(os.environ))
        """What the terminal's locale can write."""
        width, height = self._get_terminal_size()
        self._buffer = ScreenBuffer(width, height, charset=self.charset, colours=not app.no_color)
        self._output: OutputThread | None = None
        self._shows_alone = False

    def show_alone(self, text: str) -> None:
        """Show a text over the whole width, free to be selected with the mouse, until the next key."""
        if self._output is not None:
            self._shows_alone = True
            self._output.hold(self._mouse_off + ALONE + text)

    def process_message(self, message: Message) -> None:
        """Pass on what the terminal reports; a key that ends the view of a text alone does nothing else."""
        if not self._shows_alone:
            super().process_message(message)
        elif isinstance(message, (events.Key, events.Paste)) and self._output is not None:
            self._shows_alone = False
            self._output.release(self._enter_sequence)

    def write(self, data: str) -> None:
        """Draw a frame, or pass on what is none."""
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
            # Stopped and continued by somebody else; the shell had the terminal meanwhile.
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
        """Give the terminal back as it was."""
        output, self._output = self._output, None
        self.disable_input()
        if output is not None:
            output.stop(self._mouse_off + LEAVE)
        TERMINAL.restore()

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
            self._call_soon(partial(self._app.exit, return_code=LocalDiskError.code, message=message))

    def run_input_thread(self) -> None:
        """Read keys until told to stop; the end of the input is the end of the terminal."""
        parser = XTermParser(self._debug)
        # What is pasted into a terminal whose locale says nothing is UTF-8 all the same.
        decode = getincrementaldecoder(UTF_8 if self.charset == "ascii" else self.charset)("replace").decode
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
        self._shows_alone = False
        output.release(self._enter_sequence)
        signal.signal(signal.SIGWINCH, lambda *_: self._call_soon(self._fit))
        self._fit()
        output.change(ScreenBuffer.blank)

    @property
    def _enter_sequence(self) -> str:
        """What takes the terminal; moves of the mouse without a button are reported only if they are worth the line."""
        modes = (MOUSE_MODES[0], MOVED if self.MOVES else DRAGGED, MOUSE_MODES[1]) if self._mouse else ()
        return ENTER + "".join(f"\x1b[?{mode}h" for mode in modes)

    @property
    def _mouse_off(self) -> str:
        return MOUSE_OFF if self._mouse else ""

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
        self._call_soon(self._suspend)

    def _suspend(self) -> None:
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        # The shell waits for all that it started: whatever runs this program, such as uvx, has to stop, too.
        os.kill(0, signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        self._call_soon(super()._sigcont_application)

    def _call_soon(self, action: Any) -> None:
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


# From the app to its terminal, for what Textual has no words for


def driver_of(app: App[Any]) -> Driver | None:
    """What draws for the app, if it runs."""
    return app._driver  # noqa: SLF001 - Textual offers no public way to the terminal


def show_alone(app: App[Any], text: str, hint: str) -> bool:
    """Leave the terminal to a text, and below it a hint, until the next key; whether there is a terminal for it."""
    driver = driver_of(app)
    if not isinstance(driver, TerminalDriver):
        return False
    driver.show_alone(f"{text}\n\n{hint}")
    return True


def saves_bandwidth(app: App[Any]) -> bool:
    """Whether nothing is to be fetched or drawn that nobody asked for."""
    return issubclass(app.driver_class, LowBandwidthDriver)
