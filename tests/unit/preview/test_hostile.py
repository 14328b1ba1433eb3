"""Damaged and malicious bytes never end in an error, and never take long."""

import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from cloudstore_tui.preview.examine import examine
from cloudstore_tui.preview.model import HEAD, Done, ObjectFacts
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.render import render
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.worker import encoded
from cloudstore_tui.ui.text import COMMANDS

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAMES = [
    "short.mp3",
    "long.wav",
    "transcript.json",
    "calls.csv",
    "calls.csv.gz",
    "export.tar",
    "export.tar.gz",
    "calls.zip",
    "picture.png",
    "lines.jsonl",
]

MARKS = [
    b"ID3\4\0\0",
    b"\xff\xfb\x90",
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"fLaC",
    b"OggS\0\2",
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b\x08\0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"\0\0\0\x1cftypisom",
    b"\0\0\0\x08ftyp\0\0\0\xffmoov\0\0\0\x10mvhd",
    b"FORM\0\0\0\0AIFF",
    b"BM",
]


def shown(name: str, data: bytes, total: int | None = None) -> list[str]:
    """All lines of a preview; the store says that there are `total` bytes."""

    size = total if total is not None else len(data)
    head = data[:HEAD]
    file = RemoteFile(lambda asked: ([data[first : first + count] for first, count in asked], "no more"), size, head)
    begun = time.process_time()
    preview = examine(Sample(ObjectFacts(name, size=size if len(head) == HEAD else len(head)), head, file))
    lines = [line.text for line in render(preview, 80).lines]
    assert time.process_time() - begun < 5
    assert preview.format
    assert encoded(Done(preview))
    return lines


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(seed=some.integers(0, 1 << 32), cut=some.floats(0, 1), size=some.sampled_from([None, 1, 10**7, 10**15]))
def test_mutated_samples_are_shown_somehow(samples: Any, name: str, seed: int, cut: float, size: int | None) -> None:
    chance = random.Random(seed)
    data = bytearray(samples[name][: 40_000 + int(cut * len(samples[name]))])
    for _ in range(chance.randrange(1, 30)):
        # Heads are where the harm is done.
        place = chance.randrange(min(len(data), chance.choice((64, 600, len(data)))))
        kind = chance.randrange(3)
        if kind == 0:
            data[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == 1:
            data[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        else:
            del data[place : place + chance.randrange(1, 50)]
        if not data:
            return
    for line in shown(name, bytes(data), size):
        assert not COMMANDS.search(line)


@QUICK
@given(data=some.binary(max_size=600))
def test_any_bytes_are_shown(data: bytes) -> None:
    shown("anything", data)


@QUICK
@given(
    mark=some.sampled_from(MARKS),
    data=some.binary(max_size=2000),
)
def test_marks_of_formats_with_anything_behind_are_shown(mark: bytes, data: bytes) -> None:
    shown("anything", mark + data)


@QUICK
@given(text=some.text(max_size=500))
def test_any_text_is_one_safe_line_after_the_other(text: str) -> None:
    for line in shown("x.txt", text.encode("utf-8", "surrogatepass")):
        assert not COMMANDS.search(line)


@pytest.mark.parametrize(
    "data",
    [
        b'"' * 60_000,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'["' + b"\\" * 60_000,
        b"[" + b"-" * 60_000,
        b"," * 60_000,
        b'a,"b\n' * 12_000,
        b"\xff\xfb" * 30_000,
        b"OggS" * 15_000,
        b"[" + b"1" * 60_000 + b"]",
        b'[{"text":"x","start":1},' * 2000,
        b"fLaC" + b"\xff" * 60_000,
        b"\0" * 60_000,
        ("e" + "\u0301" * 30_000).encode(),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_makes_careless_readers_slow_does_not(data: bytes) -> None:
    shown("x", data[:65_536], 10**12)
