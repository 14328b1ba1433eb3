"""Where searches go on, how rows are sorted, and when links end."""

from datetime import UTC, datetime, timedelta

import pytest

from cloudstore_tui.core.models import Location, Sort, StoredObject
from cloudstore_tui.providers.eightbyeight.objects import link_end
from cloudstore_tui.providers.eightbyeight.paging import START, Position, next_offset, sort_key

DOWN, UP, BY_SIZE = Sort("createdTime", descending=True), Sort("createdTime"), Sort("storedBytes")
SECOND = 1_725_148_800_000
"""2024-09-01T00:00:00Z."""


def entry(id_: str = "a", second: int = 0, region: str = "us-east", size: int | None = 1, **tags: str) -> StoredObject:
    created = datetime.fromtimestamp(SECOND // 1000 + second, UTC)
    found = tuple(tags.items())
    return StoredObject(Location("acme8", region, id_), f"{id_}.mp3", id_, "t", created=created, size=size, tags=found)


def test_the_offset_of_the_next_page_is_the_services_if_it_can_be_one() -> None:
    assert next_offset(Position(100), 200, 100) == 200
    assert next_offset(Position(100), 150, 100) == 150
    for claimed in (100, 0, 50, 10**12):
        assert next_offset(Position(100), claimed, 100) == 200
    assert next_offset(Position(100), 200, 30) == 130


def test_offsets_grow_until_the_window_of_the_service_is_full() -> None:
    rows = [entry(second=second) for second in range(100, 0, -1)]
    assert Position(9_800).moved(9_900, DOWN, rows) == Position(9_900)
    assert Position(9_900).moved(10_000, DOWN, rows) == Position(0, SECOND + 10_000 + 1_000)
    assert Position(9_900).moved(10_000, UP, rows[::-1]) == Position(0, SECOND + 91_000)
    assert Position(9_900).moved(10_000, BY_SIZE, rows) == Position(10_000)


def test_a_window_begins_at_the_border_and_never_goes_back() -> None:
    assert START.window(DOWN) == ""
    assert Position(0, 5_000).window(DOWN) == "createdTime=lt=5000"
    assert Position(0, 5_000).window(UP) == "createdTime=ge=5000"
    same = [entry(second=7)] * 100
    full = Position(9_900, SECOND + 8_000)
    assert full.moved(10_000, DOWN, same) == Position(10_000, SECOND + 8_000)
    assert Position(9_900, SECOND + 7_000).moved(10_000, UP, same) == Position(10_000, SECOND + 7_000)


def test_one_row_out_of_order_at_the_border_skips_no_other() -> None:
    rows = [*(entry(second=second) for second in range(200, 100, -1)), entry(second=3)]
    assert Position(9_900).moved(10_000, DOWN, rows).bound > SECOND + 101_000


def test_no_window_begins_where_rows_do_not_come_by_time() -> None:
    rows = [entry(second=second) for second in range(100)]
    assert Position(9_900).moved(10_000, DOWN, rows) == Position(10_000)
    assert Position(9_900).moved(10_000, UP, rows[::-1]) == Position(10_000)
    assert Position(9_900).moved(10_000, UP, [*rows[1:30], rows[0], *rows[30:]]) == Position(10_000)


def test_values_are_sorted_missing_first_then_numbers_then_texts() -> None:
    rows = [entry("a", duration="900"), entry("b", duration="1000"), entry("c", duration="long"), entry("d")]
    assert [row.id for row in sorted(rows, key=lambda row: sort_key(row, "duration"))] == ["d", "a", "b", "c"]
    assert sort_key(entry(size=None), "storedBytes") < sort_key(entry(size=0), "storedBytes")
    assert sort_key(entry("x"), "name") == sort_key(entry("x"), "objectName")
    assert sort_key(entry(second=1), "createdTime") < sort_key(entry(second=2), "createdTime")
    for odd in ("nan", "inf", "1_000", " 5"):
        assert sort_key(entry(tag=odd), "tag")[0] == 2


def seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize(
    ("age", "life", "skew", "left"),
    [
        (0, "1800", 0, 1740),
        (0, "604800", 0, 1740),
        (0, "900", 0, 840),
        (0, "-5", 0, 1740),
        (0, "", 0, 1740),
        (600, "1800", 0, 1140),
        (-3600, "1800", 3600, 1740),
        (3600, "1800", -3600, 1740),
        (0, "2", 0, 1),
        (99_999, "1800", 0, 1),
        (None, "1800", 0, 1740),
    ],
)
def test_a_link_ends_a_minute_before_it_says_and_never_later_than_half_an_hour(
    age: float | None, life: str, skew: float, left: float
) -> None:
    moment = "soon" if age is None else f"{datetime.now(UTC) - timedelta(seconds=age):%Y%m%dT%H%M%SZ}"
    url = f"https://api.8x8.com/x?X-Amz-Date={moment}&X-Amz-Expires={life}"
    assert seconds_until(link_end(url, skew)) == pytest.approx(left, abs=5)
