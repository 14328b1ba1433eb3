"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from cloudstore_tui.core.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGO = re.compile(r"(\d{1,6})\s*([smhdw])(?:\s+ago)?", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?", re.IGNORECASE | re.ASCII)
_CURE = "Write 2024-09-01, 2024-09-01T14:30, 2024-09, today, yesterday, 7d or 24h."


def parse_time(text: str, zone: tzinfo, now: datetime) -> datetime:
    """The moment that a text means, with a zone.

    Args:
        text: an ISO date or time, a month, `today`, `yesterday`, or a span before now such as `7d` or `24h`.
        zone: where the user is; used where the text names no zone.
        now: the present moment, with a zone.

    Raises:
        UsageError: the text means no moment.
    """
    wanted = text.strip()
    try:
        moment = _ago(wanted.lower(), now) or _day(wanted.lower(), zone, now) or _iso(wanted.upper(), zone)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise UsageError(f"{text!r} is no date or time", cure=_CURE)
    return moment


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as filters of the service want them."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_iso(text: str, zone: tzinfo) -> datetime | None:
    """The moment of an ISO date or time, `None` if the text is none."""
    try:
        return _iso(text.strip().upper(), zone)
    except ValueError:
        return None


def _ago(text: str, now: datetime) -> datetime | None:
    match = _AGO.fullmatch(text)
    return now - timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def _day(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    if text == "now":
        return now
    back = {"today": 0, "yesterday": 1}.get(text)
    if back is None:
        return None
    day = now.astimezone(zone).date() - timedelta(days=back)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _iso(text: str, zone: tzinfo) -> datetime | None:
    if month := _MONTH.fullmatch(text):
        return datetime(int(month[1]), int(month[2]), 1, tzinfo=zone)
    if not _ISO.fullmatch(text):
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
