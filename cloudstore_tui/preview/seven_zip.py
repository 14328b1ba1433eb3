"""The members of a 7-Zip archive, from the directory at its end, which is mostly compressed, sometimes encrypted."""

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
_MAX_DIRECTORY_BYTES = 8 * 1024 * 1024
"""Bytes of a directory, packed and unpacked."""
_MAX_COUNT = 500_000
"""Members, and streams: a directory may claim any number in eight bytes."""
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
    """The coders of some streams that are packed together."""

    coders: tuple[tuple[bytes, bytes], ...]
    """Method and properties of each."""
    sizes: int
    """Number of coder outputs whose size is in the header."""
    last: int
    """Index of the output that is the content itself."""
    has_digest: bool = False

    @property
    def is_encrypted(self) -> bool:
        return any(method == _AES for method, _ in self.coders)


class _Streams(NamedTuple):
    """Where packed bytes lie, and the sizes of what is in them."""

    start: int = 0
    packed: tuple[int, ...] = ()
    folders: tuple[_Folder, ...] = ()
    unpacked: tuple[int, ...] = ()
    """Unpacked bytes of each folder."""
    parts: tuple[tuple[int, bool], ...] = ()
    """Bytes of each file, and whether it is encrypted."""


def members(file: RemoteFile) -> Iterator[Member]:
    """The members of an archive.

    Raises:
        SevenZipError: its directory is damaged, missing or encrypted.
        NotFetchedError: the directory cannot be fetched.
    """
    try:
        directory = _directory(file)
        yield from _members(directory) if directory is not None else ()
    except (IndexError, struct.error, lzma.LZMAError, UnicodeDecodeError, OverflowError):
        raise SevenZipError("Its directory is damaged.") from None


def _directory(file: RemoteFile) -> "_DirectoryReader | None":
    """The unpacked directory; `None` if the archive is empty and has none."""
    place, size, digest = _START.unpack(file.read_at(0, _START.size))
    if not size:
        return None
    if _START.size + place + size > file.size:
        raise SevenZipError("It is cut: the directory at its end is missing.")
    data = file.read_at(_START.size + place, _check_size(size))
    if zlib.crc32(data) != digest:
        raise SevenZipError("Its directory is damaged.")
    for _ in range(_MAX_NESTED):
        reader = _DirectoryReader(data)
        kind = reader.byte()
        if kind == _HEADER:
            return reader
        if kind != _PACKED_HEADER:
            break
        data = _unpacked(file, _streams(reader))
    raise SevenZipError("Its directory is damaged.")


def _check_size(size: int) -> int:
    if size > _MAX_DIRECTORY_BYTES:
        raise SevenZipError("Its directory is larger than a preview reads.")
    return size


def _unpacked(file: RemoteFile, streams: _Streams) -> bytes:
    """A directory, which is packed in a folder of its own."""
    folder, size = streams.folders[0], _check_size(streams.unpacked[0])
    if folder.is_encrypted:
        raise SevenZipError("Its directory is encrypted: the names in it cannot be read without the password.")
    if len(folder.coders) != 1:
        raise SevenZipError("Its directory is packed by a method that a preview does not support.")
    data = file.read_at(_START.size + streams.start, _check_size(streams.packed[0]))
    method, properties = folder.coders[0]
    if method == _COPY:
        return data
    engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(method, properties, size)])
    return engine.decompress(data, size)


def _filter(method: bytes, properties: bytes, size: int) -> dict[str, int]:
    """A method as a filter of `lzma`, with no larger a dictionary than the output needs."""
    memory = max(size, 4096)
    if method == _LZMA:
        place, low = divmod(properties[0], 9)
        return {"id": lzma.FILTER_LZMA1, "dict_size": memory, "lc": low, "lp": place % 5, "pb": place // 5}
    if method == _LZMA2:
        return {"id": lzma.FILTER_LZMA2, "dict_size": memory}
    raise SevenZipError("Its directory is packed by a method that a preview does not support.")


class _DirectoryReader:
    """Reads the numbers of a directory; raises `IndexError` at its end."""

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
        """A number of one to nine bytes: the leading ones of the first are the number of bytes that follow."""
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

    def flags(self, count: int) -> list[bool]:
        """A flag for each of `count` items; a byte says whether all are set."""
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[bool]:
        """Which of `count` items have a CRC; the CRCs are skipped."""
        flags = self.flags(count)
        self.take(4 * sum(flags))
        return flags


def _streams(reader: _DirectoryReader) -> _Streams:
    streams = _Streams()
    while (kind := reader.byte()) != _END:
        if kind == _PACKED:
            streams = streams._replace(start=reader.number(), packed=_packed_sizes(reader))
        elif kind == _FOLDERS:
            folders, unpacked = _folders(reader)
            parts = tuple((size, folder.is_encrypted) for size, folder in zip(unpacked, folders, strict=True))
            streams = streams._replace(folders=folders, unpacked=unpacked, parts=parts)
        elif kind == _PARTS:
            streams = streams._replace(parts=tuple(_parts(reader, streams)))
        else:
            raise IndexError
    return streams


def _packed_sizes(reader: _DirectoryReader) -> tuple[int, ...]:
    count = reader.count()
    sizes: tuple[int, ...] = ()
    while (kind := reader.byte()) != _END:
        if kind == _SIZES:
            sizes = reader.numbers(count)
        elif kind == _DIGESTS:
            reader.digests(count)
        else:
            raise IndexError
    return sizes


def _folders(reader: _DirectoryReader) -> tuple[tuple[_Folder, ...], tuple[int, ...]]:
    """All folders, and the unpacked bytes of each."""
    if reader.byte() != _FOLDER:
        raise IndexError
    count = reader.count()
    if reader.byte():
        raise IndexError
    folders = tuple(_folder(reader) for _ in range(count))
    sizes: tuple[int, ...] = ()
    while (kind := reader.byte()) != _END:
        if kind == _UNPACKED:
            sizes = tuple(reader.numbers(folder.sizes)[folder.last] for folder in folders)
        elif kind == _DIGESTS:
            flags = reader.digests(count)
            folders = tuple(folder._replace(has_digest=is_set) for folder, is_set in zip(folders, flags, strict=True))
        else:
            raise IndexError
    return folders, sizes


def _folder(reader: _DirectoryReader) -> _Folder:
    coders, total_inputs, total_outputs = [], 0, 0
    for _ in range(reader.count()):
        flags = reader.byte()
        method = reader.take(flags & 15)
        inputs, outputs = reader.numbers(2) if flags & 0x10 else (1, 1)
        coders.append((method, reader.take(reader.count()) if flags & 0x20 else b""))
        total_inputs, total_outputs = total_inputs + inputs, total_outputs + outputs
    if not 0 < total_outputs <= 64 or not 0 < total_inputs <= 64:
        raise IndexError
    bound = reader.numbers(2 * (total_outputs - 1))[1::2]
    packed = total_inputs - (total_outputs - 1)
    if packed > 1:
        reader.numbers(packed)
    last = next((index for index in range(total_outputs) if index not in bound), 0)
    return _Folder(tuple(coders), total_outputs, last)


def _parts(reader: _DirectoryReader, streams: _Streams) -> Iterator[tuple[int, bool]]:
    """Size and encryption of the files in each folder; the last size is not stored but what the others leave."""
    counts, kind = (1,) * len(streams.folders), reader.byte()
    if kind == _PER_FOLDER:
        counts = tuple(reader.count() for _ in streams.folders)
        kind = reader.byte()
    if sum(counts) > _MAX_COUNT:
        raise SevenZipError("It claims to hold more than a preview lists.")
    for count, whole, folder in zip(counts, streams.unpacked, streams.folders, strict=True):
        sizes = reader.numbers(count - 1) if kind == _SIZES and count > 1 else ()
        yield from ((size, folder.is_encrypted) for size in sizes)
        yield from [(max(whole - sum(sizes), 0), folder.is_encrypted)] * (count - len(sizes))
    kind = reader.byte() if kind == _SIZES else kind
    if kind == _DIGESTS:
        # The CRC of a folder is also that of the only file in it.
        pairs = zip(counts, streams.folders, strict=True)
        reader.digests(sum(count for count, folder in pairs if count != 1 or not folder.has_digest))
        kind = reader.byte()
    if kind != _END:
        raise IndexError


def _members(reader: _DirectoryReader) -> Iterator[Member]:
    streams, kind = _Streams(), reader.byte()
    while kind in (_PROPERTIES, _MORE_STREAMS, _STREAMS):
        if kind == _PROPERTIES:
            while reader.byte() != _END:
                reader.take(reader.count())
        else:
            streams = _streams(reader)
        kind = reader.byte()
    if kind == _FILES:
        yield from _files(reader, streams)


def _files(reader: _DirectoryReader, streams: _Streams) -> Iterator[Member]:
    count = reader.count()
    properties: dict[int, bytes] = {}
    while (kind := reader.byte()) != _END:
        properties[kind] = reader.take(reader.number())
    names = properties.get(_NAMES, b"")[1:].decode("utf-16-le").split("\0")[:count]
    empty = _DirectoryReader(properties[_EMPTY_STREAM]).bits(count) if _EMPTY_STREAM in properties else [False] * count
    files = iter(_DirectoryReader(properties[_EMPTY_FILE]).bits(sum(empty)) if _EMPTY_FILE in properties else ())
    changed, attributes = _values(properties.get(_CHANGED), count, 8), _values(properties.get(_ATTRIBUTES), count, 4)
    sizes = chain(streams.parts, iter(lambda: (0, False), None))
    for name, is_empty, when, how in zip(names, empty, changed, attributes, strict=False):
        size, is_encrypted = (0, False) if is_empty else next(sizes)
        is_folder = is_empty and not next(files, False)
        is_link = how is not None and how >> 16 & 0xF000 == _IS_LINK
        note = "folder" if is_folder else "encrypted" if is_encrypted else "link" if is_link else ""
        yield Member(name, size, _filetime(when), note)


def _values(data: bytes | None, count: int, width: int) -> list[int | None]:
    """A number for each file that has one."""
    if data is None:
        return [None] * count
    reader = _DirectoryReader(data)
    flags = reader.flags(count)
    if reader.byte():
        raise IndexError
    return [int.from_bytes(reader.take(width), "little") if is_set else None for is_set in flags]


def _filetime(ticks: int | None) -> datetime | None:
    """A time given in units of 100 ns since 1601."""
    try:
        return _FIRST_DAY + timedelta(microseconds=ticks // 10) if ticks else None
    except OverflowError:
        return None
