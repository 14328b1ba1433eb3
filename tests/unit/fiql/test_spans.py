"""Stretches of time as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.fiql.measures import Span, read_span

NOW = datetime(2024, 9, 2, 1, 30, tzinfo=UTC)
"""A Monday, also in Berlin; in New York it is still Sunday."""

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


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
