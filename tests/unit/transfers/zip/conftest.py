"""Forges zip archives that no honest program writes."""

import hashlib
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, NotAvailableError, StorageError
from cloudstore_tui.core.links import Source, ZipJob
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Secret, Timeouts
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferProgress, TransferSnapshot, ZipRequest
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.transfers.zip.contents import Archive, Limits, ZipMember
from cloudstore_tui.transfers.zip.download import ZipDownload


@dataclass
class Forged:
    """One member; every field that is set is one lie."""

    name: bytes = b"a.json"
    content: bytes = b"content of a member"
    method: int = 0
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    offset: int | None = None
    system: int = 3
    mode: int = 0o100600
    dos: int = 0
    disk: int = 0
    extra: bytes = b""
    date: int = 0x5821
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local: tuple[int, int, int] | None = None
    """CRC, packed and unpacked size in its own header."""
    local_extra: bytes = b""
    local_mark: bytes = b"PK\3\4"
    body: bytes | None = None
    """What lies in the archive instead of the packed content."""
    later: bytes | None = None
    """What follows the bytes."""
    mark: bytes = b"PK\1\2"
    names_length: int | None = None


@dataclass
class Forge:
    """An archive."""

    members: list[Forged] = field(default_factory=list)
    before: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    comment_length: int | None = None
    count: int | None = None
    here: int | None = None
    directory_size: int | None = None
    directory_offset: int | None = None
    disk: int = 0
    gap: bytes = b""
    """Between directory and end record."""
    zip64: bool = False
    locator_offset: int | None = None
    locator_disks: int = 1
    long_count: int | None = None
    long_size: int | None = None
    long_length: int = 44
    """The length that the long end record says it has."""
    short: tuple[int, int, int] | None = None
    """Count, size and offset in the short end record of an archive in the long form."""

    def build(self) -> bytes:
        out = bytearray(self.before)
        directory = bytearray()
        for member in self.members:
            packed = _packed(member)
            crc = zlib.crc32(member.content) if member.crc is None else member.crc
            size = len(member.content) if member.size is None else member.size
            length = len(packed) if member.packed is None else member.packed
            offset = len(out) if member.offset is None else member.offset
            local = member.local or ((0, 0, 0) if member.flags & 8 else (crc, length, size))
            name = member.name if member.local_name is None else member.local_name
            out += struct.pack(
                "<4s5H3L2H",
                member.local_mark,
                20,
                member.flags if member.local_flags is None else member.local_flags,
                member.method if member.local_method is None else member.local_method,
                0,
                member.date,
                *local,
                len(name),
                len(member.local_extra),
            )
            out += name + member.local_extra + packed + (member.later or b"")
            names = len(member.name) if member.names_length is None else member.names_length
            directory += struct.pack(
                "<4s6H3L5H2L",
                member.mark,
                member.system << 8 | 20,
                20,
                member.flags,
                member.method,
                0,
                member.date,
                crc,
                length,
                size,
                names,
                len(member.extra),
                0,
                member.disk,
                0,
                member.mode << 16 | member.dos,
                offset,
            )
            directory += member.name + member.extra
        place = len(out) if self.directory_offset is None else self.directory_offset
        length = len(directory) if self.directory_size is None else self.directory_size
        count = len(self.members) if self.count is None else self.count
        out += directory + self.gap
        if self.zip64:
            record = len(out)
            long_count = count if self.long_count is None else self.long_count
            long_size = length if self.long_size is None else self.long_size
            out += struct.pack(
                "<4sQ2H2L4Q", b"PK\6\6", self.long_length, 45, 45, 0, 0, long_count, long_count, long_size, place
            )
            where = record if self.locator_offset is None else self.locator_offset
            out += struct.pack("<4sLQL", b"PK\6\7", 0, where, self.locator_disks)
            count, length, place = self.short or (min(count, 0xFFFF), 0xFFFFFFFF, 0xFFFFFFFF)
        here = min(count, 0xFFFF) if self.here is None else self.here
        comments = len(self.comment) if self.comment_length is None else self.comment_length
        out += struct.pack("<4s4H2LH", b"PK\5\6", self.disk, 0, here, min(count, 0xFFFF), length, place, comments)
        return bytes(out + self.comment + self.after)


def _packed(member: Forged) -> bytes:
    if member.body is not None:
        return member.body
    if member.method != 8:
        return member.content
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(member.content) + packer.flush()


@dataclass
class Opened:
    """An archive in memory."""

    content: bytes
    limits: Limits = field(default_factory=Limits)

    def read(self, count: int, offset: int) -> bytes:
        assert 0 <= count <= 1 << 20, "too much at once"
        assert 0 <= offset <= len(self.content)
        return self.content[offset : offset + count]

    @property
    def archive(self) -> Archive:
        return Archive(self.read, len(self.content), self.limits)


@pytest.fixture
def forged() -> type[Forged]:
    return Forged


@pytest.fixture
def forge() -> Callable[..., bytes]:
    """Gives the bytes of an archive with these members and lies."""

    def make(*members: Forged, **lies: Any) -> bytes:
        return Forge(list(members), **lies).build()

    return make


@pytest.fixture
def opened() -> Callable[..., Archive]:
    """Opens the bytes of an archive."""

    def make(content: bytes, **limits: Any) -> Archive:
        return Opened(content, Limits(**limits)).archive

    return make


@pytest.fixture
def stored() -> Callable[..., StoredObject]:
    """An object as a search tells of it."""

    def make(number: int, **fields: Any) -> StoredObject:
        region = fields.pop("region", "us-east")
        location = Location("acme8", region, fields.pop("path", f"id-{number}"))
        defaults: dict[str, Any] = {"name": f"{number}.json", "size": 100, "size_exact": True, "state": "AVAILABLE"}
        return StoredObject(location, **{**defaults, "id": location.path, **fields})

    return make


@pytest.fixture
def member() -> Callable[..., ZipMember]:
    """A member as a directory tells of it."""

    def make(index: int, name: str, size: int = 100) -> ZipMember:
        return ZipMember(index, name, name.encode(), size, size, 0, 0, 0, 0)

    return make


def _packed_by_service(entries: list[tuple[str, bytes]]) -> bytes:
    """A zip as the service makes it: names as they are, repeats too."""
    return Forge([Forged(name=name.encode(), content=content, method=8) for name, content in entries]).build()


class Service:
    """A service that packs zips, by script."""

    def __init__(self, server: Any, provider: Any) -> None:
        self.server = server
        self.entries: dict[str, tuple[StoredObject, bytes]] = {}
        self.started: list[list[str]] = []
        """The ids of each job."""
        self.words: list[list[str]] = []
        """What is said of each job in turn, the last again and again; `GONE` for an error. Jobs beyond are DONE."""
        self.said: dict[str, list[str]] = {}
        self.cancelled: list[str] = []
        self.looks: list[str] = []
        self.pack: Callable[[list[tuple[str, bytes]]], bytes] = _packed_by_service
        self.on_start: Callable[[], None] = lambda: None
        service, base = self, type(provider)

        class Provider(base):  # type: ignore[misc, valid-type]  # the test's own provider, which cannot be imported
            async def stat(self, location: Location) -> StoredObject:
                return service.entry(location)

            async def source(self, location: Location, known: StoredObject | None = None) -> Source:
                entry = service.entry(location)
                if entry.state != "AVAILABLE":
                    raise NotAvailableError(f"its state is {entry.state}", state=entry.state)
                source: Source = await super().source(Location("tiny", path=f"object/{location.path}"))
                return structs.replace(source, size=entry.size, checksum=entry.checksum)

            async def start_zip(self, locations: Sequence[Location]) -> ZipJob:
                return service.start([location.path for location in locations])

            async def zip_job(self, region: str, name: str) -> ZipJob:
                return service.look(name)

            async def zip_source(self, region: str, name: str) -> Source:
                return Source(Secret(f"{service.server.url}/zips/{name}?X-Signature=canary"), local=True)

            async def cancel_zip(self, region: str, name: str) -> tuple[ZipJob, ...]:
                service.cancelled.append(name)
                return ()

        self.provider: Any = Provider(server)

    def put(self, name: str, content: bytes, **fields: Any) -> DownloadRequest:
        """Store an object; a request for it, whose folder is still to be set."""
        id_ = fields.pop("path", f"id-{len(self.entries)}")
        location = Location("tiny", "", id_)
        known = {"size": len(content), "size_exact": True, "checksum": hashlib.md5(content).hexdigest()}
        stored = {"state": "AVAILABLE", "modified": datetime(2024, 9, 1, tzinfo=UTC), "id": id_}
        entry = StoredObject(location, name, **{**known, **stored, **fields})
        self.entries[id_] = (entry, content)
        self.server.put(f"/object/{id_}", content)
        return DownloadRequest(location, Path(), entry=entry)

    def entry(self, location: Location) -> StoredObject:
        return self.entries[location.path][0]

    def start(self, ids: list[str]) -> ZipJob:
        self.on_start()
        name = f"job-{len(self.started)}.zip"
        self.said[name] = list(self.words[len(self.started)]) if len(self.started) < len(self.words) else ["DONE"]
        self.started.append(ids)
        found = [self.entries[id_] for id_ in ids]
        content = self.pack([(entry.name, content) for entry, content in found if entry.state == "AVAILABLE"])
        self.server.put(f"/zips/{name}", content)
        return self._job(name)

    def look(self, name: str) -> ZipJob:
        self.looks.append(name)
        if name not in self.said:
            raise MissingError("the zip job is no longer on the server")
        return self._job(name)

    def _job(self, name: str) -> ZipJob:
        said = self.said[name]
        word = said.pop(0) if len(said) > 1 else said[0]
        if word == "GONE":
            raise MissingError("the zip job is no longer on the server")
        return ZipJob("tiny", "", name, word, tuple(self.started[int(name[4:-4])]))

    def fetched(self, path: str) -> int:
        return sum(seen.path == path for seen in self.server.log)


@pytest.fixture
def service(server: Any, provider: Any) -> Service:
    return Service(server, provider)


@dataclass
class Run:
    """One zip transfer, carried out."""

    progress: TransferProgress
    work: ZipDownload
    state: State | None = None
    error: StorageError | None = None

    @property
    def members(self) -> list[TransferSnapshot]:
        return [member.snapshot() for member in self.progress.members]

    @property
    def states(self) -> list[str]:
        return [member.state.value for member in self.members]


class Runner:
    """Carries zip transfers out as the engine does."""

    def __init__(self, service: Service, timeouts: Timeouts, clock: Any) -> None:
        self.service = service
        self.clock = clock
        self.disk = Disk()
        self.notes: list[str] = []
        """What was told of it whenever it waited."""
        self._timeouts = timeouts
        self._blob: BlobClient | None = None
        self._workers = Workers()

    def begin(self, request: ZipRequest, journal_entry: JournalEntry | None = None) -> Run:
        self._blob = self._blob or BlobClient(self._timeouts)
        context = TransferContext(self._blob, self._timeouts, self.clock, self.disk, workers=self._workers)
        progress = TransferProgress(7, request, self.clock)
        sleep = self.clock.sleep

        async def noted(delay: float) -> None:
            self.notes.append(progress.note)
            await sleep(delay)

        self.clock.sleep = noted
        return Run(
            progress,
            ZipDownload(progress, request, self.service.provider, context, journal_entry or JournalEntry(None, 7)),
        )

    async def finish(self, run: Run) -> Run:
        run.state, run.error = None, None
        try:
            run.state = await run.work.run()
        except StorageError as error:
            run.error = error
            if not error.retryable:
                run.work.discard()
        return run

    async def __call__(self, request: ZipRequest, journal_entry: JournalEntry | None = None) -> Run:
        return await self.finish(self.begin(request, journal_entry))

    async def close(self) -> None:
        self._workers.close()
        if self._blob is not None:
            await self._blob.close()


@pytest.fixture
async def carry_out(service: Service, timeouts: Timeouts, clock: Any) -> AsyncIterator[Runner]:
    runner = Runner(service, timeouts, clock)
    yield runner
    await runner.close()


@pytest.fixture
def asked(service: Service, folder: Path) -> Callable[..., ZipRequest]:
    """A request for objects, each destination in the folder."""

    def make(*members: DownloadRequest, **fields: Any) -> ZipRequest:
        placed = tuple(member if member.folder != Path() else replace(member, folder=folder) for member in members)
        return ZipRequest(placed, Location("tiny", ""), folder, **fields)

    return make
