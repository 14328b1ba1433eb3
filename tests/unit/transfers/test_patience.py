"""When to try again, and when to stop."""

from typing import Any

import pytest

from cloudstore_tui.core.errors import MissingError, NetworkError, ThrottledError
from cloudstore_tui.net.patience import PROGRESS, Patience

LOST = NetworkError("the connection was lost")


def test_pauses_grow_and_then_probe(clock: Any) -> None:
    patience = Patience(clock, 1e9)
    pauses = [patience.pause(LOST) for _ in range(200)]
    for number, most in enumerate((1, 2, 4, 8, 16, 32, 60, 60)):
        assert 0 <= pauses[number] <= most
    assert all(5 <= pause <= 60 for pause in pauses[8:])
    assert len({round(pause, 3) for pause in pauses[8:]}) > 100


def test_after_progress_the_next_try_comes_at_once_and_all_counts_anew(clock: Any) -> None:
    patience = Patience(clock, 1e9)
    for number in range(1, 20):
        patience.saw(number * PROGRESS)
        assert patience.pause(LOST) <= 0.5
    assert patience.pause(LOST) <= 2
    assert patience.pause(LOST) <= 4


def test_a_trickle_is_no_progress(clock: Any) -> None:
    patience = Patience(clock, 60)

    def trickle() -> None:
        for number in range(1000):
            patience.saw(number)
            clock.passed += patience.pause(LOST)

    with pytest.raises(NetworkError):
        trickle()


def test_a_restart_is_no_progress_until_something_new_came(clock: Any) -> None:
    patience = Patience(clock, 1e9)
    patience.saw(10 * PROGRESS)
    patience.pause(LOST)
    patience.saw(0)
    assert max(patience.pause(LOST) for _ in range(30)) > 5


def test_what_waiting_does_not_change_is_not_waited_for(clock: Any) -> None:
    with pytest.raises(MissingError):
        Patience(clock, 1e9).pause(MissingError("gone"))


@pytest.mark.parametrize(("asked", "low", "high"), [(30, 30, 33), (0, 1, 1.1), (0.2, 1, 1.1), (None, 0, 1)])
def test_a_wait_that_is_asked_for_is_kept(clock: Any, asked: float | None, low: float, high: float) -> None:
    assert low <= Patience(clock, 1e9).pause(ThrottledError("busy", wait=asked)) <= high


def test_a_wait_beyond_the_patience_fails_at_once(clock: Any) -> None:
    with pytest.raises(ThrottledError):
        Patience(clock, 100).pause(ThrottledError("busy", wait=101))
    with pytest.raises(ThrottledError):
        Patience(clock, 1e9).pause(ThrottledError("busy", wait=4000))
