"""The log of a run.

Nothing is logged unless the user asks: `--debug` writes to standard error, or to a file beside the browser, and
`CLOUDSTORE_LOG=FILE` to that file. A log is made to be sent to a support: `redaction`
masks what is secret before.
"""

import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.net.redaction import redact

LOG = logging.getLogger("cloudstore_tui")
"""The logger of the program; those of its parts are below it."""
# Without a handler of its own, Python would print warnings on the terminal.
LOG.addHandler(logging.NullHandler())
_wire = LOG.getChild("wire")


class Redacting(logging.Filter):
    """Cleans every record of a handler; exceptions are reduced to their kind, because their text may hold addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record; none is dropped."""
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
    """Write the log to the end of a file that nobody else can read, or to standard error.

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
        # Not blocking: nobody may read from a pipe of this name.
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


class ExchangeLog:
    """What is known of one request and its answer, for its line in the log."""

    def __init__(self) -> None:
        self._outcome = ""

    def ended(self, status: int, size: int) -> None:
        """Take note of the answer."""
        self._outcome = f"{status}, {size} bytes"

    def failed(self, error: BaseException) -> None:
        """Take note that there is none."""
        self._outcome = self._outcome or type(error).__name__

    @property
    def outcome(self) -> str:
        """The answer in words."""
        return self._outcome or "no answer"


_sent = 0


def requests_sent() -> int:
    """Requests that this process has sent."""
    return _sent


@contextmanager
def exchange_logged(method: str, host: str, path: str, attempt: int = 1) -> Iterator[ExchangeLog]:
    """Log the exchange of the block when it has ended, however it did."""
    global _sent
    _sent += 1
    exchange, began = ExchangeLog(), time.monotonic()
    try:
        yield exchange
    except BaseException as error:
        exchange.failed(error)
        raise
    finally:
        _wire.debug(
            "%s %s%s -> %s, %.3f s, attempt %d",
            method, host, path, exchange.outcome, time.monotonic() - began, attempt,
        )  # fmt: skip


def silence(*names: str) -> None:
    """Keep loggers of other libraries from printing anything anywhere."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
