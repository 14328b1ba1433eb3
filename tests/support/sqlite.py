"""Databases on a disk that is as full as a test wants it."""

import sqlite3
from functools import partial
from typing import Any

import pytest


class FullingDisk:
    """Knows every database that is opened in a file from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen until the end of the test."""
        opened: list[sqlite3.Connection] = []

        class Known(sqlite3.Connection):
            def __init__(self, database: Any, *others: Any, **named: Any) -> None:
                super().__init__(database, *others, **named)
                if database != ":memory:":
                    opened.append(self)

        self._opened = opened
        monkeypatch.setattr("sqlite3.connect", partial(sqlite3.connect, factory=Known))

    def leave(self, pages: int) -> None:
        """Let them grow by so many pages and no more."""
        assert self._opened
        for database in self._opened:
            used = database.execute("PRAGMA page_count").fetchone()[0]
            database.execute(f"PRAGMA max_page_count = {used + pages}")
