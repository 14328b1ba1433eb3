"""What is shown of an object."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """JSON, one value a line."""

    nodes: tuple["Node", ...]
    folded: frozenset[int] = frozenset()
    """Nodes that are closed at first."""


@dataclass(frozen=True, slots=True)
class Node:
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


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One thing in an archive."""

    name: str
    size: int
    modified: datetime | None = None
    note: str = ""
    """`folder`, `link to …`, `encrypted`; nothing for a plain file."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in an archive."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said in one go."""

    speaker: str
    start: float | None
    """Seconds since the beginning."""
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Who said what."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Waveform:
    """How loud it is over time."""

    channels: tuple[tuple[float, ...], ...]
    """For each channel the loudness of stretches of the same length, in decibels below full scale."""
    seconds: float
    """How long all stretches last together."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes that mean nothing to us."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Nothing:
    """No content: the facts say all."""


Body: TypeAlias = Text | Outline | Table | Listing | Dialogue | Waveform | Bytes | Nothing


@dataclass(frozen=True, slots=True)
class Preview:
    """All that is shown of one object."""

    format: str
    """What it is, such as `JSON` or `MP3 sound`."""
    body: Body
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values."""
    notes: tuple[str, ...] = ()
    """Sentences: what is missing, what could not be read."""
    encoding: str = ""
    """Of text."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of an object."""

    preview: Preview
    head: int
    """Bytes that were read from its beginning."""
    fetched: int
    """Bytes that were read altogether."""
    total: int | None
    """Bytes of the whole object."""

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read from the beginning on."""
        return self.total is not None and self.head >= self.total

    @property
    def has_more(self) -> bool:
        """Whether reading more from the beginning would show more."""
        body = self.preview.body
        if isinstance(body, Waveform | Nothing):
            return False
        return bool(self.preview.notes) if isinstance(body, Listing) else not self.is_whole
