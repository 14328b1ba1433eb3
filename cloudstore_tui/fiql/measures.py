"""Times, durations and sizes as people write and read them, and as the service expects them.

Spans of time are half-open: the end does not belong to them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction

import msgspec

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql.fields import Unit

_LAST = re.compile(r"(?:last|past)[ -]+(\d{1,5})[ -]+(second|minute|hour|day|week|month|year)s?", re.ASCII)
_SPELLED_AGO = re.compile(r"(\d{1,5})[ -]*(second|minute|hour|day|week|month|year)s?(?:[ -]+ago)?", re.ASCII)
_CALENDAR = re.compile(r"(this|last)[ -]+(week|month|year)")
_AGO = re.compile(r"(\d{1,6})\s*([smhdw])(?:\s+ago)?", re.ASCII)
_SHORT = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_YEAR = re.compile(r"(\d{4})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"(\d{4})([-/])(\d{2})\2(\d{2})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(:\d{2})?(\.\d{1,6})?(z|[+-]\d{2}:?\d{2})?", re.ASCII)
_NAMED = re.compile(r"(?:(\d{1,2})\.?[ -]+)?([a-z]{3,9})\.?[ -]+(\d{4})", re.ASCII)
_MONTH_FIRST = re.compile(r"^([a-z]{3,9})\.? +(\d{1,2})(?:, *| +)(\d{4})$", re.ASCII)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

SECOND = 1000
"""In milliseconds: replies truncate times to whole seconds, filters compare milliseconds."""

EXAMPLES = "2024-09-01, 2024-09-01T14:30, 2024-09, 1 Sep 2024, today, yesterday, 7d or last 7 days"
"""Times that can be written, for hints."""


class Span(msgspec.Struct, frozen=True):
    """From one moment up to, but not including, another."""

    start: datetime
    end: datetime | None = None
    """`None` if it is open-ended, such as `last 7 days`."""


def read_span(text: str, zone: tzinfo, now: datetime) -> Span | None:
    """The span of time that a text means; `None` if it means none.

    Args:
        text: such as `today`, `last 7 days`, `this month`, `2024-09`, `2024-09-01T14:30Z`.
        zone: the user's time zone, for texts without one, and in which days and months start at midnight.
        now: the present moment, with a zone.
    """
    wanted = " ".join(text.lower().split())
    try:
        return _until_now(wanted, zone, now) or _relative(wanted, zone, now) or _written(wanted, zone)
    except (ValueError, OverflowError):
        return None


def read_written(text: str, zone: tzinfo) -> Span | None:
    """The span of an absolute time: a year, month, day or moment."""
    try:
        return _written(" ".join(text.lower().split()), zone)
    except (ValueError, OverflowError):
        return None


def _until_now(text: str, zone: tzinfo, now: datetime) -> Span | None:
    if text == "now":
        return Span(now)
    if ago := _AGO.fullmatch(text):
        return Span(_back(now, int(ago[1]), _SHORT[ago[2]], zone))
    if last := _LAST.fullmatch(text) or _SPELLED_AGO.fullmatch(text):
        return Span(_back(now, int(last[1]), last[2], zone))
    return None


def _back(now: datetime, count: int, unit: str, zone: tzinfo) -> datetime:
    if unit not in ("month", "year"):
        return now - timedelta(**{f"{unit}s": count})
    local = now.astimezone(zone)
    months = local.year * 12 + local.month - 1 - count * (12 if unit == "year" else 1)
    first = date(months // 12, months % 12 + 1, 1)
    last_day = (_next_month(first) - timedelta(days=1)).day
    return local.replace(year=first.year, month=first.month, day=min(local.day, last_day))


def _relative(text: str, zone: tzinfo, now: datetime) -> Span | None:
    today = now.astimezone(zone).date()
    if text in ("today", "yesterday"):
        day = today - timedelta(days=text == "yesterday")
        return _days(day, day + timedelta(days=1), zone)
    found = _CALENDAR.fullmatch(text)
    if not found:
        return None
    this, unit = found[1] == "this", found[2]
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + (0 if this else 7))
        return _days(monday, monday + timedelta(days=7), zone)
    if unit == "year":
        return _year(today.year - (not this), zone)
    first = today.replace(day=1)
    return _month(first if this else (first - timedelta(days=1)).replace(day=1), zone)


def _written(text: str, zone: tzinfo) -> Span | None:
    if year := _YEAR.fullmatch(text):
        return _year(int(year[1]), zone)
    if month := _MONTH.fullmatch(text):
        return _month(date(int(month[1]), int(month[2]), 1), zone)
    if day := _DAY.fullmatch(text):
        first = date(int(day[1]), int(day[3]), int(day[4]))
        return _days(first, first + timedelta(days=1), zone)
    if moment := _MOMENT.fullmatch(text):
        return _moment(text, moment, zone)
    return _named(text, zone)


def _moment(text: str, found: "re.Match[str]", zone: tzinfo) -> Span:
    start = datetime.fromisoformat(text.upper())
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    exact = timedelta(milliseconds=1) if found[2] else timedelta(seconds=1)
    return Span(start, start + (exact if found[1] else timedelta(minutes=1)))


def _named(text: str, zone: tzinfo) -> Span | None:
    # September 1, 2024 is 1 September 2024.
    found = _NAMED.fullmatch(_MONTH_FIRST.sub(r"\2 \1 \3", text))
    months = [number for number, name in enumerate(_MONTHS, 1) if found and name.startswith(found[2])]
    if not found or len(months) != 1:
        return None
    first = date(int(found[3]), months[0], int(found[1] or 1))
    return _days(first, first + timedelta(days=1), zone) if found[1] else _month(first, zone)


def _year(year: int, zone: tzinfo) -> Span:
    return _days(date(year, 1, 1), date(year + 1, 1, 1), zone)


def _month(first: date, zone: tzinfo) -> Span:
    return _days(first, _next_month(first), zone)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _days(first: date, after: date, zone: tzinfo) -> Span:
    return Span(*(datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, after)))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str, zone: tzinfo, now: datetime) -> datetime:
    """The moment that a text means, with a zone; for a day or month its start.

    Args:
        text: an ISO date or time, a month, `today`, `yesterday`, or a span before now such as `7d` or `24h`.
        zone: the user's time zone, for texts without one.
        now: the present moment, with a zone.

    Raises:
        UsageError: the text is not a date or time.
    """
    span = read_span(text, zone, now)
    if span is None:
        raise UsageError(f"{text!r} is not a date or time", hint=f"Write {EXAMPLES}.")
    return span.start


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as filters of the service expect them."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_iso(text: str, zone: tzinfo) -> datetime | None:
    """The moment of an absolute date or time; `None` if the text is not one."""
    span = read_written(text, zone)
    return span.start if span else None


_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2})(\.\d{1,3})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(?:([kmgtp]?)(i?)b?|bytes?)", re.ASCII | re.IGNORECASE)

_MILLISECONDS: Mapping[str, int] = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
}
_POWERS = ("", "k", "m", "g", "t", "p")
_SHOWN_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def read_duration(text: str) -> Fraction | None:
    """Milliseconds of `90s`, `1h30m`, `1.5 h`, `500ms`, `1:30` or `1:02:03`; `None` if the text is not a duration."""
    wanted = text.strip().lower()
    if clock := _CLOCK.fullmatch(wanted):
        return _clock(clock)
    total, end = Fraction(0), 0
    for part in _PART.finditer(wanted):
        if wanted[end : part.start()].strip() or part[2] not in _MILLISECONDS:
            return None
        total += Fraction(part[1]) * _MILLISECONDS[part[2]]
        end = part.end()
    return total if end and end == len(wanted) else None


def _clock(clock: "re.Match[str]") -> Fraction | None:
    hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), Fraction(clock[3] + (clock[4] or ""))
    if seconds >= 60 or (clock[1] and minutes >= 60):
        return None
    return (seconds + 60 * minutes + 3600 * hours) * 1000


def read_size(text: str) -> Fraction | None:
    """Bytes of `10MB`, `1.5 GiB`, `300k` or `1000`, with `kB` = 1,000 and `KiB` = 1,024; `None` if it is not a size."""
    found = _SIZE.fullmatch(text.strip())
    if not found or (found[3] and not found[2]):
        return None
    factor: int = (1024 if found[3] else 1000) ** _POWERS.index((found[2] or "").lower())
    return Fraction(found[1]) * factor


def in_unit(milliseconds: Fraction, unit: Unit) -> Fraction:
    """A duration in the unit of a tag."""
    return milliseconds / 1000 if unit is Unit.SECONDS else milliseconds


def duration_words(milliseconds: Fraction) -> str:
    """`1 min 30 s`, `1 h`, `0.25 s`."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{float(rest / 1000):.10g} s" if rest or milliseconds < 60_000 else ""
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", seconds) if part
    )


def rough_duration(seconds: float) -> str:
    """A rounded duration: `40 s`, `38 min`, `2.1 h`, `3 days`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"


def size_words(number: int) -> str:
    """`10 MB`, `1.5 kB`; in full where rounding would make it wrong."""
    factor, name = next(((factor, name) for factor, name in _SHOWN_SIZES if number >= factor), (0, ""))
    if factor and number * 100 % factor == 0:
        return f"{number / factor:.10g} {name}"
    return f"{number:,} {'byte' if number == 1 else 'bytes'}"
