"""Ranges of an object: for a preview, and for a copy that another program reads, without a transfer."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from cloudstore_tui.core.errors import IntegrityError, NetworkError, ReplyError, StorageError, ThrottledError
from cloudstore_tui.core.links import Piece, Source
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.net.failures import DeniedError, RangeError, RecoverableReplyError, store_refusal
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.transport import Blob
from cloudstore_tui.transfers.fetch import Sign, Version, is_page

MAX_SKIPPED = 1 << 20
"""Bytes that are thrown away to come to a place in the middle, where the store only sends whole objects."""
PAUSES_S = (0.3, 1.0)
"""Seconds before each further try after a connection that failed."""
MAX_PAUSE_S = 5.0
"""Seconds that are waited at most because a store asks for it; somebody is looking at the screen."""


class RangeReader:
    """Reads ranges of one object. One link serves all of them; it is asked for again when it is refused."""

    def __init__(
        self,
        blob: Callable[[], Blob],
        sign: Sign,
        *,
        known: StoredObject | None = None,
        html: bool = False,
        pauses: tuple[float, ...] = PAUSES_S,
    ) -> None:
        """Make it; nothing is sent before the first piece.

        Args:
            blob: gives the blob client.
            sign: gives a fresh link.
            known: the record of the object, if it was asked for already.
            html: whether the object may be a web page.
            pauses: seconds before each further try.
        """
        self._blob = blob
        self._sign = sign
        self._known = known
        self._html = html
        self._pauses = pauses
        self._signing = asyncio.Lock()
        self._source: Source | None = None
        self._version: Version | None = None
        """What the first piece told of the object."""

    async def read(self, first: int, count: int) -> Piece:
        """At most `count` bytes from the offset `first`.

        Raises:
            NotAvailableError: its state does not allow to read it.
            IntegrityError: the object changed since the first piece.
            StorageError: it cannot be had.
        """
        for pause in self._pauses:
            try:
                return await self._repeat(first, count)
            except StorageError as error:
                wait = _pause(error, pause)
                if wait is None:
                    raise
            await asyncio.sleep(wait)
        return await self._repeat(first, count)

    async def _repeat(self, first: int, count: int) -> Piece:
        source = await self._link(None)
        try:
            return await self._ask(source, first, count)
        except DeniedError:
            # It may have ended while the user was reading.
            source = await self._link(source)
        except RecoverableReplyError as error:
            raise error.error from None
        try:
            return await self._ask(source, first, count)
        except RecoverableReplyError as error:
            raise error.error from None

    async def _link(self, refused_one: Source | None) -> Source:
        async with self._signing:
            if self._source is not None and self._source is refused_one:
                self._source = self._known = None
            if self._source is None:
                self._source = await self._sign(self._known)
            return self._source

    async def _ask(self, source: Source, first: int, count: int) -> Piece:
        sink = _Cut(first, count, source.size, html=self._html)
        try:
            reply = await self._blob().get(source, sink, {"Range": f"bytes={first}-{first + count - 1}"})
        except _EnoughError:
            reply = sink.reply
        if reply.status == 416:
            told = reply.span.total if reply.span is not None else None
            known = self._check(reply, told).size
            total = next((size for size in (told, known, source.size) if size is not None), None)
            if total is not None and first < total:
                raise RangeError
            return Piece(b"", total)
        if not sink.accepted:
            raise store_refusal(reply)
        self._check(reply, sink.total)
        total = sink.total if sink.total is not None else source.size
        if sink.is_short(total):
            raise NetworkError("the connection ended early")
        return Piece(bytes(sink.data), total, sink.ranged, sink.reply.compression)

    def _check(self, reply: BlobReply, total: int | None) -> Version:
        """Compare with what the first piece told of the object, which is given back."""
        if self._version is None:
            self._version = Version(total)
            self._version.update_from(reply)
            return self._version
        known, tells = self._version, bool(reply.etag) or not self._version.etag
        if (tells and known.is_other(reply)) or (known.size is not None and total not in (None, known.size)):
            raise IntegrityError("it changed on the server while it was read", hint="Open it again.")
        return known


class _EnoughError(RecoverableReplyError):
    """All bytes are here that are wanted; the rest is not to be sent."""

    max_repeats: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__(ReplyError("the reply goes on for too long"))


class _Cut:
    """Keeps the bytes that are wanted, and ends the request after them."""

    def __init__(self, first: int, count: int, size: int | None, *, html: bool) -> None:
        self.data = bytearray()
        self.reply = BlobReply(0, {})
        self.accepted = False
        self.ranged = True
        self.total: int | None = None
        self._first = first
        self._count = count
        self._size = size
        self._html = html
        self._skip = 0
        self._goes_on = True
        """Whether more may come than is wanted; else the connection can be kept."""

    def accept(self, reply: BlobReply) -> bool:
        """Look where the bytes begin that come."""
        self.reply = reply
        if reply.status not in (200, 206):
            return False
        if reply.compression and not self._is_stored(reply):
            raise ReplyError("the reply is compressed although nobody asked for that")
        if reply.status == 206:
            self._accept_range(reply)
        else:
            self._accept_whole(reply)
        self.accepted = True
        if not self._count or self._skip > MAX_SKIPPED:
            raise _EnoughError
        return True

    def write(self, data: memoryview) -> None:
        """Take what is wanted of the next bytes."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self.data += data[: self._count - len(self.data)]
        if self._goes_on and len(self.data) >= self._count:
            raise _EnoughError

    def is_short(self, total: int | None) -> bool:
        """Whether bytes are missing although the object has them."""
        if total is None or self._skip > MAX_SKIPPED:
            return False
        return len(self.data) < min(self._count, max(total - self._first, 0))

    def _is_stored(self, reply: BlobReply) -> bool:
        """Whether the object is stored compressed: what something on the way compresses has no length, or another."""
        span, told = reply.span, self._size
        if reply.status == 206:
            told = span.last - span.first + 1 if span and span.first is not None and span.last is not None else None
        return told is not None and reply.length == told

    def _accept_range(self, reply: BlobReply) -> None:
        span = reply.span
        if span is None or span.first != self._first:
            raise RangeError
        self.total = span.total
        self._goes_on = reply.length is None or reply.length > self._count

    def _accept_whole(self, reply: BlobReply) -> None:
        if is_page(reply) and not self._html and (self._size is None or reply.length != self._size):
            raise ReplyError("the answer is a web page, not the object", hint="A proxy or a login page is in the way.")
        self.ranged = False
        self.total = reply.length
        self._skip = self._first


def _pause(error: StorageError, usual: float) -> float | None:
    """Seconds before another try, `None` where none makes sense."""
    if not error.retryable:
        return None
    if isinstance(error, ThrottledError) and error.wait is not None:
        return error.wait if error.wait <= MAX_PAUSE_S else None
    return usual
