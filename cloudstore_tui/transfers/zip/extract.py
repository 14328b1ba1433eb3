"""Makes files of the members of a fetched zip, by the same rules as downloads."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    FullDiskError,
    IntegrityError,
    LocalDiskError,
    StorageError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.destination import Destination, Published
from cloudstore_tui.transfers.download import Download
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State, TransferProgress
from cloudstore_tui.transfers.part_file import PartFile, PartNames, part_id_of, remove_part
from cloudstore_tui.transfers.verify import ExpectedChecksum, needed
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.contents import Archive, ZipMember
from cloudstore_tui.transfers.zip.match import Matching, match
from cloudstore_tui.transfers.zip.plan import is_available, not_available

_WEAK = ("size", "size+etag", "unverified")
"""Levels below that of the archive itself."""
LEVEL = "crc32+size"
"""What the archive itself proves of a member."""


def extract(
    archive: Archive,
    member: ZipMember,
    entry: StoredObject,
    part: PartFile,
    destination: Destination,
    stop: Stop,
    *,
    sha256: bool,
) -> Published:
    """Write a member into a part file, verify what is on the disk, and publish it. Blocks, and leaves no part file.

    Raises:
        StorageError: the disk refuses, or something is in the way.
    """
    expected = _expected(entry)
    try:
        part.open()
        part.expect(member.size)
        try:
            for piece in archive.read(member, expected.size):
                stop.check()
                part.write(piece)
        except (IntegrityError, UnsafeError) as error:
            return Published(contradiction=error.message)
        if entry.modified is not None:
            part.set_time(entry.modified.timestamp())
        part.sync()
        digests = part.content(stop).digests(needed(expected, sha256=sha256))
        published = destination.publish(part, expected, digests, stop)
        part.settle(set())
        return replace(published, level=LEVEL) if published.level in _WEAK else published
    finally:
        part.discard()
        part.leave()


class RequestedObject:
    """One object of a zip transfer, with its own destination and progress."""

    def __init__(
        self,
        number: int,
        request: DownloadRequest,
        provider: StorageProvider,
        context: TransferContext,
        touched: Callable[[], None],
    ) -> None:
        self.progress = TransferProgress(number, request, context.clock, touched=touched)
        self.request = request
        self._provider = provider
        self._context = context
        self._entry = request.entry

    @property
    def entry(self) -> StoredObject:
        """Its record, complete once it was prepared."""
        return self._entry or StoredObject(self.request.location, self.request.name)

    @property
    def is_open(self) -> bool:
        """Whether it is not settled yet."""
        return not self.progress.state.ended

    async def prepare(self, *, look: bool) -> None:
        """Find out whether it can be fetched and, with `look`, whether the file is there already."""
        if self.progress.state in (State.FAILED, State.CANCELLED):
            self.progress.again()
        if not self.is_open:
            return
        try:
            await self._prepare(look=look)
        except StorageError as error:
            self.fail(error)

    async def unpack(self, archive: Archive, member: ZipMember) -> str:
        """Make the file from a member; returns why that member is not the object, as a clause, or an empty text.

        Raises:
            LocalDiskError: the disk refuses, as it would for every other member.
        """
        destination, entry = self._destination(), self.entry
        part = PartFile(self._context.disk, self._context.space, self.request.target, self._names(destination))
        self.progress.size = member.size
        self.progress.meter = lambda: part.offset
        self.progress.to(State.VERIFYING)
        try:
            made = await self._retry_while_full(
                lambda stop: extract(archive, member, entry, part, destination, stop, sha256=self.request.sha256)
            )
        except LocalDiskError:
            raise
        except StorageError as error:
            self.fail(error)
            return ""
        if not made.contradiction:
            self._done(made.path, made.level, made.sha256)
        return made.contradiction

    async def fetch(self) -> None:
        """Download it without a zip."""
        request = replace(self.request, entry=self.entry)
        # It has no journal entry of its own: after a crash it is fetched again.
        download = Download(
            self.progress, request, self._provider, self._context, JournalEntry(None, self.progress.transfer_id)
        )
        try:
            self.progress.to(await download.run())
        except StorageError as error:
            self.fail(error)
        finally:
            if download.leaves:
                with suppress(asyncio.CancelledError):
                    await self._context.workers.run(lambda _stop: download.discard())

    def fail(self, error: StorageError) -> None:
        """Record why it failed."""
        self.progress.error = error.about(self.request.location.address)
        self.progress.to(State.FAILED)

    async def _prepare(self, *, look: bool) -> None:
        if self._entry is None:
            found = await self._provider.stat(self.request.location)
            if not isinstance(found, StoredObject):
                raise UsageError("is a folder, and only objects can be fetched")
            self._entry = found
        destination = self._destination()
        self.progress.path = destination.path
        if look and await self._context.workers.run(lambda stop: self._is_settled(destination, stop)):
            # A run may have ended after publishing, and left the part file.
            name = self._names(destination).shared
            await self._context.workers.run(lambda _stop: remove_part(self._context.disk, self.request.target, name))
            return
        if not is_available(self.entry):
            raise not_available(self.entry)

    def _is_settled(self, destination: Destination, stop: Stop) -> bool:
        """Whether the name is taken by the object itself, or by something that is to be left alone."""
        if not destination.is_taken():
            return False
        if self.request.on_conflict is OnConflict.SKIP:
            self.progress.to(State.SKIPPED)
            return True
        existing = destination.existing(_expected(self.entry), stop, sha256=self.request.sha256)
        if existing is None:
            return False
        self.progress.size = self.entry.size
        self._done(existing.path, existing.level, existing.sha256)
        return True

    async def _retry_while_full(self, work: Callable[[Stop], Published]) -> Published:
        """The result of `work`, which is tried again while the disk is full."""
        context = self._context
        budget = context.budget()
        while True:
            try:
                return await context.workers.run(work)
            except FullDiskError as error:
                await budget.wait(error, self.progress.wait)

    def _done(self, path: Path | None, level: str, sha256: str) -> None:
        if path is None:
            self.progress.to(State.SKIPPED)
            return
        self.progress.verified(path, level, sha256)
        size = self.progress.size or 0
        self.progress.meter = lambda: size
        self.progress.to(State.DONE)

    def _destination(self) -> Destination:
        return Destination.of(self._context.disk, self.request, self.entry)

    def _names(self, destination: Destination) -> PartNames:
        profile = self._provider.profile
        return PartNames.of(part_id_of(profile.provider, profile.name, self.request.location, destination.path))


def _expected(entry: StoredObject) -> ExpectedChecksum:
    return ExpectedChecksum(entry.size if entry.size_exact else None, entry.checksum, entry.checksum_type)


class Extraction(Struct):
    """What a zip did not bring, by reason."""

    missing: list[RequestedObject] = field(default_factory=list)
    damaged: list[RequestedObject] = field(default_factory=list)
    extra: tuple[ZipMember, ...] = ()
    """Members that were not requested; all of them if the content of the job is unknown."""


class Extractor:
    """Extracts the members of archives."""

    def __init__(self, progress: TransferProgress, provider: StorageProvider, context: TransferContext) -> None:
        self._progress = progress
        self._provider = provider
        self._context = context

    async def match(self, archive: Archive, wanted: Sequence[RequestedObject]) -> Matching:
        """Find out which member is which object."""
        entries = [one.entry for one in wanted]

        def work(stop: Stop) -> Matching:
            return match(entries, archive.members, lambda member: _md5(archive, member, stop))

        return await self._context.workers.run(work)

    async def take(self, archive: Archive, wanted: Sequence[RequestedObject]) -> Extraction:
        """Extract the requested members; those of objects that are settled are only recognised.

        Raises:
            LocalDiskError: the disk refuses.
        """
        self._progress.to(State.VERIFYING, "the zip is opened")
        found = await self.match(archive, wanted)
        opened = Extraction([wanted[place] for place in found.missing if wanted[place].is_open], extra=found.extra)
        for number, (place, member) in enumerate(sorted(found.members.items()), 1):
            self._progress.note = f"the zip is opened: {number} of {len(found.members)} objects"
            one = wanted[place]
            if one.is_open and await one.unpack(archive, member):
                opened.damaged.append(one)
        return opened

    async def take_unknown(
        self, archive: Archive, members: Sequence[ZipMember], folder: Path, zip_: Location
    ) -> list[RequestedObject]:
        """Extract members that no request names, under safe forms of their names."""
        made = []
        for number, member in enumerate(members, 1):
            self._progress.note = f"the zip is opened: {number} of {len(members)} objects"
            place = Location(zip_.profile, zip_.region, f"{zip_.path}/{member.index}")
            entry = StoredObject(place, member.name)
            request = DownloadRequest(place, folder, safe_name(member.name), OnConflict.KEEP_BOTH, entry)
            one = RequestedObject(member.index, request, self._provider, self._context, self._progress.touched)
            made.append(one)
            try:
                why = await one.unpack(archive, member)
            except StorageError as error:
                one.fail(error)
                raise
            if why:
                one.fail(IntegrityError(why))
        return made


def _md5(archive: Archive, member: ZipMember, stop: Stop) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        # Only members that have the size of an object get here.
        for piece in archive.read(member, member.size):
            stop.check()
            digest.update(piece)
    except StorageError:
        return ""
    return digest.hexdigest()
