"""Different names for different objects, decided by their ids and never by their order."""

import json
import sqlite3
import unicodedata
from pathlib import PurePosixPath

from cloudstore_tui.fs.names import distinct_name

LENGTHS = (8, 12, 16, 24, 32, 0)
"""Characters of a suffix: more where fewer are not unique. In the end a digest of everything that names an object."""

RESERVED = ("manifest.jsonl", "manifest.csv")
"""Names of our own in the folder of a pull."""

_SAME = "folded IN (SELECT folded FROM items GROUP BY folded HAVING count(*) > 1)"
_FOLDER = "folded IN (SELECT folded FROM folders)"
_OURS = f"folded IN ({', '.join(repr(name) for name in RESERVED)})"


def fold(path: str) -> str:
    """What two paths have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def settle(database: sqlite3.Connection, *, sidecars: bool) -> None:
    """Give every item whose path is taken by another one, or by us, a suffix; all those of one name get it."""
    taken = " OR ".join([_SAME, _FOLDER, _OURS, *([_sidecar(database)] if sidecars else [])])
    for length in LENGTHS:
        rows = database.execute(f"SELECT number, base, identity, key FROM items WHERE {taken}").fetchall()
        if not rows:
            return
        renamed = [(number, suffixed(base, json.loads(identity), key, length)) for number, base, identity, key in rows]
        database.executemany(
            "UPDATE items SET path = ?, folded = ? WHERE number = ?",
            [(path, fold(path), number) for number, path in renamed],
        )


def keep(database: sqlite3.Connection, number: int, path: str, *, sidecars: bool) -> None:
    """Give an item another path if that is free."""
    folded = fold(path)
    names = (folded, f"{folded}.json", folded.removesuffix(".json")) if sidecars else (folded,)
    marks = ", ".join("?" * len(names))
    taken = f"SELECT folded FROM items WHERE folded IN ({marks}) AND number <> ?"
    taken += f" UNION ALL SELECT folded FROM folders WHERE folded IN ({marks})"
    if folded in RESERVED or database.execute(taken, (*names, number, *names)).fetchone():
        return
    database.execute("UPDATE items SET path = ?, folded = ? WHERE number = ?", (path, folded, number))


def suffixed(base: str, identity: str, key: str, length: int) -> str:
    """A path with a suffix of so many characters of an object's id; with a digest of its key if 0."""
    path = PurePosixPath(base)
    # An id can be there in two regions.
    return str(path.with_name(distinct_name(path.name, identity, length) if length else distinct_name(path.name, key)))


def _sidecar(database: sqlite3.Connection) -> str:
    database.execute("CREATE INDEX by_sidecar ON items(folded || '.json')")
    return "folded IN (SELECT folded || '.json' FROM items)"
