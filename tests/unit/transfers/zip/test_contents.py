"""Archives that are to be opened, and archives made to do harm."""

import io
import random
import resource
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.errors import IntegrityError, StorageError, UnsafeError
from cloudstore_tui.transfers.zip.contents import PIECE, Archive, Limits

Forge = Callable[..., bytes]
Open = Callable[..., Archive]

LATER = struct.pack("<4s3L", b"PK\7\x08", zlib.crc32(b"content of a member"), 19, 19)
ZEROS = b"\0" * 4_000_000
UNLIKE = random.Random(7).randbytes(300_000)


def contents(archive: Archive) -> list[bytes]:
    return [b"".join(archive.read(member)) for member in archive.members]


# What honest programs write


def test_members_are_read_as_they_were_written_stored_and_deflated(opened: Open) -> None:
    buffer = io.BytesIO()
    texts = {"int-a:b.json": b"{}" * 100, "empty.txt": b"", "sound.wav": UNLIKE}
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in texts.items():
            file.writestr(name, content, zipfile.ZIP_DEFLATED if name == "int-a:b.json" else zipfile.ZIP_STORED)
    archive = opened(buffer.getvalue())
    assert [(member.name, member.size) for member in archive.members] == [(n, len(c)) for n, c in texts.items()]
    assert contents(archive) == list(texts.values())


def test_members_written_to_a_pipe_have_their_sizes_behind_them(opened: Open) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.out = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.out += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", b"a" * 1_000)
        file.writestr("b.bin", UNLIKE)
    assert contents(opened(bytes(pipe.out))) == [b"a" * 1_000, UNLIKE]


def test_an_archive_in_the_long_form_is_read(opened: Open, forge: Forge, forged: Any) -> None:
    extra = struct.pack("<HHQQQ", 1, 24, 19, 19, 0)
    local_extra = struct.pack("<HHQQ", 1, 16, 19, 19)
    full = 0xFFFFFFFF
    crc = zlib.crc32(b"content of a member")
    member = forged(extra=extra, local_extra=local_extra, size=full, packed=full, offset=full, local=(crc, full, full))
    assert contents(opened(forge(member, zip64=True))) == [b"content of a member"]


def test_an_empty_archive_has_no_members(opened: Open, forge: Forge) -> None:
    assert opened(forge()).members == ()


def test_folders_are_passed_over(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged(name=b"x/", content=b"", mode=0o040755, dos=16), forged(name=b"x/a")))
    assert [member.name for member in archive.members] == ["x/a"]


def test_repeated_names_stay_apart(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged(content=b"one"), forged(content=b"two"), forged(content=b"three")))
    assert contents(archive) == [b"one", b"two", b"three"]


def test_setuid_bits_odd_dates_and_foreign_owners_do_not_matter(opened: Open, forge: Forge, forged: Any) -> None:
    owner = struct.pack("<HHBBLBL", 0x7875, 11, 1, 4, 0, 4, 0)
    archive = opened(forge(forged(mode=0o106755, date=0, extra=owner), forged(date=0xFFFF, system=0, mode=0)))
    assert contents(archive) == [b"content of a member"] * 2


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        (b"r\xe9sum\xe9.txt", 0, "rΘsumΘ.txt"),
        ("résumé.txt".encode(), 0, "résumé.txt"),
        ("résumé.txt".encode(), 0x800, "résumé.txt"),
        (b"", 0, ""),
        (b"a\0b", 0, "a\0b"),
    ],
)
def test_names_in_any_coding_are_text(
    opened: Open, forge: Forge, forged: Any, raw: bytes, flags: int, name: str
) -> None:
    unicode_path = struct.pack("<HHBL", 0x7075, 9, 1, 0) + b"evil"
    assert opened(forge(forged(name=raw, flags=flags, extra=unicode_path))).members[0].name == name


@pytest.mark.parametrize(
    "name", ["../evil", "/abs", "..\\..\\evil", "C:\\evil", "a/../../evil", "CON", "\x1b]52;c;x\x07"]
)
def test_a_hostile_name_is_only_text(opened: Open, forge: Forge, forged: Any, name: str) -> None:
    archive = opened(forge(forged(name=name.encode(), crc=1)))
    assert archive.members[0].name == name
    with pytest.raises(IntegrityError) as caught:
        contents(archive)
    assert caught.value.message.isprintable()


# Archives that are refused as a whole

REFUSED: dict[str, tuple[type[StorageError], Callable[[Forge, Any], bytes]]] = {
    "nothing at all": (IntegrityError, lambda _forge, _member: b""),
    "ten bytes": (IntegrityError, lambda forge, member: forge(member())[:10]),
    "the first half": (IntegrityError, lambda forge, member: forge(member(), member())[:80]),
    "cut inside the directory": (IntegrityError, lambda forge, member: forge(member())[:-40]),
    "cut by five bytes": (IntegrityError, lambda forge, member: forge(member())[:-5]),
    "a web page": (IntegrityError, lambda _forge, _member: b"<html>Service unavailable</html>" * 10),
    "a web page before it": (IntegrityError, lambda forge, member: b"<html>" + forge(member())),
    "a web page before it, offsets right": (IntegrityError, lambda forge, member: forge(member(), before=b"<html>")),
    "a web page after it": (IntegrityError, lambda forge, member: forge(member(), after=b"<html>")),
    "two archives in a row": (IntegrityError, lambda forge, member: forge(member()) * 2),
    "a gap before the end record": (IntegrityError, lambda forge, member: forge(member(), gap=b"\0" * 8)),
    "two ends": (
        UnsafeError,
        lambda forge, member: forge(member(), comment=struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)),
    ),
    "a long comment with an end in it": (
        UnsafeError,
        lambda forge, member: forge(
            member(), comment=b"x" * 65_513 + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
        ),
    ),
    "a comment longer than it is": (IntegrityError, lambda forge, member: forge(member(), comment_length=9)),
    "a directory elsewhere": (IntegrityError, lambda forge, member: forge(member(), directory_offset=0)),
    "a directory beyond the end": (IntegrityError, lambda forge, member: forge(member(), directory_offset=1 << 31)),
    "a directory longer than it is": (IntegrityError, lambda forge, member: forge(member(), directory_size=1 << 30)),
    "a directory shorter than it is": (IntegrityError, lambda forge, member: forge(member(), directory_size=10)),
    "more members than the directory holds": (UnsafeError, lambda forge, member: forge(member(), count=2)),
    "fewer members than the directory holds": (UnsafeError, lambda forge, member: forge(member(), member(), count=1)),
    "a name that is not in the coding that it says": (
        IntegrityError,
        lambda forge, member: forge(member(name=b"r\xe9.txt", flags=0x800)),
    ),
    "an entry in the name of another": (
        UnsafeError,
        lambda forge, member: forge(member(name=b"PK\1\2" + b"\0" * 42), count=2),
    ),
    "a thousand entries where it says one": (
        UnsafeError,
        lambda forge, member: forge(*[member() for _ in range(1_000)], count=1),
    ),
    "a broken entry": (UnsafeError, lambda forge, member: forge(member(mark=b"PK\1\3"))),
    "a name longer than the directory": (UnsafeError, lambda forge, member: forge(member(names_length=60_000))),
    "several disks": (UnsafeError, lambda forge, member: forge(member(), disk=1)),
    "members here and elsewhere": (UnsafeError, lambda forge, member: forge(member(), member(), here=1)),
    "a member on another disk": (UnsafeError, lambda forge, member: forge(member(disk=3))),
    "a locator that points elsewhere": (
        UnsafeError,
        lambda forge, member: forge(member(), zip64=True, locator_offset=0),
    ),
    "a locator beyond the end": (
        UnsafeError,
        lambda forge, member: forge(member(), zip64=True, locator_offset=1 << 62),
    ),
    "a locator of two disks": (UnsafeError, lambda forge, member: forge(member(), zip64=True, locator_disks=2)),
    "a long record with another count": (UnsafeError, lambda forge, member: forge(member(), zip64=True, long_count=7)),
    "a long record with another size": (
        IntegrityError,
        lambda forge, member: forge(member(), zip64=True, long_size=7),
    ),
    "a long record of another length": (
        UnsafeError,
        lambda forge, member: forge(member(), zip64=True, long_length=45),
    ),
    "a short record that contradicts the long one": (
        UnsafeError,
        lambda forge, member: forge(member(), zip64=True, short=(1, 7, 0xFFFFFFFF)),
    ),
    "a long size that is not there": (UnsafeError, lambda forge, member: forge(member(size=0xFFFFFFFF))),
    "four gigabytes packed": (UnsafeError, lambda forge, member: forge(member(packed=0xFFFFFFFE))),
    "overlapping members": (UnsafeError, lambda forge, member: forge(member(), member(offset=5))),
    "a member twice": (UnsafeError, lambda forge, member: forge(member(), member(offset=0))),
    "a member inside another": (
        UnsafeError,
        lambda forge, member: forge(member(body=forge(member(name=b"q"))[:50], packed=50, size=50), member(offset=36)),
    ),
    "a member in the directory": (UnsafeError, lambda forge, member: forge(member(), member(offset=90))),
    "a member beyond the end": (UnsafeError, lambda forge, member: forge(member(offset=0xFFFFFF00))),
    "more than its objects together": (
        UnsafeError,
        lambda forge, member: forge(member(method=8, size=900_000_000), member(method=8, size=900_000_000)),
    ),
    "eleven members more than asked for": (UnsafeError, lambda forge, member: forge(*[member() for _ in range(13)])),
    "a hundred thousand times the same": (
        UnsafeError,
        lambda forge, member: forge(member(), *[member(offset=0) for _ in range(1_000)], count=100_000),
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_an_archive_is_refused(opened: Open, forge: Forge, forged: Any, case: str) -> None:
    error, build = REFUSED[case]
    content = build(forge, forged)
    with pytest.raises(StorageError) as caught:
        opened(content, requested=2, total=100_000)
    assert type(caught.value) is error
    assert "zip" in caught.value.message


# Members that are refused, beside one that is read

BAD: dict[str, tuple[type[StorageError], Callable[[Any], Any]]] = {
    "encrypted": (UnsafeError, lambda member: member(flags=1)),
    "strongly encrypted": (UnsafeError, lambda member: member(flags=0x41)),
    "with a hidden header": (UnsafeError, lambda member: member(flags=0x2000)),
    "encrypted by its own header only": (IntegrityError, lambda member: member(local_flags=1)),
    "packed by deflate64": (UnsafeError, lambda member: member(method=9)),
    "packed by an unknown method": (UnsafeError, lambda member: member(method=99)),
    "a symbolic link": (UnsafeError, lambda member: member(mode=0o120777, content=b"/etc/passwd")),
    "a device": (UnsafeError, lambda member: member(mode=0o060600)),
    "a pipe": (UnsafeError, lambda member: member(mode=0o010600)),
    "a folder with content": (UnsafeError, lambda member: member(mode=0o040700)),
    "a folder of DOS with content": (UnsafeError, lambda member: member(system=0, mode=0, dos=16)),
    "a symbolic link of a Mac": (UnsafeError, lambda member: member(system=19, mode=0o120777)),
    "with an endless name": (UnsafeError, lambda member: member(name=b"n" * 5_000)),
    "with another name at its place": (IntegrityError, lambda member: member(local_name=b"b.json")),
    "with another length of name": (IntegrityError, lambda member: member(local_name=b"")),
    "with another method at its place": (IntegrityError, lambda member: member(method=8, local_method=0)),
    "with other sizes at its place": (IntegrityError, lambda member: member(local=(0, 19, 19))),
    "with another size at its place": (
        IntegrityError,
        lambda member: member(local=(zlib.crc32(b"content of a member"), 19, 5)),
    ),
    "with no header at its place": (IntegrityError, lambda member: member(local_mark=b"PK\3\5")),
    "with sizes behind it in one place only": (IntegrityError, lambda member: member(local_flags=8, local=(0, 0, 0))),
    "with wrong sizes behind it": (IntegrityError, lambda member: member(flags=8, later=b"PK\7\x08" + b"\1" * 12)),
    "with nothing behind it": (IntegrityError, lambda member: member(flags=8)),
    "with a wrong checksum": (IntegrityError, lambda member: member(crc=7)),
    "with a flipped byte": (
        IntegrityError,
        lambda member: member(body=b"dontent of a member"),
    ),
    "longer than it says": (IntegrityError, lambda member: member(method=8, size=5)),
    "shorter than it says": (IntegrityError, lambda member: member(method=8, size=25)),
    "stored in another size": (IntegrityError, lambda member: member(size=25)),
    "cut": (IntegrityError, lambda member: member(method=8, content=UNLIKE, body=zlib.compress(UNLIKE, 9)[2:-900])),
    "no deflated bytes": (IntegrityError, lambda member: member(method=8, body=b"\xff" * 30)),
    "with bytes behind the deflated ones": (
        IntegrityError,
        lambda member: member(method=8, body=zlib.compress(b"content of a member", 9)[2:-4] + b"more"),
    ),
    "a bomb": (UnsafeError, lambda member: member(method=8, content=ZEROS)),
    "a bomb that says it is small": (IntegrityError, lambda member: member(method=8, content=ZEROS, size=1_000)),
    "an unpacked size of two gigabytes": (UnsafeError, lambda member: member(method=8, size=(2 << 30) + 1)),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_member_is_refused_and_the_next_one_is_read(opened: Open, forge: Forge, forged: Any, case: str) -> None:
    error, make = BAD[case]
    archive = opened(forge(make(forged), forged(name=b"good", content=b"good")), requested=2, total=5 << 30)
    bad, good = archive.members
    with pytest.raises(StorageError) as caught:
        b"".join(archive.read(bad))
    assert type(caught.value) is error
    assert "member" in caught.value.message
    assert b"".join(archive.read(good)) == b"good"


def test_sizes_behind_a_member_are_taken_in_every_form(opened: Open, forge: Forge, forged: Any) -> None:
    long = struct.pack("<4sLQQ", b"PK\7\x08", zlib.crc32(b"content of a member"), 19, 19)
    members = [forged(flags=8, later=later) for later in (LATER, LATER[4:], long, long[4:])]
    assert contents(opened(forge(*members))) == [b"content of a member"] * 4


def test_a_bomb_is_read_where_the_service_says_that_it_is_so_large(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged(method=8, content=ZEROS)))
    assert sum(map(len, archive.read(archive.members[0], len(ZEROS)))) == len(ZEROS)


def test_a_member_larger_than_its_object_is_not_read(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged()))
    with pytest.raises(UnsafeError, match="19 bytes, not 18"):
        next(archive.read(archive.members[0], 18))


def test_a_bomb_that_says_it_is_small_gives_no_more_than_it_says(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged(method=8, content=ZEROS, size=100_000)), total=1 << 30)
    sizes: list[int] = []
    with pytest.raises(IntegrityError, match="longer than it says"):
        sizes.extend(map(len, archive.read(archive.members[0], 100_000)))
    assert 0 < sum(sizes) <= 100_000


def test_a_member_that_reaches_into_the_next_one_is_not_read(opened: Open, forge: Forge, forged: Any) -> None:
    content = bytearray(forge(forged(), forged()))
    content[28] += 1
    archive = opened(bytes(content))
    with pytest.raises(IntegrityError, match="not where it should be"):
        next(archive.read(archive.members[0]))


def test_deflated_bytes_without_their_end_are_damaged(opened: Open, forge: Forge, forged: Any) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    endless = packer.compress(b"content of a member") + packer.flush(zlib.Z_SYNC_FLUSH)
    archive = opened(forge(forged(method=8, body=endless)))
    with pytest.raises(IntegrityError, match="its end is missing"):
        list(archive.read(archive.members[0]))


def test_pieces_are_small_however_small_the_packed_bytes_are(opened: Open, forge: Forge, forged: Any) -> None:
    archive = opened(forge(forged(method=8, content=ZEROS)))
    tracemalloc.start()
    largest = max(map(len, archive.read(archive.members[0], len(ZEROS))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert largest <= PIECE
    assert peak < 1 << 20


def test_a_million_entries_are_refused_before_they_are_read() -> None:
    reads: list[int] = []
    count = 1_000_000
    size = 46 * count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    tail = record + locator + end

    def read(asked: int, offset: int) -> bytes:
        reads.append(asked)
        assert asked < 70_000
        return (b"\0" * max(min(size - offset, asked), 0) + tail[max(offset - size, 0) :])[:asked]

    with pytest.raises(UnsafeError, match="1000000 members"):
        Archive(read, size + len(tail), Limits())
    assert len(reads) < 6


def test_twenty_thousand_members_take_little_memory(opened: Open, forge: Forge, forged: Any) -> None:
    content = forge(*[forged(name=b"int-%030d.json" % number) for number in range(20_000)])
    tracemalloc.start()
    archive = opened(content, requested=20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(archive.members) == 20_000
    assert peak < 32 << 20


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_an_error_or_changes_nothing(
    opened: Open, forge: Forge, forged: Any, data: st.DataObject
) -> None:
    good = forge(forged(content=b"one" * 100, method=8), forged(content=b"two" * 50), forged(flags=8, later=LATER))
    harmed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        harmed[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from((len(good), data.draw(st.integers(0, len(good))))))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        archive = opened(bytes(harmed[:cut]), requested=3, total=10_000)
    except StorageError:
        return
    known = {b"one" * 100, b"two" * 50, b"content of a member"}
    for member in archive.members:
        try:
            content = b"".join(archive.read(member))
        except StorageError:
            continue
        # A changed checksum in both places could only pass with content that has it.
        assert content in known
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
