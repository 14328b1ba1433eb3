"""The log of a run.

Nothing is logged unless the user asks: `--debug` writes to standard error, or to a file while the browser is open, and
`CLOUDSTORE_LOG=FILE` to that file. A log is meant to be sent to a support team, so `redaction` masks secrets first.
"""

import logging
import os
import stat
import sys
import time
from pathlib import Path
from typing import Self, TextIO

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.net.redaction import redact

LOG = logging.getLogger("cloudstore_tui")
"""The root logger of the program."""
# Without a handler, Python would print warnings on the terminal.
LOG.addHandler(logging.NullHandler())
_wire = LOG.getChild("wire")


class Redacting(logging.Filter):
    """Redacts every record of a handler; of an exception only the class is kept, since its text may hold addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; none is dropped."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text} ({record.exc_info[0].__name__})"
        record.msg, record.args = redact(text), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


class _Line(logging.Formatter):
    """`2026-11-29T16:32:26.123Z DEBUG wire: …`, in UTC wherever the machine is."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds."""
        return super().format(record).replace(f"{LOG.name}.", "", 1)


def start_logging(path: Path | None) -> None:
    """Append the log to a file that only the user can read, or write it to standard error.

    Raises:
        ConfigError: the file cannot be written.
    """
    handler = logging.StreamHandler(sys.stderr if path is None else _open_log(path))
    handler.addFilter(Redacting())
    handler.setFormatter(_Line())
    stop_logging()
    LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)


def stop_logging() -> None:
    """End the log."""
    for handler in LOG.handlers[:]:
        if isinstance(handler, logging.StreamHandler):
            LOG.removeHandler(handler)
            if handler.stream is not sys.stderr:
                handler.stream.close()
    LOG.setLevel(logging.NOTSET)


def _open_log(path: Path) -> TextIO:
    try:
        # Non-blocking, in case it is a pipe that nobody reads from.
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ConfigError(
                "is not a file that a log can be written to", subject=str(path), hint="Name a plain file."
            )
        os.fchmod(handle, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the log cannot be written: {error.strerror}",
            subject=str(path),
            hint="Check CLOUDSTORE_LOG, and that the folder may be written.",
        ) from None
    return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")


_sent = 0


def requests_sent() -> int:
    """The number of requests that this process has sent."""
    return _sent


class ExchangeLog:
    """Logs one request and its outcome at the end of the block."""

    def __init__(self, method: str, host: str, path: str, attempt: int = 1) -> None:
        self._request = method, host, path
        self._attempt = attempt
        self._answer: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        """Count the request."""
        global _sent
        _sent += 1
        self._began = time.monotonic()
        return self

    def ended(self, status: int, size: int) -> None:
        """Record the reply."""
        self._answer = status, size

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the line."""
        if not _wire.isEnabledFor(logging.DEBUG):
            return
        outcome = kind.__name__ if kind is not None else "no answer"
        if self._answer is not None:
            outcome = "{}, {} bytes".format(*self._answer)
        seconds = time.monotonic() - self._began
        _wire.debug("%s %s%s -> %s, %.3f s, attempt %d", *self._request, outcome, seconds, self._attempt)


def silence(*names: str) -> None:
    """Keep loggers of other libraries from printing anything."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
