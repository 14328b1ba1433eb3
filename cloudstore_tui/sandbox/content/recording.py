"""Recorded calls: playable, of a stated length, readable at any place without making the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from cloudstore_tui.sandbox.content import mp3, wav

KINDS = ("mp3", "wav")

_TAG = 256
"""Bytes of the ID3v2 tag before the frames of an MP3; always the same, so that sizes are known."""

_TITLE = _TAG - 21
"""Bytes of the title in it: the tag without its own head and that of the frame."""

_PATTERN = 61
"""Pieces after which a recording repeats; prime, so that no two lengths begin alike twice."""


@dataclass(frozen=True)
class Recording:
    """One recording of a kind of `KINDS`."""

    kind: str
    seconds: int
    seed: int | str = 0
    title: str = ""
    """What a player shows; MP3 only."""

    @property
    def size(self) -> int:
        """Bytes."""
        return recording_size(self.kind, self.seconds)

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in pieces."""
        stop = self.size if end is None else min(end, self.size)
        head = self._head()
        if start < min(len(head), stop):
            yield head[start:stop]
            start = min(len(head), stop)
        pieces, order = (mp3.blocks() if self.kind == "mp3" else wav.blocks()), self._order()
        length = len(pieces[0])
        while start < stop:
            number, offset = divmod(start - len(head), length)
            piece = pieces[order[number % _PATTERN] % len(pieces)][offset : offset + stop - start]
            yield piece
            start += len(piece)

    def _head(self) -> bytes:
        if self.kind == "mp3":
            return _id3(self.title or f"Recording {self.seed}")
        return wav.header(self.size - wav.HEADER)

    def _order(self) -> bytes:
        return blake2b(f"{self.kind}:{self.seed}".encode(), digest_size=_PATTERN).digest()


def recording(kind: str, seconds: int, seed: int | str = 0, title: str = "") -> bytes:
    """A recording of `seconds`, the same for the same arguments."""
    return b"".join(Recording(kind, seconds, seed, title).read())


def recording_size(kind: str, seconds: int) -> int:
    """The bytes that a recording has, without making it."""
    if kind == "mp3":
        return _TAG + mp3.frames_in(seconds) * mp3.FRAME
    return wav.HEADER + seconds * wav.BLOCK


def _id3(title: str) -> bytes:
    """An ID3v2.4 tag that holds the title, in UTF-8."""
    text = title.encode("utf-8", "replace")[:_TITLE].decode("utf-8", "ignore").encode()
    frame = b"TIT2" + _syncsafe(len(text) + 1) + b"\0\0\x03" + text
    return (b"ID3\x04\0\0" + _syncsafe(_TAG - 10) + frame).ljust(_TAG, b"\0")


def _syncsafe(number: int) -> bytes:
    """A number as ID3 writes it: seven bits in each of four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
