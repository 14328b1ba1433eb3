"""Filters of places as phrases that mean the same."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.fiql.phrases import as_phrase, understand

ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    "phrase", ["type:callcenterrecording", "type:callrecording on:2024-09", "type:a on:2024", "type:a on:2024-02-29"]
)
def test_what_a_phrase_finds_is_offered_as_that_phrase(phrase: str) -> None:
    sent = understand(phrase, ZONE, datetime.now(UTC)).filter
    assert as_phrase(sent, ZONE, datetime.now(UTC)) == phrase


@pytest.mark.parametrize(
    "filter_", ["", "type!=a", "type==a,type==b", "createdTime=ge=1725148800000", "duration=gt=5", "type=in=(a,b)"]
)
def test_what_no_phrase_says_alike_is_not(filter_: str) -> None:
    assert as_phrase(filter_, ZONE, datetime.now(UTC)) == ""


def test_days_of_another_zone_are_no_days_of_this_one() -> None:
    sent = understand("on:2024-09-01", ZONE, datetime.now(UTC)).filter
    assert as_phrase(sent, ZoneInfo("Asia/Tokyo"), datetime.now(UTC)) == ""
