"""Times, stretches of time, durations and sizes as people write and read them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql.fields import Unit
from cloudstore_tui.fiql.measures import (
    Span,
    duration_words,
    epoch_ms,
    in_unit,
    parse_time,
    read_duration,
    read_size,
    read_span,
    size_words,
)

# Times


NOW = datetime(2024, 9, 2, 1, 30, tzinfo=UTC)
"""A Monday, also in Berlin; in New York it is still Sunday."""
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-09-01", "2024-08-31T22:00:00+00:00"),
        ("2024-09", "2024-08-31T22:00:00+00:00"),
        ("2024-09-01T14:30", "2024-09-01T12:30:00+00:00"),
        ("2024-09-01 14:30:15", "2024-09-01T12:30:15+00:00"),
        ("2024-09-01T14:30:15.250Z", "2024-09-01T14:30:15.250000+00:00"),
        ("2024-09-01t14:30:15z", "2024-09-01T14:30:15+00:00"),
        ("2024-09-01T14:30-04:00", "2024-09-01T18:30:00+00:00"),
        ("2024-01-15", "2024-01-14T23:00:00+00:00"),
        ("today", "2024-09-01T22:00:00+00:00"),
        ("Yesterday", "2024-08-31T22:00:00+00:00"),
        ("7d", "2024-08-26T01:30:00+00:00"),
        ("24h", "2024-09-01T01:30:00+00:00"),
        ("24h ago", "2024-09-01T01:30:00+00:00"),
        ("90m", "2024-09-02T00:00:00+00:00"),
        ("2w", "2024-08-19T01:30:00+00:00"),
        ("now", "2024-09-02T01:30:00+00:00"),
    ],
)
def test_a_time_is_read_in_the_users_zone(text: str, iso: str) -> None:
    assert parse_time(text, BERLIN, NOW) == datetime.fromisoformat(iso)


def test_today_is_the_users_day_and_not_the_servers() -> None:
    assert parse_time("today", NEW_YORK, NOW) == datetime(2024, 9, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "20240901", "2024-13-01", "2024-13", "2024-02-30", "1.9.2024", "09/01/2024", "7", "d"),
        *("-7d", "999999d999", "999999w", "2024-09-01T25:00", "2024-09-01Tnoon", "1725148800000", "٢٠٢٤-09-01", "²d"),
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_time(text, UTC, NOW)
    assert "2024-09-01" in caught.value.hint


def test_epoch_milliseconds_are_exact() -> None:
    assert epoch_ms(datetime(2024, 9, 1, tzinfo=UTC)) == 1725148800000
    assert epoch_ms(datetime(2024, 9, 1, 0, 0, 0, 999_999, tzinfo=UTC)) == 1725148800999
    assert epoch_ms(datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=BERLIN)) == 253402297199999


# Stretches of time


def span(start: str, end: str = "") -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", span("2024-09-02T00:00+02:00", "2024-09-03T00:00+02:00")),
        ("Yesterday", span("2024-09-01T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("this week", span("2024-09-02T00:00+02:00", "2024-09-09T00:00+02:00")),
        ("last week", span("2024-08-26T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("this month", span("2024-09-01T00:00+02:00", "2024-10-01T00:00+02:00")),
        ("last month", span("2024-08-01T00:00+02:00", "2024-09-01T00:00+02:00")),
        ("this year", span("2024-01-01T00:00+01:00", "2025-01-01T00:00+01:00")),
        ("last-year", span("2023-01-01T00:00+01:00", "2024-01-01T00:00+01:00")),
        ("last 7 days", span("2024-08-26T01:30Z")),
        ("past 24 hours", span("2024-09-01T01:30Z")),
        ("last-90-minutes", span("2024-09-02T00:00Z")),
        ("last 2 months", span("2024-07-02T03:30+02:00")),
        ("last 1 year", span("2023-09-02T03:30+02:00")),
        ("7d", span("2024-08-26T01:30Z")),
        ("24h ago", span("2024-09-01T01:30Z")),
        ("now", span("2024-09-02T01:30Z")),
        ("2024", span("2024-01-01T00:00+01:00", "2025-01-01T00:00+01:00")),
        ("2024-09", span("2024-09-01T00:00+02:00", "2024-10-01T00:00+02:00")),
        ("2024-12", span("2024-12-01T00:00+01:00", "2025-01-01T00:00+01:00")),
        ("2024-02-29", span("2024-02-29T00:00+01:00", "2024-03-01T00:00+01:00")),
        ("2024-03-31", span("2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00")),
        ("2024-09-01T14:30", span("2024-09-01T14:30+02:00", "2024-09-01T14:31+02:00")),
        ("2024-09-01 14:30:15", span("2024-09-01T14:30:15+02:00", "2024-09-01T14:30:16+02:00")),
        ("2024-09-01T14:30:15.250Z", span("2024-09-01T14:30:15.250Z", "2024-09-01T14:30:15.251Z")),
        ("2024-09-01T14:30-04:00", span("2024-09-01T18:30Z", "2024-09-01T18:31Z")),
        ("1 September 2024", span("2024-09-01T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("September 1, 2024", span("2024-09-01T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("2024/09/01", span("2024-09-01T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("7 days ago", span("2024-08-26T01:30Z")),
        ("24hours", span("2024-09-01T01:30Z")),
        ("1. Sep 2024", span("2024-09-01T00:00+02:00", "2024-09-02T00:00+02:00")),
        ("sep 2024", span("2024-09-01T00:00+02:00", "2024-10-01T00:00+02:00")),
    ],
)
def test_a_stretch_of_time_is_in_the_users_zone(text: str, expected: Span) -> None:
    assert read_span(text, BERLIN, NOW) == expected


def test_days_are_those_of_the_user_and_not_of_the_server() -> None:
    assert read_span("today", NEW_YORK, NOW) == span("2024-09-01T00:00-04:00", "2024-09-02T00:00-04:00")


def test_a_month_ago_on_a_day_that_month_does_not_have_is_its_last_day() -> None:
    assert read_span("last 1 month", UTC, datetime(2024, 3, 31, tzinfo=UTC)) == span("2024-02-29T00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "soon",
            "20240901",
            "2024-13",
            "2024-02-30",
            "1.9.2024",
            "09/01/2024",
            "2024/09-01",
            "last days",
            "last 7",
            "this day",
        ),
        *(
            "next week",
            "32 Sep 2024",
            "1 Sept1 2024",
            "ju 2024",
            "Sep 2024 1",
            "0000",
            "9999-12-31",
            "last 99999 years",
            "999999w",
        ),
        *("2024-09-01T25:00", "2024-09-01T14", "1725148800000", "٢٠٢٤-09-01"),
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert read_span(text, UTC, NOW) is None


@given(st.dates(datetime(1980, 1, 1).date(), datetime(2090, 1, 1).date()), st.sampled_from([UTC, BERLIN, NEW_YORK]))
def test_days_touch_and_never_overlap(day: object, zone: ZoneInfo) -> None:
    first = read_span(str(day), zone, NOW)
    assert first is not None
    assert first.end is not None
    after = read_span(str(first.end.astimezone(zone).date()), zone, NOW)
    assert after is not None
    assert after.start == first.end
    assert timedelta(hours=22) < first.end.astimezone(UTC) - first.start.astimezone(UTC) < timedelta(hours=26)


# Durations and sizes


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        *(("90s", 90_000), ("90 s", 90_000), ("90sec", 90_000), ("500ms", 500), ("1.5h", 5_400_000)),
        *(("10m", 600_000), ("10 minutes", 600_000), ("1h30m", 5_400_000), ("1 h 30 min 5 s", 5_405_000)),
        *(("1:30", 90_000), ("0:05", 5_000), ("90:00", 5_400_000), ("1:02:03", 3_723_000), ("0:01.5", 1_500)),
        *(("1d", 86_400_000), ("2 Days", 172_800_000), ("0s", 0), ("0.1ms", Fraction(1, 10))),
    ],
)
def test_a_duration_has_units_or_colons(text: str, milliseconds: Fraction) -> None:
    assert read_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "90", "s", "-90s", "90x", "1:60", "1:75:00", "1h30", "1,5h", "90s!", "٩s", "1:5", ":30", "1e3s"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_duration(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("10MB", 10_000_000), ("10 mb", 10_000_000), ("10M", 10_000_000), ("1.5GB", 1_500_000_000), ("1kB", 1_000)),
        *(("10MiB", 10_485_760), ("1KiB", 1_024), ("1Gi", 1_073_741_824), ("1000", 1_000), ("5B", 5), ("5 bytes", 5)),
        *(("0.5kB", 500), ("2TB", 2 * 10**12), ("1PB", 10**15)),
    ],
)
def test_a_size_is_decimal_unless_it_says_otherwise(text: str, number: int) -> None:
    assert read_size(text) == number


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "10XB", "1iB", "1e6", "10 MB!", "1,5MB", "9" * 30])
def test_what_is_no_size_is_none(text: str) -> None:
    assert read_size(text) is None


def test_a_duration_is_put_into_the_unit_of_the_tag() -> None:
    assert in_unit(Fraction(90_000), Unit.SECONDS) == 90
    assert in_unit(Fraction(90_000), Unit.MILLISECONDS) == 90_000


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        *((0, "0 s"), (250, "0.25 s"), (90_000, "1 min 30 s"), (600_000, "10 min"), (3_600_000, "1 h")),
        *((3_723_000, "1 h 2 min 3 s"), (60_500, "1 min 0.5 s"), (100, "0.1 s"), (999, "0.999 s")),
    ],
)
def test_a_duration_in_words(milliseconds: int, words: str) -> None:
    assert duration_words(Fraction(milliseconds)) == words
    assert read_duration(words) == milliseconds


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *((0, "0 bytes"), (1, "1 byte"), (1_000, "1 kB"), (1_500, "1.5 kB"), (12_345, "12,345 bytes")),
        *((10_000_000, "10 MB"), (10_485_760, "10,485,760 bytes"), (2 * 10**9, "2 GB"), (2_500 * 10**9, "2.5 TB")),
    ],
)
def test_a_size_in_words_is_never_rounded(number: int, words: str) -> None:
    assert size_words(number) == words
