"""What came back over the wire: answers of the API with their JSON, answers of blob hosts with their headers."""

import html
import json
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.core.records import LONE_SURROGATE
from cloudstore_tui.core.text import plain
from cloudstore_tui.net.redaction import mask, redact
from cloudstore_tui.net.retry import http_date, retry_after_s

LONGEST_MESSAGE = 200
"""Characters of a service's own words that are shown."""

_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,2000}?)</title>", re.IGNORECASE | re.DOTALL)
_XML_MESSAGE = re.compile(rb"<Message>(.{0,2000}?)</Message>", re.DOTALL)
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9_.-]{1,80})</Code>")
_HEAD = 65_536
"""Bytes of a page in which its title is looked for."""

_KEYS = ("detail", "message", "faultstring", "error_description", "Error")
_LAST_KEYS = ("title", "reason", "error", "ErrorCode")
_CODE_KEYS = ("errorcode", "errorCode", "ErrorCode", "code", "error")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
"""What a code looks like; `error` may hold a sentence just as well."""


def is_html(body: bytes) -> bool:
    """Whether a body is a web page, made for people."""
    head = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<") and (b"<html" in head or b"<!doctype html" in head or b"<head" in head)


def is_xml(body: bytes) -> bool:
    """Whether a body is any other kind of markup."""
    return body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and not is_html(body)


def message_of(body: bytes) -> str:
    """The service's own words: one line that is safe to show, at most 200 characters; nothing if there are none."""
    head = body[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        found = _XML_MESSAGE.search(head) or _TITLE.search(head)
        return _short(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""
    if not head.startswith((b"{", b"[")):
        return _short(head.decode("utf-8", "replace"))
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        return _short(_words(value))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _short(head.decode("utf-8", "replace"))


def code_of(body: bytes) -> str:
    """The service's own name for what is wrong, such as `invalid_scope` or `NoSuchKey`; empty without one."""
    head = body[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        found = _XML_CODE.search(head)
        return _harmless(found[1].decode()) if found else ""
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""
    return _harmless(_code(value)) if isinstance(value, dict) else ""


def _harmless(code: str) -> str:
    """A code, unless the service gives us a secret of ours back as one."""
    return code if mask(code) == code else ""


def _code(value: dict[str, object]) -> str:
    for key in ("fault", "detail", "error"):
        if isinstance(inner := value.get(key), dict) and (code := _code(inner)):
            return code
    texts = (_text(value.get(key)) for key in _CODE_KEYS)
    return next((text for text in texts if _NAME.fullmatch(text)), "")


def _words(value: object) -> str:
    """The most telling text: that of an inner error before that of an outer one."""
    if isinstance(value, list):
        return "; ".join(dict.fromkeys(filter(None, map(_words, value))))
    if not isinstance(value, dict):
        return ""
    for key in ("fault", "error"):
        if isinstance(value.get(key), dict) and (words := _words(value[key])):
            return words
    several = _words(value["errors"]) if isinstance(value.get("errors"), list) else ""
    if several and "detail" not in value:
        return several
    return next((text for key in (*_KEYS, *_LAST_KEYS) if (text := _text(value.get(key)))), several)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    """A service's words, without the secrets that it may have heard from us; masked before anything is cut off."""
    return plain(redact(" ".join(mask(text).split())[: 4 * LONGEST_MESSAGE]), LONGEST_MESSAGE)


_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def compression(coding: str) -> str:
    """What compresses in a `Content-Encoding`; empty if nothing does.

    Stores keep whatever word came with an upload: `aws-chunked`, `utf-8`, `none`. Such bytes are as they are.
    """
    words = (word.strip().lower() for word in coding.split(","))
    return ", ".join(word for word in words if word in _COMPRESSIONS)


class Inflater:
    """Unpacks the body of an answer piece by piece, as far as it may go: a small one can unpack to gigabytes."""

    def __init__(self, coding: str, subject: str) -> None:
        """Make one.

        Raises:
            ReplyError: the body is compressed in a way that was not asked for.
        """
        name = compression(coding)
        if name not in ("", "gzip", "x-gzip", "deflate"):
            raise ReplyError("the answer is encoded in a way that was not asked for", subject=subject)
        self.body = bytearray()
        self._subject = subject
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if name else None

    def add(self, part: bytes | memoryview) -> None:
        """Take the next bytes from the network.

        Raises:
            ReplyError: the body is larger than 32 MiB, or damaged.
        """
        most = LARGEST_REPLY + 1 - len(self.body)
        try:
            self.body += self._inflater.decompress(part, most) if self._inflater else part
        except zlib.error:
            raise ReplyError(
                "the answer is damaged: it cannot be decompressed", subject=self._subject, hint="Try again."
            ) from None
        if len(self.body) > LARGEST_REPLY:
            raise ReplyError("the answer is larger than 32 MiB", subject=self._subject, hint="Ask for less at once.")

    def end(self) -> bytes:
        """The whole body.

        Raises:
            ReplyError: its end is missing.
        """
        if self._inflater is not None and self.body and not self._inflater.eof:
            raise ReplyError("the answer is damaged: its end is missing", subject=self._subject, hint="Try again.")
        return bytes(self.body)


Wire = TypeVar("Wire")

LARGEST_REPLY = 32 * 1024 * 1024
"""Bytes after decompression; the largest page of either service stays below 2 MiB."""

_HINT = "Check the addresses in the profile; a proxy on the way may have answered instead."


class Reply(msgspec.Struct, frozen=True):
    """The status and body of an answer."""

    status: int
    body: bytes
    location: str = ""
    """Where a redirect leads; only where the caller asked for redirects, and never to be followed unvetted."""
    date: datetime | None = None
    """The service's clock, if it told."""
    wait: float | None = None
    """Seconds the service asks to wait."""

    def decode(self, type_: type[Wire], *, subject: str) -> Wire:
        """The body as a wire object.

        Raises:
            ReplyError: it is HTML, XML, empty, damaged, or JSON of another shape.
        """
        text = self.body.removeprefix(b"\xef\xbb\xbf").strip()
        if text.startswith(b"<"):
            raise self.stranger(subject)
        if not text:
            raise ReplyError("the service answered with nothing where JSON was expected", subject=subject, hint=_HINT)
        try:
            return msgspec.json.decode(text, type=type_)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return _mended(text, type_, subject)

    def stranger(self, subject: str) -> ReplyError:
        """The error for a body that is not the API's."""
        kind = "an HTML page" if is_html(self.body) else "an XML document" if is_xml(self.body) else "no JSON"
        words = message_of(self.body)
        titled = f" titled '{words}'" if words and kind == "an HTML page" else f": {words}" if words else ""
        status = f" with status {self.status}" if self.status != 200 else ""
        return ReplyError(f"the answer is not the API's but {kind}{status}{titled}", subject=subject, hint=_HINT)

    def unlike(self, what: str, subject: str) -> ReplyError:
        """The error for JSON that says something else than `what`."""
        words = message_of(self.body)
        return ReplyError(
            f"the service answered with something else than {what}{f': {words}' if words else ''}", subject=subject
        )


def _mended(text: bytes, type_: type[Wire], subject: str) -> Wire:
    """What can be read of JSON that is against the rules.

    NaN and numbers of hundreds of digits are nothing, and damaged characters are replaced. Lone halves of surrogate
    pairs are legal JSON and stay in values: whoever writes text that has to be UTF-8 sees to them.
    """
    try:
        loose = json.loads(
            text.decode("utf-8", "replace"), parse_constant=_nothing, parse_int=_integer, object_pairs_hook=_fields
        )
        return msgspec.convert(loose, type_)
    except msgspec.ValidationError as error:
        raise ReplyError(
            f"the service answered with JSON of another shape ({error})", subject=subject, hint=_HINT
        ) from None
    except RecursionError:
        raise ReplyError("the service answered with JSON that is nested too deeply", subject=subject) from None
    except ValueError:
        raise ReplyError(
            "the service answered with damaged JSON", subject=subject, hint="Try again; if it stays, tell the support."
        ) from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without what no service has a field for, and no record could be read with: names with a lone half."""
    return {name: value for name, value in pairs if not LONE_SURROGATE.search(name)}


def _nothing(_name: str) -> Any:
    return None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= 300 else None


MAX_HEADER_BYTES = 65_536
MAX_HEADERS = 200

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_STRONG = re.compile(r'"[\x21\x23-\x7e]+"')
_STATUS = re.compile(r"[0-9]{3}")


class ContentRange(msgspec.Struct, frozen=True):
    """A `Content-Range`: which bytes of how many."""

    first: int | None
    last: int | None
    total: int | None


class BlobReply(msgspec.Struct, frozen=True):
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
        return etag if _STRONG.fullmatch(etag) else ""

    @property
    def span(self) -> ContentRange | None:
        """`Content-Range`; `None` where it is missing or damaged."""
        found = _CONTENT_RANGE.fullmatch(self.headers.get("content-range", "").strip())
        return ContentRange(*(int(number) if number else None for number in found.groups())) if found else None

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
    def compression(self) -> str:
        """How the body is compressed, such as `gzip`; empty if it is not."""
        return compression(self.headers.get("content-encoding", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds that the host asks to wait; `None` where it does not say, or says nonsense."""
        return retry_after_s(self.headers.get("retry-after", ""), "", http_date(self.headers.get("date", "")))


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
        if self._bytes > MAX_HEADER_BYTES or self._lines > MAX_HEADERS:
            raise ReplyError("the headers of the reply are too large")
        text = line.decode("latin-1").strip("\r\n")
        if text.startswith("HTTP/"):
            status = text.split(" ", 2)[1:2]
            self.status = int(status[0]) if status and _STATUS.fullmatch(status[0]) else 0
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
        joined = name in self._headers and name != "content-length"
        self._headers[name] = f"{self._headers[name]}, {value}" if joined else value
