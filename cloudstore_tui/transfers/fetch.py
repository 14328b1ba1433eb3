"""Fetches all bytes of one object into a store, with as many requests as that takes."""

import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from cloudstore_tui.core.errors import IntegrityError, NetworkError, ReplyError, StorageError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.failures import (
    ChangedError,
    ConditionError,
    ContradictionError,
    DeniedError,
    RangeError,
    RecoverableReplyError,
    store_refusal,
)
from cloudstore_tui.net.hosts import HostPermit, Hosts
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.retry import RetryBudget
from cloudstore_tui.net.transport import Blob, NoSink
from cloudstore_tui.transfers.model import State, TransferProgress
from cloudstore_tui.transfers.space import Space
from cloudstore_tui.transfers.verify import ExpectedChecksum
from cloudstore_tui.transfers.workers import Workers


class TransferContext(Struct, frozen=True):
    """What all transfers of a manager share."""

    blob: Blob
    timeouts: Timeouts
    clock: Clock
    disk: Disk
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between looks at a zip job; the last repeats."""
    workers: Workers = field(default_factory=Workers)
    space: Space = field(default_factory=Space)
    hosts: Hosts = field(default_factory=Hosts)

    def budget(self) -> RetryBudget:
        """The time that a transfer may fail in, from now on."""
        return RetryBudget(self.clock, self.timeouts.give_up, self.timeouts.disk)


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


class Evidence(Struct, frozen=True):
    """What decides whether a reply is the object, besides its exact size."""

    rough_size: int | None = None
    """About how long it is, where the service rounds."""
    has_checksum: bool = False
    """Whether a checksum will decide once all bytes are there."""
    outweighs_size: bool = False
    """Whether the checksum decides also where the reply has another size than the record."""
    html: bool = False
    """Whether the object may be a web page."""

    def fits(self, total: int | None, size: int | None) -> bool:
        """Whether a reply of `total` bytes may be the object as it is stored, whatever its headers say."""
        if size is not None:
            return total == size
        if total is not None and self.rough_size is not None:
            return is_roughly(total, self.rough_size, TENTH_OF_KB)
        return self.has_checksum


class Attempt:
    """One request for the bytes that are missing. Its reply is checked before any of them is stored."""

    def __init__(
        self,
        version: Version,
        store: FetchStore,
        on_size: Callable[[int | None], None],
        evidence: Evidence,
        *,
        conditional: bool,
    ) -> None:
        """Nothing is sent yet.

        Args:
            version: what is known of the object; the reply adds to it.
            store: where the bytes go.
            on_size: called with the exact size as soon as the reply says it.
            evidence: what else decides whether the reply is the object.
            conditional: whether to send `If-Match`.
        """
        self._version = version
        self._store = store
        self._on_size = on_size
        self._evidence = evidence
        self._conditional = conditional
        self._overlap = b""
        self.headers: dict[str, str] = {}
        """Sent with the request."""
        self.accepted = False
        """Whether the reply had bytes of the object."""

    def prepare(self) -> None:
        """Work out which bytes are missing, and the headers that ask for them. Blocks."""
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
        self._version.update_from(reply)
        self._on_size(self._version.size)
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

    def _accept_whole(self, reply: BlobReply) -> None:
        size, length = self._version.size, reply.length
        fits = self._evidence.fits(length, size)
        if is_page(reply) and not (self._evidence.html or fits or self._is_of_the_store(reply)):
            raise ReplyError("the answer is a web page, not the object", hint="A proxy or a login page is in the way.")
        self._check_coding(reply, fits=fits)
        if size is not None and length is not None and length != size and not self._evidence.outweighs_size:
            raise ContradictionError(f"the server sends {length} of {size} bytes")
        if self._store.offset:
            # It cannot resume, or has another version: either way all bytes come again.
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
        if self._version.is_other(reply):
            raise ChangedError
        if size not in (None, span.total):
            raise RangeError
        if reply.compression and reply.length is None:
            # These may be the bytes of the object, or fewer that were compressed on the way.
            raise RangeError
        self._check_coding(reply, fits=self._evidence.fits(span.total, size))
        self._version.size = span.total
        self._store.expect(span.total)

    def _is_of_the_store(self, reply: BlobReply) -> bool:
        """Whether the reply is from the store itself, where no size is known that could decide."""
        unknown = self._version.size is None and self._evidence.rough_size is None
        return unknown and any(name in reply.headers for name in _STORE_HEADERS)

    def _check_coding(self, reply: BlobReply, *, fits: bool) -> None:
        """Refuse a compressed reply, unless its size shows that the object is stored that way."""
        coding = reply.compression
        if coding and not fits:
            raise EncodedError(coding)


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
        self._blob = context.blob
        self._sign = sign
        self._progress = progress
        self._permit = HostPermit(context.hosts, context.clock, progress.wait)
        self._html = html
        self._known = known
        self._rough_size = known.size if known is not None and not known.size_exact else None
        self._version = Version()
        self._source: Source | None = None
        self._recoveries: defaultdict[type[RecoverableReplyError], int] = defaultdict(int)
        self._good_link: Source | None = None
        self._now = context.clock.now
        self._asked = False
        self._unconfirmed = False
        self._began = False
        self._workers = context.workers
        self._outweighed_size: int | None = None
        """The size in the record, once the checksum was found to outweigh it."""

    @property
    def remark(self) -> str:
        """What the user should know of the record or the store, as a clause; empty if nothing."""
        if self._unconfirmed and not self.expected.is_strong:
            return "neither the service nor its store says how long it is, so whether it is complete is unknown"
        size, rough_size = self._version.size, self._rough_size
        if size is None:
            return ""
        if self._outweighed_size is not None and size != self._outweighed_size:
            return f"its record says {self._outweighed_size:,} bytes, and it has {size:,}; the checksum fits"
        if rough_size is not None and not is_roughly(size, rough_size):
            return f"the service says that it has about {rough_size:,} bytes, and the store gave {size:,}"
        return ""

    @property
    def expected(self) -> ExpectedChecksum:
        """What service and store say about the object, as far as they were asked."""
        source, version = self._source, self._version
        checksum, kind = (source.checksum, source.checksum_type) if source is not None else ("", "")
        # It was outweighed by a checksum that has yet to fit.
        size = version.size if self._outweighed_size is None else self._outweighed_size
        return ExpectedChecksum(size, checksum, kind, version.etag, version.headers)

    @property
    def version(self) -> Version:
        """What is known of the version that the bytes are from."""
        return self._version

    @property
    def modified(self) -> float | None:
        """When the object was last changed, by what service or store said with its bytes."""
        if self._source is not None and self._source.modified is not None:
            return self._source.modified.timestamp()
        if not self._version.modified:
            return None
        try:
            return parsedate_to_datetime(self._version.modified).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None

    def resume(self, size: int | None, validator: str) -> None:
        """Go on with the version that the bytes of an earlier run are from."""
        weak = validator.startswith(_WEAK)
        self._version = Version(size, "" if weak else validator, weak=validator.removeprefix(_WEAK))

    async def probe(self) -> ExpectedChecksum:
        """What service and store say about the object, with its exact size if they know it, without fetching it.

        Sends nothing if the record has both size and checksum.
        """
        known = self._known
        if known is not None and known.size is not None and known.size_exact and known.checksum:
            self._version.size = known.size
            return ExpectedChecksum(known.size, known.checksum, known.checksum_type)
        await self._repeat(self._probe)
        return self.expected

    async def run(self, store: FetchStore) -> None:
        """Fetch until the store holds everything.

        Raises:
            StorageError: it cannot be fetched, or not within the retry budget.
        """
        self._asked = False
        if store.offset:
            await self._workers.run(lambda _stop: store.recover())
        if self._source is None and store.offset:
            # All bytes may be here already; what to compare them with is not.
            await self._repeat(lambda: self._check_record(store), store)
            if self._is_complete(store) and not self.expected.is_strong:
                # Only the store knows whether they are still those of the object.
                await self._repeat(lambda: self._attempt(store), store)
        while not self._is_complete(store):
            await self._repeat(lambda: self._attempt(store), store)

    def forget(self, store: FetchStore) -> None:
        """Start over, without bytes and without the record."""
        store.restart()
        self._known = self._good_link = None
        self._version = Version()
        self._unconfirmed = False

    def _is_complete(self, store: FetchStore) -> bool:
        size = self._version.size
        if size is None:
            return self._unconfirmed
        return store.offset == size and (size > 0 or self._asked)

    async def _repeat(self, request: Callable[[], Awaitable[None]], store: FetchStore | None = None) -> None:
        """Make a request until it succeeds, or its failure is final."""
        while True:
            try:
                with self.budget.owning_retries(), self._permit:
                    return await request()
            except RecoverableReplyError as error:
                await self._recover(error, store)
            except StorageError as error:
                await self._wait(error, store)

    async def _link(self) -> Source:
        """A fresh link, or that of the last request, if it worked and has not expired."""
        good, self._good_link = self._good_link, None
        if good is not None and (good.expires is None or good.expires > self._now()):
            return good
        while True:
            self._progress.to(State.SIGNING)
            self._source = source = await self._sign(self._known)
            if source.rough_size is not None:
                self._rough_size = source.rough_size
            if not await self._permit.enter(source.url, self.budget):
                return source

    async def _check_record(self, store: FetchStore) -> None:
        source = await self._link()
        self._take_size(source, store)
        self._good_link = source

    async def _probe(self) -> None:
        source = await self._link()
        if source.size is None:
            self._version.size = await self._total(source)
        else:
            self._version.size = source.size
        self._good_link = source
        self._recoveries.pop(DeniedError, None)

    async def _attempt(self, store: FetchStore) -> None:
        source = await self._link()
        self._take_size(source, store)
        self._progress.attempts += 1
        attempt = Attempt(
            self._version,
            store,
            self._progress.set_size,
            self._evidence(),
            conditional=not self._recoveries[ConditionError],
        )
        if store.offset or self._began:
            await self._workers.run(lambda _stop: attempt.prepare())
        self._progress.size = self._version.size
        self._progress.to(State.RUNNING)
        self._began = True
        try:
            reply = await self._blob.get(source, self._permit.watch(attempt), attempt.headers)
        finally:
            if self.budget.record_progress(store.offset):
                self._permit.progressed()
            self._progress.size = self._version.size
            if attempt.accepted:
                self._recoveries.pop(DeniedError, None)
        self._asked = True
        self._good_link = source if attempt.accepted else None
        if not attempt.accepted:
            self._refused(reply, store)
        elif self._version.size is None:
            await self._confirm(store)
        elif store.offset < self._version.size:
            raise NetworkError("the connection ended early")
        elif self._rough_size is not None and source.size is None and not is_roughly(store.offset, self._rough_size):
            await self._confirm(store)

    def _take_size(self, source: Source, store: FetchStore) -> None:
        """A new size in the record means a new object, unless stronger evidence shows that the record is wrong."""
        if source.size is None or source.size == self._outweighed_size:
            return
        if store.offset and self._version.size not in (None, source.size):
            if not (self._version.etag and self.expected.is_strong):
                raise ChangedError
            self._outweighed_size = source.size
            return
        self._version.size = source.size

    def _evidence(self) -> Evidence:
        strong = self.expected.is_strong
        # Once another request has brought the same size again, the record is more likely to be wrong than the store.
        outweighs = strong and self._recoveries[ContradictionError] > 0
        if outweighs and self._outweighed_size is None and self._source is not None:
            self._outweighed_size = self._source.size
        return Evidence(self._rough_size, has_checksum=strong, outweighs_size=outweighs, html=self._html)

    def _refused(self, reply: BlobReply, store: FetchStore) -> None:
        span = reply.span
        if reply.status == 416 and store.offset:
            if span is None or span.total != store.offset or self._version.size not in (None, span.total):
                raise RangeError
            # Nothing is missing: the connection was lost after the last byte.
            self._version.size = span.total
            return
        raise store_refusal(reply)

    async def _confirm(self, store: FetchStore) -> None:
        """Compare with the exact size where the reply had no length: a cut body looks like a whole one."""
        total = await self._total(await self._link())
        if total is not None and total > store.offset:
            self._version.size = total
            raise NetworkError("the connection ended early")
        if total is not None and total < store.offset:
            raise ContradictionError(f"the server sent {store.offset} of {total} bytes")
        if total is None and self._rough_size is not None and not is_roughly(store.offset, self._rough_size):
            # A body without a length looks whole wherever the connection ends.
            raise ContradictionError(f"the server sent {store.offset} of about {self._rough_size} bytes")
        self._version.size = total
        self._unconfirmed = total is None

    async def _total(self, source: Source) -> int | None:
        """The exact size, from a request for one byte; `None` if the store does not say."""
        reply = await self._blob.get(source, self._permit.watch(NoSink()), {"Range": "bytes=0-0"})
        if reply.status == 206 and reply.span is None:
            # The reply is damaged, and what came before may be cut off.
            raise RangeError
        if reply.status == 206 or reply.status == 416:
            return reply.span.total if reply.span is not None else None
        if reply.status == 200:
            return reply.length
        raise store_refusal(reply)

    async def _recover(self, reply_error: RecoverableReplyError, store: FetchStore | None) -> None:
        """Prepare the next request, which may get a better reply."""
        kind = type(reply_error)
        self._good_link = None
        if kind in _CASTS_DOUBT:
            self._known = None
        self._recoveries[kind] += 1
        if self._recoveries[kind] > reply_error.max_repeats:
            raise reply_error.error
        if (
            store is not None
            and reply_error.restart_from is not None
            and self._recoveries[kind] >= reply_error.restart_from
        ):
            await self._workers.run(lambda _stop: self.forget(store))

    async def _wait(self, error: StorageError, store: FetchStore | None) -> None:
        self._good_link = None
        size = self._version.size
        note = f"{error.message}{_resuming(store.offset, size) if store and size else ''}"
        await self.budget.wait(error, self._progress.wait, note)


def _resuming(offset: int, size: int) -> str:
    return f"; going on at {100 * offset // size} %" if offset else ""


def is_page(reply: BlobReply) -> bool:
    """Whether a reply is a web page, by its content type."""
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html"


def may_be_html(name: str, mime: str = "") -> bool:
    """Whether an object may well be a web page; any other object that comes as one is an error page."""
    return mime == "text/html" or name.lower().endswith((".html", ".htm"))
