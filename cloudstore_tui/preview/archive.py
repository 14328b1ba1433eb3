"""Archives: what is in them, without what lies between; and wrappings of one file."""

import bz2
import lzma
import re
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol, cast

from cloudstore_tui.preview import seven_zip
from cloudstore_tui.preview.model import Listing, Member, Nothing, Preview
from cloudstore_tui.preview.remote_file import NotFetchedError, RemoteFile
from cloudstore_tui.preview.sample import Sample

MAX_MEMBERS = 20_000
HOPS = 40
"""Heads of members that are fetched one by one, unless the user wants more."""
MAX_UNPACKED = 4 * 1024 * 1024
"""Bytes that come out of a wrapping at most: a few kilobytes can hold gigabytes of nothing."""
_HOP = 8192
"""Bytes that are fetched for a head: often the next members are in them, too."""
_BLOCK = 512
_MAX_PACKED = 1024 * 1024
_CHUNK = 64 * 1024
_PIECE = 1024
_TAIL = 64 * 1024
_ENCRYPTED, _UTF8, _SIZES_FOLLOW = 1, 0x800, 8
_UNIX = 3
_SPREADSHEETS = {"xl/workbook.xml": "Excel workbook", "xl/workbook.bin": "Excel workbook (binary)"}
_OFFICE = {"word/document.xml": "Word document", "ppt/presentation.xml": "PowerPoint presentation"}
_CODE_PAGES = (("cp932", "Japanese"), ("gb18030", "Chinese"), ("cp949", "Korean"), ("big5", "Chinese"))
_WORD = re.compile(rb"[\x80-\xff][\x40-\xff][\x80-\xff][\x40-\xff]")
"""Two letters of two bytes each: in Western names such bytes stand alone."""


def is_archive(head: bytes) -> bool:
    """Whether these bytes begin an archive."""
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK00PK\3\4", seven_zip.MARK, b"Rar!\x1a\7")):
        return True
    return head[257:262] == b"ustar" or _is_old_tar(head[:_BLOCK])


def _is_old_tar(block: bytes) -> bool:
    """A head of before there was a mark: its sum fits."""
    try:
        return any(block) and bool(tarfile.TarInfo.frombuf(block, "utf-8", "replace").name)
    except tarfile.TarError:
        return False


def archive_preview(sample: Sample) -> Preview | None:
    """The members of an archive."""
    head = sample.head
    if head.startswith(b"PK"):
        return _zip_preview(sample)
    if head.startswith(seven_zip.MARK):
        return _seven_zip_preview(sample)
    if head.startswith(b"Rar!"):
        return _rar_preview(sample)
    return _tar_preview(sample)


# Zip


def _zip_preview(sample: Sample) -> Preview:
    try:
        archive = zipfile.ZipFile(sample.open(_TAIL))
    except (zipfile.BadZipFile, NotFetchedError) as error:
        why = (
            f"{error}"
            if isinstance(error, NotFetchedError)
            else "The end of the archive, with its directory, is missing."
        )
        return _zip_beginning(sample, why)
    infos = archive.infolist()
    names = {info.filename for info in infos}
    for mark, kind in _SPREADSHEETS.items():
        if mark in names:
            from cloudstore_tui.preview.table import spreadsheet_preview

            found = spreadsheet_preview(sample, kind)
            if found is not None:
                return found
            return _zip_listing(infos, kind, ("To see its rows: pip install 'cloudstore-tui[sheets]'.",))
    kind = next((kind for mark, kind in _OFFICE.items() if mark in names), "zip archive")
    return _zip_listing(infos, kind, ())


def _zip_listing(infos: list[zipfile.ZipInfo], kind: str, notes: tuple[str, ...]) -> Preview:
    code_page, language = _code_page([info for info in infos if not info.flag_bits & _UTF8])
    members = tuple(_zip_member(info, code_page) for info in infos[:MAX_MEMBERS])
    if language:
        notes += (f"Its names are in an old code page; {language} is a guess.",)
    if len(infos) > MAX_MEMBERS:
        notes += (f"Only the first {MAX_MEMBERS:,} members are shown.",)
    facts = (("members", f"{len(infos):,}"), ("content", f"{sum(info.file_size for info in infos):,} bytes"))
    return Preview(kind, Listing(members), facts, notes)


def _zip_member(info: zipfile.ZipInfo, code_page: str) -> Member:
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        name = name.encode("cp437", "replace").decode(code_page, "replace")
    note = "folder" if name.endswith("/") else "encrypted" if info.flag_bits & _ENCRYPTED else ""
    if (info.external_attr >> 28) == 0xA:
        note = "link"
    return Member(name, info.file_size, _dos_moment(info.date_time), note)


def _code_page(infos: list[zipfile.ZipInfo]) -> tuple[str, str]:
    """What the names without a mark are written in, and the language where that is a guess."""
    raw = b"\n".join(info.orig_filename.encode("cp437", "replace") for info in infos[:2000])
    if raw.isascii():
        return "ascii", ""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", ""
    for codec, language in _CODE_PAGES if _WORD.search(raw) else ():
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        if _is_common(text, language):
            return codec, language
    return "cp437", ""


def _is_common(text: str, language: str) -> bool:
    """Whether nearly all characters beyond ASCII are everyday ones of a language."""
    beyond = [character for character in text if character > "\x7f"]
    common = {"Chinese": "[\u4e00-\u9fa5\u3000-\u303f\uff00-\uff5e]", "Korean": "[\uac00-\ud7a3]"}.get(
        language, "[\u3040-\u30ff\u4e00-\u9fa5\u3000-\u303f\uff00-\uff5e]"
    )
    fitting = sum(bool(re.match(common, character)) for character in beyond)
    kana = any("\u3040" <= character <= "\u30ff" for character in beyond)
    return fitting >= 0.95 * len(beyond) and (language != "Japanese" or kana)


def _dos_moment(moment: tuple[int, int, int, int, int, int]) -> datetime | None:
    try:
        return datetime(*moment)
    except ValueError:
        return None


def _zip_beginning(sample: Sample, why: str) -> Preview:
    """The members whose headers are in the first bytes."""
    members: list[Member] = []
    at, head = 0, sample.head
    while head.startswith(b"PK\3\4", at) and at + 30 <= len(head) and len(members) < MAX_MEMBERS:
        info = _local_head(head[at:])
        if info is None:
            break
        flags, packed, length, member = info
        members.append(member)
        if flags & _SIZES_FOLLOW:
            at = head.find(b"PK\3\4", at + length)
            if at < 0:
                break
        else:
            at += length + packed
    notes = (why, "These are the members at its beginning.")
    return Preview(
        "zip archive", Listing(tuple(members)), (("members", f"{len(members):,} so far"),), notes, is_partial=True
    )


def _local_head(head: bytes) -> tuple[int, int, int, Member] | None:
    flags = int.from_bytes(head[6:8], "little")
    packed, size = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
    names, extras = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    raw = head[30 : 30 + names]
    if len(raw) < names:
        return None
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("cp437")
    note = "folder" if name.endswith("/") else "encrypted" if flags & _ENCRYPTED else ""
    return flags, packed, 30 + names + extras, Member(name, None if flags & _SIZES_FOLLOW else size, None, note)


# Tar


def _tar_preview(sample: Sample) -> Preview | None:
    file = sample.open(_HOP)
    if sample.remote is not None:
        sample.remote.requests_left = HOPS * sample.effort
    members: list[Member] = []
    try:
        archive = tarfile.TarFile(fileobj=file)
        while len(members) < MAX_MEMBERS and (info := archive.next()) is not None:
            members.append(_tar_member(info))
        file.seek(archive.offset)
        note = _tar_end(sample, file.read(_BLOCK), len(members))
    except NotFetchedError as error:
        is_spent = sample.remote is not None and (sample.remote.requests_left or 0) < 0
        note = "There are more members; m reads on." if is_spent else str(error)
    except (tarfile.TarError, EOFError):
        if not members:
            return None
        note = _cut(sample, len(members))
    count = f"{len(members):,} so far" if note else f"{len(members):,}"
    facts = (("members", count), ("content", f"{sum(member.size or 0 for member in members):,} bytes"))
    notes = (note,) if note else ()
    return Preview("tar archive", Listing(tuple(members)), facts, notes, is_partial=bool(note))


def _tar_member(info: tarfile.TarInfo) -> Member:
    note = ""
    if info.isdir():
        note = "folder"
    elif info.islnk() or info.issym():
        note = f"link to {info.linkname}"
    elif info.isdev():
        note = "device"
    elif info.issparse():
        note = "sparse"
    size = info.size if info.isreg() else 0
    try:
        when = datetime.fromtimestamp(info.mtime, UTC) if info.mtime else None
    except (OverflowError, ValueError, OSError):
        when = None
    return Member(_text(info.name), size, when, _text(note))


def _text(name: str) -> str:
    """A name whose bytes are not UTF-8 as text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _tar_end(sample: Sample, block: bytes, count: int) -> str:
    """Why the list ends here; nothing where the archive does."""
    if not any(block) and (block or sample.facts.size is not None):
        return ""
    if count >= MAX_MEMBERS:
        return f"Only the first {MAX_MEMBERS:,} members are shown."
    return _cut(sample, count)


def _cut(sample: Sample, count: int) -> str:
    if sample.facts.size is None:
        return f"These {count:,} are what the first bytes show; there may be more."
    return "The archive is damaged or cut after these members."


# Wrappings of one file


class _Engine(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """What comes out of some bytes."""
        ...


def _zstd() -> _Engine:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast(_Engine, zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27}))


_WRAPPINGS: tuple[tuple[bytes, str, Callable[[], _Engine]], ...] = (
    (b"\x1f\x8b", "gzip", lambda: cast(_Engine, zlib.decompressobj(31))),
    (b"BZh", "bzip2", lambda: cast(_Engine, bz2.BZ2Decompressor())),
    (b"\xfd7zXZ\0", "xz", lambda: cast(_Engine, lzma.LZMADecompressor(memlimit=256 << 20))),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _zstd),
)
_BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


class Unwrapped(NamedTuple):
    """What came out of a wrapping."""

    kind: str
    content: bytes
    packed: int
    """Bytes that were read for it."""
    is_all: bool
    note: str = ""


def is_wrapping(head: bytes) -> bool:
    """Whether these bytes begin a file that holds one other, compressed."""
    return any(head.startswith(mark) for mark, _, _ in _WRAPPINGS)


def unwrap(sample: Sample) -> Unwrapped:
    """What the first bytes of a wrapping hold; more is read while nearly nothing comes out."""
    mark, kind, make = next(row for row in _WRAPPINGS if sample.head.startswith(row[0]))
    engine, out, packed, note = make(), bytearray(), 0, ""
    for chunk in _chunks(sample, out):
        packed += len(chunk)
        try:
            while len(out) < MAX_UNPACKED:
                out += engine.decompress(chunk, MAX_UNPACKED - len(out))
                if not engine.eof:
                    break
                chunk = engine.unused_data
                if not chunk.startswith(mark):
                    break
                engine = make()
        except _BROKEN as error:
            note = f"It is damaged after {len(out):,} bytes of content." if out else f"It is damaged: {error}."
            break
        if len(out) >= MAX_UNPACKED:
            break
    is_all = engine.eof and len(out) < MAX_UNPACKED and packed >= sample.size
    if not is_all and not note and packed >= sample.size and len(out) < MAX_UNPACKED and sample.facts.size is not None:
        note = f"It is cut: its end is missing after {len(out):,} bytes of content."
    return Unwrapped(kind, bytes(out), packed, is_all and not note, note)


def _chunks(sample: Sample, out: bytearray) -> Iterator[bytes]:
    """The packed bytes in small pieces: what comes out of a piece that is damaged is lost."""
    for at in range(0, len(sample.head), _PIECE):
        yield sample.head[at : at + _PIECE]
    if sample.remote is None or sample.is_whole:
        return
    file = sample.open()
    file.seek(len(sample.head))
    with suppress(NotFetchedError):
        while file.tell() < min(_MAX_PACKED, sample.size) and len(out) < len(sample.head):
            chunk = file.read(_CHUNK)
            yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))


# 7-Zip and RAR


def _seven_zip_preview(sample: Sample) -> Preview:
    file = (
        sample.remote if sample.remote is not None else RemoteFile(lambda _: ([b""], ""), len(sample.head), sample.head)
    )
    found: list[Member] = []
    try:
        found.extend(islice(seven_zip.members(file), MAX_MEMBERS + 1))
    except (seven_zip.SevenZipError, NotFetchedError) as error:
        return Preview("7-Zip archive", Nothing(), notes=(str(error),))
    notes = (f"Only the first {MAX_MEMBERS:,} members are shown.",) if len(found) > MAX_MEMBERS else ()
    facts = (
        ("members", f"{'more than ' if notes else ''}{min(len(found), MAX_MEMBERS):,}"),
        ("content", f"{sum(member.size or 0 for member in found):,} bytes"),
    )
    return Preview("7-Zip archive", Listing(tuple(found[:MAX_MEMBERS])), facts, notes)


def _rar_preview(sample: Sample) -> Preview:
    try:
        import rarfile
    except ImportError:
        return Preview("RAR archive", Nothing(), notes=("What is in it is not shown; d downloads it.",))
    archive = rarfile.RarFile(sample.open(_HOP))
    infos: list[Any] = archive.infolist()
    members = tuple(
        Member(info.filename, info.file_size, None, "folder" if info.isdir() else "") for info in infos[:MAX_MEMBERS]
    )
    return Preview("RAR archive", Listing(members), (("members", f"{len(infos):,}"),))
