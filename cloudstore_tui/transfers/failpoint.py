"""Named places in the code where tests end the process at once, as a power cut would."""

import os
import signal

VARIABLE = "CLOUDSTORE_CRASH_AT"
"""Set by tests only: `name`, or `name:3` for the third time that the place is passed."""

_name, _, _count = os.environ.get(VARIABLE, "").partition(":")
_left = int(_count) if _count.isdecimal() else 1


def failpoint(name: str) -> None:
    """End here if a test asked for it."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
