"""What files of the sandbox hold: playable, readable, of a size that is known before they are made."""

import io
import tarfile
import time
import wave
from datetime import UTC, datetime

import pytest

from cloudstore_tui.sandbox import content
from cloudstore_tui.sandbox.content import (
    RECORDING_KINDS,
    CsvTable,
    Recording,
    recording,
    tar,
    tar_gz,
    tar_size,
)

BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES = (22_050, 24_000, 16_000)


def frames(data: bytes) -> list[tuple[int, int]]:
    """Rate and bytes of every frame after the tag, read from their headers as a player does."""
    assert data[:3] == b"ID3"
    position = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    found = []
    while position < len(data):
        head = int.from_bytes(data[position : position + 4], "big")
        assert head >> 21 == 0x7FF
        assert (head >> 19 & 3, head >> 17 & 3) == (2, 1), "MPEG-2, layer III"
        rate = RATES[head >> 10 & 3]
        size = 72 * BITRATES[head >> 12 & 15] * 1000 // rate + (head >> 9 & 1)
        found.append((rate, size))
        position += size
    assert position == len(data), "no byte after the last frame"
    return found


@pytest.mark.parametrize("seconds", [1, 60, 754])
def test_the_frames_of_an_mp3_last_as_long_as_was_said(seconds: int) -> None:
    found = frames(recording("mp3", seconds, 3, "A call"))
    lasts = sum(576 / rate for rate, _ in found)
    assert seconds <= lasts < seconds + 0.024


def test_an_mp3_has_sound_in_it() -> None:
    data = recording("mp3", 60, 3)[256:]
    kinds = {data[start + 4 : start + 72] for start in range(0, len(data), 72)}
    silent = bytes.fromhex("000000000000")
    assert len(kinds) > 5
    assert any(kind[:6] != silent for kind in kinds)


@pytest.mark.parametrize("seconds", [1, 7, 90])
def test_a_wave_file_is_of_the_stated_length(seconds: int) -> None:
    with wave.open(io.BytesIO(recording("wav", seconds, 5))) as sound:
        assert sound.getnframes() == seconds * sound.getframerate()
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
    assert (
        len({max(map(abs, samples[start : start + 800])) for start in range(0, len(samples), 800)}) > 1 or seconds < 7
    )


@pytest.mark.parametrize("kind", RECORDING_KINDS)
@pytest.mark.parametrize("seconds", [0, 1, 61])
def test_the_size_of_a_recording_is_known_before(kind: str, seconds: int) -> None:
    assert len(recording(kind, seconds, 1, "é" * 200)) == Recording(kind, seconds).size


@pytest.mark.parametrize("kind", RECORDING_KINDS)
def test_a_recording_can_be_read_anywhere(kind: str) -> None:
    whole, one = recording(kind, 20, 9), Recording(kind, 20, 9)
    for start, end in ((0, 10), (5, 300), (44, 45), (250, 9300), (len(whole) - 3, len(whole) + 9), (len(whole), None)):
        assert b"".join(one.read(start, end)) == whole[start:end]


@pytest.mark.parametrize("kind", RECORDING_KINDS)
def test_recordings_differ_by_seed_and_only_by_seed(kind: str) -> None:
    assert recording(kind, 30, 1) == recording(kind, 30, 1)
    assert recording(kind, 30, 1) != recording(kind, 30, 2)


def test_a_minute_of_mp3_is_made_in_a_few_milliseconds() -> None:
    recording("mp3", 60, 0)
    started = time.process_time()
    for seed in range(20):
        recording("mp3", 60, seed)
    assert (time.process_time() - started) / 20 < 0.02


@pytest.mark.parametrize(
    "table",
    [value for value in vars(content).values() if isinstance(value, CsvTable)],
    ids=lambda table: table.header[:20],
)
def test_the_size_of_a_table_is_known_before(table: CsvTable) -> None:
    day = datetime(2024, 2, 29, tzinfo=UTC)
    for rows in (0, 1, 700):
        assert len(table.make("seed", rows, day)) == table.size(rows)
    assert table.make("seed", 9, day) == table.make("seed", 9, day) != table.make("other", 9, day)


@pytest.mark.parametrize("sizes", [(), (0,), (1, 511, 512, 513), (100_000, 9)])
def test_the_size_of_an_archive_is_known_before(sizes: tuple[int, ...]) -> None:
    members = {f"{number}.csv": bytes(size) for number, size in enumerate(sizes)}
    assert len(tar(members, 1e9)) == tar_size(*sizes)


def test_an_archive_is_the_same_every_time_and_holds_what_was_put_in() -> None:
    members = {"a.csv": b"1,2\r\n", "b.csv": b""}
    packed = tar_gz(members, 1_700_000_000.5)
    assert packed == tar_gz(members, 1_700_000_000.5)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {member.name: (member.size, member.mtime) for member in archive}
    assert found == {"a.csv": (5, 1_700_000_000), "b.csv": (0, 1_700_000_000)}
