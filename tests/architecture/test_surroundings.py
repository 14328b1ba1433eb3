"""What surrounds a test is not what surrounds the tests: signals that are ignored where they are started."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

NUMBERS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_ignored_here_is_not_ignored_in_the_programs_that_tests_start(
    number: signal.Signals, ignoring: Callable[[], None]
) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        ignoring()
        os.kill(os.getpid(), number)  # and goes on
        code = subprocess.run(
            [sys.executable, "-c", f"import os, time; os.kill(os.getpid(), {int(number)}); time.sleep(30)"],
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    finally:
        signal.signal(number, before)
    assert code == -number
