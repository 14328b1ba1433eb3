"""Times as people type them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql.measures import epoch_ms, parse_time

NOW = datetime(2024, 9, 2, 1, 30, tzinfo=UTC)
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
