"""Which columns a list shows: the usual ones of its types, or the user's choice."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from msgspec.structs import replace

from cloudstore_tui.core.models import Column, ColumnKind, Entry, StoredObject
from cloudstore_tui.state.memory import Layout, ShownColumn
from cloudstore_tui.ui import format as formatted

FIELDS = (
    Column("created", "Time", ColumnKind.TIME, 16, "createdTime"),
    Column("updated", "Updated", ColumnKind.TIME, 16, "updatedTime"),
    Column("modified", "Modified", ColumnKind.TIME, 16),
    Column("region", "Region", width=8),
    Column("type", "What", width=16, sort_field="type"),
    Column("name", "Name", width=30, sort_field="objectName"),
    Column("duration", "Len", ColumnKind.DURATION, 7, "duration"),
    Column("size", "Size", ColumnKind.SIZE, 7, "storedBytes"),
    Column("state", "State", ColumnKind.STATE, 10, "objectState"),
    Column("mime", "Format", width=16, sort_field="mimeType"),
    Column("id", "Id", width=36),
    Column("checksum", "Checksum", width=32),
    Column("bucket_id", "Bucket", width=22),
    Column("user_id", "User id", width=22),
)
"""All fields of an object; everything else is a tag."""

TAG_WIDTH = 16
_KNOWN = {column.name: column for column in FIELDS}


def shown_words(entry: Entry, zones: Sequence[tzinfo]) -> str:
    """All fields of an entry as a list shows them, one a line, for the filter; times in each of the zones.

    A type is there both in our words and in the service's.
    """
    found = [
        formatted.value(entry, column, zone)
        for column in FIELDS
        for zone in (zones if column.kind is ColumnKind.TIME else zones[:1])
    ]
    if isinstance(entry, StoredObject):
        found += [entry.type, formatted.short_size(entry.size, exact=entry.size_exact)]
        found += [formatted.day(formatted.local(entry.created, zone)) for zone in zones if entry.created is not None]
    return "\n".join(found)


def kind_of(usual: Iterable[Column]) -> str:
    """A key for lists with the same usual columns, which share a layout."""
    return ",".join(column.name for column in usual)


def layout_of(columns: Iterable[Column]) -> Layout:
    """Columns as they are saved."""
    return tuple(ShownColumn(column.name, column.width) for column in columns)


def arranged(usual: Sequence[Column], layout: Layout) -> tuple[Column, ...]:
    """The columns of a layout; the usual ones if it is empty."""
    if not layout:
        return tuple(usual)
    own = {column.name: column for column in usual}
    return tuple(_column(shown.name, own, shown.width) for shown in layout)


def offered(usual: Sequence[Column], shown: Sequence[Column], entries: Iterable[Entry]) -> tuple[Column, ...]:
    """Columns that can be added to `shown`: the usual ones, the tags of some entries by name, then all other fields."""
    own = {column.name: column for column in usual}
    tags = sorted({key for entry in entries if isinstance(entry, StoredObject) for key, _ in entry.tags if key})
    names = dict.fromkeys([*own, *(key for key in tags if key not in _KNOWN), *_KNOWN])
    return tuple(_column(name, own) for name in names if name not in {column.name for column in shown})


def _column(name: str, own: dict[str, Column], width: int = 0) -> Column:
    found = own.get(name) or _KNOWN.get(name) or Column(name, name, width=TAG_WIDTH, sort_field=name)
    # All columns that the user chose have the same rank.
    return replace(found, width=width, rank=0) if width else found
