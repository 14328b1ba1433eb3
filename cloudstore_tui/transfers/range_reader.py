"""Reads ranges of an object without a transfer: for a preview, and for a copy that another program opens."""

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
"""Bytes that are thrown away to reach an offset, if the store only sends whole objects."""
PAUSES_S = (0.3, 1.0)
"""Seconds before each further try after a connection that failed."""
MAX_PAUSE_S = 5.0
"""The longest wait that a store may ask for: a person is looking at the screen."""


class RangeReader:
    """Reads ranges of one object through one link, which is renewed when it is refused."""

    def __init__(
        self,
        blob: Callable[[], Blob],
        sign: Sign,
        *,
        known: StoredObject | None = None,
        html: bool = False,
        pauses: tuple[float, ...] = PAUSES_S,
    ) -> None:
        """Nothing is sent before the first read.

        Args:
            blob: returns the blob client.
            sign: returns a fresh link.
            known: the record of the object, if it was looked up already.
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
        """The version of the object that the first piece is from."""

    async def read(self, first: int, count: int) -> Piece:
        """At most `count` bytes from the offset `first`.

        Raises:
            NotAvailableError: its state does not allow reading it.
            IntegrityError: the object changed since the first piece.
            StorageError: it cannot be read.
        """
        for pause in self._pauses:
            try:
                return await self._read(first, count)
            except StorageError as error:
                wait = _pause(error, pause)
                if wait is None:
                    raise
            await asyncio.sleep(wait)
        return await self._read(first, count)

    async def _read(self, first: int, count: int) -> Piece:
        """Request a range, and once more with a fresh link if the first one is refused."""
        source = await self._link(None)
        try:
            try:
                return await self._request(source, first, count)
            except DeniedError:
                # It may have expired while the user was reading.
                return await self._request(await self._link(source), first, count)
        except RecoverableReplyError as error:
            raise error.error from None

    async def _link(self, refused: Source | None) -> Source:
        async with self._signing:
            if self._source is not None and self._source is refused:
                self._source = self._known = None
            if self._source is None:
                self._source = await self._sign(self._known)
            return self._source

    async def _request(self, source: Source, first: int, count: int) -> Piece:
        sink = _RangeSink(first, count, source.size, html=self._html)
        try:
            reply = await self._blob().get(source, sink, {"Range": f"bytes={first}-{first + count - 1}"})
        except _CompleteError:
            reply = sink.reply
        if reply.status == 416:
            stated = reply.span.total if reply.span is not None else None
            known = self._check(reply, stated).size
            total = next((size for size in (stated, known, source.size) if size is not None), None)
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
        """Make sure that a reply is from the same version as the first piece, and return that version."""
        if self._version is None:
            self._version = Version(total)
            self._version.update_from(reply)
            return self._version
        known, is_comparable = self._version, bool(reply.etag) or not self._version.etag
        if (is_comparable and known.is_other(reply)) or (known.size is not None and total not in (None, known.size)):
            raise IntegrityError("it changed on the server while it was read", hint="Open it again.")
        return known


class _CompleteError(RecoverableReplyError):
    """Ends a request once all requested bytes have come, if the reply goes on."""

    max_repeats: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__(ReplyError("the reply goes on for too long"))


class _RangeSink:
    """Keeps the bytes of a range, and ends the request after them."""

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
        """Whether more may come than was requested; otherwise the connection can be kept."""

    def accept(self, reply: BlobReply) -> bool:
        """Check the headers, and where the bytes begin."""
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
            raise _CompleteError
        return True

    def write(self, data: memoryview) -> None:
        """Keep the part of the next bytes that was requested."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self.data += data[: self._count - len(self.data)]
        if self._goes_on and len(self.data) >= self._count:
            raise _CompleteError

    def is_short(self, total: int | None) -> bool:
        """Whether bytes are missing that an object of `total` bytes has."""
        if total is None or self._skip > MAX_SKIPPED:
            return False
        return len(self.data) < min(self._count, max(total - self._first, 0))

    def _is_stored(self, reply: BlobReply) -> bool:
        """Whether the object is stored compressed: a reply compressed on the way has no length, or another one."""
        span, expected = reply.span, self._size
        if reply.status == 206:
            expected = span.last - span.first + 1 if span and span.first is not None and span.last is not None else None
        return expected is not None and reply.length == expected

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
    """Seconds before another try; `None` if that would not help."""
    if not error.retryable:
        return None
    if isinstance(error, ThrottledError) and error.wait is not None:
        return error.wait if error.wait <= MAX_PAUSE_S else None
    return usual
