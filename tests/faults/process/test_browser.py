"""The browser in a real terminal ends with a download running: the terminal is as before, and what arrived is kept."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.waiting import PATIENCE

RATE = 1_000_000
ENOUGH = 600_000
LONGEST = 2.0
SLACK = 6.0
RESTORED = b"\x1b[?1049l"
LEFT = b"1 transfer is not done. Resume in the browser, or with: cloudstore transfers run"

Slow = Callable[[int], None]


@pytest.fixture
def browser(machine: Any, large: Any, slow: Slow) -> Any:
    """The browser while it downloads the film."""
    slow(RATE)
    shown = machine.terminal(large.address, columns=120, rows=40)
    shown.wait_for(large.name)
    shown.press("d")
    machine.sandbox.log.clear()
    end = time.monotonic() + PATIENCE
    while not machine.parts() or machine.arrived() <= ENOUGH:
        assert time.monotonic() < end, f"the download did not begin; the screen shows:\n{shown.text}"
        shown.read(0.1)
    return shown


def check_kept(machine: Any, large: Any) -> int:
    (row,) = machine.rows()
    (part,) = machine.parts()
    assert 0 < row["durable"] <= part.stat().st_size < large.size
    assert list((machine.state / "writers").iterdir()) == []
    return int(row["durable"])


def check_restored(shown: Any) -> None:
    shown.check_restored()
    before, _, after = shown.sent.partition(RESTORED)
    assert before.count(b"\x1b[?1049h") == 1
    assert RESTORED not in after
    assert b"Traceback" not in after


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), pytest.param(signal.SIGINT, 130, marks=pytest.mark.long)],
)
def test_a_signal_ends_the_browser_and_restores_the_terminal(
    machine: Any, large: Any, browser: Any, number: int, code: int
) -> None:
    browser.child.kill(number)
    assert browser.end(LONGEST + SLACK) == code
    check_restored(browser)
    check_kept(machine, large)
    assert (LEFT in browser.sent.rpartition(RESTORED)[2]) == (number != signal.SIGHUP)


def test_a_window_that_is_closed_ends_the_browser(machine: Any, large: Any, browser: Any) -> None:
    browser.hang_up()
    assert browser.end(LONGEST + SLACK) == 129
    check_kept(machine, large)


def test_q_asks_while_a_download_runs_and_the_next_start_offers_to_go_on(
    machine: Any, large: Any, browser: Any, slow: Slow
) -> None:
    browser.press("q")
    browser.wait_for("1 transfer is unfinished. It will resume next time.")
    browser.press("y")
    assert browser.end(LONGEST + SLACK) == 0
    check_restored(browser)
    assert LEFT in browser.sent.rpartition(RESTORED)[2]
    durable = check_kept(machine, large)
    slow(0)
    machine.sandbox.log.clear()
    again = machine.terminal("acme:", columns=120, rows=40)
    again.wait_for(r"1 stopped \(t\)")
    again.press("t")
    again.wait_for("MB stopped")
    assert "Meeting, " in again.text
    again.press("p")
    again.wait_for("done")
    again.press("\x1b", "q")
    assert again.end() == 0
    assert b"not done" not in again.sent.rpartition(RESTORED)[2]
    assert machine.fetched() <= large.size - durable + 65_536
    assert (machine.folder / large.name).stat().st_size == large.size
    machine.nothing_left()
