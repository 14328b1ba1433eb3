"""What a preview is made of: what is known beforehand, what is shown, and what worker and program say to each other.

Everything here travels through a pipe between two processes, so it encodes itself and is checked when it is decoded.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

HEAD = 64 * 1024
"""Bytes that are read of every object."""
MAX_HEX = 256 * 1024
"""Bytes that are shown as numbers at most."""
MAX_HEAD = 4 * 1024 * 1024
"""Bytes from its start that are read of an object at most, however often more is wanted."""


class ObjectFacts(msgspec.Struct, frozen=True):
    """What the service tells of an object, or the archive of a member."""

    name: str
    mime: str = ""
    size: int | None = None
    """Exact bytes of the whole object."""
    seconds: float | None = None
    """How long it lasts, as the service says."""
    speaker: str = ""
    """Whose words it holds, where it holds those of one person."""

    @property
    def extension(self) -> str:
        """What follows the last dot of the name, in lower case."""
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
    """The line with the closing bracket; 0 where nothing can be folded."""
    count: int = 0
    """How many values are inside."""
    has_next: bool = False
    """Whether a comma follows."""
    source: str = ""
    """A document of JSON lines as it is written, shown when it is folded."""


class Outline(msgspec.Struct, frozen=True, tag=True):
    """JSON, one value a line."""

    nodes: tuple[TreeNode, ...]
    folded: frozenset[int] = frozenset()
    """Nodes that are closed at first."""


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows of cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One thing in an archive."""

    name: str
    size: int | None
    """Bytes; `None` where the archive does not say."""
    modified: datetime | None = None
    note: str = ""
    """`folder`, `link to …`, `encrypted`; nothing for a plain file."""


class Listing(msgspec.Struct, frozen=True, tag=True):
    """What is in an archive."""

    members: tuple[Member, ...]


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """What one person said in one go."""

    speaker: str
    start: float | None
    """Seconds since the beginning."""
    text: str


class Dialogue(msgspec.Struct, frozen=True, tag=True):
    """Who said what."""

    turns: tuple[Turn, ...]


class Waveform(msgspec.Struct, frozen=True, tag=True):
    """How loud it is over time."""

    channels: tuple[tuple[float, ...], ...]
    """For each channel the loudness of stretches of the same length, in decibels below full scale."""
    seconds: float
    """How long all stretches last together."""


class Bytes(msgspec.Struct, frozen=True, tag=True):
    """Bytes of an unknown kind."""

    data: bytes


class Nothing(msgspec.Struct, frozen=True, tag=True):
    """No content: the facts say all."""


Body: TypeAlias = Text | Outline | Table | Listing | Dialogue | Waveform | Bytes | Nothing


class Preview(msgspec.Struct, frozen=True):
    """All that is shown of one object."""

    format: str
    """What it is, such as `JSON` or `MP3 audio`."""
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
    """Bytes that were read from its beginning."""
    fetched: int = 0
    """Bytes that were read altogether."""
    total: int | None = None
    """Bytes of the whole object."""

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read from the beginning on."""
        return self.total is not None and self.head >= self.total

    @property
    def is_sampled(self) -> bool:
        """Whether it is made of pieces from all over the object, and not of its first bytes."""
        return isinstance(self.body, Listing | Waveform | Nothing)


class Job(msgspec.Struct, frozen=True, tag=True):
    """To the worker: look into this object."""

    facts: ObjectFacts
    head: bytes
    wanted: int
    """Bytes from its beginning that the user wants to see."""


class Ask(msgspec.Struct, frozen=True, tag=True):
    """From the worker: these bytes are wanted."""

    stretches: tuple[tuple[int, int], ...]
    """Offsets and lengths."""


class Answer(msgspec.Struct, frozen=True, tag=True):
    """To the worker: these are the bytes; fewer, or none, where they cannot be read."""

    pieces: tuple[bytes, ...]
    problem: str = ""
    """Why some are missing, as a sentence."""


class Draft(msgspec.Struct, frozen=True, tag=True):
    """From the worker: this is known so far; it is shown if the worker ends before it is done."""

    preview: Preview


class Done(msgspec.Struct, frozen=True, tag=True):
    """From the worker: this is what is shown."""

    preview: Preview


def clock(seconds: float) -> str:
    """A length of time as `1:02:03` or `2:03`."""
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
