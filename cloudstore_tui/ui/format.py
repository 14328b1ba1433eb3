"""Values as people read them: sizes, times, durations, speeds, states."""

from datetime import UTC, datetime, tzinfo
from enum import Enum
from functools import lru_cache

import humanize

from cloudstore_tui.calls import title_of
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, StoredObject
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


_STEP = 1000
"""Bytes below which a rounded size is written in the tenths of kilobytes that the service tells, and no finer."""


def _rounded(value: int, unit: str) -> str:
    """A small size that the service rounded: down to nothing, which the object need not be."""
    return f"≈{value / _STEP:.1f}{unit}" if value else f"<0.1{unit}"


@lru_cache(maxsize=4096)
def size(value: int | None, *, exact: bool = True) -> str:
    """Bytes in decimal units, `3.8 MB`; `≈3.8 MB` where the service rounds; empty if unknown."""
    if value is None:
        return ""
    if value < _STEP and not exact:
        return _rounded(value, " kB")
    text = humanize.naturalsize(value, format="%.1f").replace(" Bytes", " B").replace(" Byte", " B")
    return text if exact else f"≈{text}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@lru_cache(maxsize=4096)
def short_size(value: int | None, *, exact: bool = True, units: bool = True) -> str:
    """Bytes in three digits at most: `3.8 MB`, `195 kB`; without whole units `3.8M`, `195k`, `843`."""
    if value is None:
        return ""
    if value < _STEP and not exact:
        return _rounded(value, " kB" if units else "k")
    number, power = float(value), 0
    while round(number, 1 if number < 9.95 else 0) >= 1000 and power < len(_UNITS) - 1:
        number, power = number / 1000, power + 1
    digits = f"{number:.1f}" if power and number < 9.95 else f"{number:.0f}"
    unit = f" {_UNITS[power]}" if units else _UNITS[power][:1] if power else ""
    return f"{'' if exact else '≈'}{digits}{unit}"


def exact_size(value: int | None, *, exact: bool = True) -> str:
    """`3.8 MB (3,812,345 bytes)`; a small size in full only, a rounded one never in full."""
    short = size(value, exact=exact)
    if value is None or not exact:
        return short
    full = counted(value, "byte")
    return full if value < 1000 else f"{short} ({full})"


def time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the minute, `2024-09-01 09:12`; empty if unknown. The column's title names the zone."""
    return "" if moment is None else local(moment, zone).isoformat(" ")[:16]


class DateStyle(Enum):
    """How much of a date is written before the time in a list."""

    NONE = "none"
    DAY = "day and month"
    YEAR = "day, month and year"
    ISO = "digits"

    @property
    def width(self) -> int:
        """Cells of date and time."""
        return {DateStyle.NONE: 6, DateStyle.DAY: 12, DateStyle.YEAR: 17, DateStyle.ISO: 16}[self]


def date_style(span: tuple[int, int], zone: tzinfo) -> DateStyle:
    """What has to be written of the dates of rows whose oldest and newest are of these seconds of the epoch."""
    if not all(span):
        return DateStyle.ISO
    first, last = (local(datetime.fromtimestamp(moment, UTC), zone) for moment in span)
    if first.year != last.year:
        return DateStyle.YEAR
    return DateStyle.NONE if first.date() == last.date() else DateStyle.DAY


def list_time(moment: datetime | None, before: datetime | None, zone: tzinfo, style: DateStyle) -> str:
    """A moment in a list, to the minute, with the date only where it is not that of the moment `before`."""
    if moment is None:
        return ""
    shown, above = local(moment, zone), local(before, zone) if before is not None else None
    if style is DateStyle.NONE:
        return f"{shown:%H:%M}"
    is_same = above is not None and above.date() == shown.date()
    date = shown.date().isoformat() if style is DateStyle.ISO else day(shown)
    if style is DateStyle.DAY:
        date = date[:-5]
    date = "" if is_same else date
    return f"{date:>{style.width - 6}} {shown:%H:%M}"


def day(moment: datetime) -> str:
    """`1 Sep 2024`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def full_time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the second with its zone, `2024-09-01 09:12:33 UTC`; empty if unknown."""
    if moment is None:
        return ""
    shown = local(moment, zone)
    return f"{shown.isoformat(' ')[:19]} {shown.tzname() or ''}".rstrip()


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
    if column.name == "direction":
        return entry.tag("direction").capitalize()
    if column.retention is not None:
        return time(ends, zone) if (ends := column.retention.expires(entry)) else ""
    # A tag may be called like a method of objects: only what has a slot is a field.
    raw = getattr(entry, column.name) if column.name in entry.__struct_fields__ else _tag(entry, column)
    if isinstance(raw, datetime):
        return time(raw, zone)
    if raw is None or isinstance(raw, str):
        # The unit of a tag is the provider's secret: it is shown as the service wrote it.
        return state(raw or "") if column.kind is ColumnKind.STATE else raw or ""
    return duration(raw) if column.kind is ColumnKind.DURATION else size(raw, exact=entry.size_exact)


def number_cell(entry: Entry, column: Column, width: int) -> str:
    """A size or duration for a cell of `width`, in a shorter way where there is no room for the usual one."""
    if isinstance(entry, Folder):
        return ""
    if column.name == "size":
        return short_size(entry.size, exact=entry.size_exact, units=width >= 7)
    text = duration(entry.duration)
    if len(text) > width and (entry.duration or 0) >= 3600:
        return f"{round(entry.duration or 0) // 3600}h{round(entry.duration or 0) // 60 % 60:02d}"
    return text


def _tag(entry: StoredObject, column: Column) -> str:
    return next((found for key in (column.name, *column.also) if (found := entry.tag(key))), "")


def _folder_value(folder: Folder, name: str, zone: tzinfo) -> str:
    if name == "modified":
        return time(folder.modified, zone)
    if name != "name":
        return ""
    return place_names(folder.location)[0] if len(folder.location.place) == 1 else folder.name.rstrip("/") + "/"


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment as clocks of the zone show it."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The first and the last day of the calendar do not exist in every zone.
        return moment


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 object`, `2,431 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
