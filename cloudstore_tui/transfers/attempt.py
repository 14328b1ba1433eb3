"""One request for an object's bytes, and the rules that its reply must keep."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cloudstore_tui.core.errors import IntegrityError, NetworkError, ReplyError
from cloudstore_tui.net.failures import ChangedError, ContradictionError, RangeError, RecoverableReplyError
from cloudstore_tui.net.reply import BlobReply

ROUNDING = 1024
ROUGHLY = 0.03
"""Bytes, and share, by which a rounded size may differ: nobody says whether its kB has 1000 or 1024."""
TENTH = 103
"""Bytes that rounding to a tenth of a kB hides: what is taken for the object on its size alone has to be as near."""
OVERLAP = 65_536
"""Bytes that are fetched again and compared where no validator proves that the object is the same."""


class Store(Protocol):
    """Holds the bytes of an object from the first on."""

    offset: int
    """Bytes it holds."""
    durable: int
    """Those of them that somebody counts on, also after a restart of the program."""

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


class RestartError(RecoverableReplyError):
    """The store sends everything again although bytes are on the disk: those have to be given up first, in order."""

    max_repeats = sys.maxsize
    restart_from = 1

    def __init__(self) -> None:
        super().__init__(NetworkError("the store begins anew each time"))


class EncodedError(RecoverableReplyError):
    """The reply is compressed, and nothing tells whether the object is stored that way."""

    def __init__(self, coding: str) -> None:
        super().__init__(
            IntegrityError(
                f"it is sent compressed ({coding}), and neither size nor checksum tell whether it is stored that way",
                hint="Something on the way may compress it; if not, its Content-Encoding at the store is wrong.",
            )
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What decides whether a reply is the object, beside its exact size."""

    rough_size: int | None = None
    """About how long it is, where the service rounds."""
    has_checksum: bool = False
    """Whether a checksum will tell, once all is there."""
    outweighs_size: bool = False
    """Whether it is left to the checksum, too, where the reply has another size than the record."""
    html: bool = False
    """Whether the object may be a web page."""

    def fits(self, total: int | None, size: int | None) -> bool:
        """Whether a reply that holds so many bytes may be the object as it is stored, whatever its headers say."""
        if size is not None:
            return total == size
        if total is not None and self.rough_size is not None:
            return is_roughly(total, self.rough_size, TENTH)
        return self.has_checksum


class Attempt:
    """Asks for all bytes that are missing, and lets only these into the store."""

    def __init__(
        self,
        version: Version,
        store: Store,
        learned: Callable[[int | None], None],
        evidence: Evidence,
        *,
        conditional: bool,
    ) -> None:
        """Make it.

        Args:
            version: what is known of the object; the reply adds to it.
            store: where the bytes go.
            learned: told the exact size as soon as the reply says it.
            evidence: what else decides.
            conditional: whether the store takes conditions.
        """
        self._version = version
        self._store = store
        self._learned = learned
        self._evidence = evidence
        self._conditional = conditional
        self._overlap = b""
        self.headers: dict[str, str] = {}
        """To be sent."""
        self.accepted = False
        """Whether the reply was one with bytes of the object."""

    def prepare(self) -> None:
        """Find out which bytes are missing. Blocks."""
        self._store.recover()
        start = self._store.offset
        if not start:
            return
        if not self._version.etag:
            self._overlap = self._store.tail(min(OVERLAP, start))
        elif self._conditional:
            self.headers["If-Match"] = self._version.etag
        self.headers["Range"] = f"bytes={start - len(self._overlap)}-"

    def accept(self, reply: BlobReply) -> bool:
        """Check the headers before a byte is taken."""
        if reply.status not in (200, 206):
            return False
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

    def _accept_whole(self, reply: BlobReply) -> None:
        size, length = self._version.size, reply.length
        fits = self._evidence.fits(length, size)
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html" and not self._evidence.html and not fits:
            raise ReplyError("the answer is a web page, not the object", hint="A proxy or a login page is in the way.")
        self._check_coding(reply, fits=fits)
        if size is not None and length is not None and length != size and not self._evidence.outweighs_size:
            raise ContradictionError(f"the server sends {length} of {size} bytes")
        if self._store.offset:
            # It cannot resume, or it has another version: either way all bytes come again.
            if self._store.durable:
                raise RestartError
            self._store.restart()
        self._overlap = b""
        self._version.size = size if length is None else length
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
        self._check_coding(reply, fits=self._evidence.fits(span.total, size))
        self._version.size = span.total
        self._store.expect(span.total)

    def _check_coding(self, reply: BlobReply, *, fits: bool) -> None:
        """Bytes that fit are taken as they are stored: nobody asked for any others."""
        coding = reply.compression
        if coding and not fits:
            raise EncodedError(coding)


def is_roughly(size: int, rough_size: int, rounding: int = ROUNDING) -> bool:
    """Whether a size is as near to a rounded one as rounding brings it; else a reply may be cut, or another thing."""
    return abs(size - rough_size) <= max(rounding, rough_size * ROUGHLY)
