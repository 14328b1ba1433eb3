"""How this process begins: without memory on the disk, and with streams that are open."""

import gc
import os
import sys
from contextlib import suppress

QUIET = "cloudstore.quiet"
"""Where the context of a command has that only results and errors are wanted."""
_ERROR = 2


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of those it starts, write no memory to the disk."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def collect_garbage_rarely() -> None:
    """Look for cycles after many more new objects than usual: imports and lists are full of objects that stay."""
    gc.set_threshold(200_000, 20, 20)


def open_closed_streams() -> None:
    """Open them to nowhere: else the next file of ours would be in their place, and be read or written as such."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _ERROR:
        pass
    os.close(handle)
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    # Deferred: help and completion need no paths.
    from pathlib import Path

    nowhere = Path(os.devnull)
    # Nobody closes them again before the end.
    sys.stdin = sys.stdin or nowhere.open()
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")
