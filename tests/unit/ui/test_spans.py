"""Rows by hour, day and month."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudstore_tui.ui.browser.listing_actions import QUARTER, SpanUnit, end_of, name_of, spans, start_of, unit_for

FIRST = int(datetime(2024, 9, 1, tzinfo=UTC).timestamp()) // QUARTER
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "America/Havana"),
]


def quarter(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """The number of the quarter in which a moment in UTC lies."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) // QUARTER


def quarters_of(year: int, month: int, day: int) -> dict[int, int]:
    """One row in each quarter of a day in UTC."""
    return {quarter(year, month, day) + number: 1 for number in range(96)}


def test_the_unit_fits_the_span_of_the_rows() -> None:
    assert unit_for({}) is SpanUnit.DAY
    assert unit_for({FIRST: 1, FIRST + 96: 1}) is SpanUnit.HOUR
    assert unit_for({FIRST: 1, FIRST + 96 * 30: 1}) is SpanUnit.DAY
    assert unit_for({FIRST: 1, FIRST + 96 * 500: 1}) is SpanUnit.MONTH


def test_days_without_rows_are_shown_between_those_with() -> None:
    found = spans({FIRST: 2, FIRST + 1: 3, FIRST + 96 * 2: 1}, SpanUnit.DAY, UTC)
    assert [(name_of(start, SpanUnit.DAY), many) for start, many in found] == [
        ("2024-09-01 Sun", 5),
        ("2024-09-02 Mon", 0),
        ("2024-09-03 Tue", 1),
    ]
    assert spans({}, SpanUnit.DAY, UTC) == []


def test_an_hour_that_clocks_show_twice_says_which_of_both_it_is() -> None:
    rows = {quarter(2024, 10, 26, 23): 1, quarter(2024, 10, 27, 0): 2, quarter(2024, 10, 27, 1): 3}
    found = spans({**rows, quarter(2024, 10, 27, 2): 4}, SpanUnit.HOUR, ZoneInfo("Europe/Berlin"))
    assert [(name_of(start, SpanUnit.HOUR), many) for start, many in found] == [
        ("2024-10-27 01:00", 1),
        ("2024-10-27 02:00 CEST", 2),
        ("2024-10-27 02:00 CET", 3),
        ("2024-10-27 03:00", 4),
    ]


def test_centuries_do_not_fill_the_screen() -> None:
    assert len(spans({0: 1, FIRST: 1}, SpanUnit.HOUR, UTC)) == 2


@given(
    quarters=st.dictionaries(st.integers(FIRST - 20_000, FIRST + 20_000), st.integers(1, 50), min_size=1, max_size=20),
    unit=st.sampled_from(list(SpanUnit)),
    zone=st.sampled_from(ZONES),
)
@example({quarter(2024, 10, 27, 0): 1, quarter(2024, 10, 27, 1): 1}, SpanUnit.HOUR, "Europe/Berlin")
@example({quarter(2024, 11, 3, 5, 30): 3, quarter(2024, 11, 3, 6, 30): 4}, SpanUnit.HOUR, "America/New_York")
@example(quarters_of(2024, 4, 6), SpanUnit.HOUR, "Australia/Lord_Howe")
@example(quarters_of(2024, 10, 5), SpanUnit.HOUR, "Australia/Lord_Howe")
@example(
    {quarter(2011, 12, day, hour): 1 for day in (28, 29, 30, 31) for hour in (0, 12)}, SpanUnit.DAY, "Pacific/Apia"
)
@example({quarter(2011, 12, 30, hour): 1 for hour in range(24)}, SpanUnit.HOUR, "Pacific/Apia")
@example({quarter(2018, 11, day, 12): 1 for day in (3, 4, 5)}, SpanUnit.DAY, "America/Sao_Paulo")
@example({quarter(2024, 11, 3, hour): 1 for hour in range(12)}, SpanUnit.HOUR, "America/Havana")
def test_each_row_is_in_one_span_and_that_one_holds_it(quarters: dict[int, int], unit: SpanUnit, zone: str) -> None:
    found = spans(quarters, unit, ZoneInfo(zone))
    assert sum(many for _, many in found) == sum(quarters.values())
    for start, many in found:
        first, end = start.astimezone(UTC), end_of(start, unit).astimezone(UTC)
        assert first < end
        inside = [
            count for number, count in quarters.items() if first <= datetime.fromtimestamp(number * QUARTER, UTC) < end
        ]
        assert sum(inside) == many


@pytest.mark.parametrize("unit", list(SpanUnit))
def test_a_span_begins_at_its_own_beginning(unit: SpanUnit) -> None:
    start = start_of(datetime(2024, 9, 17, 13, 44, tzinfo=UTC), unit)
    assert start_of(start, unit) == start
    assert start_of(end_of(start, unit) - timedelta(seconds=1), unit) == start
