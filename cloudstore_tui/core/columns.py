"""Which values of an entry a table shows."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a column's values are shown and compared."""

    TEXT = "text"
    SIZE = "size"
    TIME = "time"
    DURATION = "duration"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of entries."""

    name: str
    """A field of `StoredObject` (`name`, `size`, `created`, `duration` …), or the key of a tag."""
    title: str
    kind: Kind = Kind.TEXT
    width: int = 16
    """Cells it needs; declared, never measured."""
    sort_field: str = ""
    """The service's own name to sort by on the server; empty where only loaded rows can be sorted."""
