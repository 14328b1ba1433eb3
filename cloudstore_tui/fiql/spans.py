"""Stretches of time as people write them: a day, a month, the last seven days.

A stretch has a start and no last moment, only the moment at which it is over.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_LAST = re.compile(r"(?:last|past)[ -]+(\d{1,5})[ -]+(second|minute|hour|day|week|month|year)s?", re.ASCII)
_CALENDAR = re.compile(r"(this|last)[ -]+(week|month|year)")
_AGO = re.compile(r"(\d{1,6})\s*([smhdw])(?:\s+ago)?", re.ASCII)
_SHORT = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_YEAR = re.compile(r"(\d{4})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(:\d{2})?(\.\d{1,6})?(z|[+-]\d{2}:?\d{2})?", re.ASCII)
_NAMED = re.compile(r"(?:(\d{1,2})\.?[ -]+)?([a-z]{3,9})\.?[ -]+(\d{4})", re.ASCII)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

EXAMPLES = "2024-09-01, 2024-09-01T14:30, 2024-09, 1 Sep 2024, today, yesterday, 7d or last 7 days"
"""What can be written."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment until just before another."""

    start: datetime
    end: datetime | None = None
    """`None` if it has no end: `last 7 days` goes on."""


def read_span(text: str, zone: tzinfo, now: datetime) -> Span | None:
    """The stretch of time that a text means, `None` if it means none.

    Args:
        text: such as `today`, `last 7 days`, `this month`, `2024-09`, `2024-09-01T14:30Z`; a text without a zone is in
            `zone`, and days and months begin at midnight there.
        zone: where the user is.
        now: the present moment, with a zone.
    """
    wanted = " ".join(text.lower().split())
    try:
        return _until_now(wanted, zone, now) or _relative(wanted, zone, now) or _written(wanted, zone)
    except (ValueError, OverflowError):
        return None


def read_written(text: str, zone: tzinfo) -> Span | None:
    """The stretch of time that a text means whatever the time is now: a year, month, day or moment."""
    try:
        return _written(" ".join(text.lower().split()), zone)
    except (ValueError, OverflowError):
        return None


def _until_now(text: str, zone: tzinfo, now: datetime) -> Span | None:
    if text == "now":
        return Span(now)
    if ago := _AGO.fullmatch(text):
        return Span(_back(now, int(ago[1]), _SHORT[ago[2]], zone))
    if last := _LAST.fullmatch(text):
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
        first = date(int(day[1]), int(day[2]), int(day[3]))
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
    found = _NAMED.fullmatch(text)
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
