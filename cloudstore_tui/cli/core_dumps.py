"""No memory of this process on the disk: it holds secrets."""

import os
from contextlib import suppress


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of those it starts, write no memory to the disk."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
