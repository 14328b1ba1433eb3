"""A database for one run: on the disk, so that memory stays small, and gone with the process."""

import os
import sqlite3
import tempfile
from pathlib import Path

from cloudstore_tui.fs.disk import PRIVATE_FOLDER, os_errors_as

_CACHE = 4096
"""KiB of it that are held in memory."""


def private_database(folder: Path | None, schema: str) -> sqlite3.Connection:
    """A new, empty database that nobody else can open.

    Args:
        folder: where its file lies, made if missing; the system's own place for such files if `None`.
        schema: statements that make its tables.
    """
    with os_errors_as(folder or Path(tempfile.gettempdir())):
        if folder is not None:
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="pull-", suffix=".db", dir=folder)
        os.close(handle)
        try:
            database = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
            # Nothing in it has to survive, so there is no journal that would name the file.
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA cache_size = -{_CACHE}")
            database.executescript(schema)
        finally:
            # An open file needs no name: whatever ends the process, nothing is left.
            Path(name).unlink()
    return database
