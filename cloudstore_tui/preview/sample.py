"""The part of an object that the reader of a format gets to see."""

import io
from collections.abc import Callable
from typing import BinaryIO, cast

import msgspec

from cloudstore_tui.preview.model import HEAD, ObjectFacts, Preview
from cloudstore_tui.preview.remote_file import RemoteFile

_COMPRESSED_SUFFIXES = {
    ".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar",
    ".gz": "", ".gzip": "", ".bz2": "", ".xz": "", ".zst": "",
}  # fmt: skip


class Sample:
    """The first bytes of an object, and a file for the rest."""

    def __init__(
        self,
        facts: ObjectFacts,
        head: bytes,
        file: RemoteFile | None = None,
        depth: int = 0,
        draft: Callable[[Preview], None] = lambda _: None,
    ) -> None:
        """Take what is known of an object and what can be read of it.

        Args:
            facts: with the size only if that is exact.
            head: the first bytes.
            file: the whole object; without it, the first bytes are all there is to read.
            depth: how many layers of compression were removed.
            draft: called with the preview so far before anything is tried that may crash the process.
        """
        self.facts = facts
        self.head = head
        self.remote = file
        self.depth = depth
        self.draft = draft

    @property
    def is_whole(self) -> bool:
        """Whether the first bytes are the whole object."""
        return self.facts.size is not None and len(self.head) >= self.facts.size

    @property
    def size(self) -> int:
        """Bytes that can be read."""
        return self.remote.size if self.remote is not None else len(self.head)

    @property
    def scale(self) -> int:
        """How many times the usual amount the user wants to see."""
        return max(len(self.head) // HEAD, 1) if self.remote is not None else 1

    def open(self, read_ahead: int | None = None) -> BinaryIO:
        """A file at its beginning, which fetches at least `read_ahead` bytes at a time."""
        if self.remote is None or self.is_whole:
            return io.BytesIO(self.head)
        if read_ahead is not None:
            self.remote.read_ahead = read_ahead
        self.remote.seek(0)
        return cast(BinaryIO, self.remote)

    def decompressed(self, content: bytes, *, is_all: bool) -> "Sample":
        """The sample of what was compressed in this one."""
        name = self.facts.name
        for suffix, instead in _COMPRESSED_SUFFIXES.items():
            if name.lower().endswith(suffix):
                name = name[: -len(suffix)] + instead
                break
        size = len(content) if is_all else None
        facts = msgspec.structs.replace(self.facts, name=name, mime="", size=size)
        return Sample(facts, content, depth=self.depth + 1)
