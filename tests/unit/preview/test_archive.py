"""Archives, wrappings and images that careless readers get wrong."""

import base64
import bz2
import gzip
import io
import lzma
import random
import struct
import sys
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudstore_tui.preview import archive, image
from cloudstore_tui.preview.model import Listing, Table

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CSV = b"Number,Square\n" + b"".join(b"%d,%d\n" % (number, number * number) for number in range(20))
NOISE = random.Random(1).randbytes(300_000)
PACKERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "Zstandard": zstd.compress,
}


def packed_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in (("Ünïcode/日本語.txt", b"abc"), ("noise.bin", NOISE)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("kind", PACKERS)
def test_what_is_packed_alone_is_opened(into: Any, kind: str) -> None:
    found = into("x.csv", PACKERS[kind](CSV))
    assert (found.format, found.body.header, len(found.body.rows)) == (f"CSV in {kind}", ("Number", "Square"), 20)
    assert not found.is_partial


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_that_is_packed_is_listed_as_far_as_its_first_bytes_go(into: Any, shelf: Any, kind: str) -> None:
    found = into("x.tar.packed", shelf(PACKERS[kind](packed_tar())))
    assert found.format == f"tar archive in {kind}"
    assert [member.name for member in found.body.members] == ["Ünïcode/日本語.txt", "noise.bin"]


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("harm", ["cut", "damaged"])
def test_a_packed_file_with_a_bad_end_is_shown_as_far_as_it_goes(into: Any, kind: str, harm: str) -> None:
    data = PACKERS[kind](b"".join(b"%d,%d\n" % (n, n * 7919 % 10_007) for n in range(120_000)))
    data = data[: len(data) * 2 // 3] if harm == "cut" else data[: len(data) // 2] + bytes(999) + data[len(data) // 2 :]
    found = into("x.csv", data, wanted=4 * 1024 * 1024)
    # Blocks of the other two are large: the first may be lost as a whole.
    assert isinstance(found.body, Table) or kind in ("bzip2", "Zstandard")
    assert any(word in " ".join(found.notes) for word in ("damaged", "cut"))


def test_a_zip_that_was_written_to_a_pipe_shows_its_sizes(into: Any) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            super().__init__()
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("-", CSV)
    found = into("x.zip", pipe.data)
    assert [(member.name, member.size) for member in found.body.members] == [("-", len(CSV))]


def zip_of(names: list[bytes], flags: int = 0, made_by: int = 0) -> bytes:
    """A zip whose names are these bytes, without a mark of their encoding."""
    local, directory = b"", b""
    for name in names:
        head = struct.pack("<HHHHIIIHH", flags, 0, 0x6000, 0x5300, 0, 0, 0, len(name), 0)
        directory += struct.pack("<4sHH", b"PK\1\2", made_by << 8 | 20, 20) + head
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(local)) + name
        local += struct.pack("<4sH", b"PK\3\4", 20) + head + name
    return (
        local
        + directory
        + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(names), len(names), len(directory), len(local), 0)
    )


@pytest.mark.parametrize(
    ("name", "codec", "note"),
    [
        ("Ünïcode/日本語 ファイル.txt", "utf-8", ""),
        ("审计压缩包文件/集团邮件审计系统2021年自动巡检需求文档.doc", "gbk", "Chinese is a guess"),
        ("通話記録のファイル/カタカナひらがな.txt", "cp932", "Japanese is a guess"),
        ("Größe.txt", "cp437", ""),
        ("plain.txt", "ascii", ""),
    ],
)
def test_names_of_a_zip_are_read_as_they_were_written(into: Any, name: str, codec: str, note: str) -> None:
    found = into("x.zip", zip_of([name.encode(codec)]))
    assert [member.name for member in found.body.members] == [name]
    assert note in " ".join(found.notes)


def test_encrypted_members_and_very_many_are_reported(into: Any) -> None:
    assert into("x.zip", zip_of([b"a.txt"], flags=1)).body.members[0].note == "encrypted"
    many = into("x.zip", zip_of([b"%d" % number for number in range(20_500)]), wanted=4 * 1024 * 1024)
    assert (dict(many.facts)["members"], len(many.body.members)) == ("20,500", 20_000)
    assert many.notes == ("Only the first 20,000 members are shown.",)


def test_a_zip_without_its_end_shows_what_is_at_its_beginning(into: Any) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.bin", NOISE[:1000])
    found = into("x.zip", file.getvalue()[:4000])
    assert [member.name for member in found.body.members] == ["0.bin", "1.bin", "2.bin", "3.bin"]
    assert "missing" in found.notes[0]


def test_a_sparse_tar_shows_the_names_and_sizes_of_its_files(into: Any) -> None:
    records = b"".join(
        b"%d %s\n" % (len(record) + 4, record)
        for record in (
            b"GNU.sparse.major=1",
            b"GNU.sparse.minor=0",
            b"GNU.sparse.name=big",
            b"GNU.sparse.realsize=99000001",
        )
    )
    head = tarfile.TarInfo("PaxHeader")
    head.type, head.size = tarfile.XHDTYPE, len(records)
    body = tarfile.TarInfo("GNUSparseFile.1/big")
    body.size = 512
    data = head.tobuf() + records.ljust(512, b"\0") + body.tobuf() + b"1\n0\n0\n".ljust(512, b"\0") + bytes(1024)
    found = into("x.tar", data)
    assert [(member.name, member.size, member.note) for member in found.body.members] == [("big", 99_000_001, "sparse")]


def test_a_tar_that_is_cut_or_damaged_says_so(into: Any) -> None:
    whole = packed_tar()
    for data in (whole[:200_000], whole[: -NOISE.__len__() // 2]):
        found = into("x.tar", data)
        assert isinstance(found.body, Listing)
        assert found.notes == ("The archive is damaged or cut after these members.",)


def rar(names: list[str]) -> bytes:
    """An archive of stored files, as RAR 4 writes it."""

    def block(kind: int, flags: int, rest: bytes) -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

    out = b"Rar!\x1a\x07\0" + block(0x73, 0, bytes(6))
    for name in names:
        raw = name.encode()
        fields = struct.pack("<IIBIIBBHI", 3, 3, 3, zlib.crc32(b"abc"), 0x5A218000, 20, 0x30, len(raw), 0o100644)
        out += block(0x74, 0x8000, fields + raw) + b"abc"
    return out + block(0x7B, 0x4000, b"")


def test_a_rar_is_listed(into: Any) -> None:
    found = into("x.rar", rar(["calls/1.json", "calls/2.json"]))
    assert [(member.name, member.size) for member in found.body.members] == [("calls/1.json", 3), ("calls/2.json", 3)]


def test_members_beyond_the_limit_are_counted_and_missed(into: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    found = into("x.rar", rar(["1", "2", "3"]))
    assert (dict(found.facts)["members"], len(found.body.members)) == ("3", 2)
    assert found.notes == ("Only the first 2 members are shown.",)


# By 7-Zip itself: a folder of six files, one file with a password, and one whose name needs it, too.
SEVEN_ZIP = base64.b64decode(
    "N3q8ryccAATxVUAVzwAAAAAAAAAiAAAAAAAAAPnsYFPgADYAGF0APYiIZlQypp4uGjRxNmkgpGJhilOraf6rAAAAgTMHrg/QDrA8nz9HQQuz"
    "hjU4LdJKS4UxJJ3bcS2ChfDqVkYdLoLzj8uKvK72wkL9oKYv1EEmf6pqc7GQaeE6QSCMhuc8bQSChH+3fzS/RwZ9CSQes1f8UjxTsI5bVuhG"
    "L3vQWsKF1fUZ0lBEDqOQHEOOwT++AleC78IzutNMhzy9clfJbLGeyy+4OgSyvSAqUVLg38ZJCPUO7OgBj1MFcARptQ6g9GURnOUAAAAXBiAB"
    "CYCvAAcLAQABIwMBAQVdABAAAAyB3goBXbpvewAA"
)
ENCRYPTED = base64.b64decode(
    "N3q8ryccAATkdgVFEAAAAAAAAACKAAAAAAAAAJHZskTcGtXkNEEzAO+9NTgFkEK5AQQGAAEJEAAHCwEAAiQG8QcBElMPXaUhapUN+nLYW31D"
    "EFrZiCEhAQABAAwPCwAICgEwa5BDAAAFARkBABExAGMAYQBsAGwAcwAvAGkAbgB0AC0AMAAwADAAMAAwADAAMAAxAC4AagBzAG8AbgAAABkC"
    "AAAUCgEAAApsoEz82gEVBgEAIICkgQAA"
)
NAMELESS = base64.b64decode(
    "N3q8ryccAARDWZw0oAAAAAAAAAAwAAAAAAAAADhU7n+1g4vq8J55YSTpFrA3WdVcKaBg/emKJ3iyPLTgeVjDOtf505SwAgyr6FWBtCIY4gut"
    "f7KAA8LEW3ygTRjJ0d7J1AzL36FhetfqkOrDPA5xNIwEJazkozAE+Ms9H4KyQH3AnAeMgWuqks2ojw9kdajkAkwKzVp3vsa8A9yUvhPYWJYn"
    "xPqRYzi0IaCXFqEWGFhhjuU6hV55iAfit7PTGUg+FwYQAQmAkAAHCwEAASQG8QcBElMP2LU67DhfsNUqXGykLVIGwwyAigoBUK55egAA"
)


def test_a_7z_is_listed(into: Any) -> None:
    found = into("x.7z", SEVEN_ZIP)
    assert (found.format, dict(found.facts)["members"], dict(found.facts)["content"]) == (
        "7-Zip archive",
        "8",
        "55 bytes",
    )
    members = {member.name: member for member in found.body.members}
    assert members["calls"].note == "folder"
    assert members["calls/Zofia Wójcik.json"].size == 11
    assert members["calls/empty.txt"].size == 0
    assert not members["calls/empty.txt"].note
    assert members["calls/int-00000001.json"].modified == datetime(2024, 9, 1, 8, 55, tzinfo=UTC)


def test_a_7z_with_a_password_says_what_of_it_can_be_read(into: Any) -> None:
    (member,) = into("x.7z", ENCRYPTED).body.members
    assert (member.name, member.size, member.note) == ("calls/int-00000001.json", 11, "encrypted")
    assert "without the password" in into("x.7z", NAMELESS).notes[0]


def test_a_7z_that_is_cut_or_damaged_says_so(into: Any) -> None:
    assert "is missing" in into("x.7z", SEVEN_ZIP[:-5]).notes[0]
    harmed = bytearray(SEVEN_ZIP)
    for place in range(32, len(SEVEN_ZIP)):
        harmed[place] ^= 0x55
        found = into("x.7z", bytes(harmed))
        assert isinstance(found.body, Listing) or "damaged" in found.notes[0] or "is missing" in found.notes[0]
        harmed[place] ^= 0x55
    assert "damaged" in into("x.7z", SEVEN_ZIP[:-1] + b"x").notes[0]


@pytest.mark.parametrize(
    "directory",
    [
        b"\1\5" + b"\xff" * 9,
        b"\1\4\6\0\xff" + b"\xff" * 8,
        b"\1\4\7\x0b\1\0\1\1\0\x0c" + b"\xff" * 9 + b"\0\x08\x0d\xf0\xff\xff\xff\7\0\0\0",
        b"\x17\6\0\1\x09\5\0\7\x0b\1\0\1\x23\3\1\1\5\x5d\0\0\0\xff\x0c" + b"\xff" * 9 + b"\0\0",
    ],
)
def test_a_7z_that_claims_to_be_enormous_is_believed_nothing(into: Any, directory: bytes) -> None:
    head = struct.pack("<QQI", 0, len(directory), zlib.crc32(directory))
    found = into("x.7z", SEVEN_ZIP[:8] + struct.pack("<I", zlib.crc32(head)) + head + directory)
    assert found.format == "7-Zip archive"
    assert found.notes


def jpeg(metadata: int) -> bytes:
    """A picture behind this many bytes of metadata."""
    segments = b"".join(b"\xff\xed" + struct.pack(">H", 60_002) + bytes(60_000) for _ in range(metadata // 60_000))
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 68, 100, 3) + b"\1\x11\0\2\x11\1\3\x11\1"
    return b"\xff\xd8" + segments + frame + b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0" + bytes(99) + b"\xff\xd9"


def webp(lossless: bool, width: int, height: int) -> bytes:
    if lossless:
        body = b"VP8L" + struct.pack("<I", 100_000) + b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        body = b"VP8 " + struct.pack("<I", 100_000) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    body += bytes(100_000)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff(pages: int, before: int) -> bytes:
    """Pages that are described behind this many bytes of pixels."""
    out = b"II*\0" + struct.pack("<I", 8 + before) + bytes(before)
    for page in range(pages):
        entries = ((256, 800), (257, 600), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 600), (279, 99))
        after = len(out) + 2 + 12 * len(entries) + 4
        out += struct.pack("<H", len(entries)) + b"".join(
            struct.pack("<HHII", tag, 3, 1, value) for tag, value in entries
        )
        out += struct.pack("<I", after if page + 1 < pages else 0)
    return out


IMAGES = {
    "JPEG": (jpeg(120_000), "100 × 68 pixels"),
    "WebP": (webp(True, 400, 301), "400 × 301 pixels"),
    "WebP ": (webp(False, 400, 301), "400 × 301 pixels"),
    "TIFF": (tiff(3, 100_000), "800 × 600 pixels"),
    "ICO": (b"\0\0\1\0\2\0" + b"\x10\x10" + bytes(14) + b"\0\0" + bytes(14), "256 × 256 pixels"),
    "GIF": (b"GIF89a" + struct.pack("<HH", 320, 200) + b"\0\0\0;", "320 × 200 pixels"),
    "BMP": (b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 320, 200, 1, 24, 0) + bytes(20), "320 × 200 pixels"),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_the_size_of_an_image_is_found_wherever_it_is_written(into: Any, kind: str) -> None:
    data, size = IMAGES[kind]
    found = into("x", data)
    assert (found.format, dict(found.facts)["size"]) == (f"{kind.strip()} image", size)
    assert found.fetched < 400_000


def test_the_pages_of_a_tiff_are_counted_and_a_circle_of_them_ends(into: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dict(into("x", tiff(3, 100)).facts)["pages"] == "3"
    monkeypatch.setattr(image, "MAX_PAGES", 2)
    assert dict(into("x", tiff(3, 100)).facts)["pages"] == "more than 2"
    circle = tiff(1, 0)
    assert "pages" not in dict(into("x", circle[:-4] + struct.pack("<I", 8)).facts)


def test_an_icon_of_huge_pictures_is_only_measured(into: Any) -> None:
    bomb = zlib.compress(bytes(10_000_000))
    found = into("x.ico", b"\0\0\1\0\1\0" + b"\0\0\0\0\1\0\x20\0" + struct.pack("<II", len(bomb), 22) + bomb)
    assert found.format == "ICO image"
