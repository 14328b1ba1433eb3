"""Whether the service and a folder have the objects of all calls that took place.

Three lists are joined by the ids of calls: the calls according to another system, what the service has, and what the
folder holds. They lie in a temporary database: a month can have a hundred thousand calls.
"""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from cloudstore_tui.archive.chain import object_lines
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    NAME,
    ManifestEntry,
    key_of,
    key_of_entry,
    location_of,
    matches_object,
    path_of,
    place_of,
)
from cloudstore_tui.archive.plan import LocalMatch, match_file
from cloudstore_tui.core.errors import LocalDiskError, UsageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.measures import parse_time
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.transfers.workers import Stop

JOINED_BY = ("callId", "originalCallId", "transactionId")
"""Tags that hold an id by which other systems know a call."""
RECORDINGS = ("callrecording", "callcenterrecording")
ARCHIVED = "ARCHIVED"
_HERE_ALONE = "HERE"
_IDS = ("callid", "id", "interactionid", "transactionid", "guid")
_STARTS = ("start", "starttime", "startedat", "begin", "begintime", "datetime", "time", "date", "created")
_SCHEMA = """
CREATE TABLE calls(id TEXT PRIMARY KEY, start REAL) WITHOUT ROWID;
CREATE TABLE objects(key TEXT PRIMARY KEY, address TEXT, type TEXT, state TEXT, created REAL, here TEXT) WITHOUT ROWID;
CREATE TABLE terms(id TEXT, key TEXT, PRIMARY KEY (id, key)) WITHOUT ROWID;
CREATE INDEX by_key ON terms(key);
CREATE TABLE lines(key TEXT PRIMARY KEY, path TEXT, line TEXT) WITHOUT ROWID;
"""


class OpenKind(StrEnum):
    """The kinds of discrepancies."""

    MISSING = "missing at the service"
    ARCHIVED = "archived"
    NOT_HERE = "not here"
    CHANGED = "here but changed"
    LACKING = "without"
    """The call has objects, but none of this type."""
    UNEXPECTED = "object without a call"


class OpenItem(msgspec.Struct, frozen=True):
    """One discrepancy."""

    kind: OpenKind
    call: str
    """The id of the call; empty for an object without one."""
    address: str = ""
    type: str = ""


class CallRow(msgspec.Struct, frozen=True):
    """One call that took place."""

    id: str
    """Empty if the table does not have it."""
    start: datetime | None
    """`None` if it cannot be read."""


def read_calls(path: Path, zone: tzinfo, id_column: str = "", start_column: str = "") -> Iterator[CallRow]:
    """The calls of a table.

    Args:
        path: a CSV file with a header line, separated by commas, semicolons or tabs.
        zone: the zone of times without one.
        id_column: the column with the id of the call; a column with a usual name if empty.
        start_column: the same for the start of the call.

    Raises:
        UsageError: there is no such column.
        LocalDiskError: the file cannot be read.
    """
    try:
        with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
            first = file.readline()
            file.seek(0)
            mark = max(",;\t", key=first.count)
            rows = csv.reader(file, delimiter=mark)
            names = next(rows, [])
            id_at = _column(names, id_column, _IDS, path, "--id-column")
            start_at = _column(names, start_column, _STARTS, path, "--start-column")
            for row in rows:
                if any(cell.strip() for cell in row):
                    # Programs leave out empty cells at the end of a line.
                    cells = [*row, *[""] * len(names)]
                    yield CallRow(cells[id_at].strip(), _moment(cells[start_at].strip(), zone))
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise LocalDiskError(f"the list of calls cannot be read: {reason}", subject=str(path)) from None
    except csv.Error:
        hint = "Export it as CSV, with a header line."
        raise UsageError("is not a CSV file", subject=str(path), hint=hint) from None


def _encoding(path: Path) -> str:
    """UTF-8, unless a byte-order mark says otherwise: spreadsheets write "Unicode text" in UTF-16."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def _column(names: Sequence[str], wanted: str, usual: Sequence[str], path: Path, option: str) -> int:
    if wanted:
        found = [at for at, name in enumerate(names) if name.strip().lower() == wanted.strip().lower()]
    else:
        plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
        found = [plain.index(name) for name in usual if name in plain]
    if not found:
        what = f"has no column {wanted}" if wanted else "has no column with a known name"
        hint = f"Name it with {option}; there are: {', '.join(names)[:200] or 'none'}."
        raise UsageError(what, subject=str(path), hint=hint)
    return found[0]


def _moment(text: str, zone: tzinfo) -> datetime | None:
    if re.fullmatch(r"[0-9]{12,13}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if re.fullmatch(r"[0-9]{9,10}", text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        return parse_time(
            text.replace(" ", "T", 1) if re.match(r"\d{4}-\d\d-\d\d ", text) else text, zone, datetime.now(UTC)
        )
    except UsageError:
        return None


class Reconciliation:
    """Joins the three lists. Blocks; close it."""

    def __init__(self, folder: Path, expected: Sequence[str], scratch: Path | None = None) -> None:
        """Begin with empty lists.

        Args:
            folder: one that was pulled.
            expected: the types that every call must have; empty for a recording of any kind.
            scratch: the folder for the temporary database.
        """
        self._place = place_of(folder)
        self._folder = PullFolder(self._place.payload)
        self._expected = tuple(expected)
        self._database = ScratchDatabase(scratch, _SCHEMA)
        self.calls = 0
        self.unread = 0
        """Calls whose start cannot be read."""
        self.unnamed = 0
        """Calls without an id."""

    def close(self) -> None:
        """Delete the lists."""
        self._database.close()

    def add_calls(self, rows: Iterable[CallRow]) -> None:
        """Add the calls that took place."""
        with self._database.transaction():
            for row in rows:
                if not row.id:
                    self.unnamed += 1
                    continue
                self.unread += row.start is None
                values = (row.id, row.start.timestamp() if row.start else None)
                self._database.execute("INSERT OR IGNORE INTO calls VALUES (?, ?)", values)
        self.calls = int(self._one("SELECT count(*) FROM calls") or 0)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first and the last start of a call."""
        first, last = self._one("SELECT min(start) FROM calls"), self._one("SELECT max(start) FROM calls")
        if first is None or last is None:
            return None
        return datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)

    def add_folder(self) -> None:
        """Add what the folder's manifest lists."""
        if self._folder.stat(PurePosixPath(NAME)) is None:
            return
        with self._database.transaction():
            for line in object_lines(self._place):
                row = (key_of_entry(line), path_of(line), msgspec.json.encode(dict(line)).decode())
                self._database.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?)", row)

    def add_objects(self, entries: Iterable[StoredObject], stop: Stop) -> None:
        """Add objects of the service."""
        with self._database.transaction():
            for entry in entries:
                stop.check()
                key = key_of(entry.location)
                created = entry.created.timestamp() if entry.created else None
                here = self._here(key, stop, entry)
                facts = (key, entry.location.address, entry.type, entry.state, created, here)
                self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", facts)
                self._join(key, (entry.tag(name) for name in JOINED_BY))

    def add_only_here(self, stop: Stop) -> None:
        """Add the objects that only the folder has, or that the service was not asked for."""
        for key, text in self._database.walk("key, line", "lines"):
            if self._database.one("SELECT 1 FROM objects WHERE key = ?", (key,)) is not None:
                continue
            line: ManifestEntry = msgspec.json.decode(text)
            location = location_of(line)
            if location is None or ("error" in line and "sha256" not in line):
                continue
            facts = (key, location.address, str(line.get("type", "")), _HERE_ALONE, None, self._here(key, stop))
            self._database.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", facts)
            tags = line.get("tags")
            self._join(key, (str(tags.get(name, "")) for name in JOINED_BY) if isinstance(tags, dict) else ())

    def open_items(self) -> Iterator[OpenItem]:
        """The discrepancies, call by call, then the objects that belong to no call."""
        for (call,) in self._database.walk("id", "calls"):
            yield from self._of_call(call)
        yield from self._unexpected()

    def _of_call(self, call: str) -> Iterator[OpenItem]:
        sql = (
            "SELECT address, type, state, here FROM objects JOIN terms USING (key) WHERE terms.id = ? ORDER BY address"
        )
        there = self._database.all(sql, (call,))
        if not there:
            yield OpenItem(OpenKind.MISSING, call)
            return
        for wanted in self._expected or ("",):
            found = [row for row in there if row[1] == wanted or (not wanted and row[1] in RECORDINGS)]
            if not found:
                yield OpenItem(OpenKind.LACKING, call, type=wanted or "recording")
            for address, kind, state, here in found:
                if (open_kind := _open_kind(state, here)) is not None:
                    yield OpenItem(open_kind, call, address, kind)

    def _unexpected(self) -> Iterator[OpenItem]:
        first, last = self._one("SELECT min(start) FROM calls"), self._one("SELECT max(start) FROM calls")
        types = self._expected or RECORDINGS
        marks = ", ".join("?" * len(types))
        sql = (
            f"SELECT address, type FROM objects WHERE type IN ({marks}) AND created BETWEEN ? AND ?"
            " AND NOT EXISTS (SELECT 1 FROM terms JOIN calls USING (id) WHERE terms.key = objects.key) ORDER BY address"
        )
        for address, kind in self._database.all(sql, (*types, first, last)):
            yield OpenItem(OpenKind.UNEXPECTED, "", address, kind)

    def _join(self, key: str, values: Iterable[str]) -> None:
        for value in values:
            if value:
                self._database.execute("INSERT OR IGNORE INTO terms VALUES (?, ?)", (value, key))

    def _here(self, key: str, stop: Stop, entry: StoredObject | None = None) -> str:
        """What the folder has of an object: nothing (empty), the `same`, or a `changed` one."""
        row = self._database.one("SELECT path, line FROM lines WHERE key = ?", (key,))
        if row is None:
            return ""
        line: ManifestEntry = msgspec.json.decode(row[1])
        if "sha256" not in line:
            return ""
        is_same = entry is None or matches_object(line, entry)
        match = match_file(self._folder, PurePosixPath(row[0]), line, stop)
        if match is LocalMatch.OTHER and self._folder.stat(PurePosixPath(row[0])) is None:
            return ""
        return "same" if is_same and match is not LocalMatch.OTHER else "changed"

    def _one(self, sql: str) -> Any:
        row = self._database.one(sql)
        return row[0] if row else None


def _open_kind(state: str, here: str) -> OpenKind | None:
    if here:
        return OpenKind.CHANGED if here == "changed" else None
    if state == ARCHIVED:
        return OpenKind.ARCHIVED
    return OpenKind.NOT_HERE if state in ("AVAILABLE", _HERE_ALONE) else OpenKind.MISSING
