"""Values as people read them: sizes, times, durations, speeds, states."""

from datetime import datetime, tzinfo
from functools import lru_cache

import humanize

from cloudstore_tui.calls import title_of
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location
from cloudstore_tui.fiql.fields import type_plural

STATES = {
    "AVAILABLE": "available",
    "PENDING": "pending",
    "ARCHIVED": "archived",
    "REVOKED": "deleted (recoverable by 8x8 only)",
    "DELETED": "purged",
    "FAILED": "failed",
}
"""The services' words for states; two of them do not mean what they say."""


@lru_cache(maxsize=4096)
def size(value: int | None, *, exact: bool = True) -> str:
    """Bytes in decimal units, `3.8 MB`; `≈3.8 MB` where the service rounds; empty if unknown."""
    if value is None:
        return ""
    text = humanize.naturalsize(value, format="%.1f").replace(" Bytes", " B").replace(" Byte", " B")
    return text if exact else f"≈{text}"


def exact_size(value: int | None, *, exact: bool = True) -> str:
    """`3.8 MB (3,812,345 bytes)`; a small size in full only, a rounded one never in full."""
    short = size(value, exact=exact)
    if value is None or not exact:
        return short
    full = counted(value, "byte")
    return full if value < 1000 else f"{short} ({full})"


def time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the minute, `2024-09-01 09:12`; empty if unknown. The column's title names the zone."""
    return "" if moment is None else _local(moment, zone).isoformat(" ")[:16]


def full_time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the second with its zone, `2024-09-01 09:12:33 UTC`; empty if unknown."""
    if moment is None:
        return ""
    local = _local(moment, zone)
    return f"{local.isoformat(' ')[:19]} {local.tzname() or ''}".rstrip()


def duration(seconds: float | None) -> str:
    """`21:11`, or `1:02:03` from an hour on; empty if unknown."""
    if seconds is None or not 0 <= seconds < 1e9:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def speed(bytes_per_second: float) -> str:
    """`4.2 MB/s`; empty when nothing moves."""
    return f"{size(round(bytes_per_second))}/s" if bytes_per_second >= 1 else ""


def time_left(seconds: float | None) -> str:
    """How long something will still take, `0:03 left`; empty if nobody knows."""
    text = duration(seconds)
    return f"{text} left" if text else ""


def count(number: int) -> str:
    """`2,431`."""
    return f"{number:,}"


def state(word: str) -> str:
    """A service's word for an object's state in words that are true; unknown words as they are."""
    return STATES.get(word, word)


def place_names(location: Location) -> tuple[str, ...]:
    """The names of a place as people say them, outermost first: `Call recordings`, `2024`, `09`."""
    return tuple(type_plural(name) for name in location.place[:1]) + location.place[1:]


def value(entry: Entry, column: Column, zone: tzinfo) -> str:
    """What a table shows of an entry in a column; not yet safe to draw."""
    if isinstance(entry, Folder):
        return _folder_value(entry, column.name, zone)
    if column.name == "type":
        return title_of(entry) if entry.type else ""
    # A tag may be called like a method of objects: only what has a slot is a field.
    raw = getattr(entry, column.name) if column.name in entry.__struct_fields__ else entry.tag(column.name)
    if isinstance(raw, datetime):
        return time(raw, zone)
    if raw is None or isinstance(raw, str):
        # The unit of a tag is the provider's secret: it is shown as the service wrote it.
        return state(raw or "") if column.kind is ColumnKind.STATE else raw or ""
    return duration(raw) if column.kind is ColumnKind.DURATION else size(raw, exact=entry.size_exact)


def _folder_value(folder: Folder, name: str, zone: tzinfo) -> str:
    if name == "modified":
        return time(folder.modified, zone)
    if name != "name":
        return ""
    return place_names(folder.location)[0] if len(folder.location.place) == 1 else folder.name.rstrip("/") + "/"


def _local(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The first and the last day of the calendar do not exist in every zone.
        return moment


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 object`, `2,431 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
