"""Archives: their members, from as few bytes as possible; and compressed files."""

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
MAX_HEADER_READS = 40
"""Tar headers that are fetched one by one, unless the user asks for more."""
MAX_UNPACKED = 4 * 1024 * 1024
"""Bytes decompressed at most: a few kilobytes can hold gigabytes of nothing."""
_HEADER_READ = 8192
"""Bytes fetched for a tar header: they often hold the next headers, too."""
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
"""Two characters of two bytes each: in Western names such bytes stand alone."""


# Zip


def is_zip(head: bytes) -> bool:
    """Whether these bytes begin a zip archive; office documents are such archives."""
    return head.startswith((b"PK\3\4", b"PK\5\6", b"PK00PK\3\4"))


def zip_preview(sample: Sample) -> Preview:
    """The members of a zip archive, or the rows of a spreadsheet."""
    try:
        archive = zipfile.ZipFile(sample.open(_TAIL))
    except zipfile.BadZipFile:
        return _zip_head(sample, "The end of the archive, with its directory, is missing.")
    except NotFetchedError as error:
        return _zip_head(sample, str(error))
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
    facts = (("members", f"{len(infos):,}"), ("content", f"{sum(info.file_size for info in infos):,} bytes"))
    return Preview(kind, Listing(members), facts, notes + _limit_notes(len(infos)))


def _limit_notes(count: int) -> tuple[str, ...]:
    """What is said of a list of so many members, if not all are shown."""
    return (f"Only the first {MAX_MEMBERS:,} members are shown.",) if count > MAX_MEMBERS else ()


def _zip_member(info: zipfile.ZipInfo, code_page: str) -> Member:
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        name = name.encode("cp437", "replace").decode(code_page, "replace")
    note = "folder" if name.endswith("/") else "encrypted" if info.flag_bits & _ENCRYPTED else ""
    if (info.external_attr >> 28) == 0xA:
        note = "link"
    return Member(name, info.file_size, _dos_time(info.date_time), note)


def _code_page(infos: list[zipfile.ZipInfo]) -> tuple[str, str]:
    """The encoding of names that are not marked as UTF-8, and the language if it is a guess."""
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
        if _is_everyday(text, language):
            return codec, language
    return "cp437", ""


def _is_everyday(text: str, language: str) -> bool:
    """Whether nearly all non-ASCII characters are common ones of a language."""
    beyond = [character for character in text if character > "\x7f"]
    common = {"Chinese": "[\u4e00-\u9fa5\u3000-\u303f\uff00-\uff5e]", "Korean": "[\uac00-\ud7a3]"}.get(
        language, "[\u3040-\u30ff\u4e00-\u9fa5\u3000-\u303f\uff00-\uff5e]"
    )
    fitting = sum(bool(re.match(common, character)) for character in beyond)
    kana = any("\u3040" <= character <= "\u30ff" for character in beyond)
    return fitting >= 0.95 * len(beyond) and (language != "Japanese" or kana)


def _dos_time(fields: tuple[int, int, int, int, int, int]) -> datetime | None:
    try:
        return datetime(*fields)
    except ValueError:
        return None


def _zip_head(sample: Sample, why: str) -> Preview:
    """The members whose local headers are in the first bytes, for want of the directory."""
    members: list[Member] = []
    at, head = 0, sample.head
    while head.startswith(b"PK\3\4", at) and at + 30 <= len(head) and len(members) < MAX_MEMBERS:
        header = _local_header(head[at:])
        if header is None:
            break
        flags, packed, length, member = header
        members.append(member)
        if flags & _SIZES_FOLLOW:
            at = head.find(b"PK\3\4", at + length)
            if at < 0:
                break
        else:
            at += length + packed
    facts, notes = (("members", f"{len(members):,} so far"),), (why, "These are the members at its beginning.")
    return Preview("zip archive", Listing(tuple(members)), facts, notes, is_partial=True)


def _local_header(head: bytes) -> tuple[int, int, int, Member] | None:
    """Flags, packed size, length of the header, and the member; `None` if the header is cut."""
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


def is_tar(head: bytes) -> bool:
    """Whether these bytes begin a tar archive, by its magic number or by the checksum of the first header."""
    return head[257:262] == b"ustar" or _is_old_tar(head[:_BLOCK])


def _is_old_tar(block: bytes) -> bool:
    try:
        return any(block) and bool(tarfile.TarInfo.frombuf(block, "utf-8", "replace").name)
    except tarfile.TarError:
        return False


def tar_preview(sample: Sample) -> Preview | None:
    """The members of a tar archive; `None` if there are none in it."""
    file = sample.open(_HEADER_READ)
    if sample.remote is not None:
        sample.remote.requests_left = MAX_HEADER_READS * sample.scale
    members: list[Member] = []
    try:
        archive = tarfile.TarFile(fileobj=file)
        while len(members) < MAX_MEMBERS and (info := archive.next()) is not None:
            members.append(_tar_member(info))
        file.seek(archive.offset)
        note = _tar_end_note(sample, file.read(_BLOCK), len(members))
    except NotFetchedError as error:
        is_over_limit = sample.remote is not None and (sample.remote.requests_left or 0) < 0
        note = "There are more members; m reads on." if is_over_limit else str(error)
    except (tarfile.TarError, EOFError):
        if not members:
            return None
        note = _cut_note(sample, len(members))
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
    return Member(_printable(info.name), size, when, _printable(note))


def _printable(name: str) -> str:
    """A name with replacement characters for the bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _tar_end_note(sample: Sample, block: bytes, count: int) -> str:
    """Why the list ends before the archive does; empty if it does not."""
    if not any(block) and (block or sample.facts.size is not None):
        return ""
    if count >= MAX_MEMBERS:
        return f"Only the first {MAX_MEMBERS:,} members are shown."
    return _cut_note(sample, count)


def _cut_note(sample: Sample, count: int) -> str:
    if sample.facts.size is None:
        return f"These {count:,} are what the first bytes show; there may be more."
    return "The archive is damaged or cut after these members."


# Compressed files


class _Decompressor(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _zstd() -> _Decompressor:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast(_Decompressor, zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27}))


_COMPRESSIONS: tuple[tuple[bytes, str, Callable[[], _Decompressor]], ...] = (
    (b"\x1f\x8b", "gzip", lambda: cast(_Decompressor, zlib.decompressobj(31))),
    (b"BZh", "bzip2", lambda: cast(_Decompressor, bz2.BZ2Decompressor())),
    (b"\xfd7zXZ\0", "xz", lambda: cast(_Decompressor, lzma.LZMADecompressor(memlimit=256 << 20))),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _zstd),
)
_DECOMPRESSION_ERRORS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


class Decompressed(NamedTuple):
    """The beginning of what was compressed."""

    kind: str
    content: bytes
    packed: int
    """Compressed bytes that were read for it."""
    is_all: bool
    note: str = ""


def is_compressed(head: bytes) -> bool:
    """Whether these bytes begin a compressed file."""
    return any(head.startswith(mark) for mark, _, _ in _COMPRESSIONS)


def decompress_sample(sample: Sample) -> Decompressed:
    """Decompress the first bytes; while hardly anything comes out, more is read."""
    mark, kind, make = next(row for row in _COMPRESSIONS if sample.head.startswith(row[0]))
    decompressor, out, packed, note = make(), bytearray(), 0, ""
    for chunk in _packed_pieces(sample, out):
        packed += len(chunk)
        try:
            while len(out) < MAX_UNPACKED:
                out += decompressor.decompress(chunk, MAX_UNPACKED - len(out))
                if not decompressor.eof:
                    break
                chunk = decompressor.unused_data
                if not chunk.startswith(mark):
                    break
                decompressor = make()
        except _DECOMPRESSION_ERRORS as error:
            note = f"It is damaged after {len(out):,} bytes of content." if out else f"It is damaged: {error}."
            break
        if len(out) >= MAX_UNPACKED:
            break
    is_all = decompressor.eof and len(out) < MAX_UNPACKED and packed >= sample.size
    if not is_all and not note and packed >= sample.size and len(out) < MAX_UNPACKED and sample.facts.size is not None:
        note = f"It is cut: its end is missing after {len(out):,} bytes of content."
    return Decompressed(kind, bytes(out), packed, is_all and not note, note)


def _packed_pieces(sample: Sample, out: bytearray) -> Iterator[bytes]:
    """The compressed bytes in small pieces, because a damaged piece is lost as a whole."""
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


def is_seven_zip(head: bytes) -> bool:
    """Whether these bytes begin a 7-Zip archive."""
    return head.startswith(seven_zip.MARK)


def seven_zip_preview(sample: Sample) -> Preview:
    """The members of a 7-Zip archive."""
    file = sample.remote or RemoteFile(lambda _: ([b""], ""), len(sample.head), sample.head)
    found: list[Member] = []
    try:
        found.extend(islice(seven_zip.members(file), MAX_MEMBERS + 1))
    except (seven_zip.SevenZipError, NotFetchedError) as error:
        return Preview("7-Zip archive", Nothing(), notes=(str(error),))
    notes = _limit_notes(len(found))
    facts = (
        ("members", f"{'more than ' if notes else ''}{min(len(found), MAX_MEMBERS):,}"),
        ("content", f"{sum(member.size or 0 for member in found):,} bytes"),
    )
    return Preview("7-Zip archive", Listing(tuple(found[:MAX_MEMBERS])), facts, notes)


def is_rar(head: bytes) -> bool:
    """Whether these bytes begin a RAR archive."""
    return head.startswith(b"Rar!\x1a\7")


def rar_preview(sample: Sample) -> Preview:
    """The members of a RAR archive."""
    try:
        import rarfile
    except ImportError:
        return Preview("RAR archive", Nothing(), notes=("To see its members: pip install 'cloudstore-tui[rar]'.",))
    infos: list[Any] = rarfile.RarFile(sample.open(_HEADER_READ)).infolist()
    members = tuple(map(_rar_member, infos[:MAX_MEMBERS]))
    facts = (("members", f"{len(infos):,}"), ("content", f"{sum(info.file_size or 0 for info in infos):,} bytes"))
    return Preview("RAR archive", Listing(members), facts, _limit_notes(len(infos)))


def _rar_member(info: Any) -> Member:
    note = "folder" if info.isdir() else "encrypted" if info.needs_password() else ""
    return Member(info.filename, info.file_size, _dos_time(info.date_time) if info.date_time else None, note)
