"""What comes from outside, spoiled in every way: it is read, or refused in words; nothing else happens."""

import asyncio
import io
import ipaddress
import json
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cloudstore_tui.archive.template import Template
from cloudstore_tui.archive.verify import verify_folder
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.links import TRUSTED_HOSTS, vet_link
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.records import csv_row
from cloudstore_tui.core.text import plain
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import understand
from cloudstore_tui.fiql.reading import explain
from cloudstore_tui.fiql.syntax import unparse
from cloudstore_tui.fs.names import LONGEST, distinct_name, is_segment, safe_name
from cloudstore_tui.net.hosts import is_allowed, literal_address
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.providers.alvaria import wire as alvaria
from cloudstore_tui.providers.alvaria.links import link_end as alvaria_end
from cloudstore_tui.providers.eightbyeight import wire as eightbyeight
from cloudstore_tui.providers.eightbyeight.objects import link_end as eightbyeight_end
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.model import DownloadRequest, UploadRequest
from cloudstore_tui.transfers.workers import Stop
from cloudstore_tui.transfers.zip.contents import Archive

Fuzz = Callable[..., int]

NOW = datetime(2024, 9, 2, 9, 0, tzinfo=UTC)
HARM = [
    b"\x00", b"\x1b[31m", b"\x1b]52;c;eA==\x07", b"\r\n", b"../", b"..\\", b"/", b"~", b"$(id)", b"`id`",
    b"\xe2\x80\xae", b"\xff\xfe", b"\xed\xa0\x80", b"%2e%2e%2f", b"\xc4\xb0", b"\xe2\x85\xa3", b"9" * 400,
    b"-1", b"1e999", b"NaN",
]  # fmt: skip
"""What names, filters, links and JSON have been attacked with."""


def as_text(data: bytes) -> str:
    """Bytes as text, with lone surrogates where they were put in."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# Names

NAMES = [
    b"int-191accbcf26-phone-01-acmecorp01.mp3", "naïve café – 日本語 📞.csv".encode(), b"CON.csv", b".bashrc", b"-rf",
    b"long-" * 40 + b".tar.gz", b"a~0123abcd.txt", b"..", b"%", b" ", b"nul", b"COM\xc2\xb9.x", b"cafe\xcc\x81",
]  # fmt: skip


def test_fuzz_names(fuzz: Fuzz) -> None:
    templates = [Template(form, UTC) for form in ("{name}", "{start:%Y/%m}/{agentName}-{id}", "{region}/{key}")]

    def name(data: bytes) -> None:
        told = as_text(data)
        for made in (safe_name(told), distinct_name(safe_name(told), told)):
            assert is_segment(made)
            assert len(made.encode()) <= LONGEST
            assert not made.startswith((".", "-", "~")) or made == told, made
            assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in made)
        drawn = plain(told)
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in drawn)
        where = Location("acme8", "us-east", told or "x")
        entry = StoredObject(where, told, id=told, type=told, tags=(("agentName", told), ("callId", told)))
        for template in templates:
            assert all(is_segment(part) and len(part.encode()) <= 255 for part in template.path(entry, "8x8"))
        row = csv_row([told, told])
        assert not row.lstrip('"').startswith(("=", "@")), row

    assert fuzz(name, NAMES, HARM) > 100


# Links

LINKS = [
    b"https://s3.us-east-1.amazonaws.com/b/k.mp3?X-Amz-Date=20240902T090000Z&X-Amz-Expires=1800&X-Amz-Signature=0a",
    b"https://storage.googleapis.com/b/exports/a.tar?X-Goog-Date=20240902T090000Z&X-Goog-Expires=900",
    b"https://media.alvaria.cloud/a?Expires=1725268800&Signature=x",
    b"https://8x8.com/x?sig=1", b"https://user:pw@8x8.com/", b"https://8x8.com.evil.example/", b"https://127.0.0.1/x",
    b"http://8x8.com/", b"https://[::1]/", b"https://8x8.com:443/", b"https://8x8.com:99999/",
]  # fmt: skip
PARTS = [b"@", b":", b"#", b"?", b"//", b"\\", b"%00", b"%2f", b"8x8.com", b".evil.example", b"127.1", b"[::1]", *HARM]


def test_fuzz_links(fuzz: Fuzz) -> None:
    def link(data: bytes) -> None:
        url = as_text(data)
        accepted = urlsplit(vet_link(url, name="", local=False))
        assert all(end(url).tzinfo is not None for end in (alvaria_end, eightbyeight_end))
        assert accepted.scheme == "https"
        assert "@" not in accepted.netloc
        host = (accepted.hostname or "").rstrip(".")
        assert any(host == known or host.endswith(f".{known}") for known in TRUSTED_HOSTS)

    assert fuzz(link, LINKS, PARTS) > 100


ADDRESSES = [
    b"127.0.0.1", b"169.254.169.254", b"10.1.2.3", b"8.8.8.8", b"::1", b"fe80::1%eth0", b"::ffff:127.0.0.1", b"fec0::1",
    b"64:ff9b::7f00:1", b"2002:7f00:1::", b"2001:0:53aa:64c::", b"0x7f.1", b"2130706433", b"::127.0.0.1", b"fd00::1",
]  # fmt: skip


def test_fuzz_addresses(fuzz: Fuzz) -> None:
    def address(data: bytes) -> None:
        told = as_text(data)
        meant = literal_address(told)
        if is_allowed(told, local=False) or (meant and is_allowed(meant, local=False)):
            written = ipaddress.ip_address(meant)
            inner = (getattr(written, form, None) for form in ("ipv4_mapped", "sixtofour", "teredo"))
            known = next((form[1] if isinstance(form, tuple) else form for form in inner if form), written)
            assert known.is_global
            assert not any((known.is_loopback, known.is_link_local, known.is_private, known.is_multicast))

    assert fuzz(address, ADDRESSES, [b":", b"::", b".", b"0", b"ffff", b"127", b"%", b"0x", *HARM]) > 100


# Zips


def zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as file:
            for name, size in (("int-a.mp3", 300), ("b/ü.json", 2_000), ("empty", 0)):
                file.writestr(zipfile.ZipInfo(name), bytes(range(256)) * (size // 256 + 1))
        made.append(buffer.getvalue())
    return made


def test_fuzz_zips(fuzz: Fuzz) -> None:
    def archive(data: bytes) -> None:
        opened = Archive(lambda count, at: data[at : at + count], len(data))
        for member in opened.members:
            try:
                assert sum(map(len, opened.read(member))) == member.size
            except StorageError:
                continue

    marks = [
        b"PK\x01\x02",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PK\x06\x06",
        b"PK\x06\x07",
        b"PK\x07\x08",
        b"\xff" * 4,
        b"\0" * 8,
    ]
    assert fuzz(archive, zips(), marks) > 100


# What this program wrote and somebody else may have changed


def manifest() -> bytes:
    line = {
        "event": "object", "path": "2024/a.mp3", "profile": "acme8", "region": "us-east", "key": "k", "id": "k",
        "size": 3, "checksum": "x", "sha256": "0" * 64, "mtime": "2024-09-02T09:00:00", "tags": {"agentName": "Khang"},
    }  # fmt: skip
    failed = {**line, "path": "b.mp3", "error": "gone", "code": 3}
    return b"".join(json.dumps(told).encode() + b"\n" for told in (line, failed, {**line, "path": "c/d", "size": None}))


def test_fuzz_manifests(fuzz: Fuzz, tmp_path: Path) -> None:
    folder, outside = tmp_path / "pulled", tmp_path / "outside"
    (folder / "2024").mkdir(parents=True)
    (folder / "2024" / "a.mp3").write_bytes(b"abc")
    outside.write_bytes(b"never read")

    def lines(data: bytes) -> None:
        (folder / "manifest.jsonl").write_bytes(data)
        for finding in verify_folder(folder, Stop()):
            assert finding.found.value

    tokens = [
        b'"../outside"',
        b'"/etc/passwd"',
        b"\\u0000",
        b"null",
        b"[]",
        b"{}",
        b"1e400",
        b"true",
        b"\n",
        b'"',
        *HARM,
    ]
    assert fuzz(lines, [manifest()], tokens) > 100
    assert outside.read_bytes() == b"never read"


VALUES: list[Any] = [None, "", "../../x", "/etc/passwd", "\0", -1, 2**62, 1e308, b"\xff", "skip", "{}", "[", "\ud800"]


def test_fuzz_journal_rows(fuzz: Fuzz, tmp_path: Path) -> None:
    where = Location("acme8", "us-east", "k")
    journal = JournalStore(tmp_path)
    journal.add(1, DownloadRequest(where, tmp_path, "a.mp3", entry=StoredObject(where, "a.mp3", size=3)))
    journal.add(2, UploadRequest(tmp_path / "b.csv", where))
    journal.note(1, part=".cloudstore-part-x", durable=3)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(journal.settled())
    journal.close()
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(transfer)") if row[1] != "id"]

    def row(data: bytes) -> None:
        with sqlite3.connect(path) as database:
            for at in range(0, len(data) - 1, 2):
                name, value = columns[data[at] % len(columns)], VALUES[data[at + 1] % len(VALUES)]
                stored = value.encode("utf-8", "surrogatepass") if value == "\ud800" else value
                try:
                    database.execute(f"UPDATE transfer SET {name} = ? WHERE id = 1", (stored,))
                except sqlite3.IntegrityError:
                    continue
        database.close()

        again = JournalStore(tmp_path)
        try:
            loop.run_until_complete(again.interrupted())
            loop.run_until_complete(again.events(10))
        finally:
            again.close()

    try:
        assert fuzz(row, [b"", b"\0\1", bytes(range(24))], [b"\1\2", b"\3\4\5\6"]) > 100
    finally:
        loop.close()


# Filters

FILTERS = [
    b"type==callcenterrecording;agentName=='Khang Glynn'", b"(a==1,b!=2);c=in=(x,y)", b"createdTime=ge=1725148800000",
    b'agent:"Khang Glynn" on:2024-09-01 dur:>10m', b"since:yesterday until:today queue:?queue", b"size:<10MB",
    b"agent:~ecole", b"created:2024-08..2024-09", b"last 7 days", b"type:cc,summary", b"a=='it\\'s'",
]  # fmt: skip
SIGNS = [b"(" * 60, b")", b";", b",", b"==", b"=in=", b"'", b'"', b"*", b":", b"..", b">", b"~", b"?", b"\\", *HARM]


def test_fuzz_filters(fuzz: Fuzz) -> None:
    def line(data: bytes) -> None:
        told = as_text(data)
        meaning = understand(told, UTC, NOW)
        if meaning.node is None:
            return
        check(meaning.node, told)
        explain(meaning.node, UTC)
        written = unparse(meaning.node)
        assert parse(written) == parse(unparse(parse(written)))

    assert fuzz(line, FILTERS, SIGNS) > 100


# Wire objects

REPLIES = [
    b'{"kind":"objectKeys","objectKeys":[{"kind":"objectKey","key":"exports/a.csv","keyName":"a.csv","size":"5 KB",'
    b'"lastModifiedTime":"2024-09-01T10:20:30Z","keyType":"file","childObjectKeys":[null,{}]}],"nextToken":"t"}',
    b'{"content":[{"id":"k","objectName":"int.mp3","type":"callcenterrecording","storedBytes":"1",'
    b'"createdTime":1725148800000,"tags":[{"key":"agentName","value":"Khang"}],"objectState":"AVAILABLE"}],"pageInfo":{"hasNext":true}}',
    b'{"access_token":"t","expires_in":"1800","token_type":"Bearer"}', b'[{"region":"us-east"},{"region":null}]',
    b'{"url":"https://8x8.com/x"}', b'[{"jobId":"a.zip","status":"DONE","objects":["k"]}]',
    b'[{"id":"k","\\ud800atus":"DONE"}]',
]  # fmt: skip
JSON = [
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"0",
    b"-1",
    b"1e999",
    b"true",
    b"[" * 300,
    b"\\ud800",
    b"\\u0000",
    b",",
    b":",
    *HARM,
]


def replies() -> Iterator[Callable[[Reply], object]]:
    near = Location("acme8", "us-east", "k")
    yield lambda reply: [
        alvaria.as_entry(item, "acme") for item in reply.decode(alvaria.ObjectKeys, subject="acme:").entries()[0]
    ]
    yield lambda reply: reply.decode(alvaria.AlvariaTokenReply, subject="acme:")
    yield lambda reply: reply.decode(alvaria.SignedReply, subject="acme:")
    yield lambda reply: eightbyeight.object_page(reply, "acme8:")
    yield lambda reply: eightbyeight.regions(reply, "acme8:")
    yield lambda reply: eightbyeight.single(reply, near, "acme8:")
    yield lambda reply: eightbyeight.bucket_objects(reply, near, "acme8:")
    yield lambda reply: eightbyeight.jobs(reply, near, "acme8:")
    yield lambda reply: eightbyeight.job_link(reply, "a.zip", "acme8:")
    yield lambda reply: eightbyeight.link(reply, "acme8:")
    yield lambda reply: eightbyeight.restored_days(reply, 3, "acme8:")


@pytest.mark.parametrize("status", [200, 400])
def test_fuzz_wire_objects(fuzz: Fuzz, status: int) -> None:
    def body(data: bytes) -> None:
        for read in replies():
            try:
                read(Reply(status, data, "application/json"))
            except StorageError:
                continue

    assert fuzz(body, REPLIES, JSON) > 100
