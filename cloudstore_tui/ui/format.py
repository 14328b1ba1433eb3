"""Values in readable form: sizes, times and zones, durations, states, places, and what a list lacks."""

import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import humanize

from cloudstore_tui.calls import CallPart, part_of, title_of
from cloudstore_tui.core.errors import AccessError, StorageError, UnreadableError
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.fiql.fields import type_plural
from cloudstore_tui.fiql.measures import rough_duration

if TYPE_CHECKING:
    # Commands that say a size need neither manifests nor what the browser remembers.
    from cloudstore_tui.archive.registry import ArchiveState
    from cloudstore_tui.state.memory import Visited


# Sizes and numbers


_STEP = 1000
"""Bytes below which a rounded size is shown in tenths of kilobytes, the precision of the service."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@lru_cache(maxsize=4096)
def size(value: int | None, *, exact: bool = True) -> str:
    """Bytes in decimal units, `3.8 MB`; `≈3.8 MB` where the service rounds; empty if unknown."""
    if value is None:
        return ""
    if value < _STEP and not exact:
        return _rounded(value, " kB")
    text = humanize.naturalsize(value, format="%.1f").replace(" Bytes", " B").replace(" Byte", " B")
    return text if exact else f"≈{text}"


@lru_cache(maxsize=4096)
def short_size(value: int | None, *, exact: bool = True, units: bool = True) -> str:
    """Bytes in three digits at most: `3.8 MB`, `195 kB`; without whole units `3.8M`, `195k`, `843B`."""
    if value is None:
        return ""
    if value < _STEP and not exact:
        return _rounded(value, " kB" if units else "k")
    number, power = float(value), 0
    while round(number, 1 if number < 9.95 else 0) >= 1000 and power < len(_UNITS) - 1:
        number, power = number / 1000, power + 1
    digits = f"{number:.1f}" if power and number < 9.95 else f"{number:.0f}"
    unit = f" {_UNITS[power]}" if units else _UNITS[power][:1]
    return f"{'' if exact else '≈'}{digits}{unit}"


def _rounded(value: int, unit: str) -> str:
    """A small size that the service rounded; 0 means less than 0.1 kB, not empty."""
    return f"≈{value / _STEP:.1f}{unit}" if value else f"<0.1{unit}"


def exact_size(value: int | None, *, exact: bool = True) -> str:
    """`3.8 MB (3,812,345 bytes)`; a small size in full only, a rounded one never in full."""
    short = size(value, exact=exact)
    if value is None or not exact:
        return short
    full = counted(value, "byte")
    return full if value < 1000 else f"{short} ({full})"


def total_size(entries: Sequence[StoredObject]) -> str:
    """The total size of objects, as far as known; empty if unknown."""
    sizes = [entry.size for entry in entries if entry.size is not None]
    exact = len(sizes) == len(entries) and all(entry.size_exact for entry in entries)
    return size(sum(sizes), exact=exact) if sizes else ""


def speed(bytes_per_second: float) -> str:
    """`4.2 MB/s`; empty when nothing moves."""
    return f"{size(round(bytes_per_second))}/s" if bytes_per_second >= 1 else ""


def of_text(done: int, total: int) -> str:
    """`5.1 of 12.4 MB`: both in one unit, the first right-aligned so that it does not jump."""
    number, _, unit = size(total).partition(" ")
    if unit == "B":
        return f"{done:>3} of {total} B"
    scale = total / float(number)
    digits = 0 if float(number) >= 100 else 1
    return f"{f'{done / scale:.{digits}f}':>3} of {total / scale:.{digits}f} {unit}"


def percent(done: int, size: int) -> int:
    """Percentage, rounded down, so that 100 means complete."""
    return min(done * 100 // size, 100) if size else 0


def meter(done: int, size: int, width: int) -> str:
    """A progress bar of `width` cells, drawn in eighths of cells; full only if complete."""
    whole = width * 8
    bar = blocks(min(round(done * whole / size), whole if done >= size else whole - 1) if size else 0)
    return bar + "░" * (width - len(bar))


def blocks(eighths: int) -> str:
    """A bar of a length in eighths of a cell."""
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 object`, `2,431 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


# Moments


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the minute, `2024-09-01 09:12`; empty if unknown. The column's title names the zone."""
    return "" if moment is None else local(moment, zone).isoformat(" ")[:16]


def full_time(moment: datetime | None, zone: tzinfo) -> str:
    """A moment to the second with its zone, `2024-09-01 09:12:33 UTC`; empty if unknown."""
    if moment is None:
        return ""
    shown = local(moment, zone)
    return f"{shown.isoformat(' ')[:19]} {shown.tzname() or ''}".rstrip()


def day(moment: datetime) -> str:
    """`1 Sep 2024`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def day_and_time(moment: datetime | None, zone: tzinfo) -> str:
    """`1 Sep 2024 09:12`; empty if unknown."""
    return "" if moment is None else f"{day(shown := local(moment, zone))} {shown:%H:%M}"


def moment_text(moment: datetime | None, zone: tzinfo) -> str:
    """A short date: `today 14:15`, `29 Nov 14:12`, or `1 Sep 2024` for another year."""
    if moment is None:
        return ""
    shown, now = local(moment, zone), datetime.now(zone)
    if shown.date() == now.date():
        return f"today {shown:%H:%M}"
    return day(shown) if shown.year != now.year else f"{day(shown)[:-5]} {shown:%H:%M}"


def ago(at: int, now: datetime) -> str:
    """`just now`, `2 min ago`, `3 h ago`, `yesterday`, `5 days ago`; empty if unknown."""
    if not at:
        return ""
    seconds = max(int(now.timestamp()) - at, 0)
    if seconds < _MINUTE_S:
        return "just now"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} min ago"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S} h ago"
    days = seconds // _DAY_S
    return "yesterday" if days == 1 else f"{days} days ago"


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment in a time zone."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The first and last day of the calendar may be out of range in a zone.
        return moment


class DateStyle(Enum):
    """How much of the date is shown before the time in a list."""

    NONE = "none"
    DAY = "day and month"
    YEAR = "day, month and year"
    ISO = "digits"

    @property
    def width(self) -> int:
        """Cells of date and time."""
        return {DateStyle.NONE: 6, DateStyle.DAY: 12, DateStyle.YEAR: 17, DateStyle.ISO: 16}[self]


def date_style(span: tuple[int, int], zone: tzinfo) -> DateStyle:
    """The least style that distinguishes the dates of rows; `span` has the oldest and newest in epoch seconds."""
    if not all(span):
        return DateStyle.ISO
    first, last = (local(datetime.fromtimestamp(moment, UTC), zone) for moment in span)
    if first.year != last.year:
        return DateStyle.YEAR
    return DateStyle.NONE if first.date() == last.date() else DateStyle.DAY


def list_time(moment: datetime | None, before: datetime | None, zone: tzinfo, style: DateStyle) -> str:
    """A moment in a list, to the minute; the date only if it differs from that of `before`."""
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


# Lengths of time


_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S
_SPANS = (
    (timedelta(days=1), 2, "day"),
    (timedelta(hours=1), 2, "hour"),
    (timedelta(minutes=1), 1, "minute"),
)
"""Units of time, and the least number for which each is used."""


def duration(seconds: float | None) -> str:
    """`21:11`, or `1:02:03` from an hour on; empty if unknown."""
    if seconds is None or not 0 <= seconds < 1e9:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def time_left(seconds: float | None) -> str:
    """Time left, `0:03 left`; empty if unknown."""
    text = duration(seconds)
    return f"{text} left" if text else ""


def about(seconds: float | None) -> str:
    """Time left, rounded from two minutes on: `38 min left`, `0:04 left`."""
    return time_left(seconds) if seconds is None or seconds < 120 else f"{rough_duration(seconds)} left"


def span(length: timedelta) -> str:
    """A rounded duration: `90 minutes`, `3 hours`, `6 days`."""
    for unit, least, word in _SPANS:
        if length >= least * unit:
            return counted(length // unit, word)
    return "less than a minute"


# Zones


LOCALTIME = Path("/etc/localtime")


def zones_to_show(chosen: ZoneInfo) -> tuple[tzinfo, ...]:
    """The configured zone, UTC and this machine's, without duplicates."""
    zones: list[tzinfo] = []
    for zone in (chosen, ZoneInfo("UTC"), local_zone()):
        if not any(_same_clock(zone, other) for other in zones):
            zones.append(zone)
    return tuple(zones)


def local_zone() -> tzinfo:
    """This machine's time zone, with daylight saving time if known."""
    try:
        if name := os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(name)
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return datetime.now().astimezone().tzinfo or UTC


def zone_label(zone: tzinfo, span: tuple[int, int] = (0, 0)) -> str:
    """The abbreviation of a zone: `UTC`, `EDT`, `UTC+3`, or `EST/EDT` if the times shown include both.

    Args:
        zone: the zone.
        span: oldest and newest time shown, in epoch seconds; zeros mean now.
    """
    moments = [datetime.fromtimestamp(moment, UTC) for moment in span if moment] or [datetime.now(UTC)]
    return "/".join(dict.fromkeys(_clock_name(moment.astimezone(zone)) for moment in moments))


def _clock_name(moment: datetime) -> str:
    name = moment.tzname() or ""
    if name[:1] not in ("+", "-"):
        return name
    # Zones without an abbreviation: `+0530`.
    minutes = name[3:5] if name[3:5].strip("0") else ""
    return f"UTC{name[0]}{int(name[1:3])}{':' if minutes else ''}{minutes}"


def _same_clock(one: tzinfo, other: tzinfo) -> bool:
    year = datetime.now(UTC).year
    moments = (datetime(year, month, 1, tzinfo=UTC) for month in (1, 4, 7, 10))
    return all(moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments)


# What a list shows of an entry


_DIRECTIONS = {
    ColumnKind.SIZE: ("smallest first", "largest first"),
    ColumnKind.TIME: ("oldest first", "newest first"),
    ColumnKind.DURATION: ("shortest first", "longest first"),
}


def direction_words(kind: ColumnKind, *, descending: bool) -> str:
    """The sort order of a column in words: `newest first`, `A–Z`."""
    return _DIRECTIONS.get(kind, ("A–Z", "Z–A"))[descending]


STATES = {
    "AVAILABLE": "available",
    "PENDING": "pending",
    "ARCHIVED": "archived",
    "REVOKED": "deleted (recoverable by 8x8 only)",
    "DELETED": "purged",
    "FAILED": "failed",
}
"""States of the services in our words; two of the services' words are misleading."""


def state(word: str) -> str:
    """A state of a service in our words; unknown ones as they are."""
    return STATES.get(word, word)


def value(entry: Entry, column: Column, zone: tzinfo) -> str:
    """The value of an entry in a column, as text; not yet safe to draw."""
    if isinstance(entry, Folder):
        return _folder_value(entry, column.name, zone)
    if column.name == "type":
        return title_of(entry) if entry.type else ""
    if column.name == "direction":
        return entry.tag("direction").capitalize()
    if column.retention is not None:
        return time(ends, zone) if (ends := column.retention.expires(entry)) else ""
    # Look up fields only: a tag may have the name of a method.
    raw = getattr(entry, column.name) if column.name in entry.__struct_fields__ else _tag(entry, column)
    if isinstance(raw, datetime):
        return time(raw, zone)
    if raw is None or isinstance(raw, str):
        # Tags have no known unit, so they are shown as they are.
        return state(raw or "") if column.kind is ColumnKind.STATE else raw or ""
    return duration(raw) if column.kind is ColumnKind.DURATION else size(raw, exact=entry.size_exact)


def _tag(entry: StoredObject, column: Column) -> str:
    return next((found for key in (column.name, *column.fallback_tags) if (found := entry.tag(key))), "")


def _folder_value(folder: Folder, name: str, zone: tzinfo) -> str:
    if name == "modified":
        return time(folder.modified, zone)
    if name != "name":
        return ""
    return place_names(folder.location)[0] if len(folder.location.place) == 1 else folder.name.rstrip("/") + "/"


def type_cell(entry: Entry, width: int) -> str:
    """The kind of an object for a cell of `width`, shortened if necessary."""
    text = title_of(entry) if isinstance(entry, StoredObject) and entry.type else ""
    if len(text) > width and isinstance(entry, StoredObject) and part_of(entry) is CallPart.SCREEN:
        return "Screen"
    return text if len(text) <= width else text.partition(",")[0]


def number_cell(entry: Entry, column: Column, width: int) -> str:
    """A size or duration for a cell of `width`, in a shorter form if necessary."""
    if isinstance(entry, Folder):
        return ""
    if column.name == "size":
        return short_size(entry.size, exact=entry.size_exact, units=width >= 7)
    text = duration(entry.duration)
    if len(text) > width and (entry.duration or 0) >= 3600:
        return f"{round(entry.duration or 0) // 3600}h{round(entry.duration or 0) // 60 % 60:02d}"
    return text


# Places and visits


def service_name(profile: Profile) -> str:
    """The service of a profile, with its version if there are several: `8x8`, `Alvaria v3`."""
    kind = profile.provider[:1].upper() + profile.provider[1:]
    version = profile.options.get("api_version")
    return f"{kind} {version}" if version else kind


def place_names(location: Location) -> tuple[str, ...]:
    """The parts of a place in our words, outermost first: `Call recordings`, `2024`, `09`."""
    return tuple(type_plural(name) for name in location.place[:1]) + location.place[1:]


def place_title(location: Location) -> str:
    """The title of a place: `outreach/nanp`, `Call recordings 2024-09`, `us-east`."""
    if location.path:
        return "/".join(location.path.rstrip("/").split("/")[-2:])
    if location.place:
        kind, *rest = place_names(location)
        return " ".join(part for part in (kind, "-".join(rest)) if part)
    return location.region or location.profile


def place_above(location: Location) -> str:
    """What contains a place, without what its title says: `acme imports`, `acme8 us-east`."""
    above = location.path.rstrip("/").split("/")[:-2]
    parts = (location.profile, location.region if location.place or location.path else "", *above[:1])
    return " ".join(part for part in parts if part)


def visit_title(visit: "Visited") -> str:
    """The title of a visit."""
    return (visit.title or visit.find) if visit.find else place_title(visit.location)


def visit_above(visit: "Visited") -> str:
    """Where a visit was: `search in acme8 us-east`, `acme imports`."""
    if not visit.find:
        return place_above(visit.location)
    return " ".join(part for part in ("search in", visit.profile, visit.region) if part)


def archive_badge(archive: "ArchiveState") -> tuple[str, str]:
    """Text and kind of the badge for an archive: `✓ archived, sealed until 2024-09-01`."""
    if not archive.is_good:
        return "✗ archive incomplete", "warning"
    return f"✓ archived{f', sealed until {archive.sealed}' if archive.sealed else ''}", "plain"


def archive_words(archive: "ArchiveState", now: datetime) -> str:
    """When the last run was, and its outcome unless good: `2 h ago · sealed until 2024-09-01`."""
    when = archive.complete if archive.is_good and archive.complete else archive.at
    age = ago(int(when.timestamp()), now)
    sealed = f"sealed until {archive.sealed}" if archive.sealed else ""
    return " · ".join(part for part in (age if archive.is_good else f"{archive.outcome.value} {age}", sealed) if part)


# What a list lacks


def lacking(failures: Sequence[StorageError], regions: Collection[str] = ()) -> str:
    """What a list lacks, and which regions it has then; empty if it is complete."""
    if not failures:
        return ""
    whole = f"{', '.join(sorted(regions))} only" if any(regions) else "incomplete"
    return f"{whole}: {', '.join(dict.fromkeys(map(_short, failures)))}"


def _short(failure: StorageError) -> str:
    if isinstance(failure, UnreadableError):
        return f"{counted(failure.number, 'record')} unreadable"
    # `uk` of `acme8:uk/`.
    where = failure.subject.partition(":")[2].rstrip("/") or failure.subject or "a part"
    return f"{where} {'refused' if isinstance(failure, AccessError) else 'failed'}"
