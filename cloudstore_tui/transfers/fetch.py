"""Fetches all bytes of one object into a store, with as many requests as that takes."""

import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Protocol, Self, TypeAlias

from msgspec import Struct, field

from cloudstore_tui.core.errors import IntegrityError, NetworkError, ReplyError, StorageError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.net.failures import (
    ChangedError,
    ConditionError,
    ContradictionError,
    DeniedError,
    RangeError,
    RecoverableReplyError,
    store_refusal,
)
from cloudstore_tui.net.hosts import HostPermit
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.transport import NoSink
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.model import State, TransferProgress
from cloudstore_tui.transfers.verify import ExpectedChecksum

ROUNDING = 1024
ROUGHLY = 0.03
"""Bytes, and share, by which a rounded size may differ: whether its kB has 1000 or 1024 bytes is unknown."""
TENTH_OF_KB = 103
"""The largest difference in bytes if sizes are rounded to a tenth of a kB; used where the size alone decides."""
OVERLAP = 65_536
"""Bytes that are fetched again and compared where no validator proves that the object is the same."""


_STORE_HEADERS = ("x-amz-request-id", "x-goog-hash", "x-guploader-uploadid", "x-ms-request-id")
"""Every reply of an object store has one of these headers; those of proxies and login pages have none."""

Sign: TypeAlias = Callable[[StoredObject | None], Awaitable[Source]]
"""Gets a fresh link to an object, from what is known of it."""

_CASTS_DOUBT = frozenset({ChangedError, ContradictionError, DeniedError, RangeError})
"""Errors after which the record of the object is looked up again."""


class FetchStore(Protocol):
    """Holds the bytes of an object from the first on."""

    offset: int
    """Bytes it holds."""
    durable: int
    """Those of them that are known to be on the disk, and are used after a restart of the program."""

    def expect(self, size: int | None) -> None:
        """Set the exact size, before the first byte; `None` if it is unknown."""

    def write(self, data: memoryview) -> None:
        """Append bytes."""

    def tail(self, count: int) -> bytes:
        """The last `count` bytes."""

    def restart(self) -> None:
        """Drop all bytes."""

    def recover(self) -> None:
        """After a failed write, go back to the bytes that are certain."""


_WEAK = "W/"
"""The prefix of a weak validator."""


class Version(Struct):
    """What is known of the one version of the object that the bytes are from."""

    size: int | None = None
    """Exact length, from the record or from a reply."""
    etag: str = ""
    """Its strong validator, if the store gives one."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the last whole reply."""
    modified: str = ""
    """`Last-Modified`, as the store wrote it."""
    weak: str = ""
    """Its validator even if it is a weak one: another one proves another version, the same one proves nothing."""

    @property
    def validator(self) -> str:
        """Text that identifies the version in a later run; empty if nothing does."""
        return self.etag or (f"{_WEAK}{self.weak}" if self.weak else "")

    def is_other(self, reply: BlobReply) -> bool:
        """Whether a reply says of itself that it is from another version."""
        if self.etag:
            return reply.etag != self.etag
        hints = ((self.weak, _weak(reply)), (self.modified, _modified(reply)))
        return any(before and now and before != now for before, now in hints)

    @classmethod
    def known_from(cls, size: int | None, validator: str) -> Self:
        """The version that an earlier run noted."""
        weak = validator.startswith(_WEAK)
        return cls(size, "" if weak else validator, weak=validator.removeprefix(_WEAK))

    def update_from(self, reply: BlobReply) -> None:
        """Note what a reply with bytes says of the version."""
        self.etag, self.weak, self.modified = reply.etag, _weak(reply), _modified(reply)


def _weak(reply: BlobReply) -> str:
    return reply.headers.get("etag", "").removeprefix(_WEAK)


def _modified(reply: BlobReply) -> str:
    return reply.headers.get("last-modified", "")


class RestartError(RecoverableReplyError):
    """The store sends everything again although some bytes are on the disk: the journal has to drop these first."""

    max_repeats = sys.maxsize
    restart_from = 1

    def __init__(self) -> None:
        super().__init__(NetworkError("the store starts again each time"))


class EncodedError(RecoverableReplyError):
    """The reply is compressed, and nothing shows whether the object is stored that way."""

    def __init__(self, coding: str) -> None:
        super().__init__(
            IntegrityError(
                f"it is sent compressed ({coding}), and neither size nor checksum shows whether it is stored that way",
                hint="Something on the way may compress it; if not, its Content-Encoding at the store is wrong.",
            )
        )


class Evidence(Struct):
    """All that service and store have said of the object: it decides whether a reply is the object."""

    html: bool = False
    """Whether the object may be a web page."""
    source: Source | None = None
    """The latest link, and what the service said with it."""
    rough_size: int | None = None
    """About how long it is, where the service rounds."""
    version: Version = field(default_factory=Version)
    """What the replies of the store said."""
    outweighs_size: bool = False
    """Whether the checksum decides also where a reply has another size than the record."""
    outweighed_size: int | None = None
    """The size in the record, once the checksum was found to outweigh it."""
    unconfirmed: bool = False
    """Whether all has come, and nobody says how long it should be."""

    @property
    def expected(self) -> ExpectedChecksum:
        """What the bytes are to be compared with."""
        source, version = self.source, self.version
        checksum, kind = (source.checksum, source.checksum_type) if source is not None else ("", "")
        # It was outweighed by a checksum that has yet to fit.
        size = version.size if self.outweighed_size is None else self.outweighed_size
        return ExpectedChecksum(size, checksum, kind, version.etag, version.headers)

    @property
    def modified(self) -> float | None:
        """When the object was last changed, by what service or store said with its bytes."""
        if self.source is not None and self.source.modified is not None:
            return self.source.modified.timestamp()
        if not self.version.modified:
            return None
        try:
            return parsedate_to_datetime(self.version.modified).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None

    @property
    def remark(self) -> str:
        """What the user should know of the record or the store, as a clause; empty if nothing."""
        if self.unconfirmed and not self.expected.is_strong:
            return "neither the service nor its store says how long it is, so whether it is complete is unknown"
        size, rough_size = self.version.size, self.rough_size
        if size is None:
            return ""
        if self.outweighed_size is not None and size != self.outweighed_size:
            return f"its record says {self.outweighed_size:,} bytes, and it has {size:,}; the checksum fits"
        if rough_size is not None and not is_roughly(size, rough_size):
            return f"the service says that it has about {rough_size:,} bytes, and the store gave {size:,}"
        return ""

    def take_record(self, source: Source, *, has_bytes: bool, contradicted: bool) -> None:
        """A new size in the record means a new object, unless stronger evidence shows that the record is wrong.

        Args:
            source: what the service says now.
            has_bytes: whether some bytes are here already.
            contradicted: whether a reply had another size than the record.
        """
        size = source.size
        if size is not None and size != self.outweighed_size:
            if not has_bytes or self.version.size in (None, size):
                self.version.size = size
            elif self.version.etag and self.expected.is_strong:
                self.outweighed_size = size
            else:
                raise ChangedError
        # Once another request has brought the same size again, the record is more likely to be wrong than the store.
        self.outweighs_size = contradicted and self.expected.is_strong
        if self.outweighs_size and self.outweighed_size is None:
            self.outweighed_size = size

    def check_whole(self, reply: BlobReply) -> None:
        """Refuse a reply with all bytes that is not the object."""
        size, length = self.version.size, reply.length
        fits = self._fits(length)
        if is_page(reply) and not (self.html or fits or self._is_of_the_store(reply)):
            raise ReplyError("the answer is a web page, not the object", hint="A proxy or a login page is in the way.")
        if reply.compression and not fits:
            raise EncodedError(reply.compression)
        if size is not None and length is not None and length != size and not self.outweighs_size:
            raise ContradictionError(f"the server sends {length} of {size} bytes")

    def check_rest(self, reply: BlobReply, start: int) -> int:
        """Refuse a reply that is not the rest of the object from `start` on; returns the exact size of the object."""
        span, size = reply.span, self.version.size
        if span is None or span.total is None or span.first != start:
            raise RangeError
        if span.last != span.total - 1 or reply.length not in (None, span.total - start):
            raise RangeError
        if self.version.is_other(reply):
            raise ChangedError
        if size not in (None, span.total):
            raise RangeError
        if reply.compression and reply.length is None:
            # These may be the bytes of the object, or fewer that were compressed on the way.
            raise RangeError
        if reply.compression and not self._fits(span.total):
            raise EncodedError(reply.compression)
        return span.total

    def _fits(self, total: int | None) -> bool:
        """Whether a reply of `total` bytes may be the object as it is stored, whatever its headers say."""
        if self.version.size is not None:
            return total == self.version.size
        if total is not None and self.rough_size is not None:
            return is_roughly(total, self.rough_size, TENTH_OF_KB)
        return self.expected.is_strong

    def _is_of_the_store(self, reply: BlobReply) -> bool:
        """Whether the reply is from the store itself, where no size is known that could decide."""
        unknown = self.version.size is None and self.rough_size is None
        return unknown and any(name in reply.headers for name in _STORE_HEADERS)


class Attempt:
    """One request for the bytes that are missing. Its reply is checked before any of them is stored."""

    def __init__(self, evidence: Evidence, store: FetchStore, progress: TransferProgress) -> None:
        self._evidence = evidence
        self._store = store
        self._progress = progress
        self._overlap = b""
        self.headers: dict[str, str] = {}
        """Sent with the request."""
        self.accepted = False
        """Whether the reply had bytes of the object."""

    def prepare(self, *, conditional: bool) -> None:
        """Work out which bytes are missing, and the headers that ask for them, also by `If-Match`. Blocks."""
        self._store.recover()
        start, etag = self._store.offset, self._evidence.version.etag
        if not start:
            return
        if not etag:
            self._overlap = self._store.tail(min(OVERLAP, start))
        elif conditional:
            self.headers["If-Match"] = etag
        self.headers["Range"] = f"bytes={start - len(self._overlap)}-"

    def accept(self, reply: BlobReply) -> bool:
        """Check the headers before a byte is taken."""
        version = self._evidence.version
        if reply.status == 200:
            self._evidence.check_whole(reply)
            self._start_over()
            version.size = version.size if reply.length is None else reply.length
            version.headers = dict(reply.headers)
        elif reply.status == 206:
            if not self.headers:
                raise RangeError
            version.size = self._evidence.check_rest(reply, self._store.offset - len(self._overlap))
        else:
            return False
        self._store.expect(version.size)
        version.update_from(reply)
        self._progress.size = version.size
        self.accepted = True
        return True

    def write(self, data: memoryview) -> None:
        """Compare the bytes that are here already, and store the rest."""
        if self._overlap:
            seen = bytes(data[: len(self._overlap)])
            if not self._overlap.startswith(seen):
                raise ChangedError
            self._overlap = self._overlap[len(seen) :]
            data = data[len(seen) :]
        self._store.write(data)

    def _start_over(self) -> None:
        """The store cannot resume, or has another version: either way all bytes come again."""
        if self._store.offset:
            if self._store.durable:
                raise RestartError
            self._store.restart()
        self._overlap = b""


def is_roughly(size: int, rough_size: int, rounding: int = ROUNDING) -> bool:
    """Whether `size` may have been rounded to `rough_size`."""
    return abs(size - rough_size) <= max(rounding, rough_size * ROUGHLY)


class Fetch:
    """Fetches one object; what arrived stays good for the next `run`.

    It gets a new link before every attempt: the last one may have expired, and one that failed is never used again.
    The record of the object is looked up again only where a reply contradicts it.
    """

    def __init__(
        self,
        context: TransferContext,
        sign: Sign,
        progress: TransferProgress,
        *,
        html: bool,
        known: StoredObject | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            context: what transfers share.
            sign: returns a fresh link.
            progress: where it reports how far it is.
            html: whether the object may be a web page.
            known: the record of the object, if it was looked up already.
        """
        self.budget = context.budget()
        self.evidence = Evidence(html=html)
        if known is not None and not known.size_exact:
            self.evidence.rough_size = known.size
        self._context = context
        self._sign = sign
        self._progress = progress
        self._permit = HostPermit(context.hosts, context.clock, progress.wait)
        self._known = known
        self._recoveries: defaultdict[type[RecoverableReplyError], int] = defaultdict(int)
        self._good_link: Source | None = None
        """That of the last request, if it worked."""
        self._asked = False
        """Whether the store was asked for bytes in this run."""
        self._began = False
        """Whether it was asked for any in this run or an earlier one."""

    async def probe(self) -> ExpectedChecksum:
        """What service and store say about the object, with its exact size if they know it, without fetching it.

        Sends nothing if the record has both size and checksum.
        """
        known = self._known
        if known is not None and known.size is not None and known.size_exact and known.checksum:
            self.evidence.version.size = known.size
            return ExpectedChecksum(known.size, known.checksum, known.checksum_type)
        await self._repeat(self._probe)
        return self.evidence.expected

    async def run(self, store: FetchStore) -> None:
        """Fetch until the store holds everything.

        Raises:
            StorageError: it cannot be fetched, or not within the retry budget.
        """
        self._asked = False
        if store.offset:
            await self._context.workers.run(lambda _stop: store.recover())
        if self.evidence.source is None and store.offset:
            # All bytes may be here already; what to compare them with is not.
            await self._repeat(lambda: self._check_record(store), store)
            if self._is_complete(store) and not self.evidence.expected.is_strong:
                # Only the store knows whether they are still those of the object.
                await self._repeat(lambda: self._attempt(store), store)
        while not self._is_complete(store):
            await self._repeat(lambda: self._attempt(store), store)

    def forget(self, store: FetchStore) -> None:
        """Start over, without bytes and without the record."""
        store.restart()
        self._known = self._good_link = None
        self.evidence.version = Version()
        self.evidence.unconfirmed = False

    def _is_complete(self, store: FetchStore) -> bool:
        size = self.evidence.version.size
        if size is None:
            return self.evidence.unconfirmed
        return store.offset == size and (size > 0 or self._asked)

    async def _repeat(self, request: Callable[[], Awaitable[None]], store: FetchStore | None = None) -> None:
        """Make a request until it succeeds, or its failure is final."""
        while True:
            try:
                with self.budget.owning_retries(), self._permit:
                    return await request()
            except RecoverableReplyError as error:
                self._good_link = None
                await self._recover(error, store)
            except StorageError as error:
                self._good_link = None
                note = f"{error.message}{self._resuming(store)}"
                await self.budget.wait(error, self._progress.wait, note)

    async def _recover(self, reply_error: RecoverableReplyError, store: FetchStore | None) -> None:
        """Prepare the next request, which may get a better reply."""
        kind = type(reply_error)
        if kind in _CASTS_DOUBT:
            self._known = None
        self._recoveries[kind] += 1
        if self._recoveries[kind] > reply_error.max_repeats:
            raise reply_error.error
        first = reply_error.restart_from
        if store is not None and first is not None and self._recoveries[kind] >= first:
            await self._context.workers.run(lambda _stop: self.forget(store))

    def _resuming(self, store: FetchStore | None) -> str:
        size = self.evidence.version.size
        return f"; going on at {100 * store.offset // size} %" if store is not None and store.offset and size else ""

    async def _link(self) -> Source:
        """A fresh link, or that of the last request, if it worked and has not expired."""
        good, self._good_link = self._good_link, None
        if good is not None and (good.expires is None or good.expires > self._context.clock.now()):
            return good
        while True:
            self._progress.to(State.SIGNING)
            source = self.evidence.source = await self._sign(self._known)
            if source.rough_size is not None:
                self.evidence.rough_size = source.rough_size
            if not await self._permit.enter(source.url, self.budget):
                return source

    async def _check_record(self, store: FetchStore) -> None:
        source = await self._link()
        self._take_record(source, store)
        self._good_link = source

    async def _probe(self) -> None:
        source = await self._link()
        self.evidence.version.size = await self._total(source) if source.size is None else source.size
        self._good_link = source
        self._recoveries.pop(DeniedError, None)

    async def _attempt(self, store: FetchStore) -> None:
        """Ask once for the bytes that are missing."""
        source = await self._link()
        self._take_record(source, store)
        version = self.evidence.version
        attempt = Attempt(self.evidence, store, self._progress)
        self._progress.attempts += 1
        if store.offset or self._began:
            conditional = not self._recoveries[ConditionError]
            await self._context.workers.run(lambda _stop: attempt.prepare(conditional=conditional))
        self._progress.size = version.size
        self._progress.to(State.RUNNING)
        self._began = True
        try:
            reply = await self._context.blob.get(source, self._permit.watch(attempt), attempt.headers)
        finally:
            if self.budget.record_progress(store.offset):
                self._permit.progressed()
            self._progress.size = version.size
            if attempt.accepted:
                self._recoveries.pop(DeniedError, None)
        self._asked = True
        if not attempt.accepted:
            self._check_refusal(reply, store)
            return
        self._good_link, rough_size = source, self.evidence.rough_size
        if version.size is None:
            await self._confirm(store)
        elif store.offset < version.size:
            raise NetworkError("the connection ended early")
        elif rough_size is not None and source.size is None and not is_roughly(store.offset, rough_size):
            await self._confirm(store)

    def _take_record(self, source: Source, store: FetchStore) -> None:
        contradicted = self._recoveries[ContradictionError] > 0
        self.evidence.take_record(source, has_bytes=store.offset > 0, contradicted=contradicted)

    def _check_refusal(self, reply: BlobReply, store: FetchStore) -> None:
        """Raise why there were no bytes, unless none are missing: the connection was lost after the last one."""
        if reply.status != 416 or not store.offset:
            raise store_refusal(reply)
        span, version = reply.span, self.evidence.version
        if span is None or span.total != store.offset or version.size not in (None, span.total):
            raise RangeError
        version.size = span.total

    async def _confirm(self, store: FetchStore) -> None:
        """Compare with the exact size where the reply had no length: a cut body looks like a whole one."""
        evidence = self.evidence
        total = await self._total(await self._link())
        if total is not None and total > store.offset:
            evidence.version.size = total
            raise NetworkError("the connection ended early")
        if total is not None and total < store.offset:
            raise ContradictionError(f"the server sent {store.offset} of {total} bytes")
        if total is None and evidence.rough_size is not None and not is_roughly(store.offset, evidence.rough_size):
            # A body without a length looks whole wherever the connection ends.
            raise ContradictionError(f"the server sent {store.offset} of about {evidence.rough_size} bytes")
        evidence.version.size = total
        evidence.unconfirmed = total is None

    async def _total(self, source: Source) -> int | None:
        """The exact size, from a request for one byte; `None` if the store does not say."""
        reply = await self._context.blob.get(source, self._permit.watch(NoSink()), {"Range": "bytes=0-0"})
        if reply.status == 206 and reply.span is None:
            # The reply is damaged, and what came before may be cut off.
            raise RangeError
        if reply.status == 206 or reply.status == 416:
            return reply.span.total if reply.span is not None else None
        if reply.status == 200:
            return reply.length
        raise store_refusal(reply)


def is_page(reply: BlobReply) -> bool:
    """Whether a reply is a web page, by its content type."""
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html"


def may_be_html(name: str, mime: str = "") -> bool:
    """Whether an object may well be a web page; any other object that comes as one is an error page."""
    return mime == "text/html" or name.lower().endswith((".html", ".htm"))
