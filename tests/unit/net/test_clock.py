"""Noticing that the machine slept."""

from datetime import UTC, datetime, timedelta

import pytest

from cloudstore_tui.net.clock import Clock, SleepDetector, since_boot

START = datetime(2025, 3, 30, 1, 59, 0, tzinfo=UTC)


class SetClock(Clock):
    """Three clocks that are set by hand."""

    def __init__(self) -> None:
        self.awake = self.boot = self.wall = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.wall)

    def monotonic(self) -> float:
        return self.awake

    def pass_by(self, awake: float, asleep: float = 0, wall_set: float = 0) -> None:
        self.awake += awake
        self.boot += awake + asleep
        self.wall += awake + asleep + wall_set


@pytest.fixture
def hands() -> SetClock:
    return SetClock()


@pytest.fixture
def sleep(hands: SetClock) -> SleepDetector:
    return SleepDetector(hands, lambda: hands.boot)


def test_time_that_passes_is_no_sleep(hands: SetClock, sleep: SleepDetector) -> None:
    for seconds in (0.25, 31, 86_400):
        hands.pass_by(seconds)
        assert not sleep.happened()


def test_sleep_is_noticed_once(hands: SetClock, sleep: SleepDetector) -> None:
    hands.pass_by(0.25, asleep=31)
    assert sleep.happened()
    assert not sleep.happened()
    hands.pass_by(0.25, asleep=7200)
    assert sleep.happened()


def test_a_nap_that_connections_survive_is_none(hands: SetClock, sleep: SleepDetector) -> None:
    for _ in range(10):
        hands.pass_by(1, asleep=20)
        assert not sleep.happened()


def test_a_wall_clock_that_jumps_counts_as_sleep_only_if_it_jumps_forward(
    hands: SetClock, sleep: SleepDetector
) -> None:
    hands.pass_by(1, wall_set=-3600)
    assert not sleep.happened()
    hands.pass_by(1, wall_set=3600)
    assert sleep.happened()


def test_a_machine_without_a_clock_since_its_start_has_the_wall_clock(hands: SetClock) -> None:
    sleep = SleepDetector(hands, lambda: hands.wall)
    hands.pass_by(1, asleep=40)
    assert sleep.happened()


def test_the_clocks_of_this_machine_agree_while_it_is_awake() -> None:
    sleep = SleepDetector(Clock())
    assert since_boot() <= since_boot()
    assert not sleep.happened()
