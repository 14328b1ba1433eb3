"""A fetched zip, opened by our own rules: nothing in it does harm, or fills the disk or the memory."""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloudstore_tui.core.errors import IntegrityError, StorageError, UnsafeError
from cloudstore_tui.transfers.zip.directory import Directory, Entry, Read, entries, find_directory, incomplete, unsafe
from cloudstore_tui.transfers.zip.member import Member

PIECE = 1 << 16
"""Bytes at once."""
MOST_MEMBERS = 20_000
UNASKED = 10
"""Members more than were asked for that are looked at."""
LARGEST_MEMBER = 2 << 30
"""Bytes of a member whose size the service did not tell."""
RATIO = 200
"""Unpacked bytes for each packed one; more only where the service's record tells the same size."""
TOTAL_FACTOR = 1.05
TOTAL_SLACK = 16 << 20
"""Bytes in all that may be more than the service said, for members that nobody asked for."""

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_LATER = 0x0008
"""Flag: sizes and checksum follow the bytes."""
_UTF8 = 0x0800
_FOLDER_ATTRIBUTE = 0x10
_UNIX, _MAC = 3, 19
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK, _LATER_MARK = b"PK\3\4", b"PK\7\x08"
_FULL32 = 0xFFFFFFFF
_LONGEST_NAME = 4_096


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold."""

    requested: int | None = None
    """Objects that were asked for; `None` where nobody knows."""
    total: int | None = None
    """Bytes of all of them together, by the service's records; `None` where nobody knows."""

    @property
    def members(self) -> int:
        """Members that it may have."""
        return MOST_MEMBERS if self.requested is None else min(MOST_MEMBERS, self.requested + UNASKED)

    def bytes(self, size: int) -> int:
        """Bytes that may come out of an archive of `size` bytes."""
        if self.total is None:
            return size * RATIO + TOTAL_SLACK
        return int(self.total * TOTAL_FACTOR) + TOTAL_SLACK


class Archive:
    """The members of a zip. Its methods block.

    What cannot be trusted at all is refused when it is opened; a single member that cannot be read has an `error`.
    """

    def __init__(self, read: Read, size: int, limits: Limits = Limits()) -> None:
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
        laid_out = _laid_out(_members(read, directory), directory.offset)
        self.members = tuple(member for member in laid_out if not _is_folder(member))
        if sum(member.size for member in self.members) > limits.bytes(size):
            raise unsafe("more would come out of it than the service has of these objects")

    def read(self, member: Member, expected: int | None = None) -> Iterator[bytes]:
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

    def _start(self, member: Member) -> int:
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
        told = ((crc, member.crc), (packed, member.packed), (size, member.size))
        if not all(_agrees(number, true, later=later) for number, true in told):
            raise _contradicting(member)
        if later:
            self._check_later(member, start + member.packed)
        return start

    def _check_later(self, member: Member, at: int) -> None:
        """Compare the sizes that follow the bytes, in any of the forms that they come in."""
        found = self._read(min(24, member.end - at), at)
        short = struct.pack("<3L", member.crc, member.packed & _FULL32, member.size & _FULL32)
        long = struct.pack("<L2Q", member.crc, member.packed, member.size)
        if not found.startswith((_LATER_MARK + short, _LATER_MARK + long, short, long)):
            raise _contradicting(member)

    def _unpacked(self, member: Member, start: int) -> Iterator[bytes]:
        packed = self._packed(member, start)
        if member.method == _STORED:
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

    def _packed(self, member: Member, start: int) -> Iterator[bytes]:
        at, end = start, start + member.packed
        while at < end:
            piece = self._read(min(PIECE, end - at), at)
            if not piece:
                raise incomplete()
            at += len(piece)
            yield piece


def _inflated(inflater: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    while piece and not inflater.eof:
        out = inflater.decompress(piece, PIECE)
        if out:
            yield out
        piece = inflater.unconsumed_tail
    # What is left in the window when the input ends exactly at a full piece.
    while not inflater.eof and (out := inflater.decompress(b"", PIECE)):
        yield out


def _members(read: Read, directory: Directory) -> Iterator[Member]:
    for index, entry in enumerate(entries(read, directory)):
        member = Member(
            index, _name(entry), entry.raw, entry.size, entry.packed, entry.crc, entry.method, entry.flags, entry.offset
        )
        yield replace(member, error=_refusal(entry, member))


def _laid_out(members: Iterator[Member], end: int) -> Iterator[Member]:
    """The members in the order of the directory, each with the place where the next one begins.

    Raises:
        UnsafeError: two of them share bytes.
    """
    listed = list(members)
    ends: dict[int, int] = {}
    for member in sorted(listed, key=lambda member: member.offset, reverse=True):
        if member.offset + _LOCAL.size + member.packed > end:
            raise unsafe("its members overlap")
        ends[member.index], end = end, member.offset
    if listed and end != 0:
        raise IntegrityError("the zip begins with something that does not belong to it", hint="Fetch it again.")
    return (replace(member, end=ends[member.index]) for member in listed)


def _is_folder(member: Member) -> bool:
    """Whether there is nothing to read in it; it is not made."""
    return member.raw.endswith(b"/") and member.size == 0


def _agrees(told: int, true: int, *, later: bool) -> bool:
    """Whether a number of a member's own header is that of the directory, or left to another place."""
    return told in (true, _FULL32) or (later and told == 0)


def _refusal(entry: Entry, member: Member) -> StorageError | None:
    """Why a member is not even looked at."""
    if entry.flags & _ENCRYPTED:
        return _unreadable(member, "it is encrypted")
    if entry.method not in (_STORED, _DEFLATED):
        return _unreadable(member, f"it is packed in a way that is not known ({entry.method})")
    kind = stat.S_IFMT(entry.attributes >> 16) if entry.system in (_UNIX, _MAC) else 0
    if kind not in (0, stat.S_IFREG) or entry.attributes & _FOLDER_ATTRIBUTE:
        return _bad(member, "it is a link, a device or a folder, and no file")
    if entry.method == _STORED and entry.size != entry.packed:
        return _contradicting(member)
    if len(entry.raw) > _LONGEST_NAME:
        return _bad(member, "its name is too long")
    return None


def _name(entry: Entry) -> str:
    """The name as text. Only the name itself is read: other places that hold one may say something else."""
    try:
        return entry.raw.decode()
    except UnicodeDecodeError:
        return entry.raw.decode("utf-8", "backslashreplace") if entry.flags & _UTF8 else entry.raw.decode("cp437")


def _bad(member: Member, why: str) -> StorageError:
    return UnsafeError(f"the member {member.shown} of the zip is refused: {why}")


def _unreadable(member: Member, why: str) -> StorageError:
    return UnsafeError(f"the member {member.shown} of the zip cannot be read: {why}")


def _damaged(member: Member, why: str) -> StorageError:
    return IntegrityError(f"the member {member.shown} of the zip is damaged: {why}")


def _contradicting(member: Member) -> StorageError:
    return IntegrityError(f"the member {member.shown} of the zip contradicts itself")
