"""When to try again, and when to stop."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cloudstore_tui.core.errors import MissingError, NetworkError, ReplyError, StorageError, ThrottledError
from cloudstore_tui.net.retry import PROGRESS_BYTES, RetryBudget, http_date, retry_after_s, waiting

LOST = NetworkError("the connection was lost")


def test_pauses_grow_and_then_probe(clock: Any) -> None:
    budget = RetryBudget(clock, 1e9)
    pauses = [budget.pause(LOST) for _ in range(200)]
    for number, most in enumerate((1, 2, 4, 8, 16, 32, 60, 60)):
        assert 0 <= pauses[number] <= most
    assert all(5 <= pause <= 60 for pause in pauses[8:])
    assert len({round(pause, 3) for pause in pauses[8:]}) > 100


def test_after_progress_the_next_try_comes_at_once_and_all_counts_anew(clock: Any) -> None:
    budget = RetryBudget(clock, 1e9)
    for number in range(1, 20):
        budget.record_progress(number * PROGRESS_BYTES)
        assert budget.pause(LOST) <= 0.5
    assert budget.pause(LOST) <= 2
    assert budget.pause(LOST) <= 4


def test_work_that_gets_on_is_not_given_up_however_long_it_takes(clock: Any) -> None:
    budget = RetryBudget(clock, 60)
    for number in range(1, 20):
        clock.passed += 50
        budget.record_progress(number * PROGRESS_BYTES)
        budget.pause(LOST)
    clock.passed += 61
    with pytest.raises(NetworkError):
        budget.pause(LOST)


def test_a_trickle_is_no_progress(clock: Any) -> None:
    budget = RetryBudget(clock, 60)

    def trickle() -> None:
        for number in range(1000):
            budget.record_progress(number)
            clock.passed += budget.pause(LOST)

    with pytest.raises(NetworkError):
        trickle()


def test_a_restart_is_no_progress_until_something_new_came(clock: Any) -> None:
    budget = RetryBudget(clock, 1e9)
    budget.record_progress(10 * PROGRESS_BYTES)
    budget.pause(LOST)
    budget.record_progress(0)
    assert max(budget.pause(LOST) for _ in range(30)) > 5


def test_what_waiting_does_not_change_is_not_waited_for(clock: Any) -> None:
    with pytest.raises(MissingError):
        RetryBudget(clock, 1e9).pause(MissingError("gone"))


@pytest.mark.parametrize(("asked", "low", "high"), [(30, 30, 33), (0, 1, 1.1), (0.2, 1, 1.1), (None, 0, 1)])
def test_a_wait_that_is_asked_for_is_kept(clock: Any, asked: float | None, low: float, high: float) -> None:
    assert low <= RetryBudget(clock, 1e9).pause(ThrottledError("busy", wait=asked)) <= high


def test_a_wait_beyond_the_budget_fails_at_once(clock: Any) -> None:
    with pytest.raises(ThrottledError):
        RetryBudget(clock, 100).pause(ThrottledError("busy", wait=101))
    with pytest.raises(ThrottledError):
        RetryBudget(clock, 1e9).pause(ThrottledError("busy", wait=4000))


async def drain(budget: RetryBudget, clock: Any, *errors: StorageError) -> float:
    """Seconds until it gives up what fails so, in turn and then for ever with the last."""
    began, left = clock.monotonic(), list(errors)
    for _ in range(10_000):
        try:
            await budget.wait(left.pop(0) if len(left) > 1 else left[0], lambda _note: None)
        except StorageError:
            return float(clock.monotonic() - began)
    raise AssertionError("it never gives up")


@pytest.mark.parametrize("give_up", [60, 900, 86_400])
async def test_a_budget_is_used_up_by_time_alone_and_to_its_end(clock: Any, give_up: float) -> None:
    assert await drain(RetryBudget(clock, give_up), clock, LOST) == pytest.approx(give_up, abs=1)


async def test_damaged_answers_that_repeat_are_final_after_a_minute(clock: Any) -> None:
    budget = RetryBudget(clock, 86_400)
    assert 60 <= await drain(budget, clock, ReplyError("the answer is a web page")) < 180
    # One among others is a passing fault.
    mixed = [ReplyError("damaged"), LOST] * 500
    assert await drain(RetryBudget(clock, 3600), clock, *mixed, LOST) == pytest.approx(3600, abs=1)
    assert await drain(RetryBudget(clock, 60), clock, ReplyError("damaged")) == pytest.approx(60, abs=1)


async def test_what_is_waited_for_is_reported_while_it_is(clock: Any) -> None:
    seen: list[str] = []
    held: list[str] = []

    class Watched(type(clock)):  # type: ignore[misc]  # the clock of the fixture
        async def sleep(self, delay: float) -> None:
            seen.append(waiting())
            await super().sleep(delay)

    assert waiting() == ""
    await RetryBudget(Watched(), 1000).wait(ThrottledError("busy", wait=30), held.append)
    assert len(seen) == 1
    assert seen[0].startswith("waiting 3")
    assert seen[0].endswith(" s: busy")
    assert held == ["busy"]
    assert waiting() == ""


# What a service asks for

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
    assert retry_after_s(retry_after, reset, SERVICE_CLOCK) == seconds


def test_without_a_clock_of_the_service_ours_has_to_do() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    wait = retry_after_s(f"{soon:%a, %d %b %Y %H:%M:%S} GMT", "", None)
    assert wait is not None
    assert 25 < wait <= 30


@pytest.mark.parametrize("text", ["", "soon", "Sun, 99 Sep 2024 12:00:00 GMT", "1", "Sun, 01 Sep 99999 12:00:00 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None


def test_a_date_without_a_zone_is_utc() -> None:
    assert http_date("Sun, 01 Sep 2024 12:00:00") == SERVICE_CLOCK
    assert http_date("Sun, 01 Sep 2024 14:00:00 +0200") == SERVICE_CLOCK.astimezone(timezone(timedelta(hours=2)))
