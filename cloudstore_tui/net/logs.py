"""The log of a run, and the one guard that keeps secrets out of it and out of errors.

Nothing is logged unless the user asks: `--debug` writes to standard error, or to a file beside the browser, and
`CLOUDSTORE_LOG=FILE` to that file. A log is made to be sent to a support: what is secret was masked before.
"""

import base64
import html
import json
import logging
import os
import re
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import quote, quote_plus, unquote

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.core.text import plain

HIDDEN = "…"
SHORTEST_SECRET = 4
"""Characters; what is shorter would mask half of every text, and hides nothing."""
MAX_SECRETS = 1000
"""Secrets that are kept in mind; tokens of long ago have ended."""
SHORTEST_SIGNATURE = 16
"""Characters of a value in the query of a signed link that may be what signs it."""

LOG = logging.getLogger("cloudstore_tui")
"""The logger of the program; those of its parts are below it."""
# Without a handler of its own, Python would print warnings on the terminal.
LOG.addHandler(logging.NullHandler())
_wire = LOG.getChild("wire")

_QUERY = re.compile(r"(?P<kept>https?://[^\s?'\"<>]*|(?<![\w?])/[^\s?'\"<>]*)\?[^\s'\"<>]*")
_USER = re.compile(r"(?<=://)[^/\s@]*@")
_HEADER = re.compile(
    r"(?P<kept>\b(?:proxy-)?authorization|x-api-key|(?:set-)?cookie|api[_-]?key)(?P<mark>['\"]?\s*[:=,]\s*)"
    r"(?:b?['\"][^'\"]*['\"]|[^\n,;)}\]]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<kept>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE)
_FIELD = re.compile(
    r"(?P<kept>\b(?:access_token|refresh_token|id_token|client_secret|kms-key|X-(?:Amz|Goog)-[A-Za-z-]+))"
    r"(?P<mark>['\"]?\s*[:=]\s*['\"]?)[^\s&'\",;)}\]]+",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}")

_known: dict[str, tuple[str, ...]] = {}
"""The secrets in use, with the forms in which they may come back; the latest last."""
_links: deque[tuple[str, ...]] = deque(maxlen=200)
"""What signs the latest links."""
_lock = threading.Lock()


def guard(*secrets: Secret) -> None:
    """Mask these secrets from now on in all that is logged, and in a service's words."""
    for secret in secrets:
        text = secret.reveal()
        if len(text) >= SHORTEST_SECRET:
            with _lock:
                _known.pop(text, None)
                _known[text] = _forms(text)
                while len(_known) > MAX_SECRETS:
                    del _known[next(iter(_known))]


def guard_link(url: Secret) -> None:
    """Mask what signs a link, as `guard` does."""
    values = [part.partition("=")[2] for part in url.reveal().partition("?")[2].split("&")]
    signing = tuple(form for value in values if len(value) >= SHORTEST_SIGNATURE for form in {value, unquote(value)})
    if signing:
        with _lock:
            _links.append(signing)


def _forms(text: str) -> tuple[str, ...]:
    """A secret as it is, and as others may write it."""
    raw = text.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(raw).decode()
    forms = {
        text, quote(raw, safe=""), quote(raw), quote_plus(raw), json.dumps(text)[1:-1], html.escape(text), encoded,
        encoded.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }  # fmt: skip
    # The longest first: a short form may be a part of it.
    return tuple(sorted(forms, key=len, reverse=True))


def mask(text: str) -> str:
    """`text` without the secrets that are in use."""
    with _lock:
        known = [*_known.values(), *_links]
    for forms in known:
        for form in forms:
            if form in text:
                text = text.replace(form, HIDDEN)
    return text


def redact(text: str) -> str:
    """`text` without secrets, queries of addresses, credentials and tokens, on one line that is safe to show."""
    text = _USER.sub(f"{HIDDEN}@", mask(text))
    text = _QUERY.sub(rf"\g<kept>?{HIDDEN}", text)
    text = _SCHEME.sub(rf"\g<kept> {HIDDEN}", text)
    text = _HEADER.sub(rf"\g<kept>\g<mark>{HIDDEN}", text)
    text = _FIELD.sub(rf"\g<kept>\g<mark>{HIDDEN}", text)
    return plain(_JWT.sub(HIDDEN, text))


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


@contextmanager
def exchange_logged(method: str, host: str, path: str, attempt: int = 1) -> Iterator[ExchangeLog]:
    """Log the exchange of the block when it has ended, however it did."""
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
