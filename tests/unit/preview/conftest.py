"""Samples of every format, and a store in memory that counts what is read."""

import asyncio
import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.examine import examine
from cloudstore_tui.preview.model import HEAD, ObjectFacts, Preview, ReadRequest
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.runner import PieceReader
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.sandbox.content import CALLS, recording, tar, tar_gz
from cloudstore_tui.sandbox.eightbyeight import fixtures

DAY = datetime(2024, 9, 1, tzinfo=UTC)


@dataclass
class Shelf:
    """One object, read piece by piece."""

    data: bytes
    ranged: bool = True
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def read(self, first: int, count: int) -> Piece:
        self.asked.append((first, count))
        data = self.data[first : first + count] if self.ranged or not first else b""
        return Piece(data, len(self.data), self.ranged)


Into = Callable[..., Preview]


def look_into(name: str, shelf: Shelf, wanted: int, **facts: Any) -> Preview:
    """What the worker would show, without a worker: in this process, so that a mistake is seen."""
    first = asyncio.run(shelf.read(0, wanted))
    total = len(first.data) if len(first.data) < wanted else first.total
    reader = PieceReader(shelf.read, first)

    def fetch(ranges: Any) -> tuple[Any, str]:
        answer = asyncio.run(reader.answer(ReadRequest(tuple(ranges))))
        return answer.pieces, answer.problem

    file = RemoteFile(fetch, total or len(first.data), first.data)
    found = examine(Sample(ObjectFacts(name, size=total, **facts), first.data, file))
    return msgspec.structs.replace(found, head=len(first.data), fetched=reader.fetched, total=total)


@pytest.fixture
def into() -> Into:
    """Makes the preview of bytes: `into("name.csv", data)`."""

    def run(name: str, data: bytes | Shelf, *, wanted: int = HEAD, **facts: Any) -> Preview:
        return look_into(name, data if isinstance(data, Shelf) else Shelf(data), wanted, **facts)

    return run


@pytest.fixture
def shelf() -> type[Shelf]:
    return Shelf


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    points = zlib.compress(bytes((1 + 3 * width) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", points) + chunk(b"IEND", b"")


def make_samples() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(300):
            archive.writestr(f"calls/int-{number}.json", b"x" * 800)
    table = CALLS.make("seed", 3000, DAY)
    return {
        "short.mp3": recording("mp3", 30, 1, "A call"),
        "long.mp3": recording("mp3", 900, 1, "A call"),
        "short.wav": recording("wav", 5, 1),
        "long.wav": recording("wav", 300, 1),
        "transcript.json": fixtures.transcript("int-1", "Ann", "Bob", 60, 1),
        "summary.json": fixtures.summary("int-1", "Ann", 1),
        "notes.txt": fixtures.notes("Ann", 1),
        "calls.csv": table,
        "calls.csv.gz": gzip.compress(table, mtime=0),
        "export.tar": tar({f"{number}.csv": b"a,b\r\n" * 40_000 for number in range(8)}, DAY.timestamp()),
        "export.tar.gz": tar_gz({f"{number}.csv": b"a,b\r\n" * 4000 for number in range(8)}, DAY.timestamp()),
        "calls.zip": packed.getvalue(),
        "picture.png": png(640, 480),
        "lines.jsonl": b"".join(json.dumps({"n": n, "tags": {"a": [n]}}).encode() + b"\n" for n in range(50)),
        "letters.bin": bytes(range(256)) * 8,
    }


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    return make_samples()
