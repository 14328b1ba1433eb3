"""Logs without secrets: what other libraries would print is held back, and what we print is cleaned."""

import logging
import re

from cloudstore_tui.core.text import plain

HIDDEN = "…"

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


def redact(text: str) -> str:
    """`text` without queries of addresses, credentials and tokens, on one line that is safe to show."""
    text = _USER.sub(f"{HIDDEN}@", text)
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


def silence(*names: str) -> None:
    """Keep loggers of other libraries from printing anything anywhere."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
