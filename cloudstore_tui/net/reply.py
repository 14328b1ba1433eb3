"""One answer of a service, and its JSON as typed objects."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.net.message import is_html, is_xml, message_of

Wire = TypeVar("Wire")

LARGEST_REPLY = 32 * 1024 * 1024
"""Bytes after decompression; the largest page of either service stays below 2 MiB."""

_CURE = "Check the addresses in the profile; a proxy on the way may have answered instead."


@dataclass(frozen=True, slots=True)
class Reply:
    """The status and body of an answer."""

    status: int
    body: bytes
    content_type: str = ""
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
            raise ReplyError("the service answered with nothing where JSON was expected", subject=subject, hint=_CURE)
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
        return ReplyError(f"the answer is not the API's but {kind}{status}{titled}", subject=subject, hint=_CURE)


def _mended(text: bytes, type_: type[Wire], subject: str) -> Wire:
    """What can be read of JSON that is against the rules.

    NaN and numbers of hundreds of digits are nothing, and damaged characters are replaced.
    """
    try:
        loose = json.loads(text.decode("utf-8", "replace"), parse_constant=_nothing, parse_int=_integer)
        # Lone halves of surrogate pairs are legal JSON, and text that nothing else could encode.
        loose = json.loads(json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace"))
        return msgspec.convert(loose, type_)
    except msgspec.ValidationError as error:
        raise ReplyError(
            f"the service answered with JSON of another shape ({error})", subject=subject, hint=_CURE
        ) from None
    except RecursionError:
        raise ReplyError("the service answered with JSON that is nested too deeply", subject=subject) from None
    except ValueError:
        raise ReplyError(
            "the service answered with damaged JSON", subject=subject, hint="Try again; if it stays, tell the support."
        ) from None


def _nothing(_name: str) -> Any:
    return None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= 300 else None
