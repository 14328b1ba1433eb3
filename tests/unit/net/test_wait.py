"""How long a service asks to wait, in every form that services use."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cloudstore_tui.net.wait import asked_wait, http_date

SERVICE_CLOCK = datetime(2024, 9, 1, 12, 0, 0, tzinfo=UTC)
EPOCH = int(SERVICE_CLOCK.timestamp())


@pytest.mark.parametrize(
    ("retry_after", "reset", "seconds"),
    [
        ("3", "", 3),
        (" 3 ", "", 3),
        ("0", "", 1),
        ("Sun, 01 Sep 2024 12:00:42 GMT", "", 42),
        ("Sun, 01 Sep 2024 14:00:42 +0200", "", 42),
        ("Sunday, 01-Sep-24 12:00:42 GMT", "", 42),
        ("Thu, 01 Jan 2015 00:00:00 GMT", "", 1),
        ("1" + "0" * 20, "", 10.0**9),
        ("", str(EPOCH + 20), 20),
        ("", f" {EPOCH + 20} ", 20),
        ("", str(EPOCH - 20), 1),
        ("5", str(EPOCH + 20), 5),
        ("", "", None),
        ("-5", "", None),
        ("soon", "", None),
        ("3.5", "", None),
        ("٣", "", None),
        ("9" * 5000, "", None),
        ("", "soon", None),
        ("", "-1", None),
    ],
)
def test_a_wait_is_read_in_every_form_by_the_clock_of_the_service(
    retry_after: str, reset: str, seconds: float | None
) -> None:
    assert asked_wait(retry_after, reset, SERVICE_CLOCK) == seconds


def test_without_a_clock_of_the_service_ours_has_to_do() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    wait = asked_wait(f"{soon:%a, %d %b %Y %H:%M:%S} GMT", "", None)
    assert wait is not None
    assert 25 < wait <= 30


@pytest.mark.parametrize("text", ["", "soon", "Sun, 99 Sep 2024 12:00:00 GMT", "1", "Sun, 01 Sep 99999 12:00:00 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None


def test_a_date_without_a_zone_is_utc() -> None:
    assert http_date("Sun, 01 Sep 2024 12:00:00") == SERVICE_CLOCK
    assert http_date("Sun, 01 Sep 2024 14:00:00 +0200") == SERVICE_CLOCK.astimezone(timezone(timedelta(hours=2)))
