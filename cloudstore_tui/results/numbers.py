"""Which row number each entry has."""

import sqlite3
from collections.abc import Collection, Iterable

import msgspec

from cloudstore_tui.core.entry import Entry, identity

_SCHEMA = """
PRAGMA journal_mode = OFF;
CREATE TABLE numbers (key INTEGER PRIMARY KEY, number INTEGER NOT NULL);
"""


def key_of(entry: Entry) -> int:
    """A key for an entry's identity, good for this process."""
    return key_of_identity(identity(entry))


def key_of_identity(text: str) -> int:
    """A key for an identity: 64 bits, so that two of a million entries share one in 30 million listings."""
    return hash(text)


class RowNumbers:
    """Gives each key a number of its own, counting from 1.

    A table in memory: about 25 bytes per key, where a `dict` takes 100, and it grows without pauses.
    """

    def __init__(self) -> None:
        self._table = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._table.executescript(_SCHEMA)
        self.last = 0
        """The highest number given."""

    def give(self, keys: Collection[int]) -> list[int]:
        """The number of each key; those above `last` as it was before are new."""
        numbers = range(self.last + 1, self.last + 1 + len(keys))
        pairs = zip(keys, numbers, strict=True)
        added = self._table.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?)", pairs).rowcount
        if added == len(keys):
            self.last += added
            return list(numbers)
        found = self.find(keys)
        self.last = max(self.last, *found.values())
        return [found[key] for key in keys]

    def find(self, keys: Iterable[int]) -> dict[int, int]:
        """The numbers of those keys that have one."""
        query = "SELECT key, number FROM numbers WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self._table.execute(query, (listed(keys),)))

    def forget(self, numbers: Iterable[int]) -> None:
        """Let the keys of these numbers be unknown again."""
        query = "DELETE FROM numbers WHERE number IN (SELECT value FROM json_each(?))"
        self._table.execute(query, (listed(numbers),))

    def clear(self) -> None:
        """Begin again with 1."""
        self._table.execute("DELETE FROM numbers")
        self.last = 0

    def close(self) -> None:
        """Give the memory back."""
        self._table.close()


def listed(numbers: Iterable[int]) -> str:
    """Numbers as one argument of SQL, for `json_each`."""
    return msgspec.json.encode(list(numbers)).decode()
