"""What two libraries tell: the facts of sound, films and pictures by libmediainfo, and how loud sound is by miniaudio.

Sound is decoded in the memory, and never more than a bounded part of it.
"""

import io
import math
from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct

from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

Track: TypeAlias = dict[str, Any]
"""The facts of one track, by the library's own names."""

_SPEED = 0.2
"""How much the library reads; with more it reads a megabyte of every WAV."""
_MAX_LOOPS = 400
"""Reads after which the library is stopped: it can be led in circles."""


def media_tracks(sample: Sample) -> tuple[list[Track], str]:
    """The facts of a file and of its tracks; and a sentence where not all that was wanted could be read."""
    # Deferred: it takes a while to load, and most previews are of text.
    from pymediainfo import MediaInfo

    file = _Reader(sample)
    found = MediaInfo.parse(file, encoding_errors="replace", parse_speed=_SPEED)
    return [track.to_data() for track in found.tracks], file.problem


class _Reader:
    """A file that ends where nothing more can be read, so that the library tells what it knows by then."""

    def __init__(self, sample: Sample) -> None:
        self._file = sample.open()
        self._size = sample.facts.size if sample.facts.size is not None else sample.size
        self._reads = 0
        self.problem = ""

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        if self._reads > _MAX_LOOPS:
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

MAX_SECONDS = 1200.0
"""Seconds of sound that are decoded of one piece: some formats hold hours of silence in a few bytes."""
STRETCH = 0.1
"""Seconds that the loudness is measured over."""
SILENCE = -96.0
"""Decibels of nothing at all."""
_RATE = 8000
_EVERY = 8
"""One sample in this many counts: enough to know how loud it is."""
_FRAMES = int(_RATE * STRETCH)


class Kind(Enum):
    """Formats that are decoded. Not Vorbis: the decoder at hand is known to write where a damaged file tells it to."""

    MP3 = "MP3"
    WAV = "WAV"
    FLAC = "FLAC"


class DecodedSound(Struct, frozen=True):
    """The loudness of each channel, in decibels below full scale, one number for each stretch."""

    channels: tuple[tuple[float, ...], ...]
    seconds: float
    is_cut: bool
    """Whether there was more sound than is looked at."""


def decode(data: bytes, kind: Kind, channels: int) -> DecodedSound | None:
    """Decode bytes of one format; `None` if there is no sound in them."""
    # Deferred: it loads half of what the network needs, and most previews hear nothing.
    import miniaudio

    count = 1 if channels == 1 else 2
    levels: list[list[float]] = [[] for _ in range(count)]
    frames = 0
    try:
        source, format_ = MemoryFile(data), miniaudio.FileFormat[kind.value]
        stream = miniaudio.stream_any(source, format_, nchannels=count, sample_rate=_RATE, frames_to_read=_FRAMES)
    except miniaudio.MiniaudioError:
        return None
    try:
        while frames < MAX_SECONDS * _RATE:
            samples = next(stream, None)
            if not samples:
                break
            frames += len(samples) // count
            for number, channel in enumerate(levels):
                channel.append(_level(samples[number :: count * _EVERY]))
    except miniaudio.MiniaudioError:
        pass  # What came before is sound all the same.
    finally:
        stream.close()
    if not frames:
        return None
    return DecodedSound(tuple(map(tuple, levels)), frames / _RATE, frames >= MAX_SECONDS * _RATE)


def _level(samples: "memoryview[int] | list[int]") -> float:
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return max(10 * math.log10(power / 32768**2), SILENCE) if power else SILENCE


class MemoryFile:
    """Bytes as the library wants to read them."""

    error_in_readcallback: BaseException | None = None

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, count: int) -> bytes:
        """The next bytes."""
        return self._file.read(count)

    def seek(self, offset: int, origin: Enum) -> bool:
        """Go there; whether that is inside of the file."""
        base = self._file.tell() if origin.name == "CURRENT" else 0
        if base + offset < 0:
            return False
        self._file.seek(base + offset)
        return True
