"""How long a service asks to wait."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SHORTEST = 1.0
"""Seconds waited for `0` and for dates that have passed: asking again at once helps nobody."""
_LONGEST = 10.0**9


def asked_wait(retry_after: str, reset: str, date: datetime | None) -> float | None:
    """Seconds from `Retry-After` (a number or a date) or `x-ratelimit-reset` (seconds since 1970), else `None`.

    Dates count from the service's own clock, because ours may be off. What makes no sense is nothing.
    """
    now = date or datetime.now(UTC)
    text = retry_after.strip()
    if text:
        if _is_number(text):
            return min(max(float(text), SHORTEST), _LONGEST)
        moment = http_date(text)
        return max((moment - now).total_seconds(), SHORTEST) if moment else None
    if _is_number(reset.strip()):
        return min(max(float(reset) - now.timestamp(), SHORTEST), _LONGEST)
    return None


def http_date(text: str) -> datetime | None:
    """The moment in an HTTP date, `None` if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 300
