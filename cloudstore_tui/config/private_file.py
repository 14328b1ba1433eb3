"""A file of the user's that nobody else reads, replaced as a whole."""

import os
import tempfile
from pathlib import Path

from cloudstore_tui.core.errors import LocalDiskError

PRIVATE_FOLDER = 0o700


def write_private(path: Path, text: str) -> None:
    """Put a text in the place of a file; whoever reads at the same time sees the old one or the new one.

    A link is followed: people keep their configuration elsewhere and link to it.

    Raises:
        LocalDiskError: it cannot be written; the old one is still there.
    """
    place = path.resolve()
    try:
        place.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        # Made with 0600, as every file of this function.
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    except OSError as error:
        raise _refused(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> LocalDiskError:
    return LocalDiskError(f"cannot be written: {error.strerror}", place=str(path))
