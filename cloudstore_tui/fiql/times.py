"""Moments as people type them, and as the service wants them."""

from datetime import UTC, datetime, timedelta, tzinfo

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql.spans import EXAMPLES, read_span, read_written

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str, zone: tzinfo, now: datetime) -> datetime:
    """The moment that a text means, with a zone; of a day or month its start.

    Args:
        text: an ISO date or time, a month, `today`, `yesterday`, or a span before now such as `7d` or `24h`.
        zone: where the user is; used where the text names no zone.
        now: the present moment, with a zone.

    Raises:
        UsageError: the text means no moment.
    """
    span = read_span(text, zone, now)
    if span is None:
        raise UsageError(f"{text!r} is no date or time", hint=f"Write {EXAMPLES}.")
    return span.start


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as filters of the service want them."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_iso(text: str, zone: tzinfo) -> datetime | None:
    """The moment of a written date or time, `None` if the text is none."""
    span = read_written(text, zone)
    return span.start if span else None
