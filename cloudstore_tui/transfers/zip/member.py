"""One file in a zip archive, as the archive's directory tells of it."""

from dataclasses import dataclass

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.text import plain

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Member:
    """A member. Its numbers are claims until its bytes were read."""

    index: int
    """Its place in the directory: names are not unique."""
    name: str
    """As written, for people and to find the object; never a path to write to."""
    raw: bytes
    """The same before any decoding."""
    size: int
    packed: int
    """Bytes that it takes in the archive."""
    crc: int
    method: int
    flags: int
    offset: int
    """Where its own header is."""
    end: int = 0
    """Where the next member, or the directory, begins: nothing of this one may lie beyond."""
    error: StorageError | None = None
    """Why it will not be read."""

    @property
    def shown(self) -> str:
        """Its name as it may be shown."""
        return plain(self.name, _SHOWN) or "(without a name)"
