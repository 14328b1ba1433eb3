"""Two libraries: libmediainfo reads the metadata of sound, video and images, miniaudio decodes sound to measure it.

Sound is decoded in memory, and only up to a limit.
"""

import io
import math
from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct

from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

Track: TypeAlias = dict[str, Any]
"""The metadata of one track, by libmediainfo's own names."""

_PARSE_SPEED = 0.2
"""How thoroughly libmediainfo parses; at more it reads a megabyte of every WAV."""
_MAX_READS = 400
"""Reads after which libmediainfo gets no more bytes, since a file can lead it in circles."""


def media_tracks(sample: Sample) -> tuple[list[Track], str]:
    """The metadata of a file and of its tracks; and a sentence if some bytes could not be read."""
    # Deferred: it takes a while to load, and most previews are of text.
    from pymediainfo import MediaInfo

    file = _Reader(sample)
    found = MediaInfo.parse(file, encoding_errors="replace", parse_speed=_PARSE_SPEED)
    return [track.to_data() for track in found.tracks], file.problem


class _Reader:
    """A file that ends where nothing more can be fetched, so that the library reports what it has got by then."""

    def __init__(self, sample: Sample) -> None:
        self._file = sample.open()
        self._size = sample.facts.size if sample.facts.size is not None else sample.size
        self._reads = 0
        self.problem = ""

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        if self._reads > _MAX_READS:
            return b""
        try:
            return self._file.read(count)
        except NotFetchedError as error:
            self.problem = str(error)
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(min(offset, self._size), whence)

    def tell(self) -> int:
        return self._file.tell()


# Loudness

MAX_S = 1200.0
"""Seconds of sound decoded at most: some formats hold hours of silence in a few bytes."""
INTERVAL_S = 0.1
"""Seconds of which one level is measured."""
SILENCE_DB = -96.0
"""The level of digital silence."""
_RATE = 8000
_STEP = 8
"""Every eighth sample is enough to measure a level."""
_INTERVAL_FRAMES = int(_RATE * INTERVAL_S)


class SoundFormat(Enum):
    """Formats that are decoded. Not Vorbis: a damaged file makes the library's decoder write out of bounds."""

    MP3 = "MP3"
    WAV = "WAV"
    FLAC = "FLAC"


class DecodedSound(Struct, frozen=True):
    """The levels of each channel in dBFS, one per interval."""

    channels: tuple[tuple[float, ...], ...]
    seconds: float
    is_cut: bool
    """Whether there is more sound than was decoded."""


def decode(data: bytes, kind: SoundFormat, channels: int) -> DecodedSound | None:
    """The levels of some sound; `None` if there is none in the data."""
    # Deferred: it takes a while to load, and most previews are of text.
    import miniaudio

    count = 1 if channels == 1 else 2
    levels: list[list[float]] = [[] for _ in range(count)]
    frames = 0
    try:
        source, format_ = MemoryFile(data), miniaudio.FileFormat[kind.value]
        stream = miniaudio.stream_any(
            source, format_, nchannels=count, sample_rate=_RATE, frames_to_read=_INTERVAL_FRAMES
        )
    except miniaudio.MiniaudioError:
        return None
    try:
        while frames < MAX_S * _RATE:
            samples = next(stream, None)
            if not samples:
                break
            frames += len(samples) // count
            for number, channel in enumerate(levels):
                channel.append(_level(samples[number :: count * _STEP]))
    except miniaudio.MiniaudioError:
        pass  # What came before it counts all the same.
    finally:
        stream.close()
    if not frames:
        return None
    return DecodedSound(tuple(map(tuple, levels)), frames / _RATE, frames >= MAX_S * _RATE)


def _level(samples: "memoryview[int] | list[int]") -> float:
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return max(10 * math.log10(power / 32768**2), SILENCE_DB) if power else SILENCE_DB


class MemoryFile:
    """Bytes in the form that miniaudio reads."""

    error_in_readcallback: BaseException | None = None

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, count: int) -> bytes:
        """The next bytes."""
        return self._file.read(count)

    def seek(self, offset: int, origin: Enum) -> bool:
        """Move to an offset; false if it lies before the beginning."""
        base = self._file.tell() if origin.name == "CURRENT" else 0
        if base + offset < 0:
            return False
        self._file.seek(base + offset)
        return True
