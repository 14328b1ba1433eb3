"""Reads a zip archive without trusting it.

`zipfile` reads the entries of the directory. What it takes on trust is checked here: that the end records agree and
everything in the file belongs to the archive, that members share no bytes, that each member's own header agrees with
the directory, and that what is unpacked agrees with both.
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

Read: TypeAlias = Callable[[int, int], bytes]
"""Returns up to `count` bytes from an offset of the archive: `read(count, offset)`."""
MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
"""The largest directory that is read: 20,000 members with long names."""
_END = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ENTRY_SIZE, _LENGTHS_AT, _LENGTHS = 46, 28, struct.Struct("<3H")
"""Bytes of an entry of the directory before its name, extra field and comment; where in it their lengths are."""
_END_MARK, _ZIP64_LOCATOR_MARK, _ZIP64_END_MARK, _ENTRY_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6", b"PK\1\2"
_MAX_COMMENT_BYTES = 0xFFFF
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
PIECE = 1 << 16
"""Bytes that are read and unpacked at once."""
MAX_MEMBERS = 20_000
MAX_UNREQUESTED = 10
"""Members that a zip may have in addition to the requested ones."""
MAX_MEMBER_BYTES = 2 << 30
"""For a member whose size the service does not give."""
MAX_RATIO = 200
"""Unpacked bytes for each packed one; more only if the service's record has the same size."""
TOTAL_FACTOR = 1.05
TOTAL_SLACK = 16 << 20
"""Bytes that may come in addition to what the service says, for members that were not requested."""
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DATA_DESCRIPTOR = 0x0008
"""Flag: sizes and checksum follow the bytes."""
_UTF8 = 0x0800
_FOLDER_ATTRIBUTE = 0x10
_UNIX, _MAC = 3, 19
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK, _DESCRIPTOR_MARK = b"PK\3\4", b"PK\7\x08"
_MAX_NAME_BYTES = 4_096
_SHOWN = 80
"""Characters of a member's name in a message."""


class ZipMember(Struct, frozen=True):
    """A member. Its numbers are claims until its bytes are read."""

    index: int
    """Its place in the directory: names are not unique."""
    name: str
    """As the zip has it, for people and to find the object; never a path to write to."""
    raw: bytes
    """The name before any decoding."""
    size: int
    packed: int
    """Compressed bytes in the archive."""
    crc: int
    method: int
    flags: int
    offset: int
    """The offset of its own header."""
    end: int = 0
    """The offset of the next member or of the directory, beyond which nothing of this one may lie."""
    error: StorageError | None = None
    """Why it cannot be read."""

    @property
    def shown(self) -> str:
        """Its name, safe to show."""
        return plain(self.name, _SHOWN) or "(without a name)"


class Directory(Struct, frozen=True):
    """The place and the number of entries of the directory, on which all end records agree."""

    offset: int
    size: int
    count: int


def find_directory(read: Read, size: int, most: int) -> Directory:
    """Find the directory of an archive of `size` bytes.

    Raises:
        IntegrityError: the file is not a whole archive, or has something before or after it.
        UnsafeError: it has more than `most` members, or its records contradict each other.
    """
    tail_offset = max(size - _END.size - _MAX_COMMENT_BYTES, 0)
    tail = read(size - tail_offset, tail_offset)
    ends = list(_ends(tail))
    if not ends:
        raise incomplete()
    if len(ends) > 1:
        raise unsafe("it has two ends")
    position = tail_offset + ends[0]
    _, disk, start_disk, here, count, length, offset, _ = _END.unpack_from(tail, ends[0])
    found, records_start = Directory(offset, length, count), position
    locator = _zip64_locator(read, position)
    if locator is not None:
        found, records_start = _zip64_directory(read, locator, position, found)
        here = found.count if here == _FULL16 else here
    if disk or start_disk or here != found.count:
        raise unsafe("it is one of several disks")
    if found.count > most:
        raise unsafe(f"it says that it has {found.count} members, and at most {most} can be in it")
    if found.offset + found.size != records_start:
        raise IntegrityError("the zip holds something that does not belong to it", hint="Fetch it again.")
    if found.size > MAX_DIRECTORY_BYTES:
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
    # zipfile searches for an end record and trusts it, so it gets one with the numbers that were checked.
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
    """The error for an archive that was made to do harm, or is broken beyond use."""
    return UnsafeError(f"the zip cannot be trusted: {why}", hint="Fetch its objects one by one.")


def _ends(tail: bytes) -> Iterator[int]:
    """The offsets of end records whose comment reaches to the end of the file."""
    at = tail.find(_END_MARK)
    while at >= 0:
        if at + _END.size <= len(tail):
            comment: int = _END.unpack_from(tail, at)[-1]
            if at + _END.size + comment == len(tail):
                yield at
        at = tail.find(_END_MARK, at + 1)


def _zip64_locator(read: Read, position: int) -> tuple[int, int] | None:
    """The offset of the zip64 end record and the number of disks, if there is a zip64 locator."""
    if position < _ZIP64_LOCATOR.size:
        return None
    mark, _, offset, disks = _ZIP64_LOCATOR.unpack(read(_ZIP64_LOCATOR.size, position - _ZIP64_LOCATOR.size))
    return (offset, disks) if mark == _ZIP64_LOCATOR_MARK else None


def _zip64_directory(read: Read, locator: tuple[int, int], position: int, short: Directory) -> tuple[Directory, int]:
    """The directory and the offset of the zip64 end record, which must agree with the short one."""
    record, disks = locator
    before = position - _ZIP64_LOCATOR.size
    if disks > 1 or record + _ZIP64_END.size > before:
        raise unsafe("its end records contradict each other")
    mark, length, _, _, disk, start_disk, here, count, size, offset = _ZIP64_END.unpack(read(_ZIP64_END.size, record))
    if mark != _ZIP64_END_MARK or record + length + 12 != before or disk or start_disk or here != count:
        raise unsafe("its end records contradict each other")
    pairs = ((short.count, count, _FULL16), (short.size, size, _FULL32), (short.offset, offset, _FULL32))
    if any(number not in (full, true) for number, true, full in pairs):
        raise unsafe("its end records contradict each other")
    return Directory(offset, size, count), record


def _raw(info: ZipInfo) -> bytes:
    """The bytes of the name; `zipfile` decodes it, and code page 437 has a character for every byte."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _is_whole(content: bytes) -> bool:
    """Whether the last entry ends with the directory: `zipfile` silently cuts a longer one."""
    last = content.rfind(_ENTRY_MARK)
    return last < 0 or last + _ENTRY_SIZE + sum(_LENGTHS.unpack_from(content, last + _LENGTHS_AT)) == len(content)


def _pieces(read: Read, at: int, size: int) -> Iterator[bytes]:
    """Bytes of the archive from an offset, at most `PIECE` at a time."""
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
    """Objects that were requested; `None` if unknown."""
    total: int | None = None
    """Bytes of all of them together, by the service's records; `None` if unknown."""

    @property
    def members(self) -> int:
        """Members that it may have."""
        return MAX_MEMBERS if self.requested is None else min(MAX_MEMBERS, self.requested + MAX_UNREQUESTED)

    def bytes(self, size: int) -> int:
        """Bytes that may come out of an archive of `size` bytes."""
        if self.total is None:
            return size * MAX_RATIO + TOTAL_SLACK
        return int(self.total * TOTAL_FACTOR) + TOTAL_SLACK


ANY_CONTENT = Limits()


class Archive:
    """The members of a zip. Its methods block.

    An archive that cannot be trusted is refused when it is opened; a single member that cannot be read has an `error`.
    """

    def __init__(self, read: Read, size: int, limits: Limits = ANY_CONTENT) -> None:
        """Open it.

        Args:
            read: reads the file.
            size: length of the file.
            limits: what it may hold.

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
        """The bytes of a member, at most `PIECE` at a time, checked against size and checksum at the end.

        Args:
            member: which.
            expected: its exact size by the service's record, if known.

        Raises:
            StorageError: it cannot be read; the pieces before are worthless.
        """
        if member.error is not None:
            raise member.error
        if member.size > (MAX_MEMBER_BYTES if expected is None else expected):
            raise _bad(member, f"it would be {member.size} bytes" + (f", not {expected}" if expected else ""))
        if member.size > MAX_RATIO * max(member.packed, 1) and expected != member.size:
            raise _bad(member, f"it would grow to more than {MAX_RATIO} times its size")
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
        """The offset of the bytes of a member, whose own header must agree with the directory."""
        header = self._read(_LOCAL.size, member.offset)
        if len(header) < _LOCAL.size:
            raise incomplete()
        mark, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(header)
        start: int = member.offset + _LOCAL.size + names + extras
        if mark != _LOCAL_MARK or start + member.packed > member.end:
            raise _damaged(member, "it is not where it should be")
        if method != member.method or (flags ^ member.flags) & (_ENCRYPTED | _DATA_DESCRIPTOR):
            raise _contradicting(member)
        if self._read(names, member.offset + _LOCAL.size) != member.raw:
            raise _contradicting(member)
        has_descriptor = bool(member.flags & _DATA_DESCRIPTOR)
        numbers = ((crc, member.crc), (packed, member.packed), (size, member.size))
        if not all(_agrees(number, true, has_descriptor=has_descriptor) for number, true in numbers):
            raise _contradicting(member)
        if has_descriptor:
            self._check_descriptor(member, start + member.packed)
        return start

    def _check_descriptor(self, member: ZipMember, at: int) -> None:
        """Compare checksum and sizes that follow the bytes, in any of their forms."""
        found = self._read(min(24, member.end - at), at)
        short = struct.pack("<3L", member.crc, member.packed & _FULL32, member.size & _FULL32)
        long = struct.pack("<L2Q", member.crc, member.packed, member.size)
        if not found.startswith((_DESCRIPTOR_MARK + short, _DESCRIPTOR_MARK + long, short, long)):
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
    # What is left in the window if the input ends exactly with a full piece.
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
    """The members in the order of the directory, each with the offset where it has to end.

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
    """Whether it is an empty folder, which is not created."""
    return member.raw.endswith(b"/") and member.size == 0


def _agrees(number: int, true: int, *, has_descriptor: bool) -> bool:
    """Whether a number of a member's own header is that of the directory, or left to a later record."""
    return number in (true, _FULL32) or (has_descriptor and number == 0)


def _refusal(info: ZipInfo, member: ZipMember) -> StorageError | None:
    """Why a member is not read, by its entry in the directory."""
    if info.flag_bits & _ENCRYPTED:
        return _unreadable(member, "it is encrypted")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return _unreadable(member, f"its compression method is unknown ({info.compress_type})")
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system in (_UNIX, _MAC) else 0
    if kind not in (0, stat.S_IFREG) or info.external_attr & _FOLDER_ATTRIBUTE:
        return _bad(member, "it is a link, a device or a folder, not a file")
    if info.compress_type == ZIP_STORED and info.file_size != info.compress_size:
        return _contradicting(member)
    if len(member.raw) > _MAX_NAME_BYTES:
        return _bad(member, "its name is too long")
    return None


def _name(info: ZipInfo) -> str:
    """The name as text, read as UTF-8 also without the flag. Extra fields that may hold a name are ignored."""
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
