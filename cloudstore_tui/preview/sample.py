"""What a reader of a format is given of an object."""

import io
from collections.abc import Callable
from typing import BinaryIO, cast

import msgspec

from cloudstore_tui.preview.model import HEAD, ObjectFacts, Preview
from cloudstore_tui.preview.remote_file import RemoteFile

_WRAPPINGS = {
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
        """Make it.

        Args:
            facts: what is known of the object; its size, if that is known exactly.
            head: its first bytes.
            file: all of it; without one, the first bytes are all that can be had.
            depth: how many wrappings were opened to get here.
            draft: takes what is known before something is tried that may be the end of the process.
        """
        self.facts = facts
        self.head = head
        self.remote = file
        self.depth = depth
        self.draft = draft

    @property
    def is_whole(self) -> bool:
        """Whether the first bytes are all there are."""
        return self.facts.size is not None and len(self.head) >= self.facts.size

    @property
    def size(self) -> int:
        """Bytes that can be read."""
        return self.remote.size if self.remote is not None else len(self.head)

    @property
    def effort(self) -> int:
        """How much more than usual the user wants to see."""
        return max(len(self.head) // HEAD, 1) if self.remote is not None else 1

    def open(self, ahead: int | None = None) -> BinaryIO:
        """A file at its beginning."""
        if self.remote is None or self.is_whole:
            return io.BytesIO(self.head)
        if ahead is not None:
            self.remote.ahead = ahead
        self.remote.seek(0)
        return cast(BinaryIO, self.remote)

    def inner(self, content: bytes, *, is_all: bool) -> "Sample":
        """What is inside a wrapping of one file."""
        name = self.facts.name
        for ending, instead in _WRAPPINGS.items():
            if name.lower().endswith(ending):
                name = name[: -len(ending)] + instead
                break
        size = len(content) if is_all else None
        facts = msgspec.structs.replace(self.facts, name=name, mime="", size=size)
        return Sample(facts, content, depth=self.depth + 1)
