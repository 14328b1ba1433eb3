"""What a preview consists of, and the messages between the program and the worker that makes it.

All of it travels through a pipe between two processes, so it encodes itself and is checked when it is decoded.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

HEAD = 64 * 1024
"""Bytes read from the start of every object."""
MAX_HEX = 256 * 1024
"""Most bytes shown in hexadecimal."""
MAX_HEAD = 4 * 1024 * 1024
"""Most bytes read from the start of an object, however often the user asks for more."""


class ObjectFacts(msgspec.Struct, frozen=True):
    """What is known of an object before it is read."""

    name: str
    mime: str = ""
    size: int | None = None
    """Exact bytes of the whole object."""
    seconds: float | None = None
    """Its duration according to the service."""
    speaker: str = ""
    """Who speaks in it, if it is only one person."""

    @property
    def extension(self) -> str:
        """In lower case, without the dot."""
        return self.name.lower().rpartition(".")[2] if "." in self.name else ""


class Text(msgspec.Struct, frozen=True, tag=True):
    """Lines of text."""

    lines: tuple[str, ...]


class TreeNode(msgspec.Struct, frozen=True, array_like=True):
    """One line of an outline."""

    depth: int
    key: str
    """With quotes, as in JSON; empty in a list."""
    value: str
    """A value as in JSON, or an opening or closing bracket."""
    kind: str
    """`text`, `number`, `word`, `open` or `close`."""
    last: int = 0
    """Index of the line with the closing bracket; 0 if the node cannot be folded."""
    count: int = 0
    """Number of values inside."""
    has_next: bool = False
    """Whether a comma follows."""
    source: str = ""
    """The document as written, for JSON lines: shown when it is folded."""


class Outline(msgspec.Struct, frozen=True, tag=True):
    """JSON, one value a line."""

    nodes: tuple[TreeNode, ...]
    folded: frozenset[int] = frozenset()
    """Indexes of the nodes that are folded at first."""


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows of cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One member of an archive."""

    name: str
    size: int | None
    """Bytes; `None` if the archive does not say."""
    modified: datetime | None = None
    note: str = ""
    """`folder`, `link to …`, `encrypted`; empty for a plain file."""


class Listing(msgspec.Struct, frozen=True, tag=True):
    """The members of an archive."""

    members: tuple[Member, ...]


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """What one person said without interruption."""

    speaker: str
    start: float | None
    """Seconds since the beginning of the conversation."""
    text: str


class Dialogue(msgspec.Struct, frozen=True, tag=True):
    """Who said what."""

    turns: tuple[Turn, ...]


class Waveform(msgspec.Struct, frozen=True, tag=True):
    """Loudness over time."""

    channels: tuple[tuple[float, ...], ...]
    """For each channel the level of equally long intervals, in dBFS."""
    seconds: float
    """Duration of all intervals together."""


class Bytes(msgspec.Struct, frozen=True, tag=True):
    """Bytes of an unknown kind."""

    data: bytes


class Nothing(msgspec.Struct, frozen=True, tag=True):
    """No content, only facts and notes."""


Body: TypeAlias = Text | Outline | Table | Listing | Dialogue | Waveform | Bytes | Nothing


class Preview(msgspec.Struct, frozen=True):
    """All that is shown of one object."""

    format: str
    """Such as `JSON` or `MP3 audio`."""
    body: Body
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values."""
    notes: tuple[str, ...] = ()
    """Sentences: what is missing, what could not be read."""
    encoding: str = ""
    """Of text."""
    is_partial: bool = False
    """Whether reading more of the object would show more."""
    head: int = 0
    """Bytes read from its start."""
    fetched: int = 0
    """Bytes read altogether."""
    total: int | None = None
    """Bytes of the whole object."""

    @property
    def is_whole(self) -> bool:
        """Whether the object was read from start to end."""
        return self.total is not None and self.head >= self.total

    @property
    def is_sampled(self) -> bool:
        """Whether it is based on pieces from all over the object rather than on its first bytes."""
        return isinstance(self.body, Listing | Waveform | Nothing)


class Job(msgspec.Struct, frozen=True, tag=True):
    """To the worker: make a preview of this object."""

    facts: ObjectFacts
    head: bytes
    wanted: int
    """Bytes from its start that the user wants to see."""


class ReadRequest(msgspec.Struct, frozen=True, tag=True):
    """From the worker: read these ranges of the object."""

    ranges: tuple[tuple[int, int], ...]
    """Offsets and lengths."""


class ReadReply(msgspec.Struct, frozen=True, tag=True):
    """To the worker: the bytes of each range; fewer, or none, where they cannot be read."""

    pieces: tuple[bytes, ...]
    problem: str = ""
    """Why some are missing, as a sentence."""


class Draft(msgspec.Struct, frozen=True, tag=True):
    """From the worker: the preview so far, to be shown if the worker dies before it is done."""

    preview: Preview


class Done(msgspec.Struct, frozen=True, tag=True):
    """From the worker: the finished preview."""

    preview: Preview


def clock(seconds: float) -> str:
    """A duration as `1:02:03` or `2:03`."""
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
