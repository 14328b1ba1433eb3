"""The bytes of an object: worked out on reading, so that a million recordings need no million files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import md5
from typing import Protocol, Self

from cloudstore_tui.sandbox.eightbyeight.sound import LONGEST, call_sound, sound_size

_CHUNK = 262_144
_ZEROS = bytes(_CHUNK)


class _Hash(Protocol):
    def copy(self) -> Self: ...

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class Body:
    """Sound, then data, then zeros; most bodies have only one or two of the three."""

    sound: int = 0
    """How many bytes of the sound of a call it begins with."""
    data: bytes = b""
    zeros: int = 0
    part: int = 0
    """Size of the parts it was uploaded in, which shows in the checksum; 0 for an ordinary upload."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.sound + len(self.data) + self.zeros

    @cached_property
    def checksum(self) -> str:
        """MD5 of the bytes; for an upload in parts MD5 of the digests of the parts, and their number."""
        if not self.part:
            return self._hash(0, self.size).hexdigest()
        starts = range(0, self.size, self.part) or (0,)
        digests = b"".join(self._part_digest(start) for start in starts)
        return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(starts)}"

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in chunks."""
        stop = self.size if end is None else min(end, self.size)
        while start < stop:
            chunk = self._chunk(start, min(stop, start + _CHUNK))
            start += len(chunk)
            yield chunk

    def _chunk(self, start: int, end: int) -> bytes:
        """At least one byte from `start` on."""
        if start < self.sound:
            return call_sound()[start : min(end, self.sound)]
        start, end = start - self.sound, end - self.sound
        if start < len(self.data):
            return self.data[start:end]
        return _ZEROS[: end - start]

    def _part_digest(self, start: int) -> bytes:
        end = min(start + self.part, self.size)
        if start >= self.sound + len(self.data):
            return _zero_digest(end - start)
        return self._hash(start, end).digest()

    def _hash(self, start: int, end: int) -> _Hash:
        hashed: _Hash
        if start == 0 and self.sound and end >= self.sound:
            hashed, start = _sound_hashes()[self.sound].copy(), self.sound
        else:
            hashed = md5(usedforsecurity=False)
        for chunk in self.read(start, end):
            hashed.update(chunk)
        return hashed


def call_body(seconds: int, title: str, *, parts: bool) -> Body:
    """The recording of a call: the common sound, and a label of its own that makes its checksum its own."""
    return Body(sound=sound_size(seconds), data=_label(title), part=5 * 2**20 if parts else 0)


def _label(title: str) -> bytes:
    """An ID3v1 tag: the 128 bytes at the end of an MP3 that players read the title from."""
    text = title.encode("latin-1", "replace")
    return (
        b"TAG"
        + text[4:34].ljust(30, b"\0")
        + b"Sandbox".ljust(30, b"\0")
        + text[34:64].ljust(34, b"\0")
        + text[64:94].ljust(30, b"\0")
        + b"\xff"
    )


@cache
def _sound_hashes() -> Mapping[int, _Hash]:
    """The state of the hash after the sound of each length, so that a recording costs one label and not megabytes."""
    sound, running = call_sound(), md5(usedforsecurity=False)
    states: dict[int, _Hash] = {}
    done = 0
    for seconds in range(LONGEST + 1):
        size = sound_size(seconds)
        running.update(sound[done:size])
        states[size], done = running.copy(), size
    return states


@lru_cache(maxsize=16)
def _zero_digest(size: int) -> bytes:
    return md5(bytes(size), usedforsecurity=False).digest()
