"""Samples of every format, and a store in memory that counts what is read."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.look import look
from cloudstore_tui.preview.preview import Look
from cloudstore_tui.sandbox.content.archive import tar, tar_gz
from cloudstore_tui.sandbox.content.recording import recording
from cloudstore_tui.sandbox.content.tables import CALLS
from cloudstore_tui.sandbox.eightbyeight import documents

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


Into = Callable[..., Look]


@pytest.fixture
def into() -> Into:
    """Looks into bytes: `into("name.csv", data)`."""

    def run(name: str, data: bytes | Shelf, *, wanted: int = 65_536, **facts: Any) -> Look:
        shelf = data if isinstance(data, Shelf) else Shelf(data)
        return asyncio.run(look(shelf.read, Facts(name, **facts), wanted))

    return run


@pytest.fixture
def shelf() -> type[Shelf]:
    return Shelf


def make_samples() -> dict[str, bytes]:
    picture, packed = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (640, 480)).save(picture, "PNG")
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(300):
            archive.writestr(f"calls/int-{number}.json", b"x" * 800)
    table = CALLS.make("seed", 3000, DAY)
    return {
        "short.mp3": recording("mp3", 30, 1, "A call"),
        "long.mp3": recording("mp3", 900, 1, "A call"),
        "short.wav": recording("wav", 5, 1),
        "long.wav": recording("wav", 300, 1),
        "transcript.json": documents.transcript("int-1", "Ann", "Bob", 60, 1),
        "summary.json": documents.summary("int-1", "Ann", 1),
        "notes.txt": documents.notes("Ann", 1),
        "calls.csv": table,
        "calls.csv.gz": gzip.compress(table, mtime=0),
        "export.tar": tar({f"{number}.csv": b"a,b\r\n" * 40_000 for number in range(8)}, DAY.timestamp()),
        "export.tar.gz": tar_gz({f"{number}.csv": b"a,b\r\n" * 4000 for number in range(8)}, DAY.timestamp()),
        "calls.zip": packed.getvalue(),
        "picture.png": picture.getvalue(),
        "lines.jsonl": b"".join(json.dumps({"n": n, "tags": {"a": [n]}}).encode() + b"\n" for n in range(50)),
        "letters.bin": bytes(range(256)) * 8,
    }


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    return make_samples()
