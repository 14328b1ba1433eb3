"""Zip archives: their directory, which is at the end."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.preview import Listing, Member, Preview
from cloudstore_tui.preview.reading import Steps, Stretch

MOST_MEMBERS = 20_000
MOST_DIRECTORY = 1024 * 1024
"""Bytes of a directory that are read, unless the user wants more."""

_TAIL = 66 * 1024
"""The end record, with the longest comment and the records of the long form before it."""
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_LONG_END = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _UTF8, _SIZES_FOLLOW = 1, 0x800, 8
_MISSING = "The end of the archive, where its directory is, could not be read: these are the members at its beginning."


def is_zip(head: bytes) -> bool:
    """Whether these bytes begin a zip archive."""
    return head.startswith((b"PK\3\4", b"PK\5\6"))


def zip_steps(head: bytes, facts: Facts) -> Steps:
    """Read the end, then the directory."""
    size = len(head) if facts.is_whole(head) else facts.size
    if size is None or (facts.depth and not facts.is_whole(head)):
        return _first_members(head)
    start = max(size - _TAIL, 0)
    tail = head[start:]
    if not facts.is_whole(head):
        (tail,) = yield (Stretch(start, size - start),)
    end = _end(tail, start)
    if end is None:
        return _first_members(head)
    wanted = min(end.size, MOST_DIRECTORY * facts.effort)
    if end.offset >= start:
        directory = tail[end.offset - start : end.offset - start + wanted]
    elif end.offset + wanted <= len(head):
        directory = head[end.offset : end.offset + wanted]
    else:
        (directory,) = yield (Stretch(end.offset, wanted),)
    members = tuple(_entries(directory))
    notes = () if len(members) >= end.count else (_left_out(end, wanted),)
    return _preview(members, f"{end.count:,}", notes)


@dataclass(frozen=True, slots=True)
class _Directory:
    offset: int
    size: int
    count: int


def _end(tail: bytes, start: int) -> _Directory | None:
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        return None
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end, position = _Directory(offset, size, count), start + at
    if _FULL16 in (count,) or _FULL32 in (size, offset):
        long = _long_end(tail, at - _LOCATOR.size)
        if long is None:
            return None
        end, position = long[0], start + long[1]
    if end.size > position:
        return None
    # Where something was put before the archive, all offsets are too small by its length.
    return _Directory(position - end.size, end.size, end.count)


def _long_end(tail: bytes, at: int) -> tuple[_Directory, int] | None:
    place = tail.rfind(b"PK\6\6", 0, max(at, 0))
    if at < 0 or not tail.startswith(b"PK\6\7", at) or place < 0 or place + _LONG_END.size > len(tail):
        return None
    *_, count, size, offset = _LONG_END.unpack_from(tail, place)
    return _Directory(offset, size, count), place


def _entries(directory: bytes) -> Iterator[Member]:
    at = 0
    for _ in range(MOST_MEMBERS):
        if at + _ENTRY.size > len(directory):
            return
        mark, _, _, flags, _, time, date, _, packed, size, names, extras, comments, *_, offset = _ENTRY.unpack_from(
            directory, at
        )
        after = at + _ENTRY.size + names + extras + comments
        if mark != b"PK\1\2" or after > len(directory):
            return
        raw = directory[at + _ENTRY.size : at + _ENTRY.size + names]
        extra = directory[at + _ENTRY.size + names : after - comments]
        yield _member(raw, flags, _true_size(size, packed, offset, extra), (date, time))
        at = after


def _true_size(size: int, _packed: int, _offset: int, extra: bytes) -> int:
    """The size in the long form, which begins the extra field of kind 1."""
    at = 0
    while size == _FULL32 and at + 12 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1 and length >= 8:
            return int(struct.unpack_from("<Q", extra, at + 4)[0])
        at += 4 + length
    return size


def _member(raw: bytes, flags: int, size: int, moment: tuple[int, int]) -> Member:
    name = raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    note = "folder" if name.endswith("/") else "encrypted" if flags & _ENCRYPTED else ""
    return Member(name, size, _moment(*moment), note)


def _moment(date: int, time: int) -> datetime | None:
    """A time as DOS wrote it, without a zone."""
    try:
        return datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, min((time & 31) * 2, 59)
        )
    except ValueError:
        return None


def _first_members(head: bytes) -> Preview:
    """What the heads before each member say, as far as they are in the first bytes."""
    members: list[Member] = []
    at = 0
    while at + _LOCAL.size <= len(head) and head.startswith(b"PK\3\4", at):
        _, _, flags, _, time, date, _, packed, size, names, extras = _LOCAL.unpack_from(head, at)
        members.append(_member(head[at + _LOCAL.size : at + _LOCAL.size + names], flags, size, (date, time)))
        if flags & _SIZES_FOLLOW or packed == _FULL32:
            break
        at += _LOCAL.size + names + extras + packed
    return _preview(tuple(members), f"{len(members):,} so far", (_MISSING,))


def _left_out(end: _Directory, wanted: int) -> str:
    return (
        "There are more members; m reads on." if wanted < end.size else "The directory is damaged after these members."
    )


def _preview(members: tuple[Member, ...], count: str, notes: tuple[str, ...]) -> Preview:
    facts = (("members", count), ("content", f"{sum(member.size for member in members):,} bytes"))
    return Preview("zip archive", Listing(members), facts, notes)
