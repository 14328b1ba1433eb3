"""The directory of a zip archive, read with suspicion.

The library's reader keeps every entry in memory, opens archives with something before or after them, and reads members
that overlap. Here the end records must agree with each other and with the file to the byte, before the first entry is
looked at, and everything after that is bounded.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from cloudstore_tui.core.errors import IntegrityError, StorageError, UnsafeError

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives up to `count` bytes from an offset of the archive."""

MOST_BYTES = 32 * 1024 * 1024
"""The largest directory that is read: 20,000 members with long names."""

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END_MARK, _LOCATOR_MARK, _END64_MARK, _ENTRY_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6", b"PK\1\2"
_LONGEST_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ZIP64 = 1
_WINDOW = 1 << 18


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory is and how much is in it, as all end records say."""

    offset: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, with sizes and offset of the long form where it has one."""

    system: int
    """Who wrote it: tells how `attributes` are meant."""
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int
    raw: bytes
    """The name."""


def find_directory(read: Read, size: int, most: int) -> Directory:
    """Find the directory of an archive of `size` bytes.

    Raises:
        IntegrityError: the file is no whole archive, or something is before or after it.
        UnsafeError: it has more than `most` members, or its records contradict each other.
    """
    tail_offset = max(size - _END.size - _LONGEST_COMMENT, 0)
    tail = read(size - tail_offset, tail_offset)
    ends = list(_ends(tail))
    if not ends:
        raise incomplete()
    if len(ends) > 1:
        raise unsafe("it has two ends")
    position = tail_offset + ends[0]
    _, disk, start_disk, here, count, length, offset, _ = _END.unpack_from(tail, ends[0])
    found, records_start = Directory(offset, length, count), position
    locator = _locator(read, position)
    if locator is not None:
        found, records_start = _long_form(read, locator, position, found)
        here = found.count if here == _FULL16 else here
    if disk or start_disk or here != found.count:
        raise unsafe("it is one of several disks")
    if found.count > most:
        raise unsafe(f"it says that it has {found.count} members, and at most {most} can be in it")
    if found.offset + found.size != records_start:
        raise IntegrityError("the zip holds something that does not belong to it", hint="Fetch it again.")
    if found.size > MOST_BYTES:
        raise unsafe("its directory is too large")
    return found


def entries(read: Read, directory: Directory) -> Iterator[Entry]:
    """All entries in order.

    Raises:
        UnsafeError: the directory is not what its end records say.
    """
    window = _Window(read, directory)
    for _ in range(directory.count):
        values = _ENTRY.unpack(window.take(_ENTRY.size))
        (
            mark,
            made_by,
            _,
            flags,
            method,
            _,
            _,
            crc,
            packed,
            size,
            names,
            extras,
            comments,
            disk,
            _,
            attributes,
            offset,
        ) = values
        if mark != _ENTRY_MARK:
            raise unsafe("its directory is damaged")
        if disk not in (0, _FULL16):
            raise unsafe("it is one of several disks")
        raw, extra = window.take(names), window.take(extras)
        window.take(comments)
        size, packed, offset = _long_numbers(extra, size, packed, offset)
        yield Entry(made_by >> 8, flags, method, crc, packed, size, attributes, offset, raw)
    if window.left:
        raise unsafe("its directory holds more than it says")


def incomplete() -> StorageError:
    """The error for a file that ends too early."""
    return IntegrityError("the zip is not complete", hint="Fetch it again.")


def unsafe(why: str) -> StorageError:
    """The error for an archive that somebody made to do harm, or that is broken beyond use."""
    return UnsafeError(f"the zip cannot be trusted: {why}", hint="Fetch its objects one by one.")


class _Window:
    """Reads the directory from front to back, a piece at a time."""

    def __init__(self, read: Read, directory: Directory) -> None:
        self._read = read
        self._offset = directory.offset
        self._unread = directory.size
        self._piece = b""
        self._used = 0

    @property
    def left(self) -> int:
        """Bytes that nobody took."""
        return self._unread + len(self._piece) - self._used

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise unsafe("its directory is damaged")
        while len(self._piece) - self._used < count:
            more = self._read(min(_WINDOW, self._unread), self._offset)
            if not more:
                raise incomplete()
            self._piece, self._used = self._piece[self._used :] + more, 0
            self._offset += len(more)
            self._unread -= len(more)
        taken = self._piece[self._used : self._used + count]
        self._used += count
        return taken


def _ends(tail: bytes) -> Iterator[int]:
    """Where an end record is whose comment reaches to the end of the file."""
    at = tail.find(_END_MARK)
    while at >= 0:
        if at + _END.size <= len(tail):
            comment: int = _END.unpack_from(tail, at)[-1]
            if at + _END.size + comment == len(tail):
                yield at
        at = tail.find(_END_MARK, at + 1)


def _locator(read: Read, position: int) -> tuple[int, int] | None:
    """What the locator of the long form says, if there is one: the place of the record, and the number of disks."""
    if position < _END64_LOCATOR.size:
        return None
    mark, _, offset, disks = _END64_LOCATOR.unpack(read(_END64_LOCATOR.size, position - _END64_LOCATOR.size))
    return (offset, disks) if mark == _LOCATOR_MARK else None


def _long_form(read: Read, locator: tuple[int, int], position: int, short: Directory) -> tuple[Directory, int]:
    """The directory by the long end record, which has to agree with the short one where that says anything."""
    place, disks = locator
    before = position - _END64_LOCATOR.size
    if disks > 1 or place + _END64.size > before:
        raise unsafe("its end records contradict each other")
    mark, length, _, _, disk, start_disk, here, count, size, offset = _END64.unpack(read(_END64.size, place))
    if mark != _END64_MARK or place + length + 12 != before or disk or start_disk or here != count:
        raise unsafe("its end records contradict each other")
    pairs = ((short.count, count, _FULL16), (short.size, size, _FULL32), (short.offset, offset, _FULL32))
    if any(told not in (full, true) for told, true, full in pairs):
        raise unsafe("its end records contradict each other")
    return Directory(offset, size, count), place


def _long_numbers(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The numbers that do not fit into the short form, from the extra field that holds them."""
    missing = sum(number == _FULL32 for number in (size, packed, offset))
    if not missing:
        return size, packed, offset
    numbers = iter(_zip64(extra, missing))
    return (
        next(numbers) if size == _FULL32 else size,
        next(numbers) if packed == _FULL32 else packed,
        next(numbers) if offset == _FULL32 else offset,
    )


def _zip64(extra: bytes, count: int) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64 and length >= 8 * count and at + 4 + length <= len(extra):
            return struct.unpack_from(f"<{count}Q", extra, at + 4)
        at += 4 + length
    raise unsafe("the size of a member is missing")
