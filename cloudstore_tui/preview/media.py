"""What libmediainfo knows of sound, films and pictures."""

import io
from typing import Any, TypeAlias

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
