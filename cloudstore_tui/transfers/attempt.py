"""One request for an object's bytes, and the rules that its reply must keep."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.net.failures import ChangedError, ContradictionError, RangeError
from cloudstore_tui.net.reply import BlobReply

OVERLAP = 65_536
"""Bytes that are fetched again and compared where no validator proves that the object is the same."""


class Store(Protocol):
    """Holds the bytes of an object from the first on."""

    offset: int
    """Bytes it holds."""

    def expect(self, size: int | None) -> None:
        """Learn how many bytes will come."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    def tail(self, count: int) -> bytes:
        """The last `count` bytes."""

    def restart(self) -> None:
        """Forget all bytes."""

    def recover(self) -> None:
        """After a failure to take bytes, go back to those that are certain."""


@dataclass(slots=True)
class Version:
    """What is known of the one version of the object that the bytes are from."""

    size: int | None = None
    """Exact length, from the record or from a reply."""
    etag: str = ""
    """Its strong validator, if the store gives one."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the last whole reply."""
    modified: str = ""
    """`Last-Modified`, as the store wrote it."""


class Attempt:
    """Asks for all bytes that are missing, and lets only these into the store."""

    def __init__(
        self, version: Version, store: Store, learned: Callable[[int | None], None], *, conditional: bool, html: bool
    ) -> None:
        """Make it.

        Args:
            version: what is known of the object; the reply adds to it.
            store: where the bytes go.
            learned: told the exact size as soon as the reply says it.
            conditional: whether the store takes conditions.
            html: whether the object may be a web page.
        """
        store.recover()
        self._version = version
        self._store = store
        self._learned = learned
        self._html = html
        self._overlap = b""
        self.headers: dict[str, str] = {}
        """To be sent."""
        self.accepted = False
        """Whether the reply was one with bytes of the object."""
        if store.offset:
            self._resume(conditional=conditional)

    def accept(self, reply: BlobReply) -> bool:
        """Check the headers before a byte is taken."""
        if reply.status not in (200, 206):
            return False
        encoding = reply.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise ReplyError("the reply is compressed although nobody asked for that")
        if reply.status == 200:
            self._accept_whole(reply)
        else:
            self._accept_rest(reply)
        self._version.etag = reply.etag
        self._version.modified = reply.headers.get("last-modified", "")
        self._learned(self._version.size)
        self.accepted = True
        return True

    def write(self, data: bytes) -> None:
        """Compare what is here already, and store the rest."""
        if self._overlap:
            seen = data[: len(self._overlap)]
            if not self._overlap.startswith(seen):
                raise ChangedError
            self._overlap = self._overlap[len(seen) :]
            data = data[len(seen) :]
        self._store.write(data)

    def _resume(self, *, conditional: bool) -> None:
        start = self._store.offset
        if not self._version.etag:
            self._overlap = self._store.tail(min(OVERLAP, start))
        elif conditional:
            self.headers["If-Match"] = self._version.etag
        self.headers["Range"] = f"bytes={start - len(self._overlap)}-"

    def _accept_whole(self, reply: BlobReply) -> None:
        size, length = self._version.size, reply.length
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html" and not self._html and (size is None or length != size):
            raise ReplyError("the answer is a web page, not the object", hint="A proxy or a login page is in the way.")
        if size is not None and length is not None and length != size:
            raise ContradictionError(f"the server sends {length} of {size} bytes")
        if self._store.offset:
            # It cannot resume, or it has another version: either way all bytes come again.
            self._store.restart()
        self._overlap = b""
        self._version.size = length if size is None else size
        self._version.headers = dict(reply.headers)
        self._store.expect(self._version.size)

    def _accept_rest(self, reply: BlobReply) -> None:
        start, span, size = self._store.offset - len(self._overlap), reply.span, self._version.size
        if not self.headers or span is None or span.total is None or span.first != start:
            raise RangeError
        if span.last != span.total - 1 or reply.length not in (None, span.total - start):
            raise RangeError
        if self._version.etag and reply.etag != self._version.etag:
            raise ChangedError
        if size not in (None, span.total):
            raise RangeError
        self._version.size = span.total
        self._store.expect(span.total)
