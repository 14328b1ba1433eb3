"""The members of a 7-Zip archive: its directory lies at the end, most often compressed, sometimes encrypted."""

import lzma
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple

from cloudstore_tui.preview.model import Member
from cloudstore_tui.preview.remote_file import RemoteFile

MARK = b"7z\xbc\xaf\x27\x1c"
_START = struct.Struct("<12xQQI")
_MAX_DIRECTORY = 8 * 1024 * 1024
"""Bytes of a directory, packed and unpacked."""
_MAX_COUNT = 500_000
"""Of members and of streams; a directory may claim any number in eight bytes."""
_MAX_NESTED = 4
_END, _HEADER, _PROPERTIES, _MORE_STREAMS, _STREAMS, _FILES = range(6)
_PACKED, _FOLDERS, _PARTS, _SIZES, _DIGESTS, _FOLDER, _UNPACKED, _PER_FOLDER, _EMPTY_STREAM, _EMPTY_FILE = range(6, 16)
_NAMES, _CHANGED, _ATTRIBUTES, _PACKED_HEADER = 0x11, 0x14, 0x15, 0x17
_COPY, _LZMA, _LZMA2, _AES = b"\0", b"\3\1\1", b"\x21", b"\6\xf1\7\1"
_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
_IS_LINK = 0xA000


class SevenZipError(ValueError):
    """The directory cannot be read; the text is a sentence that says why."""


class _Folder(NamedTuple):
    """How some streams were packed together."""

    coders: tuple[tuple[bytes, bytes], ...]
    """Method and properties of each."""
    sizes: int
    """How many outputs of coders have a size in the header."""
    last: int
    """Which of these outputs is the content itself."""
    has_digest: bool = False

    @property
    def is_encrypted(self) -> bool:
        return any(method == _AES for method, _ in self.coders)


class _Streams(NamedTuple):
    """Where packed bytes lie, and what comes out of them."""

    start: int = 0
    packed: tuple[int, ...] = ()
    folders: tuple[_Folder, ...] = ()
    unpacked: tuple[int, ...] = ()
    """Bytes that come out of each folder."""
    parts: tuple[tuple[int, bool], ...] = ()
    """Bytes of each file, and whether it is encrypted."""


def members(file: RemoteFile) -> Iterator[Member]:
    """What is in an archive.

    Raises:
        SevenZipError: its directory is damaged, missing or encrypted.
        NotFetchedError: it cannot be had.
    """
    try:
        directory = _directory(file)
        yield from _listed(directory) if directory is not None else ()
    except (IndexError, struct.error, lzma.LZMAError, UnicodeDecodeError, OverflowError):
        raise SevenZipError("Its directory is damaged.") from None


def _directory(file: RemoteFile) -> "_Bytes | None":
    """The directory, unpacked; `None` where there is none because nothing is in the archive."""
    place, size, digest = _START.unpack(file.stretch(0, _START.size))
    if not size:
        return None
    if _START.size + place + size > file.size:
        raise SevenZipError("It is cut: the directory at its end is missing.")
    data = file.stretch(_START.size + place, _checked(size))
    if zlib.crc32(data) != digest:
        raise SevenZipError("Its directory is damaged.")
    for _ in range(_MAX_NESTED):
        found = _Bytes(data)
        kind = found.byte()
        if kind == _HEADER:
            return found
        if kind != _PACKED_HEADER:
            break
        data = _unpacked(file, _streams(found))
    raise SevenZipError("Its directory is damaged.")


def _checked(size: int) -> int:
    if size > _MAX_DIRECTORY:
        raise SevenZipError("Its directory is larger than a preview reads.")
    return size


def _unpacked(file: RemoteFile, streams: _Streams) -> bytes:
    """A directory that is packed as the only thing in its folder."""
    folder, size = streams.folders[0], _checked(streams.unpacked[0])
    if folder.is_encrypted:
        raise SevenZipError("Its directory is encrypted: the names in it cannot be read without the password.")
    if len(folder.coders) != 1:
        raise SevenZipError("Its directory is packed in a way that is not opened here.")
    data = file.stretch(_START.size + streams.start, _checked(streams.packed[0]))
    method, told = folder.coders[0]
    if method == _COPY:
        return data
    engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(method, told, size)])
    return engine.decompress(data, size)


def _filter(method: bytes, told: bytes, size: int) -> dict[str, int]:
    """How the library names a method. Never with more memory than what comes out needs."""
    memory = max(size, 4096)
    if method == _LZMA:
        place, low = divmod(told[0], 9)
        return {"id": lzma.FILTER_LZMA1, "dict_size": memory, "lc": low, "lp": place % 5, "pb": place // 5}
    if method == _LZMA2:
        return {"id": lzma.FILTER_LZMA2, "dict_size": memory}
    raise SevenZipError("Its directory is packed in a way that is not opened here.")


class _Bytes:
    """Reads the numbers of a directory, and never behind its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise IndexError
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A number of one to nine bytes: ones at the beginning of the first tell how many follow."""
        first = self.byte()
        more = next((place for place in range(8) if not first & 0x80 >> place), 8)
        return int.from_bytes(self.take(more), "little") + ((first & (0x7F >> more)) << 8 * more)

    def count(self) -> int:
        number = self.number()
        if number > _MAX_COUNT:
            raise SevenZipError("It claims to hold more than a preview lists.")
        return number

    def numbers(self, count: int) -> tuple[int, ...]:
        return tuple(self.number() for _ in range(count))

    def bits(self, count: int) -> list[bool]:
        data = self.take(-(-count // 8))
        return [bool(data[place // 8] & 0x80 >> place % 8) for place in range(count)]

    def known(self, count: int) -> list[bool]:
        """Which of so many things are told; a byte says whether all are."""
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[bool]:
        """Which of so many things have a sum; the sums are passed over."""
        known = self.known(count)
        self.take(4 * sum(known))
        return known


def _streams(found: _Bytes) -> _Streams:
    streams = _Streams()
    while (kind := found.byte()) != _END:
        if kind == _PACKED:
            streams = streams._replace(start=found.number(), packed=_packed_sizes(found))
        elif kind == _FOLDERS:
            folders, unpacked = _folders(found)
            parts = tuple((size, folder.is_encrypted) for size, folder in zip(unpacked, folders, strict=True))
            streams = streams._replace(folders=folders, unpacked=unpacked, parts=parts)
        elif kind == _PARTS:
            streams = streams._replace(parts=tuple(_parts(found, streams)))
        else:
            raise IndexError
    return streams


def _packed_sizes(found: _Bytes) -> tuple[int, ...]:
    count = found.count()
    sizes: tuple[int, ...] = ()
    while (kind := found.byte()) != _END:
        if kind == _SIZES:
            sizes = found.numbers(count)
        elif kind == _DIGESTS:
            found.digests(count)
        else:
            raise IndexError
    return sizes


def _folders(found: _Bytes) -> tuple[tuple[_Folder, ...], tuple[int, ...]]:
    """All folders, and how many bytes come out of each."""
    if found.byte() != _FOLDER:
        raise IndexError
    count = found.count()
    if found.byte():
        raise IndexError
    folders = tuple(_folder(found) for _ in range(count))
    sizes: tuple[int, ...] = ()
    while (kind := found.byte()) != _END:
        if kind == _UNPACKED:
            sizes = tuple(found.numbers(folder.sizes)[folder.last] for folder in folders)
        elif kind == _DIGESTS:
            known = found.digests(count)
            folders = tuple(
                folder._replace(has_digest=is_known) for folder, is_known in zip(folders, known, strict=True)
            )
        else:
            raise IndexError
    return folders, sizes


def _folder(found: _Bytes) -> _Folder:
    coders, takes, gives = [], 0, 0
    for _ in range(found.count()):
        flags = found.byte()
        method = found.take(flags & 15)
        inputs, outputs = found.numbers(2) if flags & 0x10 else (1, 1)
        coders.append((method, found.take(found.count()) if flags & 0x20 else b""))
        takes, gives = takes + inputs, gives + outputs
    if not 0 < gives <= 64 or not 0 < takes <= 64:
        raise IndexError
    bound = found.numbers(2 * (gives - 1))[1::2]
    packed = takes - (gives - 1)
    if packed > 1:
        found.numbers(packed)
    return _Folder(tuple(coders), gives, next((place for place in range(gives) if place not in bound), 0))


def _parts(found: _Bytes, streams: _Streams) -> Iterator[tuple[int, bool]]:
    """The files in each folder: the size of the last one is what the others leave."""
    counts, kind = (1,) * len(streams.folders), found.byte()
    if kind == _PER_FOLDER:
        counts = tuple(found.count() for _ in streams.folders)
        kind = found.byte()
    if sum(counts) > _MAX_COUNT:
        raise SevenZipError("It claims to hold more than a preview lists.")
    for count, whole, folder in zip(counts, streams.unpacked, streams.folders, strict=True):
        sizes = found.numbers(count - 1) if kind == _SIZES and count > 1 else ()
        yield from ((size, folder.is_encrypted) for size in sizes)
        yield from [(max(whole - sum(sizes), 0), folder.is_encrypted)] * (count - len(sizes))
    kind = found.byte() if kind == _SIZES else kind
    if kind == _DIGESTS:
        told = (count == 1 and folder.has_digest for count, folder in zip(counts, streams.folders, strict=True))
        found.digests(sum(0 if is_told else count for count, is_told in zip(counts, told, strict=True)))
        kind = found.byte()
    if kind != _END:
        raise IndexError


def _listed(found: _Bytes) -> Iterator[Member]:
    streams, kind = _Streams(), found.byte()
    while kind in (_PROPERTIES, _MORE_STREAMS, _STREAMS):
        if kind == _PROPERTIES:
            while found.byte() != _END:
                found.take(found.count())
        else:
            streams = _streams(found)
        kind = found.byte()
    if kind == _FILES:
        yield from _files(found, streams)


def _files(found: _Bytes, streams: _Streams) -> Iterator[Member]:
    count = found.count()
    told: dict[int, bytes] = {}
    while (kind := found.byte()) != _END:
        told[kind] = found.take(found.number())
    names = told.get(_NAMES, b"")[1:].decode("utf-16-le").split("\0")[:count]
    empty = _Bytes(told[_EMPTY_STREAM]).bits(count) if _EMPTY_STREAM in told else [False] * count
    files = iter(_Bytes(told[_EMPTY_FILE]).bits(sum(empty)) if _EMPTY_FILE in told else ())
    changed, attributes = _values(told.get(_CHANGED), count, 8), _values(told.get(_ATTRIBUTES), count, 4)
    sizes = chain(streams.parts, iter(lambda: (0, False), None))
    for name, is_empty, when, how in zip(names, empty, changed, attributes, strict=False):
        size, is_encrypted = (0, False) if is_empty else next(sizes)
        is_folder = is_empty and not next(files, False)
        is_link = how is not None and how >> 16 & 0xF000 == _IS_LINK
        note = "folder" if is_folder else "encrypted" if is_encrypted else "link" if is_link else ""
        yield Member(name, size, _moment(when), note)


def _values(data: bytes | None, count: int, width: int) -> list[int | None]:
    """A number for each file, where it has one."""
    if data is None:
        return [None] * count
    found = _Bytes(data)
    known = found.known(count)
    if found.byte():
        raise IndexError
    return [int.from_bytes(found.take(width), "little") if is_known else None for is_known in known]


def _moment(ticks: int | None) -> datetime | None:
    """What 100 nanoseconds since 1601 are."""
    try:
        return _FIRST_DAY + timedelta(microseconds=ticks // 10) if ticks else None
    except OverflowError:
        return None
