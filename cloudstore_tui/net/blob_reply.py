"""What a blob host answers: status, headers, and the start of a body that is not the object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cloudstore_tui.core.errors import ReplyError

MOST_HEADER_BYTES = 65_536
MOST_HEADERS = 200

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class Span:
    """A `Content-Range`: which bytes of how many."""

    first: int | None
    last: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class BlobReply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    """The first bytes of what was sent, unless a sink took them."""

    @property
    def length(self) -> int | None:
        """`Content-Length`; `None` where the reply has none."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None

    @property
    def etag(self) -> str:
        """The validator if it is a strong one, else empty."""
        etag = self.headers.get("etag", "")
        return etag if re.fullmatch(r'"[\x21\x23-\x7e]+"', etag) else ""

    @property
    def span(self) -> Span | None:
        """`Content-Range`; `None` where it is missing or damaged."""
        found = _CONTENT_RANGE.fullmatch(self.headers.get("content-range", "").strip())
        return Span(*(int(number) if number else None for number in found.groups())) if found else None

    @property
    def store_code(self) -> str:
        """The code of a store's XML error (`ExpiredToken`, `AccessDenied`), or empty."""
        found = _CODE.search(self.body.decode("utf-8", "replace"))
        return found[1] if found else ""

    @property
    def has_unsigned_headers(self) -> bool:
        """Whether a store refuses headers that the link was not signed for; it names them beside its code."""
        return self.store_code == "HeadersNotSigned" or b"<HeadersNotSigned>" in self.body

    @property
    def retry_after(self) -> float | None:
        """Seconds that the host asks to wait; `None` where it does not say, or says nonsense."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            return max(float(text), 1.0)
        try:
            # Against the host's own clock: ours may be wrong.
            end, now = parsedate_to_datetime(text), parsedate_to_datetime(self.headers.get("date", ""))
            return max((end - now).total_seconds(), 1.0)
        except (TypeError, ValueError):
            return None


class HeaderBlock:
    """Header lines as they arrive."""

    def __init__(self) -> None:
        self.status = 0
        self._headers: dict[str, str] = {}
        self._bytes = 0
        self._lines = 0

    def add(self, line: bytes) -> bool:
        """Take one line; True when it ends the headers.

        Raises:
            ReplyError: too many or too long headers, or two lengths.
        """
        self._bytes += len(line)
        self._lines += 1
        if self._bytes > MOST_HEADER_BYTES or self._lines > MOST_HEADERS:
            raise ReplyError("the headers of the reply are too large")
        text = line.decode("latin-1").strip("\r\n")
        if text.startswith("HTTP/"):
            status = text.split(" ", 2)[1:2]
            self.status = int(status[0]) if status and re.fullmatch("[0-9]{3}", status[0]) else 0
            self._headers = {}
            return False
        name, colon, value = text.partition(":")
        if colon:
            self._add(name.strip().lower(), value.strip())
        return not text

    def reply(self, body: bytes = b"") -> BlobReply:
        """The reply so far."""
        return BlobReply(self.status, self._headers, body)

    def _add(self, name: str, value: str) -> None:
        if name == "content-length" and self._headers.get(name, value) != value:
            raise ReplyError("the reply has two different lengths")
        # A digest header may come once per algorithm.
        joined = name == "x-goog-hash" and name in self._headers
        self._headers[name] = f"{self._headers[name]},{value}" if joined else value
