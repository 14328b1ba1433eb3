"""A zip archive that nobody trusts.

`zipfile` reads the entries of the directory. What it would take on trust is checked here: that the end records agree
and everything in the file belongs to the archive, that members share no bytes, that each one's own header says what the
directory says, and that what comes out of it is no more and nothing else than that.
"""

import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.core.errors import IntegrityError, StorageError, UnsafeError
from cloudstore_tui.core.text import plain

_SHOWN = 80

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives up to `count` bytes from an offset of the archive."""
MAX_BYTES = 32 * 1024 * 1024
"""The largest directory that is read: 20,000 members with long names."""
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY_SIZE, _LENGTHS_AT, _LENGTHS = 46, 28, struct.Struct("<3H")
"""Bytes of an entry of the directory before its name, extra field and comment; where in it their lengths are."""
_END_MARK, _LOCATOR_MARK, _END64_MARK, _ENTRY_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6", b"PK\1\2"
_LONGEST_COMMENT = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
PIECE = 1 << 16
"""Bytes at once."""
MAX_MEMBERS = 20_000
UNASKED = 10
"""Members more than were asked for that are looked at."""
LARGEST_MEMBER = 2 << 30
"""Bytes of a member whose size the service did not tell."""
RATIO = 200
"""Unpacked bytes for each packed one; more only where the service's record tells the same size."""
TOTAL_FACTOR = 1.05
TOTAL_SLACK = 16 << 20
"""Bytes in all that may be more than the service said, for members that nobody asked for."""
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_LATER = 0x0008
"""Flag: sizes and checksum follow the bytes."""
_UTF8 = 0x0800
_FOLDER_ATTRIBUTE = 0x10
_UNIX, _MAC = 3, 19
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK, _LATER_MARK = b"PK\3\4", b"PK\7\x08"
_LONGEST_NAME = 4_096


class ZipMember(Struct, frozen=True):
    """A member. Its numbers are claims until its bytes were read."""

    index: int
    """Its place in the directory: names are not unique."""
    name: str
    """As written, for people and to find the object; never a path to write to."""
    raw: bytes
    """The same before any decoding."""
    size: int
    packed: int
    """Bytes that it takes in the archive."""
    crc: int
    method: int
    flags: int
    offset: int
    """Where its own header is."""
    end: int = 0
    """Where the next member, or the directory, begins: nothing of this one may lie beyond."""
    error: StorageError | None = None
    """Why it will not be read."""

    @property
    def shown(self) -> str:
        """Its name as it may be shown."""
        return plain(self.name, _SHOWN) or "(without a name)"


class Directory(Struct, frozen=True):
    """Where the directory is and how much is in it, as all end records say."""

    offset: int
    size: int
    count: int


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
    if found.size > MAX_BYTES:
        raise unsafe("its directory is too large")
    return found


def entries(read: Read, directory: Directory) -> list[ZipInfo]:
    """All entries in order.

    Raises:
        UnsafeError: the directory is not what its end records say.
        IntegrityError: it cannot be read.
    """
    content = b"".join(_pieces(read, directory.offset, directory.size))
    if content.count(_ENTRY_MARK) != directory.count:
        raise unsafe("its directory is damaged")
    # zipfile searches for an end record and believes what it says: it is given one that says what was checked.
    end = _END.pack(_END_MARK, 0, 0, directory.count, directory.count, directory.size, 0, 0)
    try:
        with ZipFile(BytesIO(content + end)) as listed:
            infos = listed.infolist()
    except BadZipFile:
        raise unsafe("its directory is damaged") from None
    except (NotImplementedError, ValueError):
        raise IntegrityError("the zip has a member that cannot be read", hint="Fetch its objects one by one.") from None
    if len(infos) != directory.count or not _is_whole(content):
        raise unsafe("its directory is damaged")
    if any(info.volume not in (0, _FULL16) for info in infos):
        raise unsafe("it is one of several disks")
    return infos


def incomplete() -> StorageError:
    """The error for a file that ends too early."""
    return IntegrityError("the zip is not complete", hint="Fetch it again.")


def unsafe(why: str) -> StorageError:
    """The error for an archive that somebody made to do harm, or that is broken beyond use."""
    return UnsafeError(f"the zip cannot be trusted: {why}", hint="Fetch its objects one by one.")


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
    if any(numbers not in (full, true) for numbers, true, full in pairs):
        raise unsafe("its end records contradict each other")
    return Directory(offset, size, count), place


def _raw(info: ZipInfo) -> bytes:
    """The name as it is written; `zipfile` decodes it, and code page 437 has a character for every byte."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _is_whole(content: bytes) -> bool:
    """Whether the last entry ends with the directory: `zipfile` cuts a longer one without a word."""
    last = content.rfind(_ENTRY_MARK)
    return last < 0 or last + _ENTRY_SIZE + sum(_LENGTHS.unpack_from(content, last + _LENGTHS_AT)) == len(content)


def _pieces(read: Read, at: int, size: int) -> Iterator[bytes]:
    """The bytes of a stretch of the archive, at most `PIECE` at a time."""
    end = at + size
    while at < end:
        piece = read(min(PIECE, end - at), at)
        if not piece:
            raise incomplete()
        at += len(piece)
        yield piece


class Limits(Struct, frozen=True):
    """What an archive may hold."""

    requested: int | None = None
    """Objects that were asked for; `None` where nobody knows."""
    total: int | None = None
    """Bytes of all of them together, by the service's records; `None` where nobody knows."""

    @property
    def members(self) -> int:
        """Members that it may have."""
        return MAX_MEMBERS if self.requested is None else min(MAX_MEMBERS, self.requested + UNASKED)

    def bytes(self, size: int) -> int:
        """Bytes that may come out of an archive of `size` bytes."""
        if self.total is None:
            return size * RATIO + TOTAL_SLACK
        return int(self.total * TOTAL_FACTOR) + TOTAL_SLACK


ANY_CONTENT = Limits()


class Archive:
    """The members of a zip. Its methods block.

    What cannot be trusted at all is refused when it is opened; a single member that cannot be read has an `error`.
    """

    def __init__(self, read: Read, size: int, limits: Limits = ANY_CONTENT) -> None:
        """Open it.

        Args:
            read: gives bytes of the file.
            size: length of the file.
            limits: what was asked for.

        Raises:
            UnsafeError: it breaks a limit or contradicts itself.
            IntegrityError: it is not whole.
        """
        self._read = read
        directory = find_directory(read, size, limits.members)
        listed = [_member(index, info) for index, info in enumerate(entries(read, directory))]
        laid_out = _laid_out(listed, directory.offset)
        self.members = tuple(member for member in laid_out if not _is_folder(member))
        if sum(member.size for member in self.members) > limits.bytes(size):
            raise unsafe("more would come out of it than the service has of these objects")

    def read(self, member: ZipMember, expected: int | None = None) -> Iterator[bytes]:
        """The bytes of a member, at most `PIECE` at a time; complete and right by its checksum when it ends.

        Args:
            member: which.
            expected: its exact size by the service's record, if that tells it.

        Raises:
            StorageError: it cannot be had from this archive; pieces that came before are worthless.
        """
        if member.error is not None:
            raise member.error
        if member.size > (LARGEST_MEMBER if expected is None else expected):
            raise _bad(member, f"it would be {member.size} bytes" + (f", not {expected}" if expected else ""))
        if member.size > RATIO * max(member.packed, 1) and expected != member.size:
            raise _bad(member, "it would grow to more than 200 times its size")
        start = self._start(member)
        crc = size = 0
        for piece in self._unpacked(member, start):
            size += len(piece)
            if size > member.size:
                raise _damaged(member, "it is longer than it says")
            crc = zlib.crc32(piece, crc)
            yield piece
        if size != member.size:
            raise _damaged(member, f"it has {size} of {member.size} bytes")
        if crc != member.crc:
            raise _damaged(member, "its checksum is wrong")

    def _start(self, member: ZipMember) -> int:
        """Where the bytes of a member begin, once its own header agrees with the directory."""
        header = self._read(_LOCAL.size, member.offset)
        if len(header) < _LOCAL.size:
            raise incomplete()
        mark, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(header)
        start: int = member.offset + _LOCAL.size + names + extras
        if mark != _LOCAL_MARK or start + member.packed > member.end:
            raise _damaged(member, "it is not where it should be")
        if method != member.method or (flags ^ member.flags) & (_ENCRYPTED | _LATER):
            raise _contradicting(member)
        if self._read(names, member.offset + _LOCAL.size) != member.raw:
            raise _contradicting(member)
        later = bool(member.flags & _LATER)
        numbers = ((crc, member.crc), (packed, member.packed), (size, member.size))
        if not all(_agrees(number, true, later=later) for number, true in numbers):
            raise _contradicting(member)
        if later:
            self._check_later(member, start + member.packed)
        return start

    def _check_later(self, member: ZipMember, at: int) -> None:
        """Compare the sizes that follow the bytes, in any of the forms that they come in."""
        found = self._read(min(24, member.end - at), at)
        short = struct.pack("<3L", member.crc, member.packed & _FULL32, member.size & _FULL32)
        long = struct.pack("<L2Q", member.crc, member.packed, member.size)
        if not found.startswith((_LATER_MARK + short, _LATER_MARK + long, short, long)):
            raise _contradicting(member)

    def _unpacked(self, member: ZipMember, start: int) -> Iterator[bytes]:
        packed = _pieces(self._read, start, member.packed)
        if member.method == ZIP_STORED:
            yield from packed
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in packed:
                yield from _inflated(inflater, piece)
                if inflater.unused_data:
                    raise _damaged(member, "something follows its end")
        except zlib.error:
            raise _damaged(member, "its bytes cannot be unpacked") from None
        if not inflater.eof:
            raise _damaged(member, "its end is missing")


def _inflated(inflater: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    while piece and not inflater.eof:
        out = inflater.decompress(piece, PIECE)
        if out:
            yield out
        piece = inflater.unconsumed_tail
    # What is left in the window when the input ends exactly at a full piece.
    while not inflater.eof and (out := inflater.decompress(b"", PIECE)):
        yield out


def _member(index: int, info: ZipInfo) -> ZipMember:
    member = ZipMember(
        index,
        _name(info),
        _raw(info),
        info.file_size,
        info.compress_size,
        info.CRC,
        info.compress_type,
        info.flag_bits,
        info.header_offset,
    )
    return replace(member, error=_refusal(info, member))


def _laid_out(listed: list[ZipMember], end: int) -> Iterator[ZipMember]:
    """The members in the order of the directory, each with the place where the next one begins.

    Raises:
        UnsafeError: two of them share bytes.
    """
    ends: dict[int, int] = {}
    for member in sorted(listed, key=lambda member: member.offset, reverse=True):
        if member.offset + _LOCAL.size + member.packed > end:
            raise unsafe("its members overlap")
        ends[member.index], end = end, member.offset
    if listed and end != 0:
        raise IntegrityError("the zip begins with something that does not belong to it", hint="Fetch it again.")
    return (replace(member, end=ends[member.index]) for member in listed)


def _is_folder(member: ZipMember) -> bool:
    """Whether there is nothing to read in it; it is not made."""
    return member.raw.endswith(b"/") and member.size == 0


def _agrees(numbers: int, true: int, *, later: bool) -> bool:
    """Whether a number of a member's own header is that of the directory, or left to another place."""
    return numbers in (true, _FULL32) or (later and numbers == 0)


def _refusal(info: ZipInfo, member: ZipMember) -> StorageError | None:
    """Why a member is not even looked at."""
    if info.flag_bits & _ENCRYPTED:
        return _unreadable(member, "it is encrypted")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return _unreadable(member, f"it is packed in a way that is not known ({info.compress_type})")
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system in (_UNIX, _MAC) else 0
    if kind not in (0, stat.S_IFREG) or info.external_attr & _FOLDER_ATTRIBUTE:
        return _bad(member, "it is a link, a device or a folder, and no file")
    if info.compress_type == ZIP_STORED and info.file_size != info.compress_size:
        return _contradicting(member)
    if len(member.raw) > _LONGEST_NAME:
        return _bad(member, "its name is too long")
    return None


def _name(info: ZipInfo) -> str:
    """The name as text: UTF-8 also where that is not said. No other place that may hold a name is read."""
    if info.flag_bits & _UTF8:
        return info.orig_filename
    try:
        return _raw(info).decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _bad(member: ZipMember, why: str) -> StorageError:
    return UnsafeError(f"the member {member.shown} of the zip is refused: {why}")


def _unreadable(member: ZipMember, why: str) -> StorageError:
    return UnsafeError(f"the member {member.shown} of the zip cannot be read: {why}")


def _damaged(member: ZipMember, why: str) -> StorageError:
    return IntegrityError(f"the member {member.shown} of the zip is damaged: {why}")


def _contradicting(member: ZipMember) -> StorageError:
    return IntegrityError(f"the member {member.shown} of the zip contradicts itself")
