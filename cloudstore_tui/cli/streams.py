"""Standard streams that somebody closed before this program began, as schedulers and daemons do."""

import os
import sys
from pathlib import Path

_ERROR = 2


def open_closed_streams() -> None:
    """Open them to nowhere: else the next file of ours would be in their place, and be read or written as such."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _ERROR:
        pass
    os.close(handle)
    nowhere = Path(os.devnull)
    # Nobody closes them again before the end.
    sys.stdin = sys.stdin or nowhere.open()
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")
