"""What is said when the program itself is wrong."""

import traceback
from pathlib import Path

from cloudstore_tui import __version__

_OWN = "cloudstore_tui"


def origin(error: BaseException | None) -> str:
    """What kind of error it was and where in our own source; none of the values that were there, nor its message."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    ours = [frame for frame in frames if _OWN in Path(frame.filename).parts]
    last = ours[-1] if ours else frames[-1] if frames else None
    where = f" in {Path(last.filename).name} line {last.lineno}" if last is not None else ""
    return f"{type(error).__name__}{where}"


def crash_sentence(error: BaseException | None) -> str:
    """What is said when the program cannot go on."""
    return f"cloudstore {__version__} crashed ({origin(error)}). Finished downloads are safe. Please report this line."
