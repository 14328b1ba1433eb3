"""How long reading will still take."""

from cloudstore_tui.core.paging import EtaEstimator


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_forecast_before_anything_is_known() -> None:
    clock = Clock()
    eta = EtaEstimator(clock=clock)
    assert eta.seconds is None
    clock.now += 1
    eta.update(100, None)
    assert eta.seconds is None
    eta.update(0, 50)
    assert eta.seconds == 0.5


def test_without_a_pace_it_goes_by_what_came() -> None:
    clock = Clock()
    eta = EtaEstimator(clock=clock)
    clock.now += 2
    eta.update(100, 1_000)
    assert eta.seconds == 20


def test_a_burst_and_a_pause_say_nothing_of_the_pace() -> None:
    clock = Clock()
    eta = EtaEstimator(60, clock=clock)
    for _page in range(10):
        clock.now += 0.1
        eta.update(100, 5_000)
    assert eta.seconds == 50
    clock.now += 11
    assert eta.seconds == 50


def test_a_service_that_is_slower_than_the_pace_is_what_counts() -> None:
    clock = Clock()
    eta = EtaEstimator(60, clock=clock)
    for _page in range(10):
        clock.now += 4
        eta.update(100, 5_000)
    assert eta.seconds == 200
