"""Tar archives: their members' heads, without what lies between."""

import tarfile
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime

from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.preview import Listing, Member, Preview
from cloudstore_tui.preview.reading import Steps, Stretch

MOST_MEMBERS = 20_000
HOPS = 40
"""Heads that are fetched one by one, unless the user wants more."""
_BLOCK = 512
_HOP = 4096
"""Bytes fetched for a head: often the next members are in them, too."""
_LONGEST_NAME = 64 * 1024
_BARE = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
"""Types without content."""


def is_tar(head: bytes) -> bool:
    """Whether these bytes begin a tar archive."""
    return len(head) >= _BLOCK and any(head[:_BLOCK]) and _head(head[:_BLOCK]) is not None


def tar_steps(head: bytes, facts: Facts) -> Steps:
    """Hop from head to head, as far as a bounded number of requests goes."""
    reader = _Reader(head, facts)
    members: list[Member] = []
    note = ""
    long = _Long()
    while len(members) < MOST_MEMBERS:
        block = yield from reader.block(_BLOCK)
        info = _head(block)
        if info is None:
            note = reader.why(block, len(members))
            break
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            content = yield from reader.block(min(info.size, _LONGEST_NAME), ahead=_BLOCK)
            long.take(info.type, content)
        elif info.type != tarfile.XGLTYPE:
            members.append(long.member(info))
            info.size, long = long.size if long.size is not None else info.size, _Long()
        reader.skip(info)
    count = f"{len(members):,}" if not note else f"{len(members):,} so far"
    total = sum(member.size for member in members)
    shown = (("members", count), ("content", f"{total:,} bytes"))
    return Preview("tar archive", Listing(tuple(members)), shown, (note,) if note else ())


class _Reader:
    """Reads blocks at an offset that moves on."""

    def __init__(self, head: bytes, facts: Facts) -> None:
        self._pieces = [(0, head)]
        self._size = facts.size
        self._is_outermost = facts.depth == 0
        self._left = HOPS * facts.effort
        self._offset = 0

    def block(self, count: int, ahead: int = 0) -> Generator[tuple[Stretch, ...], tuple[bytes, ...], bytes]:
        """Bytes at the offset, from what is here or by a request."""
        first = self._offset + ahead
        for start, data in self._pieces:
            if start <= first and first + count <= start + len(data):
                return data[first - start : first - start + count]
        if not self._is_outermost or self._left <= 0 or (self._size is not None and first >= self._size):
            return b""
        self._left -= 1
        (data,) = yield (Stretch(first, max(count, _HOP)),)
        self._pieces = [self._pieces[0], (first, data)]
        return data[:count]

    def skip(self, info: tarfile.TarInfo) -> None:
        """Go to the next head."""
        content = 0 if info.type in _BARE else max(info.size, 0)
        self._offset += _BLOCK + -(-content // _BLOCK) * _BLOCK

    def why(self, block: bytes, count: int) -> str:
        """Why the list ends here; nothing where the archive does."""
        if len(block) == _BLOCK and not any(block):
            return ""
        if self._size is not None and self._offset >= self._size:
            return "The archive has no end mark: it may be cut." if self._offset > self._size else ""
        if len(block) == _BLOCK:
            return "The archive is damaged after these members."
        if not self._is_outermost:
            return f"These {count:,} are what the first bytes show; there may be more."
        return "There are more members; m reads on." if self._left <= 0 else "The store did not give what follows."


@dataclass
class _Long:
    """What heads of their own say of the next member, because it does not fit into its head."""

    name: str = ""
    link: str = ""
    size: int | None = None

    def take(self, kind: bytes, content: bytes) -> None:
        if kind == tarfile.GNUTYPE_LONGNAME:
            self.name = _text(content)
        elif kind == tarfile.GNUTYPE_LONGLINK:
            self.link = _text(content)
        else:
            self._take_records(content)

    def member(self, info: tarfile.TarInfo) -> Member:
        link = self.link or info.linkname
        note = "folder" if info.isdir() else f"link to {link}" if info.islnk() or info.issym() else ""
        if not note and info.type in _BARE:
            note = "device"
        size = self.size if self.size is not None else info.size
        return Member(self.name or info.name, 0 if info.type in _BARE else size, _moment(info.mtime), note)

    def _take_records(self, content: bytes) -> None:
        """`<length> <key>=<value>` and a line end, one after the other."""
        at = 0
        while at < len(content):
            digits, blank, _ = content[at : at + 20].partition(b" ")
            if not blank or not digits.isdigit() or not 0 < (length := int(digits)) <= len(content) - at:
                return
            key, _, value = content[at + len(digits) + 1 : at + length - 1].partition(b"=")
            if key == b"path":
                self.name = _text(value)
            elif key == b"linkpath":
                self.link = _text(value)
            elif key == b"size" and value.isdigit() and len(value) < 19:
                self.size = int(value)
            at += length


def _head(block: bytes) -> tarfile.TarInfo | None:
    if len(block) < _BLOCK or not any(block):
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return None
    return info if 0 <= info.size < 1 << 60 else None


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "replace")


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None
